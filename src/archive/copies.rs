//! The copies that are done: which message each was found to be. Those of IMAP are in a settled table by their UIDs,
//! which ascend; those of POP3 in another by the digests of their UIDLs, which come at random.

use heed::{
    Database, RoTxn,
    types::{Bytes, Str},
};

use super::{
    packings::{FRESH, LEVELS},
    rows::{Copy, CopyKey, FolderNumber, MessageId, Seconds, Sha256, SourceNumber, Traits, UidlDigest},
    settled::{Packing, Settled, put_difference, put_number, take_bytes, take_difference, take_number},
};
use crate::identify::HeaderDigest;

/// Both tables, as one.
pub struct Copies {
    pub uids: Settled<Uids>,
    pub uidls: Settled<Uidls>,
}

impl Copies {
    /// # Errors
    /// A table cannot be opened.
    pub fn open(
        places: Database<Str, Bytes>,
        mut open: impl FnMut(&str) -> heed::Result<Database<Bytes, Bytes>>,
    ) -> heed::Result<Self> {
        Ok(Self {
            uids: Settled::open(places, &mut open)?,
            uidls: Settled::open(places, &mut open)?,
        })
    }

    /// What a copy was found to be; `None` where it is not done.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn get(&self, txn: &RoTxn, key: &CopyKey) -> heed::Result<Option<Copy>> {
        match key.tabled() {
            Tabled::Uid(key) => self.uids.get(txn, &key),
            Tabled::Uidl(key) => self.uidls.get(txn, &key),
        }
    }

    /// What some copies were found to be, in the order in which they are asked for.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn get_all(&self, txn: &RoTxn, keys: &[CopyKey]) -> heed::Result<Vec<Option<Copy>>> {
        let mut asked: Vec<(CopyKey, usize)> = keys.iter().copied().zip(0..).collect();
        asked.sort_unstable();
        let (mut uids, mut uidls) = (Vec::new(), Vec::new());
        for (key, _) in &asked {
            match key.tabled() {
                Tabled::Uid(key) => uids.push(key),
                Tabled::Uidl(key) => uidls.push(key),
            }
        }
        let rows = self.uids.get_all(txn, &uids)?.into_iter();
        let rows = rows.chain(self.uidls.get_all(txn, &uidls)?);
        let mut found = vec![None; keys.len()];
        for ((_, at), row) in asked.into_iter().zip(rows) {
            found[at] = row;
        }
        Ok(found)
    }
}

/// In which table the row of a copy is, and under which key.
pub enum Tabled {
    Uid(UidKey),
    Uidl(UidlKey),
}

impl CopyKey {
    pub const FIRST_OF_POP3: Self = Self::Pop3 {
        source: SourceNumber::MIN,
        uidl: UidlDigest::MIN,
    };

    pub fn tabled(&self) -> Tabled {
        match *self {
            Self::Imap {
                source,
                folder,
                uidvalidity,
                uid,
            } => Tabled::Uid(((source, folder), (uidvalidity, uid))),
            Self::Pop3 { source, uidl } => Tabled::Uidl((source, uidl)),
        }
    }
}

impl From<UidKey> for CopyKey {
    fn from(((source, folder), (uidvalidity, uid)): UidKey) -> Self {
        Self::Imap {
            source,
            folder,
            uidvalidity,
            uid,
        }
    }
}

impl From<UidlKey> for CopyKey {
    fn from((source, uidl): UidlKey) -> Self {
        Self::Pop3 { source, uidl }
    }
}

/// A source's folder, UIDVALIDITY and UID.
pub type UidKey = ((SourceNumber, FolderNumber), (u32, u32));

/// `uids`: a byte of flags; by how much the UID is larger, or the whole key where it is of another folder; the row.
pub struct Uids;

impl Packing for Uids {
    type Key = UidKey;
    type Value = Copy;
    const NAME: &'static str = "uids";
    const FRESH: u64 = 0;
    const LEVELS: &'static [u64] = &[u64::MAX];
    const SEALS_KEYS: bool = true;

    fn parts((before, (validity, _)): &UidKey, (of, (uidvalidity, _)): &UidKey) -> bool {
        (before, validity) != (of, uidvalidity)
    }

    fn put(before: Option<&(UidKey, Copy)>, (key, copy): &(UidKey, Copy), bytes: &mut Vec<u8>) {
        let ((source, folder), (uidvalidity, uid)) = *key;
        let last =
            before.and_then(|((of, (validity, last)), _)| ((*of, *validity) == (key.0, uidvalidity)).then_some(*last));
        let before = before.map(|(_, copy)| copy);
        bytes.push(flags(before, copy) | bit(last.is_some(), SAME_FOLDER));
        if last.is_none() {
            put_number(source.0.into(), bytes);
            put_number(folder.0.into(), bytes);
            put_number(uidvalidity.into(), bytes);
        }
        put_number(uid.wrapping_sub(last.unwrap_or_default()).into(), bytes);
        put_copy(before, copy, bytes);
    }

