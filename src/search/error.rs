//! What can go wrong with the index. None of it touches the archive.

use std::{io, path::PathBuf, sync::Arc};

use tantivy::{
    TantivyError,
    directory::error::{LockError, OpenReadError, OpenWriteError},
};

use crate::{
    account::plain,
    api::{Code, Exit, Failure, Wrong},
    archive::StoreError,
    panics::Panicked,
};

/// Why the index could not be read or written.
#[derive(thiserror::Error, Debug, Clone)]
pub enum SearchError {
    /// It is made anew by whoever writes it.
    #[error("the search index in {} is damaged: {detail}; it is made anew", path.display())]
    Damaged { path: PathBuf, detail: String },
    #[error("the disk of {} is full: make room; the search index goes on then (no mail is lost)", path.display())]
    Full { path: PathBuf },
    #[error("{doing} {}: {}", path.display(), plain(source))]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: Arc<io::Error>,
    },
    #[error("the search index in {} is written by another process: wait for it to end", path.display())]
    InUse { path: PathBuf },
    #[error("{doing} in {}: {detail}", path.display())]
    Library {
        doing: &'static str,
        path: PathBuf,
        detail: String,
    },
    /// The worker said so last.
    #[error("the search index in {} cannot be brought up to date: {why}", path.display())]
    Failing { path: PathBuf, why: String },
    #[error("the process that reads attachments cannot be started: {why}; what is in the archive is found once it can")]
    Attachments { why: String },
    #[error("interrupted; the search index goes on from where it is the next time")]
    Interrupted,
    #[error(transparent)]
    Panicked(Panicked),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SearchError {
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Damaged {
                path,
                detail: source.to_string(),
            },
            _ => Self::Io {
                doing,
                path,
                source: source.into(),
            },
        }
    }

    /// What the library says, of an index in `path`.
    pub fn of(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(TantivyError) -> Self {
        let path = path.into();
        move |error| {
            let damaged = |detail: String| Self::Damaged {
                path: path.clone(),
                detail,
            };
            match error {
                TantivyError::IoError(source) => Self::io(doing, path)(again(&source)),
                TantivyError::OpenReadError(OpenReadError::IoError { io_error, filepath }) => {
                    Self::io(doing, path.join(filepath))(again(&io_error))
                }
                TantivyError::OpenWriteError(OpenWriteError::IoError { io_error, filepath }) => {
                    Self::io(doing, path.join(filepath))(again(&io_error))
                }
                TantivyError::LockFailure(LockError::LockBusy, _) => Self::InUse { path },
                TantivyError::DataCorruption(detail) => damaged(format!("{detail:?}")),
                TantivyError::OpenReadError(detail) => damaged(detail.to_string()),
                TantivyError::IncompatibleIndex(detail) => damaged(format!("{detail:?}")),
                other => Self::Library {
                    doing,
                    path,
                    detail: other.to_string(),
                },
            }
        }
    }

    /// Whether the index has to be made anew.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// The same error once more, for another owner.
pub(super) fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

impl From<SearchError> for Failure {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Store(error) => error.into(),
            SearchError::Interrupted => Self::new(Exit::Interrupted, error),
            error => Self::new(Exit::Store, error),
        }
    }
}

/// Why nothing can be found for a query.
#[derive(thiserror::Error, Debug, Clone)]
pub enum FindError {
    #[error(
        "{text} stands for more words than are looked up at once: {most} are allowed; write more letters of the word"
    )]
    TooWild { text: String, most: usize },
    #[error(
        "the words with * or ? of this query together stand for more than are looked up at once; write more of their letters, \
         ask for fewer, or have the newest come first"
    )]
    WildInAll,
    #[error(
        "this is no place in what was found: pass on what the page before said comes next, for the same query and order"
    )]
    NoPlace,
    #[error(transparent)]
    Index(#[from] SearchError),
}

impl From<FindError> for Failure {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Index(error) => error.into(),
            FindError::NoPlace => Self::usage(error).for_that(Wrong::from(Code::NoPlace)),
            FindError::WildInAll => Self::usage(error).for_that(Wrong::from(Code::WildInAll)),
            FindError::TooWild { ref text, most } => {
                let wrong = Wrong::new(Code::TooWild, &[text, &most]);
                Self::usage(error).for_that(wrong)
            }
        }
    }
}
