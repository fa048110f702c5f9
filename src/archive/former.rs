//! How a copy is recognised as a message that was archived when identities were of version 1.
//!
//! Few messages have in them what version 1 takes in and version 2 leaves out; all others have one digest in both. A copy
//! that has it is looked up by its digests of both versions. Where the archived message has it, and the copy has not, or has
//! another, no digest of the copy leads there: then what the user has of the same date is read, and its digest computed.

use std::{
    mem,
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
};

use heed::types::Bytes;
use lru::LruCache;

use super::{
    Retrieval, Store, StoreError,
    deposit::Content,
    retrieval::Blocks,
    rows::{Message, MessageId, Seconds, UserId},
};
use crate::identify::identity_of;

/// Messages of a date that are looked at, and those of them that are read.
const LOOKED_AT: usize = 256;
const READ: usize = 16;
/// Digests of messages read that are kept at hand: the next of their users asks for the same.
const AT_HAND: usize = 4096;

/// What was computed of messages of version 1. They are read one at a time, so no more of their bytes are in memory however
/// many users ask.
#[derive(Default)]
pub(super) struct Recomputed(Mutex<AtHand>);

struct AtHand {
    /// Their identities now, `None` where they cannot be read.
    identities: LruCache<MessageId, Option<[u8; 32]>>,
    /// Mail that is imported again comes in the order in which it lies there.
    blocks: Blocks,
}

impl Default for AtHand {
    fn default() -> Self {
        let capacity = NonZeroUsize::new(AT_HAND).unwrap_or(NonZeroUsize::MIN);
        Self {
            identities: LruCache::new(capacity),
            blocks: Blocks::default(),
        }
    }
}

/// Messages that may be the one that is looked for.
pub(super) type Candidates = Vec<(MessageId, Message)>;

impl Store {
    /// Whether there may be messages whose identities are of version 1.
    pub fn has_former_identities(&self) -> bool {
        self.catalog.identified_since() > 1
    }

    /// Of the messages that `user` has from the time of version 1, those that a message may be another copy of: they
    /// have its date, and about its size.
    pub(super) fn candidates(&self, user: UserId, date: Seconds, content: &Content) -> Result<Candidates, StoreError> {
        let since = self.catalog.identified_since();
        if since <= 1 {
            return Ok(Candidates::new());
        }
        self.reading(|txn| {
            let filings = self.catalog.filings.remap_data_type::<Bytes>();
            let of_date = filings.range(txn, &((user, date, 0)..(user, date, since)))?;
            let mut found = Candidates::new();
            for row in of_date.take(LOOKED_AT) {
                let ((.., id), _) = row?;
                let message = self.catalog.messages.get(txn, &id)?;
                found.extend(
                    message
                        .filter(|message| is_near(message.size, content))
                        .map(|row| (id, row)),
                );
                if found.len() == READ {
                    break;
                }
            }
            Ok(found)
        })
    }

    /// Which of them is the same message as `content` by the current rules. Blocking: they are read. One that cannot be read is
    /// taken for another.
    pub(super) fn same_among(&self, candidates: Candidates, content: &Content) -> Option<MessageId> {
        let mut at_hand = self.recomputed.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut retrieval = Retrieval::with(self, mem::take(&mut at_hand.blocks));
        let mut identity = |id, message: &Message| {
            let compute = || retrieval.raw(id, message).ok().map(|raw| identity_of(&raw));
            *at_hand.identities.get_or_insert(id, compute)
        };
        let mut candidates = candidates.into_iter();
        let same = candidates.find(|(id, message)| identity(*id, message) == Some(content.identity));
        at_hand.blocks = retrieval.into_blocks();
        same.map(|(id, _)| id)
    }
}

/// Whether fields added and line ends of another kind can make out the difference in size.
fn is_near(size: u64, content: &Content) -> bool {
    const FIELDS: u64 = 64 << 10;
    let own = content.bytes.len() as u64;
    size.abs_diff(own) <= FIELDS + own / 8
}
