//! Putting a backup in place as the data directory: all of it, checked on the way, or nothing.

use std::{io::ErrorKind, path::Path, time::Instant};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    StoreError, backup, carry,
    catalog::Catalog,
    disk::{self, FILE_MODE},
    hooks::Hooks,
    lock::{self, Lock},
    original::Original,
    pages, patch,
    record::{self, RECORD, Record, RecordedFile, RecordedVolume},
    resident, seal,
    staging::{self, NEW, OLD, Target},
    volume::{Mode, Volume},
    volumes,
};
use crate::config::Config;

/// What a restore did.
#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    /// When the backup was made.
    pub taken_at: Timestamp,
    /// Messages in it, and their bytes as they came.
    pub messages: u64,
    pub bytes: u64,
    pub volumes: u64,
    /// Bytes written, and how many in a second.
    pub copied_bytes: u64,
    pub bytes_per_second: u64,
    /// Files that are not as the backup left them, and in which no damage was found: the backup was opened as a data
    /// directory since.
    pub changed: Vec<String>,
    /// Secrets of profiles in it. They are encrypted, with a key that is not in the backup.
    pub encrypted_secrets: u64,
    /// What is damaged: files, and blocks of them. All of it is in place as it was found.
    pub damaged: Vec<String>,
    pub took_seconds: f64,
}

/// Copies the backup in `path` to the data directory of the configuration, which must hold nothing yet. Blocking.
///
/// # Errors
/// There is no complete backup, its catalog cannot be opened, the data directory is not empty or in use, or cannot be
/// written; or it was interrupted. Then nothing is in place.
pub fn restore(path: &Path, config: &Config, hooks: Hooks) -> Result<Restored, StoreError> {
    let started = Instant::now();
    let target = &config.data_dir;
    staging::refuse_overlap(path, target)?;
    if !path.is_dir() {
        return Err(refused(path, "is not a directory with a backup"));
    }
    refuse_content(target)?;
    // Before anything is touched: it may be any folder.
    if !path.join(RECORD).exists() && !staging::is_half_placed(path, Target::Backup) {
        return Err(no_backup(path));
    }
    let _backup = lock_backup(path)?;
    let record = record(path)?;
    disk::make_dir(target)?;
    disk::refuse_network_file_systems(target)?;
    let _target = lock::lock(target)?;
    // Somebody may have been faster.
    refuse_content(target)?;
    if staging::settle(target, Target::Store)? {
        let detail = "now holds a backup that an earlier restore was cut off over just before its end; to restore \
                      another one, move it away first";
        return Err(refused(target, detail));
    }
    let new = staging::begin(target)?;
    StoreError::point("restore-begun")?;
    let built = build(path, &record, &new, hooks).inspect_err(|_| discard(&new))?;
    // One of an older schema has none, and what is damaged is said anyway.
    let encrypted_secrets = match built.is_catalog_damaged {
        true => 0,
        false => Catalog::open_at_rest(&new.join(disk::CATALOG))
            .and_then(|catalog| catalog.encrypted_secrets())
            .unwrap_or(0),
    };
    staging::put_in_place(target, Target::Store)?;
    StoreError::point("restore-placed")?;
    if let Some(parent) = target.parent().filter(|parent| parent.is_dir()) {
        disk::sync_dir(parent)?;
    }
    for rest in [NEW, OLD] {
        discard(&target.join(rest));
    }
    let took_seconds = started.elapsed().as_secs_f64();
    Ok(Restored {
        taken_at: record.taken_at,
        messages: record.messages,
        bytes: record.bytes,
        volumes: record.volumes.len() as u64,
        copied_bytes: built.written,
        bytes_per_second: backup::rate(built.written, took_seconds),
        changed: built.changed,
        encrypted_secrets,
        damaged: built.damaged,
        took_seconds,
    })
}

fn refused(path: &Path, detail: &str) -> StoreError {
    StoreError::Refused {
        path: path.to_owned(),
        detail: detail.into(),
    }
}

fn discard(path: &Path) {
    if let Err(error) = staging::remove(path) {
        tracing::error!(%error, "cannot remove temporary files; remove them by hand");
    }
}

