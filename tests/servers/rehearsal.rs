//! What a run would do, said before it: dry runs beside the runs that follow them, and the rules that `test` proposes.

use std::collections::BTreeMap;

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, number, text},
    dovecot::Dovecot,
    generator::{Mailbox, Settings, company, user_tables},
    listening::refusing,
    proxy::Proxy,
};
use rustix::process::Signal;
use serde_json::Value;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const OURS: &str = "own_addresses = [\"all@example.com\"]\nlocal_domains = [\"example.com\"]\n";

fn appliance(server: &Dovecot, access: &str, recipients: &str, more: &str) -> Appliance {
    let profile = Profile {
        recipients: recipients.into(),
        ..Profile::new(server, access)
    };
    Appliance::new(DROPKEEP, &(user_tables(&company()) + &profile.toml() + more))
}

fn to(address: &str, number: usize) -> Vec<u8> {
    let received =
        "Received: from a.sender.example (a.sender.example [192.0.2.1])\n\tby mx.example.com (Postfix); Mon\n";
    format!(
        "Delivered-To: all@example.com\n{received}From: eve@sender.example\nTo: {address}\nSubject: {number}\n\nhello {number}\n"
    )
    .into_bytes()
}

/// A journal report for these recipients, `size` bytes of filling in what it encloses.
fn report(number: usize, recipients: &[&str], size: usize) -> Vec<u8> {
    let lines: String = recipients.iter().map(|one| format!("Recipient: {one}\n")).collect();
    let filling = "and so on and so on and so on and so on\n".repeat(size / 40);
    format!(
        "Delivered-To: all@example.com\nReceived: from ex.example.com (ex.example.com [192.0.2.9])\n\tby mx.example.com \
         (Postfix); Mon\nFrom: Exchange <exchange@example.com>\nTo: all@example.com\nX-MS-Journal-Report:\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=\"r\"\n\n--r\nContent-Type: text/plain\n\nSender: eve@sender.example\n{lines}\n\
         --r\nContent-Type: message/rfc822\n\nFrom: eve@sender.example\nTo: list@sender.example\nSubject: report {number}\n\n\
         {filling}\n--r--\n"
    )
    .into_bytes()
}

/// Rehearses, then runs: nothing is stored by the first, and the second does what it said.
fn assert_as_rehearsed(server: &Dovecot, appliance: &Appliance) -> Value {
    let rehearsed = appliance.done(&["archive", PROFILE, "--dry-run", "--json"]).json();
    assert!(!appliance.data().exists(), "a data directory was made");
    assert_eq!(server.flags_set(), 0, "the server was told something");
    assert_eq!(rehearsed["dry_run"], true);
    assert_eq!(text(&rehearsed, "state"), "completed", "{rehearsed:#}");
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    for count in [
        "seen",
        "unknown",
        "skipped",
        "too_large",
        "failed",
        "journal_reports",
        "untrusted_reports",
        "unreadable_reports",
    ] {
        assert_eq!(
            number(&rehearsed, count),
            number(&run, count),
            "{count}\n{rehearsed:#}\n{run:#}"
        );
    }
    let users = run["users"].as_object().expect("users");
    let filed: BTreeMap<&str, u64> = users
        .iter()
        .map(|(name, counts)| (name.as_str(), number(counts, "archived") + number(counts, "duplicates")))
        .collect();
    let would: BTreeMap<&str, u64> = rehearsed["users"]
        .as_object()
        .expect("users")
        .iter()
        .map(|(name, copies)| (name.as_str(), copies.as_u64().expect("a count")))
        .collect();
    assert_eq!(would, filed);
    let unknown = rehearsed["unknown_addresses"].as_array().expect("addresses");
    let local = unknown.iter().filter(|one| one["local"] == true);
    let local: BTreeMap<String, u64> = local.map(|one| (text(one, "address"), number(one, "copies"))).collect();
    let known: BTreeMap<String, u64> = run["unknown_addresses"]
        .as_object()
        .expect("addresses")
        .iter()
        .map(|(address, copies)| (address.clone(), copies.as_u64().expect("a count")))
        .collect();
    assert_eq!(local, known);
    let counts: Vec<u64> = unknown.iter().map(|one| number(one, "copies")).collect();
    assert!(counts.is_sorted_by(|one, other| one >= other), "{counts:?}");
    rehearsed
}

