//! Moving a stretch of rows one level on.

use std::{iter::Peekable, ops::Bound, vec};

use heed::{Database, RoTxn, RwTxn, types::Bytes};

use super::{
    chunk::{Row, key_bytes, overlaps, read_key, unpack},
    fresh,
    packing::Packing,
    writer::Writer,
};
use crate::archive::codec;

/// Rows that are in memory at a time, or little more.
const AT_ONCE: u64 = 4096;

/// Where rows come from and where they go.
pub struct Sweep {
    pub fresh: Database<Bytes, Bytes>,
    pub from: Origin,
    pub to: Database<Bytes, Bytes>,
}

#[derive(Clone, Copy)]
pub enum Origin {
    /// Rows that are not in the table yet.
    Outside,
    /// The fresh ones.
    Fresh,
    /// A level, of which whole chunks move.
    Level(Database<Bytes, Bytes>),
}

/// Rows to be moved, and the key of the last row or chunk that was looked at for them.
struct Taken<P: Packing> {
    rows: Vec<Row<P>>,
    looked_at: u64,
    last: Option<Vec<u8>>,
}

impl<P: Packing> Taken<P> {
    fn none() -> Self {
        Self {
            rows: Vec::new(),
            looked_at: 0,
            last: None,
        }
    }
}

impl Sweep {
    /// Moves as many fresh rows, or chunks, behind the key `place` and round to it; gives the key up to which it came.
    ///
    /// # Errors
    /// LMDB cannot read or write.
    pub fn run<P: Packing>(
        &self,
        txn: &mut RwTxn,
        mut place: Option<Vec<u8>>,
        many: u64,
    ) -> heed::Result<Option<Vec<u8>>> {
        let (mut left, mut came_round) = (many, false);
        while left > 0 {
            let taken = match self.from {
                Origin::Outside => return Ok(place),
                Origin::Fresh => fresh_rows::<P>(txn, self.fresh, place.as_deref(), left.min(AT_ONCE))?,
                Origin::Level(from) => take_chunks::<P>(txn, from, place.as_deref(), left)?,
            };
            left = left.saturating_sub(taken.looked_at);
            place = taken.last;
            self.merge::<P>(txn, taken.rows)?;
            if place.is_none() {
                if came_round {
                    break;
                }
                came_round = true;
            }
        }
        Ok(place)
    }

    /// Puts rows, which are in order, into the chunks in which they have their place.
    ///
    /// # Errors
    /// LMDB cannot read or write.
    pub fn merge<P: Packing>(&self, txn: &mut RwTxn, rows: Vec<Row<P>>) -> heed::Result<()> {
        let mut rows = rows.into_iter().peekable();
        let mut writer = Writer::<P>::new(self.to);
        // The chunk behind the last one that was written anew.
        let mut next: Option<Vec<u8>> = None;
        // More are likely to come behind a row that came behind all others of its chunk.
        let mut goes_on = false;
        while let Some((first, _)) = rows.peek() {
            let key = key_bytes(first);
            let into = Target::<P>::find(txn, self.to, &key)?;
            // Rows that were held back go into the chunk only where it follows directly.
            if next.as_deref() != into.key.as_deref() {
                writer.end(txn, goes_on)?;
            }
            next = into.next.clone();
            match into.rows {
                Some(there) => {
                    if let Some(key) = &into.key {
                        self.to.delete(txn, key)?;
                    }
                    goes_on = self.weave::<P>(txn, &mut writer, there, &mut rows, next.as_deref())?;
                }
                None => {
                    writer.end(txn, goes_on)?;
                    self.leave::<P>(txn, &mut rows, next.as_deref())?;
                }
            }
        }
        writer.end(txn, goes_on || next.is_none())
    }

    /// Writes the rows of a chunk anew, with those that come to them before the chunk behind; whether the last is one
    /// of these.
    fn weave<P: Packing>(
        &self,
        txn: &mut RwTxn,
        writer: &mut Writer<P>,
        there: Vec<Row<P>>,
        rows: &mut Peekable<vec::IntoIter<Row<P>>>,
        next: Option<&[u8]>,
    ) -> heed::Result<bool> {
        let mut there = there.into_iter().peekable();
        let mut is_new = false;
        loop {
            let new = rows.peek().map(|(key, _)| key).filter(|key| is_before(*key, next));
            let old = there.peek().map(|(key, _)| key);
            let (take_new, drop_old) = match (new, old) {
                (None, None) => return Ok(is_new),
                (None, Some(_)) => (false, false),
                (Some(_), None) => (true, false),
                (Some(new), Some(old)) => (new <= old, new == old),
            };
            if drop_old {
                there.next();
            }
            let row = if take_new { rows.next() } else { there.next() };
            let Some(row) = row else { return Ok(is_new) };
            is_new = take_new;
            if take_new && matches!(self.from, Origin::Fresh) {
                self.fresh.delete(txn, &key_bytes(&row.0))?;
            }
            writer.push(txn, row)?;
        }
    }

