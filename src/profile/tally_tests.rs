use super::*;
use crate::{
    config::{Access, Config, Recipients, Server, User},
    identify::Named,
};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn config() -> Config {
    let user = |name: &str, addresses: &[&str]| User {
        name: name.into(),
        addresses: addresses.iter().map(|text| (*text).into()).collect(),
        disabled: false,
    };
    Config {
        user: vec![
            user("jane", &["jane@example.com", "j.doe@example.com"]),
            user("bob", &["bob@example.com"]),
        ],
        domain_aliases: [("example.net".to_owned(), "example.com".into())].into(),
        ..Config::default()
    }
}

fn tally(unknown: Unknown, create_limit: u32) -> Tally {
    let recipients = Recipients {
        unknown,
        create_limit,
        local_domains: vec!["example.com".into()],
        ..Recipients::default()
    };
    Tally::new(Directory::of_config(&config()), &recipients, "all@example.com")
}

fn found(recipients: &[&str], senders: &[&str]) -> Found {
    let named = |texts: &[&str], field: &'static str| {
        let named = texts.iter().map(|text| Named {
            address: address(text),
            field: field.into(),
        });
        named.collect()
    };
    Found {
        recipients: named(recipients, "To"),
        senders: named(senders, "From"),
        ..Found::default()
    }
}

fn copies(tally: &mut Tally, all: &[&[&str]]) {
    all.iter()
        .for_each(|one| tally.copy(&found(one, &["eve@sender.example"]), Reported::No, b""));
}

fn users(tally: &Tally) -> Vec<(&str, u64)> {
    tally
        .users
        .iter()
        .map(|(name, copies)| (name.as_str(), *copies))
        .collect()
}

fn unknown(tally: &Tally) -> Vec<(String, u64, bool)> {
    let (told, omitted) = tally.unknown_addresses();
    assert_eq!(omitted, Omitted::default());
    told.into_iter()
        .map(|one| (one.address.to_string(), one.copies, one.local))
        .collect()
}

fn profile(recipients: Recipients) -> config::Profile {
    config::Profile {
        recipients,
        ..config::Profile::new("company", Server::new(Access::Imap, "localhost", 143, "all"))
    }
}

#[test]
fn a_copy_counts_once_for_each_user() {
    let mut tally = tally(Unknown::Catchall, 0);
    copies(
        &mut tally,
        &[
            &["jane@example.com", "j.doe@example.com"],
            &["jane@example.net", "bob+x@example.com", "nobody@example.com"],
            &["guest@elsewhere.example", "bob@example.com"],
            &[
                "guest@elsewhere.example",
                "nobody@example.net",
                "nobody+tag@example.com",
            ],
            &[],
        ],
    );
    assert_eq!(users(&tally), [("@catchall", 2), ("bob", 2), ("jane", 2)]);
    assert_eq!(
        (tally.counts.seen, tally.counts.unknown, tally.counts.skipped),
        (5, 2, 0)
    );
    // Beside somebody known, only what is local is told.
    assert_eq!(
        unknown(&tally),
        [
            ("nobody@example.com".into(), 2, true),
            ("guest@elsewhere.example".into(), 1, false)
        ]
    );
}

#[test]
fn what_is_skipped_is_for_nobody() {
    let mut tally = tally(Unknown::Skip, 0);
    copies(&mut tally, &[&["x@example.com"], &["bob@example.com"]]);
    assert_eq!((tally.counts.unknown, tally.counts.skipped), (1, 1));
    assert_eq!(users(&tally), [("bob", 1)]);
}

