//! A backup: a copy of the store as it was at one moment, which opens as a data directory.
//!
//! The catalog is copied first, as of one moment. What it names stands in blocks below its next one, and no block is
//! deleted as long as somebody reads beside the appliance; so whatever is written, sealed or moved meanwhile, all of it
//! is there for the volumes, which come second. A sealed volume is linked to, or taken from the backup that is
//! replaced, or copied; of the others, the blocks below the catalog's next one are.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Instant,
};

use jiff::Timestamp;
use roaring::RoaringTreemap;
use serde::Serialize;

use super::{
    SCHEMA, Store, StoreError, block,
    carry::{self, Watch},
    catalog::Catalog,
    disk,
    lock::{self, Lock},
    record::{FORM, How, Record, RecordedFile, RecordedVolume},
    resident,
    rows::{Counters, Place, Seal, VolumeState},
    seal,
    staging::{self, NEW, OLD, RECORD},
    superseded,
};
use crate::clock;

const FOLDER_MODE: u32 = 0o700;

/// No message has more bytes.
const LONGEST: u64 = 1 << 40;

/// Blocks, by their volume.
type Blocks = BTreeMap<u32, RoaringTreemap>;

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
    /// Bytes written, the catalog's included.
    pub copied_bytes: u64,
    /// What is damaged in the archive, and so in the backup.
    pub damaged: Vec<String>,
    pub took_seconds: f64,
}

/// Makes a backup of `store` in the folder `path`, and creates the folder if it is missing. A backup that is already
/// there is replaced once the new one is complete and on disk. Blocking.
///
/// # Errors
/// The folder holds something that is no backup. There is a backup, and a block of the store is damaged now. The store
/// cannot be read, the backup cannot be written, or the command was interrupted. In all these cases the backup that was
/// there stays as it was.
pub fn back_up(store: &Store, path: &Path, watch: Watch) -> Result<BackedUp, StoreError> {
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
    staging::settle(path, staging::Place::Backup)?;
    superseded::refuse_other_archive(store, path)?;
    superseded::refuse_less(store, path)?;
    let new = staging::begin(path)?;
    StoreError::point("backup-begun")?;
    let written = std::cell::Cell::new(0);
    let wrote = |bytes| {
        written.set(written.get() + bytes);
        (watch.wrote)(bytes);
    };
    let building = Building {
        store,
        before: path,
        new: &new,
        watch: Watch { wrote: &wrote, ..watch },
        damaged: RefCell::default(),
        blocks: RefCell::default(),
    };
    let record = building.build().inspect_err(|_| discard(&new))?;
    let damaged = building.damaged.take();
    if let (Some(first), true) = (damaged.first(), path.join(RECORD).exists()) {
        discard(&new);
        return Err(StoreError::Damaged {
            detail: format!(
                "{first}; the backup in {} may have it intact, so it is not replaced: back up to another directory, and \
                 run `dropkeep verify`",
                path.display()
            ),
        });
    }
    staging::put_in_place(path, staging::Place::Backup)?;
    if let Some(parent) = path.parent().filter(|parent| parent.is_dir()) {
        disk::sync_dir(parent)?;
    }
    for rest in [NEW, OLD] {
        discard(&path.join(rest));
    }
    StoreError::point("backup-tidied")?;
    let count = |how| record.volumes.iter().filter(|volume| volume.how == how).count() as u64;
    Ok(BackedUp {
        taken_at: record.taken_at,
        messages: record.messages,
        bytes: record.bytes,
        volumes: record.volumes.len() as u64,
        linked: count(How::Linked),
        reused: count(How::Reused),
        copied: count(How::Copied),
        copied_bytes: written.get(),
        damaged,
        took_seconds: started.elapsed().as_secs_f64(),
    })
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
    if let Some(other) = staging::other_names(path, &known)?.first() {
        return refuse(format!(
            "contains {other:?}, which does not belong to a backup; use an empty or new directory, or one with a backup"
        ));
    }
    let is_backup = path.join(RECORD).exists() || staging::is_half_placed(path, staging::Place::Backup);
    let has_store = path.join(disk::CATALOG).exists() || path.join(disk::VOLUMES).exists();
    if has_store && !is_backup {
        return refuse(format!(
            "is a data directory, not a backup: it has no {RECORD}; use an empty or new directory"
        ));
    }
    Ok(())
}

