//! Volumes: the bytes, in LMDB environments that are filled one after the other.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use heed::{Database, Env, EnvOpenOptions, WithoutTls, types::Bytes};

use super::{StoreError, catalog::MAX_READERS, codec::Key, store};

/// Address space beyond `volume_size`: a group of blocks is never cut at the border, and the
/// largest message is a block by itself.
const MAP_MARGIN: u64 = 8 << 30;

/// Blocks that one group can at most leave in a volume when a crash comes between the two commits.
const MOST_LEFT_BEHIND: usize = 64;

/// One volume: block number → block, and what else is made of bytes.
#[derive(Clone)]
pub struct Volume {
    env: Env<WithoutTls>,
    path: PathBuf,
    blocks: Database<Key<u64>, Bytes>,
}

impl Volume {
    fn open(path: &Path, volume_size: u64) -> Result<Self, StoreError> {
        store::make_dir(path)?;
        let map_size = (volume_size + MAP_MARGIN) as usize & !0xffff;
        // SAFETY: the data directory is locked by this process, `Volumes` opens each environment
        // once, and it lies on a local file system.
        let env = unsafe {
            EnvOpenOptions::new()
                .read_txn_without_tls()
                .map_size(map_size)
                .max_readers(MAX_READERS)
                .max_dbs(4)
                .open(path)
        };
        let open = || {
            let env = env?;
            let mut txn = env.write_txn()?;
            let blocks = env.create_database(&mut txn, Some("blocks"))?;
            txn.commit()?;
            Ok(Self {
                env,
                path: path.to_owned(),
                blocks,
            })
        };
        let volume = open().map_err(StoreError::lmdb("opening the volume", path))?;
        store::sync_dir(path)?;
        Ok(volume)
    }

    /// Writes blocks and syncs them. For the committer's thread.
    ///
    /// # Errors
    /// Nothing was written, or it cannot be known whether it was: the store must be closed for writing.
    pub fn put(&self, blocks: &[(u64, Vec<u8>)]) -> Result<(), StoreError> {
        let put = || {
            let mut txn = self.env.write_txn()?;
            for (number, block) in blocks {
                self.blocks.put(&mut txn, number, block)?;
            }
            txn.commit()
        };
        put().map_err(StoreError::lmdb("writing the volume", &self.path))
    }

    /// Hands block `number` to `read`, or `None` where the volume has none of it.
    pub fn with_block<T>(&self, number: u64, read: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, StoreError> {
        let get = || {
            let txn = self.env.read_txn()?;
            Ok(read(self.blocks.get(&txn, &number)?))
        };
        get().map_err(StoreError::lmdb("reading the volume", &self.path))
    }

    /// Deletes the blocks from number `first` on, which a crash left without a catalog entry.
    ///
    /// # Errors
    /// There are more than one group can have left: then the catalog is older than the volume.
    fn sweep(&self, first: u64) -> Result<usize, StoreError> {
        let count = || {
            let txn = self.env.read_txn()?;
            let left = self.blocks.range(&txn, &(first..))?.take(MOST_LEFT_BEHIND + 1);
            left.map(|row| row.map(|_| 1)).sum::<heed::Result<usize>>()
        };
        match count().map_err(StoreError::lmdb("reading the volume", &self.path))? {
            0 => return Ok(0),
            left if left > MOST_LEFT_BEHIND => {
                let detail = format!(
                    "the volume {} is newer than the catalog; restore the catalog that belongs to it",
                    self.path.display()
                );
                return Err(StoreError::Damaged { detail });
            }
            _ => {}
        }
        let sweep = || {
            let mut txn = self.env.write_txn()?;
            let swept = self.blocks.delete_range(&mut txn, &(first..))?;
            txn.commit()?;
            Ok(swept)
        };
        sweep().map_err(StoreError::lmdb("sweeping the volume", &self.path))
    }

    /// Bytes of its pages in use.
    pub fn used(&self) -> Result<u64, StoreError> {
        self.env
            .non_free_pages_size()
            .map_err(StoreError::lmdb("measuring the volume", &self.path))
    }
}

/// All volumes of a store, each opened once, when it is first needed.
pub struct Volumes {
    path: PathBuf,
    volume_size: u64,
    open: Mutex<HashMap<u32, Arc<Volume>>>,
}

impl Volumes {
    pub fn new(path: PathBuf, volume_size: u64) -> Result<Self, StoreError> {
        store::make_dir(&path)?;
        Ok(Self {
            path,
            volume_size,
            open: Mutex::default(),
        })
    }

    fn folder(&self, number: u32) -> PathBuf {
        self.path.join(format!("{number:06}"))
    }

    /// Volume `number`, which must exist.
    pub fn get(&self, number: u32) -> Result<Arc<Volume>, StoreError> {
        if !self.folder(number).join("data.mdb").exists() {
            let detail = format!(
                "volume {} is missing; restore it from a backup",
                self.folder(number).display()
            );
            return Err(StoreError::Damaged { detail });
        }
        self.open_or_create(number)
    }

    /// Volume `number`, begun where there is none.
    pub fn open_or_create(&self, number: u32) -> Result<Arc<Volume>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(volume) = open.get(&number) {
            return Ok(volume.clone());
        }
        let volume = Arc::new(Volume::open(&self.folder(number), self.volume_size)?);
        store::sync_dir(&self.path)?;
        open.insert(number, volume.clone());
        Ok(volume)
    }

    /// Clears away what a crash between volume and catalog left: in the volume written to, and in
    /// one that was begun behind it.
    pub fn sweep(&self, current: u32, first_block: u64) -> Result<(), StoreError> {
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

    /// Whether a volume of this many bytes is full.
    pub fn is_full(&self, used: u64) -> bool {
        used >= self.volume_size
    }

    /// Bytes on disk of the store's volumes.
    pub fn disk_size(&self) -> u64 {
        let folders = fs::read_dir(&self.path).into_iter().flatten().flatten();
        folders
            .filter_map(|folder| store::disk_size(&folder.path().join("data.mdb")))
            .sum()
    }
}
