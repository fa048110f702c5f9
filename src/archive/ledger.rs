//! The ledger: for each group that changed something for good, one row that says what. It is written in the
//! transaction of its group and never changed, so whatever is derived from the archive can be brought up to date
//! by reading on from the last row that it has seen.
//!
//! The rows are chained: each has a BLAKE3 digest over the row before, its own content, and the SHA-256 of each
//! message that was kept. `docs/decisions/ledger.md` says what is in it, and what is not.

use std::collections::BTreeSet;

use crate::ids::GroupNumber;
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    rows::{MessageId, RunId, Seconds, Sha256, UserId},
};

/// What stands for the digest before the first row.
pub const NO_CHAIN: Chain = [0; 32];
/// The digest of a row and all rows before it.
pub type Chain = [u8; 32];

/// `ledger`: a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    pub group: Group,
    pub chain: Chain,
}

/// What a group changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// When it was written; for what was there before there was a ledger, when the archive was upgraded.
    pub at: Seconds,
    /// The first message that it kept, or the one that comes next if it kept none.
    pub first: MessageId,
    /// How many messages it kept. Their ids follow each other.
    pub kept: u64,
    /// Filings that it added, of new messages and of older ones.
    pub filings: Filings,
    pub changes: Vec<Changed>,
}

impl Group {
    /// Whether nothing changed for good, so that there is no row.
    pub(super) fn is_empty(&self) -> bool {
        self.kept == 0 && self.filings.0.is_empty() && self.changes.is_empty()
    }

    /// The messages of which it says something new: who has them, or whom a journal report names.
    ///
    /// # Errors
    /// Its filings cannot be read.
    pub fn about(&self) -> Result<BTreeSet<MessageId>, StoreError> {
        let mut messages: BTreeSet<_> = self.filings.pairs()?.into_iter().map(|(message, _)| message).collect();
        for change in &self.changes {
            if let Changed::Journaled(journaled) = change {
                messages.extend(journaled);
            }
        }
        Ok(messages)
    }

    /// The message that the next group keeps first.
    pub fn next(&self) -> MessageId {
        self.first.plus(self.kept)
    }

    /// The digest of this row, `number`, behind one with the digest `before`; `sha256` are the messages', in order.
    ///
    /// # Errors
    /// It cannot be encoded.
    pub(super) fn chain(
        &self,
        before: &Chain,
        number: GroupNumber,
        sha256: impl Iterator<Item = Sha256>,
    ) -> Result<Chain, StoreError> {
        let content = postcard::to_allocvec(self).map_err(|error| StoreError::Fault {
            detail: format!("group {number} cannot be encoded: {error}"),
        })?;
        let mut hasher = blake3::Hasher::new_derive_key("dropkeep ledger 1");
        hasher.update(before);
        hasher.update(&number.0.to_be_bytes());
        hasher.update(&(content.len() as u64).to_be_bytes());
        hasher.update(&content);
        for sha256 in sha256 {
            hasher.update(&sha256);
        }
        Ok(*hasher.finalize().as_bytes())
    }
}

/// How far somebody has followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The last group that was seen; 0 before the first.
    pub group: GroupNumber,
    /// Its digest.
    pub chain: Chain,
}

impl Mark {
    /// Before the first group.
    pub const START: Self = Self {
        group: GroupNumber(0),
        chain: NO_CHAIN,
    };

    /// The key in `meta` under which the mark of `name` is kept.
    pub(super) fn key(name: &str) -> String {
        format!("follower {name}")
    }
}

/// What else a group changed. New kinds are added at the end: a kind is written as its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Changed {
    /// The row was made when the archive was upgraded, of what was there.
    TakenOver,
    /// These users were made or changed.
    Users(Vec<UserId>),
    /// So many rows of messages and parts name another place, as a compaction moved their bytes.
    Moved(u64),
    /// Nothing more is written into this volume, though it is not full.
    Closed(u32),
    /// This volume was sealed.
    Sealed(u32),
    /// Nothing is left in this volume.
    Emptied(u32),
    /// A run ended that did something.
    Run(RunId),
    /// So many protocols were removed because of their age.
    RunsForgotten(u64),
    /// So many copies are not done any more: their names are gone, or mean other mail now.
    CopiesForgotten(u64),
    /// These messages, which were there before, came in a journal report that was not, ascending.
    Journaled(Vec<MessageId>),
}

