//! Whose archives a reader may read. A message that none of them has does not exist for that reader.

use std::collections::BTreeSet;

use super::{
    Store, StoreError,
    rows::{Message, MessageId, UserId},
};

/// The archives that a reader may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readable {
    All,
    /// Those of these users.
    Of(BTreeSet<UserId>),
}

impl Readable {
    /// Whether the archive of `user` is among them.
    pub fn has(&self, user: UserId) -> bool {
        match self {
            Self::All => true,
            Self::Of(users) => users.contains(&user),
        }
    }
}

impl Store {
    /// Message `id`, where one of the archives has it in exactly these bytes; `None` for what none of them has, as for an id
    /// that was never given out. A journal report is in nobody's archive.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn message_for(&self, archives: &Readable, id: MessageId) -> Result<Option<Message>, StoreError> {
        let Some(message) = self.message(id)? else {
            return Ok(None);
        };
        let is_theirs = match archives {
            Readable::All => true,
            Readable::Of(users) => self.reading(|txn| {
                for user in users {
                    if self.catalog.held.get(txn, &(message.identity, *user))? == Some(id) {
                        return Ok(true);
                    }
                }
                Ok(false)
            })?,
        };
        Ok(is_theirs.then_some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::test_bench::{Bench, config};

    #[actix::test]
    async fn a_message_of_others_is_no_message() {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&config(&folder));
        let one = bench.file("aaaa as it came to one", 1, &[1]).await.message;
        let other = bench.file("aaaa as it came to another", 2, &[2]).await.message;
        let both = bench.file("bbbb", 3, &[1, 2]).await.message;
        let of = |users: &[UserId]| Readable::Of(users.iter().copied().collect());
        let seen = |archives: &Readable| {
            let ids = [one, other, both, 999];
            ids.map(|id| bench.store.message_for(archives, id).unwrap().is_some())
        };
        assert_eq!(seen(&Readable::All), [true, true, true, false]);
        // Another copy of what one has is not what one has.
        assert_eq!(seen(&of(&[1])), [true, false, true, false]);
        assert_eq!(seen(&of(&[2, 3])), [false, true, true, false]);
        assert_eq!(seen(&of(&[1, 2])), [true, true, true, false]);
        assert_eq!(seen(&of(&[])), [false; 4]);
        bench.close();
    }
}
