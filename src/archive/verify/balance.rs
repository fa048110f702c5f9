//! Whether the filings of the ledger, of the table `filings` and of the table `held` are the same, by adding up: for each
//! user how many there are, and a sum of digests. That takes some bytes of memory for each user, however much mail there is.
//!
//! An appliance may file meanwhile. So only the groups and messages count that there were at the beginning; and filings
//! of such messages that came later, which the rows that came later name, are left out where the table has them.

use crate::ids::GroupNumber;
use std::collections::{BTreeSet, HashMap};

use heed::RoTxn;
use roaring::RoaringTreemap;

use crate::archive::{
    catalog::Catalog,
    rows::{Counters, MessageId, UserId},
};

/// Filings, less others: how many, and the sum of their digests.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Difference(i64, u64);

impl Difference {
    fn add(&mut self, count: i64, id: MessageId) {
        let sum = if count < 0 {
            digest(id).wrapping_neg()
        } else {
            digest(id)
        };
        *self = self.and(Self(count, sum));
    }

    fn and(self, more: Self) -> Self {
        Self(self.0 + more.0, self.1.wrapping_add(more.1))
    }
}

/// For each user, filings in the table less those in the ledger, and less those in the table `held`.
#[derive(Default)]
pub struct Balance(HashMap<UserId, [Difference; 2]>);

const LEDGER: usize = 0;
const HELD: usize = 1;

impl Balance {
    pub fn in_table(&mut self, user: UserId, id: MessageId) {
        for difference in self.0.entry(user).or_default() {
            difference.add(1, id);
        }
    }

    pub fn in_ledger(&mut self, user: UserId, id: MessageId) {
        self.0.entry(user).or_default()[LEDGER].add(-1, id);
    }

    pub fn in_held(&mut self, user: UserId, id: MessageId) {
        self.0.entry(user).or_default()[HELD].add(-1, id);
    }

    pub fn merge(&mut self, more: Self) {
        for (user, [ledger, held]) in more.0 {
            let differences = self.0.entry(user).or_default();
            *differences = [differences[LEDGER].and(ledger), differences[HELD].and(held)];
        }
    }

    /// The users of whom the tables say different things.
    pub fn uneven(&self) -> BTreeSet<UserId> {
        let uneven = self
            .0
            .iter()
            .filter(|(_, differences)| **differences != [Difference::default(); 2]);
        uneven.map(|(user, _)| *user).collect()
    }

    /// What does not come out even with the ledger, in words.
    pub fn damages(&self) -> Vec<(UserId, String)> {
        let uneven = self
            .0
            .iter()
            .filter(|(_, balance)| balance[LEDGER] != Difference::default());
        let mut uneven: Vec<_> = uneven
            .map(|(user, balance)| {
                let words = match balance[LEDGER].0 {
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
