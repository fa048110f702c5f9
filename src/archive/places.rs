//! Where the bytes are that the catalog's rows name, one page of rows after the other.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

use heed::RoTxn;
use roaring::RoaringTreemap;

use super::{
    catalog::Catalog,
    order::Row,
    resident,
    rows::{MessageId, Place},
};

/// Blocks, by their volume.
pub(super) type Blocks = BTreeMap<u32, RoaringTreemap>;

/// Rows read at once.
pub(super) const PAGE: usize = 1000;

/// Every place that a row names: first the messages', then the parts'. A row only ever comes to name a new block, so
/// pages may be read in different transactions while mail is filed and moved.
#[derive(Default)]
pub(super) struct Places {
    message: MessageId,
    part: Option<[u8; 32]>,
    messages_are_done: bool,
}

impl Places {
    /// How many rows there are to be read.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn count(catalog: &Catalog, txn: &RoTxn) -> heed::Result<u64> {
        Ok(catalog.messages.len(txn)? + catalog.parts.len(txn)?)
    }

    /// The next page; none at the end.
    ///
    /// # Errors
    /// A row cannot be read.
    pub fn next(&mut self, catalog: &Catalog, txn: &RoTxn) -> heed::Result<Option<Vec<(Row, Place)>>> {
        resident::touched();
        if !self.messages_are_done {
            let rows = catalog.messages.range(txn, &(self.message..))?.take(PAGE);
            let page = rows.map(|row| row.map(|(id, message)| (Row::Message(id), message.inline)));
            let page = page.collect::<heed::Result<Vec<_>>>()?;
            if let Some((last, _)) = page.last() {
                self.message = last.message().next();
                return Ok(Some(page));
            }
            self.messages_are_done = true;
        }
        let from = self.part.map_or(Unbounded, Excluded);
        let rows = catalog.parts.range(txn, &(from, Unbounded))?.take(PAGE);
        let rows = rows.collect::<heed::Result<Vec<_>>>()?;
        let Some((last, _)) = rows.last() else { return Ok(None) };
        self.part = Some(*last);
        let page = rows.into_iter().map(|(digest, part)| (Row::Part(digest), part.place));
        Ok(Some(page.collect()))
    }
}
