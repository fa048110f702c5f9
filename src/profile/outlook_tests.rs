use super::*;
use crate::{
    config::{Access, Config, Profile, Recipients, Server, User},
    profile::evidence::Evidence,
};

/// What a test says of so many messages, each from its number, in a mailbox that is logged in to as `all`.
fn test(
    recipients: Recipients,
    messages: impl Iterator<Item = String>,
) -> (Knowledge, Vec<crate::said::Said>, Proposal) {
    let user = |name: &str| User {
        name: name.into(),
        addresses: vec![format!("{name}@example.com")],
        disabled: false,
    };
    let config = Config {
        user: vec![user("jane"), user("bob")],
        ..Config::default()
    };
    let profile = Profile {
        recipients,
        ..Profile::new("company", Server::new(Access::Imap, "localhost", 143, "all"))
    };
    let directory = Directory::of_config(&config);
    let mut outlook = Outlook::new(&profile, directory);
    let mut evidence = Evidence::new(&profile.recipients);
    for message in messages {
        let message = Bytes::from(message);
        evidence.look(&Header::scan(&message));
        outlook.look(&message);
    }
    let has_user = |address: &Address| ["jane@example.com", "bob@example.com"].contains(&address.as_str());
    let swallowers = outlook.swallowers();
    let proposal = Proposal::new(&evidence, &profile.recipients, "all", &swallowers, has_user).unwrap();
    let knowledge = outlook.knowledge(Some(&proposal));
    let doubts = outlook.doubts(&knowledge);
    (knowledge, doubts, proposal)
}

fn of_defaults(messages: impl Iterator<Item = String>) -> (Knowledge, Vec<crate::said::Said>, Proposal) {
    test(Recipients::default(), messages)
}

const TO_JANE: &str = "From: eve@sender.example\nTo: jane@example.com\n\n";
const FROM: &str = "Received: from a.example.org (a.example.org [192.0.2.1])\n\tby mx.example.com";

/// Each second message has several recipients, and so no `for`.
fn every_second(number: usize, with: &str) -> &str {
    if number.is_multiple_of(2) { "" } else { with }
}

/// A mailbox in which no field names the recipients: a message's header above To, by its number.
fn assert_blind(server: Option<&str>, setting: &str, header: impl Fn(usize) -> String) {
    let (knowledge, doubts, _) =
        of_defaults((0..30).map(|number| format!("{}Message-ID: <{number}@x>\n{TO_JANE}", header(number))));
    assert_ne!(knowledge.bcc, Bcc::Known, "{knowledge:?}");
    assert_eq!(knowledge.server.as_deref(), server);
    let said = doubts.join("\n");
    assert!(said.contains("recipients in Bcc cannot be known"), "{said}");
    assert!(said.contains(setting) && said.contains("docs/servers.md"), "{said}");
    assert!(
        server.is_none_or(|server| said.contains(&format!("seems to be {server}"))),
        "{said}"
    );
    assert!(knowledge.counting.is_empty(), "{knowledge:?}");
}

#[test]
fn it_was_said_that_the_rules_fit_where_no_envelope_is_written() {
    let one = "\n\tfor <jane@example.com>";
    assert_blind(Some("Postfix"), "PREPEND X-Envelope-To", |number| {
        let named = every_second(number, one);
        format!(
            "X-Original-To: all@mx.example.com\nDelivered-To: all@mx.example.com\n{FROM} (Postfix) with ESMTP id 1{named}; Mon\n"
        )
    });
    assert_blind(Some("Postfix"), "enable_original_recipient = yes", |number| {
        let named = every_second(number, one);
        format!("Delivered-To: all@localhost\n{FROM} (Postfix) with ESMTP id 1{named}; Mon\n")
    });
    assert_blind(Some("Sendmail"), "milter", |number| {
        let named = every_second(number, one);
        format!("Return-Path: <x@x.example>\n{FROM} (8.18.1/8.18.1) with ESMTP id 1{named}; Mon\n")
    });
    assert_blind(Some("Exim"), "envelope_to_add = true", |number| {
        let named = every_second(number, "\n\tfor jane@example.com");
        format!("{FROM} with esmtps (Exim 4.97)\n\tid 1{named};\n\tMon\n")
    });
    assert_blind(Some("Exim"), "unseen deliver", |_| {
        format!("Envelope-to: system-filter\n{FROM} with esmtps (Exim 4.97)\n\tid 1;\n\tMon\n")
    });
    assert_blind(Some("chasquid"), "hooks/post-data", |_| {
        format!("{FROM} (chasquid) with ESMTPS\n\t; Mon\n")
    });
    assert_blind(Some("Haraka"), "add_leading_header", |_| {
        format!("{FROM} (Haraka/3.1.0) with ESMTP id 1\n\tenvelope-from <x@x.example>;\n\tMon\n")
    });
    assert_blind(None, "X-Envelope-To", |_| String::new());
    assert_blind(None, "X-Envelope-To", |_| format!("{FROM} with ESMTP; Mon\n"));
}

