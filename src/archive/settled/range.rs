//! Rows of a settled table in the order of their keys, up or down, merged from all of its levels.

use std::{iter::Peekable, ops::Bound, vec};

use heed::{Database, RoTxn, types::Bytes};

use super::{
    chunk::{Row, key_bytes, overlaps, read_key, unpack},
    fresh,
    packing::Packing,
};
use crate::archive::codec;

/// Which way rows are read, and lists go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the least key on; of filings: oldest first.
    Up,
    /// From the greatest key on; of filings: newest first.
    Down,
}

impl Direction {
    /// Whether a key comes behind another.
    fn is_beyond<K: Ord>(self, key: &K, last: &K) -> bool {
        match self {
            Self::Up => key > last,
            Self::Down => key < last,
        }
    }
}

fn out_of_order() -> heed::Error {
    heed::Error::Decoding("its keys are out of order".into())
}

/// A row as it is found: with its value, or why that cannot be read. A damaged chunk is one such row, of its key.
type Found<P> = (<P as Packing>::Key, heed::Result<<P as Packing>::Value>);
/// An error here: nothing behind it can be read.
type Source<'t, P> = Peekable<Box<dyn Iterator<Item = heed::Result<Found<P>>> + 't>>;
type Raw<'t> = Box<dyn Iterator<Item = heed::Result<(&'t [u8], &'t [u8])>> + 't>;
type Bounds<K> = (Bound<K>, Bound<K>);

/// The rows of a table between two keys.
pub struct Rows<'t, P: Packing> {
    direction: Direction,
    /// The uppermost first.
    sources: Vec<Source<'t, P>>,
    /// The key that was found last: a damaged tree may lead back to where one was.
    last: Option<P::Key>,
    has_failed: bool,
}

impl<'t, P: Packing> Rows<'t, P> {
    /// `looks_up`: each key that is met must be found by itself, too.
    ///
    /// # Errors
    /// LMDB cannot read.
    pub fn new(
        txn: &'t RoTxn,
        table: Database<Bytes, Bytes>,
        levels: &[Database<Bytes, Bytes>],
        bounds: &Bounds<P::Key>,
        direction: Direction,
        looks_up: bool,
    ) -> heed::Result<Self> {
        let mut rows = Self {
            direction,
            sources: Vec::with_capacity(1 + levels.len()),
            last: None,
            has_failed: false,
        };
        let (low, high) = (as_bytes(&bounds.0), as_bytes(&bounds.1));
        if is_empty(&low, &high) {
            return Ok(rows);
        }
        let (low, high) = (as_slice(&low), as_slice(&high));
        let found = raw(txn, table, (low, high), direction)?;
        let found = found.map(move |row| {
            let (key, value) = row?;
            let value = match looks_up {
                true => look_up(txn, table, key, value).and_then(|()| fresh::take::<P>(key, value)),
                false => fresh::take::<P>(key, value),
            };
            Ok((read_key(key)?, value))
        });
        let found: Box<dyn Iterator<Item = _>> = Box::new(found);
        rows.sources.push(found.peekable());
        for level in levels.iter().copied() {
            // Rows from `low` on may be in a chunk that begins before.
            let first = match low {
                Bound::Included(low) | Bound::Excluded(low) => level.get_lower_than_or_equal_to(txn, low)?,
                Bound::Unbounded => None,
            };
            let low = first.map_or(low, |(first, _)| Bound::Included(first));
            let chunks = Chunks::<P> {
                txn,
                level,
                looks_up,
                bounds: bounds.clone(),
                direction,
                chunks: raw(txn, level, (low, high), direction)?.peekable(),
                before: None,
                rows: Vec::new().into_iter(),
            };
            let chunks: Box<dyn Iterator<Item = _>> = Box::new(chunks);
            rows.sources.push(chunks.peekable());
        }
        Ok(rows)
    }

    /// The next row, with its value or why that cannot be read.
    ///
    /// # Errors
    /// LMDB cannot read on.
    pub fn next_found(&mut self) -> Option<heed::Result<Found<P>>> {
        if self.has_failed {
            return None;
        }
        let mut next: Option<(usize, &P::Key)> = None;
        let mut failed = None;
        for (at, source) in self.sources.iter_mut().enumerate() {
            match source.peek() {
                Some(Ok((key, _))) => {
                    let is_nearer = next.is_none_or(|(_, nearest)| match self.direction {
                        Direction::Up => key < nearest,
                        Direction::Down => key > nearest,
                    });
                    if is_nearer {
                        next = Some((at, key));
                    }
                }
                Some(Err(_)) => failed = Some(at),
                None => {}
            }
        }
        if let Some(at) = failed {
            self.has_failed = true;
            return self.sources[at].next();
        }
        let at = next?.0;
        let mut found = self.sources[at].next()?;
        if let Ok((key, value)) = &mut found {
            let goes_on = self
                .last
                .as_ref()
                .is_none_or(|last| self.direction.is_beyond(key, last));
            if !goes_on {
                self.has_failed = true;
                return Some(Err(out_of_order()));
            }
            self.last = Some(key.clone());
            for below in &mut self.sources[at + 1..] {
                let hidden = below.next_if(|below| below.as_ref().is_ok_and(|(below, _)| below == key));
                // A damaged chunk has more rows than the one that is hidden.
                if let Some(Ok((_, Err(damage)))) = hidden {
                    *value = Err(damage);
                }
            }
        }
        Some(found)
    }
}

