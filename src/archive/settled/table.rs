//! The table as others use it.

use std::{
    marker::PhantomData,
    ops::{Bound, RangeBounds},
};

use heed::{
    Database, RoTxn, RwTxn,
    types::{Bytes, Str},
};

use super::{
    chunk::{Row, Unpack, find, key_bytes, read_key, unpack},
    fresh,
    packing::Packing,
    range::{Direction, Rows},
    sweep::{Origin, Sweep, is_before},
    writer::Writer,
};
use crate::archive::{codec, resident};

/// So many rows more than are kept fresh, and chunks more than a level keeps, move on together. Groups are often small,
/// and a few rows would not share their chunks.
const FRESH_TOGETHER: u64 = 4096;
const CHUNKS_TOGETHER: u64 = 32;
/// Rows that come together are written into chunks at once where there are so many for each: to write a chunk anew takes
/// about as long as to write five to ten fresh rows and to move them later.
const SHARED: usize = 16;
/// After how many keys in order it is said that pages are read.
const TOUCHED: usize = 16;

/// A table whose rows are packed, each some time after it came.
pub struct Settled<P: Packing> {
    pub(in crate::archive) fresh: Database<Bytes, Bytes>,
    pub(in crate::archive) levels: Vec<Database<Bytes, Bytes>>,
    /// Under "settled NAME n": the key up to which level n, or the fresh rows (0), were moved on last.
    places: Database<Str, Bytes>,
    packing: PhantomData<fn() -> P>,
}

/// A place in all levels of a table; 0 are the fresh rows.
#[derive(Clone)]
pub struct Reached {
    level: usize,
    /// Of the row that was read last.
    key: Vec<u8>,
}

/// The chunk in which was looked last, and how far it was read.
struct Opened<'t, P: Packing> {
    first: &'t [u8],
    rows: Option<Unpack<'t, P>>,
    last: Option<Row<P>>,
}

impl<P: Packing> Default for Opened<'_, P> {
    fn default() -> Self {
        Self {
            first: &[],
            rows: None,
            last: None,
        }
    }
}

impl<'t, P: Packing> Opened<'t, P> {
    /// The value of a key that is not before the one that was looked for last.
    fn find(&mut self, first: &'t [u8], chunk: &'t [u8], key: &P::Key) -> heed::Result<Option<P::Value>> {
        if self.first != first {
            *self = Self::default();
        }
        let rows = match &mut self.rows {
            Some(rows) => rows,
            rows => rows.insert(Unpack::new(first, chunk)?),
        };
        self.first = first;
        rows.find(&mut self.last, key)
    }
}

/// The name of the value that says up to which key level `from` of a table was moved on last.
fn place_name(table: &str, from: usize) -> String {
    format!("settled {table} {from}")
}

impl<P: Packing> Settled<P> {
    /// Whether a value of the catalog is of this name.
    pub fn is_place(name: &str) -> bool {
        (0..P::LEVELS.len()).any(|from| name == place_name(P::NAME, from))
    }

    /// Opens its tables by `open`; `places` is the catalog's table of single values.
    ///
    /// # Errors
    /// One cannot be opened.
    pub fn open(
        places: Database<Str, Bytes>,
        mut open: impl FnMut(&str) -> heed::Result<Database<Bytes, Bytes>>,
    ) -> heed::Result<Self> {
        let mut levels = Vec::with_capacity(P::LEVELS.len());
        let fresh = open(P::NAME)?;
        for level in 1..=P::LEVELS.len() {
            levels.push(open(&format!("{} {level}", P::NAME))?);
        }
        Ok(Self {
            fresh,
            levels,
            places,
            packing: PhantomData,
        })
    }

