//! Disks beside the one on which the tests work.

use std::{env, fs, io, os::unix::fs::MetadataExt, path::Path};

/// A folder on another disk than temporary files are: nothing can be linked from one to the other.
pub fn another_disk() -> tempfile::TempDir {
    let device = |folder: &Path| -> io::Result<u64> { Ok(fs::metadata(folder)?.dev()) };
    let own = device(&env::temp_dir()).expect("a folder for temporary files");
    let other = ["/dev/shm", "/var/tmp", "/tmp"]
        .into_iter()
        .find(|folder| device(folder.as_ref()).is_ok_and(|device| device != own));
    tempfile::tempdir_in(other.expect("/dev/shm or /var/tmp is another disk")).expect("a folder on another disk")
}
