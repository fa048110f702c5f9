//! Patches that wait: after a backup, what makes a file of the one before its own lies beside it, and is applied when
//! somebody opens the backup as a data directory. Its record says which do.

use std::{io::ErrorKind, path::Path, time::Duration};

use super::{
    StoreError, carry, disk, lock,
    patch::{self, PATCH},
    record::{RECORD, Record},
    seal, staging,
};
use crate::patience::Patience;

/// How long another one may take who applies them.
const PATIENCE: Duration = Duration::from_secs(5);

/// The record of a backup in which patches wait; `None` where there are none.
///
/// # Errors
/// There are, and nothing says what they belong to.
fn waiting(data_dir: &Path) -> Result<Option<Record>, StoreError> {
    let read = Record::read(&staging::folder_of_record(data_dir));
    if let Ok(Some(record)) = read {
        return Ok((!record.patches.is_empty()).then_some(record));
    }
    let there = patch::within(data_dir)?;
    let Some(first) = there.first() else {
        // A data directory that was a backup once.
        return Ok(None);
    };
    read?;
    Err(StoreError::Damaged {
        detail: format!(
            "{} belongs to a backup, but there is no {RECORD} here: copy all of that backup, or restore it with `dropkeep \
             restore`",
            data_dir.join(first).join(PATCH).display()
        ),
    })
}

/// Applies what waits in a data directory that is a backup, and removes what is of no use; whoever calls this has it
/// locked.
///
/// # Errors
/// A patch is missing or damaged, or a file cannot be written.
pub(super) fn apply(data_dir: &Path) -> Result<(), StoreError> {
    let Some(mut record) = waiting(data_dir)? else {
        // Those that are applied, or were not of this backup.
        return remove_all(data_dir);
    };
    for (name, digest) in &record.patches {
        let folder = data_dir.join(name);
        let patch = folder.join(PATCH);
        patch::apply(&patch, Some(digest), &folder.join(disk::DATA_FILE)).map_err(|error| match error {
            StoreError::Io { source, path, .. } if path == patch && patch::is_damage(&source) => StoreError::Damaged {
                detail: format!(
                    "{} cannot be applied ({source}), so this backup is not whole: make it anew, or use another; `dropkeep \
                     restore` restores what there is",
                    patch.display()
                ),
            },
            other => other,
        })?;
        StoreError::point("waiting-applied")?;
    }
    // From then on nobody takes them for a part of it.
    record.patches.clear();
    record.put(&staging::folder_of_record(data_dir))?;
    StoreError::point("waiting-recorded")?;
    remove_all(data_dir)
}

fn remove_all(data_dir: &Path) -> Result<(), StoreError> {
    let there = patch::within(data_dir)?;
    there.iter().try_for_each(|name| patch::remove(&data_dir.join(name)))
}

/// Has the files that are written to by itself: a copy of the directory that `cp -al` made has the same ones.
///
/// # Errors
/// One of them cannot be copied.
pub(super) fn own_files(data_dir: &Path) -> Result<(), StoreError> {
    let volumes = data_dir.join(disk::VOLUMES);
    let names = disk::other_names(&volumes, &[])?.into_iter();
    let open = names
        .map(|name| volumes.join(name))
        .filter(|folder| !seal::is_sealed(folder));
    let files = std::iter::once(data_dir.join(disk::CATALOG))
        .chain(open)
        .map(|folder| folder.join(disk::DATA_FILE));
    files
        .filter(|file| file.is_file())
        .try_for_each(|file| carry::own(&file).map(drop))
}

/// [`apply`], for whoever only reads.
///
/// # Errors
/// As there; or somebody writes in the directory, or nobody can.
pub(super) fn apply_for_reading(data_dir: &Path) -> Result<(), StoreError> {
    let is_read_only = |error: &std::io::Error| {
        matches!(
            error.kind(),
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
        )
    };
    let patience = Patience::of(PATIENCE);
    while waiting(data_dir)?.is_some() {
        match lock::lock(data_dir).and_then(|_lock| apply(data_dir)) {
            // Another one who reads just does so.
            Err(StoreError::InUse { .. }) if patience.again_here() => {}
            Err(StoreError::Io { source, .. }) if is_read_only(&source) => {
                return Err(StoreError::Refused {
                    path: data_dir.to_owned(),
                    detail: "is a backup on a disk that cannot be written to, and the last changes to it are in patches beside \
                             its files: restore it to somewhere else with `dropkeep restore`, or make it writable once"
                        .into(),
                });
            }
            applied => return applied,
        }
    }
    Ok(())
}
