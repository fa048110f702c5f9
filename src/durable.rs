//! Files that survive a crash: a small one is replaced as a whole or not at all, and its name is on disk like its bytes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Only the owner reads what is written here.
const MODE: u32 = 0o600;

/// Puts a file with this content in the place of whatever has its name. It is written beside it first, with `.part`
/// behind its name; `complete` is called once that is on disk, before it gets its name.
///
/// # Errors
/// It cannot be written, or `complete` failed: then the file is as it was, or, if only the folder could not be synced,
/// has the new content.
pub fn replace(file: &Path, content: &[u8], complete: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let mut part = file.as_os_str().to_owned();
    part.push(".part");
    // What a crash left there, or anybody put there, is not written to.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut written = OpenOptions::new();
    let mut written = written.write(true).create_new(true).mode(MODE).open(&part)?;
    written.write_all(content)?;
    written.sync_all()?;
    complete()?;
    fs::rename(&part, file)?;
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => sync_folder(folder),
        _ => sync_folder(Path::new(".")),
    }
}

/// Makes the names in a folder survive a crash.
///
/// # Errors
/// It cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_has_all_of_its_new_content_or_all_of_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        replace(&file, b"first", || Ok(())).unwrap();
        let broken_off = replace(&file, b"second", || Err(io::Error::other("broken off")));
        assert_eq!(broken_off.unwrap_err().to_string(), "broken off");
        assert_eq!(fs::read(&file).unwrap(), b"first");
        replace(&file, b"third", || Ok(())).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"third");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_in_the_place_of_what_is_written_first_was_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, precious) = (folder.path().join("file"), folder.path().join("precious"));
        fs::write(&precious, "mine").unwrap();
        symlink(&precious, folder.path().join("file.part")).unwrap();
        replace(&file, b"new", || Ok(())).unwrap();
        assert_eq!(fs::read(&precious).unwrap(), b"mine");
        assert_eq!(fs::read(&file).unwrap(), b"new");
    }
}
