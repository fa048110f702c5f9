//! Mail of 10 MB that somebody made to be slow to read takes time in proportion to its length. Where something looked
//! twice at each byte of the rest for each byte, each of these would take minutes, or hours.

use std::time::{Duration, Instant};

use bytes::Bytes;
use dropkeep::{
    config::{Journal, Recipients, Use},
    identify::{Identified, Journaled, Role, Rules, large_leaves},
};

/// Far more than any of these takes, on any machine.
const BOUND: Duration = Duration::from_secs(20);

/// Reads and surveys the message under the rules that look at the most.
fn read(what: &str, message: Vec<u8>) -> Read {
    let recipients = Recipients {
        steps: Use::All,
        journal: Journal::Always,
        trusted_received: 2,
        strip_prefix: vec!["prefix-".into()],
        ..Recipients::default()
    };
    let rules = Rules::new(&recipients, "all@example.com");
    let message = Bytes::from(message);
    let started = Instant::now();
    let identified = Identified::new(message.clone(), None, &rules);
    large_leaves(&identified.bytes);
    let survey = rules.overview(&message, &mut |_, _| false);
    let mut named = (0, 0);
    rules.look_through(&message, &mut |_, role| {
        match role {
            Role::Recipient => named.0 += 1,
            Role::Sender => named.1 += 1,
        }
        false
    });
    let took = started.elapsed();
    println!("{what}: {} bytes in {took:?}", message.len());
    assert!(took < BOUND, "{what}: {took:?}");
    if identified.found.more == 0 {
        assert_eq!(survey.found, identified.found, "{what}");
    }
    Read { identified, named }
}

/// A message as it was read.
struct Read {
    identified: Identified,
    /// How often recipients are named, and senders.
    named: (usize, usize),
}

fn field(name: &str, value: &str) -> Vec<u8> {
    format!("{name}: {value}\n\nbody\n").into_bytes()
}

#[test]
fn a_field_of_ten_megabytes() {
    let letters = "x".repeat(10_000_000);
    read("To", field("To", &letters));
    read("an address", field("To", &format!("{letters}@{letters}.example")));
    read(
        "a name beyond ASCII",
        field("To", &format!("a@{}.example", "ü".repeat(1_000_000))),
    );
    read(
        "labels beyond ASCII",
        field("To", &format!("a@{}example", "ü.".repeat(700_000))),
    );
    read("Subject", field("Subject", &letters));
    read("Date", field("Date", &letters));
    read("no colon", letters.into_bytes());
}

#[test]
fn many_fields() {
    for line in ["X-A: b\n", "a:\n", "To:\n", "Sender: a@b.example\n", "Resent-Date:\n"] {
        read(line, line.repeat(10_000_000 / line.len() / 2).into_bytes());
    }
    read("mbox lines", "From x\n".repeat(1_000_000).into_bytes());
}

#[test]
fn three_hundred_thousand_addresses() {
    let all: Vec<_> = (0..300_000)
        .map(|number| format!("Guest <guest-{number}@example.org>"))
        .collect();
    assert_eq!(read("To", field("To", &all.join(",\n\t"))).named.0, 300_000);
    assert_eq!(read("From", field("From", &all[..100_000].join(","))).named.1, 100_000);
}

#[test]
fn two_hundred_thousand_fields_of_a_trace() {
    let fields = |line: fn(usize) -> String| (0..200_000).map(line).collect::<String>().into_bytes();
    let found = read(
        "Received",
        fields(|number| format!("Received: from a (b [192.0.2.1]) by c for <{number}@example.com>; Mon\n")),
    )
    .identified
    .found;
    assert_eq!(found.recipients, [], "two of our own servers disagree");
    let found = read(
        "Resent-To",
        fields(|number| format!("Resent-To: {number}@example.com\n")),
    )
    .identified
    .found;
    assert_eq!(found.recipients.len(), 1, "the newest block decides");
    let mut envelope = fields(|number| format!("Delivered-To: prefix-{number}@example.com\n"));
    envelope.extend_from_slice(b"Received: a\nReceived: b\nReceived: c\n");
    assert_eq!(read("Delivered-To", envelope).named.0, 200_000);
}

#[test]
fn a_field_of_a_hundred_thousand_lines() {
    let found = read("folded", field("To", &"a@example.com,\n ".repeat(100_000)))
        .identified
        .found;
    assert_eq!(found.recipients.len(), 1);
    read("only white space", field("To", &"\n\t \r\n ".repeat(1_000_000)));
    read("nothing but commas", field("Cc", &",\n ".repeat(1_000_000)));
}

/// What opens, over and over, and is never closed.
const OPENING: [&str; 18] = [
    "(", "\"", "<", "[", "\\", "((\"", "<\"", "<\\", "<\\>\\", "\\<\"", "[:", "a.", "@", "<(", "(\\", "a <b> ", "for ",
    "for <a",
];

#[test]
fn addressees_that_open_and_never_close() {
    for piece in OPENING {
        read(piece, field("To", &piece.repeat(1_000_000 / piece.len())));
    }
}

#[test]
fn a_trace_that_opens_and_never_closes() {
    for piece in OPENING {
        let pieces = piece.repeat(1_000_000 / piece.len());
        read(
            piece,
            field("Received", &format!("from a {pieces} <[:{}", ":".repeat(500_000))),
        );
    }
}

/// A report with these lines as its envelope, and what follows behind them.
fn report(content_type: &str, envelope: &str, rest: &str) -> Vec<u8> {
    let head = "X-MS-Journal-Report:\nContent-Type: multipart/mixed; ";
    format!("{head}{content_type}\n\n--b\nContent-Type: text/plain\n\nSender: a@example.com\n{envelope}\n--b\n{rest}")
        .into_bytes()
}

#[test]
fn a_report_with_a_long_envelope() {
    let enclosed = "Content-Type: message/rfc822\n\nSubject: x\n\nx\n--b--\n";
    let lines: String = (0..100_000)
        .map(|number| format!("To: {number}@example.com, Expanded: list-{number}@example.com\n"))
        .collect();
    let of_lines = read("lines", report("boundary=b", &lines, enclosed));
    assert_eq!(of_lines.named.0, 200_000);
    assert!(matches!(of_lines.identified.journal, Journaled::Around(_)));
    let origins = ", Expanded: a@example.com, Forwarded: b@example.com,".repeat(60_000);
    let of_one = read("one line", report("boundary=b", &format!("To: {origins}"), enclosed));
    assert_eq!(of_one.identified.found.recipients.len(), 2);
    read(
        "commas",
        report("boundary=b", &format!("To: {}", ", ".repeat(1_000_000)), enclosed),
    );
}

#[test]
fn a_report_with_a_million_delimiters() {
    let million = |line: &str| line.repeat(1_000_000);
    for line in ["--b\n", "--bx\n", "--b", "\n--b x", "--b\n\n--b--x\n", "-", "\n--"] {
        read(line, report("boundary=b", "", &million(line)));
    }
    let nested = "Content-Type: multipart/mixed; boundary=b\n\n--b\n".repeat(100_000);
    read("nested", report("boundary=b", "", &nested));
    for parameters in [million("a;"), million("boundary;"), million("; boundary=\"b")] {
        read("parameters", report(&parameters, "", "--b\n"));
    }
    let quoted = format!("boundary=\"{}\"", "-".repeat(5_000_000));
    read("a long boundary", report(&quoted, "", &million("\n----")));
}
