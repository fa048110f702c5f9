//! What a backup is, as it says itself: its record.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{StoreError, disk, schema::SCHEMA};
use crate::fault;

/// What a backup is, as JSON. Where it is, the rest is complete.
pub(super) const RECORD: &str = "backup.json";
/// The form of [`Record`]; one that is higher is of a later version.
pub(super) const FORM: u32 = 1;

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
    pub catalog: RecordedFile,
    pub volumes: Vec<RecordedVolume>,
}

/// A file as it was when the backup was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFile {
    pub bytes: u64,
    /// In hexadecimal.
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

/// Writes the record into the folder of a backup, or of what becomes of one: with it, that is complete.
pub(super) fn put(folder: &Path, json: &[u8]) -> Result<(), StoreError> {
    disk::replace(&folder.join(RECORD), json, || fault::point("backup-recording"))
}

impl Record {
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
        if record.schema > SCHEMA || record.form > FORM {
            return Err(StoreError::Newer {
                path: path.to_owned(),
                found: record.schema,
                known: SCHEMA,
            });
        }
        Ok(Some(record))
    }
}
