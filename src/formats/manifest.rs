//! The files of an export that are not mail: what it is of, and for each user which message is in which file. Exports
//! write them, and an import of one reads them.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Read},
    path::Path,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{MessageId, UserId};

/// The file that says what a folder is an export of.
pub const MARKER: &str = "dropkeep-export.json";
/// Names that begin so are the export's own.
pub const RESERVED: &str = "dropkeep-export";
/// The form of the folder.
pub const VERSION: u32 = 1;
/// In a user's folder; of an mbox, what its name without the ending gets instead.
pub const MANIFEST: &str = "manifest.jsonl";
pub const OF_MBOX: &str = ".manifest.jsonl";

/// What file systems keep in their root.
pub const LOST_AND_FOUND: &str = "lost+found";

/// A longer line is none of ours.
const LONGEST: u64 = 1 << 20;
/// What people put beside an export.
const BESIDE: [&str; 2] = ["README", "SHA256SUMS"];

/// A message that was exported.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ManifestLine {
    pub id: MessageId,
    /// The file, from the folder of the manifest.
    pub file: String,
    /// mbox: where its separator begins in the file, and how many bytes of the file are its.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Bytes of the message itself.
    pub size: u64,
    /// Of the message's bytes, in hexadecimal.
    pub sha256: String,
    pub date: Timestamp,
    /// The source's folder.
    pub folder: String,
    /// The header that decided that it is this user's.
    pub why: String,
}

impl ManifestLine {
    /// Where it ends in its mbox.
    pub fn end(&self) -> Option<u64> {
        self.offset?.checked_add(self.length?)
    }
}

/// Who has what in the folder of an export.
#[derive(Debug, Deserialize)]
pub struct Whose {
    pub dropkeep_export: u32,
    /// User → name of the folder, or of the mbox without its ending.
    pub folders: BTreeMap<UserId, String>,
    /// User → name, which earlier versions did not write.
    #[serde(default)]
    pub names: BTreeMap<UserId, String>,
}

/// Reads a line into `text`; its length, and what it says where it is a whole line of a manifest.
///
/// # Errors
/// It cannot be read.
pub fn read_line(reader: &mut impl BufRead, text: &mut Vec<u8>) -> io::Result<(usize, Option<ManifestLine>)> {
    text.clear();
    let length = reader.take(LONGEST).read_until(b'\n', text)?;
    let line = text
        .ends_with(b"\n")
        .then(|| serde_json::from_slice(text).ok())
        .flatten();
    Ok((length, line))
}

/// Whether a file belongs to an export and is no mail.
pub fn is_of_export(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    let has_marker = |folder: Option<&Path>| folder.is_some_and(|folder| folder.join(MARKER).is_file());
    let folder = path.parent();
    if name == MANIFEST {
        return has_marker(folder.and_then(Path::parent));
    }
    // Users have their mboxes under any name.
    if name.ends_with(".mbox") {
        return false;
    }
    let beside = BESIDE.iter().any(|beside| name.starts_with(beside));
    (beside || name.starts_with(RESERVED) || name.ends_with(OF_MBOX)) && has_marker(folder)
}