fn generated(access: &str) {
    let reports = (0..30).map(|number| report(number, &["jane@example.com", "nobody-1@example.com"], 20_000));
    let mailbox = Mailbox::new(Settings::messages(1_500)).chain(reports);
    let server = Dovecot::with(mailbox);
    let recipients = format!("{OURS}journal = \"always\"\n");
    let appliance = appliance(&server, access, &recipients, "");
    let rehearsed = assert_as_rehearsed(&server, &appliance);
    assert_eq!(
        (number(&rehearsed, "seen"), number(&rehearsed, "journal_reports")),
        (1_530, 30)
    );
    assert_eq!(rehearsed["folders"][0]["copies"], 1_530);
    assert!(number(&rehearsed, "unknown") > 0);

    // Also of what is archived already, beside an appliance, and with the users of its store.
    appliance.done(&["users", "add", "newcomer", "nobody-1@example.com"]);
    let serving = appliance.serve();
    let again = appliance.done(&["archive", PROFILE, "--dry-run", "--json"]).json();
    let copies = |rehearsed: &Value| {
        let mut addresses = rehearsed["unknown_addresses"].as_array().expect("addresses").iter();
        let found = addresses.find(|one| one["address"] == "nobody-1@example.com");
        found.map(|one| number(one, "copies"))
    };
    assert_eq!((number(&again, "seen"), copies(&again)), (1_530, None));
    assert_eq!(again["users"]["newcomer"].as_u64(), copies(&rehearsed));
    let said = appliance.done(&["archive", PROFILE, "--dry-run"]).text();
    for words in [
        "dry run: 1,530 messages read by the rules of profile company; nothing was stored",
        "journal reports, believed",
        "    jane: ",
    ] {
        assert!(said.contains(words), "{words} in\n{said}");
    }
    serving.stop().expect(0);
}

#[test]
fn a_run_over_imap_does_what_was_rehearsed() {
    generated("imap-ssl");
}

#[test]
fn a_run_over_pop3_does_what_was_rehearsed() {
    generated("pop3");
}

#[test]
fn users_are_made_and_large_mail_is_left_as_rehearsed() {
    let new = (0..40).map(|n| to(&format!("new-{}@example.com", n % 4), n));
    let large = [
        report(1, &["jane@example.com"], 20_000),
        report(2, &["jane@example.com"], 10),
    ];
    let server = Dovecot::with(new.chain(large));
    let recipients = format!("{OURS}journal = \"always\"\nunknown = \"create\"\n");
    let limits = "[limits]\nmax_message_size = \"10 KiB\"\n";
    let appliance = appliance(&server, "imap", &recipients, limits);
    let rehearsed = assert_as_rehearsed(&server, &appliance);
    assert_eq!(
        (number(&rehearsed, "too_large"), number(&rehearsed, "journal_reports")),
        (1, 1)
    );
    assert_eq!(rehearsed["users"]["new-0@example.com"], 10);
    let error = &rehearsed["errors"][0];
    assert_eq!(
        (text(error, "stage"), text(error, "folder")),
        ("size".into(), "INBOX".into())
    );
}

