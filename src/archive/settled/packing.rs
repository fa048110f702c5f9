//! What a settled table says of its rows, and the numbers that chunks are made of.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::archive::codec::KeyPart;

/// A kind of settled table.
pub trait Packing: 'static {
    type Key: KeyPart + Ord + Clone + Debug + 'static;
    type Value: Serialize + DeserializeOwned + Clone + Debug + 'static;

    /// The table of fresh rows; those of the levels are called by it as well.
    const NAME: &'static str;
    /// How many fresh rows are kept unpacked.
    const FRESH: u64;
    /// How many chunks each level keeps; the last one keeps all.
    const LEVELS: &'static [u64];
    /// The checksum of a fresh row is over its key, too. For a table that is compared with nothing that would give away
    /// a key that is another one. The checksum of a chunk is over all of its keys, whichever table it is of.
    const SEALS_KEYS: bool = false;

    /// Whether a row is in another chunk than the one before it in any case. For a table that has many places where
    /// rows come, each behind all others there: so chunks become full.
    fn parts(_before: &Self::Key, _key: &Self::Key) -> bool {
        false
    }

    /// Packs a row behind the one `before` it in its chunk.
    fn put(before: Option<&(Self::Key, Self::Value)>, row: &(Self::Key, Self::Value), bytes: &mut Vec<u8>);

    /// Takes a row off the front of `bytes`; `None` where it is none.
    fn take(before: Option<&(Self::Key, Self::Value)>, bytes: &mut &[u8]) -> Option<(Self::Key, Self::Value)>;
}

/// Seven bits a byte, the lowest first; all but the last have the highest bit set (LEB128).
pub fn put_number(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[inline]
pub fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let byte = *bytes.split_off_first()?;
        let bits = u64::from(byte & 0x7f);
        if shift > 63 || bits << shift >> shift != bits {
            return None;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Some(number);
        }
        shift += 7;
    }
}

/// By how much a number differs from the one before: small whichever of them is larger.
pub fn put_difference(before: u64, number: u64, bytes: &mut Vec<u8>) {
    let difference = number.wrapping_sub(before) as i64;
    put_number((difference << 1 ^ difference >> 63) as u64, bytes);
}

pub fn take_difference(before: u64, bytes: &mut &[u8]) -> Option<u64> {
    let folded = take_number(bytes)?;
    Some(before.wrapping_add(folded >> 1 ^ (folded & 1).wrapping_neg()))
}

pub fn take_bytes<'b>(length: usize, bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    bytes.split_off(..length)
}
