//! Maildir: a message is a file in `cur` or `new`; what is in `tmp` is not yet delivered. Maildir++ keeps subfolders
//! beside them, in folders named `.Parent.Child`.

use std::{
    ffi::OsStr,
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// The folders of a Maildir, of which the last holds no messages yet.
pub const PARTS: [&str; 3] = ["cur", "new", "tmp"];

/// Whether a folder is a Maildir: it has `cur`, and `new` or `tmp`. Copies of a Maildir may lack the empty ones.
pub fn is_maildir(folder: &Path) -> bool {
    let has = |part: &str| folder.join(part).is_dir();
    has("cur") && (has("new") || has("tmp"))
}

/// The names of a Maildir++ subfolder, the outermost first; `None` for a folder that is none.
pub fn subfolder(name: &str) -> Option<impl Iterator<Item = &str>> {
    let names = name.strip_prefix('.')?;
    let named = names.split('.').all(|name| !name.is_empty());
    named.then(|| names.split('.'))
}

/// The part of a message's file name that stays when its flags (`:2,S`) change.
pub fn unique(name: &OsStr) -> &OsStr {
    let bytes = name.as_bytes();
    let end = memchr::memchr(b':', bytes).unwrap_or(bytes.len());
    OsStr::from_bytes(&bytes[..end])
}

/// When a message was delivered, in seconds since 1970 UTC: what its file name begins with.
pub fn delivered(name: &OsStr) -> Option<i64> {
    let (seconds, _) = std::str::from_utf8(name.as_bytes()).ok()?.split_once('.')?;
    let plausible = seconds.len() <= 11 && seconds.bytes().all(|byte| byte.is_ascii_digit());
    seconds.parse().ok().filter(|_| plausible)
}

/// Where the message is now that was at `part/name` when the Maildir was listed: mail programs move messages from
/// `new` to `cur`, and change their flags. `None` where it is gone.
///
/// # Errors
/// A folder of the Maildir cannot be read.
pub fn find(maildir: &Path, listed: &Path) -> io::Result<Option<PathBuf>> {
    let Some(wanted) = listed.file_name().map(unique) else {
        return Ok(None);
    };
    for part in ["cur", "new"] {
        for entry in std::fs::read_dir(maildir.join(part))? {
            let entry = entry?;
            if unique(&entry.file_name()) == wanted {
                return Ok(Some(entry.path()));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn names_are_read() {
        let sub = |name| subfolder(name).map(|names| names.collect::<Vec<_>>().join("/"));
        assert_eq!(sub(".Sent.2020"), Some("Sent/2020".into()));
        assert_eq!(sub(".Sent"), Some("Sent".into()));
        for none in ["Sent", ".", "..", ".a..b"] {
            assert_eq!(sub(none), None, "{none}");
        }
        let name = OsStr::new("1767225600.M1P2.host,S=7:2,FS");
        assert_eq!(unique(name), "1767225600.M1P2.host,S=7");
        assert_eq!(delivered(name), Some(1_767_225_600));
        for none in ["x.y", "1767225600", "999999999999.x", "-5.x", ".x"] {
            assert_eq!(delivered(OsStr::new(none)), None, "{none}");
        }
    }

    #[test]
    fn a_message_that_was_moved_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_maildir(folder.path()));
        fs::create_dir(folder.path().join("cur")).unwrap();
        assert!(!is_maildir(folder.path()));
        fs::create_dir(folder.path().join("new")).unwrap();
        assert!(is_maildir(folder.path()));
        let moved = folder.path().join("cur/1.a.host:2,S");
        fs::write(&moved, "x").unwrap();
        assert_eq!(find(folder.path(), Path::new("new/1.a.host")).unwrap(), Some(moved));
        assert_eq!(find(folder.path(), Path::new("new/2.a.host")).unwrap(), None);
    }
}
