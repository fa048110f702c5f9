use super::*;
use crate::{
    config::{Access, Recipients, Server},
    message::Address,
};

fn profile(own: &[&str]) -> config::Profile {
    config::Profile {
        recipients: Recipients {
            own_addresses: own.iter().map(|text| (*text).into()).collect(),
            ..Recipients::default()
        },
        ..config::Profile::new("company", Server::new(Access::Imap, "localhost", 143, "all"))
    }
}

fn notice(unknown: u64, common: bool, own: &[&str]) -> Option<crate::said::Said> {
    let common = common.then(|| Common {
        address: Address::parse("box@hoster.example").unwrap(),
        named: 95,
        messages: 100,
    });
    let found = Own {
        messages: 100,
        common,
        swallowers: Vec::new(),
    };
    notice_of_unknown(100, unknown, &found, &profile(own))
}

#[test]
fn a_run_said_two_things_of_one_cause() {
    assert_eq!(notice(10, false, &[]), None);
    let unknown = notice(95, false, &[]).unwrap();
    assert!(
        unknown.starts_with("95 of 100 messages have no known address"),
        "{unknown}"
    );
    let both = notice(95, true, &[]).unwrap();
    assert!(both.contains("95 of 100 messages have no known address"), "{both}");
    let own = notice(10, true, &[]).unwrap();
    assert!(!own.contains("no known address"), "{own}");
    for notice in [both, own] {
        assert!(notice.contains("own_addresses = [\"box@hoster.example\"]"), "{notice}");
        assert!(
            notice.contains("[profile.recipients]") && notice.contains("\"company\""),
            "{notice}"
        );
    }
}

#[test]
fn the_line_to_write_dropped_the_addresses_that_were_there() {
    let notice = notice(0, true, &["all@example.com"]).unwrap();
    assert!(
        notice.contains("own_addresses = [\"all@example.com\", \"box@hoster.example\"]"),
        "{notice}"
    );
}

#[test]
fn an_address_that_swallowed_a_few_messages_was_not_spoken_of() {
    let mut frequent = Frequent::default();
    let archive = Address::parse("archive@mx.example.com").unwrap();
    for number in 0..100 {
        let swallowed = number % 10 == 0;
        let unresolved = if swallowed { vec![archive.clone()] } else { Vec::new() };
        let passed = Passed {
            twin: number,
            reached: !swallowed,
            addressees: Vec::new(),
            known: swallowed,
            forms: Vec::new(),
        };
        frequent.message(unresolved, &[], &passed, false, "all");
    }
    let notice = notice_of_unknown(100, 10, &frequent.own("all"), &profile(&[])).unwrap();
    assert!(
        notice.starts_with(
            "archive@mx.example.com, which was no user's, is named in place of the recipients in 10 of 100 messages"
        ),
        "{notice}"
    );
    assert!(
        notice.contains("own_addresses = [\"archive@mx.example.com\"]"),
        "{notice}"
    );
}
