//! A backup: a copy of the store as it was at one moment, which opens as a data directory.
//!
//! Catalog and the volume that is written to are taken as they are at one moment, which is held until they are copied;
//! and no block is deleted as long as somebody reads beside the appliance. So whatever is written, sealed or moved
//! meanwhile, all that the catalog names is there. A sealed volume is linked to, or taken from the backup that is
//! replaced, or copied. Of all other files, what differs is written into those of the backup that is replaced
//! ([why](../../docs/decisions/backup-increments.md)).

use std::{
    cell::Cell,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::Instant,
};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    Store, StoreError,
    building::Building,
    disk,
    hooks::Hooks,
    lock::{self, Lock},
    record::{How, RECORD},
    staging::{self, NEW, OLD, Target},
    superseded,
};

use crate::api::BackupLine;

const FOLDER_MODE: u32 = 0o700;

/// What a backup did.
#[derive(Clone, Debug, Serialize)]
pub struct BackedUp {
    pub taken_at: Timestamp,
    /// Messages in it, and their bytes as they came.
    pub messages: u64,
    pub bytes: u64,
    /// Volumes in it; of these so many linked, so many that were there from the backup before, and so many copied.
    pub volumes: u64,
    pub linked: u64,
    pub reused: u64,
    pub copied: u64,
    /// Bytes written to the disk of the backup: copies, and what differs from the backup before, each time it is written.
    pub copied_bytes: u64,
    /// Bytes of the catalog and of the volumes that were looked at, for they were copied or compared with the backup
    /// before; and how many in a second.
    pub read_bytes: u64,
    pub bytes_per_second: u64,
    /// Secrets of profiles in it. They are encrypted, and the key is not in it.
    pub encrypted_secrets: u64,
    /// What is damaged in the archive, and so in the backup.
    pub damaged: Vec<String>,
    pub took_seconds: f64,
}

impl BackedUp {
    /// What the archive is to remember of it.
    pub fn as_last(&self, to: &Path, ended_at: Timestamp) -> BackupLine {
        BackupLine {
            taken_at: self.taken_at,
            ended_at,
            to: to.display().to_string(),
            messages: self.messages,
            bytes: self.bytes,
            damaged: self.damaged.len() as u64,
        }
    }
}

/// Makes a backup of `store` in the folder `path`, and creates the folder if it is missing. A backup that is already
/// there is replaced once the new one is complete and on disk. Blocking.
///
/// # Errors
/// The folder holds something that is no backup. There is a backup, and a block of the store is damaged now. The store
/// cannot be read, the backup cannot be written, or the command was interrupted. In all these cases the backup that was
/// there stays as it was.
pub fn back_up(store: &Store, path: &Path, hooks: Hooks) -> Result<BackedUp, StoreError> {
    let started = Instant::now();
    staging::refuse_overlap(path, store.path())?;
    refuse_other_content(path)?;
    disk::make_dir(path)?;
    fs::set_permissions(path, Permissions::from_mode(FOLDER_MODE))
        .map_err(StoreError::io("closing to others", path))?;
    let _lock = lock(path)?;
    let _alone = lock::lock_out_readers(path)?.ok_or_else(|| StoreError::Refused {
        path: path.to_owned(),
        detail: "is being read by another command; run this again once that has finished".into(),
    })?;
    staging::settle(path, Target::Backup)?;
    superseded::refuse_other_archive(store, path)?;
    superseded::refuse_less(store, path)?;
    let new = staging::begin(path)?;
    StoreError::point("backup-begun")?;
    let read = Cell::new(0);
    let passed = |bytes| {
        read.set(read.get() + bytes);
        (hooks.passed)(bytes);
    };
    let hooks = Hooks {
        passed: &passed,
        ..hooks
    };
    let building = Building::new(store, path, &new, hooks).inspect_err(|_| abandon(path))?;
    let record = building.build().inspect_err(|_| abandon(path))?;
    let damaged = building.damaged();
    let copied_bytes = building.written() + staging::put_in_place(path, Target::Backup)?;
    if let Some(parent) = path.parent().filter(|parent| parent.is_dir()) {
        disk::sync_dir(parent)?;
    }
    for rest in [NEW, OLD] {
        discard(&path.join(rest));
    }
    StoreError::point("backup-tidied")?;
    let took_seconds = started.elapsed().as_secs_f64();
    let count = |how| record.volumes.iter().filter(|volume| volume.how == how).count() as u64;
    Ok(BackedUp {
        taken_at: record.taken_at,
        messages: record.messages,
        bytes: record.bytes,
        volumes: record.volumes.len() as u64,
        linked: count(How::Linked),
        reused: count(How::Reused),
        copied: count(How::Copied),
        copied_bytes,
        read_bytes: read.get(),
        bytes_per_second: rate(read.get(), took_seconds),
        encrypted_secrets: store.encrypted_secrets()?,
        damaged,
        took_seconds,
    })
}

/// Bytes per second.
pub(super) fn rate(bytes: u64, seconds: f64) -> u64 {
    (bytes as f64 / seconds.max(0.001)) as u64
}

/// Gives up what was begun; where that fails, the next backup does so.
fn abandon(path: &Path) {
    if let Err(error) = staging::abandon(path) {
        tracing::error!(%error, "cannot remove what was begun of this backup; the next backup tries again");
    }
}

/// Removes what is of no use; where that fails, the next backup removes it.
fn discard(path: &Path) {
    if let Err(error) = staging::remove(path) {
        tracing::error!(%error, "cannot remove what the last backup left; the next backup tries again");
    }
}

/// Locks the folder of a backup against other backups, and against an appliance that has it as its data directory.
pub(super) fn lock(path: &Path) -> Result<Lock, StoreError> {
    lock::lock(path).map_err(|error| match error {
        StoreError::InUse { path, holder } => StoreError::Refused {
            path,
            detail: format!("is in use by process {holder}; wait until it ends, or stop it"),
        },
        other => other,
    })
}

/// A folder with something else in it is left alone, and so is a data directory.
fn refuse_other_content(path: &Path) -> Result<(), StoreError> {
    let refuse = |detail: String| {
        Err(StoreError::Refused {
            path: path.to_owned(),
            detail,
        })
    };
    if path.exists() && !path.is_dir() {
        return refuse("is not a directory".into());
    }
    let ours = [RECORD, NEW, OLD, disk::CATALOG, disk::VOLUMES];
    let known: Vec<_> = ours.into_iter().chain(disk::HARMLESS).collect();
    if let Some(other) = disk::other_names(path, &known)?.first() {
        return refuse(format!(
            "contains {other:?}, which does not belong to a backup; use an empty or new directory, or one with a backup"
        ));
    }
    let is_backup = path.join(RECORD).exists() || staging::is_half_placed(path, Target::Backup);
    let has_store = path.join(disk::CATALOG).exists() || path.join(disk::VOLUMES).exists();
    if has_store && !is_backup {
        return refuse(format!(
            "is a data directory, not a backup: it has no {RECORD}; use an empty or new directory"
        ));
    }
    Ok(())
}
