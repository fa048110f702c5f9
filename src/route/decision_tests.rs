use super::*;
use crate::{archive::User, identify::Named};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn named(address: &str, field: &'static str) -> Named {
    Named {
        address: Address::parse(address).unwrap(),
        field: field.into(),
    }
}

#[test]
fn what_is_for_others_too_was_only_for_those_who_are_known() {
    let jane = User {
        name: "jane".into(),
        addresses: vec![address("jane@example.com")],
        managed: true,
        retired: false,
    };
    let directory = Directory::new([(UserId(1), jane)]);
    for (unknown, to, expected) in [
        (Unknown::Catchall, "jane@example.com", vec![UserId(1), CATCHALL_ID]),
        (Unknown::Skip, "nobody@example.com", vec![CATCHALL_ID]),
        (Unknown::User("jane".into()), "nobody@example.com", vec![CATCHALL_ID]),
    ] {
        let routing = Routing::new(&config::Recipients {
            unknown,
            ..Default::default()
        });
        let found = Found {
            recipients: vec![named(to, "To")],
            for_catchall: true,
            ..Found::default()
        };
        let decision = decide(&directory, &routing, &found);
        assert_eq!(decision.users.iter().map(|one| one.user).collect::<Vec<_>>(), expected);
        assert_eq!(decision.unknown, expected.len() == 1);
    }
}

#[test]
fn each_known_user_is_named_once_and_ours_are_told_from_others() {
    let jane = User {
        name: "jane".into(),
        addresses: vec![
            Address::parse("jane@example.com").unwrap(),
            Address::parse("j@example.com").unwrap(),
        ],
        managed: true,
        retired: false,
    };
    let directory = Directory::new([(UserId(1), jane)]);
    let recipients = config::Recipients {
        local_domains: vec!["Example.com".into()],
        ..Default::default()
    };
    let routing = Routing::new(&recipients);
    let found = Found {
        recipients: vec![
            named("j@example.com", "To"),
            named("jane@example.com", "Cc"),
            named("bob+x@example.com", "Cc"),
            named("eve@example.org", "Cc"),
        ],
        senders: vec![named("jane@example.com", "From")],
        ..Found::default()
    };
    let decision = decide(&directory, &routing, &found);
    let jane = Assigned {
        user: UserId(1),
        address: Some(address("j@example.com")),
        why: Why::To,
        rule: Rule::Exact,
    };
    assert_eq!(decision.users, [jane]);
    let bob = Nobody {
        address: address("bob@example.com"),
        named: address("bob+x@example.com"),
        why: Why::Cc,
        retired: false,
    };
    assert_eq!(decision.local_unknown, [bob]);
    let unresolved = [address("bob@example.com"), address("eve@example.org")];
    assert_eq!(decision.unresolved, unresolved);
    assert!(!decision.unknown);
    assert!(super::decide(&directory, &routing, &Found::default()).unknown);
}

fn user(name: &str, address: &str, retired: bool) -> User {
    User {
        name: name.into(),
        addresses: vec![Address::parse(address).unwrap()],
        managed: false,
        retired,
    }
}

fn routing(unknown: Unknown) -> Routing {
    Routing::new(&config::Recipients {
        local_domains: vec![" Example.com. ".into()],
        unknown,
        ..Default::default()
    })
}

#[test]
fn a_retired_users_address_was_an_address_of_nobody() {
    let directory = Directory::new([(UserId(1), user("old", "old@example.org", true))]);
    let found = Found {
        recipients: vec![named("old+x@example.org", "To")],
        senders: Vec::new(),
        ..Found::default()
    };
    let decision = decide(&directory, &routing(Unknown::Create), &found);
    assert!(decision.unknown && decision.users.is_empty());
    let listed: Vec<_> = decision
        .local_unknown
        .iter()
        .map(|one| (one.address.as_str(), one.retired))
        .collect();
    assert_eq!(
        listed,
        [("old@example.org", true)],
        "though its domain is none of the local ones"
    );
    assert!(decision.unresolved.is_empty(), "it was somebody's");
}

#[test]
fn a_retired_user_got_what_was_for_nobody() {
    let directory = |retired| Directory::new([(UserId(1), user("bob", "bob@example.com", retired))]);
    let routing = routing(Unknown::User("bob".into()));
    let goes_to = |retired| {
        let assigned = unknown_goes_to(&directory(retired), &routing).unwrap();
        (assigned.user, assigned.rule)
    };
    assert_eq!(goes_to(false), (UserId(1), Rule::User));
    assert_eq!(goes_to(true), (CATCHALL_ID, Rule::Catchall));
}

#[test]
fn a_message_to_many_invented_addresses_took_seconds() {
    let invented = (0..200_000).map(|n| named(&format!("u{n}@example.com"), "To"));
    let found = Found {
        recipients: invented.collect(),
        senders: Vec::new(),
        ..Found::default()
    };
    // Of this thread, however busy the machine is.
    let milliseconds = || {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
    };
    let began = milliseconds();
    let decision = decide(&Directory::default(), &routing(Unknown::Catchall), &found);
    let took = milliseconds() - began;
    assert_eq!(decision.local_unknown.len(), MOST_UNKNOWN);
    assert_eq!(decision.unresolved.len(), MOST_UNRESOLVED);
    assert!(took < 2_000, "{took} ms");
}
