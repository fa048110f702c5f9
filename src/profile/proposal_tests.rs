use std::{fs, path::Path};

use super::*;
use crate::{
    config::{Config, EnvelopeAt, Recipients},
    identify::Header,
};

/// Messages of tests/routing, by folder and the beginnings of their names, over and over to some thirty.
fn of_corpus(folder: &str, cases: &[&str]) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/routing").join(folder);
    let names = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter(|name| name.ends_with(".eml") && !name.ends_with(".inner.eml"))
        .filter(|name| cases.iter().any(|case| name.starts_with(case)))
        .collect();
    names.sort();
    assert!(names.len() >= cases.len(), "{names:?}");
    let messages: Vec<_> = names.iter().map(|name| fs::read(folder.join(name)).unwrap()).collect();
    messages.iter().cycle().take(30.max(messages.len())).cloned().collect()
}

fn proposed_of(messages: &[Vec<u8>], recipients: &Recipients, username: &str, users: &[&str]) -> Proposal {
    let mut evidence = Evidence::new(recipients);
    messages
        .iter()
        .for_each(|message| evidence.look(&Header::scan(message)));
    let has_user = |address: &Address| users.contains(&address.as_str());
    Proposal::new(&evidence, recipients, username, &[], has_user).unwrap()
}

fn proposed(messages: &[Vec<u8>]) -> Proposal {
    proposed_of(messages, &Recipients::default(), "box", &[])
}

