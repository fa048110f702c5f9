//! For whom messages are, from a real server to the answer to "why?": journal reports, explanations, and filing anew.

use std::fs;

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
    dovecot::Dovecot,
};
use serde_json::Value;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const USERS: &str = "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n\
                     [[user]]\nname = \"bob\"\naddresses = [\"bob@example.com\"]\n";
const BELIEVING: &str = "own_addresses = [\"all@example.com\"]\nlocal_domains = [\"example.com\"]\njournal = \"from\"\n\
                         journal_from = [\"*.outbound.example.net\"]\n";

/// The message that is journaled.
fn letter(number: usize) -> String {
    format!(
        "From: eve@sender.example\nTo: list@sender.example\nSubject: letter {number}\nMessage-ID: <{number}@sender.example>\n\
         Date: Thu, 1 Jan 2026 10:00:{number:02} +0000\n\nhello {number}, {}\n",
        "and so on ".repeat(40)
    )
}

/// A report of it, handed over by `host`, whose envelope has these lines.
fn report(number: usize, host: &str, lines: &str) -> String {
    format!(
        "Delivered-To: all@example.com\nReceived: from mail.outbound.example.net ({host} [192.0.2.1])\n\tby mx.example.com (Postfix) \
         with ESMTPS id A{number}; Thu, 1 Jan 2026 10:00:00 +0000\nFrom: Exchange <exchange@example.net>\nTo: all@example.com\n\
         Subject: letter {number}\nX-MS-Journal-Report:\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"_r{number}_\"\n\n\
         --_r{number}_\nContent-Type: text/plain; charset=\"us-ascii\"\n\nSender: eve@sender.example\nSubject: letter {number}\n\
         Message-Id: <{number}@sender.example>\n{lines}\n--_r{number}_\nContent-Type: message/rfc822\n\n{}\n--_r{number}_--\n",
        letter(number)
    )
}

const GENUINE: &str = "a.outbound.example.net";

fn site(messages: Vec<String>, recipients: &str) -> (Dovecot, Appliance) {
    let server = Dovecot::with(messages);
    let profile = Profile {
        recipients: recipients.into(),
        ..Profile::new(&server, "imap")
    };
    let appliance = Appliance::new(DROPKEEP, &(USERS.to_owned() + &profile.toml()));
    (server, appliance)
}

fn list(appliance: &Appliance, user: &str) -> Vec<Value> {
    appliance.done(&["list", "--user", user, "--json"]).lines()
}

fn raw(appliance: &Appliance, id: u64) -> String {
    String::from_utf8(appliance.raw(id)).unwrap()
}

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

