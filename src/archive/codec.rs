//! How keys and values become bytes.
//!
//! Keys are concatenated fixed-length parts, integers big-endian (signed ones with the sign bit
//! flipped), so that LMDB's byte order is the order of the values. Values are postcard behind
//! which four bytes of their BLAKE3 digest stand.

use std::{borrow::Cow, marker::PhantomData};

use heed::{BoxedError, BytesDecode, BytesEncode};
use serde::{Serialize, de::DeserializeOwned};

use crate::access::AccountName;
use crate::ids::{FolderNumber, GroupNumber, IdentityNumber, MessageId, RunId, SourceNumber, UserId};

/// Bytes of a value, nearly always: what is larger grows.
const USUAL: usize = 120;

/// Bytes of the digest behind each value.
pub(super) const CHECKSUM: usize = 4;

/// A part of a key, or a whole one.
pub trait KeyPart: Sized {
    fn put(&self, key: &mut Vec<u8>);
    /// Takes itself off the front of `key`; `None` where too few bytes are left.
    fn take(key: &mut &[u8]) -> Option<Self>;
}

macro_rules! ids {
    ($($id:ident)*) => {$(
        impl KeyPart for $id {
            fn put(&self, key: &mut Vec<u8>) {
                self.0.put(key);
            }
            fn take(key: &mut &[u8]) -> Option<Self> {
                KeyPart::take(key).map(Self)
            }
        }
    )*};
}

ids!(MessageId UserId RunId GroupNumber IdentityNumber SourceNumber FolderNumber);

impl KeyPart for u32 {
    fn put(&self, key: &mut Vec<u8>) {
        key.extend(self.to_be_bytes());
    }
    fn take(key: &mut &[u8]) -> Option<Self> {
        key.split_off(..4)
            .map(|part| Self::from_be_bytes(part.try_into().unwrap_or_default()))
    }
}

impl KeyPart for u64 {
    fn put(&self, key: &mut Vec<u8>) {
        key.extend(self.to_be_bytes());
    }
    fn take(key: &mut &[u8]) -> Option<Self> {
        key.split_off(..8)
            .map(|part| Self::from_be_bytes(part.try_into().unwrap_or_default()))
    }
}

impl KeyPart for u128 {
    fn put(&self, key: &mut Vec<u8>) {
        self.to_be_bytes().put(key);
    }
    fn take(key: &mut &[u8]) -> Option<Self> {
        KeyPart::take(key).map(Self::from_be_bytes)
    }
}

impl KeyPart for i64 {
    fn put(&self, key: &mut Vec<u8>) {
        (*self as u64 ^ 1 << 63).put(key);
    }
    fn take(key: &mut &[u8]) -> Option<Self> {
        u64::take(key).map(|bits| (bits ^ 1 << 63) as i64)
    }
}

impl<const N: usize> KeyPart for [u8; N] {
    fn put(&self, key: &mut Vec<u8>) {
        key.extend(self);
    }
    fn take(key: &mut &[u8]) -> Option<Self> {
        key.split_off(..N)?.try_into().ok()
    }
}

/// Of any length, so nothing can stand behind it.
impl KeyPart for AccountName {
    fn put(&self, key: &mut Vec<u8>) {
        key.extend(self.as_str().as_bytes());
    }
    fn take(key: &mut &[u8]) -> Option<Self> {
        Self::of_key(std::mem::take(key))
    }
}

impl<A: KeyPart, B: KeyPart> KeyPart for (A, B) {
    fn put(&self, key: &mut Vec<u8>) {
        self.0.put(key);
        self.1.put(key);
    }
    fn take(key: &mut &[u8]) -> Option<Self> {
        Some((A::take(key)?, B::take(key)?))
    }
}

impl<A: KeyPart, B: KeyPart, C: KeyPart> KeyPart for (A, B, C) {
    fn put(&self, key: &mut Vec<u8>) {
        self.0.put(key);
        self.1.put(key);
        self.2.put(key);
    }
    fn take(key: &mut &[u8]) -> Option<Self> {
        Some((A::take(key)?, B::take(key)?, C::take(key)?))
    }
}

