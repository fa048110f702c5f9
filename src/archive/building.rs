//! A backup on its way: all of it beside the one that it is to replace, on disk, with its record.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use heed::{RoTxn, WithoutTls};

use super::{
    SCHEMA, Store, StoreError, block,
    carry::{self, Carried},
    catalog::Catalog,
    disk::{self, FILE_MODE},
    hooks::Hooks,
    moment::Moment,
    original::{Checked, Original},
    patch::{self, Base},
    places::{Blocks, Places},
    record::{FORM, How, Known, Record, RecordedFile, RecordedVolume},
    rows::{Seal, VolumeState},
    seal, volumes,
};
use crate::clock;

/// No message has more bytes.
const LONGEST: u64 = 1 << 40;

pub(super) struct Building<'b> {
    store: &'b Store,
    /// Where the backup before may be.
    before: &'b Path,
    /// What it says itself.
    former: Option<Record>,
    new: &'b Path,
    hooks: Hooks<'b>,
    /// Bytes written until now.
    written: Cell<u64>,
    /// By the folders in which they are to wait.
    patches: RefCell<BTreeMap<PathBuf, String>>,
    damaged: RefCell<Vec<String>>,
}

impl<'b> Building<'b> {
    /// Of `store`, in the folder `new`; it is to take the place of the backup that may be in `before`.
    ///
    /// # Errors
    /// The record of the backup before cannot be read, or is of a later version.
    pub fn new(store: &'b Store, before: &'b Path, new: &'b Path, hooks: Hooks<'b>) -> Result<Self, StoreError> {
        Ok(Self {
            store,
            before,
            former: Record::read(before)?,
            new,
            hooks,
            written: Cell::new(0),
            patches: RefCell::default(),
            damaged: RefCell::default(),
        })
    }

    /// Bytes written until now.
    pub fn written(&self) -> u64 {
        self.written.get()
    }

    /// What is damaged in the store, and so in the backup, in words.
    pub fn damaged(&self) -> Vec<String> {
        self.damaged.borrow().clone()
    }

    /// # Errors
    /// The store cannot be read, or is damaged, where the backup before may have it intact; the backup cannot be written,
    /// or it was interrupted.
    pub fn build(&self) -> Result<Record, StoreError> {
        let moment = Moment::of(self.store, self.hooks)?;
        let taken_at = clock::now();
        let open = self.open_volumes(&moment);
        self.expect(&moment, &open)?;
        let Moment {
            catalog,
            txn,
            counters,
            states,
            current,
        } = moment;
        let known = Known::of(&self.store.catalog, &txn)?;
        let stop = AtomicBool::new(false);
        let (recorded, blocks, named) = thread::scope(|scope| {
            // The catalog's rows are read while its file is copied. The transaction comes back, as it must last until
            // both are done.
            let naming = scope.spawn(|| {
                let txn = txn;
                (named_blocks(&self.store.catalog, &txn, &open, &stop), txn)
            });
            let copied = || {
                let (catalog, volumes) = (self.carry_catalog(&catalog)?, self.new.join(disk::VOLUMES));
                disk::make_dir(&volumes)?;
                let (mut recorded, mut blocks) = (Vec::new(), Blocks::new());
                for number in 1..=counters.volume {
                    self.hooks.check()?;
                    let current = current.as_ref().filter(|_| number == counters.volume);
                    let volume = Carrying {
                        number,
                        state: states.get(&number),
                        is_current: number == counters.volume,
                        original: current.map(|current| &current.original),
                        below: counters.block,
                    };
                    recorded.extend(self.carry_volume(&volume, &mut blocks)?);
                    StoreError::point("backup-volume")?;
                }
                disk::sync_dir(&volumes)?;
                Ok((catalog, recorded, blocks))
            };
            let copied = copied().inspect_err(|_| stop.store(true, Ordering::Relaxed));
            let (named, _txn) = naming.join().map_err(|_| StoreError::Fault {
                detail: "reading the catalog panicked; this is a bug in dropkeep".into(),
            })?;
            let (catalog, volumes, blocks) = copied?;
            Ok(((catalog, volumes), blocks, named))
        })?;
        self.look_for_missing_blocks(&blocks, named);
        self.refuse_damaged()?;
        let (catalog, volumes) = recorded;
        let record = Record {
            form: FORM,
            dropkeep: env!("CARGO_PKG_VERSION").into(),
            schema: SCHEMA,
            taken_at,
            data_dir: std::path::absolute(self.store.path()).unwrap_or_else(|_| self.store.path().to_owned()),
            messages: counters.messages,
            bytes: counters.raw_bytes,
            known: Some(known),
            patches: self.patches.take(),
            over: patch::state(&self.before.join(disk::CATALOG).join(disk::DATA_FILE))?,
            catalog,
            volumes,
        };
        disk::sync_dir(self.new)?;
        record.put(self.new)?;
        StoreError::point("backup-built")?;
        Ok(record)
    }

