//! Whoever derives something from the archive follows the ledger: it reads the groups behind the last one that it
//! has seen, brings its own up to date, and keeps the [`Mark`] up to which it came.
//!
//! A mark is kept together with what is derived, after it was brought up to date: so it may be behind the store, and
//! is never ahead of it. An archive that was restored from a backup may have other groups by the same numbers; the
//! digest in the mark tells.

use crate::ids::GroupNumber;
use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

use super::{
    Store, StoreError,
    codec::Row,
    ledger::{Group, LedgerRow, Mark},
    rows::{Usage, UserId},
};

/// Bytes of filings in one page of rows, but for the last row of it.
const HELD: usize = 1 << 20;

/// Groups that [`usage_by_ledger`] reads at a time.
const PAGE: usize = 1000;

impl Store {
    /// At most `most` rows of the ledger, from number `from` on: fewer if they are long, none only at the end.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn ledger_from(&self, from: GroupNumber, most: usize) -> Result<Vec<(GroupNumber, LedgerRow)>, StoreError> {
        self.reading(|txn| {
            let (mut page, mut bytes) = (Vec::new(), 0);
            for row in self.catalog.ledger.range(txn, &(from..))?.take(most) {
                let (number, row) = row?;
                bytes += row.group.filings.bytes();
                page.push((number, row));
                if bytes >= HELD {
                    break;
                }
            }
            Ok(page)
        })
    }

    /// The last row of the ledger; `None` as long as nothing was archived.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn last_group(&self) -> Result<Option<(GroupNumber, LedgerRow)>, StoreError> {
        self.reading(|txn| self.catalog.ledger.last(txn))
    }

    /// The mark that is kept under this name; `Committer::keep_mark` keeps it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn mark(&self, name: &str) -> Result<Option<Mark>, StoreError> {
        let meta = self.catalog.meta.remap_data_type::<Row<Mark>>();
        self.reading(|txn| meta.get(txn, &Mark::key(name)))
    }
}

/// Reads the ledger from a mark on.
pub struct Follower {
    store: Arc<Store>,
    mark: Mark,
    written: watch::Receiver<GroupNumber>,
}

impl Follower {
    /// Follows from behind `from`. `None` if the archive's groups are others than those that were seen: what was
    /// derived from them is to be made anew, from [`Mark::START`] on.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn new(store: Arc<Store>, from: Mark) -> Result<Option<Self>, StoreError> {
        if from != Mark::START {
            let row = store.ledger_from(from.group, 1)?;
            if row
                .first()
                .is_none_or(|(number, row)| *number != from.group || row.chain != from.chain)
            {
                return Ok(None);
            }
        }
        let written = store.written.subscribe();
        let mark = from;
        Ok(Some(Self { store, mark, written }))
    }

    /// The next groups, at most `most`; `None` if all were seen. They count as seen when the next are asked for.
    ///
    /// # Errors
    /// The catalog cannot be read, or a group is missing.
    pub fn next(&mut self, most: usize) -> Result<Option<Vec<(GroupNumber, Group)>>, StoreError> {
        let page = self.store.ledger_from(self.mark.group.next(), most)?;
        let Some((last, row)) = page.last() else {
            return Ok(None);
        };
        let expected = (self.mark.group.0 + 1..).map(GroupNumber);
        if let Some((_, missing)) = page
            .iter()
            .zip(expected)
            .find(|((number, _), expected)| number != expected)
        {
            let detail = format!("group {missing} is missing from the ledger; run `dropkeep verify`");
            return Err(StoreError::Damaged { detail });
        }
        self.mark = Mark {
            group: *last,
            chain: row.chain,
        };
        Ok(Some(
            page.into_iter().map(|(number, row)| (number, row.group)).collect(),
        ))
    }

    /// Up to where the groups were handed out: to be kept when all of them are in what is derived.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// How many groups there are behind the mark.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn behind(&self) -> Result<u64, StoreError> {
        let last = self.store.last_group()?;
        Ok(last.map_or(0, |(number, _)| number.0.saturating_sub(self.mark.group.0)))
    }

    /// Waits until this process has written a group that was not handed out.
    pub async fn written(&mut self) {
        let seen = self.mark.group;
        // The store that this has in hand also has the other end.
        let _ = self.written.wait_for(|written| *written > seen).await;
    }
}

/// What the archives hold, added up from the ledger: what the table `usage` has.
///
/// # Errors
/// The catalog cannot be read, or a message of the ledger is missing.
pub fn usage_by_ledger(store: &Arc<Store>) -> Result<BTreeMap<UserId, Usage>, StoreError> {
    let mut usage = BTreeMap::<UserId, Usage>::new();
    let Some(mut follower) = Follower::new(store.clone(), Mark::START)? else {
        return Ok(usage);
    };
    while let Some(page) = follower.next(PAGE)? {
        for (_, group) in page {
            let pairs = group.filings.pairs()?;
            for of_message in pairs.chunk_by(|one, other| one.0 == other.0) {
                let id = of_message[0].0;
                let message = store.message(id)?.ok_or_else(|| StoreError::Damaged {
                    detail: format!("message {id} is missing; run `dropkeep verify`"),
                })?;
                for (_, user) in of_message {
                    let usage = usage.entry(*user).or_default();
                    usage.messages += 1;
                    usage.bytes += message.size;
                }
            }
        }
    }
    Ok(usage)
}
