//! Patches: what makes a file of the backup before that of the new one.
//!
//! Much of an LMDB file is the same from one backup to the next. What differs is written once: where nobody reads the
//! file, to its place at once; and into a patch beside it, where the backup before has something else that it needs.
//! A crash leaves the file as good as it was, as long as the new backup is not complete.
//!
//! From then on the patch lies over the file, and [waits](super::waiting) there. Whatever lies beneath it is read by
//! nobody, so the next backup writes to it at once, and has a patch of its own. Only where the file is wanted by itself
//! is the patch applied: for a data directory, and for a volume that was sealed.
//!
//! Nobody reads what is behind the end of the file, which a patch that is given up has cut off again, LMDB's free pages,
//! which stay as they are then, and what lies beneath the patch of the backup before.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Read},
    ops::Range,
    os::unix::fs::{FileExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use roaring::RoaringTreemap;

use super::{
    StoreError,
    carry::{self, AT_ONCE, Carried, Digester},
    disk,
    hooks::Hooks,
    original::{Checked, Original},
    pages,
    patch_form::{Ending, Header, Reader, Stretch, UNIT, Writer},
    record::RecordedFile,
    seal,
};

/// A patch's name, in the folder of the file that it makes.
pub(super) const PATCH: &str = "patch";

/// Bytes at the beginning of a file that change whenever LMDB writes to it: its two meta pages, of this length at the
/// least.
const BEGINNING: u64 = 8192;

/// The folders in a store, or in what becomes one, in which a patch is.
pub(super) fn within(store: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let volumes = disk::other_names(&store.join(disk::VOLUMES), &[])?.into_iter();
    let mut names = vec![PathBuf::from(disk::CATALOG)];
    names.extend(volumes.map(|name| Path::new(disk::VOLUMES).join(name)));
    names.retain(|name| store.join(name).join(PATCH).exists());
    Ok(names)
}

/// Removes a patch that was applied.
pub(super) fn remove(folder: &Path) -> Result<(), StoreError> {
    let patch = folder.join(PATCH);
    fs::remove_file(&patch).map_err(StoreError::io("removing", &patch))?;
    disk::sync_dir(folder)
}

/// Whether a file can be patched: it is one of LMDB that is not sealed, and nobody else's, too. A copy of a backup may
/// share its files with it, as `cp -al` makes them.
pub(super) fn is_possible(file: &Path) -> bool {
    let is_ours = |file: fs::Metadata| file.is_file() && file.nlink() == 1 && file.mode() & 0o200 != 0;
    fs::symlink_metadata(file).is_ok_and(|file| file.len() >= BEGINNING && is_ours(file))
}

/// A file of the backup before.
pub(super) struct Base<'b> {
    file: PathBuf,
    /// The folder of that backup.
    root: &'b Path,
    /// The units of it that nobody reads, as far as they are known: they can be written to at once.
    unread: RoaringTreemap,
}

impl<'b> Base<'b> {
    /// That in the folder `name` of the backup in `root`, over which the patch of this digest lies; `None` if it cannot be
    /// patched. Where `is_by_use`, the record of that backup says nothing of what is in free pages.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(root: &'b Path, name: &Path, patch: Option<&str>, is_by_use: bool) -> Result<Option<Self>, StoreError> {
        let folder = root.join(name);
        let file = folder.join(disk::DATA_FILE);
        if !is_possible(&file) || seal::is_sealed(&folder) {
            return Ok(None);
        }
        let mut unread = match patch {
            Some(digest) => match beneath(&folder.join(PATCH), digest, &file)? {
                Some(unread) => unread,
                None => return Ok(None),
            },
            None if is_by_use => free(&file)?,
            None => RoaringTreemap::new(),
        };
        // By its beginning one sees whether somebody has written to a file.
        unread.remove_range(..beginning_of(&file)?.length / UNIT as u64);
        Ok(Some(Self { file, root, unread }))
    }
}

