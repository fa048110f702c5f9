//! The rows of lists in the catalog: which there are, and how they are written.

use std::collections::BTreeMap;

use heed::{PutFlags, RoTxn, RwTxn, types::DecodeIgnore};
use zstd::bulk::{Compressor, Decompressor};

use super::{
    catalog::Catalog,
    codec,
    lists::{FORM, Filled, LEVEL, Line, Packed, lines, place, undecoded},
    rows::MessageId,
};
use crate::identify::Listed;

/// Bytes of a row, nearly always: what is larger grows.
const USUAL: usize = 256;

/// `meta`: how far rows have been made.
pub(super) const KEY: &str = "lists";

/// Notes in a catalog that is opened for writing which messages have no rows: all that there are, where rows were never
/// written, or in another form.
pub(super) fn begin(catalog: &Catalog, txn: &mut RwTxn) -> heed::Result<()> {
    if filled(catalog, txn)?.is_some_and(|filled| filled.form == FORM) {
        return Ok(());
    }
    let until = catalog.counters(txn)?.message;
    let filled = Filled {
        form: FORM,
        next: MessageId(1),
        until,
    };
    note(catalog, txn, &filled)
}

pub(super) fn filled(catalog: &Catalog, txn: &RoTxn) -> heed::Result<Option<Filled>> {
    catalog.meta.remap_data_type::<codec::Row<Filled>>().get(txn, KEY)
}

pub(super) fn note(catalog: &Catalog, txn: &mut RwTxn, filled: &Filled) -> heed::Result<()> {
    catalog
        .meta
        .remap_data_type::<codec::Row<Filled>>()
        .put(txn, KEY, filled)
}

/// Writes the rows of these messages, whose numbers ascend.
pub(super) fn put(catalog: &Catalog, txn: &mut RwTxn, rows: &[(MessageId, Listed)]) -> heed::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let (mut compressor, mut decompressor) = (Compressor::new(LEVEL)?, Decompressor::new()?);
    for together in rows.chunk_by(|(one, _), (next, _)| place(*one).0 == place(*next).0) {
        let key = place(together[0].0).0;
        let kept = match catalog.lists.get(txn, &key)? {
            Some(packed) => packed.unpack(key, &mut decompressor)?,
            None => Vec::new(),
        };
        let mut lines: BTreeMap<_, _> = lines(&kept)?
            .into_iter()
            .map(|(nth, line)| (nth, line.to_vec()))
            .collect();
        for (id, listed) in together {
            lines.insert(
                place(*id).1,
                postcard::to_extend(&Line::new(listed), Vec::with_capacity(USUAL)).map_err(undecoded)?,
            );
        }
        let packed = Packed::pack(key, &lines, &mut compressor)?;
        // What is put behind all else leaves full pages behind, and not half of each.
        let last = catalog.lists.remap_data_type::<DecodeIgnore>().last(txn)?;
        match last.is_none_or(|(last, ())| last < key) {
            true => catalog.lists.put_with_flags(txn, PutFlags::APPEND, &key, &packed)?,
            false => catalog.lists.put(txn, &key, &packed)?,
        }
    }
    Ok(())
}
