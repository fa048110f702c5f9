//! The volumes of a store, each opened once, when it is first needed.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::{Mutex, MutexGuard};

use super::{
    StoreError,
    absence::Absence,
    disk,
    known::ArchiveId,
    presence::{self, Held},
    seal,
    volume::{self, Mode, Volume},
};

/// The extension of a volume's folder on its way out.
const GONE: &str = "gone";

fn remove_folder(folder: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::io("removing", folder)(error)),
        _ => Ok(()),
    }
}

/// Lets this process have as many files open as it may: each volume that is read is one. For the beginning of the
/// process.
pub fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let most = rustix::process::Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        tracing::debug!(%error, "the number of open files stays limited");
    }
}

/// The name of volume `number`'s folder.
pub(super) fn name(number: u32) -> String {
    format!("{number:06}")
}

pub struct Volumes {
    path: PathBuf,
    volume_size: u64,
    /// Whose volumes they are, where that is known.
    archive: Option<ArchiveId>,
    /// Another process writes them, if any does.
    reading: bool,
    open: Mutex<HashMap<u32, Arc<Volume>>>,
    /// Volumes that are not to be opened, since opening them ended a process.
    refused: Mutex<BTreeSet<u32>>,
}

impl Volumes {
    /// For the one process that writes.
    pub(super) fn new(path: PathBuf, volume_size: u64, archive: Option<ArchiveId>) -> Result<Self, StoreError> {
        let volumes = Self {
            reading: false,
            ..Self::for_reading(path, volume_size, archive)
        };
        let is_gone = |folder: &&PathBuf| folder.extension().is_some_and(|extension| extension == GONE);
        volumes
            .folders()?
            .iter()
            .filter(is_gone)
            .try_for_each(|folder| remove_folder(folder))?;
        Ok(volumes)
    }

