//! How the rows of the settled tables are packed: each against the one before it, whose key is near, and whose message
//! often came together with its own.

use super::{
    rows::{Filing, FolderNumber, IdentityNumber, MessageId, RunId, Seconds, UserId, Why},
    settled::{Packing, put_difference, put_number, take_bytes, take_difference, take_number},
};

/// Fresh rows of tables whose keys come at random: about a megabyte, of which a group changes nearly every page.
pub(super) const FRESH: u64 = 16_384;
/// Chunks of the levels: 8 MB, 64 MB, and all the rest. In an archive of ten million messages, a row then shares each chunk
/// into which it moves with some ten to thirty others.
pub(super) const LEVELS: &[u64] = &[2048, 16_384, u64::MAX];

/// The beginning of an identity digest. Nobody can make two messages in whose digests this much is the same.
pub type Digest = [u8; 16];

/// What stands for an identity digest in keys.
pub fn digest(identity: &[u8; 32]) -> Digest {
    let mut beginning = Digest::default();
    beginning.copy_from_slice(&identity[..16]);
    beginning
}

/// `identities`: the digest as it is, and the number.
pub struct Identities;

impl Packing for Identities {
    type Key = Digest;
    type Value = IdentityNumber;
    const NAME: &'static str = "identities";
    const FRESH: u64 = FRESH;
    const LEVELS: &'static [u64] = LEVELS;

    fn put(_: Option<&(Digest, IdentityNumber)>, (digest, number): &(Digest, IdentityNumber), bytes: &mut Vec<u8>) {
        bytes.extend(digest);
        put_number(number.0, bytes);
    }

    fn take(_: Option<&(Digest, IdentityNumber)>, bytes: &mut &[u8]) -> Option<(Digest, IdentityNumber)> {
        let digest = take_bytes(16, bytes)?.try_into().ok()?;
        Some((digest, IdentityNumber(take_number(bytes)?)))
    }
}

type BytesKey = (IdentityNumber, [u8; 8]);

/// `bytes`: by how much the identity's number is larger, the digest's beginning, and how the message differs.
pub struct Bytes;

impl Packing for Bytes {
    type Key = BytesKey;
    type Value = MessageId;
    const NAME: &'static str = "bytes";
    const FRESH: u64 = 0;
    const LEVELS: &'static [u64] = &[u64::MAX];

    fn put(before: Option<&(BytesKey, MessageId)>, row: &(BytesKey, MessageId), bytes: &mut Vec<u8>) {
        let ((identity, head), message) = row;
        let (number, id) = before.map_or((0, 0), |((number, _), id)| (number.0, id.0));
        put_number(identity.0.wrapping_sub(number), bytes);
        bytes.extend(head);
        put_difference(id, message.0, bytes);
    }

    fn take(before: Option<&(BytesKey, MessageId)>, bytes: &mut &[u8]) -> Option<(BytesKey, MessageId)> {
        let (number, id) = before.map_or((0, 0), |((number, _), id)| (number.0, id.0));
        let identity = IdentityNumber(number.wrapping_add(take_number(bytes)?));
        let head = take_bytes(8, bytes)?.try_into().ok()?;
        Some(((identity, head), MessageId(take_difference(id, bytes)?)))
    }
}

type HeldKey = (IdentityNumber, UserId);

/// `held`: by how much the identity's number is larger, or within one the user's; and how the message differs.
pub struct Held;

impl Packing for Held {
    type Key = HeldKey;
    type Value = MessageId;
    const NAME: &'static str = "held";
    const FRESH: u64 = 0;
    const LEVELS: &'static [u64] = &[u64::MAX];

    fn put(before: Option<&(HeldKey, MessageId)>, row: &(HeldKey, MessageId), bytes: &mut Vec<u8>) {
        let ((identity, user), message) = row;
        let ((number, of), id) = before.copied().unwrap_or_default();
        let more = identity.0.wrapping_sub(number.0);
        put_number(more, bytes);
        let user = if more == 0 { user.0.wrapping_sub(of.0) } else { user.0 };
        put_number(user.into(), bytes);
        put_difference(id.0, message.0, bytes);
    }

