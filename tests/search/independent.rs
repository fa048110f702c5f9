//! What searches find, held against an independent reading of the same mail (`independent.py`, on Python's standard
//! library): a thousand queries made from the mail itself, each with the messages that the other reading finds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use super::asking::Archived;
use crate::support::{
    appliance::text,
    corpus,
    generator::{Everyday, Mailbox, SEED, Settings},
    python,
};

/// How many queries are made.
const QUERIES: usize = 1_000;
/// Of all messages found, how many in a hundred the other reading may leave open: it opens no PDF and no Office file.
const OPEN: usize = 25;

/// Messages that the two find differently, and why that is right: the first digits of the SHA-256, which of the two finds
/// it, and the reason.
const DIFFERENCES: &str = include_str!("differences.txt");

#[test]
fn of_the_generated_mailboxes() {
    let mut messages: Vec<Vec<u8>> = Mailbox::new(Settings {
        average_size: 2_000,
        ..Settings::messages(900)
    })
    .collect();
    messages.extend(Everyday::new(SEED, 1_700_000_000, 3_000).take(300));
    compare(&messages, 1);
}

#[test]
fn of_real_mail() {
    if let Some(messages) = corpus::messages("what searches find") {
        compare(&messages, 2);
    }
}

fn compare(messages: &[Vec<u8>], seed: u64) {
    let folder = tempfile::tempdir().expect("a folder");
    for (number, message) in messages.iter().enumerate() {
        fs::write(folder.path().join(format!("{number:06}.eml")), message).expect("a file");
    }
    let archived = Archived::of(folder.path());
    let asked = python(folder.path(), seed);
    assert_eq!(asked.len(), QUERIES, "queries that were made");

    let mut differences: BTreeMap<(String, &str), Vec<String>> = BTreeMap::new();
    let (mut found_in_all, mut open, mut empty) = (0, 0, 0);
    for line in &asked {
        let query = text(line, "query");
        let (theirs, perhaps) = (archived.kept(&line["found"]), archived.kept(&line["perhaps"]));
        let ours = archived.search(&query);
        found_in_all += ours.len();
        open += perhaps.len();
        empty += usize::from(ours.is_empty());
        for digest in theirs.difference(&ours) {
            differences
                .entry((digest.clone(), "python"))
                .or_default()
                .push(query.clone());
        }
        for digest in ours.difference(&theirs).filter(|digest| !perhaps.contains(*digest)) {
            differences
                .entry((digest.clone(), "dropkeep"))
                .or_default()
                .push(query.clone());
        }
    }
    println!(
        "{} messages, {QUERIES} queries, of which {empty} find nothing: {found_in_all} found, {open} left open, {} differences",
        archived.len(),
        differences.len()
    );
    // Or this would show little.
    assert!(
        empty < QUERIES / 10 && open * 100 < found_in_all * OPEN,
        "{empty} {open}"
    );
    hold(&archived, &differences);
}

/// Each difference must be in the list, and each line of the list about a message that is here must be a difference.
fn hold(archived: &Archived, differences: &BTreeMap<(String, &str), Vec<String>>) {
    let listed: BTreeSet<(&str, &str)> = DIFFERENCES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let mut columns = line.splitn(3, ' ');
            let mut column = || columns.next().filter(|column| !column.is_empty());
            let of = (column(), column(), column());
            let (Some(digits), Some(finder), Some(_)) = of else {
                panic!("differences.txt: {line}")
            };
            (digits, finder)
        })
        .collect();
    let is_of = |digits: &str, finder: &str, (digest, found_by): &(String, &str)| {
        digest.starts_with(digits) && *found_by == finder
    };
    let not_listed: Vec<String> = differences
        .iter()
        .filter(|(difference, _)| !listed.iter().any(|(digits, finder)| is_of(digits, finder, difference)))
        .map(|((digest, finder), queries)| {
            format!(
                "{} {finder} alone finds it by {} queries: {:?}",
                &digest[..16],
                queries.len(),
                &queries[..queries.len().min(3)]
            )
        })
        .collect();
    let unseen: Vec<_> = listed
        .iter()
        .filter(|(digits, finder)| {
            archived.has(digits) && !differences.keys().any(|difference| is_of(digits, finder, difference))
        })
        .collect();
    assert!(
        not_listed.is_empty() && unseen.is_empty(),
        "{} messages are found differently:\n{}\nListed and not different (tests/search/differences.txt): {unseen:?}",
        not_listed.len(),
        not_listed[..not_listed.len().min(60)].join("\n")
    );
}

/// The queries and their answers.
pub fn python(folder: &Path, seed: u64) -> Vec<Value> {
    python::lines(
        "search/independent.py",
        [folder.as_os_str(), "make".as_ref(), seed.to_string().as_ref()],
    )
}
