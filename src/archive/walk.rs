//! Going through all messages that somebody has, in the order in which they were archived.

use std::ops::Bound;

use super::{
    Store, StoreError,
    rows::{Filing, IdentityNumber, Message, MessageId, UserId},
};

/// Messages read under one transaction.
const PAGE: usize = 1000;

/// Who has a message.
#[derive(Clone, Debug, Default)]
pub struct Holders {
    /// In exactly these bytes, and why.
    pub here: Vec<(UserId, Filing)>,
    /// In whatever form: as another copy of the same message, too.
    pub all: Vec<UserId>,
}

impl Store {
    /// Some of the messages behind message `behind`, in the order of their ids; none at the end. Journal reports, which
    /// are in nobody's archive, are among them.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn messages_behind(&self, behind: MessageId) -> Result<Vec<(MessageId, Message)>, StoreError> {
        self.reading(|txn| {
            let range = (Bound::Excluded(behind), Bound::Unbounded);
            self.catalog.messages.range(txn, &range)?.take(PAGE).collect()
        })
    }

    /// Who has message `id`.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn holders_of(&self, id: MessageId, message: &Message) -> Result<Holders, StoreError> {
        self.reading(|txn| {
            let held = (message.identity, UserId::MIN)..=(message.identity, UserId::MAX);
            let mut holders = Holders::default();
            for row in self.catalog.held.range(txn, &held)? {
                let ((_, user), kept) = row?;
                holders.all.push(user);
                if kept == id
                    && let Some(filing) = self.catalog.filings.get(txn, &(user, message.date, id))?
                {
                    holders.here.push((user, filing));
                }
            }
            Ok(holders)
        })
    }

    /// Whether messages of one identity are stored in several forms: in bytes that differ in what delivery adds.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn has_forms(&self, identity: IdentityNumber) -> Result<bool, StoreError> {
        self.reading(|txn| {
            let forms = (identity, [0; 8])..=(identity, [0xff; 8]);
            Ok(self.catalog.bytes.range(txn, &forms)?.nth(1).transpose()?.is_some())
        })
    }

    /// The profile of all runs there ever were, where there was only one: then a run whose protocol is kept no longer
    /// was its.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn only_profile(&self) -> Result<Option<String>, StoreError> {
        let known = self.reading(|txn| self.catalog.known_runs(txn))?;
        let mut profiles = known.profiles.into_keys().filter(|name| !name.starts_with('@'));
        let first = profiles.next();
        Ok(first.filter(|_| profiles.next().is_none()))
    }
}