    /// The value of a key.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn get(&self, txn: &RoTxn, key: &P::Key) -> heed::Result<Option<P::Value>> {
        let wanted = key_bytes(key);
        let mut found = self.get_fresh(txn, &wanted)?;
        for level in &self.levels {
            if found.is_some() {
                break;
            }
            if let Some((first, chunk)) = level.get_lower_than_or_equal_to(txn, &wanted)? {
                found = find::<P>(first, chunk, key)?;
            }
        }
        Ok(found)
    }

    fn get_fresh(&self, txn: &RoTxn, key: &[u8]) -> heed::Result<Option<P::Value>> {
        let found = self.fresh.get(txn, key)?;
        found.map(|value| fresh::take::<P>(key, value)).transpose()
    }

    /// The values of some keys, which are in order. A chunk in which several of them are is opened once.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn get_all(&self, txn: &RoTxn, keys: &[P::Key]) -> heed::Result<Vec<Option<P::Value>>> {
        let mut opened: Vec<Opened<P>> = self.levels.iter().map(|_| Opened::default()).collect();
        let mut values = Vec::with_capacity(keys.len());
        for (at, key) in keys.iter().enumerate() {
            if at % TOUCHED == 0 {
                resident::touched();
            }
            let wanted = key_bytes(key);
            let mut found = self.get_fresh(txn, &wanted)?;
            for (level, opened) in self.levels.iter().zip(&mut opened) {
                if found.is_some() {
                    break;
                }
                if let Some((first, chunk)) = level.get_lower_than_or_equal_to(txn, &wanted)? {
                    found = opened.find(first, chunk, key)?;
                }
            }
            values.push(found);
        }
        Ok(values)
    }

    /// Rows in the order of their keys.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn range<'t>(&self, txn: &'t RoTxn, keys: &impl RangeBounds<P::Key>) -> heed::Result<Rows<'t, P>> {
        self.rows(txn, keys, Direction::Up)
    }

    /// The same as `range`, for whoever looks for damage: [`Rows::next_found`] goes on behind what is damaged, and what
    /// is found in its place must be found by its key.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn checked_range<'t>(&self, txn: &'t RoTxn, keys: &impl RangeBounds<P::Key>) -> heed::Result<Rows<'t, P>> {
        self.merged(txn, keys, Direction::Up, true)
    }

    /// Rows in the order of their keys, or against it.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn rows<'t>(
        &self,
        txn: &'t RoTxn,
        keys: &impl RangeBounds<P::Key>,
        direction: Direction,
    ) -> heed::Result<Rows<'t, P>> {
        self.merged(txn, keys, direction, false)
    }

    fn merged<'t>(
        &self,
        txn: &'t RoTxn,
        keys: &impl RangeBounds<P::Key>,
        direction: Direction,
        looks_up: bool,
    ) -> heed::Result<Rows<'t, P>> {
        let bounds = (keys.start_bound().cloned(), keys.end_bound().cloned());
        Rows::new(txn, self.fresh, &self.levels, &bounds, direction, looks_up)
    }

    /// Keys in no order, some of them twice, behind the place up to which this came before: `most`, or a chunk more;
    /// and the place up to which it came, if there may be more. For whoever wants all of them, and soon. The levels are
    /// read from above, as rows move: those that go on meanwhile are met where they went.
    ///
    /// # Errors
    /// LMDB cannot read, or a key or chunk is damaged.
    pub fn keys(
        &self,
        txn: &RoTxn,
        behind: Option<Reached>,
        most: usize,
    ) -> heed::Result<(Vec<P::Key>, Option<Reached>)> {
        let mut keys = Vec::with_capacity(most);
        let (first, mut reached) = behind.map_or((0, None), |behind| (behind.level, Some(behind.key)));
        let levels = std::iter::once(&self.fresh).chain(&self.levels);
        for (level, table) in levels.enumerate().skip(first) {
            let reached = reached.take();
            // Chunks may be cut in other places since: what came next may lie in the one with the row that came last.
            let from = match reached.as_deref() {
                Some(last) if level > 0 => match table.get_lower_than_or_equal_to(txn, last)? {
                    Some((first, _)) => Bound::Included(first),
                    None => Bound::Unbounded,
                },
                Some(last) => Bound::Excluded(last),
                None => Bound::Unbounded,
            };
            for row in table.range(txn, &(from, Bound::Unbounded))? {
                let (key, value) = row?;
                let before = keys.len();
                if level == 0 {
                    keys.push(read_key(key)?);
                } else {
                    let rows = unpack::<P>(key, value)?.into_iter().map(|(key, _)| key);
                    keys.extend(rows.filter(|key| reached.as_ref().is_none_or(|last| key_bytes(key) > *last)));
                }
                if keys.len() >= most
                    && let Some(last) = keys[before..].last()
                {
                    let key = key_bytes(last);
                    return Ok((keys, Some(Reached { level, key })));
                }
            }
        }
        Ok((keys, None))
    }

    /// # Errors
    /// LMDB cannot write.
    pub fn put(&self, txn: &mut RwTxn, key: &P::Key, value: &P::Value) -> heed::Result<()> {
        let key = key_bytes(key);
        self.fresh.put(txn, &key, &fresh::put::<P>(&key, value)?)
    }

    /// Puts rows, which are in order. Where many of them have their places in the same chunks, as in a small table or
    /// behind all others, they go there at once: a row that is fresh first is written twice.
    ///
    /// # Errors
    /// LMDB cannot read or write.
    pub fn put_all(&self, txn: &mut RwTxn, rows: Vec<Row<P>>) -> heed::Result<()> {
        match self.share_chunks(txn, &rows)? {
            true => self.put_together(txn, rows),
            false => rows
                .into_iter()
                .try_for_each(|(key, value)| self.put(txn, &key, &value)),
        }
    }

    /// Puts rows, which are in order, into chunks of the first level.
    pub(super) fn put_together(&self, txn: &mut RwTxn, rows: Vec<Row<P>>) -> heed::Result<()> {
        if !self.fresh.is_empty(txn)? {
            // Those would hide what is put below them.
            for (key, _) in &rows {
                self.fresh.delete(txn, &key_bytes(key))?;
            }
        }
        let sweep = Sweep {
            fresh: self.fresh,
            from: Origin::Outside,
            to: self.levels[0],
        };
        sweep.merge::<P>(txn, rows)
    }

    /// Whether each chunk of the first level that would be written for these rows is written for many of them.
    fn share_chunks(&self, txn: &RoTxn, rows: &[Row<P>]) -> heed::Result<bool> {
        let (mut left, mut chunks) = (rows, 0);
        while let Some((first, _)) = left.first() {
            chunks += 1;
            if chunks * SHARED > rows.len() {
                return Ok(false);
            }
            let next = self.levels[0]
                .get_greater_than(txn, &key_bytes(first))?
                .map(|(next, _)| next);
            let here = left.partition_point(|(key, _)| is_before(key, next));
            left = &left[here..];
        }
        Ok(true)
    }

    /// Deletes the row of a key; whether there was one.
    #[cfg(test)]
    pub fn delete(&self, txn: &mut RwTxn, key: &P::Key) -> heed::Result<bool> {
        self.delete_all(txn, std::slice::from_ref(key))
    }

    /// Deletes the rows of some keys, which are in order; whether there were any. A chunk in which several of them are
    /// is written anew once.
    ///
    /// # Errors
    /// LMDB cannot write, or a chunk is damaged.
    pub fn delete_all(&self, txn: &mut RwTxn, keys: &[P::Key]) -> heed::Result<bool> {
        let mut deleted = false;
        for (at, key) in keys.iter().enumerate() {
            if at % TOUCHED == 0 {
                resident::touched();
            }
            deleted |= self.fresh.delete(txn, &key_bytes(key))?;
        }
        for level in self.levels.iter().copied() {
            let mut left = keys;
            while let Some(key) = left.first() {
                resident::touched();
                let Some((first, chunk)) = level.get_lower_than_or_equal_to(txn, &key_bytes(key))? else {
                    // Before the first chunk.
                    left = &left[1..];
                    continue;
                };
                let next = level.get_greater_than(txn, first)?.map(|(next, _)| next);
                let here = left.partition_point(|key| next.is_none_or(|next| key_bytes(key)[..] < *next));
                let (here, behind) = left.split_at(here);
                left = behind;
                let mut rows = unpack::<P>(first, chunk)?;
                let there = rows.len();
                rows.retain(|(key, _)| here.binary_search(key).is_err());
                if rows.len() == there {
                    continue;
                }
                deleted = true;
                let first = first.to_vec();
                level.delete(txn, &first)?;
                let mut writer = Writer::<P>::new(level);
                for row in rows {
                    writer.push(txn, row)?;
                }
                writer.end(txn, false)?;
            }
        }
        Ok(deleted)
    }

    /// Moves rows on where there are more than are to stay: about as many as came. To be called in the transaction in
    /// which they came.
    ///
    /// # Errors
    /// LMDB cannot read or write.
    pub fn settle(&self, txn: &mut RwTxn) -> heed::Result<()> {
        let over = self.fresh.len(txn)?.saturating_sub(P::FRESH);
        if over >= FRESH_TOGETHER {
            self.sweep(txn, 0, over)?;
        }
        let last = self.levels.len().saturating_sub(1);
        for (at, most) in P::LEVELS[..last].iter().enumerate() {
            let over = self.levels[at].len(txn)?.saturating_sub(*most);
            if over >= CHUNKS_TOGETHER {
                self.sweep(txn, at + 1, over)?;
            }
        }
        Ok(())
    }

    /// Moves `many` rows or chunks of level `from` on; 0 are the fresh rows.
    pub(in crate::archive) fn sweep(&self, txn: &mut RwTxn, from: usize, many: u64) -> heed::Result<()> {
        let sweep = Sweep {
            fresh: self.fresh,
            from: match from.checked_sub(1) {
                None => Origin::Fresh,
                Some(level) => Origin::Level(self.levels[level]),
            },
            to: self.levels[from],
        };
        let name = place_name(P::NAME, from);
        let places = self.places.remap_data_type::<codec::Row<Vec<u8>>>();
        // From a place that is damaged, rows are moved on from the beginning again, as at first. `verify` says so.
        let place = places.get(txn, &name).unwrap_or_default();
        match sweep.run::<P>(txn, place, many)? {
            Some(place) => places.put(txn, &name, &place),
            None => places.delete(txn, &name).map(drop),
        }
    }
}
