//! What must hold for the ledger: its rows follow each other and are chained, every message is in one of them, and
//! the filings in them are those of the table `filings`, each once.
//!
//! Each filing of the ledger is looked up in the table. That there are no others in the table, and none twice in the
//! ledger, is seen by adding up: for each user how many there are, and a sum of digests, over the table and over the
//! ledger. That takes some bytes of memory for each user, however much mail there is.
//!
//! An appliance may file meanwhile. So only the groups and messages count that there were at the beginning; and filings
//! of such messages that came later, which the rows that came later name, are left out where the table has them.

use std::collections::HashMap;

use heed::{RoTxn, types::Bytes};
use roaring::RoaringTreemap;

use super::{
    damage::{Damage, Kind},
    protocol::Desk,
    tables::Check,
};
use crate::archive::{
    StoreError,
    catalog::Catalog,
    ids::GroupNumber,
    ledger::{LedgerRow, NO_CHAIN},
    resident,
    rows::{Counters, MessageId, UserId},
};

/// For each user, filings in the table less those in the ledger: how many, and the sum of their digests.
#[derive(Default)]
pub struct Balance(HashMap<UserId, (i64, u64)>);

impl Balance {
    pub fn in_table(&mut self, user: UserId, id: MessageId) {
        let (count, sum) = self.0.entry(user).or_default();
        (*count, *sum) = (*count + 1, sum.wrapping_add(digest(id)));
    }

    pub fn in_ledger(&mut self, user: UserId, id: MessageId) {
        let (count, sum) = self.0.entry(user).or_default();
        (*count, *sum) = (*count - 1, sum.wrapping_sub(digest(id)));
    }

    pub fn merge(&mut self, more: Self) {
        for (user, (count, sum)) in more.0 {
            let (counted, summed) = self.0.entry(user).or_default();
            (*counted, *summed) = (*counted + count, summed.wrapping_add(sum));
        }
    }

    /// What does not come out even, in words.
    pub fn damages(&self) -> Vec<(UserId, String)> {
        let uneven = self.0.iter().filter(|(_, balance)| **balance != (0, 0));
        let mut uneven: Vec<_> = uneven
            .map(|(user, (count, _))| {
                let words = match *count {
                    more @ 1.. => format!("user {user} has {more} more filings than are in the ledger"),
                    0 => format!("user {user} has other filings than those in the ledger"),
                    fewer => format!("user {user} has {} fewer filings than are in the ledger", -fewer),
                };
                (*user, words)
            })
            .collect();
        uneven.sort_unstable();
        uneven
    }
}

fn digest(id: MessageId) -> u64 {
    let mut beginning = [0; 8];
    beginning.copy_from_slice(&blake3::hash(&id.to_be_bytes()).as_bytes()[..8]);
    u64::from_be_bytes(beginning)
}

/// Filings that came since the verification began, of messages that were there.
#[derive(Default)]
pub(super) struct Late {
    /// The next group to be looked at; `None` before the first.
    next: Option<GroupNumber>,
    filings: HashMap<UserId, RoaringTreemap>,
}

impl Late {
    /// Reads the rows that came since the last time.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn look(&mut self, catalog: &Catalog, txn: &RoTxn, began: &Counters) -> heed::Result<()> {
        let from = self.next.unwrap_or(began.group);
        for row in catalog.ledger.range(txn, &(from..))? {
            let (number, row) = row?;
            let pairs = row.group.filings.pairs().map_err(decoding)?;
            for (id, user) in pairs.into_iter().filter(|(id, _)| *id < began.message) {
                self.filings.entry(user).or_default().insert(id);
            }
            self.next = Some(GroupNumber(number.0 + 1));
        }
        Ok(())
    }

    pub fn has(&self, user: UserId, id: MessageId) -> bool {
        self.filings.get(&user).is_some_and(|messages| messages.contains(id))
    }
}

fn decoding(error: StoreError) -> heed::Error {
    heed::Error::Decoding(error.into())
}

impl Check<'_> {
    pub(super) fn group(
        &mut self,
        txn: &RoTxn,
        number: GroupNumber,
        row: &LedgerRow,
        desk: &mut Desk,
    ) -> heed::Result<()> {
        let began = self.context.extent.counters.as_ref();
        if began.is_none_or(|counters| number >= counters.group) {
            return Ok(());
        }
        let wrong = |detail: String| Damage::new(Kind::Ledger, format!("group {number} of the ledger {detail}"));
        let before = self.catalog.ledger.get_lower_than(txn, &number)?;
        let (expected, chain) = match &before {
            Some((before, row)) if before.0 + 1 == number.0 => (Some(row.group.next()), Some(row.chain)),
            None if number.0 == 1 => (Some(1), Some(NO_CHAIN)),
            // That a row is missing is said where they are counted.
            _ => (None, None),
        };
        let group = &row.group;
        if let Some(expected) = expected.filter(|expected| *expected != group.first) {
            let first = group.first;
            desk.damage(wrong(format!(
                "begins with message {first}, but message {expected} comes next"
            )));
        }
        if group.next() > self.counters.message {
            let (next, last) = (group.next() - 1, self.counters.message.max(1) - 1);
            desk.damage(wrong(format!(
                "keeps messages up to {next}, but only ids up to {last} were assigned"
            )));
            return Ok(());
        }
        if let Some(chain) = chain {
            let mut unreadable = false;
            let sha256 = (group.first..group.next()).map(|id| {
                // What is wrong with a message is said where messages are read.
                resident::touched();
                let message = self.catalog.messages.get(txn, &id).ok().flatten();
                unreadable |= message.is_none();
                message.map_or([0; 32], |message| message.sha256)
            });
            let found = group.chain(&chain, number, sha256).map_err(decoding)?;
            if found != row.chain && !unreadable {
                desk.damage(wrong(
                    "does not have the digest of its content and of the group before".into(),
                ));
            }
        }
        let filings = self.catalog.filings.remap_data_type::<Bytes>();
        for (id, user) in group.filings.pairs().map_err(decoding)? {
            self.seen.balance.in_ledger(user, id);
            resident::touched();
            if let Some(message) = self.catalog.messages.get(txn, &id).ok().flatten()
                && filings.get(txn, &(user, message.date, id))?.is_none()
            {
                let damage = wrong(format!(
                    "has message {id} filed for user {user}, but that filing is missing"
                ));
                desk.damage(damage.message(id).user(self.context.name(user)));
            }
        }
        Ok(())
    }

    /// The last row is the one with all messages behind it.
    pub(super) fn last_group(&self, txn: &RoTxn, desk: &mut Desk) -> heed::Result<()> {
        let next = self.catalog.ledger.last(txn)?.map_or(1, |(_, row)| row.group.next());
        if next != self.counters.message {
            let detail = format!(
                "the ledger has the messages up to {}, but ids up to {} were assigned",
                next - 1,
                self.counters.message.max(1) - 1
            );
            desk.damage(self.found(detail));
        }
        Ok(())
    }
}
