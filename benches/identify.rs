//! `make bench BENCH=identify`: how long a copy takes to be read, by criterion: its header, its date, whom it is for,
//! and where its large bodies are. Not its digests, whose speed is that of the functions. A table to read, not a test.

#[path = "store/table.rs"]
#[allow(dead_code)]
mod table;

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput};
use dropkeep::{
    config::{Journal, Recipients},
    identify::{Identified, Journaled, Rules, large_leaves},
};
use support::generator::{many_recipients, sized};
use table::Goal;

/// Microseconds that a message of a few KB may take.
const GOAL_SMALL: f64 = 40.0;
/// Microseconds a KB that a large one may take.
const GOAL_LARGE: f64 = 0.5;

/// A message to measure.
struct Case {
    what: &'static str,
    message: Bytes,
    goal: Goal,
}

fn main() {
    let part = std::env::var("BENCH").unwrap_or_default();
    if !matches!(part.as_str(), "" | "identify") {
        return;
    }
    table::busy();
    let large = Goal::AtMost(GOAL_LARGE);
    let cases = [
        case("a message of 4 KB", typical(), Goal::AtMost(GOAL_SMALL)),
        case("a text of 1 MB", large_text(1_000_000), large),
        case("a message of 1 MB with an attachment", sized(1_000_000, 1), large),
        case("a message of 25 MB with attachments", attachments(5, 5_000_000), large),
        case("a journal report around 5 MB", report(&sized(5_000_000, 2), ""), large),
        case(
            "a journal report around 5 MB in base64",
            report(&sized(5_000_000, 2), "base64"),
            Goal::None,
        ),
        case("a message to 10,000 people", many_recipients(10_000), Goal::None),
    ];
    let recipients = Recipients {
        journal: Journal::Always,
        ..Recipients::default()
    };
    let rules = Rules::new(&recipients, "all@example.com");
    check(&cases, &rules);
    let mut criterion = Criterion::default()
        .configure_from_args()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3));
    let mut group = criterion.benchmark_group("identify");
    let mut measured = Vec::new();
    for case in &cases {
        let mut times = Vec::new();
        group.throughput(Throughput::Bytes(case.message.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(case.what), case, |bencher, case| {
            bencher.iter_custom(|rounds| {
                let started = Instant::now();
                for _ in 0..rounds {
                    black_box(read(black_box(&case.message), &rules));
                }
                let took = started.elapsed();
                times.push(took.as_secs_f64() * 1e6 / rounds as f64);
                took
            });
        });
        // A case that criterion's filter leaves out was not measured.
        measured.extend(table::quantile(&times, 0.5).map(|median| (case, median)));
    }
    group.finish();
    table::head("identifying without digests, the median");
    for (case, micros) in measured {
        let kilobytes = case.message.len() as f64 / 1e3;
        match case.goal {
            Goal::AtMost(GOAL_SMALL) => table::row(case.what, micros, case.goal, "µs"),
            goal => table::row(case.what, micros / kilobytes, goal, "µs/KB"),
        }
    }
}

/// All that identifying and preparing do with a copy, digests left out.
fn read(message: &Bytes, rules: &Rules) -> usize {
    let identified = Identified::read(message.clone(), None, rules, |_, _| Default::default());
    large_leaves(&identified.bytes).len() + identified.found.recipients.len()
}

/// What is measured is what it says it is.
fn check(cases: &[Case], rules: &Rules) {
    for case in cases {
        let identified = Identified::new(case.message.clone(), None, rules);
        assert!(!identified.found.recipients.is_empty(), "{}: for somebody", case.what);
        assert!(identified.date.is_some(), "{}: of some day", case.what);
        let enclosed = matches!(identified.journal, Journaled::Around(_));
        assert_eq!(enclosed, case.what.contains("report"), "{}", case.what);
    }
}