/// A backup on its way.
struct Building<'b> {
    store: &'b Store,
    /// Where the backup before may be.
    before: &'b Path,
    new: &'b Path,
    watch: Watch<'b>,
    damaged: RefCell<Vec<String>>,
    /// The blocks of the volumes that were copied block by block.
    blocks: RefCell<Blocks>,
}

impl Building<'_> {
    fn build(&self) -> Result<Record, StoreError> {
        let taken_at = clock::now();
        let catalog = self.copy_catalog()?;
        StoreError::point("backup-catalog")?;
        let Copied {
            counters,
            states,
            is_begun,
        } = read_copy(&self.new.join(disk::CATALOG))?;
        let volumes = self.new.join(disk::VOLUMES);
        disk::make_dir(&volumes)?;
        let mut recorded = Vec::new();
        for number in 1..=counters.volume {
            let state = states
                .iter()
                .find(|(known, _)| *known == number)
                .map(|(_, state)| state);
            self.watch.check()?;
            let carried = self.carry_volume(number, state, &counters, is_begun)?;
            recorded.extend(carried);
            StoreError::point("backup-volume")?;
        }
        self.look_for_missing_blocks()?;
        disk::sync_dir(&volumes)?;
        let record = Record {
            form: FORM,
            dropkeep: env!("CARGO_PKG_VERSION").into(),
            schema: SCHEMA,
            taken_at,
            data_dir: std::path::absolute(self.store.path()).unwrap_or_else(|_| self.store.path().to_owned()),
            messages: counters.messages,
            bytes: counters.raw_bytes,
            catalog,
            volumes: recorded,
        };
        disk::sync_dir(self.new)?;
        let json = serde_json::to_vec_pretty(&record).map_err(|error| StoreError::Fault {
            detail: format!("cannot write the record of the backup as JSON: {error}"),
        })?;
        disk::write(&self.new.join(RECORD), &json)?;
        disk::sync_dir(self.new)?;
        StoreError::point("backup-built")?;
        Ok(record)
    }

    fn copy_catalog(&self) -> Result<RecordedFile, StoreError> {
        let folder = self.new.join(disk::CATALOG);
        disk::make_dir(&folder)?;
        let file = folder.join(disk::DATA_FILE);
        self.watch.check()?;
        self.store.catalog.copy_to(&file)?;
        disk::sync_dir(&folder)?;
        let recorded = self.recorded(&file)?;
        (self.watch.wrote)(recorded.bytes);
        Ok(recorded)
    }

    /// A file that was written, as it reads.
    fn recorded(&self, file: &Path) -> Result<RecordedFile, StoreError> {
        let (bytes, blake3) = seal::digest(file, self.watch.go_on)?.ok_or(StoreError::Interrupted)?;
        Ok(RecordedFile { bytes, blake3 })
    }

    fn carry_volume(
        &self,
        number: u32,
        state: Option<&VolumeState>,
        counters: &Counters,
        is_begun: bool,
    ) -> Result<Option<RecordedVolume>, StoreError> {
        let from = self.store.volumes.folder(number);
        let to = self.folder(self.new, number);
        let is_current = number == counters.volume;
        let seal = match state {
            Some(VolumeState::Emptied) => return Ok(None),
            Some(VolumeState::Sealed(seal)) => Some(seal.clone()),
            // Sealed since the catalog was copied. What the catalog takes for the volume that is written to must not be
            // a link: it may be written to.
            None if !is_current && seal::is_sealed(&from) => Some(seal::manifest(&from)?),
            None => None,
        };
        if is_current && !is_begun && !from.join(disk::DATA_FILE).exists() {
            // Nothing was written into it yet.
            return Ok(None);
        }
        if let Some(seal) = seal {
            return self.carry_sealed(number, &from, &to, seal).map(Some);
        }
        let volume = self.store.volumes.get(number)?;
        let (blocks, damaged) = carry::copy_volume(&from, &volume, &to, counters.block, self.watch)?;
        self.blocks.borrow_mut().insert(number, blocks);
        self.damaged.borrow_mut().extend(damaged);
        Ok(Some(RecordedVolume {
            number,
            sealed: false,
            how: How::Copied,
            file: self.recorded(&to.join(disk::DATA_FILE))?,
        }))
    }

    fn carry_sealed(&self, number: u32, from: &Path, to: &Path, seal: Seal) -> Result<RecordedVolume, StoreError> {
        let (file, copy) = (from.join(disk::DATA_FILE), to.join(disk::DATA_FILE));
        let length = fs::metadata(&file).map_err(StoreError::io("reading", &file))?.len();
        if length != seal.bytes || (seal::is_sealed(from) && seal::manifest(from)? != seal) {
            return Err(damaged(&file));
        }
        disk::make_dir(to)?;
        let before = self.folder(self.before, number);
        let how = if carry::link(&file, &copy)? {
            How::Linked
        } else if is_copy(&before, &seal) && carry::link(&before.join(disk::DATA_FILE), &copy)? {
            How::Reused
        } else {
            let (_, blake3) = carry::copy(&file, &copy, seal::FILE_MODE, self.watch)?;
            if blake3 != seal.blake3 {
                return Err(damaged(&file));
            }
            How::Copied
        };
        seal::write_manifest(to, &seal)?;
        Ok(RecordedVolume {
            number,
            sealed: true,
            how,
            file: RecordedFile {
                bytes: seal.bytes,
                blake3: seal.blake3,
            },
        })
    }

    /// Blocks that the catalog names and that a volume does not have are damage too. Of sealed volumes the digest is
    /// known.
    fn look_for_missing_blocks(&self) -> Result<(), StoreError> {
        let blocks = self.blocks.borrow();
        let folder = self.new.join(disk::CATALOG);
        let mut missing = resident::releasing(&folder, || named_blocks(&folder, &blocks))?;
        for (number, named) in &mut missing {
            *named -= &blocks[number];
            let Some(first) = named.min() else { continue };
            let volume = self.store.volumes.folder(*number);
            let (count, volume) = (named.len(), volume.display());
            let words = format!("block {first} of {volume} is missing, and {} more", count - 1);
            self.damaged.borrow_mut().push(words);
        }
        Ok(())
    }

    fn folder(&self, store: &Path, number: u32) -> PathBuf {
        store.join(disk::VOLUMES).join(super::volumes::name(number))
    }
}

