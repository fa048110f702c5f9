//! Settled tables, as rows of bytes for whoever goes through them. Values are as in postcard, without a checksum: a chunk
//! has one for all of its rows, and it was compared.

use std::{borrow::Cow, ops::Bound};

use heed::RoTxn;

use super::scan::{Range, Table};
use crate::archive::{
    codec::KeyPart,
    settled::{Packing, Settled},
};

/// Longer than any key.
const LONGEST: usize = 64;

impl<P: Packing> Table for &Settled<P> {
    fn range<'t>(&self, txn: &'t RoTxn, from: &[u8], until: Option<&[u8]>) -> heed::Result<Range<'t>> {
        let end = until
            .and_then(bound::<P::Key>)
            .map_or(Bound::Unbounded, |(end, is_longer)| match is_longer {
                true => Bound::Included(end),
                false => Bound::Excluded(end),
            });
        let start = bound(from).map_or(Bound::Unbounded, |(start, is_longer)| match is_longer {
            true => Bound::Excluded(start),
            false => Bound::Included(start),
        });
        let mut rows = self.checked_range(txn, &(start, end))?;
        Ok(Box::new(std::iter::from_fn(move || {
            let found = rows.next_found()?;
            Some(found.map(|(key, value)| {
                let mut bytes = Vec::with_capacity(LONGEST);
                key.put(&mut bytes);
                (Cow::Owned(bytes), value.and_then(|value| postcard(&value)))
            }))
        })))
    }

    /// The keys of its chunks were looked up on the way.
    fn look_up(&self, _: &RoTxn, _: &[u8], _: &[u8]) -> Option<String> {
        None
    }
}

fn postcard<T: serde::Serialize>(value: &T) -> heed::Result<Cow<'static, [u8]>> {
    let bytes = postcard::to_allocvec(value).map_err(|error| heed::Error::Encoding(error.into()))?;
    Ok(Cow::Owned(bytes))
}

/// The key that begins with these bytes and ends in zeros, and whether the bytes are longer and so behind it.
fn bound<K: KeyPart>(bytes: &[u8]) -> Option<(K, bool)> {
    let mut padded = [0; LONGEST];
    let length = bytes.len().min(LONGEST);
    padded[..length].copy_from_slice(&bytes[..length]);
    let mut rest = &padded[..];
    let key = K::take(&mut rest)?;
    Some((key, bytes.len() > LONGEST - rest.len()))
}
