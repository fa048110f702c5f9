//! What can go wrong with the store. All of it ends a run, and a command with exit code 4.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::absence::Absence;
use crate::access::Refusal;
use crate::account::plain;
use crate::api::{Exit, Failure, Wrong};
use crate::fault;
use crate::panics::Panicked;
use crate::said::{About, Code, Said, Say};

#[derive(thiserror::Error, Debug, Clone)]
pub enum StoreError {
    #[error("the data directory {} is in use by process {holder}: stop that process, or use another data_dir", path.display())]
    InUse { path: PathBuf, holder: String },
    #[error(
        "there is no archive in {}: check data_dir, or mount its disk; to make a new one, run `dropkeep serve`, \
         `archive`, \
         `import`, `users add` or `restore`",
        path.display()
    )]
    None { path: PathBuf },
    #[error(
        "there is no archive in {}, and {why}; to make a new archive there all the same, add --new to `dropkeep serve` or \
         `archive`",
        path.display()
    )]
    NotMade { path: PathBuf, why: String },
    /// Something of the store is not where it was, or not what it was. Nothing was written.
    #[error("{what} is missing: {} {how}; nothing is archived until it is back: {remedy}", path.display())]
    Missing {
        what: String,
        path: PathBuf,
        how: Absence,
        remedy: &'static str,
    },
    #[error(
        "{} must be a file, but is a link or something else: find out who put it there, then remove it",
        path.display()
    )]
    NoFile { path: PathBuf },
    #[error("{} contains files that are not dropkeep's: use an empty or new directory as data_dir", path.display())]
    NotOurs { path: PathBuf },
    #[error(
        "the archive in {} has schema {found}, but this dropkeep knows schemas up to {known}: use a newer dropkeep",
        path.display()
    )]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error(
        "the archive in {} has schema {found}, but this dropkeep reads schema {known}: run `dropkeep users`, which \
         upgrades it",
        path.display()
    )]
    Older { path: PathBuf, found: u32, known: u32 },
    #[error("{} is on {kind}, where a crash can damage the archive: put data_dir on a local disk", path.display())]
    Network { path: PathBuf, kind: &'static str },
    #[error("{doing} {}: {}", path.display(), plain(source))]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: std::sync::Arc<io::Error>,
    },
    #[error("the disk of {} is full: make room, then run this again (no archived mail is lost)", path.display())]
    Full { path: PathBuf },
    #[error("{doing} in {}: {detail}", path.display())]
    Lmdb {
        doing: &'static str,
        path: PathBuf,
        detail: String,
    },
    #[error("the archive is damaged: {detail}")]
    Damaged { detail: String },
    #[error("the archive is closed for writing since a write failed: {why}; restart dropkeep")]
    Closed { why: String },
    #[error("{detail}; this is a bug in dropkeep, and nothing was stored")]
    Fault { detail: String },
    #[error("{panicked} (archive: {}); no archived mail is lost", path.display())]
    Panicked { path: PathBuf, panicked: Panicked },
    /// The account that this runs as cannot use the data directory.
    #[error("data_dir {} {detail}", path.display())]
    Account { path: PathBuf, detail: String },
    #[error("data_dir {} is a file; name a folder", path.display())]
    File { path: PathBuf },
    #[error("{} {detail}", path.display())]
    Refused { path: PathBuf, detail: String },
    #[error("interrupted; nothing was changed")]
    Interrupted,
    #[error("user {name:?} {detail}")]
    User {
        name: String,
        detail: String,
        wrong: Box<Wrong>,
    },
    /// What somebody did was noted, but not done.
    #[error(transparent)]
    Deed(Refusal),
}

impl Say for StoreError {
    fn said(&self) -> Said {
        let text = self.to_string();
        let detail = |words: String| About::from(Said::from(words));
        let place = |path: &Path| About::from(path.display().to_string());
        let (code, about) = match self {
            Self::Full { path } => (Code::DiskFull, vec![place(path)]),
            Self::Damaged { detail: words } => (Code::ArchiveDamaged, vec![detail(words.clone())]),
            Self::Closed { why } => (Code::StoreClosed, vec![detail(why.clone())]),
            Self::Fault { detail: words } => (Code::Bug, vec![detail(words.clone())]),
            Self::Io { doing, path, source } => {
                let why = format!("{doing}: {}", plain(source));
                (Code::StoreFailed, vec![detail(why), place(path)])
            }
            Self::Lmdb {
                doing,
                path,
                detail: words,
            } => (
                Code::StoreFailed,
                vec![detail(format!("{doing}: {words}")), place(path)],
            ),
            _ => return text.into(),
        };
        Said::new(code, text, about)
    }
}

impl StoreError {
    /// A fault point of the store.
    ///
    /// # Errors
    /// It is the one chosen.
    pub(crate) fn point(name: &'static str) -> Result<(), Self> {
        fault::point(name).map_err(Self::io("going on behind", name))
    }

    /// What was done on another thread panicked.
    pub fn panicked(Panicked(doing): Panicked) -> Self {
        let detail = format!("{doing} panicked");
        Self::Fault { detail }
    }

    pub fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.raw_os_error() {
            Some(code) if is_full(code) => Self::Full { path },
            _ => Self::Io {
                doing,
                path,
                source: source.into(),
            },
        }
    }

    pub fn lmdb(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(heed::Error) -> Self {
        let path = path.into();
        move |error| match error {
            heed::Error::Io(source) if is_short_write(&source, &path) => Self::Full { path },
            heed::Error::Io(source) => Self::io(doing, path)(source),
            heed::Error::Mdb(heed::MdbError::MapFull) => Self::Lmdb {
                doing,
                path,
                detail: "its reserved address space is full".into(),
            },
            heed::Error::Mdb(heed::MdbError::Other(code)) if is_full(code) => Self::Full { path },
            heed::Error::Decoding(detail) => Self::Damaged {
                detail: format!("{doing} in {}: {detail}", path.display()),
            },
            other => Self::Lmdb {
                doing,
                path,
                detail: other.to_string(),
            },
        }
    }
}

/// LMDB reports a write that the disk took only in part, which is what filling it usually gives, as EIO.
fn is_short_write(error: &io::Error, path: &Path) -> bool {
    const HARDLY_ANY: u64 = 16 << 20;
    let free = || rustix::fs::statvfs(path).map_or(u64::MAX, |stat| stat.f_bavail * stat.f_frsize);
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) && free() < HARDLY_ANY
}

fn is_full(code: i32) -> bool {
    code == rustix::io::Errno::NOSPC.raw_os_error() || code == rustix::io::Errno::DQUOT.raw_os_error()
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::User { ref wrong, .. } => {
                let wrong = wrong.clone();
                Self::usage(error).for_that(*wrong)
            }
            StoreError::Refused { .. } | StoreError::Account { .. } | StoreError::Deed(_) => Self::usage(error),
            StoreError::Interrupted => Self::new(Exit::Interrupted, error),
            StoreError::Damaged { ref detail } if !detail.contains("restore") => {
                let what_to_do = "what to do: Run dropkeep verify, and restore the volume from a backup.";
                Self::new(Exit::Store, format!("{error}; {what_to_do}"))
            }
            _ => Self::new(Exit::Store, error),
        }
    }
}
