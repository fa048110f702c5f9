//! Reading for somebody who may not read everything: a message that none of the given archives has does not exist.

use std::collections::HashMap;

use super::{
    Store, StoreError,
    rows::{Filing, Message, MessageId, User, UserId},
};
use crate::access::{Archives, OpenArchive};

/// A message that somebody may read.
#[derive(Clone, Debug)]
pub struct Readable {
    pub message: Message,
    /// The names of those who have it, and how many more there are.
    pub users: Vec<String>,
    pub more: u64,
}

/// A `Store` is what the files of a data directory become when they are opened.
impl OpenArchive for Store {}

impl Store {
    /// Message `id`, where one of `archives` has it in exactly these bytes; `None` otherwise, as for an id that was
    /// never given out. A journal report is in nobody's archive: only who may read all of them gets it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn message_for(&self, archives: &Archives, id: MessageId) -> Result<Option<Message>, StoreError> {
        let Some(message) = self.message(id)? else {
            return Ok(None);
        };
        let is_theirs = match archives {
            Archives::All => true,
            Archives::Of(users) => self.reading(|txn| {
                for user in users {
                    if self.catalog.filings.get(txn, &(*user, message.date, id))?.is_some() {
                        return Ok(true);
                    }
                }
                Ok(false)
            })?,
        };
        Ok(is_theirs.then_some(message))
    }

    /// Those of these messages, which are in order, that [`message_for`](Self::message_for) gives, and who has each of
    /// them, as far as it is in one of `archives`: `most` of them by name, and how many more.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn messages_for(
        &self,
        archives: &Archives,
        mut ids: &[MessageId],
        most: usize,
    ) -> Result<HashMap<MessageId, Readable>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        while !ids.is_empty() {
            ids = self.reading(|txn| {
                let (all, looked_at) = self.had_in(txn, ids)?;
                for had in all {
                    let users: Vec<UserId> = had.by.into_iter().filter(|user| archives.has(*user)).collect();
                    if !matches!(archives, Archives::All) && users.is_empty() {
                        continue;
                    }
                    let named = users.iter().take(most).map(|user| self.catalog.users.get(txn, user));
                    let named: Vec<Option<User>> = named.collect::<heed::Result<_>>()?;
                    let readable = Readable {
                        message: had.message,
                        users: named.into_iter().flatten().map(|user| user.name).collect(),
                        more: users.len().saturating_sub(most) as u64,
                    };
                    found.insert(had.id, readable);
                }
                Ok(&ids[looked_at..])
            })?;
        }
        Ok(found)
    }

    /// Who has message `id`, and why, as far as it is in one of `archives`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn filings_for(
        &self,
        archives: &Archives,
        id: MessageId,
        message: &Message,
    ) -> Result<Vec<(User, Filing)>, StoreError> {
        let Archives::Of(users) = archives else {
            return self.filings_of(id, message);
        };
        let catalog = &self.catalog;
        self.reading(|txn| {
            let filing_of = |user: &UserId| {
                let filing = catalog.filings.get(txn, &(*user, message.date, id))?;
                let user = catalog.users.get(txn, user)?;
                Ok(user.zip(filing))
            };
            users.iter().map(filing_of).filter_map(Result::transpose).collect()
        })
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
        let one = bench.file("aaaa as it came to one", 1, &[UserId(1)]).await.message;
        let other = bench.file("aaaa as it came to another", 2, &[UserId(2)]).await.message;
        let both = bench.file("bbbb", 3, &[UserId(1), UserId(2)]).await.message;
        let of = |users: &[UserId]| Archives::Of(users.iter().copied().collect());
        let seen = |archives: &Archives| {
            let ids = [one, other, both, MessageId(999)];
            let seen = ids.map(|id| bench.store.message_for(archives, id).unwrap().is_some());
            let together = bench.store.messages_for(archives, &ids, 10).unwrap();
            assert_eq!(ids.map(|id| together.contains_key(&id)), seen);
            seen
        };
        assert_eq!(seen(&Archives::All), [true, true, true, false]);
        // Another copy of what one has is not what one has.
        assert_eq!(seen(&of(&[UserId(1)])), [true, false, true, false]);
        assert_eq!(seen(&of(&[UserId(2), UserId(3)])), [false, true, true, false]);
        assert_eq!(seen(&of(&[UserId(1), UserId(2)])), [true, true, true, false]);
        assert_eq!(seen(&of(&[])), [false; 4]);
        bench.close();
    }
}
