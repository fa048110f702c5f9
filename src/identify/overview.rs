//! All addresses in a message, with whether each counts and why: what `explain` shows. It goes the same way as the
//! decision itself, and also looks at what the decision skipped.

use std::{collections::HashSet, ops::ControlFlow};

use bytes::Bytes;
use memchr::memchr_iter;

use super::{
    Journaled, Opened, Reported,
    found::{Found, Keep, Wanted},
    header::Header,
    journal::{Enclosed, JournalReport},
    mentions::{Mention, Origin, mentions},
    recipients::Counting,
    rules::{Mail, Rules},
    step::Step,
};
use crate::message::Address;

/// Addresses of a message that are considered, whether they are wanted or not.
const MOST: usize = 1_000;

/// A message, considered.
pub struct Overview {
    pub found: Found,
    pub reported: Reported,
    /// In the order of the steps and of what each looks at; senders last. The first ones, and those that are wanted.
    pub addresses: Vec<Considered>,
    /// How often others are named.
    pub more: u64,
}

/// An address that is mentioned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    pub address: Address,
    pub field: String,
    pub step: Step,
    /// The line of the message on which the field begins, from 1; `None` in a report's envelope, and in an enclosed
    /// message that was encoded.
    pub line: Option<usize>,
    /// Nothing bars the field: it stands where only our own servers write, or is one that anybody writes anyway.
    pub trusted: bool,
    pub counts: bool,
    /// Why it does not count.
    pub why: Option<&'static str>,
}

const OWN: &str = "it is the mailbox's own address";
const NOT_TAKEN: &str = "the profile does not use this step";
const DECIDED: &str = "an earlier step decided already";
const PREFERRED: &str = "another field of the same step comes first";

impl Rules {
    /// Looks at what was `fetched`, a whole copy or its header. Of an address that counts `wanted` says whether it is to
    /// be considered, however many stand before it. Linear in its length; never fails.
    pub fn overview(&self, fetched: &Bytes, wanted: &mut Wanted) -> Overview {
        let outer = Header::scan(fetched);
        let Opened {
            report,
            journaled,
            message,
            ..
        } = Opened::new(fetched, &outer, self, |_, _| Default::default());
        let enclosed = matches!(journaled, Journaled::Around(_)).then(|| Header::scan(&message));
        let mail = Mail {
            outer: &outer,
            inner: enclosed.as_ref().unwrap_or(&outer),
            report: report.as_ref(),
        };
        let (first, _) = self.decide(&mail, Keep::First);
        let (found, counting) = self.decide(&mail, Keep::Wanted(wanted));
        let [first, found] = [first, found].map(|found| Opened::complete(&journaled, found));
        let mut recipients: HashSet<_> = found.recipients.iter().map(|one| &one.address).collect();
        let mut senders: HashSet<_> = found.senders.iter().map(|one| &one.address).collect();

        let inner = inner(report.as_ref());
        let (mut addresses, mut more) = (Vec::new(), 0);
        let mut consider = |mention: Mention| {
            let wanted = match mention.step {
                Step::Senders => &mut senders,
                _ => &mut recipients,
            };
            let at = match &mention.place {
                Origin::Outer(field) => Some(field.start),
                Origin::Inner(field) => inner.map(|inner| inner + field.start),
                Origin::Envelope(_) => None,
            };
            self.each_address(&mention, &mut |address| {
                let why = self.why_not(&mention, &address, &counting);
                let is_wanted = why.is_none() && wanted.remove(&address);
                if addresses.len() < MOST || is_wanted {
                    let considered = Considered {
                        address,
                        field: mention.name.clone().into_owned(),
                        step: mention.step,
                        line: None,
                        trusted: mention.barred.is_none(),
                        counts: why.is_none(),
                        why,
                    };
                    addresses.push((considered, at));
                } else {
                    more += 1;
                }
                ControlFlow::Continue(())
            })
        };
        let mut steps = Step::RECIPIENTS.into_iter().chain([Step::Senders]);
        let _all = steps.try_for_each(|step| mentions(self, step, &mail, &mut consider));
        Overview {
            reported: journaled.reported(),
            addresses: numbered(fetched, addresses),
            more,
            found: if first.more == 0 { first } else { found.clone() },
        }
    }

    fn why_not(&self, mention: &Mention, address: &Address, counting: &[Counting]) -> Option<&'static str> {
        if let Some(barred) = mention.barred {
            Some(barred.as_str())
        } else if !self.takes(mention.step) {
            Some(NOT_TAKEN)
        } else if self.is_own(address) {
            Some(OWN)
        } else if counting.contains(&(mention.step, mention.group)) {
            None
        } else if counting.iter().any(|(step, _)| *step == mention.step) {
            Some(PREFERRED)
        } else {
            Some(DECIDED)
        }
    }
}

/// Where the message that is archived begins in what was fetched; `None` where it was encoded there.
fn inner(report: Option<&JournalReport>) -> Option<usize> {
    match report.and_then(|report| report.enclosed.as_ref()) {
        None => Some(0),
        Some(Enclosed::At(range)) => Some(range.start),
        Some(Enclosed::Decoded(_)) => None,
    }
}

