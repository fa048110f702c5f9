//! Packing rows that an older version left by themselves, in the table of fresh rows or in another one. They stay until
//! all are packed, so it may be done in several transactions, and begun anew.

use std::ops::Bound;

use heed::{Database, RwTxn, types::Bytes};

use super::{
    chunk::{Row, key_bytes},
    packing::Packing,
    table::Settled,
    writer::Writer,
};

/// Rows that are packed in one transaction: some MB.
const AT_ONCE: usize = 100_000;
/// Damaged rows that are kept. Where there are more, nothing can be expected of the archive.
const MOST_DAMAGED: usize = 100_000;

/// What a row of an older version is now.
pub enum Became<P: Packing> {
    Row(Row<P>),
    /// Nothing that can be read. It stays as it is, under this key.
    Damaged(Vec<u8>),
    /// A row of another table.
    Another,
}

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

    /// Packs some of the rows that are in `from`; whether more may follow. `read` reads a key and a value as they were
    /// written.
    ///
    /// # Errors
    /// LMDB cannot read or write, or very many rows are damaged.
    pub fn go_on(
        &mut self,
        from: Database<Bytes, Bytes>,
        txn: &mut RwTxn,
        read: impl Fn(&[u8], &[u8]) -> Became<P>,
    ) -> heed::Result<bool> {
        let last = self.last.take();
        let behind = last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut rows = Vec::with_capacity(AT_ONCE);
        for row in from.range(txn, &(behind, Bound::Unbounded))?.take(AT_ONCE) {
            let (was, value) = row?;
            self.last = Some(was.to_vec());
            let damaged = match read(was, value) {
                Became::Another => continue,
                Became::Damaged(key) => key,
                // Where the order of two keys is another one than before, or they are one, the first is taken.
                Became::Row((key, _)) if self.before.as_ref().is_some_and(|before| *before >= key) => key_bytes(&key),
                Became::Row(row) => {
                    self.before = Some(row.0.clone());
                    rows.push(row);
                    continue;
                }
            };
            if self.damaged.len() >= MOST_DAMAGED {
                let name = P::NAME;
                let detail = format!("more than {MOST_DAMAGED} rows of the table {name} are damaged");
                return Err(heed::Error::Decoding(detail.into()));
            }
            self.damaged.push((damaged, value.to_vec()));
        }
        for row in rows {
            self.writer.push(txn, row)?;
        }
        if self.last.is_none() {
            self.writer.end(txn, true)?;
        }
        Ok(self.last.is_some())
    }

    /// No fresh row is left but those that are damaged, for `verify` to find.
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