#[test]
fn what_a_report_encloses_is_archived_for_whom_it_names() {
    let first = report(
        1,
        GENUINE,
        "Bcc: jane@example.com\nTo: bob@example.com, Expanded: team@example.com",
    );
    let second = report(1, GENUINE, "Recipient: jane@example.com");
    let forged = report(2, "evil.example.org", "To: jane@example.com");
    let messages = vec![first.clone(), second.clone(), forged.clone(), letter(1)];
    for access in ["imap", "pop3"] {
        let server = Dovecot::with(messages.clone());
        let profile = Profile {
            recipients: BELIEVING.into(),
            ..Profile::new(&server, access)
        };
        let appliance = Appliance::new(DROPKEEP, &(USERS.to_owned() + &profile.toml()));
        let run = appliance.done(&["archive", PROFILE, "--json"]).json();
        assert_adds_up(&run);
        assert_eq!((number(&run, "seen"), number(&run, "unknown")), (4, 2), "{run:#}");
        assert_eq!(
            (number(&run, "journal_reports"), number(&run, "untrusted_reports")),
            (2, 1)
        );
        assert!(run["notices"].to_string().contains("journal_from"), "{run:#}");
        assert_eq!(run["unknown_addresses"]["team@example.com"], 1, "{run:#}");

        // One message for both, though it came in two reports and by itself.
        let (jane, bob) = (list(&appliance, "jane"), list(&appliance, "bob"));
        assert_eq!((jane.len(), bob.len()), (1, 1));
        assert_eq!(text(&bob[0], "why"), "Journal-To");
        let id = number(&jane[0], "id");
        assert_eq!(number(&bob[0], "id"), id);
        assert_eq!(raw(&appliance, id), crlf(&letter(1)));
        let shown = appliance.done(&["show", &id.to_string(), "--journal", "--json"]).json();
        let journals = shown["journals"].as_array().unwrap();
        let mut reports: Vec<_> = journals.iter().map(|one| raw(&appliance, number(one, "id"))).collect();
        reports.sort();
        let mut expected = [crlf(&first), crlf(&second)];
        expected.sort();
        assert_eq!(reports, expected);
        let envelopes: String = journals.iter().map(|one| text(one, "envelope")).collect();
        assert!(envelopes.contains("Expanded: team@example.com") && envelopes.contains("Recipient: jane@example.com"));
        let shown = appliance.done(&["show", &id.to_string(), "--journal"]).text();
        assert!(shown.contains("Bcc: jane@example.com"), "{shown}");

        // The forged one is archived as it came, for nobody who is named in it.
        let unknown = list(&appliance, "@catchall");
        let bytes: Vec<_> = unknown.iter().map(|one| raw(&appliance, number(one, "id"))).collect();
        assert!(
            bytes.contains(&crlf(&forged)) && bytes.contains(&crlf(&letter(1))),
            "{unknown:?}"
        );

        let verified = appliance.done(&["verify", "--json"]).json();
        assert_eq!(verified["ok"], true, "{verified:#}");
        let again = appliance.done(&["archive", PROFILE, "--json"]).json();
        assert_eq!(number(&again, "seen"), 0, "{again:#}");
    }
}

/// By its header alone, a report is for the mailbox itself, and so for nobody.
#[test]
fn a_report_was_left_on_the_server_where_unknown_messages_are() {
    let recipients = BELIEVING.to_owned() + "unknown = \"skip\"\n";
    let messages = vec![
        report(1, GENUINE, "To: jane@example.com"),
        report(2, "evil.example.org", "To: jane@example.com"),
    ];
    let (_server, appliance) = site(messages, &recipients);
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!((number(&run, "archived"), number(&run, "skipped")), (1, 1), "{run:#}");
    assert_eq!(number(&run, "untrusted_reports"), 1, "{run:#}");
    assert_eq!(list(&appliance, "jane").len(), 1);
}

#[test]
fn explain_says_what_decides_and_what_is() {
    let message = "Delivered-To: jane@example.com\nReceived: from x (y.example.org [192.0.2.1]) by mx.example.com; Thu, 1 Jan 2026 \
                   10:00:00 +0000\nX-Envelope-To: boss@example.com\nFrom: bob@example.com\nTo: other@example.com\nSubject: x\n\nhello\n";
    let recipients = "own_addresses = [\"all@example.com\"]\nlocal_domains = [\"example.com\"]\n";
    let (_server, appliance) = site(vec![message.to_owned()], recipients);
    let file = appliance.data().with_file_name("message.eml");
    fs::write(&file, message).unwrap();
    let file = file.to_str().unwrap();
    let explain = |input: &str| {
        appliance
            .done(&["explain", "--profile", PROFILE, "--json", input])
            .json()
    };

    // Before there is a store, and without making one.
    let explained = explain(file);
    assert!(!appliance.data().exists());
    assert_eq!(
        (text(&explained, "input"), &explained["unknown"]),
        (file.to_owned(), &Value::Bool(false))
    );
    let users: Vec<_> = explained["users"].as_array().unwrap().iter().collect();
    let line = |user: &Value| {
        format!(
            "{} {} {} {}",
            user["user"], user["address"], user["field"], user["rule"]
        )
        .replace('"', "")
    };
    assert_eq!(
        users.iter().map(|user| line(user)).collect::<Vec<_>>(),
        [
            "jane jane@example.com Delivered-To exact",
            "bob bob@example.com From exact"
        ]
    );
    let addresses = explained["addresses"].as_array().unwrap();
    let of = |field: &str| addresses.iter().find(|one| one["field"] == field).unwrap();
    assert_eq!(
        (&of("Delivered-To")["trusted"], &of("Delivered-To")["line"]),
        (&true.into(), &1.into())
    );
    assert_eq!(
        (&of("X-Envelope-To")["trusted"], &of("X-Envelope-To")["user"]),
        (&false.into(), &Value::Null)
    );
    assert_eq!(of("To")["counts"], false);
    let said = appliance.done(&["explain", "--profile", PROFILE, file]).text();
    assert!(
        said.contains("for jane, by Delivered-To jane@example.com (exact)"),
        "{said}"
    );
    assert!(said.contains("below your own server's Received header"), "{said}");

    // As it was archived, beside an appliance too.
    appliance.done(&["archive", PROFILE]);
    let _serving = appliance.serve();
    let id = number(&list(&appliance, "jane")[0], "id").to_string();
    let explained = appliance.done(&["explain", &id, "--json"]).json();
    assert_eq!(explained["users"].as_array().unwrap().len(), 2, "{explained:#}");
    assert_eq!(line(&explained["users"][0]), "jane jane@example.com Delivered-To exact");
    assert_eq!(explained["would_add"], Value::Array(Vec::new()));

    appliance.run(&["explain", "9999"]).expect(2);
    // The only profile is meant.
    appliance.done(&["explain", file]);
    appliance.run(&["explain", "--profile", "compnay", file]).expect(2);
    appliance.run(&["explain", "--profile", PROFILE, "/nowhere"]).expect(2);
}

