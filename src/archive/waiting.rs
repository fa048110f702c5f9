//! Patches that wait: after a backup, what makes a file of the one before its own lies beside it, and is applied when
//! somebody opens the backup as a data directory.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{
    StoreError, disk, lock,
    patch::{self, PATCH},
    record::RECORD,
};

/// The folders in a store, or in what becomes one, over whose file a patch lies.
pub(super) fn within(store: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let volumes = disk::other_names(&store.join(disk::VOLUMES), &[])?.into_iter();
    let mut names = vec![PathBuf::from(disk::CATALOG)];
    names.extend(volumes.map(|name| Path::new(disk::VOLUMES).join(name)));
    names.retain(|name| patch::lies_in(&store.join(name)));
    Ok(names)
}

/// Applies what waits in a data directory that is a backup; whoever calls this has it locked.
///
/// # Errors
/// A patch is damaged, or a file cannot be written.
pub(super) fn apply(data_dir: &Path) -> Result<(), StoreError> {
    if !data_dir.join(RECORD).exists() {
        return Ok(());
    }
    for name in within(data_dir)? {
        let folder = data_dir.join(&name);
        let patch = folder.join(PATCH);
        patch::apply(&patch, &folder.join(disk::DATA_FILE)).map_err(|error| match error {
            StoreError::Io { source, .. } if patch::is_damage(&source) => StoreError::Damaged {
                detail: format!(
                    "{} cannot be applied ({source}), so this backup is not whole: make it anew, or use another; `dropkeep \
                     restore` restores what there is",
                    patch.display()
                ),
            },
            other => other,
        })?;
        StoreError::point("waiting-applied")?;
        remove(&folder)?;
    }
    Ok(())
}

/// Removes a patch that was applied.
pub(super) fn remove(folder: &Path) -> Result<(), StoreError> {
    let patch = folder.join(PATCH);
    fs::remove_file(&patch).map_err(StoreError::io("removing", &patch))?;
    disk::sync_dir(folder)
}

/// [`apply`], for whoever only reads.
///
/// # Errors
/// As there; or somebody writes in the directory, or nobody can.
pub(super) fn apply_for_reading(data_dir: &Path) -> Result<(), StoreError> {
    if !data_dir.join(RECORD).exists() || within(data_dir)?.is_empty() {
        return Ok(());
    }
    let applied = lock::lock(data_dir).and_then(|_lock| apply(data_dir));
    applied.map_err(|error| match error {
        StoreError::Io { source, .. }
            if matches!(
                source.kind(),
                ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
            ) =>
        {
            StoreError::Refused {
                path: data_dir.to_owned(),
                detail: "is a backup on a disk that cannot be written to, and the last changes to it are in patches beside its \
                         files: restore it to somewhere else with `dropkeep restore`, or make it writable once"
                    .into(),
            }
        }
        other => other,
    })
}