#[test]
fn users_are_made_as_one_run_would() {
    let mut tally = tally(Unknown::Create, 2);
    copies(
        &mut tally,
        &[
            &["new+tag@example.net"],
            &["new@example.com"],
            &["second@example.com", "third@example.com", "bob@example.com"],
            &["third@example.com", "guest@elsewhere.example"],
        ],
    );
    assert_eq!(
        users(&tally),
        [
            ("@catchall", 1),
            ("bob", 1),
            ("new@example.com", 2),
            ("second@example.com", 1)
        ]
    );
    assert_eq!(
        (tally.created, tally.counts.unknown),
        (2, 2),
        "the second found its user"
    );
    assert_eq!(
        unknown(&tally),
        [
            ("third@example.com".into(), 2, true),
            ("guest@elsewhere.example".into(), 1, false)
        ]
    );
    let notices = tally.notices(&profile(Recipients::default())).join("\n");
    assert!(
        notices.contains("2 users would be made")
            && notices.contains("create_limit is reached, 2 users in one run: 1 more address got no user"),
        "{notices}"
    );
    assert_eq!(tally.not_made(), 1);
}

#[test]
fn addresses_that_came_late_were_not_counted_any_more() {
    let mut tally = tally(Unknown::Catchall, 0);
    tally.unknown_addresses = Heavy::new(1200);
    for number in 0..1500 {
        let own = format!("guess-{number}@example.com");
        copies(&mut tally, &[&[own.as_str(), "guess-7@example.com"]]);
    }
    (0..50).for_each(|_| copies(&mut tally, &[&["late@example.com"]]));
    let (told, omitted) = tally.unknown_addresses();
    let first = [("guess-7@example.com", 1500), ("late@example.com", 50)];
    assert_eq!(told.len(), 1000);
    assert_eq!([0, 1].map(|at| (told[at].address.as_str(), told[at].copies)), first);
    assert_eq!((omitted.addresses, omitted.messages), (501, 3049 - 1550 - 998));
    // The same hint as a run gives.
    let notices = tally.notices(&profile(Recipients::default())).join("\n");
    assert!(
        notices.contains("own_addresses = [\"guess-7@example.com\"]"),
        "{notices}"
    );
}

#[test]
fn addresses_of_a_domain_of_ours_were_said_to_be_of_another_one() {
    let mut tally = tally(Unknown::Catchall, 0);
    for number in 0..30 {
        let own = format!("u{}@firma.example", number % 3);
        copies(&mut tally, &[&[own.as_str()]]);
    }
    copies(&mut tally, &[&["x@elsewhere.example"]]);
    let (told, _) = tally.unknown_addresses();
    let candidates: Vec<_> = told.iter().map(|one| (one.address.as_str(), one.candidate)).collect();
    let expected = [
        ("u0@firma.example", true),
        ("u1@firma.example", true),
        ("u2@firma.example", true),
        ("x@elsewhere.example", false),
    ];
    assert_eq!(candidates, expected);
    let notices = tally.notices(&profile(Recipients::default())).join("\n");
    assert!(
        notices.contains("perhaps missing from local_domains: firma.example"),
        "{notices}"
    );
}

#[test]
fn many_errors_are_not_all_kept() {
    let mut tally = tally(Unknown::Catchall, 0);
    for number in 0..1500 {
        tally.failed("INBOX", &CopyRef::Uid(number), "fetch", "refused");
    }
    tally.too_large("INBOX", &CopyRef::Uid(0), "too large".into());
    assert_eq!(
        (tally.counts.seen, tally.counts.failed, tally.counts.too_large),
        (1501, 1500, 1)
    );
    assert_eq!((tally.errors.len(), tally.errors_omitted), (1000, 501));
}

#[test]
fn reports_that_are_not_believed_are_said_to_be_so() {
    let mut tally = tally(Unknown::Catchall, 0);
    for reported in [Reported::Believed, Reported::Untrusted, Reported::Untrusted] {
        tally.copy(&found(&["bob@example.com"], &[]), reported, b"");
    }
    assert_eq!((tally.reports.believed, tally.reports.untrusted), (1, 2));
    let notices = tally.notices(&profile(Recipients::default())).join("\n");
    assert!(
        notices.contains("2 messages are journal reports") && notices.contains("journal_from"),
        "{notices}"
    );
}