/// Filings by message and user, ascending: for each message how far it is behind the one before, how many users,
/// and how far each user is behind the one before; all as variable-length integers (LEB128).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filings(Vec<u8>);

impl Filings {
    pub(super) fn of(mut pairs: Vec<(MessageId, UserId)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let (mut bytes, mut last) = (Vec::new(), MessageId(0));
        for of_message in pairs.chunk_by(|one, other| one.0 == other.0) {
            let message = of_message[0].0;
            put(&mut bytes, message.since(last));
            put(&mut bytes, of_message.len() as u64);
            last = message;
            let mut before = UserId(0);
            for (_, user) in of_message {
                put(&mut bytes, user.since(before).into());
                before = *user;
            }
        }
        Self(bytes)
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.0.len()
    }

    /// The filings as pairs.
    ///
    /// # Errors
    /// The bytes are none.
    pub fn pairs(&self) -> Result<Vec<(MessageId, UserId)>, StoreError> {
        self.read().ok_or_else(|| StoreError::Damaged {
            detail: "the filings of a row of the ledger cannot be read".into(),
        })
    }

    fn read(&self) -> Option<Vec<(MessageId, UserId)>> {
        let (mut bytes, mut message, mut pairs) = (&self.0[..], 0_u64, Vec::new());
        while !bytes.is_empty() {
            message = message.checked_add(take(&mut bytes)?)?;
            let mut user = 0_u32;
            for _ in 0..take(&mut bytes)? {
                user = user.checked_add(take(&mut bytes)?.try_into().ok()?)?;
                pairs.push((MessageId(message), UserId(user)));
            }
        }
        Some(pairs)
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn filings_come_back_in_their_order(pairs: Vec<(u64, u32)>) {
            let mut pairs: Vec<_> = pairs.into_iter().map(|(id, user)| (MessageId(id), UserId(user))).collect();
            let filings = Filings::of(pairs.clone());
            pairs.sort_unstable();
            pairs.dedup();
            prop_assert_eq!(filings.pairs().unwrap(), pairs);
        }

        #[test]
        fn bytes_that_are_no_filings_are_refused_or_read(bytes: Vec<u8>) {
            let most = bytes.len();
            if let Ok(pairs) = Filings(bytes).pairs() {
                prop_assert!(pairs.len() <= most);
            }
        }
    }

    #[test]
    fn a_filing_takes_a_byte_or_two() {
        // As a group of small mail is: each message for the user who got it and the one who sent it.
        let pairs: Vec<_> = (5_000_000..5_000_250)
            .map(MessageId)
            .flat_map(|id| [(id, UserId(3)), (id, UserId(90))])
            .collect();
        assert!(Filings::of(pairs.clone()).0.len() <= 2 * pairs.len() + 4);
    }

    #[test]
    fn each_thing_in_a_row_changes_its_digest() {
        let group = Group {
            at: 7,
            first: MessageId(3),
            kept: 1,
            filings: Filings::of(vec![(MessageId(3), UserId(1))]),
            changes: Vec::new(),
        };
        let chain = |group: &Group, before: u8, number: u64, sha256: u8| {
            let sha256 = std::iter::once([sha256; 32]);
            group.chain(&[before; 32], GroupNumber(number), sha256).unwrap()
        };
        let one = chain(&group, 0, 1, 0);
        assert_eq!(chain(&group, 0, 1, 0), one);
        let others = [
            chain(&group, 1, 1, 0),
            chain(&group, 0, 2, 0),
            chain(&group, 0, 1, 1),
            chain(&Group { at: 8, ..group.clone() }, 0, 1, 0),
            chain(
                &Group {
                    filings: Filings::of(vec![(MessageId(3), UserId(2))]),
                    ..group.clone()
                },
                0,
                1,
                0,
            ),
        ];
        assert!(others.iter().all(|other| *other != one));
    }
}
