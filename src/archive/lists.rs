//! The rows of lists: what is shown of each message in a list, so that no block is read for it.
//!
//! They are derived from the messages: written in the group that keeps a message, and where there are none, as in an archive of
//! an older version, made from the stored message in the background. Until then, and where a text is longer than a row
//! keeps, a list reads the message itself. Messages with numbers in a row share a value, compressed as one: mail that
//! comes together repeats its addresses and subjects.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use heed::{PutFlags, RoTxn, RwTxn, types::DecodeIgnore};
use serde::{Deserialize, Serialize};
use zstd::bulk::{Compressor, Decompressor};

use super::{
    Committer, Retrieval, Store, StoreError, catalog::Catalog, codec, order::Tidying, resident, rows::MessageId,
};
use crate::identify::{Listed, Summary};

/// The form of the rows. Rows of another form are made anew.
const FORM: u8 = 1;
/// Messages of a value. With more they take less room, and one row takes longer to read.
const TOGETHER: u64 = 16;
/// What a value of this form is at most once it is unpacked: texts have at most 512 bytes each.
const LARGEST: u32 = 1 << 20;
const LEVEL: i32 = 3;
/// Messages whose rows are made with one commit, and about how many bytes of them are in memory for it.
const STEP: usize = 256;
/// `meta`: how far rows have been made.
const KEY: &str = "lists";

/// `lists`: the rows of the messages with these numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    form: u8,
    /// Its own key: a checksum says nothing of the key that a value stands under.
    key: u64,
    /// Bytes of the rows unpacked.
    length: u32,
    /// Which message, and its [`Line`] in postcard; all of it once more in postcard, and compressed by zstd.
    rows: Vec<u8>,
}

/// The row of one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    from: String,
    to: String,
    /// What To, Cc and Bcc name beyond `to`; all of it where they do not begin with it.
    others: String,
    begins_with_to: bool,
    subject: String,
    is_cut: bool,
    attachments: u16,
    are_named: bool,
}

impl Line {
    fn new(listed: &Listed) -> Self {
        let Summary {
            from,
            to,
            subject,
            addressees,
        } = &listed.summary;
        let others = addressees.strip_prefix(to.as_str());
        Self {
            from: from.clone(),
            to: to.clone(),
            others: others.unwrap_or(addressees).to_owned(),
            begins_with_to: others.is_some(),
            subject: subject.clone(),
            is_cut: listed.is_cut,
            attachments: listed.attachments,
            are_named: listed.are_named,
        }
    }
}

impl From<Line> for Listed {
    fn from(line: Line) -> Self {
        let addressees = match line.begins_with_to {
            true => line.to.clone() + &line.others,
            false => line.others,
        };
        Self {
            summary: Summary {
                from: line.from,
                to: line.to,
                subject: line.subject,
                addressees,
            },
            is_cut: line.is_cut,
            attachments: line.attachments,
            are_named: line.are_named,
        }
    }
}

impl Packed {
    fn pack(key: u64, lines: &BTreeMap<u8, Vec<u8>>, compressor: &mut Compressor) -> heed::Result<Self> {
        let plain = postcard::to_allocvec(lines).map_err(undecoded)?;
        Ok(Self {
            form: FORM,
            key,
            length: plain.len().try_into().unwrap_or(u32::MAX),
            rows: compressor.compress(&plain)?,
        })
    }

    /// The messages whose rows these are, by the key.
    pub(super) fn messages(&self, key: u64) -> heed::Result<Vec<MessageId>> {
        let plain = self.unpack(key, &mut Decompressor::new()?)?;
        let lines = lines(&plain)?;
        Ok(lines
            .keys()
            .map(|nth| key.saturating_mul(TOGETHER) + u64::from(*nth))
            .collect())
    }

    /// Its rows in postcard; nothing of another form.
    fn unpack(&self, key: u64, decompressor: &mut Decompressor) -> heed::Result<Vec<u8>> {
        if self.key != key {
            return Err(heed::Error::Decoding(
                "rows of lists stand under another key than their own".into(),
            ));
        }
        match self.form == FORM {
            true => Ok(decompressor.decompress(&self.rows, self.length.min(LARGEST) as usize)?),
            false => Ok(Vec::new()),
        }
    }
}

/// The rows in what was unpacked, each still in postcard: of most values one row is wanted.
fn lines(plain: &[u8]) -> heed::Result<BTreeMap<u8, &[u8]>> {
    match plain {
        [] => Ok(BTreeMap::new()),
        plain => postcard::from_bytes(plain).map_err(undecoded),
    }
}

/// What a key of the table stands for, in words.
pub(super) fn words(key: u64) -> String {
    let first = key.saturating_mul(TOGETHER);
    format!("messages {first} to {}", first.saturating_add(TOGETHER - 1))
}

