//! For whom a message is, by its header: which addresses, from which field, of which step.
//!
//! The steps in their order, of which the first that yields an address decides unless the profile
//! says otherwise: envelope fields in the trusted zone, Received, the header's own addressees.
//! (Journal reports will come before them.)

use std::{borrow::Cow, collections::HashSet};

use super::{
    address::{addresses, received_for},
    header::{Field, Header},
};
use crate::{
    config::{self, Use},
    message::Address,
};

/// An address, and the field that named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub address: Address,
    pub field: Cow<'static, str>,
}

/// The addresses that count for a message. Each stands once in either list.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Found {
    pub recipients: Vec<Named>,
    pub senders: Vec<Named>,
}

/// A profile's rules, made ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    steps: Use,
    envelope_headers: Vec<String>,
    trusted_received: usize,
    own_addresses: HashSet<Address>,
    plus_addressing: bool,
    senders: bool,
}

const RESENT: [&str; 3] = ["Resent-To", "Resent-Cc", "Resent-Bcc"];
const ADDRESSEES: [&str; 4] = ["To", "Cc", "Bcc", "Apparently-To"];
const SENDERS: [&str; 3] = ["From", "Sender", "Resent-From"];

impl Rules {
    /// The rules of a profile. `username` is the mailbox's, which counts as an address of its own.
    pub fn new(recipients: &config::Recipients, username: &str) -> Self {
        let own = recipients.own_addresses.iter().map(String::as_str).chain([username]);
        Self {
            steps: recipients.steps,
            envelope_headers: recipients.envelope_headers.clone(),
            trusted_received: recipients.trusted_received,
            own_addresses: own.filter_map(Address::parse).collect(),
            plus_addressing: recipients.plus_addressing,
            senders: recipients.senders,
        }
    }

    /// The addresses that count in `header`.
    pub fn find(&self, header: &Header) -> Found {
        let mut found = Found::default();
        for step in [Self::envelope, Self::received, Self::addressees] {
            let decided = !found.recipients.is_empty() && self.steps != Use::All;
            if !decided {
                step(self, header, &mut found.recipients);
            }
        }
        if self.senders {
            SENDERS
                .into_iter()
                .for_each(|name| self.collect(header.all(name), name, &mut found.senders));
        }
        keep_first(&mut found.recipients);
        keep_first(&mut found.senders);
        found
    }

    /// Whether the address is the mailbox's own, which names nobody.
    fn is_own(&self, address: &Address) -> bool {
        let tagged = || address.without_tag().filter(|_| self.plus_addressing);
        self.own_addresses.contains(address) || tagged().is_some_and(|plain| self.own_addresses.contains(&plain))
    }

    /// Of the profile's envelope fields the first that occurs with an address, all its
    /// occurrences together. Only those count that our own servers wrote: they stand above the
    /// topmost Received field, or as many further ones as are our own hops'.
    fn envelope(&self, header: &Header, found: &mut Vec<Named>) {
        if self.steps == Use::Headers {
            return;
        }
        let received = header
            .fields
            .iter()
            .enumerate()
            .filter(|(_, field)| field.is("Received"));
        let Some((zone, _)) = received.map(|(index, _)| (index, ())).nth(self.trusted_received) else {
            return;
        };
        for name in &self.envelope_headers {
            let before = found.len();
            self.collect(header.fields[..zone].iter().filter(|field| field.is(name)), name, found);
            if found.len() > before && self.steps != Use::All {
                return;
            }
        }
    }

    /// `for <address>` in the Received fields of our own servers, where there is exactly one
    /// (RFC 5321, 4.4).
    fn received(&self, header: &Header, found: &mut Vec<Named>) {
        if self.steps == Use::Headers {
            return;
        }
        let trusted = header.all("Received").take(self.trusted_received.max(1));
        let mut named: Vec<Address> = trusted.filter_map(|field| received_for(field.value)).collect();
        named.dedup();
        if let [address] = named.as_slice()
            && !self.is_own(address)
        {
            push(found, address.clone(), "Received");
        }
    }

    /// Resent-To and its like; else To and its like.
    fn addressees(&self, header: &Header, found: &mut Vec<Named>) {
        if self.steps == Use::Envelope {
            return;
        }
        for names in [&RESENT[..], &ADDRESSEES[..]] {
            let before = found.len();
            names
                .iter()
                .for_each(|name| self.collect(header.all(name), name, found));
            if found.len() > before {
                return;
            }
        }
    }

    fn collect<'a, 'h: 'a>(&self, fields: impl Iterator<Item = &'a Field<'h>>, name: &str, found: &mut Vec<Named>) {
        for field in fields {
            for address in addresses(field.value) {
                if !self.is_own(&address) {
                    push(found, address, name);
                }
            }
        }
    }
}

/// Leaves each address once, with the first field that named it.
fn keep_first(named: &mut Vec<Named>) {
    if named.len() > 1 {
        let mut seen = HashSet::with_capacity(named.len());
        named.retain(|one| seen.insert(one.address.clone()));
    }
}

fn push(found: &mut Vec<Named>, address: Address, field: &str) {
    found.push(Named {
        address,
        field: known_name(field),
    });
}

/// The name without an allocation where it is a usual one.
fn known_name(name: &str) -> Cow<'static, str> {
    let known = RESENT
        .iter()
        .chain(&ADDRESSEES)
        .chain(&SENDERS)
        .find(|known| **known == name);
    known.map_or_else(|| name.to_owned().into(), |known| (*known).into())
}

#[cfg(test)]
#[path = "recipients_tests.rs"]
mod tests;