    /// For a process that only reads.
    pub(super) fn for_reading(path: PathBuf, volume_size: u64, archive: Option<ArchiveId>) -> Self {
        Self {
            path,
            volume_size,
            archive,
            reading: true,
            open: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// Where volume `number` lies.
    pub(super) fn folder(&self, number: u32) -> PathBuf {
        self.path.join(name(number))
    }

    fn opened(&self) -> MutexGuard<'_, HashMap<u32, Arc<Volume>>> {
        self.open.lock()
    }

    fn refused(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.refused.lock()
    }

    /// These are not to be opened from now on.
    pub(super) fn refuse(&self, volumes: BTreeSet<u32>) {
        *self.refused() = volumes;
    }

    /// Volume `number`, which must exist.
    ///
    /// # Errors
    /// It is missing, cut short, or no volume.
    pub(super) fn get(&self, number: u32) -> Result<Arc<Volume>, StoreError> {
        // Until it is open, it is not removed.
        let mut opened = self.opened();
        if let Some(volume) = opened.get(&number) {
            // Reading beyond the end of a file that was cut short ends the process.
            volume.held().try_for_each(Held::check)?;
            return Ok(volume.clone());
        }
        let folder = self.folder(number);
        if let Err(how) = presence::length(&folder.join(disk::DATA_FILE)) {
            return Err(self.missing(number, how));
        }
        if self.refused().contains(&number) {
            let detail = format!(
                "opening volume {} crashes the process; restore it from a backup",
                folder.display()
            );
            return Err(StoreError::Damaged { detail });
        }
        let mode = match (seal::is_sealed(&folder), self.reading) {
            (true, _) => Mode::Sealed,
            (false, true) => Mode::Reading,
            (false, false) => Mode::Existing,
        };
        self.open(&mut opened, number, mode)
    }

    /// Whether volume `number` is open; then it is looked at.
    ///
    /// # Errors
    /// It is not where it was.
    pub(super) fn check(&self, number: u32) -> Result<bool, StoreError> {
        match self.opened().get(&number) {
            Some(volume) => volume.held().try_for_each(Held::check).map(|()| true),
            None => Ok(false),
        }
    }

    /// Volume `number`, to be written to. For the committer's thread.
    pub(super) fn to_write(&self, number: u32, begun: bool) -> Result<Arc<Volume>, StoreError> {
        let has = presence::length(&self.folder(number).join(disk::DATA_FILE));
        match has {
            Ok(0) if begun => return Err(self.missing(number, Absence::Empty)),
            Err(how) if begun || how != Absence::NotThere => return Err(self.missing(number, how)),
            _ => {}
        }
        self.open(&mut self.opened(), number, Mode::Writing)
    }

    fn open(&self, open: &mut HashMap<u32, Arc<Volume>>, number: u32, mode: Mode) -> Result<Arc<Volume>, StoreError> {
        if let Some(volume) = open.get(&number) {
            return Ok(volume.clone());
        }
        let volume = Arc::new(Volume::open(
            &self.folder(number),
            self.volume_size,
            mode,
            self.archive,
        )?);
        if mode == Mode::Writing {
            StoreError::point("volume-made")?;
            disk::sync_dir(&self.path)?;
        }
        open.insert(number, volume.clone());
        Ok(volume)
    }

    /// What a crash between volume and catalog left: in the volume written to, or in one that was begun behind it. The
    /// catalog has `last` as the last group in the one written to.
    ///
    /// # Errors
    /// One of them does not go with the catalog. A crash leaves blocks of one group, so in one volume: where there are
    /// some in two, or another volume behind, the catalog is an older one.
    pub(super) fn left_behind(
        &self,
        current: u32,
        first_block: u64,
        last: Option<u64>,
    ) -> Result<Option<Arc<Volume>>, StoreError> {
        let later = self.numbers()?.into_iter().find(|number| *number > current + 1);
        if let Some(later) = later
            && presence::length(&self.folder(later).join(disk::DATA_FILE)).is_ok_and(|has| has > 0)
        {
            return Err(volume::newer_than_the_catalog(&self.folder(later)));
        }
        let mut found = None;
        for (number, last) in [(current, last), (current + 1, None)] {
            if !self.folder(number).exists() {
                continue;
            }
            let volume = self.to_write(number, last.is_some())?;
            if volume.left_behind(first_block, last)? > 0 && found.replace(volume).is_some() {
                return Err(volume::newer_than_the_catalog(&self.folder(number)));
            }
        }
        Ok(found)
    }

    /// Clears away what a crash left.
    ///
    /// # Errors
    /// As [`left_behind`](Self::left_behind), and then nothing was deleted; or a volume cannot be written.
    pub(super) fn sweep(&self, current: u32, first_block: u64, last: Option<u64>) -> Result<(), StoreError> {
        if let Some(volume) = self.left_behind(current, first_block, last)? {
            let blocks = volume.sweep(first_block)?;
            tracing::info!(volume = %volume.path().display(), blocks, "removed blocks that a crash left behind");
        }
        Ok(())
    }

    /// Lets go of pages that dead readers of the open volumes kept.
    pub(super) fn forget_dead_readers(&self) -> Result<(), StoreError> {
        let open: Vec<_> = self.opened().values().cloned().collect();
        open.iter().try_for_each(|volume| volume.forget_dead_readers())
    }

    /// The numbers of the volumes there are, in their order.
    pub(super) fn numbers(&self) -> Result<Vec<u32>, StoreError> {
        let mut numbers: Vec<u32> = self.folders()?.iter().filter_map(|path| self.number(path)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// What lies among the volumes and is none.
    pub(super) fn foreign(&self) -> Result<Vec<PathBuf>, StoreError> {
        let mut folders = self.folders()?;
        folders.retain(|path| self.number(path).is_none());
        Ok(folders)
    }

    fn folders(&self) -> Result<Vec<PathBuf>, StoreError> {
        let failed = || StoreError::io("reading", &self.path);
        let folders = match fs::read_dir(&self.path) {
            // Where something should be in it, that is found missing one by one.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            folders => folders.map_err(failed())?,
        };
        folders.map(|folder| Ok(folder.map_err(failed())?.path())).collect()
    }

    /// The number of the volume that lies in `folder`.
    fn number(&self, folder: &Path) -> Option<u32> {
        let number = folder.file_name()?.to_str()?.parse().ok()?;
        (self.folder(number) == folder).then_some(number)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes volume `number`, of which nothing is needed any more.
    pub(super) fn remove(&self, number: u32) -> Result<(), StoreError> {
        let folder = self.folder(number);
        let gone = folder.with_extension(GONE);
        remove_folder(&gone)?;
        {
            // Whoever still reads in it keeps the file open, and nobody finds it half removed.
            let mut opened = self.opened();
            opened.remove(&number);
            match fs::rename(&folder, &gone) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(StoreError::io("removing the volume", folder)(error));
                }
                _ => {}
            }
        }
        StoreError::point("volume-moved-away")?;
        remove_folder(&gone)?;
        StoreError::point("volume-removed")?;
        disk::sync_dir(&self.path)
    }

    /// Bytes of volume `number`'s file.
    pub(super) fn file_size(&self, number: u32) -> Result<u64, StoreError> {
        let file = self.folder(number).join(disk::DATA_FILE);
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
            .filter_map(|folder| disk::disk_size(&folder.path().join(disk::DATA_FILE)))
            .sum()
    }
}
