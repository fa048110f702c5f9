//! `make bench BENCH=search`: how long it takes until mail is found, and how large the index is, beside mu and notmuch on
//! the same mail; what archiving takes with it and without; how fast it answers. A table to read, not a test.
//!
//! `BENCH_ROUNDS` and `BENCH_MESSAGES` change its size. Real mail is read where `CORPUS` names a folder of it.

#[path = "../../tests/support/mod.rs"]
mod support;
#[path = "../store/table.rs"]
#[allow(dead_code, reason = "the other benchmark prints more kinds of rows")]
mod table;

mod archive;
mod index;
mod peers;
mod queries;
mod waiting;

use support::{
    corpus,
    generator::{Mailbox, Settings},
    setting,
};

const MB: f64 = 1e6;

/// One of each kind, made of words that real mail has, and that of the tests.
const KINDS: [(&str, &str); 20] = [
    ("a word", "report"),
    ("a frequent word", "the"),
    ("two words", "please meeting"),
    ("three words", "the and for"),
    ("a phrase", "\"in the\""),
    ("a phrase of four", "\"more than one of\""),
    ("in the subject", "subject:re"),
    ("a phrase in the subject", "subject:\"re re\""),
    ("an address", "from:someone-7@sender.example"),
    ("a domain", "from:@example.net"),
    ("a recipient", "recipient:example.com"),
    ("a month", "date:2002-09"),
    ("years", "date:2001..2019"),
    ("a word since", "time after:2002-09-01"),
    ("by size", "larger:10K"),
    ("any ending", "repo*"),
    ("any middle", "subject:m?re"),
    ("without", "meeting -report"),
    ("one of four", "(invoice OR report) (friday OR monday)"),
    ("with a file", "has:attachment report"),
];

fn main() {
    table::busy();
    let messages = setting("BENCH_MESSAGES", 20_000);
    let rounds = setting("BENCH_ROUNDS", 3).max(1);
    let corpus = corpus::messages("the benchmark");
    let kind = if corpus.is_some() {
        "real (repeated)"
    } else {
        "generated"
    };
    let mail: Vec<Vec<u8>> = match corpus {
        Some(corpus) => corpus::repeated(&corpus, messages).collect(),
        None => Mailbox::new(Settings {
            average_size: 4_400,
            ..Settings::messages(messages)
        })
        .collect(),
    };
    let raw: usize = mail.iter().map(Vec::len).sum();
    println!(
        "{messages} {kind} messages, {:.1} MB; each time is the median of {rounds} rounds.",
        raw as f64 / MB
    );
    let archived = index::run(&mail, raw, rounds);
    queries::run(&archived.appliance.data(), archived.messages, &KINDS);
    drop(archived);
    archive::run(&mail, rounds);
}

/// The median.
fn median(values: &[f64]) -> f64 {
    table::quantile(values, 0.5).expect("a round at least")
}

/// What a folder takes on disk, as `du` counts.
fn bytes_of(folder: &std::path::Path) -> f64 {
    let output = std::process::Command::new("du")
        .args(["-s", "-B1"])
        .arg(folder)
        .output()
        .expect("du");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let bytes = text
        .split_whitespace()
        .next()
        .and_then(|bytes| bytes.parse::<u64>().ok());
    bytes.expect("bytes") as f64
}
