//! What ends an export.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::{
    account,
    api::{Exit, Failure},
    archive::StoreError,
};

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
    #[error("{}", why_unusable(path, source))]
    Unusable { path: PathBuf, source: io::Error },
    #[error("another export to {} is running", path.display())]
    Busy { path: PathBuf },
    #[error("the disk of {} is full: make room, then run the same command again to continue", path.display())]
    Full { path: PathBuf },
    #[error("{doing} {}: {}; run the same command again to continue", path.display(), account::plain(source))]
    Io {
        doing: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// What a query finds cannot be said.
    #[error(transparent)]
    Query(#[from] Failure),
    #[error("interrupted; run the same command again to continue")]
    Interrupted,
    #[error("{0}")]
    Fault(String),
}

/// Why nothing can be exported to `path`.
fn why_unusable(path: &Path, error: &io::Error) -> String {
    let (shown, own) = (path.display(), account::own());
    if path.is_file() {
        return format!("{shown} is a file; name a folder");
    }
    if error.kind() != io::ErrorKind::PermissionDenied {
        return format!("cannot export to {shown}: {}", account::plain(error));
    }
    let above = path.ancestors().skip(1).find(|folder| folder.is_dir());
    match above.filter(|_| !path.exists()) {
        Some(above) => format!(
            "cannot make the folder {shown}: account {own} may not write in {}",
            above.display()
        ),
        None => format!("cannot export to {shown}: account {own} may not read and write in it"),
    }
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
            Self::Query(failure) => failure.exit,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_exported_to_was_told_with_an_error_number() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "x").unwrap();
        let said = |path: &Path, number| ExportError::unusable(path)(io::Error::from_raw_os_error(number)).to_string();
        assert_eq!(said(&file, 17), format!("{} is a file; name a folder", file.display()));
        let (new, above) = (folder.path().join("new"), folder.path().display());
        assert_eq!(
            said(&new, 13),
            format!(
                "cannot make the folder {}: account {} may not write in {above}",
                new.display(),
                account::own()
            )
        );
        assert_eq!(
            said(&new, 5),
            format!("cannot export to {}: Input/output error", new.display())
        );
    }
}
