//! The volumes of a store, each opened once, when it is first needed.

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    StoreError, seal, store,
    volume::{Mode, Volume},
};

pub struct Volumes {
    path: PathBuf,
    volume_size: u64,
    /// Another process writes them, if any does.
    reading: bool,
    open: Mutex<HashMap<u32, Arc<Volume>>>,
}

impl Volumes {
    pub(super) fn new(path: PathBuf, volume_size: u64) -> Result<Self, StoreError> {
        store::make_dir(&path)?;
        Ok(Self {
            path,
            volume_size,
            reading: false,
            open: Mutex::default(),
        })
    }

    /// For a process that only reads.
    pub(super) fn for_reading(path: PathBuf, volume_size: u64) -> Self {
        Self {
            path,
            volume_size,
            reading: true,
            open: Mutex::default(),
        }
    }

    /// Where volume `number` lies.
    pub(super) fn folder(&self, number: u32) -> PathBuf {
        self.path.join(format!("{number:06}"))
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<u32, Arc<Volume>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The numbers of those that were opened.
    pub(super) fn opened_numbers(&self) -> Vec<u32> {
        self.opened().keys().copied().collect()
    }

    /// Volume `number`, which must exist.
    ///
    /// # Errors
    /// It is missing, cut short, or no volume.
    pub(super) fn get(&self, number: u32) -> Result<Arc<Volume>, StoreError> {
        let folder = self.folder(number);
        if !folder.join(store::DATA_FILE).exists() {
            let detail = format!("volume {} is missing; restore it from a backup", folder.display());
            return Err(StoreError::Damaged { detail });
        }
        let mode = match (seal::is_sealed(&folder), self.reading) {
            (true, _) => Mode::Sealed,
            (false, true) => Mode::Reading,
            (false, false) => Mode::Writing,
        };
        self.open(number, mode)
    }

    /// Volume `number`, begun where there is none. For the committer's thread.
    pub(super) fn open_or_create(&self, number: u32) -> Result<Arc<Volume>, StoreError> {
        self.open(number, Mode::Writing)
    }

    fn open(&self, number: u32, mode: Mode) -> Result<Arc<Volume>, StoreError> {
        let mut open = self.opened();
        if let Some(volume) = open.get(&number) {
            return Ok(volume.clone());
        }
        let volume = Arc::new(Volume::open(&self.folder(number), self.volume_size, mode)?);
        if mode == Mode::Writing {
            store::sync_dir(&self.path)?;
        }
        open.insert(number, volume.clone());
        Ok(volume)
    }

    /// Clears away what a crash between volume and catalog left: in the volume written to, and in
    /// one that was begun behind it.
    pub(super) fn sweep(&self, current: u32, first_block: u64) -> Result<(), StoreError> {
        for number in [current, current + 1] {
            if self.folder(number).exists() {
                let swept = self.open_or_create(number)?.sweep(first_block)?;
                if swept > 0 {
                    tracing::info!(volume = number, blocks = swept, "swept blocks that a crash left behind");
                }
            }
        }
        Ok(())
    }

    /// The numbers of the volumes there are, in their order.
    pub(super) fn numbers(&self) -> Result<Vec<u32>, StoreError> {
        let folders = fs::read_dir(&self.path).map_err(StoreError::io("reading", &self.path))?;
        let mut numbers = Vec::new();
        for folder in folders {
            let name = folder.map_err(StoreError::io("reading", &self.path))?.file_name();
            numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Removes volume `number`, of which nothing is needed any more.
    pub(super) fn remove(&self, number: u32) -> Result<(), StoreError> {
        // Whoever still reads in it keeps the file open.
        self.opened().remove(&number);
        let folder = self.folder(number);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::io("removing the volume", folder)(error))
            }
            _ => store::sync_dir(&self.path),
        }
    }

    /// Bytes of volume `number`'s file.
    pub(super) fn file_size(&self, number: u32) -> Result<u64, StoreError> {
        let file = self.folder(number).join(store::DATA_FILE);
        let metadata = fs::metadata(&file).map_err(StoreError::io("measuring", file))?;
        Ok(metadata.len())
    }

    /// Whether a volume of this many bytes is full.
    pub(super) fn is_full(&self, used: u64) -> bool {
        used >= self.volume_size
    }

    /// Bytes on disk of the store's volumes.
    pub fn disk_size(&self) -> u64 {
        let folders = fs::read_dir(&self.path).into_iter().flatten().flatten();
        folders
            .filter_map(|folder| store::disk_size(&folder.path().join(store::DATA_FILE)))
            .sum()
    }
}
