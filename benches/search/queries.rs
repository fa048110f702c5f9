//! How fast searches are answered by an appliance that runs: the first page, the newest first.

use std::{path::Path, time::Instant};

use serde_json::json;

use crate::{
    support::{appliance::number, control},
    table::{self, Goal, quantile},
};

/// Messages of a page.
const PAGE: usize = 50;
/// How often each is asked, after once to have its pages in memory.
const TIMES: usize = 20;
/// Milliseconds, at 99 in 100.
const GOAL: f64 = 20.0;

/// Asks of an appliance that runs and has so many messages.
pub fn run(data: &Path, messages: u64, kinds: &[(&str, &str)]) {
    table::head(&format!("searches in {messages} messages, ms (median)"));
    let (mut all, mut first) = (Vec::new(), Vec::new());
    for (kind, query) in kinds {
        let ask = || {
            let request = json!({"search": {"query": query, "limit": PAGE}});
            let begun = Instant::now();
            let replies = control::ask(data, &request).expect("an answer");
            let took = begun.elapsed().as_secs_f64() * 1e3;
            let found = replies.iter().find_map(|reply| reply.get("found"));
            let found = found.unwrap_or_else(|| panic!("{query}: {replies:?}"));
            (number(found, "total"), took)
        };
        let (total, took) = ask();
        first.push(took);
        let times: Vec<f64> = (0..TIMES).map(|_| ask().1).collect();
        let median = quantile(&times, 0.5).expect("times");
        table::row(&format!("{kind} ({total})"), median, Goal::None, "ms");
        all.extend(times);
    }
    let unknown = quantile(&first, 1.0).expect("times");
    table::row("the slowest the first time", unknown, Goal::None, "ms");
    let slowest = quantile(&all, 0.99).expect("times");
    table::row("99 in 100 of all", slowest, Goal::AtMost(GOAL), "ms");
}