#[test]
fn several_recipients_over_lmtp_leave_none_of_them() {
    let lmtp = "Received: from mx.example.com\n\tby mx.example.com with LMTP\n\tid AB+tMyHkCmuIAAAAZO51/g\n\t(envelope-from <x@x>)";
    assert_blind(
        Some("Dovecot LMTP behind Postfix"),
        "lmtp_destination_recipient_limit = 1",
        |number| {
            let (delivered, named, one) = match number.is_multiple_of(2) {
                true => ("", "", ""),
                false => (
                    "Delivered-To: all@example.com\n",
                    "\n\tfor <all@example.com>",
                    "\n\tfor <bob@example.com>",
                ),
            };
            format!("{delivered}{lmtp}{named}; Mon\n{FROM} (Postfix) with ESMTP id 1{one}; Mon\n")
        },
    );
    let recipients = Recipients::default();
    let single = |_| {
        format!(
            "Delivered-To: all@example.com\n{lmtp}\n\tfor <all@example.com>; Mon\n{FROM} (Postfix) id 1\n\tfor <bob@example.com>; Mon\n{TO_JANE}"
        )
    };
    let (_, _, proposal) = test(recipients, (0..30).map(single));
    assert_eq!(
        (proposal.trusted_received, proposal.own_addresses.len()),
        (Some(1), 1),
        "{proposal:?}"
    );
    assert!(
        proposal.toml.contains(
            "# trusted_received = 1   # only if the second Received field is your own server's (by mx.example.com)"
        ),
        "{}",
        proposal.toml
    );
}

#[test]
fn mail_without_a_received_field_names_no_recipient_that_can_be_believed() {
    let (knowledge, doubts, _) = of_defaults((0..30).map(|_| format!("X-Envelope-To: bob@example.com\n{TO_JANE}")));
    assert_eq!((knowledge.without_received, knowledge.addressees), (30, 30));
    assert!(
        doubts[0].contains("30 of 30 messages have no Received field"),
        "{doubts:?}"
    );
    assert!(knowledge.counting.is_empty());
    assert_eq!(knowledge.barred["X-Envelope-To"].messages, 30);
}

#[test]
fn a_field_below_the_zone_was_listed_as_found() {
    let below = format!("{FROM} (Postfix) with ESMTP id 1; Mon\nX-Envelope-To: bob@example.com\n{TO_JANE}");
    let above = format!(
        "Delivered-To: jane@example.com\n{FROM} (Postfix) with ESMTP id 1; Mon\nDelivered-To: bob@example.com\n{TO_JANE}"
    );
    let messages = vec![below; 4].into_iter().chain(vec![above; 20]);
    let (knowledge, doubts, _) = of_defaults(messages);
    assert_eq!(knowledge.counting, [("Delivered-To".to_owned(), 20)].into());
    let barred: Vec<_> = knowledge
        .barred
        .iter()
        .map(|(name, seen)| (name.as_str(), seen.messages))
        .collect();
    assert_eq!(barred, [("X-Envelope-To", 4)]);
    assert_eq!((knowledge.bcc, doubts.len()), (Bcc::Known, 0), "{doubts:?}");
}

#[test]
fn a_field_that_is_trusted_by_what_is_proposed_is_no_matter_of_the_server() {
    let hop = "Received: from mx.example.com by back.example.com with ESMTP; Mon\n";
    let message = format!("{hop}X-Envelope-To: bob@example.com\n{FROM} (Postfix) with ESMTP id 1; Mon\n{TO_JANE}");
    let (knowledge, doubts, proposal) = of_defaults((0..30).map(|_| message.clone()));
    assert_eq!(
        (proposal.trusted_received, knowledge.bcc, knowledge.remedy),
        (Some(1), Bcc::Unknown, None)
    );
    assert!(doubts[0].contains("the proposed rules mend it"), "{doubts:?}");
}