#[test]
fn what_is_skipped_is_said_and_reports_that_are_not_believed() {
    let strangers = (0..30).map(|n| to("box@hoster.example", n));
    let reports = (0..3).map(|n| report(n, &["jane@example.com"], 10));
    let known = (0..3).map(|n| to("jane@example.com, box@hoster.example", 100 + n));
    let server = Dovecot::with(strangers.chain(known).chain(reports));
    let appliance = appliance(&server, "imap", &format!("{OURS}unknown = \"skip\"\n"), "");
    let rehearsed = appliance.done(&["archive", PROFILE, "--dry-run", "--json"]).json();
    let counts = ["seen", "unknown", "skipped", "untrusted_reports"].map(|count| number(&rehearsed, count));
    assert_eq!(counts, [36, 33, 33, 3], "{rehearsed:#}");
    let first = &rehearsed["unknown_addresses"][0];
    assert_eq!(
        (text(first, "address"), number(first, "copies")),
        ("box@hoster.example".into(), 30)
    );
    let notices = rehearsed["notices"].to_string();
    for words in ["box@hoster.example", "own_addresses", "journal_from"] {
        assert!(notices.contains(words), "{words} in {notices}");
    }
    let said = appliance.done(&["archive", PROFILE, "--dry-run"]).text();
    assert!(
        said.contains("33  without a known address: would be left where they are"),
        "{said}"
    );
}

#[test]
fn reports_that_cannot_be_read_are_for_catchall_in_a_dry_run_too() {
    let of = |number: usize, from: &str, to: &str| {
        let text = String::from_utf8(report(number, &["jane@example.com"], 10)).expect("text");
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1).into_bytes()
    };
    let mailbox = [
        of(0, "text/plain", "text/html"),
        of(1, "text/plain", "application/octet-stream"),
        of(2, "Recipient: jane@example.com", "Empfaenger: jane@example.com"),
        of(3, "X-MS-Journal-Report:", "X-MS-Exchange-Organization-Journal-Report:"),
        of(4, "multipart/mixed", "multipart/report"),
        of(5, "multipart/mixed", "text/plain"),
    ];
    let server = Dovecot::with(mailbox);
    for (recipients, expected) in [
        (format!("{OURS}journal = \"always\"\nunknown = \"skip\"\n"), [1, 5, 0]),
        (OURS.to_owned(), [0, 0, 6]),
    ] {
        let appliance = appliance(&server, "imap", &recipients, "");
        let rehearsed = assert_as_rehearsed(&server, &appliance);
        let counts = ["journal_reports", "unreadable_reports", "untrusted_reports"];
        assert_eq!(counts.map(|count| number(&rehearsed, count)), expected, "{rehearsed:#}");
    }
}

#[test]
fn a_dry_run_that_cannot_be_says_why() {
    let server = Dovecot::with([to("jane@example.com", 1)]);
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    appliance.run(&["archive", "compny", "--dry-run"]).expect(2);
    let nobody = refusing();
    let unreachable = Profile {
        port: nobody.port,
        ..Profile::new(&server, "imap")
    };
    let wrong_password = Profile {
        password: "wrong".into(),
        ..Profile::new(&server, "imap")
    };
    for (profile, stage) in [(unreachable, "connect"), (wrong_password, "login")] {
        appliance.configure(&(user_tables(&company()) + &profile.toml()));
        let outcome = appliance.run(&["archive", PROFILE, "--dry-run", "--json"]).expect(3);
        let rehearsed = outcome.json();
        assert_eq!(
            (text(&rehearsed, "state"), number(&rehearsed, "seen")),
            ("failed".into(), 0)
        );
        assert_eq!(text(&rehearsed["errors"][0], "stage"), stage);
        assert!(outcome.stderr.starts_with("dropkeep: "), "{}", outcome.stderr);
    }
    assert!(!appliance.data().exists());
}