fn case(what: &'static str, message: Vec<u8>, goal: Goal) -> Case {
    // As it comes over the wire, and with what servers write on the way.
    let head = "Return-Path: <news-return@lists.example.org>\nDelivered-To: all@example.com\nDelivered-To: jane@example.com\n\
                Received: from mail.example.org (mail.example.org [192.0.2.1])\n\tby mx.example.com (Postfix) with ESMTPS id 4XyZ\n\
                \tfor <jane@example.com>; Mon, 5 Jan 2026 12:00:01 +0000 (UTC)\n\
                Received: from [10.0.0.5] (localhost [127.0.0.1])\n\tby mail.example.org (8.17/8.17) with ESMTP id 12;\n\
                \tMon, 5 Jan 2026 12:00:00 +0000\nDate: Mon, 5 Jan 2026 12:59:58 +0100\n\
                Message-ID: <1234.5678@mail.example.org>\nDKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=a;\n\
                \th=from:to:subject:date; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSb\n";
    let text = [head.as_bytes(), &message].concat();
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    let message = lines.flat_map(|line| match line.strip_suffix(b"\n") {
        Some(line) => [line, b"\r\n"].concat(),
        None => line.to_vec(),
    });
    Case {
        what,
        message: message.collect::<Vec<u8>>().into(),
        goal,
    }
}

fn text(size: usize) -> String {
    let line = "It was agreed that the figures for the last quarter are sent to all who asked for them.\n";
    line.repeat(size / line.len() + 1)
}

fn typical() -> Vec<u8> {
    let head = "From: \"Doe, Jane\" <jane.doe@example.org>\nTo: Bob <bob@example.com>, \"Roe, R.\" <roe@example.com>\n\
                Cc: team@example.com, =?utf-8?q?J=C3=BCrgen?= <juergen@example.net>\nSubject: figures for the quarter\n\
                MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n";
    (head.to_owned() + &text(3_000)).into_bytes()
}

fn large_text(size: usize) -> Vec<u8> {
    format!(
        "From: jane@example.org\nTo: bob@example.com\nSubject: long\n\n{}",
        text(size)
    )
    .into_bytes()
}

fn attachments(count: u64, size: usize) -> Vec<u8> {
    let mut message = String::from(
        "From: jane@example.org\nTo: bob@example.com\nContent-Type: multipart/mixed; boundary=\"outer=_boundary\"\n\n",
    );
    for number in 0..count {
        let file = String::from_utf8(sized(size, number)).expect("ASCII");
        let (_, body) = file.split_once("base64\n\n").expect("a file");
        let (lines, _) = body.split_once("--").expect("its end");
        message += "--outer=_boundary\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n";
        message += lines;
    }
    message += "--outer=_boundary--\n";
    message.into_bytes()
}

/// A report of a Microsoft server around the message, which is encoded so.
fn report(message: &[u8], encoding: &str) -> Vec<u8> {
    let head = "From: <MicrosoftExchange@example.com>\nTo: journal@example.com\nX-MS-Journal-Report:\nMIME-Version: 1.0\n\
                Content-Type: multipart/mixed; boundary=\"journal_boundary\"\n\n--journal_boundary\n\
                Content-Type: text/plain; charset=us-ascii\n\nSender: jane@example.org\nSubject: large\n\
                Message-Id: <1@example.org>\nTo: bob@example.com\nBcc: roe@example.com, Expanded: team@example.com\n\n\
                --journal_boundary\nContent-Type: message/rfc822\n";
    let mut enclosed = [b"Date: Mon, 5 Jan 2026 12:59:58 +0100\n".as_slice(), message].concat();
    if encoding == "base64" {
        let lines = enclosed.chunks(57).map(|line| STANDARD.encode(line) + "\n");
        enclosed = lines.collect::<String>().into_bytes();
    }
    let encoding = format!("Content-Transfer-Encoding: {encoding}\n\n");
    [
        head.as_bytes(),
        encoding.as_bytes(),
        &enclosed,
        b"\n--journal_boundary--\n",
    ]
    .concat()
}
