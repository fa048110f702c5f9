//! Whether the filings of the ledger and those of the table `filings` are the same, by adding up: for each user how
//! many there are, and a sum of digests. That takes some bytes of memory for each user, however much mail there is.
//!
//! An appliance may file meanwhile. So only the groups and messages count that there were at the beginning; and filings
//! of such messages that came later, which the rows that came later name, are left out where the table has them.

use crate::ids::GroupNumber;
use std::collections::HashMap;

use heed::RoTxn;
use roaring::RoaringTreemap;

use crate::archive::{
    catalog::Catalog,
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
    beginning.copy_from_slice(&blake3::hash(&id.0.to_be_bytes()).as_bytes()[..8]);
    u64::from_be_bytes(beginning)
}

/// Filings that came since the verification began, of messages that were there.
#[derive(Default)]
pub struct Late {
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
            let pairs = row.group.filings.pairs();
            let pairs = pairs.map_err(|error| heed::Error::Decoding(error.into()))?;
            for (id, user) in pairs.into_iter().filter(|(id, _)| *id < began.message) {
                self.filings.entry(user).or_default().insert(id.0);
            }
            self.next = Some(number.next());
        }
        Ok(())
    }

    pub fn has(&self, user: UserId, id: MessageId) -> bool {
        self.filings.get(&user).is_some_and(|messages| messages.contains(id.0))
    }
}
