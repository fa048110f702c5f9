//! Carrying a store's files to another folder: copied with their digest taken on the way, or linked.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

use roaring::RoaringTreemap;
use rustix::io::Errno;

use super::{
    StoreError, block,
    hooks::Hooks,
    original::{FreePages, Original},
    record::RecordedFile,
    resident,
    volume::Volume,
};
use crate::durable;

/// Bytes read at once, and of blocks looked at under one transaction.
pub(super) const AT_ONCE: usize = 1 << 20;
const BLOCKS_AT_ONCE: usize = 8 << 20;

/// A file that was carried.
pub(super) struct Carried {
    /// What it is now.
    pub file: RecordedFile,
    /// Bytes written for it.
    pub written: u64,
    /// The digest of the patch that it is carried by, in hexadecimal.
    pub patch: Option<String>,
}

/// Copies a file into a new one of this mode, and syncs it. The system copies by itself, where both are on one disk
/// that can do so. In the digest, zeros take the place of the pages that are `free`.
///
/// # Errors
/// It cannot be read or written, or was interrupted.
pub(super) fn copy(
    original: &Original,
    free: Option<&FreePages>,
    to: &Path,
    mode: u32,
    hooks: Hooks,
) -> Result<Carried, StoreError> {
    let mut options = OpenOptions::new();
    let output = options.write(true).create_new(true).mode(0o600).open(to);
    let output = output.map_err(StoreError::io("making", to))?;
    let mut within = original.as_it_stands();
    let file = digesting(original, free, to, hooks, |at, bytes| {
        if within.is_some_and(|input| copy_within(input, &output, at, bytes.len())) {
            return Ok(());
        }
        within = None;
        output.write_all_at(bytes, at).map_err(StoreError::io("writing", to))
    })?;
    output
        .set_permissions(Permissions::from_mode(mode))
        .and_then(|()| output.sync_all())
        .map_err(StoreError::io("syncing", to))?;
    Ok(Carried {
        written: file.bytes,
        file,
        patch: None,
    })
}

/// What a file is: reads all of it, as for a [`copy`] of it.
///
/// # Errors
/// It cannot be read, or was interrupted.
pub(super) fn digest(
    original: &Original,
    free: Option<&FreePages>,
    name: &Path,
    hooks: Hooks,
) -> Result<RecordedFile, StoreError> {
    digesting(original, free, name, hooks, |_, _| Ok(()))
}

fn digesting(
    original: &Original,
    free: Option<&FreePages>,
    name: &Path,
    hooks: Hooks,
    mut each: impl FnMut(u64, &[u8]) -> Result<(), StoreError>,
) -> Result<RecordedFile, StoreError> {
    let digester = Digester::start(name)?;
    let mut at = 0;
    loop {
        hooks.check()?;
        let mut buffer = digester.buffer()?;
        let read = original.read(at, &mut buffer)?;
        if read == 0 {
            break;
        }
        each(at, &buffer[..read])?;
        if let Some(free) = free {
            free.blank(at, &mut buffer[..read]);
        }
        digester.digest(buffer, read)?;
        at += read as u64;
        (hooks.passed)(read as u64);
    }
    Ok(RecordedFile {
        bytes: at,
        blake3: digester.finish()?,
    })
}

/// Has the system copy a stretch; whether it did all of it. Where it did a part, writing all of it does no harm.
fn copy_within(from: &File, to: &File, at: u64, length: usize) -> bool {
    let (mut read_at, mut write_at, end) = (at, at, at + length as u64);
    while read_at < end {
        let left = (end - read_at) as usize;
        match rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), left) {
            Ok(copied) if copied > 0 => {}
            _ => return false,
        }
    }
    true
}

/// Takes the BLAKE3 of what passes, on a thread of its own, so that disks do not wait for it.
pub(super) struct Digester {
    full: SyncSender<(Vec<u8>, usize)>,
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<blake3::Hash>,
    /// Of what, for an error.
    what: String,
}

/// Buffers that are on their way at once.
const BUFFERS: usize = 3;

