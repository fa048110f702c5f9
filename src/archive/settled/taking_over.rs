//! Packing a table whose rows are all fresh, as an older version left them. They stay until all are packed, so it may be
//! done in several transactions, and begun anew.

use std::ops::Bound;

use heed::RwTxn;

use super::{chunk::key_bytes, packing::Packing, range::fresh_value, table::Settled, writer::Writer};

/// Rows that are packed in one transaction: some MB.
const AT_ONCE: usize = 100_000;
/// Damaged rows that are kept. Where there are more, nothing can be expected of the archive.
const MOST_DAMAGED: usize = 100_000;

/// How far it has come.
pub struct TakingOver<P: Packing> {
    writer: Writer<P>,
    /// The last row that was looked at.
    last: Option<Vec<u8>>,
    before: Option<P::Key>,
    /// Under the keys that they have from now on.
    damaged: Vec<(Vec<u8>, Vec<u8>)>,
}

impl<P: Packing> TakingOver<P> {
    /// Clears what is packed of it, and begins.
    ///
    /// # Errors
    /// LMDB cannot write.
    pub fn begin(table: &Settled<P>, txn: &mut RwTxn) -> heed::Result<Self> {
        for level in &table.levels {
            level.clear(txn)?;
        }
        Ok(Self {
            writer: Writer::new(table.levels[table.levels.len() - 1]),
            last: None,
            before: None,
            damaged: Vec::new(),
        })
    }

    /// Packs some rows; whether more may follow. `key` reads a key as it was written.
    ///
    /// # Errors
    /// LMDB cannot read or write, or very many rows are damaged.
    pub fn go_on(
        &mut self,
        table: &Settled<P>,
        txn: &mut RwTxn,
        key: impl Fn(&[u8]) -> Option<P::Key>,
    ) -> heed::Result<bool> {
        let last = self.last.take();
        let behind = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = Vec::with_capacity(AT_ONCE);
        for row in table.fresh.range(txn, &(behind, Bound::Unbounded))?.take(AT_ONCE) {
            let (was, value) = row?;
            self.last = Some(was.to_vec());
            let key = key(was);
            match (key, fresh_value::<P>(value)) {
                (Some(key), Ok(value)) if self.before.as_ref().is_none_or(|before| *before < key) => {
                    self.before = Some(key.clone());
                    rows.push((key, value));
                }
                _ if self.damaged.len() >= MOST_DAMAGED => {
                    let name = P::NAME;
                    let detail = format!("more than {MOST_DAMAGED} rows of the table {name} are damaged");
                    return Err(heed::Error::Decoding(detail.into()));
                }
                (Some(key), _) => self.damaged.push((key_bytes(&key), value.to_vec())),
                (None, _) => self.damaged.push((was.to_vec(), value.to_vec())),
            }
        }
        for row in rows {
            self.writer.push(txn, row)?;
        }
        if self.last.is_none() {
            self.writer.end(txn, true)?;
        }
        Ok(self.last.is_some())
    }

    /// Deletes the rows that are packed. Damaged ones stay fresh, for `verify` to find.
    ///
    /// # Errors
    /// LMDB cannot write.
    pub fn end(self, table: &Settled<P>, txn: &mut RwTxn) -> heed::Result<()> {
        table.fresh.clear(txn)?;
        for (key, value) in self.damaged {
            table.fresh.put(txn, &key, &value)?;
        }
        Ok(())
    }
}
