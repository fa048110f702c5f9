//! Reading accounts and sessions.

use super::{Store, StoreError};
use crate::access::{AccountName, Session, StoredAccount, words::Digest};

impl Store {
    /// The account of this name.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn account(&self, name: &AccountName) -> Result<Option<StoredAccount>, StoreError> {
        self.reading(|txn| self.catalog.accounts.get(txn, name))
    }

    /// All accounts, by name.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn accounts(&self) -> Result<Vec<(AccountName, StoredAccount)>, StoreError> {
        self.reading(|txn| self.catalog.accounts.iter(txn)?.collect())
    }

    /// The session whose token has this digest.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn session(&self, token: &Digest) -> Result<Option<Session>, StoreError> {
        self.reading(|txn| self.catalog.sessions.get(txn, token))
    }

    /// All sessions, those included that ended by themselves and were not removed yet.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn sessions(&self) -> Result<Vec<(Digest, Session)>, StoreError> {
        self.reading(|txn| self.catalog.sessions.iter(txn)?.collect())
    }
}