/// The recipients of a configuration in which the proposal was pasted, with its comments as lines where asked.
fn pasted(toml: &str, uncomment: bool) -> Recipients {
    let lines = toml.lines().map(|line| match line.strip_prefix("# ") {
        Some(key) if uncomment && key.split_once(" = ").is_some_and(|(name, _)| !name.contains(' ')) => key,
        _ => line,
    });
    let text = format!(
        "[[profile]]\nname = \"company\"\n[profile.server]\naccess = \"imap\"\nhost = \"localhost\"\nusername = \"box\"\n\
         password = \"x\"\n{}\n",
        lines.collect::<Vec<_>>().join("\n")
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dropkeep.toml");
    fs::write(&file, &text).unwrap();
    let config = Config::load(&file).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    config.profile[0].recipients.clone()
}

/// What is pasted is what is proposed, and then there is nothing more to say.
fn assert_settles(messages: &[Vec<u8>]) -> Proposal {
    let first = proposed(messages);
    let recipients = pasted(&first.toml, true);
    let second = proposed_of(messages, &recipients, "box", &[]);
    assert_eq!(second.toml, "", "after\n{}", first.toml);
    assert_eq!(second.envelope_headers, first.envelope_headers);
    pasted(&first.toml, false);
    first
}

fn message(lines: &str) -> Vec<u8> {
    format!("{lines}From: eve@sender.example\nTo: list@sender.example\n\nhello\n").into_bytes()
}

const RECEIVED: &str = "Received: from a.example.org (a.example.org [192.0.2.1])\n\tby mx.example.com (Postfix); Mon\n";

#[test]
fn the_field_of_each_mail_system_is_found() {
    for (folder, cases, field, below) in [
        ("exim", &["copy-for", "envelope-to"][..], "Envelope-To", None),
        (
            "kerio",
            &["copy-for", "x-envelope-to", "several-fields"],
            "X-Envelope-To",
            None,
        ),
        ("qmail", &["copy-for", "prefix-is-stripped"], "Delivered-To", None),
        ("mdaemon", &["backend-copy-for"], "X-MDaemon-Deliver-To", Some(1)),
        ("postfix-virtual-catchall", &["copy-for"], "X-Original-To", None),
    ] {
        let proposal = assert_settles(&of_corpus(folder, cases));
        let first = proposal.envelope_headers.first().map(String::as_str);
        assert_eq!(first, Some(field), "{folder}: {proposal:?}");
        assert_eq!(
            proposal.local_domains.first().map(String::as_str),
            Some("example.com"),
            "{folder}"
        );
        assert_eq!(proposal.trusted_received, below, "{folder}");
    }
}

#[test]
fn a_field_that_only_names_the_mailbox_is_left_out() {
    let messages = of_corpus("postfix-always-bcc", &["copy-for", "bcc-recipient", "two-recipients"]);
    let proposal = assert_settles(&messages);
    assert_eq!(proposal.envelope_headers, [""; 0]);
    assert_eq!(proposal.own_addresses, ["archive@example.com"]);
    assert_eq!(proposal.local_domains, ["example.com"]);
    let prepended = of_corpus("postfix-always-bcc", &["prepend-two-recipients"]);
    let proposal = assert_settles(&[&messages[..], &prepended[..12]].concat());
    assert_eq!(proposal.envelope_headers, ["X-Envelope-To"]);
}

#[test]
fn what_stands_below_further_received_fields_is_no_more_than_a_comment() {
    let messages = of_corpus("google-workspace-copies", &["copy-for"]);
    let proposal = assert_settles(&messages);
    assert_eq!(proposal.envelope_headers, ["X-Gm-Original-To"]);
    assert_eq!(proposal.trusted_received, Some(2));
    assert!(
        proposal
            .toml
            .contains("\n# trusted_received = 2   # only if each of the 2 Received fields above")
    );
    assert!(proposal.toml.contains("by mx.google.com"), "{}", proposal.toml);
    assert_eq!(pasted(&proposal.toml, false).trusted_received, 0);

    let below = message(&format!("{RECEIVED}Delivered-To: jane@example.com\n{RECEIVED}"));
    let proposal = assert_settles(&vec![below.clone(); 10]);
    assert!(
        proposal.toml.contains(
            "\n# trusted_received = 1   # only if the Received field above Delivered-To is your own server's (by mx.example.com)\n"
        ),
        "{}",
        proposal.toml
    );
    // Once it stands above, what stands below is others'.
    let above = message(&format!("Delivered-To: jane@example.com\n{RECEIVED}{RECEIVED}"));
    let mixed = [vec![below; 8], vec![above; 2]].concat();
    let proposal = assert_settles(&mixed);
    assert_eq!(
        (proposal.envelope_headers, proposal.trusted_received),
        (vec!["Delivered-To".into()], None)
    );
}

#[test]
fn below_the_last_received_field_nothing_is_trusted() {
    let proposal = proposed(&vec![
        message(&format!("{RECEIVED}Delivered-To: jane@example.com\n"));
        10
    ]);
    assert_eq!(
        proposal.trusted_received, None,
        "no Received field is left to end the zone"
    );
    let proposal = proposed(&vec![message("Delivered-To: jane@example.com\n"); 10]);
    assert_eq!((proposal.envelope_headers.len(), proposal.trusted_received), (0, None));
}

#[test]
fn an_address_on_nearly_every_message_is_the_mailboxs_own_unless_a_user_has_it() {
    let of = |number: usize| {
        let bob = if number.is_multiple_of(2) { "bob" } else { "carol" };
        message(&format!(
            "Delivered-To: jane@example.com\nX-Original-To: {bob}@example.com\n{RECEIVED}"
        ))
    };
    let messages: Vec<_> = (0..20).map(of).collect();
    let proposal = assert_settles(&messages);
    assert_eq!(proposal.own_addresses, ["jane@example.com"]);
    assert_eq!(proposal.envelope_headers, ["X-Original-To"]);
    let proposal = proposed_of(&messages, &Recipients::default(), "box", &["jane@example.com"]);
    assert_eq!(proposal.own_addresses, [""; 0]);
    let proposal = proposed(&messages[..19]);
    assert_eq!(proposal.own_addresses, [""; 0], "too few to say");
    let proposal = proposed_of(&messages, &Recipients::default(), "Jane@example.com", &[]);
    assert_eq!(proposal.own_addresses, [""; 0], "the user name counts anyway");
    let known = Recipients {
        own_addresses: vec!["old@example.com".into()],
        ..Recipients::default()
    };
    let proposal = proposed_of(&messages, &known, "box", &[]);
    assert_eq!(proposal.own_addresses, ["old@example.com", "jane@example.com"]);
}

#[test]
fn rules_that_fit_are_left_alone() {
    let one = |field: &str| message(&format!("{field}: jane@example.com\n{RECEIVED}"));
    let messages = [
        vec![one("Delivered-To"); 9],
        vec![one("X-Envelope-To"); 8],
        vec![one("X-Original-To"); 1],
    ]
    .concat();
    let fitting = Recipients {
        local_domains: vec!["Example.COM".into()],
        ..Recipients::default()
    };
    let proposal = proposed_of(&messages, &fitting, "box", &[]);
    assert_eq!(proposal.toml, "", "the order does not matter where no two meet");
    assert_eq!(
        proposal.envelope_headers,
        ["Delivered-To", "X-Envelope-To", "X-Original-To"]
    );
    let both = message(&format!(
        "X-Original-To: jane@example.com\nDelivered-To: j.doe@example.com\n{RECEIVED}"
    ));
    let reversed = Recipients {
        envelope_headers: vec!["Delivered-To".into(), "X-Original-To".into()],
        ..fitting
    };
    let messages = [vec![both; 8], vec![one("X-Original-To"); 8]].concat();
    let proposal = proposed_of(&messages, &reversed, "box", &[]);
    assert!(
        proposal
            .toml
            .contains("envelope_headers = [\"X-Original-To\", \"Delivered-To\"]"),
        "{}",
        proposal.toml
    );
}

#[test]
fn domains_are_those_of_to_and_cc_where_there_is_no_envelope() {
    let to = |domain: &str| {
        format!("From: a@example.org\nTo: x@{domain}\nCc: \"y@no.example\" <y@{domain}>\n\n").into_bytes()
    };
    let messages = [
        vec![to("example.net"); 6],
        vec![to("example.com"); 12],
        vec![to("rare.example"); 2],
    ]
    .concat();
    assert_eq!(assert_settles(&messages).local_domains, ["example.com", "example.net"]);
    let kept = Recipients {
        local_domains: vec!["Kept.example".into()],
        ..Recipients::default()
    };
    let proposal = proposed_of(&messages, &kept, "box", &[]);
    assert_eq!(proposal.local_domains, ["example.com", "example.net", "kept.example"]);
}

#[test]
fn where_reports_come_from_is_a_comment() {
    let report = |client: &str| {
        format!(
            "Delivered-To: journal@example.com\nReceived: from x ({client})\n\tby mx.example.com (Postfix); Mon\n\
             X-MS-Journal-Report:\nTo: journal@example.com\n\n"
        )
    };
    let outlook = |n: usize| report(&format!("mail-{n}.outbound.protection.outlook.com [192.0.2.{n}]"));
    let messages: Vec<Vec<u8>> = (0..10)
        .map(outlook)
        .chain((0..5).map(|_| report("unknown [192.0.2.7]")))
        .chain((0..15).map(|_| report("ex.example.com [192.0.2.8]")))
        .map(String::into_bytes)
        .collect();
    let proposal = assert_settles(&messages);
    assert!(
        proposal.toml.contains("# 30 of 30 messages are journal reports"),
        "{}",
        proposal.toml
    );
    assert!(
        proposal
            .toml
            .contains("# journal_from = [\"ex.example.com\", \"*.outbound.protection.outlook.com\", \"192.0.2.7\"]\n"),
        "{}",
        proposal.toml
    );
    assert_eq!(pasted(&proposal.toml, false).journal, Journal::Never);
    assert_eq!(pasted(&proposal.toml, true).journal_from.len(), 3);
    let unsaid = proposed(&[b"X-MS-Journal-Report:\n\n".to_vec()]);
    assert_eq!(pasted(&unsaid.toml, true).journal, Journal::Always);
}

/// A hoster appends the field; the copies that a Bcc recipient got went as duplicates of the other's.
#[test]
fn the_rules_fitted_where_the_envelope_stands_at_the_end() {
    let appended = |name: &str| {
        format!("{RECEIVED}From: eve@sender.example\nTo: bob@example.com\nX-Envelope-To: {name}@example.com\n\nhello\n")
            .into_bytes()
    };
    let messages: Vec<_> = (0..20).map(|n| appended(["bob", "jane"][n % 2])).collect();
    let proposal = assert_settles(&messages);
    assert_eq!(proposal.envelope_at, Some("end"));
    assert_eq!(proposal.envelope_headers, ["X-Envelope-To"]);
    assert_eq!(proposal.local_domains, ["example.com"]);
    assert!(
        proposal
            .toml
            .contains("\n# envelope_at = \"end\"   # only if your server appends X-Envelope-To to all mail"),
        "{}",
        proposal.toml
    );
    assert_eq!(pasted(&proposal.toml, false).envelope_at, EnvelopeAt::Top);
    // What stands above as well is believed in any case; what not all have, senders may have written.
    let both: Vec<_> = messages
        .iter()
        .map(|message| [b"Delivered-To: jane@example.com\n", &message[..]].concat())
        .collect();
    assert_eq!(proposed(&both).envelope_at, None);
    let few = [&messages[..], &vec![message(RECEIVED); 5][..]].concat();
    assert_eq!(proposed(&few).envelope_at, None);
}

/// As Courier delivers `@example.com: all`.
fn of_courier(count: usize) -> Vec<Vec<u8>> {
    let of = |number: usize| {
        let (name, to) = match number % 4 {
            0 => ("jane", "jane@example.com"),
            1 => ("bob", "list@sender.example"),
            2 => ("\"a b\"", "\"a b\"@example.com"),
            _ => ("carol", "Carol <carol@example.com>"),
        };
        let header =
            format!("Delivered-To: all-{name}@mx.example.com\n{RECEIVED}From: eve@sender.example\nTo: {to}\n\nhello\n");
        header.into_bytes()
    };
    (0..count).map(of).collect()
}

#[test]
fn what_courier_puts_around_each_address_was_not_found() {
    let messages = of_courier(24);
    let proposal = proposed_of(&messages, &Recipients::default(), "all", &[]);
    assert_eq!(proposal.strip_prefix, ["all-"]);
    assert_eq!(
        proposal.domain_aliases,
        [("mx.example.com".into(), "example.com".into())].into()
    );
    assert_eq!(proposal.local_domains, ["example.com"]);
    assert!(
        proposal.toml.contains("\nstrip_prefix = [\"all-\"]\n"),
        "{}",
        proposal.toml
    );
    assert!(
        proposal
            .toml
            .ends_with("[domain_aliases]\n\"mx.example.com\" = \"example.com\"\n"),
        "{}",
        proposal.toml
    );
    // Once it is there, there is nothing more to say.
    let recipients = pasted(&proposal.toml, false);
    let aliases = [("mx.example.com", "example.com"), ("example.net", "example.com")];
    let aliases = aliases.map(|(from, to)| (from.to_owned(), to.into())).into();
    let mut evidence = Evidence::new(&recipients).with_aliases(&aliases);
    messages
        .iter()
        .for_each(|message| evidence.look(&Header::scan(message)));
    let second = Proposal::new(&evidence, &recipients, "all", &[], |_| false).unwrap();
    assert_eq!(second.toml, "");
    assert_eq!(proposed(&messages[..19]).strip_prefix, [""; 0], "too few to say");
    // The mailbox may have any name, where the header has the addresses as they are meant.
    assert_eq!(proposed(&messages).strip_prefix, ["all-"]);
}

#[test]
fn what_addresses_have_in_common_is_no_prefix_where_it_is_part_of_them() {
    let of = |number: usize| {
        let name = ["sales-north", "sales-south"][number % 2];
        format!("Delivered-To: {name}@example.com\n{RECEIVED}From: eve@sender.example\nTo: {name}@example.com\n\n")
            .into_bytes()
    };
    let messages: Vec<_> = (0..24).map(of).collect();
    let proposal = assert_settles(&messages);
    assert_eq!((proposal.strip_prefix.len(), proposal.domain_aliases.len()), (0, 0));
    let other_names = |number: usize| {
        let name = ["sales-north", "sales-south"][number % 2];
        format!("Delivered-To: {name}@example.com\n{RECEIVED}From: eve@sender.example\nTo: x@sender.example\n\n")
            .into_bytes()
    };
    let messages: Vec<_> = (0..24).map(other_names).collect();
    assert_eq!(assert_settles(&messages).strip_prefix, [""; 0]);
}

/// Somebody forwards mail from elsewhere, where the address has the same name.
#[test]
fn a_domain_that_some_mail_is_forwarded_from_is_no_alias() {
    let of = |number: usize| {
        let domain = if number.is_multiple_of(3) {
            "example.com"
        } else {
            "forwarder.example"
        };
        format!("Delivered-To: jane@example.com\n{RECEIVED}From: eve@sender.example\nTo: jane@{domain}\n\n")
            .into_bytes()
    };
    let messages: Vec<_> = (0..24).map(of).collect();
    let proposal = proposed_of(&messages, &Recipients::default(), "box", &["jane@example.com"]);
    assert_eq!(proposal.domain_aliases.len(), 0, "{}", proposal.toml);
}

#[test]
fn hostile_headers_make_no_other_toml() {
    let hostile = "\"]\\nown_addresses = [\\\"x";
    let lines = format!(
        "Delivered-To: \"a\\\"b'''\\\\ ]\"@example.com\nX-Original-To: \"{hostile}\"@example.com\n\
         Received: from x (\") by \"evil\n\tby evil\"]; Mon\n"
    );
    let proposal = assert_settles(&vec![message(&lines); 25]);
    assert!(proposal.toml.lines().count() <= 4, "{}", proposal.toml);
}

#[test]
fn without_headers_nothing_is_proposed() {
    let recipients = Recipients::default();
    assert_eq!(
        Proposal::new(&Evidence::new(&recipients), &recipients, "box", &[], |_| false),
        None
    );
    let proposal = proposed(&[Vec::new(), b"\0\xff".to_vec()]);
    assert_eq!(proposal.toml, "");
}
