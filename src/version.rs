//! Which version this is: that of the sources, and the commit where they are a checkout.
//!
//! The commit comes from `main.rs`: only that file is compiled anew when there is another one.

use std::sync::OnceLock;

static FULL: OnceLock<&'static str> = OnceLock::new();

/// As in `0.1.0 (098d000abc)`. The first one counts.
pub fn set(full: &'static str) {
    // A second one comes from nowhere.
    let _ = FULL.set(full);
}

/// As in `0.1.0 (098d000abc, modified)`; without a commit as in `0.1.0`.
pub fn version() -> &'static str {
    FULL.get().copied().unwrap_or(env!("CARGO_PKG_VERSION"))
}
