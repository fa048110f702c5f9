//! The mail that comes in. Each message has a Message-ID and a body that no other has, and for whom it is is known.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;

use crate::support::generator::{Person, Random, company};

pub const CATCHALL: &str = "@catchall";

/// A message, and its copies: the same bytes, or an envelope header each.
pub struct Message {
    pub id: String,
    pub copies: Vec<Copy>,
}

pub struct Copy {
    pub bytes: Vec<u8>,
    /// Into whose archives it has to come.
    pub users: BTreeSet<String>,
}

pub struct Writer {
    people: Vec<Person>,
    written: u64,
    seed: u64,
}

impl Writer {
    pub fn new(seed: u64) -> Self {
        Self {
            people: company(),
            written: 0,
            seed,
        }
    }

    pub fn write(&mut self, random: &mut Random) -> Message {
        self.written += 1;
        let number = self.written;
        let id = format!("<{number}.{:x}@soak.example>", self.seed);
        let stranger = format!("visitor{}@sender.example", random.below(200));
        let unknown = format!("nobody{}@elsewhere.example", random.below(500));
        let fields = |from: &str, to: &str| {
            let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000");
            format!(
                "Received: from mx.example.com by mail.example.com with ESMTP id {number}; {date}\r\n\
                 From: {from}\r\nTo: {to}\r\nSubject: Number {number}\r\nDate: {date}\r\nMessage-ID: {id}\r\n"
            )
        };
        let body = body(random, number);
        let copy = |envelope: &str, from: &str, to: &str, users: &[&str]| Copy {
            bytes: format!("{envelope}{}{body}", fields(from, to)).into_bytes(),
            users: users.iter().map(|&user| user.to_owned()).collect(),
        };
        let copies = match random.below(100) {
            // From outside, to one or several people, some others among them.
            0..45 => {
                let people = self.some(random, 3);
                let mut to: Vec<_> = people.iter().map(|(_, address)| address.clone()).collect();
                if random.chance(20) {
                    to.push(unknown);
                }
                let names: Vec<_> = people.iter().map(|(name, _)| name.as_str()).collect();
                vec![copy("", &stranger, &to.join(", "), &names)]
            }
            // Out of the house, or within it.
            45..60 => {
                let people = self.some(random, 2);
                let to = people.get(1).map_or(&unknown, |(_, address)| address);
                let names: Vec<_> = people.iter().map(|(name, _)| name.as_str()).collect();
                vec![copy("", &people[0].1, to, &names)]
            }
            60..70 => vec![copy("", &stranger, &unknown, &[CATCHALL])],
            // To a list elsewhere: a copy for each, whom only the envelope names.
            70..88 => self
                .some(random, 4)
                .iter()
                .map(|(name, address)| {
                    let envelope = format!("Delivered-To: {address}\r\n");
                    copy(&envelope, &stranger, "talk@lists.example", &[name.as_str()])
                })
                .collect(),
            // The same twice.
            _ => {
                let people = self.some(random, 1);
                let twice = || copy("", &stranger, &people[0].1, &[people[0].0.as_str()]);
                let first = twice();
                let second = Copy {
                    bytes: first.bytes.clone(),
                    users: first.users.clone(),
                };
                vec![first, second]
            }
        };
        Message { id, copies }
    }

    /// One to `most` different people, each with one of their addresses.
    fn some(&self, random: &mut Random, most: usize) -> Vec<(String, String)> {
        let first = random.below(self.people.len());
        // So many steps apart that nobody comes twice.
        let step = 1 + random.below(self.people.len() / most - 1);
        (0..1 + random.below(most))
            .map(|nth| {
                let person = &self.people[(first + nth * step) % self.people.len()];
                let plain = |address: &&String| address.is_ascii() && !address.contains('"');
                let addresses: Vec<_> = person.addresses.iter().filter(plain).collect();
                (person.name.clone(), addresses[random.below(addresses.len())].clone())
            })
            .collect()
    }
}

/// The rest of the header, and the body: text, and sometimes a file, which can be one that others have as well.
fn body(random: &mut Random, number: u64) -> String {
    let size = random.around(2_500);
    let text = words(random, size);
    if !random.chance(12) {
        return format!("\r\nThis is number {number}.\r\n{text}");
    }
    let shared = random.chance(40);
    let seed = if shared { random.next() % 5 } else { random.next() };
    let mut file = Random(seed);
    let size = 15_000 + file.below(120_000);
    let encoded = STANDARD.encode(file.bytes(size));
    let lines: String = encoded
        .as_bytes()
        .chunks(76)
        .map(|line| format!("{}\r\n", String::from_utf8_lossy(line)))
        .collect();
    format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=soak\r\n\r\n--soak\r\n\r\nThis is number {number}.\r\n\
         {text}--soak\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n{lines}--soak--\r\n"
    )
}

fn words(random: &mut Random, size: usize) -> String {
    const WORDS: [&str; 12] = [
        "order", "invoice", "meeting", "Tuesday", "please", "attached", "thanks", "offer", "delivery", "office", "the",
        "and",
    ];
    let mut text = String::with_capacity(size + 80);
    let mut column = 0;
    while text.len() < size {
        let word = random.pick(&WORDS);
        text.push_str(word);
        column += word.len() + 1;
        if column > 70 {
            text.push_str(&format!(" {}\r\n", random.below(10_000)));
            column = 0;
        } else {
            text.push(' ');
        }
    }
    text + "\r\n"
}