#[test]
fn what_nobody_had_is_filed_for_who_came_later() {
    let to = |name: &str, number: usize| {
        format!("From: x@sender.example\nTo: {name}@example.com\nSubject: {number}\n\nhello {number}\n")
    };
    let mut messages: Vec<_> = (0..150).map(|number| to("carol", number)).collect();
    messages.extend((0..20).map(|number| to("nobody", 1000 + number)));
    messages.push(report(1, GENUINE, "Bcc: carol@example.com"));
    messages.push(to("jane", 2000));
    let (server, appliance) = site(messages, BELIEVING);
    appliance.done(&["archive", PROFILE]);
    let catchall = list(&appliance, "@catchall");
    assert_eq!(catchall.len(), 171);

    let serving = appliance.serve();
    appliance.done(&["users", "add", "carol", "carol@example.com"]);
    let dry = appliance.done(&["reroute", "--dry-run", "--json"]).lines();
    assert_eq!(dry.len(), 152, "a line a message, and the run");
    let run = dry.last().unwrap();
    assert_adds_up(run);
    assert_eq!(
        (number(run, "archived"), number(run, "skipped"), number(run, "filings")),
        (151, 20, 151),
        "{run:#}"
    );
    assert_eq!(list(&appliance, "carol").len(), 0);
    let protocols = appliance.done(&["protocols", "--json"]).lines().len();

    let said = appliance.done(&["reroute"]).text();
    assert!(said.contains("carol: 151 filed"), "{said}");
    let carol = list(&appliance, "carol");
    assert_eq!(carol.len(), 151);
    assert!(carol.iter().any(|one| text(one, "why") == "Journal-Bcc"));
    assert_eq!(list(&appliance, "@catchall"), catchall, "nothing is taken away");
    assert_eq!(appliance.done(&["protocols", "--json"]).lines().len(), protocols + 1);

    // Once more there is nothing to do; and who is new to a message that others have gets it too.
    let run = appliance.done(&["reroute", "--json"]).json();
    assert_eq!(
        (number(&run, "archived"), number(&run, "duplicates")),
        (0, 152),
        "{run:#}"
    );
    let explained = appliance
        .done(&["explain", &number(&carol[0], "id").to_string(), "--json"])
        .json();
    let users: Vec<_> = explained["users"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| text(user, "user"))
        .collect();
    assert_eq!(users, ["@catchall", "carol"], "{explained:#}");
    serving.stop().expect(0);
    assert_eq!(appliance.done(&["verify", "--json"]).json()["ok"], true);

    // The profile has another name now; the mailbox says that it is the same.
    let profile = Profile {
        recipients: BELIEVING.into(),
        ..Profile::new(&server, "imap")
    };
    let renamed = profile
        .toml()
        .replace(&format!("name = \"{PROFILE}\""), "name = \"other\"");
    appliance.configure(&(USERS.to_owned() + &renamed));
    for arguments in [&["reroute", "--json"][..], &["reroute", "--profile", "other", "--json"]] {
        let run = appliance.done(arguments).json();
        assert_eq!(number(&run, "duplicates"), 152, "{run:#}");
    }
    appliance.run(&["reroute", "--from", "jnae"]).expect(2);
    appliance.run(&["reroute", "--profile", PROFILE]).expect(2);
}

