//! Messages as nobody should send them, messages that are too large, and messages for nobody.

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
    dovecot::Dovecot,
    generator::{company, many_recipients, sized, strange, user_tables},
    identity::{identity, sha256},
    pull,
};
use serde_json::Value;

fn appliance(server: &Dovecot, access: &str, recipients: &str) -> Appliance {
    let mut profile = Profile::new(server, access);
    profile.recipients += recipients;
    Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), &profile)
}

fn archive(appliance: &Appliance) -> Value {
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_adds_up(&run);
    run
}

fn listed(appliance: &Appliance, user: &str) -> Vec<Value> {
    appliance.done(&["list", "--user", user, "--json"]).lines()
}

#[test]
fn strange_messages_come_back_byte_for_byte() {
    let mut messages = strange();
    messages.push(("5,000 recipients", many_recipients(5_000)));
    for access in ["imap", "pop3-ssl"] {
        let server = Dovecot::with(messages.iter().map(|(_, message)| message));
        let sent = pull::messages(&server, access);
        let appliance = appliance(&server, access, "");
        let run = archive(&appliance);
        assert_eq!(number(&run, "seen"), sent.len() as u64, "{run:#}");
        assert_eq!(number(&run, "failed"), 0, "{run:#}");

        let lists = appliance.lists();
        let ids = |digest: &str| {
            let mut lines = lists.iter().flat_map(|(_, list)| list);
            lines
                .find(|line| text(line, "sha256") == digest)
                .map(|line| number(line, "id"))
        };
        for ((what, _), message) in messages.iter().zip(&sent) {
            // "No bytes" and "one line end" are one message by identity, and over POP3 by bytes: either of them is
            // kept.
            let alike = || sent.iter().filter(|other| identity(other) == identity(message));
            let id = ids(&sha256(message)).or_else(|| alike().find_map(|other| ids(&sha256(other))));
            let id = id.unwrap_or_else(|| panic!("{what}: not archived over {access}"));
            let back = appliance.raw(id);
            assert!(alike().any(|other| back == *other), "{what}: other bytes over {access}");
            appliance.done(&["show", &id.to_string()]);
            let shown = appliance.done(&["show", &id.to_string(), "--json"]).json();
            assert!(shown["users"].is_array(), "{what}: {shown:#}");
        }
        assert_eq!(number(&archive(&appliance), "seen"), 0);
    }
}

#[test]
fn a_message_over_the_limit_is_left_and_named() {
    for access in ["imap", "pop3"] {
        let server = Dovecot::with([sized(10_000, 1), sized(200_000, 2), sized(20_000, 3)]);
        let text_with_limit = |limit: &str| {
            let limits = format!("[limits]\nmax_message_size = \"{limit}\"\n");
            limits + &user_tables(&company()) + &Profile::new(&server, access).toml()
        };
        let appliance = Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &text_with_limit("100 KB"));
        for archived in [2, 0] {
            let run = archive(&appliance);
            assert_eq!(number(&run, "too_large"), 1, "{run:#}");
            assert_eq!(number(&run, "archived"), archived, "{run:#}");
            let errors = run["errors"].as_array().expect("errors");
            assert_eq!(errors.len(), 1, "it is named: {run:#}");
            assert!(!errors[0]["copy"].is_null(), "{run:#}");
        }
        // Once there is room for it, it is fetched.
        appliance.configure(&text_with_limit("1 MB"));
        let run = archive(&appliance);
        assert_eq!((number(&run, "seen"), number(&run, "archived")), (1, 1), "{run:#}");
        assert_eq!(listed(&appliance, "jane").len(), 3);
    }
}

/// Three for people we do not know, one of them at our own domain; one for Jane and a stranger of ours.
fn mailbox_with_unknown() -> Dovecot {
    Dovecot::with([
        "From: a@sender.example\nTo: newcomer@example.com\nSubject: 1\n\nx\n",
        "From: a@sender.example\nTo: b@elsewhere.example\nSubject: 2\n\nx\n",
        "From: a@sender.example\nSubject: 3\n\nno address\n",
        "From: a@sender.example\nTo: jane@example.com, colleague@example.com\nSubject: 4\n\nx\n",
    ])
}

