//! The files of the index, as the library reads and writes them: [sealed](super::sealed), so that it reads nothing that
//! is not as it was written, and synced together when a commit names them. They are [mapped](crate::mapped), so that one
//! that is lost while it is read ends nothing else. What came of reading it counts for nothing then: a commit is refused
//! here, and whoever searched [looks](Files::look).
//!
//! The library keeps a list of the files that it made, to remove those that are not needed any more, and writes and
//! syncs it before each of them. Here the folder itself is that list.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    ops::Range,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use tantivy::{
    Directory, HasLen,
    directory::{
        AntiCallToken, DirectoryLock, FileHandle, Lock, MmapDirectory, OwnedBytes, TerminatingWrite, WatchCallback,
        WatchHandle, WritePtr,
        error::{DeleteError, LockError, OpenDirectoryError, OpenReadError, OpenWriteError},
    },
};

use super::{
    error::again,
    sealed::{Seal, Sealing, sealed},
};
use crate::{durable, fault, mapped::Map};

/// What the library calls its list of files.
const LIST: &str = ".managed.json";
/// Only the owner reads what is written here.
const MODE: u32 = 0o600;

/// The folder of an index.
#[derive(Clone)]
pub(super) struct Files {
    path: PathBuf,
    /// The library's own, for what is not read or written.
    folder: MmapDirectory,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    open: Mutex<HashMap<PathBuf, Weak<Checked>>>,
    /// Files that were written and are not on disk yet.
    unsynced: Mutex<HashSet<PathBuf>>,
    /// What was found not to be as it was written.
    damage: Mutex<Option<String>>,
    /// Why something was not written: the library tells some of it in its own words only.
    failure: Mutex<Option<io::Error>>,
    /// Something of what is mapped was lost.
    lost: Arc<AtomicBool>,
    /// Nothing is written here any more.
    is_let_go: AtomicBool,
    locks: Mutex<Vec<Weak<Mutex<Option<DirectoryLock>>>>>,
}

/// A lock that is also given back when the files are let go.
struct Locked(Arc<Mutex<Option<DirectoryLock>>>);

impl Drop for Locked {
    fn drop(&mut self) {
        self.0.lock().take();
    }
}

impl Files {
    pub fn open(path: &Path) -> Result<Self, OpenDirectoryError> {
        Ok(Self {
            path: path.into(),
            folder: MmapDirectory::open(path)?,
            shared: Arc::default(),
        })
    }

    /// What anybody found damaged since it was opened: the library merely gives up what it was about, as a merge.
    pub fn damage(&self) -> Option<String> {
        if self.shared.lost.load(Ordering::SeqCst) {
            let lost = "one of its files was cut off, or its disk failed, while it was read";
            self.shared.damage.lock().get_or_insert_with(|| lost.into());
        }
        self.shared.damage.lock().clone()
    }

    /// The same, where what came of reading it counts: looks at its files, too.
    pub fn look(&self) -> Option<String> {
        let open: Vec<_> = self.shared.open.lock().values().filter_map(Weak::upgrade).collect();
        for checked in open {
            // The end of a page behind the end of the file reads as zeros, and nobody is told.
            let now = fs::metadata(self.path.join(&checked.path)).map(|now| now.len());
            if now.is_ok_and(|now| now != checked.bytes.len() as u64) {
                self.shared
                    .note(&checked.path, &damaged("it has another length than before"));
            }
        }
        self.damage()
    }

    /// Takes why something was not written, the last time.
    pub fn failure(&self) -> Option<io::Error> {
        self.shared.failure.lock().take()
    }

    /// Reads all of a file, whatever was found as it was written before.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn check(&self, path: &Path) -> io::Result<()> {
        let map = self.map(path)?;
        let seal = Seal::read(&map)?;
        seal.check(&map, 0..seal.length())
    }

    fn map(&self, path: &Path) -> io::Result<Map> {
        Map::of(&File::open(self.path.join(path))?, &self.shared.lost)
    }

    /// Lets another one write them: whoever has these writes, removes and locks nothing from now on.
    pub fn let_go(&self) {
        self.shared.is_let_go.store(true, Ordering::SeqCst);
        let locks = std::mem::take(&mut *self.shared.locks.lock());
        locks
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|lock| drop(lock.lock().take()));
    }

    fn are_ours(&self) -> io::Result<()> {
        match self.shared.is_let_go.load(Ordering::SeqCst) {
            true => Err(io::Error::other("another thread writes the index now")),
            false => Ok(()),
        }
    }

    /// Whether these are the same files, opened once.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Notes an error that is damage.
    fn noting<T>(&self, path: &Path, read: io::Result<T>) -> Result<T, OpenReadError> {
        read.map_err(|error| {
            self.shared.note(path, &error);
            OpenReadError::wrap_io_error(error, path.into())
        })
    }

    fn sync_written(&self) -> io::Result<()> {
        let mut unsynced = self.shared.unsynced.lock();
        for file in unsynced.iter() {
            match File::open(self.path.join(file)) {
                Ok(open) => open.sync_data()?,
                // A merge that was given up.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        unsynced.clear();
        Ok(())
    }
}

impl Shared {
    /// Keeps why something was not written; the library is given the same.
    fn keep<T>(&self, written: io::Result<T>) -> io::Result<T> {
        written.inspect_err(|error| *self.failure.lock() = Some(again(error)))
    }

    fn note(&self, path: &Path, error: &io::Error) {
        if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::NotFound) {
            self.damage
                .lock()
                .get_or_insert_with(|| format!("{}: {error}", path.display()));
        }
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "Files({})", self.path.display())
    }
}

