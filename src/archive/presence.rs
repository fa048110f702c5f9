//! Whether files are where they were when they were opened. A disk can go away under a running process, a folder be
//! moved, a file be replaced or emptied; LMDB would go on in a file that has no name any more, or crash over one that
//! was cut short. So what is open is compared with what stands under its name before anything is written.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use super::{StoreError, absence::Absence};

/// What is to be done about a volume or a catalog that is not there.
pub(super) const MOUNT: &str = "mount its disk, or restore it from a backup";

/// A file or folder that this process has open.
#[derive(Debug)]
pub(super) struct Held {
    /// What it is, in words.
    what: String,
    path: PathBuf,
    /// What to do when it is not there.
    remedy: &'static str,
    device: u64,
    inode: u64,
    /// Bytes that it had when it was opened, or since; it never gets shorter.
    least: AtomicU64,
}

impl Held {
    /// What stands at `path`, which was opened just now.
    ///
    /// # Errors
    /// There is nothing.
    pub fn new(what: impl Into<String>, path: PathBuf, remedy: &'static str) -> Result<Self, StoreError> {
        let metadata = fs::metadata(&path).map_err(StoreError::io("looking at", &path))?;
        Ok(Self {
            what: what.into(),
            remedy,
            device: metadata.dev(),
            inode: metadata.ino(),
            least: AtomicU64::new(if metadata.is_file() { metadata.len() } else { 0 }),
            path,
        })
    }

    /// # Errors
    /// It is not there any more, is another file, or was cut short.
    pub fn check(&self) -> Result<(), StoreError> {
        self.measure().map(drop).map_err(|how| self.missing(how))
    }

    /// Whether reading in it ends the process.
    pub fn is_cut(&self) -> bool {
        matches!(self.measure(), Err(Absence::CutShort { .. }))
    }

    /// It was written to, and may have grown.
    pub fn grew(&self) {
        // Where it has gone, the next check says so.
        if let Ok(length) = self.measure() {
            self.least.fetch_max(length, Ordering::AcqRel);
        }
    }

    fn measure(&self) -> Result<u64, Absence> {
        // First: by the time the file was looked at, another thread may have noted that it grew since.
        let had = self.least.load(Ordering::Acquire);
        let metadata = fs::metadata(&self.path).map_err(|error| absence(&error))?;
        let has = metadata.len();
        match (metadata.dev(), metadata.ino()) == (self.device, self.inode) {
            false => Err(Absence::Other),
            true if has < had => Err(Absence::CutShort { has, had }),
            true => Ok(has),
        }
    }

    fn missing(&self, how: Absence) -> StoreError {
        let remedy = match how {
            Absence::Other => "put the previous one back, or restart dropkeep",
            _ => self.remedy,
        };
        missing(&self.what, &self.path, how, remedy)
    }
}

pub(super) fn missing(what: &str, path: &Path, how: Absence, remedy: &'static str) -> StoreError {
    StoreError::Missing {
        what: what.to_owned(),
        path: path.to_owned(),
        how,
        remedy,
    }
}

/// The length of a file that must be there.
pub(super) fn length(file: &Path) -> Result<u64, Absence> {
    match fs::metadata(file) {
        Ok(metadata) if metadata.is_file() => Ok(metadata.len()),
        Ok(_) => Err(Absence::Other),
        Err(error) => Err(absence(&error)),
    }
}

fn absence(error: &io::Error) -> Absence {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Absence::NotThere,
        _ => Absence::Unknown(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn how(held: &Held) -> Option<Absence> {
        match held.check() {
            Ok(()) => None,
            Err(StoreError::Missing { how, .. }) => Some(how),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_file_that_goes_comes_back_is_cut_or_replaced_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("file"), folder.path().join("aside"));
        fs::write(&path, [0; 100]).unwrap();
        let held = Held::new("it", path.clone(), MOUNT).unwrap();
        assert_eq!(how(&held), None);
        fs::rename(&path, &aside).unwrap();
        assert_eq!(how(&held), Some(Absence::NotThere));
        fs::write(&path, [0; 100]).unwrap();
        assert_eq!(how(&held), Some(Absence::Other));
        fs::rename(&aside, &path).unwrap();
        assert_eq!(how(&held), None);
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(200).unwrap();
        held.grew();
        file.set_len(150).unwrap();
        assert_eq!(how(&held), Some(Absence::CutShort { has: 150, had: 200 }));
    }

    #[test]
    fn a_file_that_grew_while_it_was_looked_at_passed_for_cut_short() {
        const GROWTHS: u64 = 20_000;
        let file = tempfile::NamedTempFile::new().unwrap();
        let held = Held::new("it", file.path().to_owned(), MOUNT).unwrap();
        std::thread::scope(|scope| {
            let growing = scope.spawn(|| {
                for length in 1..=GROWTHS {
                    file.as_file().set_len(length).unwrap();
                    held.grew();
                }
            });
            while !growing.is_finished() {
                assert_eq!(how(&held), None);
            }
        });
    }
}
