//! A profile's rules about whose a message is, made ready, and what they are applied to.

use std::collections::HashSet;

use super::{
    address::received_for,
    header::Header,
    journal::JournalReport,
    received::Client,
    step::{RECEIVED, Step},
};
use crate::{
    config::{self, EnvelopeAt, Hosts, Journal, Use, Wrapping},
    message::Address,
};

/// A profile's rules, made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    pub(super) steps: Use,
    pub(super) journal: Journal,
    journal_from: Vec<Hosts>,
    pub(super) envelope_headers: Vec<String>,
    pub(super) envelope_at: EnvelopeAt,
    pub(super) trusted_received: usize,
    /// In lower case; the longest first.
    pub(super) strip_prefix: Vec<String>,
    pub(super) unwrap: Vec<Wrapping>,
    own_addresses: HashSet<Address>,
    plus_addressing: bool,
    pub(super) senders: bool,
}

/// What the rules are applied to: a message by itself, or one in a report.
#[derive(Clone, Copy)]
pub struct Mail<'m> {
    /// The header of the copy as it was fetched.
    pub outer: &'m Header<'m>,
    /// The header of the message that is archived.
    pub inner: &'m Header<'m>,
    pub report: Option<&'m JournalReport<'m>>,
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
            envelope_at: recipients.envelope_at,
            trusted_received: recipients.trusted_received,
            strip_prefix,
            unwrap: recipients.unwrap.clone(),
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
        // Where nothing is seen of a header, it may begin behind an empty line.
        header.is_empty() || JournalReport::may_be(header) && self.trusts(header)
    }

    /// Whether the profile takes this step at all.
    pub(super) fn takes(&self, step: Step) -> bool {
        match step {
            Step::Journal | Step::Envelope | Step::Received => self.steps != Use::Headers,
            Step::Addressees => self.steps != Use::Envelope,
            Step::Senders => self.senders,
        }
    }

    /// The address that is meant by one that our own server wrote.
    pub(super) fn meant(&self, step: Step, address: Address) -> Address {
        let mut prefixes = self.strip_prefix.iter().filter(|_| step == Step::Envelope);
        let without = prefixes.find_map(|prefix| address.without_prefix(prefix));
        let address = without.unwrap_or(address);
        let held = self.unwrap.iter().find_map(|wrapping| wrapping.unwrap(&address));
        held.unwrap_or(address)
    }

    /// Whom a Received field of ours names, other than the mailbox.
    pub(super) fn named_by_us(&self, value: &[u8]) -> Option<Address> {
        let named = received_for(value).map(|address| self.meant(Step::Received, address));
        named.filter(|address| !self.is_own(address))
    }

    /// Whether the address is the mailbox's own, which names nobody.
    pub fn is_own(&self, address: &Address) -> bool {
        let tagged = || address.without_tag().filter(|_| self.plus_addressing);
        self.own_addresses.contains(address) || tagged().is_some_and(|plain| self.own_addresses.contains(&plain))
    }
}
