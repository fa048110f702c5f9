//! Putting a whole store in place at once, in a folder that may hold another: it is built beside it, and then moved
//! there by renames, of which a crash leaves some done and the rest to be done.
//!
//! In the folder, `.new` is what is being built, with [`RECORD`] in it once it is complete, and `.old` what it
//! replaces. No catalog is ever beside volumes that are not its own: the old one goes first and the new one comes last,
//! so a folder in which this was cut off is refused by whoever opens it, until it is finished.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{StoreError, disk};

/// What is being built.
pub(super) const NEW: &str = ".new";
/// What is being replaced.
pub(super) const OLD: &str = ".old";
/// What a backup is, as JSON. Where it is, the rest is complete.
pub(super) const RECORD: &str = "backup.json";

/// What the folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Backup,
    /// A data directory: the record of the backup that it came from does not stay.
    Store,
}

/// Finishes or clears away what a crash left in `path`; says whether something complete was put in place.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn settle(path: &Path, place: Place) -> Result<bool, StoreError> {
    let finished = is_half_placed(path, place);
    if finished {
        put_in_place(path, place)?;
    }
    clear(path)?;
    Ok(finished)
}

/// Whether something complete waits in `.new` to be put in place.
pub(super) fn is_half_placed(path: &Path, place: Place) -> bool {
    let new = path.join(NEW);
    let whole = new.join(RECORD).exists();
    // Of a backup, the record itself comes last; of a store, the catalog.
    whole && (place == Place::Backup || new.join(disk::CATALOG).exists())
}

/// Refuses a folder without a catalog in which something was begun.
pub(super) fn refuse_unfinished(path: &Path) -> Result<(), StoreError> {
    if !path.join(NEW).exists() {
        return Ok(());
    }
    // What is complete is the only copy, where the one before was moved away already.
    let or_remove = match path.join(NEW).join(RECORD).exists() {
        true => String::new(),
        false => format!(", or remove {}/{NEW}", path.display()),
    };
    Err(StoreError::Damaged {
        detail: format!(
            "a backup to {}, or a restore to it, was interrupted: run it again{or_remove}",
            path.display()
        ),
    })
}

/// An empty `.new`; a crash may have left one.
pub(super) fn begin(path: &Path) -> Result<PathBuf, StoreError> {
    let new = path.join(NEW);
    clear(path)?;
    disk::make_dir(&new)?;
    Ok(new)
}

/// Removes what was begun and what was replaced, and nothing that is somebody else's: a Maildir's subfolders can have
/// these names too.
fn clear(path: &Path) -> Result<(), StoreError> {
    let part = format!("{RECORD}.part");
    for name in [NEW, OLD] {
        let folder = path.join(name);
        let ours = [disk::CATALOG, disk::VOLUMES, RECORD, &part];
        let known: Vec<_> = ours.into_iter().chain(disk::HARMLESS).collect();
        if let Some(other) = other_names(&folder, &known)?.first() {
            return Err(StoreError::Refused {
                path: folder,
                detail: format!("contains {other:?}, which does not belong to a backup; use another directory"),
            });
        }
    }
    remove(&path.join(NEW))?;
    remove(&path.join(OLD))
}

/// Moves the complete and synced content of `.new` to its place.
pub(super) fn put_in_place(path: &Path, place: Place) -> Result<(), StoreError> {
    let (new, old) = (path.join(NEW), path.join(OLD));
    disk::make_dir(&old)?;
    for name in [disk::CATALOG, disk::VOLUMES] {
        if new.join(name).exists() && path.join(name).exists() {
            rename(&path.join(name), &old.join(name))?;
            StoreError::point("staging-old-moved")?;
            disk::sync_dir(path)?;
        }
    }
    for name in [disk::VOLUMES, disk::CATALOG] {
        if new.join(name).exists() {
            rename(&new.join(name), &path.join(name))?;
            StoreError::point("staging-new-moved")?;
            disk::sync_dir(path)?;
        }
    }
    if place == Place::Backup {
        rename(&new.join(RECORD), &path.join(RECORD))?;
        StoreError::point("backup-placed")?;
    }
    disk::sync_dir(path)
}

/// Removes a folder with all that is in it.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io("removing", path)(error)),
        _ => Ok(()),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    fs::rename(from, to).map_err(StoreError::io("moving", from))
}

/// Refuses two folders of which one lies in the other, or that are the same.
pub(super) fn refuse_overlap(one: &Path, other: &Path) -> Result<(), StoreError> {
    let (real, real_other) = (disk::resolved(one)?, disk::resolved(other)?);
    if real.starts_with(&real_other) || real_other.starts_with(&real) {
        let detail = format!("overlaps with {}; use a directory outside of it", other.display());
        return Err(StoreError::Refused {
            path: one.to_owned(),
            detail,
        });
    }
    Ok(())
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
