//! Sealing: a full volume's file is measured, and never changes again, so that a backup can link to it and a
//! flipped bit be found.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

use super::{StoreError, disk, rows::Seal};
use crate::fault;

/// Beside a sealed volume's file: its [`Seal`], as JSON.
pub(super) const MANIFEST: &str = "manifest.json";
/// The file is read-only, for its owner alone.
pub(super) const FILE_MODE: u32 = 0o400;
/// Bytes read at once.
const AT_ONCE: usize = 1 << 20;

pub(super) fn is_sealed(folder: &Path) -> bool {
    folder.join(MANIFEST).exists()
}

/// The manifest in a volume's folder.
///
/// # Errors
/// It cannot be read, or is none.
pub(super) fn manifest(folder: &Path) -> Result<Seal, StoreError> {
    let file = folder.join(MANIFEST);
    let json = fs::read(&file).map_err(StoreError::io("reading", &file))?;
    serde_json::from_slice(&json).map_err(|error| StoreError::Damaged {
        detail: format!("{}: {error}; restore this volume from a backup", file.display()),
    })
}

/// LMDB crashes over a file that is cut short.
pub(super) fn refuse_other_length(folder: &Path, length: u64) -> Result<(), StoreError> {
    let sealed = manifest(folder)?.bytes;
    if sealed == length {
        return Ok(());
    }
    let detail = format!(
        "the volume {} has {length} bytes, but had {sealed} when it was sealed; restore it from a backup",
        folder.display()
    );
    Err(StoreError::Damaged { detail })
}

/// A file's length and its BLAKE3, in hexadecimal; `None` when `go_on` said no.
///
/// # Errors
/// It cannot be read.
pub(super) fn digest(file: &Path, go_on: &dyn Fn() -> bool) -> Result<Option<(u64, String)>, StoreError> {
    let failed = || StoreError::io("reading", file);
    let mut input = File::open(file).map_err(failed())?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; AT_ONCE];
    loop {
        if !go_on() {
            return Ok(None);
        }
        match input.read(&mut buffer).map_err(failed())? {
            0 => return Ok(Some((hasher.count(), hasher.finalize().to_hex().to_string()))),
            read => hasher.update(&buffer[..read]),
        };
    }
}

/// Puts the manifest into a volume's folder.
pub(super) fn write_manifest(folder: &Path, seal: &Seal) -> Result<(), StoreError> {
    let json = serde_json::to_vec_pretty(seal).map_err(|error| StoreError::Fault {
        detail: format!("cannot write the seal of {} as JSON: {error}", folder.display()),
    })?;
    disk::replace(&folder.join(MANIFEST), &json, || fault::point("seal-writing"))
}
