//! The whole journey over each kind of access: a mailbox is archived, comes back byte for byte, and a
//! second run finds nothing to do.

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, disk_usage, number, text},
    complete::{assert_nothing_is_missing, assert_read_back, stored},
    corpus,
    dovecot::Dovecot,
    generator::{Mailbox, Settings},
    pull,
};

const MESSAGES: usize = 3_000;

#[test]
fn imap() {
    // Here every single message is read back.
    journey("imap", Mailbox::new(Settings::messages(MESSAGES)), 1);
}

#[test]
fn imap_tls() {
    journey("imap-tls", Mailbox::new(Settings::messages(MESSAGES)), 20);
}

#[test]
fn imap_ssl() {
    journey("imap-ssl", Mailbox::new(Settings::messages(MESSAGES)), 20);
}

#[test]
fn pop3() {
    journey("pop3", Mailbox::new(Settings::messages(MESSAGES)), 20);
}

#[test]
fn pop3_tls() {
    journey("pop3-tls", Mailbox::new(Settings::messages(MESSAGES)), 20);
}

#[test]
fn pop3_ssl() {
    journey("pop3-ssl", Mailbox::new(Settings::messages(MESSAGES)), 20);
}

#[test]
fn real_mail_over_imap() {
    if let Some(messages) = corpus::messages("the journey over IMAP") {
        journey("imap", messages, 10);
    }
}

#[test]
fn real_mail_over_pop3() {
    if let Some(messages) = corpus::messages("the journey over POP3") {
        journey("pop3-ssl", messages, 50);
    }
}

/// Archives the mailbox and compares; every `step`-th message is read back with `raw`.
fn journey(access: &str, messages: impl IntoIterator<Item = Vec<u8>>, step: usize) {
    let server = Dovecot::with(messages);
    let appliance = Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &Profile::new(&server, access));
    let sent = pull::messages(&server, access);

    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_adds_up(&run);
    assert_eq!(text(&run, "state"), "completed", "{run:#}");
    assert_eq!(number(&run, "seen"), sent.len() as u64, "{run:#}");
    assert_eq!(
        number(&run, "archived") + number(&run, "duplicates"),
        sent.len() as u64,
        "{run:#}"
    );

    let lists = appliance.lists();
    let stored = stored(&lists);
    assert_eq!(
        stored.len() as u64,
        number(&run, "archived"),
        "an archived copy is a message that is listed"
    );
    let filings: usize = lists.iter().map(|(_, list)| list.len()).sum();
    assert_eq!(filings as u64, number(&run, "filings"), "a filing is a line of a list");
    assert_nothing_is_missing(&sent, &stored);
    assert_read_back(&appliance, &stored, step);

    let volumes = disk_usage(&appliance.data().join("volumes"));
    let again = appliance.done(&["archive", PROFILE, "--json"]).json();
    for count in ["seen", "archived", "duplicates", "filings", "bytes"] {
        assert_eq!(
            number(&again, count),
            0,
            "a second run finds nothing: {count} in {again:#}"
        );
    }
    assert_eq!(text(&again, "state"), "completed", "{again:#}");
    assert_eq!(appliance.lists(), lists, "a second run changes no archive");
    assert_eq!(
        disk_usage(&appliance.data().join("volumes")),
        volumes,
        "a second run stores nothing"
    );
}
