//! What stands in a folder, and whether it is followed.

use std::{
    ffi::OsStr,
    fs::{self, FileType},
    io,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::process::geteuid;

use crate::{account, formats::manifest::is_of_export};

/// What mail programs keep beside their mail: indexes, settings.
pub fn is_index(name: &OsStr) -> bool {
    let known = [
        "msgFilterRules.dat",
        "popstate.dat",
        ".mh_sequences",
        "table_of_contents",
        ".DS_Store",
    ];
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| ["msf", "plist", "emlxpart"].iter().any(|known| extension == *known))
        || known.iter().any(|known| name == *known)
}

/// Whether something in a folder is to be looked at: a file that may be mail, or something of which is to be said why
/// it is not imported. A link that leads to what is imported anyway is neither.
pub fn is_candidate(path: &Path, kind: FileType, root: &Path) -> bool {
    let passes = kind.is_dir()
        || path.file_name().is_some_and(is_index)
        || is_of_export(path)
        || (kind.is_symlink() && leads_within(path, root));
    !passes
}

fn leads_within(link: &Path, root: &Path) -> bool {
    fs::canonicalize(link).is_ok_and(|target| target.starts_with(root))
}

/// Whether a link stands for a folder that is not imported. One that leads nowhere may have led to a folder.
pub fn may_hide_folder(link: &Path, root: &Path) -> bool {
    let is_folder = fs::metadata(link).map_or(true, |target| target.is_dir());
    is_folder && !leads_within(link, root)
}

/// Why what is behind a link is not imported, in words.
pub fn why_not_followed(link: &Path) -> String {
    match fs::canonicalize(link) {
        Ok(target) => format!(
            "it is a link to {}, outside of what is imported; to import that, name it too",
            target.display()
        ),
        Err(error) => format!("it is a link that leads nowhere: {error}"),
    }
}

/// Why something cannot be read, in words; where it is forbidden, to whom.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let account = account::name(geteuid().as_raw());
            format!("{error}; the account {account}, as which dropkeep runs, must be allowed to read it")
        }
        _ => error.to_string(),
    }
}

pub fn stopped(stop: &AtomicBool) -> io::Result<()> {
    match stop.load(Ordering::Relaxed) {
        true => Err(io::ErrorKind::Interrupted.into()),
        false => Ok(()),
    }
}
