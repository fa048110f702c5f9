//! Where a message names addresses: each field that a step looks at, and why it does not count where it does not.

use std::{borrow::Cow, collections::HashSet, ops::ControlFlow};

use super::{
    address::{Each, each_address, received_for},
    header::{Field, Header},
    journal::JournalReport,
    rules::{Mail, Rules},
    step::{Barred, RECEIVED, Step},
    zone::Zone,
};
use crate::message::Address;

const RESENT: [&str; 3] = ["Resent-To", "Resent-Cc", "Resent-Bcc"];
const ADDRESSEES: [&str; 4] = ["To", "Cc", "Bcc", "Apparently-To"];
const SENDERS: [&str; 3] = ["From", "Sender", "Resent-From"];
/// What stands once in a block of Resent- fields (RFC 5322, 3.6.6): a second one begins an older block. First those
/// that name addressees.
const ONCE_A_BLOCK: [&str; 6] = [
    "Resent-To",
    "Resent-Cc",
    "Resent-Bcc",
    "Resent-From",
    "Resent-Date",
    "Resent-Message-ID",
];
/// Different addresses that our own servers' Received fields name; two are as good as many.
const MOST_OURS: usize = 100;
/// The group of what counts whichever other group of its step does.
pub(super) const BESIDE: usize = usize::MAX;
/// What a server writes above all that was there before, and so above a block of Resent- fields.
const TRACE: [&str; 2] = [RECEIVED, "Return-Path"];

/// What is mentioned where.
pub enum Origin<'m> {
    /// A field of the copy as it was fetched.
    Outer(Field<'m>),
    /// A field of the message enclosed in a report.
    Inner(Field<'m>),
    /// A line of a report's envelope.
    Envelope(Address),
}

/// A field in which a step looks for addresses.
pub struct Mention<'m> {
    pub step: Step,
    /// Of a step's groups the first that yields an address counts, and [`BESIDE`].
    pub group: usize,
    /// What a filing calls the field.
    pub name: Cow<'static, str>,
    pub place: Origin<'m>,
    pub barred: Option<Barred>,
}

impl Mention<'_> {
    /// Hands on the addresses that it names, in their order.
    pub fn each_address(&self, found: &mut Each) -> ControlFlow<()> {
        match &self.place {
            Origin::Envelope(address) => found(address.clone()),
            Origin::Outer(field) if self.step == Step::Received => {
                received_for(field.value).map_or(ControlFlow::Continue(()), found)
            }
            Origin::Outer(field) | Origin::Inner(field) => each_address(field.value, found),
        }
    }
}

/// Hands on mentions, one by one: there can be as many as a message has lines.
pub type Mentioned<'e, 'm> = dyn FnMut(Mention<'m>) -> ControlFlow<()> + 'e;

/// Hands on what `step` looks at in `mail`, group by group.
pub fn mentions<'m>(rules: &Rules, step: Step, mail: &Mail<'m>, each: &mut Mentioned<'_, 'm>) -> ControlFlow<()> {
    match step {
        Step::Journal => of_report(step, mail.report, each),
        Step::Envelope => envelope(rules, mail.outer, each),
        Step::Received => received(rules, mail.outer, each),
        Step::Addressees => addressees(mail.inner, each),
        Step::Senders => {
            of_report(step, mail.report, each)?;
            named(step, 0, mail.inner, &SENDERS, each)
        }
    }
}

fn of_report(step: Step, report: Option<&JournalReport>, each: &mut Mentioned<'_, '_>) -> ControlFlow<()> {
    let Some(report) = report else {
        return ControlFlow::Continue(());
    };
    let mut mention = |one: super::Named| {
        each(Mention {
            step,
            group: 0,
            name: one.field,
            place: Origin::Envelope(one.address),
            barred: None,
        })
    };
    match step {
        Step::Senders => report.each_sender(&mut mention),
        _ => report.each_recipient(&mut mention),
    }
}

/// A group for each of the profile's envelope fields.
fn envelope<'m>(rules: &Rules, header: &'m Header<'m>, each: &mut Mentioned<'_, 'm>) -> ControlFlow<()> {
    let zone = Zone::of(rules, header);
    for (group, name) in rules.envelope_headers.iter().enumerate() {
        for field in header.all(name) {
            each(Mention {
                step: Step::Envelope,
                group,
                name: name.clone().into(),
                place: Origin::Outer(field),
                barred: zone.bars(rules, &field),
            })?;
        }
    }
    ControlFlow::Continue(())
}

/// `for <address>` in the Received fields of our own servers, where there is exactly one (RFC 5321, 4.4). The last of
/// them, at the zone's edge, names the recipient where mail went through further servers of ours.
fn received<'m>(rules: &Rules, header: &'m Header<'m>, each: &mut Mentioned<'_, 'm>) -> ControlFlow<()> {
    let ours = rules.trusted_received.saturating_add(1);
    let mut named = HashSet::new();
    if ours > 1 {
        let named_by_us = header.all(RECEIVED).take(ours);
        let named_by_us = named_by_us.filter_map(|field| rules.named_by_us(field.value));
        named.extend(named_by_us.take(MOST_OURS));
    }
    let of_ours = (named.len() > 1).then_some(Barred::Several);
    for (index, field) in header.all(RECEIVED).enumerate() {
        each(Mention {
            step: Step::Received,
            group: 0,
            name: RECEIVED.into(),
            place: Origin::Outer(field),
            barred: if index >= ours { Some(Barred::NotOurs) } else { of_ours },
        })?;
    }
    ControlFlow::Continue(())
}

/// A group for each block of Resent- fields, the newest first; and beside it To and its like, for whoever resends a
/// message, or says so, adds recipients and takes none away.
fn addressees<'m>(header: &'m Header<'m>, each: &mut Mentioned<'_, 'm>) -> ControlFlow<()> {
    let mut group = 0;
    // The fields of a block, each at its name's place.
    let mut block = [None; ONCE_A_BLOCK.len()];
    let mut end = |block: &mut [Option<Field<'m>>]| {
        if block.iter().all(Option::is_none) {
            return ControlFlow::Continue(());
        }
        for (name, field) in RESENT.into_iter().zip(&*block) {
            if let Some(field) = field {
                each(of_field(Step::Addressees, group, *field, name))?;
            }
        }
        group += 1;
        block.fill(None);
        ControlFlow::Continue(())
    };
    // All that is looked for begins with this letter, and most fields do not.
    let fields = header.fields();
    for field in fields.filter(|field| matches!(field.name, [b'R' | b'r', ..])) {
        if TRACE.iter().any(|name| field.is(name)) {
            end(&mut block)?;
        } else if let Some(which) = ONCE_A_BLOCK.iter().position(|name| field.is(name)) {
            if block[which].is_some() {
                end(&mut block)?;
            }
            block[which] = Some(field);
        }
    }
    end(&mut block)?;
    named(Step::Addressees, BESIDE, header, &ADDRESSEES, each)
}

/// The fields of these names, name by name.
fn named<'m>(
    step: Step,
    group: usize,
    header: &'m Header<'m>,
    names: &'static [&'static str],
    each: &mut Mentioned<'_, 'm>,
) -> ControlFlow<()> {
    names.iter().try_for_each(|name| {
        let mut fields = header.all(name);
        fields.try_for_each(|field| each(of_field(step, group, field, name)))
    })
}

fn of_field<'m>(step: Step, group: usize, field: Field<'m>, name: &'static str) -> Mention<'m> {
    Mention {
        step,
        group,
        name: name.into(),
        place: Origin::Inner(field),
        barred: None,
    }
}