    fn take(before: Option<&(HeldKey, MessageId)>, bytes: &mut &[u8]) -> Option<(HeldKey, MessageId)> {
        let ((number, of), id) = before.copied().unwrap_or_default();
        let more = take_number(bytes)?;
        let user = take_number(bytes)?.try_into().ok()?;
        let user = UserId(if more == 0 { of.0.wrapping_add(user) } else { user });
        let identity = IdentityNumber(number.0.wrapping_add(more));
        Some(((identity, user), MessageId(take_difference(id.0, bytes)?)))
    }
}

type FilingsKey = (UserId, Seconds, MessageId);

/// `filings`: first a byte of what is as in the row before, and why the message is there; then what is not.
pub struct Filings;

const SAME_USER: u8 = 1;
const SAME_FOLDER: u8 = 2;
const SAME_RUN: u8 = 4;
const SAME_TIME: u8 = 8;
/// The highest three bits; the last is for another field.
const WHY: u8 = 5;
const FIELD: u8 = 6;

impl Packing for Filings {
    type Key = FilingsKey;
    type Value = Filing;
    const NAME: &'static str = "filings";
    const FRESH: u64 = FRESH;
    const LEVELS: &'static [u64] = LEVELS;

    fn put(before: Option<&(FilingsKey, Filing)>, row: &(FilingsKey, Filing), bytes: &mut Vec<u8>) {
        let ((user, date, id), filing) = row;
        let (of, dated, message, like) = parts(before);
        let (why, field) = why_bits(&filing.why);
        let same = |is: bool, bit: u8| if is { bit } else { 0 };
        let flags = same(*user == of, SAME_USER)
            | same(filing.folder == like.folder, SAME_FOLDER)
            | same(filing.run == like.run, SAME_RUN)
            | same(filing.archived_at == like.archived_at, SAME_TIME)
            | why << WHY;
        bytes.push(flags);
        if flags & SAME_USER == 0 {
            put_number(user.0.wrapping_sub(of.0).into(), bytes);
            put_difference(dated as u64, *date as u64, bytes);
        } else {
            put_number((*date as u64).wrapping_sub(dated as u64), bytes);
        }
        put_difference(message.0, id.0, bytes);
        if flags & SAME_FOLDER == 0 {
            put_number(filing.folder.0.into(), bytes);
        }
        if flags & SAME_RUN == 0 {
            put_number(filing.run.0, bytes);
        }
        if flags & SAME_TIME == 0 {
            put_difference(like.archived_at as u64, filing.archived_at as u64, bytes);
        }
        if let Some(field) = field {
            put_number(field.len() as u64, bytes);
            bytes.extend(field.as_bytes());
        }
    }

    fn take(before: Option<&(FilingsKey, Filing)>, bytes: &mut &[u8]) -> Option<(FilingsKey, Filing)> {
        let (of, dated, message, like) = parts(before);
        let flags = *bytes.split_off_first()?;
        let (user, date) = if flags & SAME_USER == 0 {
            let more: u32 = take_number(bytes)?.try_into().ok()?;
            (
                UserId(of.0.wrapping_add(more)),
                take_difference(dated as u64, bytes)? as Seconds,
            )
        } else {
            (of, (dated as u64).wrapping_add(take_number(bytes)?) as Seconds)
        };
        let id = MessageId(take_difference(message.0, bytes)?);
        let folder = match flags & SAME_FOLDER {
            0 => FolderNumber(take_number(bytes)?.try_into().ok()?),
            _ => like.folder,
        };
        let run = match flags & SAME_RUN {
            0 => RunId(take_number(bytes)?),
            _ => like.run,
        };
        let archived_at = match flags & SAME_TIME {
            0 => take_difference(like.archived_at as u64, bytes)? as Seconds,
            _ => like.archived_at,
        };
        let why = why_of(flags >> WHY, bytes)?;
        let filing = Filing {
            folder,
            archived_at,
            run,
            why,
        };
        Some(((user, date, id), filing))
    }
}