/// A key of parts.
pub struct Key<T>(PhantomData<T>);

impl<'a, T: KeyPart + 'a> BytesEncode<'a> for Key<T> {
    type EItem = T;
    fn bytes_encode(item: &'a T) -> Result<Cow<'a, [u8]>, BoxedError> {
        let mut key = Vec::with_capacity(32);
        item.put(&mut key);
        Ok(key.into())
    }
}

impl<'a, T: KeyPart + 'a> BytesDecode<'a> for Key<T> {
    type DItem = T;
    fn bytes_decode(mut bytes: &'a [u8]) -> Result<T, BoxedError> {
        let key = T::take(&mut bytes).ok_or("its key is too short")?;
        if bytes.is_empty() {
            Ok(key)
        } else {
            Err("its key is too long".into())
        }
    }
}

/// A value with its checksum.
pub struct Row<T>(PhantomData<T>);

impl<'a, T: Serialize + 'a> BytesEncode<'a> for Row<T> {
    type EItem = T;
    fn bytes_encode(item: &'a T) -> Result<Cow<'a, [u8]>, BoxedError> {
        encode(&[], item).map(Cow::Owned)
    }
}

impl<'a, T: DeserializeOwned + 'a> BytesDecode<'a> for Row<T> {
    type DItem = T;
    fn bytes_decode(bytes: &'a [u8]) -> Result<T, BoxedError> {
        decode(&[], bytes)
    }
}

/// A value, and behind it a checksum that is over `key` too.
pub(super) fn encode<T: Serialize>(key: &[u8], item: &T) -> Result<Vec<u8>, BoxedError> {
    let mut bytes = postcard::to_extend(item, Vec::with_capacity(USUAL))?;
    let checksum = checksum_with(key, &bytes);
    bytes.extend(checksum);
    Ok(bytes)
}

/// What [`encode`] made with the same `key`.
pub(super) fn decode<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, BoxedError> {
    let value = checked(key, bytes).ok_or("a value does not match its checksum")?;
    Ok(postcard::from_bytes(value)?)
}

/// What stands before the checksum of a value; `None` where it is not that value's.
fn checked<'b>(key: &[u8], bytes: &'b [u8]) -> Option<&'b [u8]> {
    let (value, found) = bytes.split_last_chunk::<CHECKSUM>()?;
    (checksum_with(key, value) == *found).then_some(value)
}

/// Whether a value matches its checksum.
pub(super) fn matches(bytes: &[u8]) -> bool {
    checked(&[], bytes).is_some()
}

fn checksum_with(key: &[u8], value: &[u8]) -> [u8; CHECKSUM] {
    match key.is_empty() {
        true => checksum(value),
        false => checksum(&[key, value].concat()),
    }
}

pub(super) fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let digest = blake3::hash(bytes);
    let mut checksum = [0; CHECKSUM];
    checksum.copy_from_slice(&digest.as_bytes()[..CHECKSUM]);
    checksum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key<T: KeyPart>(value: T) -> Vec<u8> {
        let mut key = Vec::new();
        value.put(&mut key);
        key
    }

    proptest! {
        #[test]
        fn keys_sort_as_their_values_do(a: (u32, i64, u64), b: (u32, i64, u64)) {
            prop_assert_eq!(key(a).cmp(&key(b)), a.cmp(&b));
            let bytes = key(a);
            prop_assert_eq!(Key::<(u32, i64, u64)>::bytes_decode(&bytes).unwrap(), a);
        }

        #[test]
        fn a_flipped_bit_in_a_value_is_noticed(value: (u64, String), at: prop::sample::Index, bit in 0..8u8) {
            let mut bytes = Row::<(u64, String)>::bytes_encode(&value).unwrap().into_owned();
            prop_assert_eq!(Row::<(u64, String)>::bytes_decode(&bytes).unwrap(), value);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(Row::<(u64, String)>::bytes_decode(&bytes).is_err());
        }
    }

    #[test]
    fn a_key_of_the_wrong_length_is_refused() {
        assert!(Key::<u64>::bytes_decode(&[0; 7]).is_err());
        assert!(Key::<u64>::bytes_decode(&[0; 9]).is_err());
    }
}