impl Directory for Files {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let mut open = self.shared.open.lock();
        if let Some(checked) = open.get(path).and_then(Weak::upgrade) {
            return Ok(checked);
        }
        let map = self.map(path).map_err(|error| {
            self.shared.note(path, &error);
            match error.kind() {
                io::ErrorKind::NotFound => OpenReadError::FileDoesNotExist(path.into()),
                _ => OpenReadError::wrap_io_error(error, path.into()),
            }
        })?;
        let bytes = OwnedBytes::new(map);
        let checked = Arc::new(Checked {
            seal: self.noting(path, Seal::read(&bytes))?,
            bytes,
            path: path.into(),
            shared: self.shared.clone(),
        });
        open.retain(|_, checked| checked.strong_count() > 0);
        open.insert(path.into(), Arc::downgrade(&checked));
        Ok(checked)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.are_ours().map_err(|error| DeleteError::IoError {
            io_error: Arc::new(error),
            filepath: path.into(),
        })?;
        self.shared.unsynced.lock().remove(path);
        self.folder.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.folder.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let failed = |error| {
            *self.shared.failure.lock() = Some(again(&error));
            OpenWriteError::wrap_io_error(error, path.into())
        };
        self.are_ours().map_err(failed)?;
        fault::point("index-file").map_err(failed)?;
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(self.path.join(path));
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(path.into()),
            _ => failed(error),
        })?;
        let writing = Writing {
            file,
            sealing: Sealing::default(),
            path: path.into(),
            shared: self.shared.clone(),
        };
        Ok(WritePtr::new(Box::new(writing)))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        if path == Path::new(LIST) {
            return self.noting(path, list(&self.path));
        }
        let mut file = match fs::read(self.path.join(path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenReadError::FileDoesNotExist(path.into()));
            }
            read => self.noting(path, read)?,
        };
        let seal = self.noting(path, Seal::read(&file))?;
        self.noting(path, seal.check(&file, 0..seal.length()))?;
        file.truncate(seal.length());
        Ok(file)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        if path == Path::new(LIST) {
            return Ok(());
        }
        self.are_ours()?;
        // What was lost was taken for zeros, as by a merge.
        if let Some(damage) = self.look() {
            return Err(damaged(&damage));
        }
        // Whatever it names is on disk before.
        self.shared.keep(self.sync_written())?;
        fault::point("index-synced")?;
        let replaced = durable::replace(&self.path.join(path), &sealed(data), || {
            fault::point("index-committing")
        });
        self.shared.keep(replaced)?;
        fault::point("index-committed")
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.are_ours().map_err(|error| LockError::IoError(Arc::new(error)))?;
        let lock = Arc::new(Mutex::new(Some(self.folder.acquire_lock(lock)?)));
        let mut locks = self.shared.locks.lock();
        locks.retain(|lock| lock.strong_count() > 0);
        locks.push(Arc::downgrade(&lock));
        Ok(DirectoryLock::from(Box::new(Locked(lock))))
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.folder.watch(callback)
    }
}

fn damaged(how: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, how)
}

/// The library's list of files: all that lies there but what begins with a dot, which are locks.
fn list(folder: &Path) -> io::Result<Vec<u8>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        names.extend(name.into_string().ok().filter(|name| !name.starts_with('.')));
    }
    Ok(serde_json::to_vec(&names)?)
}

/// A file that is read through a map.
struct Checked {
    seal: Seal,
    bytes: OwnedBytes,
    path: PathBuf,
    shared: Arc<Shared>,
}

impl fmt::Debug for Checked {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "Checked({})", self.path.display())
    }
}

impl HasLen for Checked {
    fn len(&self) -> usize {
        self.seal.length()
    }
}

impl FileHandle for Checked {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.start > range.end || range.end > self.seal.length() {
            let error = damaged("more is asked for than it has");
            self.shared.note(&self.path, &error);
            return Err(error);
        }
        let checked = self.seal.check(&self.bytes, range.clone());
        checked.inspect_err(|error| self.shared.note(&self.path, error))?;
        Ok(self.bytes.slice(range))
    }
}

/// A file that is being written.
struct Writing {
    file: File,
    sealing: Sealing,
    path: PathBuf,
    shared: Arc<Shared>,
}

impl Write for Writing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.shared.keep(self.file.write(bytes))?;
        self.sealing.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl TerminatingWrite for Writing {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        let end = std::mem::take(&mut self.sealing).end();
        self.shared.keep(self.file.write_all(&end))?;
        self.shared.unsynced.lock().insert(std::mem::take(&mut self.path));
        Ok(())
    }
}
