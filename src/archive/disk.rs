//! What lies where in a data directory, and what all files in it need: folders, syncing, small files that appear whole.

use std::{
    fs::{self, DirBuilder},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
};

use super::{
    StoreError,
    lock::{LOCK, READERS},
};
use crate::durable;

/// The owner alone may look into the data directory.
pub(super) const DIR_MODE: u32 = 0o700;
pub(super) const CATALOG: &str = "catalog";
pub(super) const VOLUMES: &str = "volumes";
/// Of the catalog's file, and of a volume's that is not sealed.
pub(super) const FILE_MODE: u32 = 0o600;
/// An environment's file in its folder.
pub(super) const DATA_FILE: &str = "data.mdb";
/// What may lie in a data directory that has no catalog yet.
pub(super) const HARMLESS: [&str; 6] = [
    LOCK,
    READERS,
    "lost+found",
    crate::config::CONTROL_SOCKET,
    crate::config::TOKENS,
    crate::config::SEARCH,
];

/// File systems on which locks and maps cannot be relied on.
pub(super) fn refuse_network_file_systems(path: &Path) -> Result<(), StoreError> {
    const NETWORK: [(i64, &str); 5] = [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x0102_1997, "9p"),
    ];
    let stat = rustix::fs::statfs(path).map_err(|errno| StoreError::io("looking at", path)(errno.into()))?;
    let kind = stat.f_type as i64 & 0xffff_ffff;
    match NETWORK.iter().find(|(number, _)| *number == kind) {
        Some((_, kind)) => Err(StoreError::Network {
            path: path.to_owned(),
            kind,
        }),
        None => Ok(()),
    }
}

pub(super) fn make_dir(path: &Path) -> Result<(), StoreError> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(DIR_MODE);
    builder.create(path).map_err(StoreError::io("making", path))
}

/// Makes the entries of a folder survive a crash.
pub(super) fn sync_dir(path: &Path) -> Result<(), StoreError> {
    durable::sync_folder(path).map_err(StoreError::io("syncing", path))
}

/// Bytes that a file takes on disk, holes not counted.
pub(super) fn disk_size(file: &Path) -> Option<u64> {
    fs::metadata(file).ok().map(|metadata| metadata.blocks() * 512)
}

/// Puts a small file in the place of one that may be there; `complete` is called just before. It appears whole or not
/// at all.
pub(super) fn replace(
    file: &Path,
    content: &[u8],
    complete: impl FnOnce() -> io::Result<()>,
) -> Result<(), StoreError> {
    durable::replace(file, content, complete).map_err(StoreError::io("writing", file))
}

/// The path without links in it, as far as it exists.
pub(super) fn resolved(path: &Path) -> Result<PathBuf, StoreError> {
    let path = std::path::absolute(path).map_err(StoreError::io("looking for", path))?;
    let mut missing = Vec::new();
    for ancestor in path.ancestors() {
        match ancestor.canonicalize() {
            Ok(real) => return Ok(missing.iter().rev().fold(real, |real, name| real.join(name))),
            Err(error) if error.kind() == ErrorKind::NotFound => missing.extend(ancestor.file_name()),
            Err(error) => return Err(StoreError::io("looking for", ancestor)(error)),
        }
    }
    Ok(path)
}

/// The names in a folder, beside those that are in `known`; none where there is no folder.
pub(super) fn other_names(path: &Path, known: &[&str]) -> Result<Vec<String>, StoreError> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("reading", path)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(StoreError::io("reading", path))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if !known.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}