#[test]
fn what_was_counted_until_ctrl_c_is_printed() {
    let server = Dovecot::with((0..6_000).map(|n| to("jane@example.com", n)));
    let proxy = Proxy::to(server.ports.imap);
    let profile = Profile {
        port: proxy.port,
        ..Profile::new(&server, "imap")
    };
    let appliance = Appliance::for_company(DROPKEEP, &profile);
    // Beyond the listing and the sizes, within the headers.
    proxy.hold_after(1_000_000);
    let rehearsing = appliance.start(&["archive", PROFILE, "--dry-run", "--json"]);
    proxy.wait_until_read();
    rehearsing.signal(Signal::INT);
    let rehearsed = rehearsing.wait().expect(130).json();
    assert_eq!(text(&rehearsed, "state"), "interrupted");
    let seen = number(&rehearsed, "seen");
    assert!(seen > 0 && seen < 6_000, "{seen}");
    assert_eq!(rehearsed["users"]["jane"], seen);
}

#[test]
fn a_connection_lost_midway_is_no_full_rehearsal() {
    let server = Dovecot::with((0..6_000).map(|n| to("jane@example.com", n)));
    let proxy = Proxy::to(server.ports.imap);
    let profile = Profile {
        port: proxy.port,
        timeout: "5s".into(),
        ..Profile::new(&server, "imap")
    };
    let appliance = Appliance::for_company(DROPKEEP, &profile);
    proxy.hold_after(1_000_000);
    let rehearsed = appliance
        .run(&["archive", PROFILE, "--dry-run", "--json"])
        .expect(1)
        .json();
    assert_eq!(text(&rehearsed, "state"), "completed_with_errors");
    assert_eq!(text(&rehearsed["errors"][0], "stage"), "connection", "{rehearsed:#}");
}

/// The proposal is pasted, and fits.
#[test]
fn the_rules_that_are_proposed_fit_the_mailbox() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(400)));
    for access in ["imap", "pop3"] {
        let appliance = appliance(&server, access, "", "");
        let tested = appliance.done(&["test", PROFILE, "--json"]).json();
        let proposal = &tested["proposal"];
        let headers: Vec<_> = proposal["envelope_headers"].as_array().expect("names").iter().collect();
        assert!(headers.contains(&&Value::from("X-Original-To")), "{proposal:#}");
        assert_eq!(proposal["local_domains"][0], "example.com");
        assert_eq!(proposal["own_addresses"], Value::Array(Vec::new()));
        assert!(proposal["trusted_received"].is_null());
        let toml = text(proposal, "toml");
        assert!(toml.starts_with("[profile.recipients]\n"), "{toml}");
        let said = appliance.done(&["test", PROFILE]).text();
        assert!(said.contains(&toml), "{said}");

        let keys = toml.split_once('\n').expect("lines").1;
        let profile = Profile {
            recipients: keys.into(),
            ..Profile::new(&server, access)
        };
        appliance.configure(&(user_tables(&company()) + &profile.toml()));
        let said = appliance.done(&["test", PROFILE]).text();
        assert!(said.contains("the rules fit the newest messages"), "{said}");
        assert_eq!(
            appliance.done(&["test", PROFILE, "--json"]).json()["proposal"]["toml"],
            ""
        );
    }
    let empty = Dovecot::start();
    empty.deliver(Vec::<Vec<u8>>::new());
    let appliance = appliance(&empty, "imap", "", "");
    assert!(appliance.done(&["test", PROFILE, "--json"]).json()["proposal"].is_null());
}

/// A message with this above its own header.
fn below(above: &str, number: usize) -> String {
    format!(
        "{above}From: eve@sender.example\nTo: jane@example.com\nMessage-ID: <{number}@x>\nSubject: {number}\n\nhello {number}\n"
    )
}

