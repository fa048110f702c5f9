//! For whom a message is, by what stands in it: which addresses, from which field, of which step.
//!
//! The steps in their order, of which the first that yields an address decides unless the profile says otherwise:
//! a journal report, envelope fields in the trusted zone, Received, the header's own addressees. What a step looks at
//! are [`Mention`]s, in groups: of a step's groups the first that yields an address counts. `mentions` says what there
//! is and what of it is barred, and is asked by whoever decides and by whoever explains.

use std::{collections::HashSet, ops::ControlFlow};

use super::{
    address::Each,
    found::{Found, Gathering, Keep, Role, Wanted},
    header::Header,
    journal::{MARK, Report},
    mentions::{Mention, RECEIVED, Step, mentions},
    received::Client,
};
use crate::{
    config::{self, Hosts, Journal, Use},
    message::Address,
};

/// A profile's rules, made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    steps: Use,
    journal: Journal,
    journal_from: Vec<Hosts>,
    pub(super) envelope_headers: Vec<String>,
    pub(super) trusted_received: usize,
    /// In lower case; the longest first.
    strip_prefix: Vec<String>,
    own_addresses: HashSet<Address>,
    plus_addressing: bool,
    senders: bool,
}

/// What the rules are applied to: a message by itself, or one in a report.
#[derive(Clone, Copy)]
pub struct Mail<'m> {
    /// The header of the copy as it was fetched.
    pub outer: &'m Header<'m>,
    /// The header of the message that is archived.
    pub inner: &'m Header<'m>,
    pub report: Option<&'m Report<'m>>,
}

impl<'m> Mail<'m> {
    /// A message that came by itself.
    pub fn plain(header: &'m Header<'m>) -> Self {
        Self {
            outer: header,
            inner: header,
            report: None,
        }
    }
}

/// A group of mentions whose addresses count.
pub(super) type Counting = (Step, usize);

impl Rules {
    /// The rules of a profile. `username` is the mailbox's, which counts as an address of its own.
    pub fn new(recipients: &config::Recipients, username: &str) -> Self {
        let own = recipients.own_addresses.iter().map(String::as_str).chain([username]);
        let mut strip_prefix: Vec<_> = recipients.strip_prefix.iter().map(|one| one.to_lowercase()).collect();
        strip_prefix.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
        Self {
            steps: recipients.steps,
            journal: recipients.journal,
            journal_from: recipients.journal_from.clone(),
            envelope_headers: recipients.envelope_headers.clone(),
            trusted_received: recipients.trusted_received,
            strip_prefix,
            own_addresses: own.filter_map(Address::parse).collect(),
            plus_addressing: recipients.plus_addressing,
            senders: recipients.senders,
        }
    }

    /// The same, which believe no report.
    pub fn without_reports(&self) -> Self {
        Self {
            journal: Journal::Never,
            ..self.clone()
        }
    }

    /// Whether a report with this header is believed: always, or because of who handed it to our own server.
    pub fn trusts(&self, header: &Header) -> bool {
        match self.journal {
            Journal::Never => false,
            Journal::Always => true,
            Journal::From => {
                let border = header.all(RECEIVED).nth(self.trusted_received);
                let client = border.map(|field| Client::read(field.value));
                client.is_some_and(|client| {
                    let mut hosts = self.journal_from.iter();
                    hosts.any(|hosts| hosts.has(client.name.as_deref(), client.ip))
                })
            }
        }
    }

    /// Whether the body is needed to say for whom a message with this header is.
    pub fn need_body(&self, header: &Header) -> bool {
        Report::is_marked(header) && self.trusts(header)
    }

    /// The addresses that count; where they are very many, the first ones.
    pub fn find(&self, mail: &Mail) -> Found {
        self.decide(mail, Keep::First).0
    }

    /// The addresses that count and that are `wanted`, however many there are.
    pub fn find_wanted(&self, mail: &Mail, wanted: &mut Wanted) -> Found {
        self.decide(mail, Keep::Wanted(wanted)).0
    }

    /// The addresses that count, and the groups of mentions that they are from.
    pub(super) fn decide(&self, mail: &Mail, keep: Keep) -> (Found, Vec<Counting>) {
        let mut gathering = Gathering::new(keep);
        let mut counting = Vec::new();
        for step in Step::RECIPIENTS {
            let decided = !counting.is_empty() && self.steps != Use::All;
            if !decided && self.takes(step) {
                self.take(step, mail, &mut gathering, &mut counting);
            }
        }
        if self.senders {
            self.take(Step::Senders, mail, &mut gathering, &mut counting);
        }
        (gathering.found(), counting)
    }

    /// Whether the profile takes this step at all.
    pub(super) fn takes(&self, step: Step) -> bool {
        match step {
            Step::Journal | Step::Envelope | Step::Received => self.steps != Use::Headers,
            Step::Addressees => self.steps != Use::Envelope,
            Step::Senders => self.senders,
        }
    }

    /// The addresses of a step's first group that has one; of all groups where they are to be united.
    fn take(&self, step: Step, mail: &Mail, gathering: &mut Gathering, counting: &mut Vec<Counting>) {
        let role = match step {
            Step::Senders => Role::Sender,
            _ => Role::Recipient,
        };
        let all = step == Step::Envelope && self.steps == Use::All;
        // The group that was the last to yield an address.
        let mut yielded = None;
        let _all_or_enough = mentions(self, step, mail, &mut |mention| {
            if yielded.is_some_and(|group| group != mention.group) && !all {
                return ControlFlow::Break(());
            }
            if mention.barred.is_some() {
                return ControlFlow::Continue(());
            }
            self.each_address(&mention, &mut |address| {
                if self.is_own(&address) {
                    return ControlFlow::Continue(());
                }
                if yielded != Some(mention.group) {
                    yielded = Some(mention.group);
                    counting.push((step, mention.group));
                }
                gathering.take(role, address, &mention.name)
            })
        });
    }

    /// Hands on the addresses of a mention, in their order.
    pub(super) fn each_address(&self, mention: &Mention, found: &mut Each) -> ControlFlow<()> {
        if mention.step != Step::Envelope || self.strip_prefix.is_empty() {
            return mention.each_address(found);
        }
        mention.each_address(&mut |address| {
            let mut prefixes = self.strip_prefix.iter();
            let without = prefixes.find_map(|prefix| address.without_prefix(prefix));
            found(without.unwrap_or(address))
        })
    }

    /// Whether the address is the mailbox's own, which names nobody.
    pub(super) fn is_own(&self, address: &Address) -> bool {
        let tagged = || address.without_tag().filter(|_| self.plus_addressing);
        self.own_addresses.contains(address) || tagged().is_some_and(|plain| self.own_addresses.contains(&plain))
    }
}

/// How to turn reports on, for a profile that met some and does not believe them.
pub fn how_to_believe_reports(reports: u64) -> String {
    format!(
        "{reports} messages are journal reports ({MARK}), and are archived as they come, for whom they are addressed to: \
         where they come from your own server, set journal = \"from\" with journal_from, or journal = \"always\" where \
         nobody else can write to this mailbox"
    )
}

#[cfg(test)]
#[path = "recipients_tests.rs"]
mod tests;
