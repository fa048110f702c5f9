//! How a copy is recognised as a message that was archived when identities were of version 1.
//!
//! Few messages have in them what version 1 takes in and version 2 leaves out; all others have one digest in both. A
//! copy that has it is looked up by its digests of both versions. Where the archived message has it, and the copy has
//! not, or has another, no digest of the copy leads there: then what the user has of the same date is read, and its
//! digest computed.

use super::{
    Retrieval, Store, StoreError,
    deposit::Content,
    filings::{Direction, Page},
    rows::{Message, MessageId, Seconds, UserId},
};
use crate::identify::identity_of;

/// Messages of a date that are looked at, and those of them that are read.
const LOOKED_AT: usize = 256;
const READ: usize = 16;

/// Messages that may be the one that is looked for.
pub(super) type Candidates = Vec<(MessageId, Message)>;

impl Store {
    /// Whether there may be messages whose identities are of version 1.
    pub fn has_former_identities(&self) -> bool {
        self.catalog.identified_since() > MessageId(1)
    }

    /// Of the messages that `user` has from the time of version 1, those that a message may be another copy of: they
    /// have its date, and about its size.
    pub(super) fn candidates(&self, user: UserId, date: Seconds, content: &Content) -> Result<Candidates, StoreError> {
        let since = self.catalog.identified_since();
        if since <= MessageId(1) {
            return Ok(Candidates::new());
        }
        let of_date = Page {
            dates: date..=date,
            most: LOOKED_AT,
            ..Page::first(Direction::Up)
        };
        let (entries, _) = self.filings(user, &of_date)?;
        let former = entries.into_iter().filter(|entry| entry.id < since);
        let near = former.filter(|entry| is_near(entry.message.size, content)).take(READ);
        Ok(near.map(|entry| (entry.id, entry.message)).collect())
    }

    /// Which of them is the same message as `content` by the current rules. Blocking: they are read. One that cannot be
    /// read is taken for another.
    pub(super) fn same_among(&self, candidates: Candidates, content: &Content) -> Option<MessageId> {
        let mut identities = self.recomputed.0.lock();
        let mut retrieval = Retrieval::new(self);
        let mut identity = |id, message: &Message| {
            let compute = || retrieval.raw(id, message).ok().map(|raw| identity_of(&raw));
            *identities.get_or_insert(id, compute)
        };
        let mut candidates = candidates.into_iter();
        let same = candidates.find(|(id, message)| identity(*id, message) == Some(content.identity));
        same.map(|(id, _)| id)
    }
}

/// Whether fields added and line ends of another kind can make out the difference in size.
fn is_near(size: u64, content: &Content) -> bool {
    const FIELDS: u64 = 64 << 10;
    let own = content.bytes.len() as u64;
    size.abs_diff(own) <= FIELDS + own / 8
}
