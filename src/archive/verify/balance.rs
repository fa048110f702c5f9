//! Whether the filings of the ledger, of the table `filings` and of the table `held` are the same, by adding up: for each
//! user how many there are, and a sum of digests. That takes some bytes of memory for each user, however much mail there is.
//!
//! A filing counts with its date too, and a row of `held` with that of its message: so no message need be looked up for a
//! filing, whose neighbours by date are anywhere among the messages. The rows of `held` go as messages do.
//!
//! An appliance may file meanwhile. So only the groups and messages count that there were at the beginning; and filings
//! of such messages that came later, which the rows that came later name, are left out where the table has them.

use std::collections::{BTreeSet, HashMap};

use heed::RoTxn;
use roaring::RoaringTreemap;

use super::{
    sums::{Difference, mixed},
    table::Table,
    usage::Misfit,
};
use crate::{
    archive::{
        Seconds,
        catalog::Catalog,
        rows::{Counters, MessageId, UserId},
    },
    ids::GroupNumber,
};

/// The tables that are compared.
const COMPARED: [Table; 3] = [Table::Ledger, Table::Filings, Table::Held];

/// For each user, filings in the table less those in the ledger, and less those in the table `held`.
#[derive(Default)]
pub struct Balance {
    users: HashMap<UserId, [Difference; 2]>,
    /// The tables all of whose rows are in it.
    read: BTreeSet<Table>,
    /// Where `usage` does not say what `held` adds up to.
    pub misfits: Vec<Misfit>,
}

const LEDGER: usize = 0;
const HELD: usize = 1;

impl Balance {
    pub fn in_table(&mut self, user: UserId, id: MessageId, date: Seconds) {
        let differences = self.users.entry(user).or_default();
        differences[LEDGER].add(digest(id));
        differences[HELD].add(dated(id, date));
    }

    pub fn in_ledger(&mut self, user: UserId, id: MessageId) {
        self.users.entry(user).or_default()[LEDGER].take(digest(id));
    }

    /// `date`: that of the message.
    pub fn in_held(&mut self, user: UserId, id: MessageId, date: Seconds) {
        self.users.entry(user).or_default()[HELD].take(dated(id, date));
    }

    /// All rows of a table are in it.
    pub fn read(&mut self, table: Table) {
        self.read.insert(table);
    }

    /// Whether all rows of all that is compared are in it.
    pub fn is_whole(&self) -> bool {
        COMPARED.iter().all(|table| self.read.contains(table))
    }

    pub fn merge(&mut self, more: Self) {
        for (user, [ledger, held]) in more.users {
            let differences = self.users.entry(user).or_default();
            *differences = [differences[LEDGER].and(ledger), differences[HELD].and(held)];
        }
        self.read.extend(more.read);
        self.misfits.extend(more.misfits);
    }

    /// The users of whom the tables say different things.
    pub fn uneven(&self) -> BTreeSet<UserId> {
        let uneven = self
            .users
            .iter()
            .filter(|(_, differences)| **differences != [Difference::default(); 2]);
        uneven.map(|(user, _)| *user).collect()
    }

    /// What does not come out even with the ledger, in words.
    pub fn damages(&self) -> Vec<(UserId, String)> {
        let uneven = self
            .users
            .iter()
            .filter(|(_, balance)| balance[LEDGER] != Difference::default());
        let mut uneven: Vec<_> = uneven
            .map(|(user, balance)| {
                let words = match balance[LEDGER].rows() {
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
    mixed(id.0)
}

fn dated(id: MessageId, date: Seconds) -> u64 {
    mixed(digest(id) ^ date as u64)
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