    fn take(before: Option<&(UidKey, Copy)>, bytes: &mut &[u8]) -> Option<(UidKey, Copy)> {
        let flags = *bytes.split_off_first()?;
        let (of, uidvalidity, last) = match flags & SAME_FOLDER {
            0 => {
                let (source, folder) = (SourceNumber(take_u32(bytes)?), FolderNumber(take_u32(bytes)?));
                ((source, folder), take_u32(bytes)?, 0)
            }
            _ => before.map(|((of, (uidvalidity, uid)), _)| (*of, *uidvalidity, *uid))?,
        };
        let key = (of, (uidvalidity, last.wrapping_add(take_u32(bytes)?)));
        Some((key, take_copy(flags, before.map(|(_, copy)| copy), bytes)?))
    }
}

/// A source, and the beginning of the digest of a UIDL.
pub type UidlKey = (SourceNumber, UidlDigest);

/// `uidls`: a byte of flags, by how much the source's number is larger, the digest as it is, and the row.
pub struct Uidls;

impl Packing for Uidls {
    type Key = UidlKey;
    type Value = Copy;
    const NAME: &'static str = "uidls";
    const FRESH: u64 = FRESH;
    const LEVELS: &'static [u64] = LEVELS;
    const SEALS_KEYS: bool = true;

    fn put(before: Option<&(UidlKey, Copy)>, ((source, uidl), copy): &(UidlKey, Copy), bytes: &mut Vec<u8>) {
        let of = before.map_or(0, |((of, _), _)| of.0);
        let before = before.map(|(_, copy)| copy);
        bytes.push(flags(before, copy) | bit(source.0 == of, SAME_FOLDER));
        if source.0 != of {
            put_number(source.0.wrapping_sub(of).into(), bytes);
        }
        bytes.extend(uidl.to_be_bytes());
        put_copy(before, copy, bytes);
    }

    fn take(before: Option<&(UidlKey, Copy)>, bytes: &mut &[u8]) -> Option<(UidlKey, Copy)> {
        let flags = *bytes.split_off_first()?;
        let of = before.map_or(0, |((of, _), _)| of.0);
        let source = match flags & SAME_FOLDER {
            0 => of.wrapping_add(take_u32(bytes)?),
            _ => of,
        };
        let uidl = UidlDigest::from_be_bytes(take_bytes(16, bytes)?.try_into().ok()?);
        let copy = take_copy(flags, before.map(|(_, copy)| copy), bytes)?;
        Some(((SourceNumber(source), uidl), copy))
    }
}

/// The folder, or the source of UIDLs, is that of the row before.
const SAME_FOLDER: u8 = 1;
const SAME_TIME: u8 = 2;
const HAS_FETCHED: u8 = 4;
const HAS_TRAITS: u8 = 8;
const HAS_DATE: u8 = 16;
const IS_SHORT: u8 = 32;
/// All of them: a byte with others is none of ours.
const KNOWN: u8 = 63;

fn bit(is: bool, bit: u8) -> u8 {
    if is { bit } else { 0 }
}

/// What there is of a row, and what is as in the row before.
fn flags(before: Option<&Copy>, copy: &Copy) -> u8 {
    let traits = copy.traits.as_ref();
    bit(
        before.is_some_and(|before| before.archived_at == copy.archived_at),
        SAME_TIME,
    ) | bit(copy.fetched.is_some(), HAS_FETCHED)
        | bit(traits.is_some(), HAS_TRAITS)
        | bit(traits.is_some_and(|traits| traits.date.is_some()), HAS_DATE)
        | bit(traits.is_some_and(|traits| traits.short), IS_SHORT)
}

/// INTERNALDATE, as copies that follow each other have nearly the same.
fn date(copy: Option<&Copy>) -> Seconds {
    let traits = copy.and_then(|copy| copy.traits);
    traits.and_then(|traits| traits.date).unwrap_or_default()
}

/// By how much message and times differ from the row before, and the rest as it is.
fn put_copy(before: Option<&Copy>, copy: &Copy, bytes: &mut Vec<u8>) {
    let (message, archived_at) = before.map_or((0, 0), |before| (before.message.0, before.archived_at));
    put_difference(message, copy.message.0, bytes);
    if flags(before, copy) & SAME_TIME == 0 {
        put_difference(archived_at as u64, copy.archived_at as u64, bytes);
    }
    if let Some(fetched) = &copy.fetched {
        bytes.extend(fetched);
    }
    let Some(traits) = &copy.traits else { return };
    put_number(traits.size, bytes);
    if let Some(own) = traits.date {
        put_difference(date(before) as u64, own as u64, bytes);
    }
    bytes.extend(traits.header);
}