/// Nothing is restored over anything.
fn refuse_content(target: &Path) -> Result<(), StoreError> {
    if target.exists() && !target.is_dir() {
        return Err(refused(target, "is not a directory; check data_dir"));
    }
    let mut known: Vec<_> = [NEW, OLD].into_iter().chain(disk::HARMLESS).collect();
    if staging::is_half_placed(target, Target::Store) {
        known.extend([disk::CATALOG, disk::VOLUMES]);
    }
    match disk::other_names(target, &known)?.first() {
        None => Ok(()),
        Some(name) => {
            let detail = format!(
                "is not empty, as it holds {name:?}; a backup is restored to an empty or new data_dir only: move what \
                 is there away"
            );
            Err(refused(target, &detail))
        }
    }
}

/// Nobody may change the backup meanwhile. On a disk that cannot be written to, nobody does.
fn lock_backup(path: &Path) -> Result<Option<Lock>, StoreError> {
    match backup::lock(path) {
        Ok(lock) => {
            staging::settle(path, Target::Backup)?;
            Ok(Some(lock))
        }
        Err(StoreError::Io { source, .. })
            if matches!(
                source.kind(),
                ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
            ) =>
        {
            if staging::is_half_placed(path, Target::Backup) {
                let detail = "contains a backup that was interrupted just before its end: make the directory writable, and run this again";
                return Err(refused(path, detail));
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn record(path: &Path) -> Result<Record, StoreError> {
    if let Some(record) = Record::read(path)? {
        return Ok(record);
    }
    Err(no_backup(path))
}

fn no_backup(path: &Path) -> StoreError {
    refused(path, &format!("contains no complete backup: there is no {RECORD}"))
}

/// What was copied of a backup.
#[derive(Default)]
struct Built {
    /// Bytes.
    written: u64,
    /// The files that are not as they were, and those that are damaged. These are copied too: most of what they hold can
    /// be read, and `export` goes round the rest.
    changed: Vec<String>,
    damaged: Vec<String>,
    /// LMDB may not be able to open it.
    is_catalog_damaged: bool,
}

/// Copies all of a backup into `new`.
fn build(path: &Path, record: &Record, new: &Path, hooks: Hooks) -> Result<Built, StoreError> {
    let volumes = record.volumes.iter().map(|volume| volume.file.bytes);
    (hooks.expect)(record.catalog.bytes + volumes.sum::<u64>());
    let mut copying = Copying {
        path,
        record,
        new,
        hooks,
        built: Built::default(),
    };
    copying.file(disk::CATALOG.as_ref(), FILE_MODE, &record.catalog)?;
    copying.built.is_catalog_damaged = !copying.built.damaged.is_empty();
    for volume in &record.volumes {
        copying.volume(volume)?;
    }
    let volumes = new.join(disk::VOLUMES);
    disk::make_dir(&volumes)?;
    let catalog = new.join(disk::CATALOG);
    super::environment::refuse_unreadable(&catalog.join(disk::DATA_FILE))?;
    for folder in [&catalog, &volumes] {
        disk::sync_dir(folder)?;
    }
    record::put(new, b"{}")?;
    StoreError::point("restore-built")?;
    Ok(copying.built)
}

/// A backup, as it is copied.
struct Copying<'c> {
    path: &'c Path,
    record: &'c Record,
    new: &'c Path,
    hooks: Hooks<'c>,
    built: Built,
}

impl Copying<'_> {
    /// A volume that is not there, or that the disk has lost, is named, and the others are copied.
    fn volume(&mut self, volume: &RecordedVolume) -> Result<(), StoreError> {
        let name = Path::new(disk::VOLUMES).join(volumes::name(volume.number));
        let (from, to) = (self.path.join(&name), self.new.join(&name));
        let mode = if volume.sealed { seal::FILE_MODE } else { FILE_MODE };
        match self.file(&name, mode, &volume.file) {
            Err(StoreError::Io { source, path, .. }) if path.starts_with(&from) && patch::is_damage(&source) => {
                self.built.damaged.push(format!("{}: {source}", path.display()));
                return staging::remove(&to);
            }
            copied => copied?,
        }
        if volume.sealed {
            match seal::manifest(&from) {
                Ok(seal) => seal::write_manifest(&to, &seal)?,
                // The catalog has it too.
                Err(error) => self.built.damaged.push(error.to_string()),
            }
        }
        disk::sync_dir(&to)
    }

    fn file(&mut self, name: &Path, mode: u32, wanted: &RecordedFile) -> Result<(), StoreError> {
        let (from, folder) = (self.path.join(name).join(disk::DATA_FILE), self.new.join(name));
        disk::make_dir(&folder)?;
        let mut original = Original::at_rest(&from)?;
        // A backup that was broken off has written behind the end of what is there.
        if self.path.join(NEW).join(name).join(patch::PATCH).exists() {
            original = original.up_to(wanted.bytes);
        }
        let lying = self.record.patches.get(name);
        // LMDB cannot read a file over which a patch lies.
        let is_by_use = mode != seal::FILE_MODE && self.record.is_by_use() && lying.is_none();
        let free = is_by_use.then(|| original.free()).transpose()?;
        let to = folder.join(disk::DATA_FILE);
        let copied = carry::copy(&original, free.as_ref(), &to, mode, self.hooks)?;
        self.built.written += copied.written;
        StoreError::point("restore-copied")?;
        let file = match lying {
            Some(digest) => self.patched(name, digest)?,
            None => copied.file,
        };
        if file == *wanted {
            return Ok(());
        }
        let from = from.display().to_string();
        let found = match mode {
            seal::FILE_MODE => vec![from.clone()],
            _ => damage(&folder, &from, self.hooks)?,
        };
        if found.is_empty() {
            self.built.changed.push(from);
        }
        self.built.damaged.extend(found);
        Ok(())
    }

    /// Makes the copy in the folder `name` what the patch with this digest makes of it, and takes its digest.
    fn patched(&mut self, name: &Path, digest: &str) -> Result<RecordedFile, StoreError> {
        let patch = self.path.join(name).join(patch::PATCH);
        let file = self.new.join(name).join(disk::DATA_FILE);
        match patch::apply(&patch, Some(digest), &file) {
            Ok(written) => self.built.written += written,
            Err(StoreError::Io { source, path, .. }) if path == patch && patch::is_damage(&source) => {
                self.built.damaged.push(format!("{}: {source}", patch.display()));
            }
            Err(error) => return Err(error),
        }
        StoreError::point("restore-patched")?;
        // It was counted when it was copied.
        let hooks = Hooks {
            passed: &|_| {},
            ..self.hooks
        };
        let original = Original::at_rest(&file)?;
        carry::digest(&original, Some(&original.free()?), &file, hooks)
    }
}

/// What is damaged in a catalog or volume that may have been written to; `from`: the file that it was copied from.
fn damage(folder: &Path, from: &str, hooks: Hooks) -> Result<Vec<String>, StoreError> {
    let file = folder.join(disk::DATA_FILE);
    let is_sound = pages::check(&file, None).is_ok_and(|pages| pages.page_size > 0 && pages.findings.is_empty());
    let found = match is_sound {
        false => Err(StoreError::Damaged { detail: String::new() }),
        true if folder.ends_with(disk::CATALOG) => damaged_rows(folder, from),
        true => Volume::open(folder, 0, Mode::AtRest, None)
            .and_then(|volume| carry::check_blocks(&volume, from.as_ref(), u64::MAX, hooks))
            .map(|(_, damaged)| damaged),
    };
    match found {
        Err(StoreError::Interrupted) => Err(StoreError::Interrupted),
        Err(_) => Ok(vec![from.to_owned()]),
        found => found,
    }
}

fn damaged_rows(catalog: &Path, from: &str) -> Result<Vec<String>, StoreError> {
    let has_damage = || match Catalog::open_at_rest(catalog) {
        Ok(catalog) => catalog.has_damaged_rows(),
        // Its rows are read when it is upgraded.
        Err(StoreError::Older { .. }) => Ok(false),
        Err(error) => Err(error),
    };
    let has_damage = resident::releasing(catalog, has_damage)?;
    Ok(has_damage.then(|| from.to_owned()).into_iter().collect())
}
