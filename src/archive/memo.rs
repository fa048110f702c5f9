//! What somebody writes down for later, as JSON of their own: rows of `meta` that only they understand.

use std::collections::{BTreeMap, BTreeSet};

use heed::{RoTxn, RwTxn};
use serde::{Serialize, de::DeserializeOwned};

use super::{Store, StoreError, catalog::Catalog, codec::Row};
use crate::{
    api::{BackupLine, VerificationLine},
    message::Address,
};

/// Which.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Memo {
    /// Which runs were reported, by the notifier.
    Notified,
    /// What of the archive was verified when, by whoever verifies it.
    Verified,
    /// How the last verification ended that somebody asked the appliance for ([`VerificationLine`]).
    Verification,
    /// Addresses that nobody has, and that are reported no more; sorted.
    Ignored,
    /// Lists that are kept: their addresses, and the names of their users.
    Lists,
    /// How large the archive was, day by day ([`growth`](super::growth)).
    Sizes,
    /// The last backup ([`BackupLine`]).
    BackedUp,
}

impl Memo {
    pub(super) const ALL: [Self; 7] = [
        Self::Notified,
        Self::Verified,
        Self::Verification,
        Self::Ignored,
        Self::Lists,
        Self::Sizes,
        Self::BackedUp,
    ];

    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Notified => "notified",
            Self::Verified => "verified",
            Self::Verification => "verification",
            Self::Ignored => "ignored",
            Self::Lists => "address lists",
            Self::Sizes => "sizes",
            Self::BackedUp => "backed up",
        }
    }
}

impl Catalog {
    pub(super) fn memo(&self, txn: &RoTxn, memo: Memo) -> heed::Result<Option<String>> {
        self.meta.remap_data_type::<Row<String>>().get(txn, memo.key())
    }

    pub(super) fn put_memo(&self, txn: &mut RwTxn, memo: Memo, text: &String) -> heed::Result<()> {
        self.meta.remap_data_type::<Row<String>>().put(txn, memo.key(), text)
    }
}

impl Store {
    /// The last backup of it that was noted.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn last_backup(&self) -> Result<Option<BackupLine>, StoreError> {
        self.memo(Memo::BackedUp)
    }

    /// How the last verification ended that the appliance was asked for; nothing where it never was.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn last_verification(&self) -> Result<Option<VerificationLine>, StoreError> {
        self.memo(Memo::Verification)
    }

    /// Addresses that are not reported though nobody has them.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn ignored(&self) -> Result<BTreeSet<Address>, StoreError> {
        Ok(self.memo(Memo::Ignored)?.unwrap_or_default())
    }

    /// The lists that are kept: their addresses, and the names of their users.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn kept_lists(&self) -> Result<BTreeMap<Address, Vec<String>>, StoreError> {
        Ok(self.memo(Memo::Lists)?.unwrap_or_default())
    }

    /// What was written down last; nothing where nothing was, or where a later version wrote it.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub(super) fn memo<T: DeserializeOwned>(&self, memo: Memo) -> Result<Option<T>, StoreError> {
        let json = self.reading(|txn| self.catalog.memo(txn, memo))?;
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }
}

/// As it is written down.
///
/// # Errors
/// It cannot be JSON.
pub(super) fn text(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Fault {
        detail: format!("this cannot be written down: {error}"),
    })
}

#[test]
fn a_memo_was_written_into_the_row_of_something_else() {
    // What else is in `meta`.
    let others = ["schema", "next", "protocols", "archive", "identities", "lists", "audit"];
    let beginnings = ["group ", "follower ", "profile "];
    let keys = Memo::ALL.map(Memo::key);
    for (at, key) in keys.iter().enumerate() {
        assert!(!others.contains(key) && !keys[..at].contains(key), "{key}");
        assert!(!beginnings.iter().any(|beginning| key.starts_with(beginning)), "{key}");
    }
}