/// What nobody reads of a file over which the patch with this digest lies; `None` where that is not there or not whole, or
/// is not for this file: what was there is lost.
fn beneath(patch: &Path, digest: &str, file: &Path) -> Result<Option<RoaringTreemap>, StoreError> {
    match read(patch, Some(digest)) {
        Ok((header, ending)) if !has_moved_on(&header, file)? => Ok(Some(ending.unread)),
        Ok(_) => Ok(None),
        Err(error) if is_damage(&error) => Ok(None),
        Err(error) => Err(StoreError::io("reading", patch)(error)),
    }
}

/// The pages of a file on its free list, if no page that is in use is among them.
fn free(file: &Path) -> Result<RoaringTreemap, StoreError> {
    let checked = Original::at_rest(file)?.check()?;
    Ok(checked.unread_units(UNIT as u64))
}

/// Writes what makes the file of `base` equal to `original`, with this mode: into the new file `patch`, and where nobody
/// reads the file to its place. Syncs both. Pages that are free, as `checked` knows where it is given, are left as they
/// are.
///
/// # Errors
/// A file cannot be read or written, or it was interrupted. Then what was begun is to be [undone](undo).
pub(super) fn make(
    original: &Original,
    checked: Option<&Checked>,
    base: &Base<'_>,
    patch: &Path,
    mode: u32,
    hooks: Hooks,
) -> Result<Carried, StoreError> {
    let Base {
        file: base,
        root,
        unread,
    } = base;
    let open = || OpenOptions::new().read(true).write(true).open(base);
    let file = open().map_err(StoreError::io("opening", base))?;
    let length = file.metadata().map_err(StoreError::io("measuring", base))?.len();
    let mut out = Writer::begin(patch, length, beginning(&file, base)?.digest.as_bytes(), mode)?;
    // Before anything is written to its place, a crash leaves a patch that says where the file's end was.
    for folder in patch.ancestors().skip(1) {
        disk::sync_dir(folder)?;
        if folder == *root {
            break;
        }
    }
    StoreError::point("patch-begun")?;
    let digester = Digester::start(patch)?;
    let mut before = vec![0; AT_ONCE];
    let (mut at, mut placed, mut beneath) = (0, 0, RoaringTreemap::new());
    let mut place = |out: &mut Writer, bytes: &[u8], to| {
        file.write_all_at(bytes, to).map_err(StoreError::io("writing", base))?;
        placed += bytes.len() as u64;
        out.placed(to, bytes)
    };
    loop {
        hooks.check()?;
        let mut buffer = digester.buffer()?;
        let read = original.read(at, &mut buffer)?;
        if read == 0 {
            break;
        }
        let within = usize::try_from(length.saturating_sub(at)).map_or(read, |within| within.min(read));
        let old = &mut before[..within];
        file.read_exact_at(old, at).map_err(StoreError::io("reading", base))?;
        let new = &mut buffer[..read];
        if let Some(checked) = checked {
            keep_free(checked, at, &mut new[..within], old);
        }
        let is_unread = |range: Range<usize>| unread.contains_range(units(at, range));
        for (range, is_unread) in differing(&new[..within], old, is_unread) {
            let (to, bytes) = (at + range.start as u64, &new[range.clone()]);
            if is_unread {
                place(&mut out, bytes, to)?;
            } else {
                out.stretch(to, bytes)?;
                beneath.insert_range(whole_units(at, range));
            }
        }
        if within < read {
            place(&mut out, &new[within..], at + within as u64)?;
        }
        if let Some(checked) = checked {
            checked.free.blank(at, &mut buffer[..read]);
        }
        digester.digest(buffer, read)?;
        at += read as u64;
        (hooks.passed)(read as u64);
    }
    if placed > 0 {
        file.sync_all().map_err(StoreError::io("syncing", base))?;
    }
    if let Some(checked) = checked {
        beneath |= checked.unread_units(UNIT as u64);
    }
    let (bytes, digest) = out.end(at, &beneath)?;
    StoreError::point("patch-made")?;
    Ok(Carried {
        file: RecordedFile {
            bytes: at,
            blake3: digester.finish()?,
        },
        written: placed + bytes,
        patch: Some(digest.to_hex().to_string()),
    })
}

