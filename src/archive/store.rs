//! A data directory, opened: locked, checked, with catalog and volumes.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use super::{
    StoreError,
    access::{make_data_dir, require_own},
    blocks::{self, Blocks},
    catalog::Catalog,
    disk::{
        CATALOG, DATA_FILE, DIR_MODE, HARMLESS, VOLUMES, disk_size, make_dir, refuse_network_file_systems, sync_dir,
    },
    environment, known,
    lock::{self, Lock, Locked},
    lookout::Lookout,
    pages::Budget,
    recomputed::Recomputed,
    resident,
    rows::Counters,
    seal, staging,
    turn::Turn,
    volumes::Volumes,
    waiting,
};
use crate::ids::GroupNumber;
use crate::{config::Config, panics::survived};

/// How much of the catalog's pages is looked at before LMDB trusts them: less by the commands that never make
/// an archive, as of most of them somebody waits for the first line.
const GLANCE: Budget = Budget {
    time: Duration::from_millis(500),
    pages: u64::MAX,
};
pub(super) const SHORT_GLANCE: Budget = Budget { pages: 512, ..GLANCE };

/// What is done where there is no archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It is said that there is none, and nothing is left behind: for whoever wants to read in one.
    Refused,
    /// A new one is made, but not where another one should be.
    Made,
    /// A new one is made in any case.
    MadeAnyhow,
}

impl Absent {
    /// For a command that makes an archive; `new` is its `--new`.
    pub fn made(new: bool) -> Self {
        if new { Self::MadeAnyhow } else { Self::Made }
    }
}

/// How long who reads waits for another process to make the archive, and how often it looks.
const MAKING: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);
/// Bytes that the catalog of an archive has at most as long as it is being made.
const NEW: u64 = 256 << 10;

/// An opened data directory. One process has it open at a time.
pub struct Store {
    pub(super) catalog: Catalog,
    pub(super) volumes: Volumes,
    pub(super) path: PathBuf,
    made: bool,
    pub(super) lookout: Lookout,
    /// Counts the volumes removed, and with them what may have moved since a row was read.
    removals: AtomicU64,
    /// A full disk kept what a crash left from being swept; it is swept before anything is written.
    unswept: AtomicBool,
    /// Whose turn it is to seal or to compact.
    pub(super) tidying: Turn,
    pub(super) recomputed: Recomputed,
    /// The last group that this process has written.
    pub(super) written: watch::Sender<GroupNumber>,
    /// Uncompressed, for all who read.
    pub(super) blocks: Blocks,
    /// Held as long as the store is open: by the one process that writes, or by the others.
    pub(super) lock: Option<Lock>,
    _readers: Option<Locked>,
}

impl Store {
    /// Whether there is an archive to be opened in the data directory, and none to be made.
    pub fn is_there(config: &Config) -> bool {
        !is_fresh(&config.data_dir)
    }

    /// Opens the data directory of the configuration, and makes it where there is none.
    ///
    /// # Errors
    /// It is in use, not ours, of a newer schema, on a network file system, or cannot be read.
    pub fn open(config: &Config) -> Result<Self, StoreError> {
        Self::open_or(config, Absent::MadeAnyhow)
    }

    /// Opens the data directory of the configuration, the one process that writes.
    ///
    /// # Errors
    /// There is no archive, where that is refused, or not all of it is there; or as [`open`](Self::open).
    pub fn open_or(config: &Config, absent: Absent) -> Result<Self, StoreError> {
        let opened = survived("opening the data directory", || Self::open_to_write(config, absent));
        opened.unwrap_or_else(|panicked| {
            Err(StoreError::Panicked {
                path: config.data_dir.clone(),
                panicked,
            })
        })
    }

