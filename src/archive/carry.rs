//! Carrying a store's files to another folder: copied with their digest taken on the way, or linked.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use roaring::RoaringTreemap;
use rustix::io::Errno;

use super::{
    StoreError, block, disk, resident,
    volume::{Mode, Volume},
};

/// Bytes read at once, and of blocks put into a copy with one transaction.
const AT_ONCE: usize = 1 << 20;
pub(super) const BLOCKS_AT_ONCE: usize = 8 << 20;

/// What long work asks and tells on its way.
#[derive(Clone, Copy)]
pub struct Watch<'w> {
    /// Whether to go on.
    pub go_on: &'w dyn Fn() -> bool,
    /// So many more bytes were written.
    pub wrote: &'w dyn Fn(u64),
}

impl Watch<'_> {
    /// # Errors
    /// It was interrupted.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if (self.go_on)() {
            Ok(())
        } else {
            Err(StoreError::Interrupted)
        }
    }
}

/// Copies a file into a new one of this mode, and syncs it; gives its length and its BLAKE3, in hexadecimal.
///
/// # Errors
/// It cannot be read or written, or was interrupted.
pub(super) fn copy(from: &Path, to: &Path, mode: u32, watch: Watch) -> Result<(u64, String), StoreError> {
    let mut input = File::open(from).map_err(StoreError::io("reading", from))?;
    let mut options = OpenOptions::new();
    let output = options.write(true).create_new(true).mode(0o600).open(to);
    let mut output = output.map_err(StoreError::io("making", to))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; AT_ONCE];
    loop {
        watch.check()?;
        let read = input.read(&mut buffer).map_err(StoreError::io("reading", from))?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        output
            .write_all(&buffer[..read])
            .map_err(StoreError::io("writing", to))?;
        (watch.wrote)(read as u64);
    }
    output
        .set_permissions(Permissions::from_mode(mode))
        .and_then(|()| output.sync_all())
        .map_err(StoreError::io("syncing", to))?;
    Ok((hasher.count(), hasher.finalize().to_hex().to_string()))
}

/// Links a file; `false` where that cannot be done between these two places.
///
/// # Errors
/// It cannot be linked for another reason.
pub(super) fn link(from: &Path, to: &Path) -> Result<bool, StoreError> {
    const CANNOT: [Errno; 6] = [
        Errno::XDEV,
        Errno::PERM,
        Errno::ACCESS,
        Errno::NOTSUP,
        Errno::NOSYS,
        Errno::MLINK,
    ];
    match fs::hard_link(from, to) {
        Ok(()) => Ok(true),
        Err(error)
            if CANNOT
                .iter()
                .any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) =>
        {
            Ok(false)
        }
        Err(error) => Err(StoreError::io("linking to", to)(error)),
    }
}

/// Copies of a volume what stands in it below block `below`, checked block by block, into a new one in `folder`, which
/// then belongs to a catalog whose next block that is. Whoever writes to the volume goes on meanwhile; none of those
/// blocks may be deleted.
///
/// A damaged block is copied as it stands: all else is worth having, and its checksum gives it away for ever. Gives the
/// numbers of the blocks, and the damaged ones in words.
///
/// # Errors
/// The copy cannot be written, or it was interrupted.
pub(super) fn copy_volume(
    from: &Path,
    volume: &Volume,
    to: &Path,
    below: u64,
    watch: Watch,
) -> Result<(RoaringTreemap, Vec<String>), StoreError> {
    let (mut numbers, mut damaged) = (RoaringTreemap::new(), Vec::new());
    let file = from.join(disk::DATA_FILE);
    let length = fs::metadata(&file).map_err(StoreError::io("measuring", &file))?.len();
    let copy = Volume::open(to, length, Mode::Copying, volume.archive()?)?;
    let mut next = 0;
    loop {
        watch.check()?;
        let blocks = volume.stored(next, below, BLOCKS_AT_ONCE)?;
        let Some((last, _)) = blocks.last() else { break };
        next = last + 1;
        for (number, stored) in &blocks {
            numbers.insert(*number);
            if let Err(detail) = block::check(*number, stored) {
                damaged.push(format!("block {number} of {} ({detail})", from.display()));
            }
        }
        copy.append(&blocks)?;
        for folder in [from, to] {
            resident::release(folder);
        }
        (watch.wrote)(blocks.iter().map(|(_, stored)| stored.len() as u64).sum());
    }
    copy.end_copy(below)?;
    StoreError::point("backup-copied")?;
    disk::sync_dir(to)?;
    Ok((numbers, damaged))
}
