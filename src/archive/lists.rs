//! The rows of lists: what is shown of each message in a list, so that no block is read for it.
//!
//! They are derived from the messages: written in the group that keeps a message, and where there are none, as in an
//! archive of an older version, made from the stored message in the background. Until then, and where a text is longer
//! than a row keeps, a list reads the message itself. Messages with numbers in a row share a value, compressed as one:
//! mail that comes together repeats its addresses and subjects.

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use zstd::bulk::{Compressor, Decompressor};

use super::{block, rows::MessageId};
use crate::identify::{Listed, Summary};

/// The form of the rows. Rows of another form are made anew.
pub(super) const FORM: u8 = 1;
/// Messages of a value. With more they take less room, and one row takes longer to read.
pub(super) const TOGETHER: u64 = 16;
/// What a value of this form is at most once it is unpacked: texts have at most 512 bytes each.
const LARGEST: u32 = 1 << 20;
pub(super) const LEVEL: i32 = 3;

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
pub(super) struct Line<'l> {
    from: Cow<'l, str>,
    to: Cow<'l, str>,
    /// What To, Cc and Bcc name beyond `to`; all of it where they do not begin with it.
    others: Cow<'l, str>,
    begins_with_to: bool,
    subject: Cow<'l, str>,
    is_cut: bool,
    attachments: u16,
    are_named: bool,
}

impl<'l> Line<'l> {
    pub(super) fn new(listed: &'l Listed) -> Self {
        let Summary {
            from,
            to,
            subject,
            addressees,
        } = &listed.summary;
        let others = addressees.strip_prefix(to.as_str());
        Self {
            from: from.into(),
            to: to.into(),
            others: others.unwrap_or(addressees).into(),
            begins_with_to: others.is_some(),
            subject: subject.into(),
            is_cut: listed.is_cut,
            attachments: listed.attachments,
            are_named: listed.are_named,
        }
    }
}

impl From<Line<'_>> for Listed {
    fn from(line: Line) -> Self {
        let to = line.to.into_owned();
        let others = line.others.into_owned();
        let addressees = match line.begins_with_to {
            true => to.clone() + &others,
            false => others,
        };
        Self {
            summary: Summary {
                from: line.from.into_owned(),
                to,
                subject: line.subject.into_owned(),
                addressees,
            },
            is_cut: line.is_cut,
            attachments: line.attachments,
            are_named: line.are_named,
        }
    }
}

impl Packed {
    pub(super) fn pack(key: u64, lines: &BTreeMap<u8, Vec<u8>>, compressor: &mut Compressor) -> heed::Result<Self> {
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
        let plain = block::with_unpacker(|unpacker| self.unpack(key, unpacker))?;
        let lines = lines(&plain)?;
        Ok(lines
            .keys()
            .map(|nth| MessageId(key.saturating_mul(TOGETHER)).plus((*nth).into()))
            .collect())
    }

    /// Its rows in postcard; nothing of another form.
    pub(super) fn unpack(&self, key: u64, decompressor: &mut Decompressor) -> heed::Result<Vec<u8>> {
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
pub(super) fn lines(plain: &[u8]) -> heed::Result<BTreeMap<u8, &[u8]>> {
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

pub(super) fn undecoded(error: postcard::Error) -> heed::Error {
    heed::Error::Decoding(Box::new(error))
}

/// The key of a message's value, and which of it the message is.
pub(super) fn place(id: MessageId) -> (u64, u8) {
    (id.0 / TOGETHER, (id.0 % TOGETHER) as u8)
}

/// `meta`, "lists": how far rows were made for messages that had none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Filled {
    pub(super) form: u8,
    /// The message whose row is made next, and the first one that was kept together with its row.
    pub(super) next: MessageId,
    pub(super) until: MessageId,
}

/// Rows that were made of stored messages: of all from one to before another that could be read.
#[derive(Clone, Debug)]
pub struct Made {
    pub(super) from: MessageId,
    pub(super) next: MessageId,
    pub(super) rows: Vec<(MessageId, Listed)>,
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
