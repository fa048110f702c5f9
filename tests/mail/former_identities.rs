//! An archive whose identities are of version 1 goes on with the current ones, and nothing in it is there twice.

use std::{fs, path::Path};

use crate::support::{
    appliance::{Appliance, PROFILE, assert_adds_up, number},
    stores::thaw_first_identities,
};
use serde_json::Value;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
/// Jane's messages; 3 is the report around 2.
const MESSAGES: [u64; 10] = [1, 2, 4, 5, 6, 7, 8, 9, 10, 11];
const REPORT: u64 = 3;
/// A line that is not a field stands in its header, and its date below that.
const BROKEN: u64 = 7;
const WITHOUT_DATE: u64 = 8;
const FOR_BOB_TOO: u64 = 10;

const JANE: &str = "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n";
const BOB: &str = "[[user]]\nname = \"bob\"\naddresses = [\"bob@example.com\"]\n";

fn text(users: &str) -> String {
    format!(
        "{users}[[profile]]\nname = \"{PROFILE}\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = 9\n\
         username = \"all@example.com\"\npassword = \"unused\"\n[profile.recipients]\njournal = \"always\"\n"
    )
}

fn thawed() -> Appliance {
    let appliance = Appliance::new(DROPKEEP, &text(JANE));
    thaw_first_identities(&appliance);
    appliance
}

/// Imports messages, each in an mbox of its own: some begin with what is left of another.
fn import(appliance: &Appliance, messages: impl IntoIterator<Item = Vec<u8>>) -> Value {
    let folder = tempfile::tempdir().unwrap();
    for (number, message) in messages.into_iter().enumerate() {
        let mut mbox = b"From someone@sender.example Thu Jan  1 00:00:00 2026\n".to_vec();
        if message.starts_with(b"From ") {
            mbox.push(b'>');
        }
        mbox.extend(message);
        mbox.push(b'\n');
        fs::write(folder.path().join(format!("{number}.mbox")), mbox).unwrap();
    }
    let path = folder.path().to_str().unwrap();
    let run = appliance.done(&["import", "--profile", PROFILE, "--json", path]).json();
    assert_adds_up(&run);
    assert_eq!(number(&run, "failed"), 0, "{run:#}");
    run
}

fn assert_all_known(run: &Value) {
    assert!(number(run, "seen") > 0, "{run:#}");
    assert_eq!(number(run, "duplicates"), number(run, "seen"), "{run:#}");
    assert_eq!(number(run, "filings"), 0, "{run:#}");
}

/// The archive is sound and has so many messages.
fn assert_sound(appliance: &Appliance, messages: u64) {
    let verified = appliance.done(&["verify", "--json"]).json();
    assert_eq!(verified["ok"], true, "{verified:#}");
    assert_eq!(number(&verified, "messages"), messages, "{verified:#}");
}

/// A message without what version 2 leaves out.
fn plain(message: &[u8]) -> Vec<u8> {
    const ADDED: [&[u8]; 8] = [
        b"From ",
        b"X-Account-Key:",
        b"X-UIDL:",
        b"X-Mozilla-Status:",
        b"X-MailStore-",
        b"X-MS-Exchange-Organization-",
        b"Received:",
        b"Return-Path:",
    ];
    let lines = message.split_inclusive(|byte| *byte == b'\n');
    lines
        .filter(|line| !ADDED.iter().any(|added| line.starts_with(added)))
        .flatten()
        .copied()
        .collect()
}

fn dressed(message: &[u8]) -> Vec<u8> {
    let mut dressed = b">From - Wed Jan  7 00:00:00 2026\nX-Account-Key: account7\nX-MailStore-Flags: 1\n".to_vec();
    dressed.extend(message.iter().filter(|byte| **byte != b'\r'));
    dressed
}

#[test]
fn what_an_older_version_had_archived_was_archived_again() {
    let appliance = thawed();
    let came = MESSAGES.into_iter().chain([REPORT]);
    assert_all_known(&import(&appliance, came.map(|id| appliance.raw(id))));
    assert_sound(&appliance, 11);
}

#[test]
fn another_form_of_what_an_older_version_had_archived_was_archived_again() {
    let appliance = thawed();
    // Without a date of its own a copy has that of its arrival, and nothing leads to the other.
    let found = |id: &u64| ![BROKEN, WITHOUT_DATE].contains(id);
    let plain: Vec<_> = MESSAGES
        .into_iter()
        .filter(found)
        .map(|id| plain(&appliance.raw(id)))
        .collect();
    assert_all_known(&import(&appliance, plain.clone()));
    assert_all_known(&import(&appliance, plain.iter().map(|message| dressed(message))));
    assert_sound(&appliance, 11);
}

#[test]
fn mail_of_both_versions_is_kept_filed_moved_and_restored() {
    let appliance = thawed();
    appliance.configure(&text(&[JANE, BOB].concat()));
    // Bob has the message that was there, and not another one of the same bytes.
    let for_both = appliance.raw(FOR_BOB_TOO);
    let run = import(&appliance, [for_both.clone()]);
    assert_eq!((number(&run, "archived"), number(&run, "filings")), (1, 1), "{run:#}");
    assert_all_known(&import(
        &appliance,
        [for_both.clone(), plain(&for_both), dressed(&for_both)],
    ));
    assert_sound(&appliance, 11);

    let new =
        b"From: a@sender.example\nTo: bob@example.com\nDate: Mon, 2 Feb 2026 10:00:00 +0000\nSubject: new\n\nhello\n";
    let run = import(&appliance, [dressed(new)]);
    assert_eq!(number(&run, "archived"), 1, "{run:#}");
    assert_all_known(&import(&appliance, [new.to_vec(), dressed(new)]));
    assert_sound(&appliance, 12);

    // Another message of the second of one that Jane has from before.
    let other = b"From: ann@sender.example\nTo: jane@example.com\nDate: Fri, 2 Jan 2026 10:00:00 +0000\nSubject: other\n\nhello\n";
    let run = import(&appliance, [dressed(other)]);
    assert_eq!(number(&run, "archived"), 1, "{run:#}");
    assert_sound(&appliance, 13);

    let rerouted = appliance.done(&["reroute", "--from", "jane", "--profile", PROFILE, "--json"]);
    assert!(!rerouted.stdout.is_empty());
    appliance.done(&["compact", "--json"]);
    assert_sound(&appliance, 13);

    let backup = appliance.config().with_file_name("backup");
    let backup = backup.to_str().unwrap();
    appliance.done(&["backup", backup, "--json"]);
    fs::remove_dir_all(appliance.data()).unwrap();
    appliance.done(&["restore", backup, "--json"]);
    assert!(Path::new(backup).exists());
    assert_sound(&appliance, 13);
    let came: Vec<_> = MESSAGES.into_iter().map(|id| appliance.raw(id)).collect();
    assert_all_known(&import(&appliance, came));
    assert_sound(&appliance, 13);
}
