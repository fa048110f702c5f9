//! mu and notmuch, asked the searches that they understand as dropkeep does, on the same mail: each difference must be
//! explained by a rule about what they do (`peers.py`, docs/search.md) or be in the list.
//!
//! `make test-search-peers`, and not `make test`: they are installed for it alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{asking::Archived, independent};
use crate::support::{
    appliance::{number, text},
    corpus,
    generator::{Mailbox, Settings},
};

/// What no rule explains: the peer, the first digits of the message's SHA-256, which of both finds it, and why that is right.
const DIFFERENCES: &str = include_str!("peers.txt");

#[test]
#[ignore = "needs mu and notmuch: make test-search-peers"]
fn mu_and_notmuch_find_the_same() {
    let messages =
        corpus::messages("mu and notmuch").unwrap_or_else(|| Mailbox::new(Settings::messages(1_000)).collect());
    let folder = tempfile::tempdir().expect("a folder");
    let current = folder.path().join("mail/cur");
    for name in ["mail/cur", "mail/new", "mail/tmp", "work"] {
        fs::create_dir_all(folder.path().join(name)).expect("a folder");
    }
    for (number, message) in messages.iter().enumerate() {
        fs::write(current.join(format!("{number:06}:2,S")), message).expect("a file");
    }
    let archived = Archived::of(&folder.path().join("mail"));
    let asked: String = independent::python(&current, 2)
        .iter()
        .map(|line| {
            let query = text(line, "query");
            json!({"kind": line["kind"], "query": query, "found": archived.search(&query)}).to_string() + "\n"
        })
        .collect();
    // Of copies with one identity the first is kept, and the peers have no others.
    for (number, message) in messages.iter().enumerate() {
        if !archived.has(&hex::encode(Sha256::digest(message))) {
            fs::remove_file(current.join(format!("{number:06}:2,S"))).expect("a file");
        }
    }
    let mut peers = Command::new("python3")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/search/peers.py"))
        .args([&current, &folder.path().join("work")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    peers
        .stdin
        .take()
        .expect("its input")
        .write_all(asked.as_bytes())
        .expect("it reads");
    let output = peers.wait_with_output().expect("it ends");
    assert!(output.status.success(), "peers.py: {}", output.status);
    let mut differences = BTreeMap::<String, Vec<String>>::new();
    for line in String::from_utf8(output.stdout).expect("ASCII").lines() {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        let list = line["list"].take();
        println!("{line}");
        let peer = text(&line, "peer");
        assert!(line.get("skipped").is_none(), "{line}");
        assert!(number(&line, "asked") > 0, "{line}");
        for one in list.as_array().into_iter().flatten() {
            let [query, digits, finder] = [0, 1, 2].map(|nth| one[nth].as_str().expect("a text"));
            let queries = differences.entry(format!("{peer} {digits} {finder}")).or_default();
            queries.push(query.to_owned());
        }
    }
    hold(&archived, &differences);
}

/// Each difference must be in the list, and each line of the list about a message that is here must be a difference.
fn hold(archived: &Archived, differences: &BTreeMap<String, Vec<String>>) {
    let mut unseen = Vec::new();
    let mut listed = BTreeSet::new();
    for line in DIFFERENCES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let columns: Vec<&str> = line.splitn(4, ' ').collect();
        let [peer, digits, finder, _] = columns[..] else {
            panic!("peers.txt: {line}")
        };
        let difference = format!("{peer} {digits} {finder}");
        if archived.has(digits) && !differences.contains_key(&difference) {
            unseen.push(line);
        }
        listed.insert(difference);
    }
    let not_listed: Vec<String> = differences
        .iter()
        .filter(|(difference, _)| !listed.contains(*difference))
        .map(|(difference, queries)| format!("{difference} {:?}", &queries[..queries.len().min(3)]))
        .collect();
    assert!(
        not_listed.is_empty() && unseen.is_empty(),
        "{} differences without a reason:\n{}\nListed and not different (tests/search/peers.txt): {unseen:#?}",
        not_listed.len(),
        not_listed.join("\n")
    );
}
