//! How long it takes in a real browser until the list of a search is painted, from the beginning of the navigation on.

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    growth_mail::QUERIES,
    people::encoded,
    support::{appliance::listening, running::Running},
    table::{self, Goal, quantile},
};

/// How often each is asked, after once to have its pages in memory.
const TIMES: usize = 10;
/// Milliseconds until the list is painted, at 99 in 100.
const GOAL: f64 = 100.0;

/// Notes when the list was painted: in the frame behind the one for which the page was there as a whole.
const NOTING: &str = "addEventListener('DOMContentLoaded', () => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => { window.listPainted = performance.now(); };
    port2.postMessage(null);
}));";

/// What was noted, and when the first of the page was painted; nothing as long as either is not known.
const NOTED: &str = "const first = performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
    const list = document.querySelector('.results');
    return first && list && window.listPainted ? Math.max(first, window.listPainted) : null;";

/// As an auditor, `rita`, who has an account.
pub fn run(serving: &Running, messages: u64) {
    let browser = Browser::of(&listening(serving), "en", &[]);
    browser.cdp("Page.addScriptToEvaluateOnNewDocument", &json!({"source": NOTING}));
    browser.log_in("rita", "/console/mail");
    table::head(&format!(
        "searches in {messages} messages in Chromium, ms until the list is painted (median)"
    ));
    let (mut all, mut first) = (Vec::new(), Vec::new());
    for (kind, query) in QUERIES {
        let path = format!("/console/mail?q={}", encoded(query));
        let painted = || {
            browser.open(&path);
            let mut painted = Value::Null;
            browser.waits_for("the painted list", |browser| {
                painted = browser.run(NOTED, &json!([]));
                painted.is_number()
            });
            painted.as_f64().expect("milliseconds")
        };
        first.push(painted());
        let times: Vec<f64> = (0..TIMES).map(|_| painted()).collect();
        let median = quantile(&times, 0.5).expect("times");
        table::row(kind, median, Goal::None, "ms");
        all.extend(times);
    }
    let unknown = quantile(&first, 1.0).expect("times");
    table::row("the slowest the first time", unknown, Goal::None, "ms");
    let median = quantile(&all, 0.5).expect("times");
    table::row("the median of all", median, Goal::None, "ms");
    let slowest = quantile(&all, 0.99).expect("times");
    table::row("99 in 100 of all", slowest, Goal::AtMost(GOAL), "ms");
}
