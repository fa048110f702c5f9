//! Whether messages have the identities that the table `identities` says, by adding up: for each stretch of numbers the
//! digests of the table, and those computed of messages. Digests come in no order, so to look each one up read a chunk at a
//! random place, which took longer than to read and unpack the message. Only where sums differ, the messages of such a
//! stretch are looked up after all ([`again`](super::again)).
//!
//! A digest counts once, of the message that was read first. Others that have its number are looked up at once.

use std::collections::{HashMap, HashSet};

use roaring::RoaringTreemap;

use super::sums::{Difference, mixed};
use crate::archive::{
    packings::Digest,
    rows::{IdentityNumber, MessageId},
};

/// Numbers that are added up together: it takes some bytes of memory for each so many.
const TOGETHER: u64 = 256;

#[derive(Default)]
pub struct Digests {
    /// Those of the table less those of messages.
    differences: HashMap<u64, Difference>,
    /// Identities of which a message counts.
    computed: RoaringTreemap,
    /// The other messages.
    looked_up: RoaringTreemap,
}

impl Digests {
    pub fn in_table(&mut self, number: IdentityNumber, digest: &Digest) {
        self.at(number).add(of(number, digest));
    }

    /// Counts the digest of a message, unless one of its identity counts already: then it is to be looked up. Whether it
    /// counts.
    pub fn of_message(&mut self, id: MessageId, number: IdentityNumber, digest: &Digest) -> bool {
        let is_first = self.computed.insert(number.0);
        match is_first {
            true => self.at(number).take(of(number, digest)),
            false => drop(self.looked_up.insert(id.0)),
        }
        is_first
    }

    /// Whether a message was looked up because another one of its identity counts.
    pub fn was_looked_up(&self, id: MessageId) -> bool {
        self.looked_up.contains(id.0)
    }

    fn at(&mut self, number: IdentityNumber) -> &mut Difference {
        self.differences.entry(number.0 / TOGETHER).or_default()
    }

    /// The rest of a table; messages are counted in one place.
    pub fn merge(&mut self, more: Self) {
        for (stretch, difference) in more.differences {
            let sum = self.differences.entry(stretch).or_default();
            *sum = sum.and(difference);
        }
    }

    /// Which numbers do not come out even: those of rows that could not be read, too.
    pub fn uneven(&self) -> Uneven {
        let uneven = self
            .differences
            .iter()
            .filter(|(_, sum)| **sum != Difference::default());
        Uneven::Stretches(uneven.map(|(stretch, _)| *stretch).collect())
    }
}

/// Identity numbers that do not come out even, or of which nothing is known.
pub enum Uneven {
    All,
    Stretches(HashSet<u64>),
}

impl Uneven {
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Stretches(stretches) if stretches.is_empty())
    }

    pub fn has(&self, number: IdentityNumber) -> bool {
        match self {
            Self::All => true,
            Self::Stretches(stretches) => stretches.contains(&(number.0 / TOGETHER)),
        }
    }
}

fn of(number: IdentityNumber, digest: &Digest) -> u64 {
    let digest = u128::from_le_bytes(*digest);
    mixed(digest as u64 ^ mixed((digest >> 64) as u64 ^ mixed(number.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u64) -> Digest {
        let mut digest = Digest::default();
        digest.copy_from_slice(&blake3::hash(&number.to_le_bytes()).as_bytes()[..16]);
        digest
    }

    /// As many identities, of each one a message and of some another, in any order.
    fn even() -> Digests {
        let (mut digests, mut table) = (Digests::default(), Digests::default());
        for number in 1..10_000 {
            table.in_table(IdentityNumber(number), &digest(number));
        }
        for number in (1..10_000).rev() {
            assert!(digests.of_message(MessageId(number), IdentityNumber(number), &digest(number)));
        }
        assert!(!digests.of_message(MessageId(10_000), IdentityNumber(7), &digest(7)));
        assert!(digests.was_looked_up(MessageId(10_000)) && !digests.was_looked_up(MessageId(7)));
        digests.merge(table);
        digests
    }

    #[test]
    fn what_is_the_same_on_both_sides_comes_out_even() {
        assert!(even().uneven().is_empty());
    }

    #[test]
    fn digests_that_changed_places_are_found_where_they_are() {
        let mut digests = even();
        for (number, other) in [(5000, 5001), (5001, 5000)] {
            digests
                .at(IdentityNumber(number))
                .take(of(IdentityNumber(number), &digest(number)));
            digests.in_table(IdentityNumber(number), &digest(other));
        }
        let uneven = digests.uneven();
        assert!(uneven.has(IdentityNumber(5000)) && !uneven.has(IdentityNumber(9000)));
    }

    #[test]
    fn what_was_not_read_of_the_table_is_looked_up() {
        let mut digests = even();
        digests.at(IdentityNumber(3)).take(of(IdentityNumber(3), &digest(3)));
        let uneven = digests.uneven();
        assert!(uneven.has(IdentityNumber(3)) && !uneven.has(IdentityNumber(300)));
    }
}