/// The numbers of the units in which a range of the bytes at `at` lies.
fn units(at: u64, range: Range<usize>) -> Range<u64> {
    let unit = UNIT as u64;
    (at + range.start as u64) / unit..(at + range.end as u64).div_ceil(unit)
}

/// As [`units`], but those that lie in the range: a file may end within one, and go on there the next time.
fn whole_units(at: u64, range: Range<usize>) -> Range<u64> {
    let unit = UNIT as u64;
    (at + range.start as u64).div_ceil(unit)..(at + range.end as u64) / unit
}

/// Takes what is free out of the buffer before.
fn keep_free(checked: &Checked, at: u64, new: &mut [u8], old: &[u8]) {
    let mut at = at;
    for (new, old) in new.chunks_mut(UNIT).zip(old.chunks(UNIT)) {
        if new != old && checked.is_free(at, new.len()) {
            new.copy_from_slice(old);
        }
        at += new.len() as u64;
    }
}

/// The stretches, of whole units, in which two buffers of one length differ, each with whether nobody reads it.
fn differing(new: &[u8], old: &[u8], is_unread: impl Fn(Range<usize>) -> bool) -> Vec<(Range<usize>, bool)> {
    let mut stretches: Vec<(Range<usize>, bool)> = Vec::new();
    for (number, (new, old)) in new.chunks(UNIT).zip(old.chunks(UNIT)).enumerate() {
        if new == old {
            continue;
        }
        let unit = number * UNIT..number * UNIT + new.len();
        let is_unread = is_unread(unit.clone());
        match stretches.last_mut() {
            Some((stretch, before)) if stretch.end == unit.start && *before == is_unread => stretch.end = unit.end,
            _ => stretches.push((unit, is_unread)),
        }
    }
    stretches
}

/// What stands at the beginning of a file.
struct Beginning {
    /// In bytes.
    length: u64,
    digest: blake3::Hash,
}

fn beginning(file: &File, path: &Path) -> Result<Beginning, StoreError> {
    let read = |length| -> io::Result<Vec<u8>> {
        let (mut bytes, mut input) = (Vec::new(), file);
        io::Seek::rewind(&mut input)?;
        input.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let read = || -> io::Result<Vec<u8>> {
        let bytes = read(BEGINNING)?;
        match pages::size_of_page(&bytes).map(|size| 2 * size as u64) {
            Some(length) if length > BEGINNING => read(length),
            _ => Ok(bytes),
        }
    };
    let bytes = read().map_err(StoreError::io("reading", path))?;
    Ok(Beginning {
        length: bytes.len().next_multiple_of(UNIT) as u64,
        digest: blake3::hash(&bytes),
    })
}

fn beginning_of(file: &Path) -> Result<Beginning, StoreError> {
    beginning(&File::open(file).map_err(StoreError::io("opening", file))?, file)
}

/// What tells a file from what it is when LMDB has written to it, in hexadecimal; `None` where there is none.
///
/// # Errors
/// It cannot be read.
pub(super) fn state(file: &Path) -> Result<Option<String>, StoreError> {
    match file.exists() {
        true => Ok(Some(beginning_of(file)?.digest.to_hex().to_string())),
        false => Ok(None),
    }
}

/// How a complete patch begins and ends, which is to have this digest.
fn read(patch: &Path, digest: Option<&str>) -> io::Result<(Header, Ending)> {
    let reader = Reader::open(patch)?;
    let header = reader.header;
    let ending = reader.through(|_, _| Ok(()))?;
    match digest {
        Some(digest) if *digest != *ending.digest.to_hex() => Err(io::Error::new(
            ErrorKind::InvalidData,
            "it is not the one that belongs to this file",
        )),
        _ => Ok((header, ending)),
    }
}

/// Whether it is the patch that is wrong, and not the system: it is not whole, or not there, or the disk has lost it.
pub(super) fn is_damage(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
        || error
            .raw_os_error()
            .is_none_or(|number| number == rustix::io::Errno::IO.raw_os_error())
}

/// Applies a patch that is complete, and has this digest where one is given, and syncs the file. Doing so again changes
/// nothing. A file that has other names too is copied first. Gives the bytes written.
///
/// # Errors
/// The patch is not whole, or another one, and then nothing was written; or the file cannot be written, and then it is to
/// be done again.
pub(super) fn apply(patch: &Path, digest: Option<&str>, base: &Path) -> Result<u64, StoreError> {
    let failed = || StoreError::io("reading", patch);
    let (header, Ending { length, .. }) = read(patch, digest).map_err(failed())?;
    let mut written = carry::own(base)?;
    let mut write = || -> io::Result<()> {
        // As far as an application of it came before, the file may have its new mode already.
        fs::set_permissions(base, Permissions::from_mode(0o600))?;
        let file = OpenOptions::new().write(true).open(base)?;
        Reader::open(patch)?.through(|at, stretch| {
            let Stretch::Bytes(bytes) = stretch else { return Ok(()) };
            written += bytes.len() as u64;
            file.write_all_at(bytes, at)
        })?;
        file.set_len(length)?;
        file.set_permissions(Permissions::from_mode(header.mode))?;
        file.sync_all()
    };
    write().map_err(StoreError::io("updating", base))?;
    Ok(written)
}

/// Lets a complete patch lie over its file, which is cut to the length that it has from now on; `false` where it must be
/// [applied](apply).
///
/// # Errors
/// The patch is not whole, or the file cannot be written.
pub(super) fn lay(patch: &Path, base: &Path) -> Result<bool, StoreError> {
    let (header, ending) = read(patch, None).map_err(StoreError::io("reading", patch))?;
    if header.may_wait() {
        cut(base, ending.length)?;
    }
    Ok(header.may_wait())
}

/// Cuts off what is behind this length.
fn cut(file: &Path, length: u64) -> Result<(), StoreError> {
    let is_longer = fs::metadata(file).map(|file| file.len() > length);
    if !is_longer.map_err(StoreError::io("measuring", file))? {
        return Ok(());
    }
    carry::own(file)?;
    let cut = || -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(file)?;
        file.set_len(length)?;
        file.sync_all()
    };
    cut().map_err(StoreError::io("shortening", file))
}

