//! `make bench BENCH=store`: how much disk archives take beside other ways of keeping the same mail.
//! `make bench BENCH=million`: how fast a million messages are read back.
//! `make bench BENCH=lists`: how fast the newest of two million are listed.
//! `make bench BENCH=growth`: whether an archive of ten million is as fast as a small one.
//! `make bench BENCH=many`: whether hundreds of profiles and a hundred thousand users are. Tables to read, not tests.
//!
//! Real mail is read where `CORPUS` names a folder of it. `BENCH_MESSAGES` changes the size of the generated
//! mailboxes; `BENCH_DIR` is where archives are made, on the disk to be measured; an archive of a million that
//! is there already is used again.

#[path = "../../tests/support/mod.rs"]
mod support;

#[path = "../../tests/console/browser.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod browser;
mod filing;
mod growth;
mod growth_mail;
mod growth_run;
mod in_browser;
mod lists;
mod many;
mod million;
mod over_http;
#[path = "../../tests/console/people.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod people;
#[path = "../search/queries.rs"]
mod queries;
#[path = "../../tests/web/site.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod site;
mod sizes;
mod table;
#[path = "../search/waiting.rs"]
mod waiting;

use std::path::PathBuf;

fn main() {
    let part = std::env::var("BENCH").unwrap_or_default();
    match part.as_str() {
        "" | "store" => {
            table::busy();
            sizes::run(messages(4_000));
        }
        "million" => {
            table::busy();
            million::run(messages(1_000_000));
        }
        "lists" => {
            table::busy();
            lists::run(messages(2_000_000));
        }
        "growth" => {
            table::busy();
            growth::run();
        }
        "many" => {
            table::busy();
            many::run();
        }
        // A part of another benchmark.
        _ => {}
    }
}

/// How many messages the generated mailbox has.
fn messages(default: usize) -> usize {
    match std::env::var("BENCH_MESSAGES") {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|error| panic!("BENCH_MESSAGES={text}: {error}; it takes a number of messages")),
        Err(_) => default,
    }
}

/// Where archives are made that are thrown away: on a disk, which a temporary folder may not be.
fn scratch() -> PathBuf {
    let folder = kept().unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
    std::fs::create_dir_all(&folder).unwrap_or_else(|error| panic!("BENCH_DIR={}: {error}", folder.display()));
    folder
}

/// Where an archive is kept for the next time, if anywhere.
fn kept() -> Option<PathBuf> {
    let folder = std::env::var_os("BENCH_DIR").filter(|folder| !folder.is_empty())?;
    Some(folder.into())
}
