//! Reading the rows of lists, and making those that are lacking.

use std::collections::{HashMap, hash_map::Entry};

use zstd::bulk::Decompressor;

use super::{
    Committer, Retrieval, Store, StoreError,
    lists::{Filled, Line, Made, lines, place, undecoded},
    lists_table::filled,
    order::Tidying,
    resident,
    rows::MessageId,
};
use crate::identify::Listed;

/// Messages whose rows are made with one commit, and about how many bytes of them are in memory for it.
const STEP: usize = 256;

/// Makes rows for messages that have none, in steps of one commit each, as long as `go_on` says so; how many it made.
/// Blocking. A message that cannot be read gets none.
///
/// # Errors
/// The store cannot be read or written. What was made until then stays.
pub(super) fn fill(store: &Store, committer: &Committer, go_on: &dyn Fn() -> bool) -> Result<u64, StoreError> {
    let mut count = 0;
    // The blocks that readers have at hand stay there.
    let mut retrieval = Retrieval::anew(store);
    while let Some(Filled { next, until, .. }) = store.lists_lack()? {
        if !go_on() {
            break;
        }
        let mut made = Made {
            from: next,
            next: until,
            rows: Vec::with_capacity(STEP),
        };
        let messages = store.messages_behind(next.previous())?;
        let mut left = messages.into_iter().take_while(|(id, _)| *id < until).peekable();
        for (id, message) in left.by_ref().take(STEP) {
            match retrieval.inline(id, &message) {
                Ok(inline) => made.rows.extend(Listed::of(&inline).map(|listed| (id, listed))),
                Err(error @ StoreError::Damaged { .. }) => {
                    tracing::warn!(%error, "no row of lists was made for a damaged message; run `dropkeep verify`");
                }
                Err(error) => return Err(error),
            }
        }
        if let Some((id, _)) = left.next() {
            made.next = id;
        }
        StoreError::point("lists-filling")?;
        count += committer.tidy(Tidying::Lists(made))?;
        StoreError::point("lists-filled")?;
        resident::release(store.path());
    }
    Ok(count)
}

impl Store {
    /// Which messages have no rows yet; `None` where all have.
    fn lists_lack(&self) -> Result<Option<Filled>, StoreError> {
        let filled = self.reading(|txn| filled(&self.catalog, txn))?;
        Ok(filled.filter(|filled| filled.next < filled.until))
    }

    /// What lists say of these messages, `None` for those without a row.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn listed(&self, ids: impl Iterator<Item = MessageId>) -> Result<Vec<Option<Listed>>, StoreError> {
        self.reading(|txn| {
            let mut decompressor = Decompressor::new()?;
            let mut unpacked = HashMap::<u64, Vec<u8>>::new();
            let mut listed = Vec::new();
            for id in ids {
                let (key, nth) = place(id);
                let plain = match unpacked.entry(key) {
                    Entry::Occupied(plain) => plain.into_mut(),
                    Entry::Vacant(free) => {
                        let packed = self.catalog.lists.get(txn, &key)?;
                        let plain = packed.map(|packed| packed.unpack(key, &mut decompressor)).transpose()?;
                        free.insert(plain.unwrap_or_default())
                    }
                };
                let line = lines(plain)?.get(&nth).map(|line| postcard::from_bytes::<Line>(line));
                listed.push(line.transpose().map_err(undecoded)?.map(Listed::from));
            }
            Ok(listed)
        })
    }
}
