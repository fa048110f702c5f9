//! Small messages for an archive that grows: each by its number, the same each time.

use std::{
    fs::File,
    io::{BufWriter, Write},
    ops::Range,
    path::Path,
};

use jiff::{Timestamp, fmt::rfc2822};

use crate::{
    growth::{Dates, GROWTH_SEED},
    support::generator::{Person, Random, company_of, plain},
};

const USERS: usize = 500;
/// The ten years of the dates: from 2015 on.
const BEGIN: i64 = 1_420_070_400;
const SECONDS: i64 = 10 * 365 * 86_400;
/// A day in the middle of them, as the command line takes it.
pub const MIDDLE: &str = "2019-12-31";

/// A search of each kind, of which all but the phrase of four find something.
pub const QUERIES: [(&str, &str); 20] = [
    ("a word", "report"),
    ("a frequent word", "net"),
    ("two words", "please meeting"),
    ("three words", "letter friday plan"),
    ("a phrase", "\"please plan\""),
    ("a phrase of four", "\"more than one of\""),
    ("in the subject", "subject:report"),
    ("a phrase in the subject", "subject:\"please plan\""),
    ("an address", "from:sender7@example.net"),
    ("a domain", "from:@example.net"),
    ("a recipient", "recipient:example.com"),
    ("a month", "date:2019-09"),
    ("years", "date:2016..2019"),
    ("a word since", "time after:2019-09-01"),
    ("by size", "larger:10K"),
    ("any ending", "repo*"),
    ("any middle", "subject:m?re"),
    ("without", "meeting -report"),
    ("one of four", "(invoice OR report) (friday OR monday)"),
    ("in two fields", "subject:report from:sender7@example.net"),
];

/// What was written.
pub struct Made {
    pub bytes: u64,
    pub largest: u64,
}

/// Writes the messages with these numbers, of `all`, into an mbox.
pub fn write(mbox: &Path, numbers: Range<usize>, all: usize, dates: Dates) -> Made {
    let people = company_of(USERS);
    let mut file = BufWriter::with_capacity(1 << 20, File::create(mbox).expect("an mbox"));
    let mut made = Made { bytes: 0, largest: 0 };
    for number in numbers {
        let message = message(number, all, dates, &people);
        made.bytes += message.len() as u64;
        made.largest = made.largest.max(message.len() as u64);
        file.write_all(b"From growth Thu Jan  1 00:00:00 2026\n")
            .expect("written");
        file.write_all(message.as_bytes()).expect("written");
        file.write_all(b"\n").expect("written");
    }
    file.flush().expect("written");
    made
}

fn message(number: usize, all: usize, dates: Dates, people: &[Person]) -> String {
    let mut random = Random(GROWTH_SEED.wrapping_add((number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let second = match dates {
        Dates::AtRandom => random.below(SECONDS as usize) as i64,
        Dates::InOrder => (number as i64).saturating_mul(SECONDS) / all as i64,
    };
    let date = Timestamp::from_second(BEGIN + second)
        .expect("a date")
        .to_zoned(jiff::tz::TimeZone::UTC);
    let date = rfc2822::to_string(&date).expect("a date that mail can say");
    // 2.4 users on average.
    let users = [1, 2, 2, 3, 4][random.below(5)];
    let to: Vec<String> = (0..users)
        .map(|_| {
            let person = &people[random.below(people.len())];
            format!("{} <{}>", person.name, person.addresses[0])
        })
        .collect();
    let sender = random.below(20_000);
    let size = random.around(1_200);
    let subject = plain(&mut random, 30).replace(['\n', '\r'], " ");
    let body = plain(&mut random, size);
    format!(
        "Received: from mx{}.example.net (mx.example.net [192.0.2.{}])\n\tby mail.example.com with ESMTPS id {:016x};\n\t{date}\n\
         From: Sender {sender} <sender{sender}@example.net>\nTo: {}\nSubject: {subject}\nDate: {date}\n\
         Message-ID: <{:016x}.{number}@example.net>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{body}\n",
        random.below(9),
        random.below(250),
        random.next(),
        to.join(",\n\t"),
        random.next(),
    )
    .replace("\nFrom ", "\n>From ")
}