/// Whether a backup's folder holds the volume with this seal.
fn is_copy(folder: &Path, wanted: &Seal) -> bool {
    let length = fs::metadata(folder.join(disk::DATA_FILE)).map(|file| file.len());
    // One without a manifest, or that cannot be read, is copied anew.
    length.is_ok_and(|length| length == wanted.bytes) && seal::manifest(folder).is_ok_and(|seal| seal == *wanted)
}

fn damaged(file: &Path) -> StoreError {
    StoreError::Damaged {
        detail: format!(
            "{} is not as it was when it was sealed; it cannot be backed up, and should be restored from a backup \
             made before",
            file.display()
        ),
    }
}

/// What a catalog's copy says of the volumes.
struct Copied {
    counters: Counters,
    states: Vec<(u32, VolumeState)>,
    /// There is something in the volume that is written to.
    is_begun: bool,
}

fn read_copy(folder: &Path) -> Result<Copied, StoreError> {
    let catalog = Catalog::open_at_rest(folder)?;
    let txn = catalog.read()?;
    let read = || {
        let counters = catalog.counters(&txn)?;
        Ok(Copied {
            states: catalog.volumes.iter(&txn)?.collect::<heed::Result<Vec<_>>>()?,
            is_begun: catalog.has_blocks(&txn, counters.volume)?,
            counters,
        })
    };
    read().map_err(StoreError::lmdb("reading", folder))
}

/// The blocks that a catalog names in the volumes of `among`, as far as its rows can be read.
fn named_blocks(folder: &Path, among: &Blocks) -> Result<Blocks, StoreError> {
    let catalog = Catalog::open_at_rest(folder)?;
    let txn = catalog.read()?;
    let mut named = Blocks::new();
    let mut add = |place: Place| {
        if among.contains_key(&place.volume) {
            // It may go on in one more, as blocks are not filled to the last byte.
            let end = place.offset.saturating_add(place.length).min(LONGEST);
            let more = end.saturating_sub(1) / block::BLOCK_SIZE as u64;
            let blocks = named.entry(place.volume).or_default();
            blocks.insert_range(place.block..=place.block.saturating_add(more));
        }
    };
    let mut read = || {
        let messages = catalog.messages.iter(&txn)?.flatten();
        messages.for_each(|(_, message)| add(message.inline));
        let parts = catalog.parts.iter(&txn)?.flatten();
        parts.for_each(|(_, part)| add(part.place));
        Ok(())
    };
    read().map_err(StoreError::lmdb("reading", folder))?;
    Ok(named)
}
