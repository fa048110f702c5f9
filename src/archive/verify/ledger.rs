//! What must hold for the ledger: its rows follow each other and are chained, every message is in one of them, and
//! the filings in them are those of the table `filings`, each once.
//!
//! That the filings are the same is seen in the [`Balance`](super::balance::Balance).

use crate::ids::GroupNumber;
use heed::RoTxn;

use super::{
    damage::{Damage, Kind},
    tables::Check,
    uneven,
    words::Desk,
};
use crate::archive::{
    StoreError,
    ledger::{LedgerRow, NO_CHAIN},
    rows::{MessageId, UserId},
};

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
            Some((before, row)) if before.next() == number => (Some(row.group.next()), Some(row.chain)),
            None if number == GroupNumber(1) => (Some(MessageId(1)), Some(NO_CHAIN)),
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
            let (next, last) = (group.next().previous(), self.counters.message.previous());
            desk.damage(wrong(format!(
                "keeps messages up to {next}, but only ids up to {last} were assigned"
            )));
            return Ok(());
        }
        if let Some(chain) = chain {
            let mut unreadable = false;
            let sha256 = group.first.until(group.next()).map(|id| {
                // What is wrong with a message is said where messages are read.
                let message = self.near.get(self.catalog, txn, id).ok().flatten();
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
        let mut filings = group.filings.pairs().map_err(decoding)?;
        for (id, user) in &filings {
            self.seen.balance.in_ledger(*user, *id);
        }
        if self.context.request.selection.part().is_some() {
            filings = self.not_held(txn, filings)?;
        }
        if !self.adds_up() {
            for filing in filings {
                if let Some(damage) = uneven::of_ledger(self.context, self.catalog, txn, number, filing)? {
                    desk.damage(damage);
                }
            }
        }
        Ok(())
    }

    /// Those of a row's filings that the table `held` does not have. Its rows are near each other, as the messages are, and
    /// whether what it has is filed is looked at there.
    fn not_held(&mut self, txn: &RoTxn, filings: Vec<(MessageId, UserId)>) -> heed::Result<Vec<(MessageId, UserId)>> {
        let mut held = Vec::with_capacity(filings.len());
        for (id, user) in filings {
            if let Some(message) = self.near.get(self.catalog, txn, id).ok().flatten() {
                held.push(((message.identity, user), id));
            }
        }
        held.sort_unstable();
        let keys: Vec<_> = held.iter().map(|(key, _)| *key).collect();
        let found = self.catalog.held.get_all(txn, &keys)?;
        let not_held = held
            .into_iter()
            .zip(found)
            .filter(|((_, id), found)| *found != Some(*id));
        Ok(not_held.map(|(((_, user), id), _)| (id, user)).collect())
    }

    /// The last row is the one with all messages behind it.
    pub(super) fn last_group(&self, txn: &RoTxn, desk: &mut Desk) -> heed::Result<()> {
        let next = self
            .catalog
            .ledger
            .last(txn)?
            .map_or(MessageId(1), |(_, row)| row.group.next());
        if next != self.counters.message {
            let detail = format!(
                "the ledger has the messages up to {}, but ids up to {} were assigned",
                next.previous(),
                self.counters.message.previous()
            );
            desk.damage(self.found(detail));
        }
        Ok(())
    }
}
