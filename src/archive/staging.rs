//! Putting a whole store in place at once, in a folder that may hold another: it is built beside it, and then moved
//! there by renames, of which a crash leaves some done and the rest to be done.
//!
//! In the folder, `.new` is what is being built, with [`RECORD`] in it once it is complete, and `.old` what it
//! replaces. No catalog is ever beside volumes that are not its own: the old one goes first and the new one comes last,
//! so a folder in which this was cut off is refused by whoever opens it, until it is finished.
//!
//! A file of a new backup can be a [patch] for the one that it replaces. Between the renames, when nobody can open either,
//! that file comes beside the patch, which [waits](super::waiting) there or is applied.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{
    StoreError, disk, patch,
    record::{RECORD, Record},
};
use crate::durable;

/// What is being built.
pub(super) const NEW: &str = ".new";
/// What is being replaced.
pub(super) const OLD: &str = ".old";

/// What the folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Backup,
    /// A data directory: the record of the backup that it came from does not stay.
    Store,
}

/// Finishes or clears away what a crash left in `path`; says whether something complete was put in place.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn settle(path: &Path, target: Target) -> Result<bool, StoreError> {
    // Whoever used the backup before since has written more than what was built over it knows of.
    let finished = is_half_placed(path, target) && !is_overtaken(path, target)?;
    if finished {
        put_in_place(path, target)?;
    }
    clear(path)?;
    Ok(finished)
}

/// Whether something complete waits in `.new` to be put in place.
pub(super) fn is_half_placed(path: &Path, target: Target) -> bool {
    let new = path.join(NEW);
    let whole = new.join(RECORD).exists();
    // Of a backup, the record itself comes last; of a store, the catalog.
    whole && (target == Target::Backup || new.join(disk::CATALOG).exists())
}

/// The folder with the record of the backup that is in place in `path`: where one was broken off, all of it may be there but
/// that.
pub(super) fn folder_of_record(path: &Path) -> PathBuf {
    let new = path.join(NEW);
    let is_placed = new.join(RECORD).exists() && !new.join(disk::CATALOG).exists();
    // After a restore there is none.
    if is_placed && path.join(RECORD).exists() {
        new
    } else {
        path.to_owned()
    }
}

/// Refuses a folder in which something was begun.
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

/// Whether what is complete in `.new` is of no use: somebody has written to what it was built over since, or it is damaged.
/// Once the catalog was moved, nobody can, and there is no way back.
fn is_overtaken(path: &Path, target: Target) -> Result<bool, StoreError> {
    let new = path.join(NEW);
    let catalog = path.join(disk::CATALOG).join(disk::DATA_FILE);
    if target == Target::Store || !new.join(disk::CATALOG).exists() || !catalog.exists() {
        return Ok(false);
    }
    match Record::read(&new) {
        Ok(Some(record)) if record.over.is_some() && record.over != patch::state(&catalog)? => return Ok(true),
        Err(StoreError::Damaged { .. }) => return Ok(true),
        read => drop(read?),
    }
    for name in patch::within(&new)? {
        let base = path.join(&name).join(disk::DATA_FILE);
        let patch = new.join(&name).join(patch::PATCH);
        if base.exists() {
            match patch::is_overtaken(&patch, &base) {
                Ok(false) => {}
                Ok(true) => return Ok(true),
                Err(StoreError::Io { source, path, .. }) if path == patch && patch::is_damage(&source) => {
                    return Ok(true);
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(false)
}

/// Gives up what was begun in `path`: the backup before is as it was.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn abandon(path: &Path) -> Result<(), StoreError> {
    let new = path.join(NEW);
    // First of all, as it says that the rest is complete.
    match fs::remove_file(new.join(RECORD)) {
        Ok(()) => disk::sync_dir(&new)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(StoreError::io("removing", new.join(RECORD))(error)),
    }
    for name in patch::within(&new)? {
        patch::undo(
            &new.join(&name).join(patch::PATCH),
            &path.join(&name).join(disk::DATA_FILE),
        )?;
    }
    remove(&new)
}

/// Removes what was begun and what was replaced, and nothing that is somebody else's: a Maildir's subfolders can have
/// these names too.
fn clear(path: &Path) -> Result<(), StoreError> {
    let part = format!("{RECORD}{}", durable::PART);
    for name in [NEW, OLD] {
        let folder = path.join(name);
        let ours = [disk::CATALOG, disk::VOLUMES, RECORD, &part];
        let known: Vec<_> = ours.into_iter().chain(disk::HARMLESS).collect();
        if let Some(other) = disk::other_names(&folder, &known)?.first() {
            return Err(StoreError::Refused {
                path: folder,
                detail: format!("contains {other:?}, which does not belong to a backup; use another directory"),
            });
        }
    }
    let (old, catalog) = (path.join(OLD), path.join(disk::CATALOG));
    if old.join(disk::CATALOG).exists() && !catalog.exists() {
        return Err(StoreError::Damaged {
            detail: format!(
                "{} is missing, as a backup was interrupted, and what was to take its place is gone: move what is in {} \
                 back to {}",
                catalog.display(),
                old.display(),
                path.display()
            ),
        });
    }
    abandon(path)?;
    remove(&old)
}

/// Moves the complete and synced content of `.new` to its place. Gives the bytes written into files that were there.
pub(super) fn put_in_place(path: &Path, target: Target) -> Result<u64, StoreError> {
    let (new, old) = (path.join(NEW), path.join(OLD));
    disk::make_dir(&old)?;
    for name in [disk::CATALOG, disk::VOLUMES] {
        if new.join(name).exists() && path.join(name).exists() {
            rename(&path.join(name), &old.join(name))?;
            StoreError::point("staging-old-moved")?;
            disk::sync_dir(path)?;
        }
    }
    let mut written = 0;
    for name in patch::within(&new)? {
        written += take_over(&old.join(&name), &new.join(&name))?;
    }
    for name in [disk::VOLUMES, disk::CATALOG] {
        if new.join(name).exists() {
            rename(&new.join(name), &path.join(name))?;
            StoreError::point("staging-new-moved")?;
            disk::sync_dir(path)?;
        }
    }
    if target == Target::Backup {
        rename(&new.join(RECORD), &path.join(RECORD))?;
        StoreError::point("backup-placed")?;
    }
    disk::sync_dir(path)?;
    Ok(written)
}

/// Takes the file in the folder `old` over into the folder `new`, with the patch for it that is there. Gives the bytes
/// written.
fn take_over(old: &Path, new: &Path) -> Result<u64, StoreError> {
    let (patch, base, file) = (
        new.join(patch::PATCH),
        old.join(disk::DATA_FILE),
        new.join(disk::DATA_FILE),
    );
    let mut written = 0;
    let waits = match patch::lay(&patch, if file.exists() { &file } else { &base }) {
        // There is no way back any more. Whoever opens it names the damage, and the next backup is whole again.
        Err(StoreError::Io { source, path, .. }) if path == patch && patch::is_damage(&source) => {
            tracing::error!(patch = %patch.display(), error = %source, "this backup is damaged; make another one");
            true
        }
        laid => laid?,
    };
    if !file.exists() {
        if !waits {
            written = patch::apply(&patch, None, &base)?;
            StoreError::point("patch-applied")?;
        }
        rename(&base, &file)?;
        disk::sync_dir(new)?;
        StoreError::point("patch-moved")?;
    }
    if !waits {
        patch::remove(new)?;
    }
    Ok(written)
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
