//! Deletion on the server after archiving: what is due goes, and nothing else.

use crate::support;

use std::collections::BTreeSet;

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number},
    dovecot::{Dovecot, MAILBOX},
    generator::{Mailbox, Settings},
    pages, pull,
};
use serde_json::Value;

const MESSAGES: usize = 120;

fn site(access: &str, delete: &str) -> (Dovecot, Appliance) {
    let server = Dovecot::with(Mailbox::new(Settings::messages(MESSAGES)));
    let profile = Profile::new(&server, access);
    let appliance = Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &profile);
    configure(&server, &appliance, access, delete);
    (server, appliance)
}

/// `delete`: the lines of `[profile.delete]`.
fn configure(server: &Dovecot, appliance: &Appliance, access: &str, delete: &str) {
    let users = support::generator::user_tables(&support::generator::company());
    let profile = Profile::new(server, access).toml();
    appliance.configure(&format!("{users}{profile}[profile.delete]\n{delete}\n"));
}

fn archive(appliance: &Appliance, code: i32) -> Value {
    let run = appliance.run(&["archive", PROFILE, "--json"]).expect(code).json();
    assert_adds_up(&run);
    run
}

fn standing(server: &Dovecot) -> usize {
    pull::messages(server, "imap").len()
}

/// SHA-256 of everything in the archive.
fn archived(appliance: &Appliance) -> BTreeSet<String> {
    let lists = appliance.lists();
    let lines = lists.iter().flat_map(|(_, lines)| lines);
    lines
        .map(|line| line["sha256"].as_str().expect("sha256").to_owned())
        .collect()
}

#[test]
fn what_is_archived_is_deleted_and_what_is_flagged_stays() {
    for access in ["imap", "imap-ssl", "pop3", "pop3-tls"] {
        let (server, appliance) = site(access, "when = \"archived\"");
        let flagged = if access.starts_with("imap") { server.flag(3) } else { 0 };
        let run = archive(&appliance, 0);
        assert_eq!(number(&run, "seen") as usize, MESSAGES);
        assert_eq!(
            number(&run, "deleted") as usize,
            MESSAGES - flagged,
            "{access}: {run:#}"
        );
        let listed = run["deleted_copies"].as_array().expect("what was deleted").len();
        assert_eq!(listed, MESSAGES - flagged);
        assert_eq!(standing(&server), flagged, "{access}");
        let before = archived(&appliance);
        let again = archive(&appliance, 0);
        assert_eq!((number(&again, "seen"), number(&again, "deleted")), (0, 0), "{again:#}");
        assert_eq!(archived(&appliance), before, "deletion changes no archive");
        assert_eq!(appliance.done(&["verify", "--json"]).json()["ok"], true);
    }
}

#[test]
fn nothing_is_deleted_before_its_time_and_then_in_a_later_session() {
    for access in ["imap", "pop3"] {
        let (server, appliance) = site(access, "when = \"archived\"\nafter = \"30d\"");
        assert_eq!(number(&archive(&appliance, 0), "deleted"), 0);
        assert_eq!(standing(&server), MESSAGES);
        configure(&server, &appliance, access, "when = \"archived\"");
        let later = archive(&appliance, 0);
        assert_eq!(
            (number(&later, "seen"), number(&later, "deleted")),
            (0, MESSAGES as u64)
        );
        assert_eq!(standing(&server), 0);
    }
}

/// Duplicates of other bytes are compared too: over POP3 by fetching them again.
#[test]
fn duplicates_are_deleted_as_well() {
    for access in ["imap", "pop3"] {
        let message = |hop: &str| {
            format!("Received: by {hop}; Mon, 2 Nov 2026 10:00:00 +0000\nTo: jane@example.com\nSubject: one\n\none\n")
        };
        let server = Dovecot::with([message("a.example.com"), message("b.example.com")]);
        let appliance = Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &Profile::new(&server, access));
        configure(&server, &appliance, access, "when = \"archived\"");
        let run = archive(&appliance, 0);
        assert_eq!((number(&run, "archived"), number(&run, "duplicates")), (1, 1));
        assert_eq!(number(&run, "deleted"), 2, "{access}: {run:#}");
        assert_eq!(standing(&server), 0);
    }
}

