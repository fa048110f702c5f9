//! A POP3 server without UIDL (RFC 1939 makes it optional): nothing tells one session's messages from
//! another's, so every message is fetched in every run, and known by its content. And one whose UIDLs repeat.

use crate::{
    hostile::case::profile,
    mailserver::{self, Protocol, Server, at},
    support::{
        appliance::{Appliance, PROFILE, Profile, assert_adds_up, number},
        dovecot::MAILBOX,
        generator::{Mailbox, Settings},
    },
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

/// As a message travels: its lines end with CR LF.
fn crlf(message: &[u8]) -> Vec<u8> {
    let lines = message.split(|&byte| byte == b'\n');
    let lines: Vec<&[u8]> = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect();
    lines.join(&b"\r\n"[..])
}

/// A mailbox served over POP3, with the unique ids that `uidl` gives by the number of a message, or without the command.
fn archive_twice(uidl: Option<fn(usize) -> String>) -> [serde_json::Value; 2] {
    let messages = Mailbox::new(Settings::messages(300)).map(|message| crlf(&message));
    let mut mailbox = mailserver::Mailbox::with(messages);
    for (index, message) in mailbox.inbox().messages.iter_mut().enumerate() {
        message.uidl = uidl.map_or_else(String::new, |uidl| uidl(index));
    }
    let server = Server::start(Protocol::Pop3, mailbox);
    server.capabilities(&["USER", "EXPIRE 0", "UIDL"][..if uidl.is_some() { 3 } else { 2 }]);
    let refused = |command| at(command).instead("-ERR not here\r\n");
    server.misbehave(match uidl {
        Some(_) => vec![refused("TOP")],
        None => vec![refused("TOP"), refused("UIDL")],
    });
    let profile = Profile {
        recipients: format!("own_addresses = [\"{MAILBOX}\"]\n"),
        ..profile(Protocol::Pop3, server.port, "20s")
    };
    let appliance = Appliance::for_company(DROPKEEP, &profile);
    // It says that it deletes what was read.
    let tested = appliance.done(&["test", PROFILE, "--json"]).json();
    assert!(
        tested["warnings"][0]
            .as_str()
            .is_some_and(|text| text.contains("EXPIRE 0")),
        "{tested:#}"
    );
    let said = appliance.done(&["test", PROFILE]).text();
    assert!(said.lines().any(|line| line.starts_with("warning: ")), "{said}");
    // The server has no TOP either, so headers come with their bodies.
    let rehearsed = appliance.done(&["archive", PROFILE, "--dry-run", "--json"]).json();
    assert!(rehearsed["notices"].to_string().contains("no TOP"), "{rehearsed:#}");
    let runs = [(); 2].map(|()| appliance.done(&["archive", PROFILE, "--json"]).json());
    runs.iter().for_each(assert_adds_up);
    for count in ["seen", "unknown", "failed"] {
        assert_eq!(number(&rehearsed, count), number(&runs[0], count), "{count}");
    }
    assert_eq!(number(&runs[0], "seen"), 300);
    assert_eq!(
        number(&runs[1], "seen"),
        number(&runs[1], "duplicates"),
        "nothing is archived twice"
    );
    runs
}

#[test]
fn without_uidl_a_second_run_finds_only_duplicates_and_says_why() {
    let runs = archive_twice(None);
    assert_eq!(number(&runs[1], "seen"), 300);
    assert!(runs[1]["notices"].to_string().contains("no UIDL"), "{}", runs[1]);
}

#[test]
fn a_uidl_that_stands_twice_is_never_taken_for_done() {
    // Two messages of each hundred share an id.
    let runs = archive_twice(Some(|index| {
        format!("id-{}", if index % 100 == 99 { 0 } else { index })
    }));
    assert_eq!(number(&runs[1], "seen"), 4, "the four that share one");
}
