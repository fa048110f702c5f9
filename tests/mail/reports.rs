//! Journal reports: none that a stranger forged is believed, and none that is believed and cannot be read is filed by
//! its outer fields alone.

use std::fs;

use crate::support::{
    appliance::{Appliance, PROFILE, number},
    corpus,
};
use bytes::Bytes;
use dropkeep::{
    config::Config,
    identify::{Header, Identified, Reported, Rules},
};
use serde_json::Value;

const PEOPLE: [&str; 3] = ["ann", "bob", "list"];

fn configuration(recipients: &str) -> String {
    let users = PEOPLE.map(|name| format!("[[user]]\nname = \"{name}\"\naddresses = [\"{name}@example.com\"]\n"));
    format!(
        "{}[[profile]]\nname = \"{PROFILE}\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = 1\nusername = \
         \"all\"\npassword = \"x\"\n[profile.recipients]\nown_addresses = [\"all@example.com\"]\n{recipients}\n",
        users.concat()
    )
}

/// A report for ann and, in Bcc, bob, whose outer fields name the list.
fn report(header: &str, envelope: &str) -> String {
    let inner = "From: x@sender.example\r\nTo: list@example.com\r\nSubject: inner\r\n\r\nhello\r\n";
    format!(
        "Received: from relay.example.com (relay.example.com [192.0.2.1])\r\n\tby mx.example.com (Postfix) with ESMTP id 1A2B\r\n\tfor \
         <all@example.com>; Wed, 1 Jan 2003 10:00:00 +0000 (UTC)\r\nFrom: x@sender.example\r\nTo: list@example.com\r\nSubject: \
         inner\r\n{header}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n--b1\r\n{envelope}\r\n--b1\r\n\
         Content-Type: message/rfc822\r\n\r\n{inner}\r\n--b1--\r\n"
    )
}

const MARK: &str = "X-MS-Journal-Report:\r\n";
const TEXT: &str = "Content-Type: text/plain\r\n\r\n";
const LINES: &str = "Sender: x@sender.example\r\nSubject: inner\r\nTo: ann@example.com\r\nBcc: bob@example.com\r\n";

/// What a run does with this message, what `explain` says of it, and how many messages each has.
fn archived(message: &str, recipients: &str) -> (Value, Value, Vec<(String, usize)>) {
    let appliance = Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &configuration(recipients));
    let file = appliance.config().with_file_name("a.eml");
    fs::write(&file, message).expect("a file");
    let file = file.display().to_string();
    let explained = appliance
        .done(&["explain", "--json", "--profile", PROFILE, &file])
        .json();
    let run = appliance
        .done(&["import", "--json", "--profile", PROFILE, &file])
        .json();
    let has = |name: &str| {
        (
            name.to_owned(),
            appliance.done(&["list", "--user", name, "--json"]).lines().len(),
        )
    };
    let lists = PEOPLE.iter().chain(&["@catchall"]).map(|name| has(name));
    let lists: Vec<_> = lists.filter(|(_, messages)| *messages > 0).collect();
    (run, explained, lists)
}

fn names(lists: &[(String, usize)]) -> Vec<&str> {
    lists.iter().map(|(name, _)| name.as_str()).collect()
}

fn explained_for(explained: &Value) -> Vec<&str> {
    let users = explained["users"].as_array().expect("users");
    let mut users: Vec<_> = users.iter().map(|one| one["user"].as_str().expect("a name")).collect();
    users.sort_by_key(|name| (*name == "@catchall", *name));
    users
}

#[test]
fn envelopes_of_other_forms_were_filed_by_the_outer_fields_alone() {
    let html = format!(
        "Content-Type: text/html\r\n\r\n<p>{}</p>",
        LINES.replace("\r\n", "<br>\r\n")
    );
    let of_2003 = format!(
        "{TEXT}Sender: x@sender.example\r\nMessage-ID: <1>\r\nRecipients:\r\n\"Ann\" <smtp:ann@example.com>\r\n\tbob@example.com\r\n"
    );
    for (header, envelope) in [
        (MARK, html.as_str()),
        ("Content-Identifer: ExJournalReport\r\n", &of_2003),
        (
            "X-MS-Exchange-Organization-Journal-Report:\r\n",
            &format!("{TEXT}{LINES}"),
        ),
    ] {
        let (run, explained, lists) = archived(&report(header, envelope), "journal = \"always\"");
        assert_eq!(names(&lists), ["ann", "bob"], "{header}{envelope}");
        assert_eq!(explained_for(&explained), ["ann", "bob"]);
        assert_eq!(
            (number(&run, "journal_reports"), number(&run, "unreadable_reports")),
            (1, 0)
        );
    }
}

