//! The bar that shows on a terminal how far a command is.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of this template; hidden where standard error is no terminal.
pub fn bar(template: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A bar that counts these.
pub fn bar_of(what: &str) -> ProgressBar {
    bar(&format!(
        "{{spinner}} {{pos}}/{{len}} {what} {{wide_bar}} {{msg}} {{per_sec}}, {{eta}} left"
    ))
}