#[test]
fn a_mailbox_without_an_envelope_was_said_to_fit() {
    let always_bcc = |number: usize| {
        let named = if number.is_multiple_of(2) {
            "\n\tfor <jane@example.com>"
        } else {
            ""
        };
        let above = format!(
            "X-Original-To: archive@box.example\nDelivered-To: archive@box.example\nReceived: from a.sender.example (a.sender.example \
             [192.0.2.1])\n\tby mx.example.com (Postfix) with ESMTP id 1{named}; Mon\n"
        );
        below(&above, number)
    };
    let server = Dovecot::with((0..40).map(always_bcc));
    for access in ["imap", "pop3"] {
        let appliance = appliance(&server, access, "", "");
        let tested = appliance.done(&["test", PROFILE, "--json"]).json();
        assert_eq!(text(&tested, "verdict"), "doubtful", "{tested:#}");
        assert_eq!(tested["proposal"]["own_addresses"][0], "archive@box.example");
        let recipients = &tested["recipients"];
        assert_eq!(
            (text(recipients, "bcc"), text(recipients, "server")),
            ("unknown".into(), "Postfix".into())
        );
        assert!(
            text(recipients, "remedy").contains("PREPEND X-Envelope-To"),
            "{recipients:#}"
        );
        assert!(
            tested["envelope_headers"].as_object().expect("counts").is_empty(),
            "{tested:#}"
        );

        // With its own address told, what cannot be known is said all the same.
        let keys = "own_addresses = [\"archive@box.example\"]\nlocal_domains = [\"example.com\"]\n";
        let profile = Profile {
            recipients: keys.into(),
            ..Profile::new(&server, access)
        };
        appliance.configure(&(user_tables(&company()) + &profile.toml()));
        let said = appliance.done(&["test", PROFILE]).text();
        assert!(said.contains("recipients in Bcc cannot be known here"), "{said}");
        assert!(
            said.contains("20 of 40 messages have `for` in a Received header"),
            "{said}"
        );
        for praise in ["the profile works", "the rules fit"] {
            assert!(!said.contains(praise), "{said}");
        }
    }
}

#[test]
fn an_address_of_the_mailbox_that_swallowed_some_of_the_mail_was_not_told_of() {
    let one = |number: usize| {
        let to = if number.is_multiple_of(8) {
            "archive@box.example"
        } else {
            "jane@example.com"
        };
        below(
            &format!("Delivered-To: {to}\nReceived: from a (a [192.0.2.1]) by mx.example.com (Postfix); Mon\n"),
            number,
        )
    };
    let server = Dovecot::with((0..80).map(one));
    let appliance = appliance(&server, "imap", "", "");
    let rehearsed = appliance.done(&["archive", PROFILE, "--dry-run", "--json"]).json();
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    for told in [&rehearsed, &run] {
        let notices = told["notices"].to_string();
        for words in [
            "archive@box.example",
            "in place of the recipients in 10 of 80 messages",
            "own_addresses",
        ] {
            assert!(notices.contains(words), "{words} in {notices}");
        }
    }
    let tested = appliance.done(&["test", PROFILE, "--json"]).json();
    assert_eq!(
        tested["proposal"]["own_addresses"][0], "archive@box.example",
        "{tested:#}"
    );
    // Copies of their own for those whom To names show that nobody was forgotten.
    let each = (0..80).flat_map(|number| {
        ["jane@example.com", "old@example.com"].map(|to| {
            below(
                &format!("Delivered-To: {to}\nReceived: from a (a [192.0.2.1]) by mx.example.com (Postfix); Mon\n"),
                number,
            )
        })
    });
    let server = Dovecot::with(each);
    let profile = Profile::new(&server, "imap");
    let appliance = Appliance::for_company(DROPKEEP, &profile);
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert!(!run["notices"].to_string().contains("own_addresses"), "{run:#}");
    let tested = appliance.done(&["test", PROFILE, "--json"]).json();
    assert_eq!(
        tested["proposal"]["own_addresses"],
        serde_json::json!(["all@example.com"])
    );
}

#[test]
fn a_mailbox_without_a_message_shows_nothing_of_the_rules() {
    let empty = Dovecot::start();
    empty.deliver(Vec::<Vec<u8>>::new());
    let appliance = appliance(&empty, "imap", "", "");
    let said = appliance.done(&["test", PROFILE]).text();
    assert!(said.contains("no message could be read"), "{said}");
    assert!(
        !said.contains("the profile works") && !said.contains("the rules fit"),
        "{said}"
    );
}
