//! How one message is written down, and what its delivery adds.

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};

use super::super::dovecot::MAILBOX;
use super::{Random, company::DOMAIN};

/// A message as its author sent it: header fields in order, then the body with its own MIME fields.
#[derive(Clone, Default)]
pub struct Mail {
    pub fields: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// What our own server wrote on top when it put the message into the mailbox.
pub enum Delivery {
    /// `always_bcc`: nothing says for whom it came.
    Unsaid,
    /// Postfix with a catch-all: the recipient in X-Original-To, the mailbox in Delivered-To.
    OriginalTo(String),
    /// Exim: all recipients of one delivery.
    EnvelopeTo(Vec<String>),
    /// The recipient in Delivered-To.
    DeliveredTo(String),
    /// Only the Received field says for whom.
    ReceivedFor(String),
    /// Put there by a program: no Received field at all.
    Put,
}

impl Mail {
    pub fn field(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.fields.push((name.to_owned(), value.into()));
    }

    /// The message as it lies in the mailbox.
    pub fn delivered(&self, delivery: &Delivery, clock: i64, random: &mut Random) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 2_000);
        let mut line = |name: &str, value: &[u8]| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.push(b'\n');
        };
        let all = MAILBOX.as_bytes();
        line("Return-Path", b"<bounce@sender.example>");
        let mut recipient = None;
        match delivery {
            Delivery::Unsaid => line("Delivered-To", all),
            Delivery::OriginalTo(address) => {
                line("X-Original-To", address.as_bytes());
                line("Delivered-To", all);
                recipient = Some(address);
            }
            Delivery::EnvelopeTo(addresses) => {
                line("Envelope-To", addresses.join(",\n\t").as_bytes());
                line("Delivery-Date", date(clock, 0).as_bytes());
            }
            Delivery::DeliveredTo(address) => line("Delivered-To", address.as_bytes()),
            Delivery::ReceivedFor(address) => recipient = Some(address),
            Delivery::Put => {}
        }
        if !matches!(delivery, Delivery::Put) {
            let for_whom = recipient
                .map(|address| format!("\n\tfor <{address}>"))
                .unwrap_or_default();
            let received = format!(
                "from relay.sender.example (relay.sender.example [192.0.2.{}])\n\tby mx.{DOMAIN} (Postfix) \
                 with ESMTPS id {:X}{for_whom};\n\t{}",
                random.below(250),
                random.next() >> 24,
                date(clock, 0)
            );
            line("Received", received.as_bytes());
        }
        for (name, value) in &self.fields {
            line(name, value);
        }
        out.push(b'\n');
        out.extend_from_slice(&self.body);
        out
    }
}

/// A date as header fields have it, `hours` east of Greenwich.
pub fn date(seconds: i64, hours: i8) -> String {
    let time = Timestamp::from_second(seconds).expect("a time of this age");
    let zone = TimeZone::fixed(Offset::constant(hours));
    time.to_zoned(zone).strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}
