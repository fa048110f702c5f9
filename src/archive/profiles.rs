//! Profiles that are kept in the catalog. What they say is somebody else's business; here they are rows of `meta`.

use heed::{RoTxn, RwTxn};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, catalog::Catalog, codec::Row, rows::Seconds};

pub(super) const PREFIX: &str = "profile ";
/// Bytes of a name at most: it is part of a key.
pub const LONGEST_PROFILE_NAME: usize = 200;

/// A profile, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredProfile {
    /// Its keys, without secrets, as JSON.
    pub keys: String,
    pub secrets: Vec<SealedSecret>,
    pub changed: Seconds,
}

/// A secret of a profile, encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    /// Its place: `server.password`, say.
    pub place: String,
    /// Tells the key from others, and says nothing about it.
    pub key: String,
    pub nonce: Vec<u8>,
    pub sealed: Vec<u8>,
}

impl Store {
    /// The profiles that are kept, by name.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn profiles(&self) -> Result<Vec<(String, StoredProfile)>, StoreError> {
        self.reading(|txn| self.catalog.profiles(txn))
    }

    /// How many secrets of profiles there are.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn encrypted_secrets(&self) -> Result<u64, StoreError> {
        self.catalog.encrypted_secrets()
    }
}

impl Catalog {
    pub(super) fn encrypted_secrets(&self) -> Result<u64, StoreError> {
        let txn = self.read()?;
        let profiles = self.profiles(&txn).map_err(StoreError::lmdb("reading", self.path()))?;
        Ok(profiles.iter().map(|(_, profile)| profile.secrets.len() as u64).sum())
    }

    fn profiles(&self, txn: &RoTxn) -> heed::Result<Vec<(String, StoredProfile)>> {
        let table = self.meta.remap_data_type::<Row<StoredProfile>>();
        let rows = table.prefix_iter(txn, PREFIX)?;
        rows.map(|row| row.map(|(name, profile)| (name[PREFIX.len()..].to_owned(), profile)))
            .collect()
    }

    /// Keeps a profile, or removes it.
    pub(super) fn put_profile(&self, txn: &mut RwTxn, name: &str, row: Option<&StoredProfile>) -> heed::Result<()> {
        let (table, key) = (
            self.meta.remap_data_type::<Row<StoredProfile>>(),
            format!("{PREFIX}{name}"),
        );
        match row {
            Some(profile) => table.put(txn, &key, profile),
            None => table.delete(txn, &key).map(drop),
        }
    }
}
