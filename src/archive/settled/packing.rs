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
