//! Fresh rows: values with a checksum, as other tables have them.

use super::packing::Packing;
use crate::archive::codec;

/// What stands for the value of a key.
///
/// # Errors
/// It has no form in bytes.
pub fn put<P: Packing>(key: &[u8], value: &P::Value) -> heed::Result<Vec<u8>> {
    codec::encode(sealed::<P>(key), value).map_err(heed::Error::Encoding)
}

/// The value of a key.
///
/// # Errors
/// It is damaged.
pub fn take<P: Packing>(key: &[u8], bytes: &[u8]) -> heed::Result<P::Value> {
    codec::decode(sealed::<P>(key), bytes).map_err(heed::Error::Decoding)
}

/// What the checksum is over besides the value.
fn sealed<P: Packing>(key: &[u8]) -> &[u8] {
    match P::SEALS_KEYS {
        true => key,
        false => &[],
    }
}