#[test]
fn unknown_goes_to_the_catchall_by_default() {
    let server = mailbox_with_unknown();
    let appliance = appliance(&server, "imap", "");
    let run = archive(&appliance);
    assert_eq!((number(&run, "archived"), number(&run, "unknown")), (4, 3), "{run:#}");
    assert_eq!(number(&run["users"]["@catchall"], "archived"), 3, "{run:#}");
    assert_eq!(
        (listed(&appliance, "@catchall").len(), listed(&appliance, "jane").len()),
        (3, 1)
    );
}

#[test]
fn unknown_goes_to_the_user_who_is_named() {
    let server = mailbox_with_unknown();
    let appliance = appliance(&server, "imap", "unknown = { user = \"john\" }\n");
    let run = archive(&appliance);
    assert_eq!((number(&run, "archived"), number(&run, "unknown")), (4, 3), "{run:#}");
    assert_eq!(
        (listed(&appliance, "john").len(), listed(&appliance, "@catchall").len()),
        (3, 0)
    );
}

#[test]
fn unknown_is_left_where_it_is_skipped_until_someone_is_known() {
    let server = mailbox_with_unknown();
    let appliance = appliance(&server, "imap", "unknown = \"skip\"\n");
    for archived in [1, 0] {
        let run = archive(&appliance);
        assert_eq!(
            (number(&run, "archived"), number(&run, "skipped")),
            (archived, 3),
            "{run:#}"
        );
    }
    appliance.done(&["users", "add", "newcomer", "newcomer@example.com"]);
    let run = archive(&appliance);
    assert_eq!((number(&run, "archived"), number(&run, "skipped")), (1, 2), "{run:#}");
    assert_eq!(listed(&appliance, "newcomer").len(), 1);
}

#[test]
fn unknown_addresses_of_our_own_get_users_where_they_are_created() {
    let server = mailbox_with_unknown();
    let appliance = appliance(&server, "imap", "unknown = \"create\"\n");
    let run = archive(&appliance);
    assert_eq!(number(&run, "archived"), 4, "{run:#}");
    let users = appliance.done(&["users", "--json"]).lines();
    let owner = |address: &str| {
        let mut users = users.iter();
        let has = |user: &&Value| {
            user["addresses"]
                .as_array()
                .expect("addresses")
                .iter()
                .any(|own| own == address)
        };
        let user = users.find(has).unwrap_or_else(|| panic!("nobody has {address}"));
        assert_eq!(user["managed"], false, "{user}");
        text(user, "name")
    };
    for address in ["newcomer@example.com", "colleague@example.com"] {
        assert_eq!(listed(&appliance, &owner(address)).len(), 1, "{address}");
    }
    // Nobody is created for other domains.
    assert_eq!(listed(&appliance, "@catchall").len(), 2);
    assert_eq!(
        users
            .iter()
            .filter(|user| user["managed"] == false && user["name"] != "@catchall")
            .count(),
        2
    );
}

#[test]
fn a_run_creates_no_more_users_than_allowed() {
    let guesses = (0..30).map(|n| format!("From: a@sender.example\nTo: guess-{n}@example.com\n\n{n}\n"));
    let server = Dovecot::with(guesses);
    let appliance = appliance(&server, "imap", "unknown = \"create\"\ncreate_limit = 5\n");
    let run = archive(&appliance);
    assert_eq!((number(&run, "seen"), number(&run, "archived")), (30, 30), "{run:#}");
    let users = appliance.done(&["users", "--json"]).lines();
    assert_eq!(
        users.iter().filter(|user| text(user, "name").contains("guess")).count(),
        5,
        "{users:#?}"
    );
    assert_eq!(listed(&appliance, "@catchall").len(), 25);
}