#[test]
fn most_mail_named_its_recipients_in_to_alone_beside_some_with_an_envelope() {
    let with = format!("Delivered-To: jane@example.com\n{FROM} (Postfix) with ESMTP id 1; Mon\n{TO_JANE}");
    let without = format!("{FROM} (8.18.1/8.18.1) with ESMTP id 1; Mon\n{TO_JANE}");
    let (knowledge, doubts, _) = of_defaults((0..40).map(|n| if n < 10 { with.clone() } else { without.clone() }));
    assert_eq!(
        (knowledge.bcc, knowledge.server.as_deref()),
        (Bcc::Some, Some("Sendmail"))
    );
    assert!(doubts[0].contains("for 30 of 40 messages"), "{doubts:?}");
    let (knowledge, doubts, _) = of_defaults((0..40).map(|n| if n > 4 { with.clone() } else { without.clone() }));
    assert_eq!((knowledge.bcc, doubts.len()), (Bcc::Known, 0), "a few are of no matter");
}

#[test]
fn an_address_of_the_mailbox_that_swallows_a_few_messages_is_proposed() {
    let message = |number: usize| {
        let envelope = if number.is_multiple_of(10) {
            "archive@box.example"
        } else {
            "jane@example.com"
        };
        format!(
            "Delivered-To: {envelope}\n{FROM} (Postfix) with ESMTP id {number}; Mon\nMessage-ID: <{number}@x>\n{TO_JANE}"
        )
    };
    let (_, doubts, proposal) = of_defaults((0..60).map(message));
    assert_eq!(proposal.own_addresses, ["archive@box.example"]);
    assert!(
        doubts[0].contains("archive@box.example") && doubts[0].contains("6 of 60"),
        "{doubts:?}"
    );
    // The same of somebody who is not in the directory yet, whom To names too.
    let message =
        |number: usize| message(number).replace("jane@example.com\n\n", "jane@example.com, archive@box.example\n\n");
    let (_, doubts, proposal) = of_defaults((0..60).map(message));
    assert_eq!((proposal.own_addresses.len(), doubts.len()), (0, 0), "{doubts:?}");
}

#[test]
fn an_address_in_the_senders_own_received_fields_was_proposed() {
    let message = format!(
        "Delivered-To: jane@example.com\n{FROM} (Postfix) with ESMTP id 1\n\tfor <jane@example.com>; Mon\nReceived: from b by c.example.org \
         with ESMTP for <list@sender.example>; Mon\nDelivered-To: list@sender.example\nReceived: from d by b; Mon\n{TO_JANE}"
    );
    let (_, doubts, proposal) = of_defaults((0..40).map(|_| message.clone()));
    assert_eq!(
        (proposal.own_addresses.len(), doubts.len()),
        (0, 0),
        "{proposal:?} {doubts:?}"
    );
}

#[test]
fn a_mailbox_in_which_nobody_is_known_was_said_to_work() {
    let message =
        |_| format!("Delivered-To: old@example.org\n{FROM} (Postfix) with ESMTP id 1; Mon\nTo: old@example.org\n\n");
    let (knowledge, doubts, _) = of_defaults((0..10).map(message));
    assert_eq!((knowledge.unknown, knowledge.bcc), (10, Bcc::Known));
    assert!(
        doubts[0].contains("none of the newest 10 messages names a known user"),
        "{doubts:?}"
    );
    // Where that is what the administrator wants there is no doubt.
    let to_bob = Recipients {
        unknown: Unknown::User("bob".into()),
        ..Recipients::default()
    };
    assert!(test(to_bob, (0..10).map(message)).1.is_empty());
    let create = Recipients {
        unknown: Unknown::Create,
        local_domains: vec!["example.org".into()],
        ..Recipients::default()
    };
    assert!(test(create, (0..10).map(message)).1.is_empty());
}

/// A mailbox of which most messages name nobody known was told to work.
#[test]
fn messages_that_mostly_name_no_user_are_a_doubt() {
    let to = |number: usize| match number {
        0..10 => "jane@example.com",
        10..30 => "zoe@example.com",
        _ => "max@example.com",
    };
    let message = |number| {
        format!(
            "Message-ID: <{number}@x>\nFrom: eve@sender.example\nTo: {}\n\n",
            to(number)
        )
    };
    let local = Recipients {
        local_domains: vec!["example.com".into()],
        ..Recipients::default()
    };
    let (_, doubts, _) = test(local, (0..40).map(message));
    let said = doubts.join("\n");
    assert!(
        said.contains(
            "30 of the newest 40 messages name no user; most often zoe@example.com (20), max@example.com (10)"
        ),
        "{said}"
    );
}