impl<P: Packing> Iterator for Rows<'_, P> {
    type Item = heed::Result<Row<P>>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.next_found()?;
        Some(found.and_then(|(key, value)| Ok((key, value?))))
    }
}

/// The rows of a level's chunks.
struct Chunks<'t, P: Packing> {
    txn: &'t RoTxn<'t>,
    level: Database<Bytes, Bytes>,
    looks_up: bool,
    bounds: Bounds<P::Key>,
    direction: Direction,
    chunks: Peekable<Raw<'t>>,
    /// The key of the chunk that was read before.
    before: Option<&'t [u8]>,
    rows: vec::IntoIter<Row<P>>,
}

impl<'t, P: Packing> Chunks<'t, P> {
    /// # Errors
    /// The chunk is damaged, or hides another.
    fn read(&mut self, key: &'t [u8], chunk: &'t [u8]) -> heed::Result<Vec<Row<P>>> {
        if self.looks_up {
            look_up(self.txn, self.level, key, chunk)?;
        }
        let rows = unpack::<P>(key, chunk)?;
        let behind = match self.direction {
            Direction::Up => self
                .chunks
                .peek()
                .and_then(|next| next.as_ref().ok())
                .map(|next| next.0),
            Direction::Down => self.before,
        };
        match (rows.last(), behind) {
            (Some((last, _)), Some(behind)) if key_bytes(last)[..] >= *behind => Err(overlaps()),
            _ => Ok(rows),
        }
    }
}

impl<P: Packing> Iterator for Chunks<'_, P> {
    type Item = heed::Result<Found<P>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let row = match self.direction {
                Direction::Up => self.rows.next(),
                Direction::Down => self.rows.next_back(),
            };
            if let Some((key, value)) = row {
                return Some(Ok((key, Ok(value))));
            }
            let (key, chunk) = match self.chunks.next()? {
                Ok(chunk) => chunk,
                Err(error) => return Some(Err(error)),
            };
            if self
                .before
                .is_some_and(|before| !self.direction.is_beyond(&key, &before))
            {
                return Some(Err(out_of_order()));
            }
            let read = self.read(key, chunk);
            self.before = Some(key);
            match read {
                Ok(mut rows) => {
                    rows.retain(|(key, _)| is_within(&self.bounds, key));
                    self.rows = rows.into_iter();
                }
                Err(error) => match read_key(key) {
                    // Whoever looks for damage has come by its key already.
                    Ok(key) if self.looks_up && !is_within(&self.bounds, &key) => {}
                    key => return Some(key.map(|key| (key, Err(error)))),
                },
            }
        }
    }
}

fn raw<'t>(
    txn: &'t RoTxn,
    table: Database<Bytes, Bytes>,
    bounds: (Bound<&[u8]>, Bound<&[u8]>),
    direction: Direction,
) -> heed::Result<Raw<'t>> {
    Ok(match direction {
        Direction::Up => Box::new(table.range(txn, &bounds)?),
        Direction::Down => Box::new(table.rev_range(txn, &bounds)?),
    })
}

/// A row that is found in its place must be found by its key.
fn look_up(txn: &RoTxn, table: Database<Bytes, Bytes>, key: &[u8], value: &[u8]) -> heed::Result<()> {
    let wrong = |what: &str| heed::Error::Decoding(what.into());
    match table.get(txn, key)? {
        // As a rule it is the very same place, whose bytes need not be read.
        Some(same) if std::ptr::eq(same, value) || same == value => Ok(()),
        Some(_) => Err(wrong("its key leads to another row")),
        None => Err(wrong("looking up its key finds nothing")),
    }
}

fn is_within<K: Ord>((low, high): &Bounds<K>, key: &K) -> bool {
    let above = match low {
        Bound::Included(low) => key >= low,
        Bound::Excluded(low) => key > low,
        Bound::Unbounded => true,
    };
    above
        && match high {
            Bound::Included(high) => key <= high,
            Bound::Excluded(high) => key < high,
            Bound::Unbounded => true,
        }
}

fn as_bytes<K: codec::KeyPart>(bound: &Bound<K>) -> Bound<Vec<u8>> {
    bound.as_ref().map(key_bytes)
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

fn is_empty(low: &Bound<Vec<u8>>, high: &Bound<Vec<u8>>) -> bool {
    match (low, high) {
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
        _ => false,
    }
}
