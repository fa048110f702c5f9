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
    packing::Packing,
    range::{Direction, Rows},
    sweep::Sweep,
    writer::Writer,
};
use crate::archive::{codec, resident};

/// So many rows more than are kept fresh, and chunks more than a level keeps, move on together. Groups are often small,
/// and a few rows would not share their chunks.
const FRESH_TOGETHER: u64 = 4096;
const CHUNKS_TOGETHER: u64 = 32;
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

impl<P: Packing> Settled<P> {
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
        let fresh = self.fresh.remap_data_type::<codec::Row<P::Value>>();
        let mut found = fresh.get(txn, &wanted)?;
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

    /// The values of some keys, which are in order. A chunk in which several of them are is opened once.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn get_all(&self, txn: &RoTxn, keys: &[P::Key]) -> heed::Result<Vec<Option<P::Value>>> {
        let fresh = self.fresh.remap_data_type::<codec::Row<P::Value>>();
        let mut opened: Vec<Opened<P>> = self.levels.iter().map(|_| Opened::default()).collect();
        let mut values = Vec::with_capacity(keys.len());
        for (at, key) in keys.iter().enumerate() {
            if at % TOUCHED == 0 {
                resident::touched();
            }
            let wanted = key_bytes(key);
            let mut found = fresh.get(txn, &wanted)?;
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
            let from = reached.take();
            let from = from.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            for row in table.range(txn, &(from, Bound::Unbounded))? {
                let (key, value) = row?;
                if level == 0 {
                    keys.push(read_key(key)?);
                } else {
                    keys.extend(unpack::<P>(key, value)?.into_iter().map(|(key, _)| key));
                }
                if keys.len() >= most {
                    let key = key.to_vec();
                    return Ok((keys, Some(Reached { level, key })));
                }
            }
        }
        Ok((keys, None))
    }

    /// # Errors
    /// LMDB cannot write.
    pub fn put(&self, txn: &mut RwTxn, key: &P::Key, value: &P::Value) -> heed::Result<()> {
        let fresh = self.fresh.remap_data_type::<codec::Row<P::Value>>();
        fresh.put(txn, &key_bytes(key), value)
    }

    /// Deletes the row of a key; whether there was one.
    ///
    /// # Errors
    /// LMDB cannot write, or the chunk is damaged.
    pub fn delete(&self, txn: &mut RwTxn, key: &P::Key) -> heed::Result<bool> {
        let wanted = key_bytes(key);
        let mut deleted = self.fresh.delete(txn, &wanted)?;
        for level in &self.levels {
            let Some((first, chunk)) = level.get_lower_than_or_equal_to(txn, &wanted)? else {
                continue;
            };
            let mut rows = unpack::<P>(first, chunk)?;
            let Ok(at) = rows.binary_search_by(|(there, _)| there.cmp(key)) else {
                continue;
            };
            rows.remove(at);
            deleted = true;
            let first = first.to_vec();
            level.delete(txn, &first)?;
            let mut writer = Writer::<P>::new(*level);
            for row in rows {
                writer.push(txn, row)?;
            }
            writer.end(txn, false)?;
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
            from: from.checked_sub(1).map(|level| self.levels[level]),
            to: self.levels[from],
        };
        let name = format!("settled {} {from}", P::NAME);
        let places = self.places.remap_data_type::<codec::Row<Vec<u8>>>();
        // From a place that is damaged, rows are moved on from the beginning again, as at first. `verify` says so.
        let place = places.get(txn, &name).unwrap_or_default();
        match sweep.run::<P>(txn, place, many)? {
            Some(place) => places.put(txn, &name, &place),
            None => places.delete(txn, &name).map(drop),
        }
    }
}
