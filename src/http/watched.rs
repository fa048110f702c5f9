//! Files that are read again when they change.

use std::path::PathBuf;

use parking_lot::Mutex;

use crate::config::FileStamp;

/// Files that belong together.
pub(super) struct Watched {
    files: Vec<PathBuf>,
    seen: Mutex<Seen>,
}

type Stamps = Vec<Option<FileStamp>>;

struct Seen {
    /// When they were last read, whatever came of it.
    read: Stamps,
    /// When they were last looked at.
    looked: Stamps,
}

impl Watched {
    /// To be made before the files are read: what changes after this is seen.
    pub fn new(files: Vec<PathBuf>) -> Self {
        let stamps = stamps(&files);
        Self {
            seen: Mutex::new(Seen {
                read: stamps.clone(),
                looked: stamps,
            }),
            files,
        }
    }

    /// Whether they are to be read now: they are others than were read last, and have not changed since the last look.
    /// Whoever exchanges two of them has both in place by then.
    pub fn have_changed(&self) -> bool {
        let now = stamps(&self.files);
        // Nothing panics while it holds the lock.
        let mut seen = self.seen.lock();
        let is_still = seen.looked == now;
        seen.looked.clone_from(&now);
        let changed = is_still && seen.read != now;
        if changed {
            seen.read = now;
        }
        changed
    }

    /// They are read now, whether they changed or not.
    pub fn read_now(&self) {
        let now = stamps(&self.files);
        let mut seen = self.seen.lock();
        seen.looked.clone_from(&now);
        seen.read = now;
    }
}

fn stamps(files: &[PathBuf]) -> Stamps {
    files.iter().map(|file| FileStamp::of(file).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn files_are_read_once_they_are_still() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a", "b"].map(|name| folder.path().join(name));
        fs::write(&files[0], "1").unwrap();
        let watched = Watched::new(files.to_vec());
        assert!(!watched.have_changed() && !watched.have_changed());
        fs::write(&files[0], "22").unwrap();
        assert!(!watched.have_changed(), "it may be written yet");
        fs::write(&files[1], "1").unwrap();
        assert!(!watched.have_changed(), "the other one changed since");
        assert!(watched.have_changed());
        assert!(!watched.have_changed(), "once");
        fs::remove_file(&files[1]).unwrap();
        watched.read_now();
        assert!(!watched.have_changed() && !watched.have_changed());
    }
}