impl Digester {
    pub fn start(what: &Path) -> Result<Self, StoreError> {
        let (full, input) = sync_channel::<(Vec<u8>, usize)>(BUFFERS);
        let (back, empty) = sync_channel(BUFFERS);
        for _ in 0..BUFFERS {
            // There is room for as many, and the receiver is here.
            let _ = back.send(vec![0; AT_ONCE]);
        }
        let digest = move || {
            let mut hasher = blake3::Hasher::new();
            for (buffer, length) in input {
                hasher.update(&buffer[..length]);
                // Whoever wanted it back may have ended.
                let _ = back.send(buffer);
            }
            hasher.finalize()
        };
        let thread = thread::Builder::new().name("digest".into()).spawn(digest);
        Ok(Self {
            thread: thread.map_err(StoreError::io("starting a thread to digest", what))?,
            what: what.display().to_string(),
            full,
            empty,
        })
    }

    fn panicked(&self) -> StoreError {
        StoreError::Fault {
            detail: format!("computing the digest of {} panicked", self.what),
        }
    }

    /// A buffer to be filled and given back, of [`AT_ONCE`] bytes.
    pub fn buffer(&self) -> Result<Vec<u8>, StoreError> {
        self.empty.recv().map_err(|_| self.panicked())
    }

    /// The next bytes: so many of the buffer's.
    pub fn digest(&self, buffer: Vec<u8>, length: usize) -> Result<(), StoreError> {
        self.full.send((buffer, length)).map_err(|_| self.panicked())
    }

    /// In hexadecimal.
    pub fn finish(self) -> Result<String, StoreError> {
        let panicked = self.panicked();
        drop((self.full, self.empty));
        let hash = self.thread.join().map_err(|_| panicked)?;
        Ok(hash.to_hex().to_string())
    }
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
    let cannot = |error: &io::Error| {
        let number = error.raw_os_error();
        CANNOT.iter().any(|errno| number == Some(errno.raw_os_error()))
    };
    match fs::hard_link(from, to) {
        Ok(()) => Ok(true),
        Err(error) if cannot(&error) => Ok(false),
        Err(error) => Err(StoreError::io("linking to", to)(error)),
    }
}

/// Has a file by itself: one that has other names too, as in a copy that `cp -al` made, is copied, and the copy takes its
/// place. Gives the bytes written.
///
/// # Errors
/// It cannot be copied.
pub(super) fn own(file: &Path) -> Result<u64, StoreError> {
    let metadata = fs::metadata(file).map_err(StoreError::io("looking at", file))?;
    if metadata.nlink() == 1 {
        return Ok(0);
    }
    let original = Original::at_rest(file)?;
    let mut written = 0;
    let make = |to: &Path| -> Result<(), StoreError> {
        let mode = metadata.mode() & 0o777;
        written = copy(&original, None, to, mode, Hooks::only(&|| true))?.written;
        Ok(())
    };
    durable::replace_by(file, make, |error| StoreError::io("replacing", file)(error))?;
    Ok(written)
}

/// Checks a volume's blocks below number `below`. Gives the numbers of those that are there, and the damaged ones in
/// words, in which the volume is called `name`.
///
/// # Errors
/// The volume cannot be read, or it was interrupted.
pub(super) fn check_blocks(
    volume: &Volume,
    name: &Path,
    below: u64,
    hooks: Hooks,
) -> Result<(RoaringTreemap, Vec<String>), StoreError> {
    let (mut numbers, mut damaged, mut next) = (RoaringTreemap::new(), Vec::new(), 0);
    loop {
        hooks.check()?;
        let blocks = volume.stored(next, below, BLOCKS_AT_ONCE)?;
        let Some((last, _)) = blocks.last() else {
            return Ok((numbers, damaged));
        };
        next = last + 1;
        for (number, stored) in &blocks {
            numbers.insert(*number);
            if let Err(detail) = block::check(*number, stored) {
                damaged.push(format!("block {number} of {} ({detail})", name.display()));
            }
        }
        resident::release(volume.path());
    }
}
