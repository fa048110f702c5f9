//! A volume: blocks of bytes, in an LMDB environment of its own.

use std::path::{Path, PathBuf};

use heed::{
    Database, Env, EnvFlags, EnvOpenOptions, RoTxn, WithoutTls,
    types::{Bytes, Str},
};
use serde::{Deserialize, Serialize};

use super::{
    StoreError,
    absence::Absence,
    block,
    codec::{Key, Row},
    disk, environment,
    environment::MAX_READERS,
    known::ArchiveId,
    layout::Layout,
    lock,
    original::Original,
    presence::{Held, MOUNT, missing},
    resident, seal,
};
use crate::fault;

/// Address space beyond what a volume is to hold: a group of blocks is never cut at the border.
const MAP_MARGIN: u64 = 8 << 30;

/// Blocks that one group could at most leave in a volume of schema 1 when a crash came between the two commits.
const MOST_LEFT_BEHIND: usize = 64;

/// Blocks compressed at once, before they are handed to LMDB: a large message is not held packed as a whole.
const PACKED_AT_ONCE: usize = 16;

const BLOCKS: &str = "blocks";
const META: &str = "meta";
const GROUP_KEY: &str = "group";
const ARCHIVE_KEY: &str = "archive";

/// What a volume knows of the group written last.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Group {
    /// The number of its first block.
    first: u64,
}

/// How a volume is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// By the one process that writes, which makes it where there is none.
    Writing,
    /// By the one process that writes, for whoever reads: nothing is made that is not there.
    Existing,
    /// By another process, beside the one that writes.
    Reading,
    /// Its file does not change any more.
    Sealed,
    /// Nobody else has it open, as in a restore that is not in place yet; nothing is written, not even a lock file.
    AtRest,
}

/// What is committed in a volume at one moment: blocks that are deleted later stand in the file until this is dropped.
pub(super) struct Frozen {
    pub original: Original,
    /// The first block of the group that was written last into it, where that is noted.
    pub last_group: Option<u64>,
    _txn: RoTxn<'static, WithoutTls>,
}

/// Block number → block.
pub struct Volume {
    env: Env<WithoutTls>,
    path: PathBuf,
    blocks: Database<Key<u64>, Bytes>,
    /// "group" → the group written last, "archive" → which archive it is of. Volumes of schema 1 have none, and such as
    /// were sealed before archives had ids do not have the second.
    meta: Option<Database<Str, Row<Group>>>,
    held: Vec<Held>,
}