    /// With its record, a backup would count.
    fn refuse_damaged(&self) -> Result<(), StoreError> {
        match self.damaged.borrow().first() {
            Some(first) if self.former.is_some() => Err(StoreError::Damaged {
                detail: format!(
                    "{first}; the backup in {} may have it intact, so it is not replaced: back up to another directory, and \
                     run `dropkeep verify`",
                    self.before.display()
                ),
            }),
            _ => Ok(()),
        }
    }

    /// The volumes that are not sealed.
    fn open_volumes(&self, moment: &Moment) -> BTreeSet<u32> {
        let all = 1..=moment.counters.volume;
        all.filter(|number| !moment.states.contains_key(number)).collect()
    }

    /// Says how much there is to look at.
    fn expect(&self, moment: &Moment, open: &BTreeSet<u32>) -> Result<(), StoreError> {
        let device = |path: &Path| {
            fs::metadata(path)
                .map_err(StoreError::io("looking at", path))
                .map(|data| data.dev())
        };
        let is_one_disk = device(self.new)? == device(self.store.path())?;
        let sealed = moment.states.iter().filter_map(|(number, state)| match state {
            VolumeState::Sealed(seal) if !is_one_disk && !is_copy(&self.folder(self.before, *number), seal) => {
                Some(seal.bytes)
            }
            _ => None,
        });
        let open = open
            .iter()
            .filter_map(|number| self.store.volumes.file_size(*number).ok());
        (self.hooks.expect)(moment.catalog.length + sealed.sum::<u64>() + open.sum::<u64>());
        Ok(())
    }

    fn carry_catalog(&self, original: &Original) -> Result<RecordedFile, StoreError> {
        let checked = original.check()?;
        self.damaged.borrow_mut().extend(checked.damage.clone());
        disk::make_dir(&self.new.join(disk::CATALOG))?;
        let file = self.carry(original, Some(&checked), disk::CATALOG.as_ref(), FILE_MODE)?;
        StoreError::point("backup-catalog")?;
        Ok(file)
    }

    /// Copies a file into the folder `name` of the new backup, or writes a patch for that of the backup before.
    fn carry(
        &self,
        original: &Original,
        checked: Option<&Checked>,
        name: &Path,
        mode: u32,
    ) -> Result<RecordedFile, StoreError> {
        let folder = self.new.join(name);
        let lying = self.former.as_ref().and_then(|former| former.patches.get(name));
        let is_by_use = self.former.as_ref().is_some_and(Record::is_by_use);
        let base = Base::of(self.before, name, lying.map(String::as_str), is_by_use)?;
        let Carried { file, written, patch } = match base {
            Some(base) => patch::make(original, checked, &base, &folder.join(patch::PATCH), mode, self.hooks)?,
            None => {
                let free = checked.map(|checked| &checked.free);
                carry::copy(original, free, &folder.join(disk::DATA_FILE), mode, self.hooks)?
            }
        };
        self.written.set(self.written.get() + written);
        // That of a sealed volume is applied when it is put in place.
        if let (Some(digest), false) = (patch, mode == seal::FILE_MODE) {
            self.patches.borrow_mut().insert(name.to_owned(), digest);
        }
        disk::sync_dir(&folder)?;
        Ok(file)
    }

    fn carry_volume(&self, volume: &Carrying, blocks: &mut Blocks) -> Result<Option<RecordedVolume>, StoreError> {
        let number = volume.number;
        let from = self.store.volumes.folder(number);
        let seal = match volume.state {
            Some(VolumeState::Emptied) => return Ok(None),
            Some(VolumeState::Sealed(seal)) => Some(seal.clone()),
            // Sealed since. What the catalog takes for the volume that is written to must not be a link: it may be
            // written to.
            None if !volume.is_current && seal::is_sealed(&from) => Some(seal::manifest(&from)?),
            None => None,
        };
        let name = Path::new(disk::VOLUMES).join(volumes::name(number));
        if let Some(seal) = seal {
            return self.carry_sealed(number, &from, &name, seal).map(Some);
        }
        let frozen;
        let original = match volume.original {
            Some(original) => original,
            // Nothing was written into it yet.
            None if volume.is_current => return Ok(None),
            None => {
                frozen = self.store.volumes.get(number)?.freeze()?;
                // Nothing is written into it any more.
                let frozen = frozen.as_ref().ok_or_else(|| damaged(&from.join(disk::DATA_FILE)))?;
                &frozen.original
            }
        };
        let checked = original.check()?;
        let damaged = match &checked.damage {
            Some(damage) => vec![damage.clone()],
            None => {
                let opened = self.store.volumes.get(number)?;
                let (there, damaged) = carry::check_blocks(&opened, &from, volume.below, self.hooks)?;
                blocks.insert(number, there);
                damaged
            }
        };
        self.damaged.borrow_mut().extend(damaged);
        disk::make_dir(&self.new.join(&name))?;
        Ok(Some(RecordedVolume {
            number,
            sealed: false,
            how: How::Copied,
            file: self.carry(original, Some(&checked), &name, FILE_MODE)?,
        }))
    }