/// What the first row of a chunk is packed against.
const NOTHING: &Filing = &Filing {
    folder: FolderNumber(0),
    archived_at: 0,
    run: RunId(0),
    why: Why::To,
};

fn parts(before: Option<&(FilingsKey, Filing)>) -> (UserId, Seconds, MessageId, &Filing) {
    let nothing = (UserId(0), 0, MessageId(0), NOTHING);
    before.map_or(nothing, |((user, date, id), filing)| (*user, *date, *id, filing))
}

fn why_bits(why: &Why) -> (u8, Option<&str>) {
    match why {
        Why::To => (0, None),
        Why::Cc => (1, None),
        Why::Bcc => (2, None),
        Why::From => (3, None),
        Why::Sender => (4, None),
        Why::Unknown => (5, None),
        Why::Field(name) => (FIELD, Some(name)),
    }
}

fn why_of(bits: u8, bytes: &mut &[u8]) -> Option<Why> {
    Some(match bits {
        0 => Why::To,
        1 => Why::Cc,
        2 => Why::Bcc,
        3 => Why::From,
        4 => Why::Sender,
        5 => Why::Unknown,
        FIELD => {
            let length = take_number(bytes)?.try_into().ok()?;
            Why::Field(std::str::from_utf8(take_bytes(length, bytes)?).ok()?.into())
        }
        _ => return None,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::{collections::BTreeMap, fmt::Debug};

    use proptest::{collection::btree_map, prelude::*};

    use super::*;

    /// Rows that are packed one behind the other come out as they were.
    pub fn comes_out<P: Packing>(rows: BTreeMap<P::Key, P::Value>)
    where
        P::Value: PartialEq + Debug,
    {
        let rows: Vec<_> = rows.into_iter().collect();
        let mut bytes = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            P::put(at.checked_sub(1).map(|before| &rows[before]), row, &mut bytes);
        }
        let (mut rest, mut found) = (&bytes[..], Vec::new());
        while !rest.is_empty() {
            let row = P::take(found.last(), &mut rest).unwrap();
            found.push(row);
        }
        assert_eq!(found, rows);
    }

    fn why() -> impl Strategy<Value = Why> {
        "(To|Cc|Bcc|From|Sender|unknown|X-[a-zäé]{0,9})".prop_map(|name| match name.as_str() {
            "unknown" => Why::Unknown,
            name => Why::field(name),
        })
    }

    fn filing() -> impl Strategy<Value = Filing> {
        (
            0..3u32,
            prop_oneof![0..3i64, any::<i64>()],
            prop_oneof![0..2u64, any::<u64>()],
            why(),
        )
            .prop_map(|(folder, archived_at, run, why)| Filing {
                folder: FolderNumber(folder),
                archived_at,
                run: RunId(run),
                why,
            })
    }

    /// Few values, so that many are the same, and any.
    fn identity() -> impl Strategy<Value = IdentityNumber> {
        prop_oneof![0..4u64, any::<u64>()].prop_map(IdentityNumber)
    }

    pub fn message() -> impl Strategy<Value = MessageId> {
        prop_oneof![0..4u64, any::<u64>()].prop_map(MessageId)
    }

    fn user() -> impl Strategy<Value = UserId> {
        prop_oneof![0..3u32, any::<u32>()].prop_map(UserId)
    }

    proptest! {
        #[test]
        fn identities_come_out_as_they_were(rows in btree_map(any::<[u8; 16]>(), identity(), 0..50)) {
            comes_out::<Identities>(rows);
        }

        #[test]
        fn bytes_come_out_as_they_were(rows in btree_map((identity(), any::<[u8; 8]>()), message(), 0..50)) {
            comes_out::<Bytes>(rows);
        }

        #[test]
        fn held_rows_come_out_as_they_were(rows in btree_map((identity(), user()), message(), 0..50)) {
            comes_out::<Held>(rows);
        }

        #[test]
        fn filings_come_out_as_they_were(
            rows in btree_map((user(), prop_oneof![-2..2i64, any::<i64>()], message()), filing(), 0..50)
        ) {
            comes_out::<Filings>(rows);
        }
    }
}