/// Copies for several people whom nobody knows are one message in `@catchall`, and only the first one's bytes are kept.
#[test]
fn of_copies_for_people_who_came_later_only_the_first_was_found_again() {
    let copy = |name: &str| {
        format!(
            "Delivered-To: {name}@example.com\nReceived: from x by mx.example.com; Thu, 1 Jan 2026 10:00:00 +0000\nFrom: x@sender.example\n\
             To: list@sender.example\nSubject: one\nMessage-ID: <1@sender.example>\n\nhello\n"
        )
    };
    let names = ["carol", "dave", "erin", "frank"];
    let recipients = "own_addresses = [\"all@example.com\"]\nlocal_domains = [\"example.com\"]\n";
    let (_server, appliance) = site(names.map(copy).to_vec(), recipients);
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(
        (number(&run, "archived"), number(&run, "duplicates")),
        (1, 3),
        "{run:#}"
    );
    for name in &names[..3] {
        appliance.done(&["users", "add", name, &format!("{name}@example.com")]);
    }
    let id = number(&list(&appliance, "@catchall")[0], "id").to_string();
    let would = |explained: &Value| {
        let users = explained["would_add"].as_array().unwrap().iter();
        let mut users: Vec<_> = users.map(|user| text(user, "user")).collect();
        users.sort();
        users
    };
    let explained = appliance.done(&["explain", &id, "--json"]).json();
    assert_eq!(would(&explained), ["carol", "dave", "erin"], "{explained:#}");
    let run = appliance.done(&["reroute", "--json"]).lines().pop().unwrap();
    assert_eq!((number(&run, "archived"), number(&run, "filings")), (1, 3), "{run:#}");
    assert_eq!(run["unknown_addresses"]["frank@example.com"], 1, "{run:#}");
    for name in &names[..3] {
        assert_eq!(list(&appliance, name).len(), 1, "{name}");
    }
    let explained = appliance.done(&["explain", &id, "--json"]).json();
    assert!(would(&explained).is_empty(), "{explained:#}");
    assert_eq!(appliance.done(&["verify", "--json"]).json()["ok"], true);
}

/// Beyond the limit, nobody is made and nothing is filed for `@catchall` anew.
#[test]
fn rerouting_makes_users_within_one_limit() {
    let to = |number: usize| {
        format!("From: jane@example.com\nTo: p{number}@example.com\nSubject: {number}\n\nhello {number}\n")
    };
    let recipients = "local_domains = [\"example.com\"]\n";
    let (server, appliance) = site((0..10).map(to).collect(), recipients);
    appliance.done(&["archive", PROFILE]);
    assert_eq!(list(&appliance, "jane").len(), 10);
    let profile = Profile {
        recipients: recipients.to_owned() + "unknown = \"create\"\ncreate_limit = 4\nsenders = false\n",
        ..Profile::new(&server, "imap")
    };
    appliance.configure(&(USERS.to_owned() + &profile.toml()));
    let run = appliance
        .done(&["reroute", "--from", "jane", "--json"])
        .lines()
        .pop()
        .unwrap();
    assert_adds_up(&run);
    assert_eq!((number(&run, "archived"), number(&run, "skipped")), (4, 6), "{run:#}");
    assert_eq!(run["created_users"].as_array().unwrap().len(), 4);
    assert_eq!(number(&run, "users_not_created"), 6, "{run:#}");
    let notices = run["notices"].to_string();
    assert!(
        notices.contains("create_limit is reached, 4 users in one run: 6 more addresses"),
        "{notices}"
    );
    assert!(list(&appliance, "@catchall").is_empty());
}