/// Says on which line each of these stands, by where that is in `fetched`.
fn numbered(fetched: &[u8], mut considered: Vec<(Considered, Option<usize>)>) -> Vec<Considered> {
    let mut by_place: Vec<_> = considered
        .iter_mut()
        .filter_map(|(one, at)| Some((at.as_ref()?, &mut one.line)))
        .collect();
    by_place.sort_by_key(|(at, _)| **at);
    let mut ends = memchr_iter(b'\n', fetched).peekable();
    let mut number = 1;
    for (at, line) in by_place {
        while ends.next_if(|end| end < at).is_some() {
            number += 1;
        }
        *line = Some(number);
    }
    considered.into_iter().map(|(one, _)| one).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::config::{EnvelopeAt, Recipients, Use};

    fn overview(message: &str, recipients: &Recipients) -> Overview {
        Rules::new(recipients, "box@example.com")
            .overview(&Bytes::copy_from_slice(message.as_bytes()), &mut |_, _| false)
    }

    #[test]
    fn what_does_not_count_says_why() {
        let message = "Delivered-To: box@example.com\nDelivered-To: a@example.com\nX-Rcpt-To: \
            b@example.com\nReceived: by x for\n \
                       <a@example.com>; Mon\nX-Envelope-To: boss@example.com\nReceived: by y for <z@example.org>\nTo: c@example.com\n\
                       From: d@example.com\n\n";
        let overview = overview(message, &Recipients::default());
        let lines: Vec<_> = overview
            .addresses
            .iter()
            .map(|one| {
                format!(
                    "{} {} {} {}",
                    one.field,
                    one.address,
                    one.line.unwrap(),
                    one.why.unwrap_or("counts")
                )
            })
            .collect();
        let below = "it stands below your own server's Received header, where a sender can write anything";
        assert_eq!(
            lines,
            [
                format!("X-Envelope-To boss@example.com 6 {below}"),
                format!("Delivered-To box@example.com 1 {OWN}"),
                "Delivered-To a@example.com 2 counts".into(),
                format!("X-RCPT-TO b@example.com 3 {PREFERRED}"),
                format!("Received a@example.com 4 {DECIDED}"),
                "Received z@example.org 7 this Received header is not your own server's".into(),
                format!("To c@example.com 8 {DECIDED}"),
                "From d@example.com 9 counts".into(),
            ]
        );
    }

    #[test]
    fn why_a_field_at_the_end_does_not_count_is_said() {
        let message = "Received: by x for <a@example.com>; Mon\nX-Envelope-To: boss@example.com\nTo: c@example.com\n\
                       X-Envelope-To: b@example.com\nX-Envelope-To: a@example.com\n\n";
        let recipients = Recipients {
            envelope_at: EnvelopeAt::End,
            ..Recipients::default()
        };
        let considered = overview(message, &recipients).addresses;
        let why = |line: usize| {
            considered
                .iter()
                .find(|one| one.line == Some(line))
                .unwrap()
                .why
                .unwrap_or("counts")
        };
        assert!(why(2).contains("envelope_at = \"end\""), "{}", why(2));
        assert!(why(4).contains("more addresses than"), "{}", why(4));
        assert_eq!(why(5), "counts");
    }

    const FIELDS: [&str; 16] = [
        "Received: by a for <x@example.com>; Mon",
        "Received: by b; Mon",
        "Received: from c",
        "Delivered-To: a@example.com",
        "Delivered-To: box@example.com",
        "X-Envelope-To: b@example.com, c@example.com",
        "To: d@example.com",
        "Cc: E <e@example.com>,\n f@example.com",
        "Bcc: box+x@example.com",
        "From: g@example.com",
        "Sender: h@example.com",
        "Resent-To: i@example.com",
        "Resent-From: j@example.com",
        "Resent-Cc: k@example.com",
        "Subject: x",
        "X-Other: y@example.com",
    ];

    fn rules() -> impl Strategy<Value = Recipients> {
        let steps = prop::sample::select(vec![Use::Auto, Use::Envelope, Use::Headers, Use::All]);
        (steps, 0..3usize, any::<bool>()).prop_map(|(steps, trusted_received, senders)| Recipients {
            steps,
            trusted_received,
            senders,
            ..Recipients::default()
        })
    }

    proptest! {
        #[test]
        fn what_counts_is_what_decides(
            fields in prop::collection::vec(0..FIELDS.len(), 0..12),
            recipients in rules(),
            at_end: bool,
        ) {
            let envelope_at = if at_end { EnvelopeAt::End } else { EnvelopeAt::Top };
            let recipients = Recipients { envelope_at, ..recipients };
            let message: String = fields.iter().map(|field| format!("{}\n", FIELDS[*field])).collect();
            let overview = overview(&message, &recipients);
            let counting: BTreeSet<_> = overview.addresses.iter().filter(|one| one.counts).map(|one| &one.address).collect();
            let found = overview.found.recipients.iter().chain(&overview.found.senders);
            prop_assert_eq!(counting, found.map(|named| &named.address).collect());
        }

        /// What may come in any order does not change the decision: all but Received, and the fields that are told
        /// apart by where they stand to it.
        #[test]
        fn fields_that_do_not_count_do_not_matter(
            fields in prop::collection::vec(0..FIELDS.len(), 0..12),
            others in prop::collection::vec((0..13usize, prop::sample::select(vec!["Subject: a", "X-Other: \
                to@example.com", "DKIM-Signature: b=\n x", "List-Id: <l.example.com>"])), 0..6),
            recipients in rules(),
        ) {
            let lines: Vec<_> = fields.iter().map(|field| FIELDS[*field]).collect();
            let mut more = lines.clone();
            for (at, other) in others {
                more.insert(at.min(more.len()), other);
            }
            let of = |lines: &[&str]| Found {
                ends_with_envelope: false,
                ..overview(&(lines.join("\n") + "\n"), &recipients).found
            };
            prop_assert_eq!(of(&lines), of(&more));
        }
    }
}
