//! Which messages the copies of a source were found to be. The filings do not say it: a copy of which everybody had the
//! message already leaves none.

use std::{collections::BTreeMap, ops::Bound};

use roaring::RoaringTreemap;

use super::{
    Store, StoreError,
    rows::{Copy, FolderNumber, Source, UidlDigest},
    settled::{Packing, Settled},
};
use crate::config::Family;

/// Rows read under one transaction.
const PAGE: usize = 10_000;
/// The one folder of POP3.
const INBOX: &str = "INBOX";

impl Store {
    /// The messages of each of a source's folders, as its cursor has them; nothing of a source that was never archived.
    /// Takes about a second for a million copies, and a few bits of memory for each.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn seen_in(&self, source: &Source) -> Result<BTreeMap<FolderNumber, RoaringTreemap>, StoreError> {
        let mut seen = BTreeMap::<FolderNumber, RoaringTreemap>::new();
        let Some(number) = self.source_number(source)? else {
            return Ok(seen);
        };
        let copies = &self.catalog.copies;
        match source.family {
            Family::Imap => {
                let of = |number, folder, uid| ((number, FolderNumber(folder)), (uid, uid));
                let all = (of(number, 0, 0), of(number, u32::MAX, u32::MAX));
                self.see(&copies.uids, all, |((_, folder), _)| *folder, &mut seen)?;
            }
            Family::Pop3 => {
                let inbox = self.folder_number(INBOX)?.unwrap_or_default();
                let all = ((number, UidlDigest::MIN), (number, UidlDigest::MAX));
                self.see(&copies.uidls, all, |_| inbox, &mut seen)?;
            }
        }
        Ok(seen)
    }

    /// Adds the messages of the rows from one key to another.
    fn see<P: Packing<Value = Copy>>(
        &self,
        table: &Settled<P>,
        (first, last): (P::Key, P::Key),
        folder: impl Fn(&P::Key) -> FolderNumber,
        seen: &mut BTreeMap<FolderNumber, RoaringTreemap>,
    ) -> Result<(), StoreError> {
        let mut from = Bound::Included(first);
        loop {
            let bounds = (from, Bound::Included(last.clone()));
            let page: Vec<_> = self.reading(|txn| {
                let rows = table.range(txn, &bounds)?.take(PAGE);
                rows.map(|row| row.map(|(key, copy)| (key, copy.message))).collect()
            })?;
            let Some((key, _)) = page.last() else { return Ok(()) };
            from = Bound::Excluded(key.clone());
            for (key, message) in page {
                seen.entry(folder(&key)).or_default().insert(message.0);
            }
        }
    }
}