    /// Opens a data directory of which a part is missing: what there is of it can be read, and what is read be noted.
    /// Nothing else can be written.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_incomplete(config: &Config) -> Result<Self, StoreError> {
        let opened = survived("opening the data directory", || {
            Self::open_whole_or_not(config, Absent::Refused, false)
        });
        opened.unwrap_or_else(|panicked| {
            Err(StoreError::Panicked {
                path: config.data_dir.clone(),
                panicked,
            })
        })
    }

    fn open_to_write(config: &Config, absent: Absent) -> Result<Self, StoreError> {
        Self::open_whole_or_not(config, absent, true)
    }

    fn open_whole_or_not(config: &Config, absent: Absent, whole: bool) -> Result<Self, StoreError> {
        let path = &config.data_dir;
        require_own(path)?;
        if is_fresh(path) {
            refuse_to_make(config, absent)?;
        }
        make_data_dir(path)?;
        StoreError::point("open-folder")?;
        refuse_network_file_systems(path)?;
        let lock = lock::lock(path)?;
        // Somebody may have been faster.
        let fresh = is_fresh(path);
        fs::set_permissions(path, Permissions::from_mode(DIR_MODE))
            .map_err(StoreError::io("closing to others", path))?;
        StoreError::point("open-locked")?;
        waiting::apply(path)?;
        waiting::own_files(path)?;
        let folder = path.join(CATALOG);
        make_dir(&folder)?;
        StoreError::point("open-catalog-folder")?;
        if !fresh {
            environment::refuse_unreadable(&folder.join(DATA_FILE))?;
            let glance = match absent {
                Absent::Refused => SHORT_GLANCE,
                _ => GLANCE,
            };
            environment::refuse_damaged(&folder.join(DATA_FILE), glance)?;
        }
        let catalog = Catalog::open(&folder)?;
        StoreError::point("open-catalog")?;
        let volumes = Volumes::new(path.join(VOLUMES), config.archive.volume_size.0, catalog.id())?;
        if fresh {
            make_dir(volumes.path())?;
        }
        StoreError::point("open-volumes")?;
        if fresh {
            [&folder, path].into_iter().try_for_each(|folder| sync_dir(folder))?;
            StoreError::point("open-synced")?;
            tracing::info!(path = %path.display(), "made a new archive");
        }
        let store = Self {
            lookout: Lookout::over(&catalog)?,
            catalog,
            volumes,
            path: path.clone(),
            made: fresh,
            removals: AtomicU64::new(0),
            unswept: AtomicBool::new(true),
            tidying: Turn::default(),
            recomputed: Recomputed::default(),
            written: watch::Sender::default(),
            blocks: Blocks::new(blocks::AT_HAND),
            lock: Some(lock),
            _readers: None,
        };
        let counters = store.reading(|txn| store.catalog.counters(txn))?;
        if whole {
            store.look_at_opening()?;
        }
        match absent {
            _ if !whole => {}
            // Who only reads deletes nothing, whatever there is.
            Absent::Refused => {
                let last = store.reading(|txn| store.catalog.last_group(txn, counters.volume))?;
                store
                    .volumes
                    .left_behind(counters.volume, counters.block, last)
                    .map(drop)?;
            }
            // What is there can be read on a full disk too.
            _ => match store.sweep_before_writing(&counters) {
                Err(StoreError::Full { .. }) => {}
                swept => swept?,
            },
        }
        StoreError::point("open-swept")?;
        if let (Some(id), true) = (store.catalog.id(), absent != Absent::Refused) {
            known::note(config, &id);
        }
        Ok(store)
    }

    /// Opens the data directory to read in it, beside the process that writes if there is one. Nothing is
    /// written but the marks by which LMDB's readers know of each other.
    ///
    /// # Errors
    /// There is no store, or not of the present schema, or it cannot be read.
    pub fn open_for_reading(config: &Config) -> Result<Self, StoreError> {
        let started = Instant::now();
        loop {
            match Self::open_to_read(config) {
                // Another process is just making it.
                Err(StoreError::NotOurs { .. } | StoreError::Damaged { .. })
                    if started.elapsed() < MAKING && is_small(&config.data_dir) && lock::is_held(&config.data_dir) =>
                {
                    thread::sleep(LOOK);
                }
                opened => return opened,
            }
        }
    }

    fn open_to_read(config: &Config) -> Result<Self, StoreError> {
        let path = &config.data_dir;
        let folder = path.join(CATALOG);
        let file = folder.join(DATA_FILE);
        if !file.exists() {
            staging::refuse_unfinished(path)?;
            refuse_volumes_without_catalog(path)?;
            return Err(known::none(config));
        }
        refuse_network_file_systems(path)?;
        let readers = lock::lock_out_removal(path)?;
        waiting::apply_for_reading(path)?;
        environment::refuse_unreadable(&file)?;
        let catalog = Catalog::open_for_reading(&folder)?;
        Ok(Self {
            lookout: Lookout::over(&catalog)?,
            volumes: Volumes::for_reading(path.join(VOLUMES), config.archive.volume_size.0, catalog.id()),
            catalog,
            path: path.clone(),
            made: false,
            removals: AtomicU64::new(0),
            unswept: AtomicBool::new(false),
            tidying: Turn::default(),
            recomputed: Recomputed::default(),
            written: watch::Sender::default(),
            blocks: Blocks::new(blocks::AT_HAND),
            lock: None,
            _readers: readers,
        })
    }

    /// Whether it was not there before it was opened.
    pub fn is_new(&self) -> bool {
        self.made
    }

    /// Sweeps what could not be swept when the store was opened, or was left since: the next group has the numbers of those
    /// blocks.
    ///
    /// # Errors
    /// The disk is still full.
    pub(super) fn sweep_before_writing(&self, counters: &Counters) -> Result<(), StoreError> {
        if self.unswept.load(Ordering::Acquire) {
            let last = self.reading(|txn| self.catalog.last_group(txn, counters.volume))?;
            self.volumes.sweep(counters.volume, counters.block, last)?;
            self.unswept.store(false, Ordering::Release);
        }
        Ok(())
    }

    /// Has what a group left that found no room for its rows swept before the next one.
    pub(super) fn sweep_again(&self) {
        self.unswept.store(true, Ordering::Release);
    }

    /// Runs `remove` unless somebody reads beside us; says whether it did.
    ///
    /// # Errors
    /// Those of `remove`, or the lock is not available.
    pub(super) fn unless_read(&self, remove: impl FnOnce() -> Result<(), StoreError>) -> Result<bool, StoreError> {
        let alone = lock::lock_out_readers(&self.path)?;
        alone.map_or(Ok(false), |_alone| remove().map(|()| true))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What tells this archive from others, in hexadecimal; empty in one that was not written to since there are ids.
    pub fn id(&self) -> String {
        self.catalog.id().map(hex::encode).unwrap_or_default()
    }

    pub(super) fn removals(&self) -> u64 {
        self.removals.load(Ordering::Acquire)
    }

    /// Removes a volume that nothing refers to.
    pub(super) fn remove_volume(&self, number: u32) -> Result<bool, StoreError> {
        self.unless_read(|| self.removing(|| self.volumes.remove(number)))
    }

    /// Removes bytes to which a row read before may still point; whoever fails over them reads the row again.
    pub(super) fn removing<T>(&self, remove: impl FnOnce() -> T) -> T {
        self.removals.fetch_add(1, Ordering::Release);
        remove()
    }

    /// Lets go of the pages that are mapped of the store: they are the system's cache, but count as resident. For
    /// whoever reads much of it.
    pub fn release_pages(&self) {
        resident::release(&self.path);
    }

    /// Bytes on disk of catalog and volumes.
    pub fn disk_size(&self) -> u64 {
        self.volumes.disk_size() + disk_size(&self.catalog.path().join(DATA_FILE)).unwrap_or_default()
    }

    /// Bytes of free pages within the catalog's file and that of the volume which is written to.
    ///
    /// # Errors
    /// One of them cannot be measured.
    pub fn free_pages(&self) -> Result<(u64, u64), StoreError> {
        let current = self.reading(|txn| self.catalog.counters(txn))?.volume;
        let volume = match self.volumes.folder(current).join(DATA_FILE).exists() {
            true => self.volumes.get(current)?.free()?,
            // Nothing was written into it yet.
            false => 0,
        };
        Ok((self.catalog.free()?, volume))
    }

    /// How many volumes there are that are not complete, and how many that are.
    ///
    /// # Errors
    /// Their folder cannot be read.
    pub fn count_volumes(&self) -> Result<(usize, usize), StoreError> {
        let numbers = self.volumes.numbers()?;
        let sealed = numbers
            .iter()
            .filter(|number| seal::is_sealed(&self.volumes.folder(**number)));
        let sealed = sealed.count();
        Ok((numbers.len() - sealed, sealed))
    }

    /// Lets go of the pages that readers in other processes kept from being used again, where those processes
    /// were killed.
    ///
    /// # Errors
    /// An environment cannot say who reads in it.
    pub fn forget_dead_readers(&self) -> Result<(), StoreError> {
        self.catalog.forget_dead_readers()?;
        self.volumes.forget_dead_readers()
    }

    /// Bytes that the data directory's file system has left for us, and how many it has in all.
    pub fn disk(&self) -> Option<(u64, u64)> {
        let stat = rustix::fs::statvfs(&self.path).ok()?;
        Some((stat.f_bavail * stat.f_frsize, stat.f_blocks * stat.f_frsize))
    }
}