fn undecoded(error: postcard::Error) -> heed::Error {
    heed::Error::Decoding(Box::new(error))
}

/// The key of a message's value, and which of it the message is.
fn place(id: MessageId) -> (u64, u8) {
    (id / TOGETHER, (id % TOGETHER) as u8)
}

/// `meta`, "lists": how far rows were made for messages that had none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filled {
    form: u8,
    /// The message whose row is made next, and the first one that was kept together with its row.
    next: MessageId,
    until: MessageId,
}

/// Notes in a catalog that is opened for writing which messages have no rows: all that there are, where rows were never written,
/// or in another form.
pub(super) fn begin(catalog: &Catalog, txn: &mut RwTxn) -> heed::Result<()> {
    if filled(catalog, txn)?.is_some_and(|filled| filled.form == FORM) {
        return Ok(());
    }
    let until = catalog.counters(txn)?.message;
    let filled = Filled {
        form: FORM,
        next: 1,
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
                postcard::to_allocvec(&Line::new(listed)).map_err(undecoded)?,
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

/// Rows that were made of stored messages: of all from one to before another that could be read.
#[derive(Clone, Debug)]
pub struct Made {
    from: MessageId,
    next: MessageId,
    rows: Vec<(MessageId, Listed)>,
}

impl Made {
    pub(super) fn rows(&self) -> &[(MessageId, Listed)] {
        &self.rows
    }

    /// How far rows are made once these are written; `None` where they do not go on from there.
    pub(super) fn after(&self, filled: Filled) -> Option<Filled> {
        (filled.next == self.from).then_some(Filled {
            next: self.next,
            ..filled
        })
    }
}

/// Makes rows for messages that have none, in steps of one commit each, as long as `go_on` says so; how many it made. Blocking. A
/// message that cannot be read gets none.
///
/// # Errors
/// The store cannot be read or written. What was made until then stays.
pub(super) fn fill(store: &Store, committer: &Committer, go_on: &dyn Fn() -> bool) -> Result<u64, StoreError> {
    let mut count = 0;
    // The blocks that readers have at hand stay there.
    let mut retrieval = Retrieval::anew(store);
    while let Some(Filled { next, until, .. }) = store.lists_lack()? {
        if !go_on() {
            break;
        }
        let mut made = Made {
            from: next,
            next: until,
            rows: Vec::with_capacity(STEP),
        };
        let messages = store.messages_behind(next.saturating_sub(1))?;
        let mut left = messages.into_iter().take_while(|(id, _)| *id < until).peekable();
        for (id, message) in left.by_ref().take(STEP) {
            match retrieval.inline(id, &message) {
                Ok(inline) => made.rows.extend(Listed::of(&inline).map(|listed| (id, listed))),
                Err(error @ StoreError::Damaged { .. }) => {
                    tracing::warn!(%error, "no row of lists was made for a damaged message; run `dropkeep verify`");
                }
                Err(error) => return Err(error),
            }
        }
        if let Some((id, _)) = left.next() {
            made.next = id;
        }
        StoreError::point("lists-filling")?;
        count += committer.tidy(Tidying::Lists(made))?;
        StoreError::point("lists-filled")?;
        resident::release(store.path());
    }
    Ok(count)
}

impl Store {
    /// Which messages have no rows yet; `None` where all have.
    fn lists_lack(&self) -> Result<Option<Filled>, StoreError> {
        let filled = self.reading(|txn| filled(&self.catalog, txn))?;
        Ok(filled.filter(|filled| filled.next < filled.until))
    }

    /// What lists say of these messages, `None` for those without a row.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn listed(&self, ids: impl Iterator<Item = MessageId>) -> Result<Vec<Option<Listed>>, StoreError> {
        self.reading(|txn| {
            let mut decompressor = Decompressor::new()?;
            let mut unpacked = HashMap::<u64, Vec<u8>>::new();
            let mut listed = Vec::new();
            for id in ids {
                let (key, nth) = place(id);
                let plain = match unpacked.entry(key) {
                    Entry::Occupied(plain) => plain.into_mut(),
                    Entry::Vacant(free) => {
                        let packed = self.catalog.lists.get(txn, &key)?;
                        let plain = packed.map(|packed| packed.unpack(key, &mut decompressor)).transpose()?;
                        free.insert(plain.unwrap_or_default())
                    }
                };
                let line = lines(plain)?.get(&nth).map(|line| postcard::from_bytes::<Line>(line));
                listed.push(line.transpose().map_err(undecoded)?.map(Listed::from));
            }
            Ok(listed)
        })
    }
}
