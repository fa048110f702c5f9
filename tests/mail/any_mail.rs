//! What holds for any bytes whatever, under any profile: they are read without a panic, whoever is found is really
//! named in them, and what does not count does not matter. Some thousand cases; PROPTEST_CASES makes it more (`make
//! fuzz`).

use bytes::Bytes;
use dropkeep::{
    config::{Hosts, Journal, Recipients, Use},
    identify::{Found, Header, Identified, JournalReport, Named, Role, Rules},
    message::Address,
};
use proptest::{prelude::*, sample::select};

fn cases() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: std::env::var_os("PROPTEST_CASES").map_or(4_000, |_| default.cases),
        failure_persistence: None,
        ..default
    }
}

/// Any profile.
fn recipients() -> impl Strategy<Value = Recipients> {
    let steps = select(vec![Use::Auto, Use::Envelope, Use::Headers, Use::All]);
    let journal = select(vec![Journal::Never, Journal::From, Journal::Always]);
    let strip_prefix = select(vec![vec![], vec!["a".to_owned()], vec!["a.".into(), "c.d".into()]]);
    let switches = (any::<bool>(), any::<bool>());
    (steps, journal, 0..3usize, strip_prefix, switches).prop_map(
        |(steps, journal, trusted_received, strip_prefix, (senders, plus_addressing))| Recipients {
            steps,
            journal,
            journal_from: ["y.example", "192.0.2.0/24"]
                .into_iter()
                .filter_map(Hosts::parse)
                .collect(),
            trusted_received,
            strip_prefix,
            senders,
            plus_addressing,
            own_addresses: vec!["own@b.example".into()],
            ..Recipients::default()
        },
    )
}

/// Where a report begins that even `from` believes.
const REPORT: &str = "Received: from x.example (y.example [192.0.2.1]) by z; Mon\nX-MS-Journal-Report:\n\
                      Content-Type: multipart/mixed; boundary=b\n\n--b\n";

const PIECES: [&str; 62] = [
    "To: ",
    "\nTo: ",
    "\nCc: ",
    "\nBcc:",
    "\nFrom: ",
    "\nSender: ",
    "\nResent-To: ",
    "\nResent-From: ",
    "\nReceived: ",
    "\nReceived: from x.example (y.example [192.0.2.1]) by z",
    " for ",
    " for <a@b.example>; Mon",
    "\nDelivered-To: ",
    "\nX-Envelope-To: a@b.example",
    "\nX-MS-Journal-Report:",
    "\nContent-Type: multipart/mixed; boundary=b",
    "\nContent-Type: message/rfc822",
    "\nContent-Type: text/plain",
    "\nContent-Transfer-Encoding: base64",
    "\nContent-Transfer-Encoding: quoted-printable",
    "\nRecipient: ",
    "\nOn-Behalf-Of: ",
    ", Expanded: ",
    ", Forwarded: ",
    "VG86IGFAYi5leGFtcGxlCg==",
    "=\n",
    "=3C",
    "=40",
    "\n--b\n",
    "\n--b--\n",
    "\n\n",
    "\n",
    "\r\n",
    "\n ",
    "\r\n\t",
    " ",
    "a@b.example",
    "C.D@B.Example",
    "own@b.example",
    "own+e@b.example",
    "ü@ü.example",
    "a",
    "c.d",
    "mailto:",
    "@",
    "<",
    ">",
    "(",
    ")",
    "\"",
    "\\",
    ",",
    ";",
    ":",
    "[",
    "]",
    ".",
    "<a@b.example>",
    "\"f g\"@b.example",
    "(h) ",
    "From x\n",
    "Date: Mon, 5 Jan 2026 12:00:00 +0000",
];

/// Mail of pieces that mean something to whoever reads it, and some bytes that do not.
fn of_pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => select(PIECES.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => select(b"\0\x07\x80\xff\xc3\r".to_vec()).prop_map(|byte| vec![byte]),
    ];
    let pieces = prop::collection::vec(piece, 0..90);
    (any::<bool>(), pieces).prop_map(|(report, pieces)| {
        let head = if report { REPORT } else { "" };
        [head.as_bytes(), &pieces.concat()].concat()
    })
}

/// Reads the message in both ways, which agree.
fn read(message: &[u8], recipients: &Recipients) -> Result<Identified, TestCaseError> {
    let rules = Rules::new(recipients, "all@example.com");
    let message = Bytes::copy_from_slice(message);
    let identified = Identified::new(message.clone(), None, &rules);
    let survey = rules.overview(&message, &mut |_, _| false);
    prop_assert_eq!(&survey.found, &identified.found);
    // What is handed on one by one, where there is too much of it, is the same.
    let (mut recipients, mut senders) = (Vec::new(), Vec::new());
    let left_out = rules.look_through(&message, &mut |named, role| {
        let list = match role {
            Role::Recipient => &mut recipients,
            Role::Sender => &mut senders,
        };
        if !list.iter().any(|one: &Named| one.address == named.address) {
            list.push(named.clone());
        }
        false
    });
    prop_assert!(left_out.recipients.is_empty() && left_out.senders.is_empty());
    prop_assert_eq!(
        (&recipients, &senders),
        (&identified.found.recipients, &identified.found.senders)
    );
    prop_assert_eq!(survey.reported, identified.journal.reported());
    Ok(identified)
}