/// Whether there is no catalog in it. A file of no bytes is what a crash leaves at the very beginning.
fn is_fresh(path: &Path) -> bool {
    fs::metadata(path.join(CATALOG).join(DATA_FILE)).map_or(true, |file| file.len() == 0)
}

/// Whether its catalog is no larger than that of a new archive.
fn is_small(path: &Path) -> bool {
    fs::metadata(path.join(CATALOG).join(DATA_FILE)).map_or(true, |file| file.len() <= NEW)
}

/// Refuses to make an archive where there may be more than nothing, or where none is wanted.
fn refuse_to_make(config: &Config, absent: Absent) -> Result<(), StoreError> {
    let path = &config.data_dir;
    staging::refuse_unfinished(path)?;
    refuse_volumes_without_catalog(path)?;
    match absent {
        Absent::Refused => return Err(known::none(config)),
        Absent::Made => known::refuse_new(config)?,
        Absent::MadeAnyhow => {}
    }
    match path.exists() {
        true => refuse_foreign_files(path),
        false => Ok(()),
    }
}

/// Keeps volumes and blocks from being removed as long as the result is held.
///
/// # Errors
/// There is no store, or the lock is not available.
pub(super) fn shut_out_removal(config: &Config) -> Result<Option<Locked>, StoreError> {
    let path = &config.data_dir;
    if !path.join(CATALOG).join(DATA_FILE).exists() {
        staging::refuse_unfinished(path)?;
        if !path.join(VOLUMES).exists() {
            return Err(known::none(config));
        }
    }
    let readers = lock::lock_out_removal(path)?;
    waiting::apply_for_reading(path)?;
    Ok(readers)
}

