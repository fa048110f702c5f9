//! Reading the audit log, and checking its chain.

use heed::{RoTxn, RwTxn};

use super::{Store, StoreError, catalog::Catalog, codec::Row};
use crate::access::{AuditMark, AuditRow, entry::chain};

pub(super) const AUDIT: &str = "audit";
/// Entries read in one transaction.
const PAGE: u64 = 1_000;
/// What is wrong that is told in words.
const MOST_DAMAGES: usize = 20;

impl Catalog {
    pub(super) fn audit_mark(&self, txn: &RoTxn) -> heed::Result<AuditMark> {
        let mark = self.meta.remap_data_type::<Row<AuditMark>>().get(txn, AUDIT)?;
        Ok(mark.unwrap_or(AuditMark::START))
    }

    pub(super) fn put_audit_mark(&self, txn: &mut RwTxn, mark: &AuditMark) -> heed::Result<()> {
        self.meta.remap_data_type::<Row<AuditMark>>().put(txn, AUDIT, mark)
    }
}

/// Entries by their numbers; `None` of one that is missing or damaged.
pub type AuditPage = Vec<(u64, Option<AuditRow>)>;

/// What was found of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditCheck {
    pub entries: u64,
    /// What is wrong, the first of it in words.
    pub wrong: u64,
    pub damages: Vec<String>,
}

impl AuditCheck {
    fn damage(&mut self, detail: String) {
        self.wrong += 1;
        if self.damages.len() < MOST_DAMAGES {
            self.damages.push(detail);
        }
    }
}

impl Store {
    /// Where the audit log begins and ends.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn audit_mark(&self) -> Result<AuditMark, StoreError> {
        self.reading(|txn| self.catalog.audit_mark(txn))
    }

    /// A page of the entries from `from` on: number and row, `None` of one that is missing or damaged.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn audit_page(&self, from: u64) -> Result<AuditPage, StoreError> {
        self.reading(|txn| {
            let mark = self.catalog.audit_mark(txn)?;
            let first = from.max(mark.first);
            let last = mark.last.min(first.saturating_add(PAGE - 1));
            (first..=last).map(|number| self.audit_row(txn, number)).collect()
        })
    }

    /// The same of those below `before`, the newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn audit_page_below(&self, before: u64) -> Result<AuditPage, StoreError> {
        self.reading(|txn| {
            let mark = self.catalog.audit_mark(txn)?;
            let last = mark.last.min(before.saturating_sub(1));
            let first = mark.first.max(last.saturating_sub(PAGE - 1));
            (first..=last).rev().map(|number| self.audit_row(txn, number)).collect()
        })
    }

    fn audit_row(&self, txn: &RoTxn, number: u64) -> heed::Result<(u64, Option<AuditRow>)> {
        match self.catalog.audit.get(txn, &number) {
            Ok(row) => Ok((number, row)),
            Err(heed::Error::Decoding(_)) => Ok((number, None)),
            Err(error) => Err(error),
        }
    }
}

/// Goes through the whole audit log, oldest first, hands each entry to `each`, and checks the chain. Ends early where
/// `each` says so.
///
/// # Errors
/// The catalog cannot be read.
pub fn check_audit(store: &Store, each: &mut dyn FnMut(u64, &AuditRow) -> bool) -> Result<AuditCheck, StoreError> {
    let mut check = AuditCheck::default();
    let mark = store.audit_mark()?;
    let (mut next, mut before) = (mark.first, Some(mark.before));
    loop {
        let page = store.audit_page(next)?;
        let Some((first, _)) = page.first() else { break };
        if *first > next {
            // Entries were removed meanwhile because of their age.
            before = None;
        }
        for (number, row) in page {
            next = number + 1;
            let Some(row) = row else {
                check.damage(format!("entry {number} is missing or damaged"));
                before = None;
                continue;
            };
            check.entries += 1;
            if let Some(before) = before
                && chain(&row.entry, &before, number).ok() != Some(row.chain)
            {
                check.damage(format!(
                    "entry {number} is not what was written there, or not the one behind it"
                ));
            }
            before = Some(row.chain);
            if !each(number, &row) {
                return Ok(check);
            }
        }
    }
    let end = store.audit_mark()?;
    if before.is_some() && next == end.last + 1 && before != Some(end.chain) {
        check.damage("the last entry is not the one that was written last".into());
    }
    Ok(check)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::Entry,
        archive::{
            Deed,
            test_bench::{Bench, config},
        },
    };

    /// What was found after a change to the table, made by other means than the committer.
    async fn found_after(change: impl FnOnce(&Catalog, &mut RwTxn)) -> AuditCheck {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&config(&folder));
        for number in 1..=5 {
            let entry = Entry::new("owner", "socket", "raw", &format!("message {number}"));
            bench.committer.deed(Deed::noted(entry)).await.unwrap();
        }
        let mut numbers = Vec::new();
        let whole = check_audit(&bench.store, &mut |number, _| {
            numbers.push(number);
            true
        });
        assert_eq!((whole.unwrap().wrong, numbers), (0, vec![1, 2, 3, 4, 5]));
        let catalog = &bench.store.catalog;
        let mut txn = catalog.write().unwrap();
        change(catalog, &mut txn);
        txn.commit().unwrap();
        let found = check_audit(&bench.store, &mut |_, _| true).unwrap();
        bench.close();
        found
    }

    fn row(catalog: &Catalog, txn: &RwTxn, number: u64) -> AuditRow {
        catalog.audit.get(txn, &number).unwrap().unwrap()
    }

    #[actix::test]
    async fn whatever_is_changed_in_the_log_is_found() {
        let changed = found_after(|catalog, txn| {
            let mut row = row(catalog, txn, 3);
            row.entry.object = "message 9".into();
            catalog.audit.put(txn, &3, &row).unwrap();
        });
        assert_eq!(changed.await.wrong, 1);
        // With a digest of its own that fits, it is the next one that does not.
        let rechained = found_after(|catalog, txn| {
            let before = row(catalog, txn, 2);
            let mut row = row(catalog, txn, 3);
            row.entry.object = "message 9".into();
            row.chain = chain(&row.entry, &before.chain, 3).unwrap();
            catalog.audit.put(txn, &3, &row).unwrap();
        });
        assert_eq!(rechained.await.wrong, 1);
        let removed = found_after(|catalog, txn| {
            catalog.audit.delete(txn, &2).unwrap();
        });
        assert_eq!(removed.await.damages, ["entry 2 is missing or damaged"]);
        let cut_off = found_after(|catalog, txn| {
            catalog.audit.delete(txn, &5).unwrap();
        });
        assert_eq!(cut_off.await.damages, ["entry 5 is missing or damaged"]);
        let exchanged = found_after(|catalog, txn| {
            let (two, three) = (row(catalog, txn, 2), row(catalog, txn, 3));
            catalog.audit.put(txn, &2, &three).unwrap();
            catalog.audit.put(txn, &3, &two).unwrap();
        });
        assert!(exchanged.await.wrong > 0);
        // The end of the log is known, too.
        let shorter = found_after(|catalog, txn| {
            let last = row(catalog, txn, 4);
            catalog.audit.put(txn, &5, &last).unwrap();
        });
        assert!(shorter.await.wrong > 0);
    }
}