/// Text without what may stand between the letters of an address, in lower case.
fn squeezed(text: &str) -> String {
    let text = text.replace(|c: char| c.is_whitespace() || matches!(c, '"' | '\\'), "");
    text.to_lowercase()
}

/// Whether `text`, squeezed, names the address. A comment may stand at each dot and `@`.
fn names(text: &str, address: &Address) -> bool {
    let (local, _) = address.as_str().rsplit_once('@').expect("an address");
    let (domain, _) = idna::domain_to_unicode(address.domain());
    if text.contains('(') {
        let mut pieces = local.split(['.', '@']).chain(domain.split('.'));
        pieces.all(|piece| text.contains(&squeezed(piece)))
    } else {
        text.contains(&squeezed(&format!("{local}@{domain}")))
    }
}

/// Fields that count, or may.
const FIELDS: [&str; 15] = [
    "Received: from x.example (y.example [192.0.2.1]) by a for <x@example.com>; Mon",
    "Received: from x.example (other.example [198.51.100.1]) by b; Mon",
    "Received: from c",
    "Delivered-To: a@example.com",
    "Delivered-To: all@example.com",
    "X-Envelope-To: b@example.com, c@example.com",
    "To: d@example.com",
    "Cc: E <e@example.com>,\n f@example.com",
    "Bcc: all+x@example.com",
    "From: g@example.com",
    "Sender: h@example.com",
    "Resent-To: i@example.com",
    "Resent-From: j@example.com",
    "Resent-Cc: k@example.com",
    "Resent-Date: Mon, 5 Jan 2026 12:00:00 +0000",
];

/// Fields that never do.
const OTHERS: [&str; 8] = [
    "Subject: To: s@example.com",
    "X-Other: to@example.com",
    "DKIM-Signature: v=1; h=to:from;\n b=x",
    "List-Id: <l.example.com>",
    "Reply-To: r@example.com",
    "Message-ID: <m@example.com>",
    "X-To: t@example.com",
    "Disposition-Notification-To: n@example.com",
];

/// Fields that count in an order, and others, each with two places among them.
type Fields = (Vec<&'static str>, Vec<(&'static str, usize, usize)>);

fn fields() -> impl Strategy<Value = Fields> {
    let other = (select(OTHERS.to_vec()), 0..16usize, 0..16usize);
    (
        prop::collection::vec(select(FIELDS.to_vec()), 0..12),
        prop::collection::vec(other, 0..8),
    )
}

/// The fields with the others at their first places, their second ones, or nowhere.
fn written((counting, others): &Fields, place: impl Fn(&(&'static str, usize, usize)) -> Option<usize>) -> String {
    let mut lines = counting.clone();
    for other in others {
        if let Some(at) = place(other) {
            lines.insert(at.min(lines.len()), other.0);
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_bytes_are_read(message in prop::collection::vec(any::<u8>(), 0..400), recipients in recipients()) {
        read(&message, &recipients)?;
    }

    #[test]
    fn any_pieces_of_mail_are_read_and_whoever_is_found_is_named_in_them(message in of_pieces(), recipients in recipients()) {
        let identified = read(&message, &recipients)?;
        let envelope = JournalReport::read(&message, &Header::scan(&message)).map(|report| report.envelope);
        let enclosed = String::from_utf8_lossy(&identified.bytes);
        let envelope = String::from_utf8_lossy(envelope.as_deref().unwrap_or_default());
        let looked_at = squeezed(&(String::from_utf8_lossy(&message) + &*enclosed + &*envelope));
        let found = identified.found.recipients.iter().chain(&identified.found.senders);
        for Named { address, field } in found {
            prop_assert!(names(&looked_at, address), "{} of {}", address, field);
        }
    }

    #[test]
    fn where_fields_stand_that_do_not_count_does_not_matter(
        outer in fields(), inner in fields(), report in any::<bool>(), recipients in recipients(),
    ) {
        let message = |place: fn(&(&'static str, usize, usize)) -> Option<usize>| {
            let (outer, inner) = (written(&outer, place), written(&inner, place));
            let envelope = "Sender: u@example.com\nTo: v@example.com, Expanded: w@example.com\n";
            if report {
                format!(
                    "{outer}X-MS-Journal-Report:\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n{envelope}--b\n\
                     Content-Type: message/rfc822\n\n{inner}\nbody\n--b--\n"
                )
            } else {
                format!("{outer}\nbody\n")
            }
        };
        let first = read(message(|other| Some(other.1)).as_bytes(), &recipients)?.found;
        let second = read(message(|other| Some(other.2)).as_bytes(), &recipients)?.found;
        let without = read(message(|_| None).as_bytes(), &recipients)?.found;
        // What stands last is told, and names nobody.
        let decided = |found: Found| Found { ends_with_envelope: false, ..found };
        let (first, second, without) = (decided(first), decided(second), decided(without));
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(&first, &without);
    }
}
