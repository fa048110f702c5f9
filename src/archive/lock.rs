//! The locks of a data directory: one process writes, others read beside it.
//!
//! The file `lock` says who writes, and is locked for those who only know of it. What counts is a lock upon the folder
//! itself, which nobody can delete and make anew beside the process that holds it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use super::{StoreError, presence::Held};

pub(super) const LOCK: &str = "lock";
/// Locked by whoever reads beside the process that writes: as long as it is, no volume is removed.
pub(super) const READERS: &str = "readers";
/// How often a lock file is opened again that was deleted in the moment of opening it.
const TRIES: usize = 10;

/// A file or folder that is locked, and unlocked when this is dropped. To close it would not do: a process that is just
/// being started has it open, too, until its program runs.
pub(super) struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // It is closed then, which does the same a little later.
        let _ = self.0.unlock();
    }
}

/// What the one process that writes holds.
pub(super) struct Lock {
    _folder: Locked,
    _file: Locked,
    held: [Held; 2],
}

impl Lock {
    /// # Errors
    /// The folder is not where it was, or the lock file is not the one that is locked.
    pub fn check(&self) -> Result<(), StoreError> {
        self.held.iter().try_for_each(Held::check)
    }
}

/// Locks the folder `path` against everybody else who writes.
///
/// # Errors
/// Another process has it, or its lock file is a link, or cannot be opened.
pub(super) fn lock(path: &Path) -> Result<Lock, StoreError> {
    let name = path.join(LOCK);
    let folder = Locked(File::open(path).map_err(StoreError::io("opening", path))?);
    let mut file = Locked(open(&name)?);
    for what in [&file.0, &folder.0] {
        match what.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path, what)),
            Err(TryLockError::Error(error)) => return Err(StoreError::io("locking", path)(error)),
        }
    }
    let note = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    note(&mut file.0).map_err(StoreError::io("writing the lock", &name))?;
    const ANEW: &str = "another process may be using the archive as well: restart dropkeep";
    const BACK: &str = "mount its disk, or put it back where it was";
    Ok(Lock {
        held: [
            Held::new("the data directory", path.to_owned(), BACK)?,
            Held::new("the lock file", name, ANEW)?,
        ],
        _folder: folder,
        _file: file,
    })
}

/// Whether a process has the folder `path` locked to write in it.
pub(super) fn is_held(path: &Path) -> bool {
    let tried = File::open(path).map(|folder| Locked(folder).0.try_lock_shared());
    matches!(tried, Ok(Err(TryLockError::WouldBlock)))
}

fn in_use(path: &Path, mut holder: &File) -> StoreError {
    let mut said = String::new();
    // Of a folder nothing can be read.
    let _ = holder.read_to_string(&mut said);
    let said = said.trim();
    StoreError::InUse {
        path: path.to_owned(),
        holder: if said.is_empty() { "(unknown)" } else { said }.to_owned(),
    }
}

/// Opens a lock file, which is made where it is not there, and is never a link to something else.
fn open(name: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let no_follow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    let file = options.custom_flags(no_follow).open(name);
    let is_link = |error: &io::Error| error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    match file {
        Ok(file) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => Ok(file),
        Ok(_) => Err(StoreError::NoFile { path: name.to_owned() }),
        Err(error) if is_link(&error) => Err(StoreError::NoFile { path: name.to_owned() }),
        Err(error) => Err(StoreError::io("opening the lock", name)(error)),
    }
}

/// Refuses an environment whose lock file is a link: LMDB would write to what it leads to.
pub(super) fn refuse_linked_lock(folder: &Path) -> Result<(), StoreError> {
    let name = folder.join("lock.mdb");
    match name.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => Err(StoreError::NoFile { path: name }),
        _ => Ok(()),
    }
}

/// Opens `readers` and locks it by `try_lock`; what was deleted meanwhile is nobody's lock.
fn lock_readers<T>(path: &Path, try_lock: impl Fn(&File) -> Result<T, StoreError>) -> Result<(Locked, T), StoreError> {
    let name = path.join(READERS);
    for _ in 0..TRIES {
        let file = Locked(open(&name)?);
        let locked = try_lock(&file.0)?;
        let own = file.0.metadata().map_err(StoreError::io("looking at", &name))?;
        if name
            .metadata()
            .is_ok_and(|now| (now.dev(), now.ino()) == (own.dev(), own.ino()))
        {
            return Ok((file, locked));
        }
    }
    let error = io::Error::other("it is deleted over and over");
    Err(StoreError::io("locking", name)(error))
}

/// Keeps readers in other processes out as long as the result is held; `None` when there are some.
pub(super) fn lock_out_readers(path: &Path) -> Result<Option<Locked>, StoreError> {
    let (file, alone) = lock_readers(path, |file| match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(StoreError::io("locking", path.join(READERS))(error)),
    })?;
    Ok(alone.then_some(file))
}

/// Keeps volumes and blocks from being removed as long as the result is held; `None` on a disk that cannot be written
/// to: there nothing is removed either.
pub(super) fn lock_out_removal(path: &Path) -> Result<Option<Locked>, StoreError> {
    let shared = |file: &File| {
        file.lock_shared()
            .map_err(StoreError::io("locking", path.join(READERS)))
    };
    match lock_readers(path, shared) {
        Ok((file, ())) => Ok(Some(file)),
        Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn whoever_deletes_the_lock_file_gets_in_beside_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock(folder.path()).unwrap();
        held.check().unwrap();
        let refused = || lock(folder.path()).err().unwrap();
        assert!(matches!(refused(), StoreError::InUse { holder, .. } if holder == std::process::id().to_string()));
        fs::remove_file(folder.path().join(LOCK)).unwrap();
        assert!(held.check().is_err());
        assert!(matches!(refused(), StoreError::InUse { .. }));
        // The one who was refused made a lock file of its own.
        assert!(matches!(held.check(), Err(StoreError::Missing { what, .. }) if what == "the lock file"));
        drop(held);
        lock(folder.path()).unwrap().check().unwrap();
    }

    /// A copy of a file, as a process has it that is just being started, kept it locked.
    #[test]
    fn a_lock_that_was_let_go_was_held_by_a_process_that_was_being_started() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let held = lock(path).unwrap();
        let _inherited = [held._folder.0.try_clone().unwrap(), held._file.0.try_clone().unwrap()];
        drop(held);
        lock(path).unwrap();
        let reading = lock_out_removal(path).unwrap().unwrap();
        let _inherited = reading.0.try_clone().unwrap();
        assert!(lock_out_readers(path).unwrap().is_none());
        drop(reading);
        let alone = lock_out_readers(path).unwrap().unwrap();
        let _inherited = alone.0.try_clone().unwrap();
        drop(alone);
        assert!(lock_out_readers(path).unwrap().is_some());
    }

    #[test]
    fn a_lock_that_is_a_link_is_refused_and_what_it_leads_to_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let precious = folder.path().join("precious");
        fs::write(&precious, "mine").unwrap();
        symlink(&precious, folder.path().join(LOCK)).unwrap();
        symlink(&precious, folder.path().join(READERS)).unwrap();
        symlink(&precious, folder.path().join("lock.mdb")).unwrap();
        for refused in [
            lock(folder.path()).map(drop),
            lock_out_readers(folder.path()).map(drop),
            lock_out_removal(folder.path()).map(drop),
            refuse_linked_lock(folder.path()),
        ] {
            assert!(refused.unwrap_err().to_string().contains("a link"));
        }
        assert_eq!(fs::read_to_string(precious).unwrap(), "mine");
    }
}