    fn carry_sealed(&self, number: u32, from: &Path, name: &Path, seal: Seal) -> Result<RecordedVolume, StoreError> {
        let (to, before) = (self.new.join(name), self.before.join(name));
        let (file, copy) = (from.join(disk::DATA_FILE), to.join(disk::DATA_FILE));
        let original = Original::at_rest(&file)?;
        if original.length != seal.bytes || (seal::is_sealed(from) && seal::manifest(from)? != seal) {
            return Err(damaged(&file));
        }
        disk::make_dir(&to)?;
        // First what is there, as it may be another file on the same disk: damage to one of them is not to both.
        let how = if is_copy(&before, &seal) && carry::link(&before.join(disk::DATA_FILE), &copy)? {
            if is_same(&file, &copy)? {
                How::Linked
            } else {
                How::Reused
            }
        } else if carry::link(&file, &copy)? {
            How::Linked
        } else {
            if self.carry(&original, None, name, seal::FILE_MODE)?.blake3 != seal.blake3 {
                return Err(damaged(&file));
            }
            How::Copied
        };
        seal::write_manifest(&to, &seal)?;
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
    fn look_for_missing_blocks(&self, blocks: &Blocks, named: Result<Blocks, StoreError>) {
        let mut damaged = self.damaged.borrow_mut();
        let named = named.unwrap_or_else(|error| {
            damaged.push(format!("the catalog cannot be read: {error}"));
            Blocks::new()
        });
        for (number, mut named) in named {
            let Some(there) = blocks.get(&number) else { continue };
            named -= there;
            let Some(first) = named.min() else { continue };
            let volume = self.store.volumes.folder(number);
            let (count, volume) = (named.len(), volume.display());
            damaged.push(format!("block {first} of {volume} is missing, and {} more", count - 1));
        }
    }

    fn folder(&self, store: &Path, number: u32) -> PathBuf {
        store.join(disk::VOLUMES).join(volumes::name(number))
    }
}

/// A volume, as the catalog has it at the moment of the backup.
struct Carrying<'c> {
    number: u32,
    state: Option<&'c VolumeState>,
    is_current: bool,
    /// Of the one that is written to.
    original: Option<&'c Original>,
    /// The catalog's next block: what is there from this on belongs to a later catalog.
    below: u64,
}

/// Whether a backup's folder holds the volume with this seal.
fn is_copy(folder: &Path, wanted: &Seal) -> bool {
    let length = fs::metadata(folder.join(disk::DATA_FILE)).map(|file| file.len());
    // One without a manifest, or that cannot be read, is copied anew.
    length.is_ok_and(|length| length == wanted.bytes) && seal::manifest(folder).is_ok_and(|seal| seal == *wanted)
}

/// Whether two names are of one file.
fn is_same(one: &Path, other: &Path) -> Result<bool, StoreError> {
    let place = |file: &Path| {
        fs::metadata(file)
            .map(|file| (file.dev(), file.ino()))
            .map_err(StoreError::io("looking at", file))
    };
    Ok(place(one)? == place(other)?)
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

/// The blocks that a catalog names in the volumes of `among`. Ends early when it is told to stop.
fn named_blocks(
    catalog: &Catalog,
    txn: &RoTxn<WithoutTls>,
    among: &BTreeSet<u32>,
    stop: &AtomicBool,
) -> Result<Blocks, StoreError> {
    let (mut named, mut places) = (Blocks::new(), Places::default());
    let failed = || StoreError::lmdb("reading", catalog.path());
    while let Some(page) = places.next(catalog, txn).map_err(failed())? {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        for (_, place) in page.iter().filter(|(_, place)| among.contains(&place.volume)) {
            // It may go on in one more, as blocks are not filled to the last byte.
            let end = place.offset.saturating_add(place.length).min(LONGEST);
            let more = end.saturating_sub(1) / block::BLOCK_SIZE as u64;
            let blocks = named.entry(place.volume).or_default();
            blocks.insert_range(place.block..=place.block.saturating_add(more));
        }
    }
    Ok(named)
}
