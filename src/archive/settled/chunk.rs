//! A chunk: rows that follow each other, packed, and a checksum. Its key in the table is that of its first row.

use std::cmp::Ordering;

use heed::BytesDecode;

use super::packing::Packing;
use crate::archive::codec::{CHECKSUM, Key, KeyPart, checksum};

/// Bytes of a chunk at most, unless a single row has more: with LMDB's header, a page.
pub const MOST: usize = 4080;

pub type Row<P> = (<P as Packing>::Key, <P as Packing>::Value);

/// A key as LMDB has it.
pub fn key_bytes<K: KeyPart>(key: &K) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(32);
    key.put(&mut bytes);
    bytes
}

/// # Errors
/// It is no key.
pub fn read_key<K: KeyPart + 'static>(bytes: &[u8]) -> heed::Result<K> {
    <Key<K> as BytesDecode>::bytes_decode(bytes).map_err(heed::Error::Decoding)
}

/// Puts the checksum behind the rows.
pub fn seal(mut rows: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(&rows);
    rows.extend(checksum);
    rows
}

/// The rows of a chunk, one after the other.
pub struct Unpack<'b, P: Packing> {
    key: Option<P::Key>,
    rest: &'b [u8],
}

impl<'b, P: Packing> Unpack<'b, P> {
    /// # Errors
    /// The chunk is damaged.
    pub fn new(key: &[u8], chunk: &'b [u8]) -> heed::Result<Self> {
        let (rest, found) = chunk
            .split_last_chunk::<CHECKSUM>()
            .ok_or_else(|| wrong("is too short"))?;
        if checksum(rest) != *found {
            return Err(wrong("does not match its checksum"));
        }
        if rest.is_empty() {
            return Err(wrong("is empty"));
        }
        Ok(Self {
            key: Some(read_key(key)?),
            rest,
        })
    }

    /// The row behind the one that came `before` it; `None` behind the last.
    ///
    /// # Errors
    /// There is none, or not in its place.
    #[inline]
    fn next_row(&mut self, before: Option<&Row<P>>) -> heed::Result<Option<Row<P>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let row = P::take(before, &mut self.rest).ok_or_else(|| wrong("cannot be read"))?;
        match before {
            Some(before) if before.0.cmp(&row.0).is_ge() => return Err(wrong("has rows out of order")),
            None if self.key.take().as_ref() != Some(&row.0) => return Err(wrong("is under another key than its own")),
            _ => {}
        }
        Ok(Some(row))
    }

    /// The row of `wanted`, from where `last` was read on; it is the last one that was.
    ///
    /// # Errors
    /// There is none, or not in its place.
    pub fn find(&mut self, last: &mut Option<Row<P>>, wanted: &P::Key) -> heed::Result<Option<P::Value>> {
        loop {
            match last.as_ref().map(|(key, value)| (key.cmp(wanted), value)) {
                Some((Ordering::Equal, value)) => return Ok(Some(value.clone())),
                Some((Ordering::Greater, _)) => return Ok(None),
                Some((Ordering::Less, _)) | None => {}
            }
            match self.next_row(last.as_ref())? {
                Some(row) => *last = Some(row),
                None => return Ok(None),
            }
        }
    }
}

fn wrong(what: &str) -> heed::Error {
    heed::Error::Decoding(format!("the chunk of rows that begins here {what}").into())
}

/// A chunk's rows go on behind the first one of the next chunk.
pub fn overlaps() -> heed::Error {
    wrong("goes on beyond the next one")
}

/// All rows of a chunk.
///
/// # Errors
/// The chunk is damaged.
pub fn unpack<P: Packing>(key: &[u8], chunk: &[u8]) -> heed::Result<Vec<Row<P>>> {
    let mut unpack = Unpack::<P>::new(key, chunk)?;
    // Most rows take some ten bytes.
    let mut rows = Vec::with_capacity(chunk.len() / 8);
    while let Some(row) = unpack.next_row(rows.last())? {
        rows.push(row);
    }
    Ok(rows)
}

/// The row of `wanted` in a chunk.
///
/// # Errors
/// The chunk is damaged.
pub fn find<P: Packing>(key: &[u8], chunk: &[u8], wanted: &P::Key) -> heed::Result<Option<P::Value>> {
    Unpack::<P>::new(key, chunk)?.find(&mut None, wanted)
}
