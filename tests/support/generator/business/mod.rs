//! The multidrop mailbox of a business: not many messages, but large ones, and half of the bytes are files
//! that people attach.
//!
//! What an administrator would recognise, measured over 4,000 messages of the tests' seed (other seeds and sizes
//! differ by some percent: few large files make up many of the bytes):
//!
//! | | |
//! | --- | --- |
//! | average size of a message | 75 KB |
//! | attached files, of all bytes | 54 % |
//! | pictures inside texts, of all bytes | 9 % |
//! | attached bytes that were attached to an earlier message too | 44 % |
//!
//! An attached file recurs
//!
//! - because the mailbox holds one copy for each recipient of a message: two in five messages are for several of
//!   us, and of these the server delivers two in five so, each copy with trace fields of its own. The others lie
//!   there once for all;
//! - because it is passed on (one message in twelve is a forward, every third of these as `message/rfc822`) or
//!   attached again (every eighth file that somebody attaches is one of the last four hundred). Whoever passes
//!   a file on encodes it anew, in lines as their own mail program makes them.
//!
//! Files are what office programs, scanners, cameras and machines make: most are compressed already. We and half of our
//! partners have a logo in the signature, and replies carry the logos of those whom they quote. One message
//! in ten has bare LF as its line end, the others CRLF. `files` makes the files, `office` the companies, `parts`
//! writes MIME, `letters` says who writes what to whom.

mod files;
mod letters;
mod office;
mod parts;

use std::{collections::VecDeque, sync::Arc};

use super::{
    super::dovecot::MAILBOX,
    Random,
    company::{self, DOMAIN, Person},
    mail::date,
};
use files::File;
use letters::{Letter, Talk};
use office::Office;

/// Companies that write to us and to whom we write.
const PARTNERS: usize = 60;
/// Seconds between messages, on average.
const PACE: usize = 90;
/// Copies of messages that were delivered once for each recipient, and that arrive between other mail.
const WAITING: usize = 12;

/// The messages of the mailbox, in the order in which they arrived. Same seed, same bytes; memory does not grow.
pub struct Business {
    random: Random,
    people: Vec<Person>,
    /// Ours, then the partners.
    offices: Vec<Office>,
    left: usize,
    /// Seconds since 1970.
    clock: i64,
    talks: VecDeque<Talk>,
    /// Files attached lately.
    files: VecDeque<File>,
    waiting: VecDeque<(Arc<Letter>, String)>,
    tally: Tally,
}

/// What the messages made so far consist of. Bytes are those of the messages, so files count as encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub messages: usize,
    pub bytes: usize,
    /// Bytes of attached files.
    pub attached: usize,
    /// Those of them that are a file that an earlier message carried.
    pub recurring: usize,
    /// Bytes of pictures inside texts.
    pub inline: usize,
}

impl Business {
    pub fn new(messages: usize, seed: u64) -> Self {
        let mut random = Random(seed);
        let offices = (0..=PARTNERS)
            .map(|number| {
                let domain = match number {
                    0 => DOMAIN.to_owned(),
                    number => format!("partner-{number}.example"),
                };
                Office::new(number, domain, &mut random)
            })
            .collect();
        Self {
            random,
            people: company::company(),
            offices,
            left: messages,
            clock: 1_700_000_000,
            talks: VecDeque::new(),
            files: VecDeque::new(),
            waiting: VecDeque::new(),
            tally: Tally::default(),
        }
    }

    /// What has been made so far.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// The next message before its delivery: a copy of one that has arrived already, or a new one.
    fn arriving(&mut self) -> (Arc<Letter>, Vec<String>) {
        let enough = self.waiting.len() > WAITING || self.random.chance(45);
        if enough && let Some((letter, recipient)) = self.waiting.pop_front() {
            self.tally.recurring += letter.attached;
            return (letter, vec![recipient]);
        }
        let (letter, mut recipients) = self.write();
        self.tally.recurring += letter.attached - letter.fresh;
        let letter = Arc::new(letter);
        if recipients.len() > 1 && self.random.chance(40) {
            let others = recipients.split_off(1);
            self.waiting.extend(others.into_iter().map(|one| (letter.clone(), one)));
        }
        (letter, recipients)
    }

    /// The message as it lies in the mailbox: our own server's trace fields, and the letter.
    fn delivered(&mut self, letter: &Letter, recipients: &[String]) -> Vec<u8> {
        let random = &mut self.random;
        let mut head = format!("Return-Path: <bounce-{:x}@{}>\r\n", random.next() >> 40, letter.domain);
        let for_whom = match recipients {
            [one] => {
                head += &format!("X-Original-To: {one}\r\nDelivered-To: {MAILBOX}\r\n");
                format!("\r\n\tfor <{one}>")
            }
            // Sent by one of us to the world: nobody else's delivery.
            [] => {
                head += &format!("Delivered-To: {MAILBOX}\r\n");
                String::new()
            }
            several => {
                head += &format!("Envelope-To: {}\r\n", several.join(",\r\n\t"));
                String::new()
            }
        };
        let id = |random: &mut Random| format!("{:011X}", random.next() >> 20);
        head += &format!(
            "Received: from gate.{DOMAIN} (localhost [127.0.0.1])\r\n\tby mx.{DOMAIN} (Postfix) with ESMTP id {}{for_whom};\
             \r\n\t{}\r\n",
            id(random),
            date(self.clock, 1)
        );
        head += &format!(
            "Received: from mail.{0} (mail.{0} [192.0.2.{1}])\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 \
             (256/256 bits))\r\n\tby gate.{DOMAIN} (Postfix) with ESMTPS id {2};\r\n\t{3}\r\n",
            letter.domain,
            random.below(250),
            id(random),
            date(self.clock - 1, 1)
        );
        head += &format!(
            "Authentication-Results: gate.{DOMAIN}; dkim=pass header.d={0}; spf=pass smtp.mailfrom={0}\r\n",
            letter.domain
        );
        let mut message = head.into_bytes();
        message.extend_from_slice(&letter.bytes);
        if random.chance(10) {
            message.retain(|&byte| byte != b'\r');
        }
        message
    }
}

impl Iterator for Business {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.left = self.left.checked_sub(1)?;
        self.clock += self.random.below(2 * PACE) as i64;
        let (letter, recipients) = self.arriving();
        let message = self.delivered(&letter, &recipients);
        self.tally.messages += 1;
        self.tally.bytes += message.len();
        self.tally.attached += letter.attached;
        self.tally.inline += letter.inline;
        Some(message)
    }
}