#[test]
fn a_report_that_cannot_be_read_was_filed_by_its_outer_fields_alone() {
    let returned = report("", "Content-Type: text/plain\r\n\r\nIt could not be delivered.")
        .replace("multipart/mixed", "multipart/report; report-type=delivery-status")
        .replace(
            "From: x@sender.example\r\nTo: list@example.com\r\nSubject: inner\r\n\r\n",
            &format!("{MARK}To: list@example.com\r\n\r\n"),
        );
    let plain = report(MARK, "").replace("multipart/mixed; boundary=\"b1\"", "text/plain");
    let unknown_labels = format!("{TEXT}{}", LINES.replace("To: ", "An: ").replace("Bcc: ", "Bk: "));
    for (message, expected) in [
        (
            report(MARK, &format!("{TEXT}Dear colleague\r\n")),
            vec!["list", "@catchall"],
        ),
        (
            report(MARK, "Content-Type: application/ms-tnef\r\n\r\nxyz"),
            vec!["list", "@catchall"],
        ),
        (report(MARK, &unknown_labels), vec!["list", "@catchall"]),
        (
            report(MARK, &format!("{TEXT}To: ann@example.com\r\nBcc: Bob\r\n")),
            vec!["ann", "@catchall"],
        ),
        (plain, vec!["list", "@catchall"]),
        (returned, vec!["list", "@catchall"]),
    ] {
        let (run, explained, lists) = archived(&message, "journal = \"from\"\njournal_from = [\"relay.example.com\"]");
        assert_eq!(names(&lists), expected, "{message}");
        assert_eq!(explained_for(&explained), expected, "{message}");
        assert_eq!(explained["journal"], "unreadable");
        assert_eq!(
            (number(&run, "journal_reports"), number(&run, "unreadable_reports")),
            (0, 1)
        );
        let notices = run["notices"].to_string();
        assert!(notices.contains("not all of their recipients can be read"), "{notices}");
    }
}

/// Somebody who is not believed cannot have anything filed for `@catchall`, or for whom the envelope names.
#[test]
fn a_report_that_is_not_believed_is_an_ordinary_message() {
    for envelope in [format!("{TEXT}{LINES}"), format!("{TEXT}Dear colleague\r\n")] {
        let (run, explained, lists) = archived(
            &report(MARK, &envelope),
            "journal = \"from\"\njournal_from = [\"other.example.com\"]",
        );
        assert_eq!(names(&lists), ["list"]);
        assert_eq!(explained["journal"], "untrusted");
        assert_eq!(
            (number(&run, "untrusted_reports"), number(&run, "unreadable_reports")),
            (1, 0)
        );
    }
}

/// As 17 real servers delivered them into a mailbox.
#[test]
fn no_report_is_believed_that_a_stranger_forged() {
    let Some(folder) = std::env::var_os("MTA").filter(|folder| !folder.is_empty()) else {
        corpus::skipped(
            "forged reports",
            "the variable MTA does not name a folder of delivered mail",
        );
        return;
    };
    let recipients = "journal = \"from\"\njournal_from = [\"ex.trusted.test\", \"*.trusted.test\", \"192.0.2.0/24\"]";
    let config = tempfile::tempdir().expect("a folder");
    let file = config.path().join("dropkeep.toml");
    fs::write(&file, configuration(recipients)).expect("a file");
    let config = Config::load(&file).expect("a configuration");
    let profile = config.profile(PROFILE).expect("the profile");
    let rules = Rules::new(&profile.recipients, &profile.server.username);
    let mut forged = 0;
    for (name, message) in corpus::all_in(folder.as_ref()) {
        let identified = Identified::new(Bytes::from(message.clone()), None, &rules);
        let reported = identified.journal.reported();
        let is_marked = Reported::by_header(&Header::scan(&message)) == Reported::Untrusted;
        let expected = if is_marked { Reported::Untrusted } else { Reported::No };
        assert_eq!(reported, expected, "{name}");
        forged += usize::from(is_marked);
    }
    assert!(forged > 0, "no report is there");
}
