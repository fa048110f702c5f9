//! Where a message names addresses: each field that a step looks at, and why it does not count where it does not.

use std::{borrow::Cow, collections::HashSet};

use super::{
    address::{addresses, received_for},
    header::{Field, Header},
    recipients::{Mail, Rules},
};
use crate::message::Address;

pub const RECEIVED: &str = "Received";
const RESENT: [&str; 3] = ["Resent-To", "Resent-Cc", "Resent-Bcc"];
const ADDRESSEES: [&str; 4] = ["To", "Cc", "Bcc", "Apparently-To"];
const SENDERS: [&str; 3] = ["From", "Sender", "Resent-From"];
/// What stands once in a block of Resent- fields (RFC 5322, 3.6.6): a second one begins an older block.
const ONCE_A_BLOCK: [&str; 6] = [
    "Resent-To",
    "Resent-Cc",
    "Resent-Bcc",
    "Resent-From",
    "Resent-Date",
    "Resent-Message-ID",
];
/// What a server writes above all that was there before, and so above a block of Resent- fields.
const TRACE: [&str; 2] = [RECEIVED, "Return-Path"];

/// A step on the way to a message's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Journal,
    Envelope,
    Received,
    Addressees,
    Senders,
}

impl Step {
    /// Those that find recipients, in their order.
    pub const RECIPIENTS: [Self; 4] = [Self::Journal, Self::Envelope, Self::Received, Self::Addressees];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Envelope => "envelope",
            Self::Received => "received",
            Self::Addressees => "addressees",
            Self::Senders => "senders",
        }
    }
}

/// Why a field does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Barred {
    /// It stands below the trusted zone, where the sender may have written it.
    Below,
    /// There is no Received field, and so no trusted zone.
    NoZone,
    /// A Received field of other people's servers.
    NotOurs,
    /// Several addresses stand behind `for`, of which each may be meant.
    Several,
}

impl Barred {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Below => {
                "it stands below the Received field of our own server, where a sender can write what they like"
            }
            Self::NoZone => "the message has no Received field, so nothing shows that our own server wrote this one",
            Self::NotOurs => "this Received field is not our own server's",
            Self::Several => "our servers' Received fields name several addresses",
        }
    }
}

/// What is mentioned where.
pub enum Place<'m> {
    /// A field of the copy as it was fetched.
    Outer(&'m Field<'m>),
    /// A field of the message enclosed in a report.
    Inner(&'m Field<'m>),
    /// A line of a report's envelope.
    Envelope(Address),
}

/// A field in which a step looks for addresses.
pub struct Mention<'m> {
    pub step: Step,
    /// Of a step's groups the first that yields an address counts.
    pub group: usize,
    /// What a filing calls the field.
    pub name: Cow<'static, str>,
    pub place: Place<'m>,
    pub barred: Option<Barred>,
}

impl Mention<'_> {
    /// The addresses that it names, in their order.
    pub fn addresses(&self) -> Vec<Address> {
        match &self.place {
            Place::Envelope(address) => vec![address.clone()],
            Place::Outer(field) if self.step == Step::Received => received_for(field.value).into_iter().collect(),
            Place::Outer(field) | Place::Inner(field) => addresses(field.value),
        }
    }
}

/// What `step` looks at in `mail`, group by group.
pub fn mentions<'m>(rules: &Rules, step: Step, mail: &Mail<'m>) -> Vec<Mention<'m>> {
    match step {
        Step::Journal => mail
            .report
            .map_or_else(Vec::new, |report| of_report(step, &report.recipients)),
        Step::Envelope => envelope(rules, mail.outer),
        Step::Received => received(rules, mail.outer),
        Step::Addressees => addressees(mail.inner),
        Step::Senders => {
            let mut all = mail
                .report
                .map_or_else(Vec::new, |report| of_report(step, &report.senders));
            all.extend(named(step, 0, mail.inner, &SENDERS));
            all
        }
    }
}