    /// Rows whose chunk is damaged stay fresh, or become so again.
    fn leave<P: Packing>(
        &self,
        txn: &mut RwTxn,
        rows: &mut Peekable<vec::IntoIter<Row<P>>>,
        next: Option<&[u8]>,
    ) -> heed::Result<()> {
        while let Some((key, value)) = rows.next_if(|(key, _)| is_before(key, next)) {
            let key = key_bytes(&key);
            // A fresh one of this key hides it.
            if !matches!(self.from, Origin::Fresh) && self.fresh.get(txn, &key)?.is_none() {
                self.fresh.put(txn, &key, &fresh::put::<P>(&key, &value)?)?;
            }
        }
        Ok(())
    }
}

/// Whether a row has its place before the chunk of the key `next`, if there is one.
pub fn is_before<K: codec::KeyPart>(key: &K, next: Option<&[u8]>) -> bool {
    next.is_none_or(|next| key_bytes(key)[..] < *next)
}

/// The chunk in which a key has its place.
struct Target<P: Packing> {
    /// `None` where there is no chunk yet.
    key: Option<Vec<u8>>,
    /// `None` where it is damaged.
    rows: Option<Vec<Row<P>>>,
    /// The key of the chunk behind it.
    next: Option<Vec<u8>>,
}

impl<P: Packing> Target<P> {
    fn find(txn: &RoTxn, table: Database<Bytes, Bytes>, wanted: &[u8]) -> heed::Result<Self> {
        let found = match table.get_lower_than_or_equal_to(txn, wanted)? {
            Some(found) => Some(found),
            // Before all others: it becomes the beginning of the first.
            None => table.first(txn)?,
        };
        let Some((key, chunk)) = found else {
            return Ok(Self {
                key: None,
                rows: Some(Vec::new()),
                next: None,
            });
        };
        let next = table.get_greater_than(txn, key)?.map(|(next, _)| next.to_vec());
        let rows = unpack::<P>(key, chunk).and_then(|rows| match rows.last() {
            Some((last, _)) if !is_before(last, next.as_deref()) => Err(overlaps()),
            _ => Ok(rows),
        });
        Ok(Self {
            key: Some(key.to_vec()),
            rows: rows.ok(),
            next,
        })
    }
}

fn behind(place: Option<&[u8]>) -> (Bound<&[u8]>, Bound<&[u8]>) {
    (place.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

/// Fresh rows behind `place`. They stay until they are written elsewhere, and those that are damaged for good.
fn fresh_rows<P: Packing>(
    txn: &RoTxn,
    table: Database<Bytes, Bytes>,
    place: Option<&[u8]>,
    most: u64,
) -> heed::Result<Taken<P>> {
    let mut taken = Taken::none();
    for row in table.range(txn, &behind(place))?.take(most as usize) {
        let (key, value) = row?;
        taken.looked_at += 1;
        taken.last = Some(key.to_vec());
        if let (Ok(value), Ok(key)) = (fresh::take::<P>(key, value), read_key(key)) {
            taken.rows.push((key, value));
        }
    }
    Ok(taken)
}

/// Takes chunks behind `place` out of a level. A damaged one stays.
fn take_chunks<P: Packing>(
    txn: &mut RwTxn,
    level: Database<Bytes, Bytes>,
    place: Option<&[u8]>,
    most: u64,
) -> heed::Result<Taken<P>> {
    let mut taken = Taken::none();
    let mut emptied = Vec::new();
    for chunk in level.range(txn, &behind(place))?.take(most as usize) {
        let (key, chunk) = chunk?;
        taken.looked_at += 1;
        taken.last = Some(key.to_vec());
        if let Ok(rows) = unpack::<P>(key, chunk)
            && taken
                .rows
                .last()
                .is_none_or(|(last, _)| Some(last) < rows.first().map(|(first, _)| first))
        {
            taken.rows.extend(rows);
            emptied.push(key.to_vec());
        }
        if taken.rows.len() as u64 >= AT_ONCE {
            break;
        }
    }
    for key in emptied {
        level.delete(txn, &key)?;
    }
    Ok(taken)
}