#[test]
fn what_is_skipped_or_too_large_is_never_deleted() {
    let server = Dovecot::with([
        "To: nobody@elsewhere.example\nSubject: unknown\n\nx\n".to_owned(),
        format!("To: jane@example.com\nSubject: large\n\n{}\n", "x".repeat(20_000)),
        "To: jane@example.com\nSubject: small\n\nx\n".to_owned(),
    ]);
    for access in ["imap", "pop3"] {
        let profile = Profile {
            recipients: format!("own_addresses = [\"{MAILBOX}\"]\nunknown = \"skip\"\nsenders = false\n"),
            ..Profile::new(&server, access)
        };
        let appliance = Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &profile);
        let text = format!(
            "{}{}[profile.delete]\nwhen = \"archived\"\n[limits]\nmax_message_size = \"10 KiB\"\n",
            support::generator::user_tables(&support::generator::company()),
            profile.toml()
        );
        appliance.configure(&text);
        let run = archive(&appliance, 0);
        let outcomes = ["archived", "duplicates", "skipped", "too_large"].map(|name| number(&run, name));
        assert_eq!(outcomes.iter().sum::<u64>(), number(&run, "seen"));
        assert_eq!(standing(&server), 2, "{access}: {run:#}");
    }
}

/// The archive no longer has what was fetched, so the server keeps it.
#[test]
fn what_cannot_be_read_back_is_not_deleted() {
    let (server, appliance) = site("imap", "when = \"archived\"\nafter = \"30d\"");
    archive(&appliance, 0);
    let volume = appliance.data().join("volumes/000001/data.mdb");
    let mut bytes = std::fs::read(&volume).expect("the volume");
    // Of a file's pages only those of a block that is in use count.
    let block = pages::largest_block(&bytes) + 100;
    bytes[block..block + 2000].iter_mut().for_each(|byte| *byte ^= 0x55);
    std::fs::write(&volume, bytes).expect("the damaged volume");
    configure(&server, &appliance, "imap", "when = \"archived\"");
    let outcome = appliance.run(&["archive", PROFILE, "--json"]);
    let run = outcome.json();
    let kept = run["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter(|error| error["stage"] == "deletion");
    assert!(kept.count() > 0, "{run:#}");
    assert_eq!(outcome.code, Some(1), "{run:#}");
    assert_eq!(standing(&server) as u64, MESSAGES as u64 - number(&run, "deleted"));
    assert!(standing(&server) > 0);
}

#[test]
fn copies_are_moved_where_that_is_asked_for() {
    let (server, appliance) = site("imap", "when = \"archived\"\nmove_to = \"Archived\"");
    let run = archive(&appliance, 0);
    assert_eq!(number(&run, "deleted") as usize, MESSAGES, "{run:#}");
    assert_eq!(standing(&server), 0);
    assert_eq!(pull::imap(server.ports.imap, "Archived", |_| {}), MESSAGES);
    // Also where the folder is among those that are archived, it is left alone.
    let users = support::generator::user_tables(&support::generator::company());
    let profile = Profile::new(&server, "imap").toml();
    appliance.configure(&format!(
        "{users}{profile}[profile.folders]\ninclude = [\"*\"]\n[profile.delete]\nwhen = \"archived\"\nmove_to = \"Archived\"\n"
    ));
    let again = archive(&appliance, 0);
    assert_eq!((number(&again, "seen"), number(&again, "deleted")), (0, 0), "{again:#}");
    assert_eq!(pull::imap(server.ports.imap, "Archived", |_| {}), MESSAGES);
}

#[test]
fn a_dry_run_says_how_much_of_what_it_counts_is_archived_already() {
    for access in ["imap", "pop3"] {
        let (server, appliance) = site(access, "when = \"never\"");
        let counted = || {
            let dry = appliance.done(&["archive", PROFILE, "--dry-run", "--json"]).json();
            (number(&dry, "seen") as usize, number(&dry, "archived_before") as usize)
        };
        assert_eq!(counted(), (MESSAGES, 0), "{access}");
        archive(&appliance, 0);
        server.deliver(["To: jane@example.com\nSubject: new\n\nnew\n"]);
        assert_eq!(counted(), (MESSAGES + 1, MESSAGES), "{access}");
        let said = appliance.done(&["archive", PROFILE, "--dry-run"]).text();
        assert!(said.contains(&format!("{MESSAGES}  archived already\n")), "{said}");
    }
}

#[test]
fn a_dry_run_shows_what_would_go_and_deletes_nothing() {
    for access in ["imap", "pop3"] {
        let (server, appliance) = site(access, "when = \"never\"");
        archive(&appliance, 0);
        server.deliver(["To: jane@example.com\nSubject: new\n\nnew\n"]);
        let flagged = if access == "imap" { server.flag(2) } else { 0 };
        configure(&server, &appliance, access, "when = \"archived\"");
        let dry = appliance.done(&["archive", PROFILE, "--dry-run", "--json"]).json();
        assert_eq!(number(&dry, "would_delete") as usize, MESSAGES - flagged, "{dry:#}");
        assert_eq!(standing(&server), MESSAGES + 1);
    }
}
