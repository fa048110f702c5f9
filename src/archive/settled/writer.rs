//! Making chunks of rows that come in order.

use std::mem::{replace, take};

use heed::{Database, PutFlags, RwTxn, types::Bytes};

use super::{
    chunk::{MOST, Row, key_bytes, seal},
    packing::Packing,
};
use crate::archive::codec::CHECKSUM;

const ROOM: usize = MOST - CHECKSUM;

/// Writes rows as chunks that are as full as can be.
pub struct Writer<P: Packing> {
    table: Database<Bytes, Bytes>,
    /// The last full chunk: it shares its rows with the one behind it where that stays almost empty.
    full: Pending<P>,
    open: Pending<P>,
}

struct Pending<P: Packing> {
    rows: Vec<Row<P>>,
    bytes: Vec<u8>,
}

impl<P: Packing> Default for Pending<P> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            bytes: Vec::new(),
        }
    }
}

impl<P: Packing> Pending<P> {
    fn push(&mut self, row: Row<P>) {
        P::put(self.rows.last(), &row, &mut self.bytes);
        self.rows.push(row);
    }

    fn write(self, table: &Database<Bytes, Bytes>, txn: &mut RwTxn) -> heed::Result<()> {
        let Some((first, _)) = self.rows.first() else {
            return Ok(());
        };
        let key = key_bytes(first);
        let is_last = table.last(txn)?.is_none_or(|(last, _)| last < &key[..]);
        let flags = if is_last { PutFlags::APPEND } else { PutFlags::empty() };
        table.put_with_flags(txn, flags, &key, &seal(self.bytes))
    }
}

impl<P: Packing> Writer<P> {
    pub fn new(table: Database<Bytes, Bytes>) -> Self {
        Self {
            table,
            full: Pending::default(),
            open: Pending::default(),
        }
    }

    /// Adds a row behind all that were added, and before all chunks behind them.
    ///
    /// # Errors
    /// LMDB cannot write.
    pub fn push(&mut self, txn: &mut RwTxn, row: Row<P>) -> heed::Result<()> {
        let parted = self
            .open
            .rows
            .last()
            .is_some_and(|(before, _)| P::parts(before, &row.0));
        if parted {
            self.end(txn, true)?;
        }
        let length = self.open.bytes.len();
        self.open.push(row);
        if self.open.bytes.len() > ROOM
            && self.open.rows.len() > 1
            && let Some(row) = self.open.rows.pop()
        {
            self.open.bytes.truncate(length);
            let full = replace(&mut self.full, take(&mut self.open));
            full.write(&self.table, txn)?;
            self.open.push(row);
        }
        Ok(())
    }

    /// No row follows. `goes_on`: the next one that ever comes is likely to have its place behind these.
    ///
    /// # Errors
    /// LMDB cannot write.
    pub fn end(&mut self, txn: &mut RwTxn, goes_on: bool) -> heed::Result<()> {
        let (mut full, mut open) = (take(&mut self.full), take(&mut self.open));
        if !goes_on && !full.rows.is_empty() && open.bytes.len() < ROOM / 2 {
            let half = (full.bytes.len() + open.bytes.len()) / 2;
            let rows = take(&mut full.rows).into_iter().chain(take(&mut open.rows));
            full.bytes.clear();
            open.bytes.clear();
            for row in rows {
                match full.bytes.len() < half {
                    true => full.push(row),
                    false => open.push(row),
                }
            }
        }
        full.write(&self.table, txn)?;
        open.write(&self.table, txn)
    }
}
