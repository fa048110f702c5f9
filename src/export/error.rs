//! What ends an export.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{archive::StoreError, profile::Exit};

/// What ends an export before all is done. What is complete stays.
#[derive(thiserror::Error, Debug)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no user is named {name:?}{}", nearest.as_ref().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default())]
    NoUser { name: String, nearest: Option<String> },
    #[error("{} contains files that do not belong to an export: use an empty or new directory", path.display())]
    Foreign { path: PathBuf },
    #[error("{} is an export of {there}, not of {asked}: give the same options, or another directory", path.display())]
    Other {
        path: PathBuf,
        there: String,
        asked: String,
    },
    #[error("cannot read {}: {detail}; use another directory", path.display())]
    Marker { path: PathBuf, detail: String },
    #[error("{} is an export of another archive: use another directory", path.display())]
    OtherStore { path: PathBuf },
    #[error("{} is inside the data directory: use a directory outside of it", path.display())]
    Inside { path: PathBuf },
    #[error("cannot export to {}: {source}", path.display())]
    Unusable { path: PathBuf, source: io::Error },
    #[error("another export to {} is running", path.display())]
    Busy { path: PathBuf },
    #[error("the disk of {} is full: make room, then run the same command again to continue", path.display())]
    Full { path: PathBuf },
    #[error("{doing} {}: {source}; run the same command again to continue", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("interrupted; run the same command again to continue")]
    Interrupted,
    #[error("{0}")]
    Fault(String),
}

impl ExportError {
    /// For `map_err` where what is exported is written.
    pub fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io { doing, path, source },
        }
    }

    /// For `map_err` where the directory is looked at.
    pub fn unusable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Unusable { path, source },
        }
    }

    /// With which code the command ends for it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NoUser { .. }
            | Self::Foreign { .. }
            | Self::Other { .. }
            | Self::Marker { .. }
            | Self::OtherStore { .. }
            | Self::Inside { .. }
            | Self::Unusable { .. } => Exit::Usage,
            Self::Store(_) | Self::Full { .. } | Self::Io { .. } => Exit::Store,
            Self::Busy { .. } | Self::Fault(_) => Exit::Errors,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}
