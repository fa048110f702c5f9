//! Disks beside the one on which the tests work.

use std::{env, fs, io, os::unix::fs::MetadataExt, path::Path};

/// More bytes than any test puts there.
const ROOM: u64 = 512 << 20;

/// A folder on another disk than temporary files are: nothing can be linked from one to the other. On one with room
/// enough, if there is one.
pub fn another_disk() -> tempfile::TempDir {
    let device = |folder: &Path| -> io::Result<u64> { Ok(fs::metadata(folder)?.dev()) };
    let own = device(&env::temp_dir()).expect("a folder for temporary files");
    let free = |folder: &&str| rustix::fs::statvfs(*folder).map_or(0, |stat| stat.f_bavail * stat.f_frsize);
    let others = ["/dev/shm", "/var/tmp", "/tmp"]
        .into_iter()
        .filter(|folder| device(folder.as_ref()).is_ok_and(|device| device != own));
    // The first of those with enough, else the one with the most.
    let other = others.rev().max_by_key(|folder| free(folder).min(ROOM));
    tempfile::tempdir_in(other.expect("/dev/shm or /var/tmp is another disk")).expect("a folder on another disk")
}