impl Volume {
    /// `archive`: whose volume it must be, unless it does not say.
    pub(super) fn open(
        path: &Path,
        volume_size: u64,
        mode: Mode,
        archive: Option<ArchiveId>,
    ) -> Result<Self, StoreError> {
        let file = path.join(disk::DATA_FILE);
        if mode == Mode::Writing {
            disk::make_dir(path)?;
        }
        let length = match std::fs::metadata(&file) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && mode == Mode::Writing => 0,
            Err(error) => return Err(StoreError::io("opening the volume", file)(error)),
        };
        // A file of no bytes is what a crash leaves at the very beginning.
        if length > 0 || mode != Mode::Writing {
            environment::refuse_unreadable(&file)?;
        }
        if mode == Mode::Sealed {
            seal::refuse_other_length(path, length)?;
        }
        lock::refuse_linked_lock(path)?;
        // An archive can have very many that do not grow any more.
        let most = match mode {
            Mode::Sealed | Mode::AtRest => length + 0xffff,
            _ => volume_size.max(length) + MAP_MARGIN,
        };
        let map_size = most as usize & !0xffff;
        let flags = match mode {
            Mode::Writing | Mode::Existing => EnvFlags::empty(),
            Mode::Reading => EnvFlags::READ_ONLY,
            Mode::Sealed | Mode::AtRest => EnvFlags::READ_ONLY | EnvFlags::NO_LOCK,
        };
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.map_size(map_size).max_readers(MAX_READERS).max_dbs(4);
        // SAFETY: `Volumes` opens each environment once, only the process that has locked the data directory writes to
        // it, and only while it is not sealed; it lies on a local file system.
        let env = unsafe { options.flags(flags).open(path) };
        let open = || match mode {
            Mode::Writing => Self::make_tables(env?, path, archive),
            Mode::Existing | Mode::Reading | Mode::Sealed | Mode::AtRest => Self::find_tables(env?, path),
        };
        let mut volume = open().map_err(StoreError::lmdb("opening the volume", path))?;
        let own = volume.archive()?;
        if let (Some(own), Some(archive)) = (own, archive)
            && own != archive
        {
            return Err(volume.missing(Absence::OfAnother));
        }
        volume.held.push(Held::new(volume.what(), file, MOUNT)?);
        if matches!(mode, Mode::Writing | Mode::Existing) {
            volume.held.extend(environment::lock_held(path)?);
        }
        if mode == Mode::Writing {
            disk::sync_dir(path)?;
        }
        if mode == Mode::Reading {
            // Nobody else may come by who would.
            volume.forget_dead_readers()?;
        }
        Ok(volume)
    }

    fn make_tables(env: Env<WithoutTls>, path: &Path, archive: Option<ArchiveId>) -> heed::Result<Self> {
        let mut txn = env.write_txn()?;
        let blocks = env.create_database(&mut txn, Some(BLOCKS))?;
        let meta = env.create_database(&mut txn, Some(META))?;
        let own = meta.remap_data_type::<Row<ArchiveId>>();
        if let (Some(archive), None) = (archive, own.get(&txn, ARCHIVE_KEY)?) {
            own.put(&mut txn, ARCHIVE_KEY, &archive)?;
        }
        fault::point("volume-making")?;
        txn.commit()?;
        Ok(Self {
            env,
            path: path.to_owned(),
            blocks,
            meta: Some(meta),
            held: Vec::new(),
        })
    }

    fn find_tables(env: Env<WithoutTls>, path: &Path) -> heed::Result<Self> {
        let txn = env.read_txn()?;
        let blocks = env.open_database(&txn, Some(BLOCKS))?;
        let blocks = blocks.ok_or_else(|| heed::Error::Decoding("it has no blocks, so it is not a volume".into()))?;
        let meta = env.open_database(&txn, Some(META))?;
        txn.commit()?;
        Ok(Self {
            env,
            path: path.to_owned(),
            blocks,
            meta,
            held: Vec::new(),
        })
    }

    /// What is open of it.
    pub(super) fn held(&self) -> impl Iterator<Item = &Held> {
        self.held.iter()
    }

    /// Which archive it is of, where it says so.
    pub(super) fn archive(&self) -> Result<Option<ArchiveId>, StoreError> {
        self.reading(|txn| {
            let own = self.meta.map(|meta| meta.remap_data_type::<Row<ArchiveId>>());
            own.map_or(Ok(None), |own| own.get(txn, ARCHIVE_KEY))
        })
    }

    /// The names of values that nobody reads: they were damaged, and values of other names are missing.
    pub(super) fn unread_values(&self) -> Result<Vec<String>, StoreError> {
        self.reading(|txn| {
            let mut unread = Vec::new();
            if let Some(meta) = &self.meta {
                for row in meta.remap_types::<Bytes, Bytes>().iter(txn)? {
                    let (name, _) = row?;
                    if ![GROUP_KEY.as_bytes(), ARCHIVE_KEY.as_bytes()].contains(&name) {
                        unread.push(String::from_utf8_lossy(name).into_owned());
                    }
                }
            }
            Ok(unread)
        })
    }

    fn what(&self) -> String {
        format!("volume {}", self.path.file_name().unwrap_or_default().to_string_lossy())
    }

    fn missing(&self, how: Absence) -> StoreError {
        missing(&self.what(), &self.path.join(disk::DATA_FILE), how, MOUNT)
    }

    /// Writes a group's blocks and syncs them. For the committer's thread.
    ///
    /// # Errors
    /// Nothing was written, or it cannot be known whether it was: the store must be closed for writing.
    pub(super) fn put(&self, group: &Layout, level: i32) -> Result<(), StoreError> {
        let failed = || StoreError::lmdb("writing the volume", &self.path);
        let mut txn = self.env.write_txn().map_err(failed())?;
        // What a group left that did not reach the catalog.
        let left = self.blocks.delete_range(&mut txn, &(group.first()..));
        left.map_err(failed())?;
        StoreError::point("volume-writing")?;
        if let Some(meta) = &self.meta {
            let first = group.first();
            meta.put(&mut txn, GROUP_KEY, &Group { first }).map_err(failed())?;
        }
        let count = group.len() as usize;
        for from in (0..count).step_by(PACKED_AT_ONCE) {
            for (number, block) in group.pack(from..count.min(from + PACKED_AT_ONCE), level)? {
                self.blocks.put(&mut txn, &number, &block).map_err(failed())?;
            }
        }
        StoreError::point("volume-written")?;
        txn.commit().map_err(failed())?;
        self.held().for_each(Held::grew);
        StoreError::point("volume-synced")
    }

    /// Hands block `number` to `read`, or `None` where the volume has none of it.
    pub fn with_block<T>(&self, number: u64, read: impl FnOnce(Option<&[u8]>) -> T) -> Result<T, StoreError> {
        self.reading(|txn| Ok(read(self.blocks.get(txn, &number)?)))
    }

    fn reading<T>(&self, read: impl FnOnce(&RoTxn) -> heed::Result<T>) -> Result<T, StoreError> {
        let txn = self.read()?;
        read(&txn).map_err(StoreError::lmdb("reading the volume", &self.path))
    }

    /// A read transaction: hold it for as short as can be.
    pub(super) fn read(&self) -> Result<RoTxn<'_, WithoutTls>, StoreError> {
        resident::touched();
        self.env
            .read_txn()
            .map_err(StoreError::lmdb("reading the volume", &self.path))
    }

    /// Its blocks with their numbers, as bytes.
    pub(super) fn raw_blocks(&self) -> Database<Bytes, Bytes> {
        self.blocks.remap_types()
    }

    /// The number of the first block of the group written last; `None` in volumes of schema 1.
    pub(super) fn last_group(&self) -> Result<Option<u64>, StoreError> {
        self.reading(|txn| {
            let group = self.meta.map(|meta| meta.get(txn, GROUP_KEY)).transpose()?.flatten();
            Ok(group.map(|group| group.first))
        })
    }

    /// The blocks from number `from` on and below `below` as they are stored: so many that they have `most` bytes,
    /// or one more.
    pub(super) fn stored(&self, from: u64, below: u64, most: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.reading(|txn| {
            let (mut blocks, mut bytes) = (Vec::new(), 0);
            for row in self.blocks.range(txn, &(from..below))? {
                let (number, block) = row?;
                bytes += block.len();
                blocks.push((number, block.to_vec()));
                if bytes >= most {
                    break;
                }
            }
            Ok(blocks)
        })
    }

    /// What is committed in it at this moment, held until that is dropped; `None` where somebody wrote meanwhile.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn freeze(&self) -> Result<Option<Frozen>, StoreError> {
        let failed = || StoreError::lmdb("reading the volume", &self.path);
        let txn = self.env.clone().static_read_txn().map_err(failed())?;
        let original = Original::of_transaction(&self.path.join(disk::DATA_FILE), txn.id() as u64)?;
        let Some(original) = original else { return Ok(None) };
        let group = self
            .meta
            .map(|meta| meta.get(&txn, GROUP_KEY))
            .transpose()
            .map_err(failed())?;
        Ok(Some(Frozen {
            original,
            last_group: group.flatten().map(|group| group.first),
            _txn: txn,
        }))
    }

    /// Its blocks' numbers and raw lengths, from number `from` on, at most `most`.
    pub(super) fn lengths(&self, from: u64, most: usize) -> Result<Vec<(u64, u64)>, StoreError> {
        self.reading(|txn| {
            let rows = self.blocks.range(txn, &(from..))?.take(most);
            rows.map(|row| row.map(|(number, block)| (number, block::raw_length(block))))
                .collect()
        })
    }

    /// Deletes blocks that nothing refers to. For the committer's thread.
    ///
    /// # Errors
    /// Nothing was deleted, or it cannot be known whether it was.
    pub(super) fn delete(&self, numbers: &[u64]) -> Result<(), StoreError> {
        let delete = || {
            let mut txn = self.env.write_txn()?;
            for number in numbers {
                self.blocks.delete(&mut txn, number)?;
            }
            txn.commit()
        };
        delete().map_err(StoreError::lmdb("deleting in the volume", &self.path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many blocks it holds.
    pub(super) fn count(&self) -> Result<u64, StoreError> {
        self.reading(|txn| self.blocks.len(txn))
    }

    /// How many blocks there are from number `first` on, which a crash left without a catalog entry. `last` is the
    /// first block of the group that the catalog has as the last one in here.
    ///
    /// # Errors
    /// There are more than one group can have left: then the catalog is older than the volume. Or that last group is
    /// not in it: then the volume is older than the catalog.
    pub(super) fn left_behind(&self, first: u64, last: Option<u64>) -> Result<usize, StoreError> {
        let (last_group, left) = self.reading(|txn| {
            let group = self.meta.map(|meta| meta.get(txn, GROUP_KEY)).transpose()?.flatten();
            let left = self.blocks.range(txn, &(first..))?.take(MOST_LEFT_BEHIND + 1);
            Ok((group, left.map(|row| row.map(|_| 1)).sum::<heed::Result<usize>>()?))
        })?;
        if let Some(last) = last
            && last_group.is_none_or(|group| group.first < last)
        {
            return Err(self.missing(Absence::Older));
        }
        let newer = match last_group {
            Some(group) => group.first > first,
            None => left > MOST_LEFT_BEHIND,
        };
        match newer {
            true => Err(newer_than_the_catalog(&self.path)),
            false => Ok(left),
        }
    }

    /// Deletes the blocks from number `first` on.
    ///
    /// # Errors
    /// The volume cannot be written.
    pub(super) fn sweep(&self, first: u64) -> Result<usize, StoreError> {
        let sweep = || {
            let mut txn = self.env.write_txn()?;
            let swept = self.blocks.delete_range(&mut txn, &(first..))?;
            fault::point("open-sweeping")?;
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

    /// Bytes of free pages in its file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn free(&self) -> Result<u64, StoreError> {
        environment::free(&self.env).map_err(StoreError::lmdb("measuring the volume", &self.path))
    }

    pub(super) fn forget_dead_readers(&self) -> Result<(), StoreError> {
        let forgotten = self.env.clear_stale_readers();
        forgotten
            .map(drop)
            .map_err(StoreError::lmdb("looking for readers of", &self.path))
    }
}

/// The catalog is an older one: what is in the volume behind its last block must not be swept.
pub(super) fn newer_than_the_catalog(path: &Path) -> StoreError {
    let detail = format!(
        "the volume {} is newer than the catalog; restore the catalog that belongs to it",
        path.display()
    );
    StoreError::Damaged { detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{
        rows::UserId,
        test_bench::{Bench, config},
    };

    /// Another archive's volume was then taken for one from before that was noted.
    #[actix::test]
    async fn a_value_whose_name_was_damaged_was_as_if_it_had_never_been_noted() {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&config(&folder));
        bench.file("first", 1, &[UserId(1)]).await;
        let volume = bench.store.volumes.get(1).unwrap();
        assert_eq!(volume.unread_values().unwrap(), [""; 0]);
        let meta = volume.meta.unwrap().remap_types::<Str, Bytes>();
        let mut txn = volume.env.write_txn().unwrap();
        let own = meta.get(&txn, ARCHIVE_KEY).unwrap().unwrap().to_vec();
        meta.delete(&mut txn, ARCHIVE_KEY).unwrap();
        meta.put(&mut txn, "arcxive", &own).unwrap();
        txn.commit().unwrap();
        assert_eq!(volume.unread_values().unwrap(), ["arcxive"]);
        bench.close();
    }
}