fn refuse_foreign_files(path: &Path) -> Result<(), StoreError> {
    let entries = fs::read_dir(path).map_err(StoreError::io("reading", path))?;
    let mut names = entries.flatten().map(|entry| entry.file_name());
    // A crash while the store was made leaves these, with no catalog in them yet.
    let ours = |name: &str| HARMLESS.contains(&name) || name == CATALOG || name == VOLUMES;
    match names.all(|name| name.to_str().is_some_and(ours)) {
        true => Ok(()),
        false => Err(StoreError::NotOurs { path: path.to_owned() }),
    }
}

/// A store's catalog is on disk before its first volume is begun; so volumes without one are what is left of a
/// store, and a new catalog beside them would have them swept.
fn refuse_volumes_without_catalog(path: &Path) -> Result<(), StoreError> {
    let volumes = fs::read_dir(path.join(VOLUMES)).into_iter().flatten().flatten();
    match volumes
        .map(|folder| folder.path().join(DATA_FILE))
        .find(|file| file.exists())
    {
        None => Ok(()),
        Some(volume) => Err(StoreError::Damaged {
            detail: format!(
                "{} exists, but the catalog in {} is missing; restore it from a backup",
                volume.display(),
                path.join(CATALOG).display()
            ),
        }),
    }
}

/// Whether an archive was begun in the folder.
pub fn has_archive(path: &Path) -> bool {
    !is_fresh(path)
}
