//! Whether this account may use a data directory: it belongs to one account, which alone works in it.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

use rustix::process::geteuid;

use super::StoreError;
use crate::account;

/// Refuses a folder of another account, and one that this account cannot reach. Root, too: what it made there, the
/// owner could not open.
///
/// # Errors
/// It is such a folder; the error says as whom to run this.
pub fn require_own(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => {
            let (owner, we) = (found.uid(), geteuid().as_raw());
            // Containers map root to root and the rest of the machine to nobody; a folder of root is root's.
            if owner == we || (geteuid().is_root() && owner == 0) {
                return Ok(());
            }
            Err(of_another(path, owner))
        }
        Ok(_) => Err(StoreError::File {
            path: account::absolute(path),
        }),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(unreachable(path, &error)),
        Err(_) => Ok(()),
    }
}

/// Refuses a folder into which this account may not look: it would be told that nobody serves there. Root may.
///
/// # Errors
/// It is such a folder; the error says as whom to run this.
pub fn require_reachable(path: &Path) -> Result<(), StoreError> {
    match fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => match fs::metadata(path) {
            Ok(found) => Err(of_another(path, found.uid())),
            Err(error) => Err(unreachable(path, &error)),
        },
        _ => Ok(()),
    }
}

/// Makes the data directory where there is none.
///
/// # Errors
/// This account may not make it there, or the disk fails.
pub(super) fn make_data_dir(path: &Path) -> Result<(), StoreError> {
    super::disk::make_dir(path).map_err(|error| match &error {
        StoreError::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
            let (own, path_shown) = (account::own(), account::absolute(path));
            let make = format!("install -d -m 700 -o {own} {}", path_shown.display());
            refused(path, format!("cannot be made by account {own}; run as root: {make}"))
        }
        _ => error,
    })
}

fn of_another(path: &Path, owner: u32) -> StoreError {
    let name = account::name(owner);
    refused(path, format!("belongs to {name}; {}", account::run_as(owner)))
}

/// A folder above it is closed to this account, but not to its own.
fn unreachable(path: &Path, error: &io::Error) -> StoreError {
    let folder = account::closed_folder(path).and_then(|folder| fs::metadata(folder).ok());
    let run = account::run_as(folder.map_or(0, |folder| folder.uid()));
    refused(path, format!("{}; {run}", account::why_unreadable(path, error)))
}

fn refused(path: &Path, detail: String) -> StoreError {
    StoreError::Account {
        path: account::absolute(path),
        detail,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;

    #[test]
    fn the_account_of_a_data_directory_is_named() {
        let folder = tempfile::tempdir().unwrap();
        require_own(folder.path()).unwrap();
        require_own(&folder.path().join("none")).unwrap();
        if chown(folder.path(), Some(65_534), None).is_err() {
            return eprintln!("skipped: only root can give folders away");
        }
        let said = require_own(folder.path()).unwrap_err().to_string();
        let path = folder.path().display();
        assert!(
            said.starts_with(&format!("data_dir {path} belongs to nobody; run this as nobody: ")),
            "{said}"
        );
        // Root may ask whoever serves there.
        require_reachable(folder.path()).unwrap();
    }
}