fn take_copy(flags: u8, before: Option<&Copy>, bytes: &mut &[u8]) -> Option<Copy> {
    let has = |what| flags & what != 0;
    if flags & !KNOWN != 0 {
        return None;
    }
    let (message, archived_at) = before.map_or((0, 0), |before| (before.message.0, before.archived_at));
    let message = MessageId(take_difference(message, bytes)?);
    let archived_at = match has(SAME_TIME) {
        true => archived_at,
        false => take_difference(archived_at as u64, bytes)? as Seconds,
    };
    let fetched = match has(HAS_FETCHED) {
        true => Some(Sha256::try_from(take_bytes(32, bytes)?).ok()?),
        false => None,
    };
    let traits = match has(HAS_TRAITS) {
        true => Some(Traits {
            size: take_number(bytes)?,
            date: match has(HAS_DATE) {
                true => Some(take_difference(date(before) as u64, bytes)? as Seconds),
                false => None,
            },
            header: HeaderDigest::try_from(take_bytes(16, bytes)?).ok()?,
            short: has(IS_SHORT),
        }),
        false => None,
    };
    Some(Copy {
        message,
        fetched,
        archived_at,
        traits,
    })
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    take_number(bytes)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::{array::uniform16, collection::btree_map, option, prelude::*};

    use super::*;
    use crate::archive::{
        catalog::Catalog,
        packings::tests::{comes_out, message},
    };

    /// Few values, so that many are the same, and any.
    fn number() -> impl Strategy<Value = u32> {
        prop_oneof![0..3u32, any::<u32>()]
    }

    fn time() -> impl Strategy<Value = Seconds> {
        prop_oneof![0..3i64, any::<i64>()]
    }

    fn traits() -> impl Strategy<Value = Traits> {
        (any::<u64>(), option::of(time()), uniform16(any::<u8>()), any::<bool>()).prop_map(
            |(size, date, header, short)| Traits {
                size,
                date,
                header,
                short,
            },
        )
    }

    fn copy() -> impl Strategy<Value = Copy> {
        let fetched = option::of(any::<Sha256>());
        (message(), fetched, time(), option::of(traits())).prop_map(|(message, fetched, archived_at, traits)| Copy {
            message,
            fetched,
            archived_at,
            traits,
        })
    }

    fn uid_key() -> impl Strategy<Value = UidKey> {
        let of = (number(), number()).prop_map(|(source, folder)| (SourceNumber(source), FolderNumber(folder)));
        (of, (number(), number()))
    }

    #[test]
    fn folders_that_grow_beside_each_other_left_their_chunks_half_empty() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(folder.path()).unwrap();
        let uids = &catalog.copies.uids;
        let copy = |uid: u32| Copy {
            message: MessageId(uid.into()),
            fetched: None,
            archived_at: 1_750_000_000,
            traits: Some(Traits::default()),
        };
        for group in 0..12 {
            let mut txn = catalog.write().unwrap();
            for (of, uid) in (0..10).flat_map(|of| (group * 420..(group + 1) * 420).map(move |uid| (of, uid))) {
                let key = ((SourceNumber(of), FolderNumber(1)), (7, uid));
                uids.put(&mut txn, &key, &copy(uid)).unwrap();
            }
            uids.settle(&mut txn).unwrap();
            txn.commit().unwrap();
        }
        let txn = catalog.read().unwrap();
        assert_eq!(
            uids.range(&txn, &(..)).unwrap().map(Result::unwrap).count(),
            10 * 12 * 420
        );
        let chunks = uids.levels[0].iter(&txn).unwrap().map(|chunk| chunk.unwrap().1.len());
        let chunks: Vec<usize> = chunks.collect();
        let bytes: usize = chunks.iter().sum();
        assert!(bytes > chunks.len() * 3600, "{} chunks, {bytes} bytes", chunks.len());
    }

    proptest! {
        #[test]
        fn copies_by_uid_come_out_as_they_were(rows in btree_map(uid_key(), copy(), 0..50)) {
            comes_out::<Uids>(rows);
        }

        #[test]
        fn copies_by_uidl_come_out_as_they_were(
            rows in btree_map((number().prop_map(SourceNumber), any::<UidlDigest>()), copy(), 0..50)
        ) {
            comes_out::<Uidls>(rows);
        }
    }
}