/// Whether somebody has written to the file since the complete patch for it was made. LMDB writes pages before it
/// changes the file's beginning, where a crash may come between; so what was written to its place counts too.
///
/// # Errors
/// One of them cannot be read.
pub(super) fn is_overtaken(patch: &Path, base: &Path) -> Result<bool, StoreError> {
    let failed = || StoreError::io("reading", patch);
    let reader = Reader::open(patch).map_err(failed())?;
    if has_moved_on(&reader.header, base)? {
        return Ok(true);
    }
    let file = File::open(base).map_err(StoreError::io("opening", base))?;
    let mut is_other = false;
    let through = reader.through(|at, stretch| {
        if let (Stretch::Placed(buffer, digest), false) = (stretch, is_other) {
            is_other = match file.read_exact_at(buffer, at) {
                Ok(()) => blake3::hash(buffer) != digest,
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => true,
                Err(error) => return Err(error),
            };
        }
        Ok(())
    });
    through.map_err(failed())?;
    Ok(is_other)
}

/// Whether a transaction was written to the file since the patch with this header was begun.
fn has_moved_on(header: &Header, base: &Path) -> Result<bool, StoreError> {
    let file = File::open(base).map_err(StoreError::io("opening", base))?;
    Ok(*beginning(&file, base)?.digest.as_bytes() != header.beginning)
}

/// Takes back what [`make`] wrote behind the end of a file, unless somebody has written to it since.
///
/// # Errors
/// One of them cannot be read or written.
pub(super) fn undo(patch: &Path, base: &Path) -> Result<(), StoreError> {
    let header = match Reader::open(patch) {
        Ok(reader) => reader.header,
        // A crash came before it was on disk, and so before anything else was written.
        Err(error) if is_damage(&error) => return Ok(()),
        Err(error) => return Err(StoreError::io("reading", patch)(error)),
    };
    match !base.exists() || has_moved_on(&header, base)? {
        true => Ok(()),
        false => cut(base, header.length),
    }
}
