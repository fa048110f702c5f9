//! Reading for somebody who may not read everything: a message that none of the given archives has does not exist.

use super::{
    Store, StoreError,
    rows::{Filing, Message, MessageId, User, UserId},
};
use crate::access::{Archives, OpenArchive};

/// A `Store` is what the files of a data directory become when they are opened.
impl OpenArchive for Store {}

impl Store {
    /// Message `id`, where one of `archives` has it in exactly these bytes; `None` otherwise, as for an id that was never
    /// given out. A journal report is in nobody's archive: only who may read all of them gets it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn message_for(&self, archives: &Archives, id: MessageId) -> Result<Option<Message>, StoreError> {
        let Some(message) = self.message(id)? else {
            return Ok(None);
        };
        let is_theirs = match archives {
            Archives::All => true,
            Archives::Of(_) => !self.filings_for(archives, id, &message)?.is_empty(),
        };
        Ok(is_theirs.then_some(message))
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