fn of_report<'m>(step: Step, named: &[super::Named]) -> Vec<Mention<'m>> {
    let mention = |one: &super::Named| Mention {
        step,
        group: 0,
        name: one.field.clone(),
        place: Place::Envelope(one.address.clone()),
        barred: None,
    };
    named.iter().map(mention).collect()
}

/// A group for each of the profile's envelope fields. Those count that stand above the topmost Received field, or as
/// many further ones as are our own hops'.
fn envelope<'m>(rules: &Rules, header: &'m Header<'m>) -> Vec<Mention<'m>> {
    let received = || {
        let fields = header.fields.iter().enumerate();
        fields.filter(|(_, field)| field.is(RECEIVED)).map(|(index, _)| index)
    };
    // A message with fewer hops than promised: what is above the topmost is ours all the same.
    let zone = received().nth(rules.trusted_received).or_else(|| received().next());
    let below = if zone.is_some() { Barred::Below } else { Barred::NoZone };
    let mut mentions = Vec::new();
    for (group, name) in rules.envelope_headers.iter().enumerate() {
        let fields = header.fields.iter().enumerate().filter(|(_, field)| field.is(name));
        mentions.extend(fields.map(|(index, field)| Mention {
            step: Step::Envelope,
            group,
            name: name.clone().into(),
            place: Place::Outer(field),
            barred: zone.is_none_or(|zone| index >= zone).then_some(below),
        }));
    }
    mentions
}

/// `for <address>` in the Received fields of our own servers, where there is exactly one (RFC 5321, 4.4).
fn received<'m>(rules: &Rules, header: &'m Header<'m>) -> Vec<Mention<'m>> {
    let ours = rules.trusted_received.max(1);
    let fields = header.all(RECEIVED).enumerate();
    let mut mentions: Vec<_> = fields
        .map(|(index, field)| Mention {
            step: Step::Received,
            group: 0,
            name: RECEIVED.into(),
            place: Place::Outer(field),
            barred: (index >= ours).then_some(Barred::NotOurs),
        })
        .collect();
    let ours = ours.min(mentions.len());
    if ours > 1 {
        let named = mentions[..ours].iter().flat_map(Mention::addresses);
        let named: HashSet<_> = named.filter(|address| !rules.is_own(address)).collect();
        if named.len() > 1 {
            mentions[..ours]
                .iter_mut()
                .for_each(|mention| mention.barred = Some(Barred::Several));
        }
    }
    mentions
}

/// A group for each block of Resent- fields, the newest first; then To and its like.
fn addressees<'m>(header: &'m Header<'m>) -> Vec<Mention<'m>> {
    let mut mentions = Vec::new();
    let mut block = Vec::new();
    let mut seen = 0usize;
    let mut group = 0;
    let mut end = |block: &mut Vec<&'m Field<'m>>| {
        if block.is_empty() {
            return;
        }
        for name in RESENT {
            let fields = block.iter().filter(|field| field.is(name));
            mentions.extend(fields.map(|field| of_field(Step::Addressees, group, field, name)));
        }
        group += 1;
        block.clear();
    };
    for field in &header.fields {
        if TRACE.iter().any(|name| field.is(name)) {
            end(&mut block);
            seen = 0;
        } else if let Some(which) = ONCE_A_BLOCK.iter().position(|name| field.is(name)) {
            if seen & (1 << which) != 0 {
                end(&mut block);
                seen = 0;
            }
            seen |= 1 << which;
            block.push(field);
        }
    }
    end(&mut block);
    let last = group;
    mentions.extend(named(Step::Addressees, last, header, &ADDRESSEES));
    mentions
}

/// The fields of these names, name by name.
fn named<'m>(
    step: Step,
    group: usize,
    header: &'m Header<'m>,
    names: &'static [&'static str],
) -> impl Iterator<Item = Mention<'m>> {
    let fields = move |name: &'static str| header.all(name).map(move |field| of_field(step, group, field, name));
    names.iter().flat_map(move |name| fields(name))
}

fn of_field<'m>(step: Step, group: usize, field: &'m Field<'m>, name: &'static str) -> Mention<'m> {
    Mention {
        step,
        group,
        name: name.into(),
        place: Place::Inner(field),
        barred: None,
    }
}
