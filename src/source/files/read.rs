//! The bytes of a message out of its file.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::fs::OFlags;

use super::places::reason;
use crate::{
    formats::{BEGINNING, Looks, looks},
    source::UnfetchedWhy,
};

/// Opens a regular file. Links are not followed, and what is no file is not waited for.
///
/// # Errors
/// Why it cannot be read, in words.
pub fn open(path: &Path) -> Result<File, UnfetchedWhy> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => UnfetchedWhy::NotAnswered,
        _ => UnfetchedWhy::Unreadable(reason(&error)),
    };
    let kind = fs::symlink_metadata(path).map_err(unreadable)?.file_type();
    if kind.is_symlink() {
        let words = match fs::canonicalize(path) {
            Ok(target) => format!("it is a link to {}, outside of what is imported", target.display()),
            Err(error) => format!("it is a link that leads nowhere: {error}"),
        };
        return Err(UnfetchedWhy::Unreadable(words));
    }
    if !kind.is_file() {
        return Err(UnfetchedWhy::Unreadable("it is no regular file".into()));
    }
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits() as i32);
    options.open(path).map_err(unreadable)
}

/// Reads a file that is one message, of the size at which it was listed. `is_message`: whatever it holds.
///
/// # Errors
/// It cannot be read, has grown since, or is no mail.
pub fn message(path: &Path, size: u64, is_message: bool) -> Result<Vec<u8>, UnfetchedWhy> {
    let unreadable = |error: io::Error| UnfetchedWhy::Unreadable(reason(&error));
    let mut file = open(path)?;
    let mut bytes = Vec::new();
    (&mut file)
        .take(BEGINNING as u64)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    match looks(&bytes) {
        // A file named as a message may have its `From ` line still; it is kept as it is.
        Looks::Message | Looks::Mbox => {}
        Looks::Neither(_) if is_message && !bytes.is_empty() => {}
        Looks::Neither(why) => return Err(UnfetchedWhy::NoMail(why.into())),
    }
    // Room for more than it was to have is not to be had: it was not counted on.
    let read = bytes.len() as u64;
    bytes.reserve_exact(usize::try_from(size.saturating_sub(read)).unwrap_or_default());
    file.take((size + 1).saturating_sub(read))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > size {
        return Err(UnfetchedWhy::Unreadable(
            "it grew while it was read; import it again".into(),
        ));
    }
    Ok(bytes)
}
