//! `make bench BENCH=web`: what people who read cost those who archive, what a log-in costs, and how fast a large message
//! is handed out. A table to read, not a test. What a large archive takes for a page is in `BENCH=growth`.
//!
//! `BENCH_ROUNDS` and `BENCH_MESSAGES` change its size. Real mail is read where `CORPUS` names a folder of it.

#[path = "../../tests/web/site.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod site;
#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../store/table.rs"]
#[allow(dead_code, reason = "the other benchmark prints more kinds of rows")]
mod table;

mod beside;
mod log_ins;
mod raw;

use support::{
    corpus,
    generator::{Mailbox, Settings},
    setting,
};

fn main() {
    table::busy();
    let messages = setting("BENCH_MESSAGES", 20_000);
    let rounds = setting("BENCH_ROUNDS", 5).max(1);
    let mail: Vec<Vec<u8>> = match corpus::messages("the benchmark") {
        Some(corpus) => corpus::repeated(&corpus, messages).collect(),
        None => Mailbox::new(Settings {
            average_size: 4_400,
            ..Settings::messages(messages)
        })
        .collect(),
    };
    log_ins::run();
    raw::run();
    beside::run(&mail, rounds);
}

/// The median.
fn median(values: &[f64]) -> f64 {
    table::quantile(values, 0.5).expect("a round at least")
}
