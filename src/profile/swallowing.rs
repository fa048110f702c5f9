//! Whether an address that nobody has swallows mail: the envelope names it in place of the recipients, whom To and Cc
//! name. Then it looks like the mailbox's own, on however few messages. Pure.
//!
//! An address of somebody who is not in the directory stands in the envelope as well, and To and Cc may name somebody
//! else, where it got a blind copy. But mostly they name it too; and if To names somebody known, that person
//! got a copy of their own.

use std::collections::{HashMap, VecDeque};

use crate::{message::Address, route::Passed};

/// Addresses that are counted, by the space-saving method (see [`super::frequent`]).
const COUNTED: usize = 64;
/// The last messages, among which copies of one message are found: they come into a mailbox together.
const RECENT: usize = 512;
/// From so many swallowed messages on, of a hundred of all so many, of a hundred that name the address so many; and it
/// may be named in To and Cc of so many of a hundred that it would have swallowed.
const LEAST: u64 = 3;
const OF_ALL: u64 = 1;
const OF_ITS_OWN: u64 = 25;
const ADDRESSED: u64 = 20;

/// Counts, over messages.
#[derive(Clone, Debug, Default)]
pub struct Swallowing {
    messages: u64,
    counts: HashMap<Address, Count>,
    recent: HashMap<u64, Seen>,
    /// The same, the oldest first.
    order: VecDeque<u64>,
}

/// What was seen of a message.
#[derive(Clone, Debug)]
enum Seen {
    /// A copy of it names a recipient who is known.
    Reached,
    /// These swallowed it.
    Swallowed(Vec<Address>),
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    swallowed: u64,
    /// How much of that is of addresses that were there before.
    inherited: u64,
    /// Messages that name it, from when it is counted on.
    named: u64,
    /// Of these, those in which To or Cc name it as well.
    addressed: u64,
}

/// An address that swallows mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swallower {
    pub address: Address,
    pub swallowed: u64,
}

impl Swallowing {
    /// Counts a message, in which nobody has these of its recipients. `mailbox` is the local part of the name that the
    /// mailbox is logged in to with: an address that has it is believed to be the mailbox's on less.
    pub fn message(&mut self, unresolved: &[Address], passed: &Passed, mailbox: &str) {
        self.messages += 1;
        if passed.reached {
            return self.reached(passed.twin);
        }
        let has_reached = matches!(self.recent.get(&passed.twin), Some(Seen::Reached));
        let mut swallowed = Vec::new();
        for address in unresolved {
            let addressed = passed.addressees.iter().any(|one| is_same(one, address)) || passed.forms.contains(address);
            let swallows = !addressed && (passed.known || is_mailboxs(address, mailbox)) && !has_reached;
            if swallows {
                self.swallowed(address);
                swallowed.push(address.clone());
            }
            // What is known of an address before it swallows anything counts too, as far as there is room.
            if self.counts.len() < COUNTED {
                self.counts.entry(address.clone()).or_default();
            }
            if let Some(count) = self.counts.get_mut(address) {
                count.named += 1;
                count.addressed += u64::from(addressed);
            }
        }
        if !swallowed.is_empty() {
            self.remember(passed.twin, Seen::Swallowed(swallowed));
        }
    }

    /// A copy of the message reached somebody: so others of it swallowed nothing.
    fn reached(&mut self, twin: u64) {
        match self.remember(twin, Seen::Reached) {
            None | Some(Seen::Reached) => {}
            Some(Seen::Swallowed(addresses)) => {
                for address in addresses {
                    if let Some(count) = self.counts.get_mut(&address) {
                        count.swallowed = count.swallowed.saturating_sub(1).max(count.inherited);
                    }
                }
            }
        }
    }

    /// Gives what was seen of the last copy of the same message.
    fn remember(&mut self, twin: u64, seen: Seen) -> Option<Seen> {
        let before = self.recent.insert(twin, seen);
        if before.is_none() {
            self.order.push_back(twin);
            if self.order.len() > RECENT
                && let Some(oldest) = self.order.pop_front()
            {
                self.recent.remove(&oldest);
            }
        }
        before
    }

    fn swallowed(&mut self, address: &Address) {
        if let Some(count) = self.counts.get_mut(address) {
            count.swallowed += 1;
            return;
        }
        let mut inherited = 0;
        if self.counts.len() >= COUNTED {
            let rarest = self.counts.iter().min_by_key(|(_, count)| count.swallowed);
            if let Some((rarest, count)) = rarest.map(|(address, count)| (address.clone(), count.swallowed)) {
                self.counts.remove(&rarest);
                inherited = count;
            }
        }
        let count = Count {
            swallowed: inherited + 1,
            inherited,
            ..Count::default()
        };
        self.counts.insert(address.clone(), count);
    }

    /// The addresses that look like the mailbox's own, those that swallowed most first.
    pub fn swallowers(&self, mailbox: &str) -> Vec<Swallower> {
        let swallows = |(address, count): (&Address, &Count)| {
            let swallowed = count.swallowed - count.inherited;
            let is_own = swallowed >= LEAST && count.addressed * 100 <= swallowed * ADDRESSED;
            let often = swallowed * 100 >= self.messages * OF_ALL && swallowed * 100 >= count.named * OF_ITS_OWN;
            let address = (is_own && (often || is_mailboxs(address, mailbox))).then(|| address.clone())?;
            Some(Swallower { address, swallowed })
        };
        let mut swallowers: Vec<_> = self.counts.iter().filter_map(swallows).collect();
        swallowers.sort_by(|one, other| {
            let order = other.swallowed.cmp(&one.swallowed);
            order.then_with(|| one.address.cmp(&other.address))
        });
        swallowers
    }
}

/// Whether an address in To is this one, which stands without its tag.
fn is_same(addressee: &Address, address: &Address) -> bool {
    addressee == address || addressee.without_tag().as_ref() == Some(address)
}

/// The local part of a user name, which the mailbox's addresses often have at other domains.
pub fn local_part(username: &str) -> String {
    let name = username.rsplit_once('@').map_or(username, |(local, _)| local);
    name.to_lowercase()
}

fn is_mailboxs(address: &Address, mailbox: &str) -> bool {
    let local = address.as_str().rsplit_once('@').map(|(local, _)| local);
    !mailbox.is_empty() && local == Some(mailbox)
}

#[cfg(test)]
#[path = "swallowing_tests.rs"]
mod tests;
