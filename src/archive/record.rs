//! What a backup is, as it says itself: its record.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use heed::RoTxn;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{StoreError, catalog::Catalog, disk, rows::MessageId, schema::SCHEMA};
use crate::fault;

/// What a backup is, as JSON. Where it is, the rest is complete.
pub(super) const RECORD: &str = "backup.json";
/// The form of [`Record`]; one that is higher is of a later version. From 3 on, a patch may lie over a file.
pub(super) const FORM: u32 = 3;
/// From this form on, free pages do not count in the digests of files that may be patched.
const BY_USE: u32 = 2;

/// What a backup is: `backup.json` in its folder, written when all else is on disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    pub form: u32,
    /// The version that made it.
    pub dropkeep: String,
    pub schema: u32,
    /// What was committed at this time is in it.
    pub taken_at: Timestamp,
    /// The data directory that it is of.
    pub data_dir: PathBuf,
    /// Messages, and their bytes as they came.
    pub messages: u64,
    pub bytes: u64,
    /// Nobody can look into a catalog over which a patch lies. From form 3 on.
    #[serde(default)]
    pub(super) known: Option<Known>,
    /// The patches that lie over files, by folder, each by its digest in hexadecimal. Any other that lies there is not of
    /// this backup, as in a copy from which nothing was removed.
    #[serde(default)]
    pub(super) patches: BTreeMap<PathBuf, String>,
    /// What was at the beginning of the catalog that it replaces, by its digest in hexadecimal.
    #[serde(default)]
    pub(super) over: Option<String>,
    pub catalog: RecordedFile,
    pub volumes: Vec<RecordedVolume>,
}

/// A file as it was when the backup was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFile {
    pub bytes: u64,
    /// In hexadecimal. Of the catalog, and of a volume that is not sealed, with zeros in place of what is in free pages.
    pub blake3: String,
}

/// A volume of a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedVolume {
    pub number: u32,
    pub sealed: bool,
    pub how: How,
    #[serde(flatten)]
    pub file: RecordedFile,
}

/// How a volume came into a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It is the data directory's own file under another name.
    Linked,
    /// It was in the backup before.
    Reused,
    Copied,
}

/// What a catalog is known by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// In hexadecimal.
    pub archive: Option<String>,
    pub newest: Option<Newest>,
}

/// The message that was kept last.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Newest {
    pub message: MessageId,
    /// In hexadecimal.
    pub sha256: String,
}

impl Known {
    /// # Errors
    /// The catalog cannot be read.
    pub fn of(catalog: &Catalog, txn: &RoTxn) -> Result<Self, StoreError> {
        let last = catalog.messages.last(txn);
        let last = last.map_err(StoreError::lmdb("reading", catalog.path()))?;
        Ok(Self {
            archive: catalog.id().map(hex::encode),
            newest: last.map(|(id, message)| Newest {
                message: id,
                sha256: hex::encode(message.sha256),
            }),
        })
    }
}

/// Writes the record into the folder of a backup, or of what becomes of one: with it, that is complete.
pub(super) fn put(folder: &Path, json: &[u8]) -> Result<(), StoreError> {
    disk::replace(&folder.join(RECORD), json, || fault::point("backup-recording"))
}

impl Record {
    /// Whether what is in free pages does not count in the digests of files that are not sealed.
    pub(super) fn is_by_use(&self) -> bool {
        self.form >= BY_USE
    }

    /// Writes it into the folder of a backup: with it, that is complete.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn put(&self, folder: &Path) -> Result<(), StoreError> {
        let json = serde_json::to_vec_pretty(self).map_err(|error| StoreError::Fault {
            detail: format!("cannot write the record of the backup as JSON: {error}"),
        })?;
        put(folder, &json)
    }

    /// The record of the backup in `path`; `None` where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is of a later version.
    pub fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let file = path.join(RECORD);
        let json = match fs::read(&file) {
            Ok(json) => json,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("reading", file)(error)),
        };
        let record: Self = serde_json::from_slice(&json).map_err(|error| StoreError::Damaged {
            detail: format!("{} is not a readable record of a backup: {error}", file.display()),
        })?;
        if record.form > FORM {
            return Err(StoreError::Refused {
                path: path.to_owned(),
                detail: format!(
                    "holds a backup that dropkeep {} made, in a form that this version ({}) does not know: use that \
                     version, or a later one",
                    record.dropkeep,
                    env!("CARGO_PKG_VERSION")
                ),
            });
        }
        if record.schema > SCHEMA {
            return Err(StoreError::Newer {
                path: path.to_owned(),
                found: record.schema,
                known: SCHEMA,
            });
        }
        Ok(Some(record))
    }
}
