//! For whom a message is: which addresses, from which field, by which step.
//!
//! The steps in their order, of which the first that yields an address decides unless the profile says otherwise:
//! a journal report, envelope fields in the trusted zone, Received, the header's own addressees. What a step looks at
//! are [`Mention`]s, in groups: of a step's groups the first that yields an address counts. `mentions` lists them
//! and says which are barred (`zone`: by their place). The decision and the explanation both ask it.

use std::{collections::HashSet, ops::ControlFlow};

use super::{
    address::{Each, first_addresses, received_for},
    found::{Found, Gathering, Keep, Role, Wanted},
    header::{Field, Header},
    journal::{MARKS, Report},
    mentions::{BESIDE, Barred, Mention, RECEIVED, Step, mentions},
    received::Client,
    zone::at_end,
};
use crate::{
    config::{self, EnvelopeAt, Hosts, Journal, Use, Wrapping},
    message::Address,
};

/// Addresses of the last field of a header that are looked at where it does not count.
const MOST_LAST: usize = 100;

/// A profile's rules, made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    steps: Use,
    journal: Journal,
    journal_from: Vec<Hosts>,
    pub(super) envelope_headers: Vec<String>,
    pub(super) envelope_at: EnvelopeAt,
    pub(super) trusted_received: usize,
    /// In lower case; the longest first.
    strip_prefix: Vec<String>,
    unwrap: Vec<Wrapping>,
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
        header.is_empty() || Report::may_be(header) && self.trusts(header)
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
        let mut is_below = false;
        for step in Step::RECIPIENTS {
            let decided = !counting.is_empty() && self.steps != Use::All;
            if !decided && self.takes(step) {
                is_below |= self.take(step, mail, &mut gathering, &mut counting);
            }
        }
        let told = counting.iter().any(|(step, _)| *step != Step::Addressees);
        if is_below && !told && self.ends_with_envelope(mail.outer) {
            gathering.ends_with_envelope();
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

    /// The addresses of a step's first group that has one, and of what counts beside it; of all groups where they are to be
    /// united. Whether envelope fields stand below the trusted zone.
    fn take(&self, step: Step, mail: &Mail, gathering: &mut Gathering, counting: &mut Vec<Counting>) -> bool {
        let role = match step {
            Step::Senders => Role::Sender,
            _ => Role::Recipient,
        };
        let all = step == Step::Envelope && self.steps == Use::All;
        // The group that was the last to yield an address.
        let mut yielded = None;
        let mut is_below = false;
        let _all_or_enough = mentions(self, step, mail, &mut |mention| {
            let beside = mention.group == BESIDE;
            if yielded.is_some_and(|group| group != mention.group) && !all && !beside {
                return match step {
                    Step::Envelope => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                };
            }
            if let Some(barred) = mention.barred {
                is_below |= step == Step::Envelope && barred == Barred::Below;
                return ControlFlow::Continue(());
            }
            self.each_address(&mention, &mut |address| {
                if self.is_own(&address) {
                    return ControlFlow::Continue(());
                }
                if !beside {
                    yielded = Some(mention.group);
                }
                if counting.last() != Some(&(step, mention.group)) {
                    counting.push((step, mention.group));
                }
                gathering.take(role, address, &mention.name)
            })
        });
        is_below
    }

    /// Whether the last field of a header is an envelope field that names others than the mailbox.
    fn ends_with_envelope(&self, header: &Header) -> bool {
        let envelope = |field: &Field| self.envelope_headers.iter().any(|name| field.is(name));
        let last = at_end(header).map(|(_, last)| last).filter(envelope);
        let named = last.map_or(Vec::new(), |last| first_addresses(last.value, MOST_LAST));
        named
            .into_iter()
            .any(|address| !self.is_own(&self.meant(Step::Envelope, address)))
    }

    /// Hands on the addresses of a mention, in their order.
    pub(super) fn each_address(&self, mention: &Mention, found: &mut Each) -> ControlFlow<()> {
        let ours = matches!(mention.step, Step::Envelope | Step::Received);
        match ours && !(self.strip_prefix.is_empty() && self.unwrap.is_empty()) {
            true => mention.each_address(&mut |address| found(self.meant(mention.step, address))),
            false => mention.each_address(found),
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

/// How to turn reports on, for a profile that met some and does not believe them.
pub fn how_to_believe_reports(reports: u64) -> String {
    format!(
        "{reports} messages are journal reports ({}) and are archived as ordinary messages. If they come from your own \
         server, set journal = \"from\" with journal_from (docs/recipients.md says which names and networks count with which \
         server), or journal = \"always\" if nobody else can write to this mailbox",
        MARKS[0]
    )
}

/// What to do about reports that are believed and cannot be read.
pub fn reports_not_understood(reports: u64) -> String {
    format!(
        "{reports} messages are journal reports that are believed, but not all of their recipients can be read: they are \
         filed for @catchall too (list --user @catchall shows them, explain ID says why). dropkeep reads reports in plain \
         text of any charset, and in HTML; it does not open those that came back to an alternate journal mailbox"
    )
}

#[cfg(test)]
#[path = "recipients_tests.rs"]
mod tests;
