//! Patches: what must be written into a file of the backup before to make it that of the new one.
//!
//! Much of an LMDB file is the same from one backup to the next. So what differs is written into a patch, beside the
//! file and without touching it; and once all of the new backup is complete and on disk, the patch is applied. A crash
//! before that leaves the file as it was. After it the patch is applied again, which comes to the same. What stands
//! behind the end of the file that is there is written to its place at once, as nobody reads so far: a patch that is
//! given up has it cut off again.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `dkpatch` and the form, 1 |
//! | 8 | length of the file before |
//! | 32 | BLAKE3 of its beginning, with LMDB's meta pages: as long as that is the same, nobody has written to the file |
//! | 4 | mode of the file |
//! | | packed by zstd: |
//! | | stretches: where it belongs (8), its length (4), bytes |
//! | 8 | where a stretch would have its place: all bits are set |
//! | 8 | length of the file from now on |
//! | 32 | BLAKE3 of all before, not packed |
//!
//! Numbers are little-endian. Pages that are free are as they were in the file before.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, BufReader, BufWriter, ErrorKind, Read, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use zstd::stream::{Decoder, Encoder};

use super::{
    StoreError,
    carry::{AT_ONCE, Carried, Digester},
    disk,
    hooks::Hooks,
    original::{Checked, Original},
    record::RecordedFile,
};

/// A patch's name, in the folder of the file that it makes.
pub(super) const PATCH: &str = "patch";

const MAGIC: &[u8; 8] = b"dkpatch\x01";
/// What differs is found in units of this many bytes.
const UNIT: usize = 4096;
/// Bytes at the beginning of a file that change whenever LMDB writes to it.
const BEGINNING: u64 = 8192;
/// Where no stretch begins.
const END: u64 = u64::MAX;
const HEADER: usize = 52;
/// Of zstd.
const LEVEL: i32 = 3;

/// Whether a file can be patched: it is one of LMDB that is not sealed, and nobody else's, too. A copy of a backup may
/// share its files with it, as `cp -al` makes them.
pub(super) fn is_possible(file: &Path) -> bool {
    let is_ours = |file: fs::Metadata| file.is_file() && file.nlink() == 1 && file.mode() & 0o200 != 0;
    fs::symlink_metadata(file).is_ok_and(|file| file.len() >= BEGINNING && is_ours(file))
}

/// Writes into the new file `patch` what makes `base` equal to `original`, with this mode, and syncs both. Pages that
/// are free, as `checked` knows where it is given, are left as they are. `root` is the folder of the backup that both
/// belong to.
///
/// # Errors
/// A file cannot be read or written, or it was interrupted. Then what was begun is to be [undone](undo).
pub(super) fn make(
    original: &Original,
    checked: Option<&Checked>,
    base: &Path,
    patch: &Path,
    mode: u32,
    root: &Path,
    hooks: Hooks,
) -> Result<Carried, StoreError> {
    let open = || OpenOptions::new().read(true).write(true).open(base);
    let file = open().map_err(StoreError::io("opening", base))?;
    let length = file.metadata().map_err(StoreError::io("measuring", base))?.len();
    let mut out = Writer::begin(patch, length, &beginning(&file, base)?, mode)?;
    // Before anything is written behind the file's end, a crash leaves a patch that says where that was.
    for folder in patch.ancestors().skip(1) {
        disk::sync_dir(folder)?;
        if folder == root {
            break;
        }
    }
    StoreError::point("patch-begun")?;
    let digester = Digester::start(patch)?;
    let mut before = vec![0; AT_ONCE];
    let (mut at, mut appended) = (0, 0);
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
        for (from, to) in differing(&new[..within], old) {
            out.stretch(at + from as u64, &new[from..to])?;
        }
        file.write_all_at(&new[within..], at + within as u64)
            .map_err(StoreError::io("writing", base))?;
        appended += (read - within) as u64;
        digester.digest(buffer, read)?;
        at += read as u64;
        (hooks.passed)(read as u64);
    }
    if appended > 0 {
        file.sync_all().map_err(StoreError::io("syncing", base))?;
    }
    let written = appended + out.end(at)?;
    StoreError::point("patch-made")?;
    Ok(Carried {
        file: RecordedFile {
            bytes: at,
            blake3: digester.finish()?,
        },
        written,
    })
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

/// The stretches, of whole units, in which two buffers of one length differ.
fn differing(new: &[u8], old: &[u8]) -> Vec<(usize, usize)> {
    let mut stretches: Vec<(usize, usize)> = Vec::new();
    for (number, (new, old)) in new.chunks(UNIT).zip(old.chunks(UNIT)).enumerate() {
        if new == old {
            continue;
        }
        let (from, to) = (number * UNIT, number * UNIT + new.len());
        match stretches.last_mut() {
            Some((_, end)) if *end == from => *end = to,
            _ => stretches.push((from, to)),
        }
    }
    stretches
}

/// The digest of a file's beginning.
fn beginning(file: &File, path: &Path) -> Result<[u8; 32], StoreError> {
    let mut bytes = Vec::new();
    let mut input = file;
    io::Seek::rewind(&mut input)
        .and_then(|()| input.take(BEGINNING).read_to_end(&mut bytes))
        .map_err(StoreError::io("reading", path))?;
    Ok(*blake3::hash(&bytes).as_bytes())
}

/// A patch that is being written.
struct Writer<'p> {
    out: BufWriter<Encoder<'static, File>>,
    path: &'p Path,
    hasher: blake3::Hasher,
}

impl<'p> Writer<'p> {
    fn begin(path: &'p Path, length: u64, beginning: &[u8; 32], mode: u32) -> Result<Self, StoreError> {
        let failed = || StoreError::io("writing", path);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = file.map_err(failed())?;
        let header = [MAGIC, &length.to_le_bytes()[..], beginning, &mode.to_le_bytes()].concat();
        file.write_all(&header)
            .and_then(|()| file.sync_all())
            .map_err(failed())?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&header);
        let out = Encoder::new(file, LEVEL).map_err(failed())?;
        Ok(Self {
            out: BufWriter::with_capacity(AT_ONCE, out),
            path,
            hasher,
        })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.hasher.update(bytes);
        self.out.write_all(bytes).map_err(StoreError::io("writing", self.path))
    }

    fn stretch(&mut self, at: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.put(&at.to_le_bytes())?;
        self.put(&(bytes.len() as u32).to_le_bytes())?;
        self.put(bytes)
    }

    /// Gives how many bytes the patch has.
    fn end(mut self, length: u64) -> Result<u64, StoreError> {
        self.put(&END.to_le_bytes())?;
        self.put(&length.to_le_bytes())?;
        let digest = self.hasher.finalize();
        let mut end = || -> io::Result<u64> {
            self.out.write_all(digest.as_bytes())?;
            self.out.flush()?;
            let file = self.out.get_mut();
            file.do_finish()?;
            file.get_ref().sync_all()?;
            Ok(file.get_ref().metadata()?.len())
        };
        end().map_err(StoreError::io("writing", self.path))
    }
}

/// How a patch begins.
struct Header {
    length: u64,
    beginning: [u8; 32],
    mode: u32,
}

/// A patch that is read.
struct Reader {
    input: Decoder<'static, BufReader<File>>,
    hasher: blake3::Hasher,
}

impl Reader {
    fn open(path: &Path) -> io::Result<(Self, Header)> {
        let mut input = BufReader::with_capacity(AT_ONCE, File::open(path)?);
        let mut header = [0; HEADER];
        input.read_exact(&mut header)?;
        let mut reader = Self {
            input: Decoder::with_buffer(input)?,
            hasher: blake3::Hasher::new(),
        };
        reader.hasher.update(&header);
        let (magic, rest) = header.split_at(8);
        let (length, rest) = rest.split_at(8);
        let (beginning, mode) = rest.split_at(32);
        let invalid = || io::Error::new(ErrorKind::InvalidData, "it is not a patch of a known form");
        let known = (magic == MAGIC).then_some(()).and_then(|()| {
            Some(Header {
                length: u64::from_le_bytes(length.try_into().ok()?),
                beginning: beginning.try_into().ok()?,
                mode: u32::from_le_bytes(mode.try_into().ok()?),
            })
        });
        Ok((reader, known.ok_or_else(invalid)?))
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    /// Hands each stretch to `each`; gives the new length. What was handed out counts only if this ends well.
    fn through(mut self, mut each: impl FnMut(u64, &[u8]) -> io::Result<()>) -> io::Result<u64> {
        let invalid = |what| Err(io::Error::new(ErrorKind::InvalidData, what));
        let mut buffer = vec![0; AT_ONCE];
        loop {
            let at = u64::from_le_bytes(self.take()?);
            if at == END {
                break;
            }
            let length = u32::from_le_bytes(self.take()?) as usize;
            let Some(bytes) = buffer.get_mut(..length) else {
                return invalid("a stretch is too long");
            };
            self.input.read_exact(bytes)?;
            self.hasher.update(bytes);
            each(at, bytes)?;
        }
        let length = u64::from_le_bytes(self.take()?);
        let digest = self.hasher.finalize();
        if self.take()? != *digest.as_bytes() {
            return invalid("it does not match its digest");
        }
        Ok(length)
    }
}

/// Applies a patch that is complete, and syncs the file. Doing so again changes nothing. Gives the bytes written.
///
/// # Errors
/// The patch is not whole, and then nothing was written; or the file cannot be written, and then it is to be done
/// again.
pub(super) fn apply(patch: &Path, base: &Path) -> Result<u64, StoreError> {
    let failed = || StoreError::io("reading", patch);
    let through = |each: &mut dyn FnMut(u64, &[u8]) -> io::Result<()>| {
        let (reader, _) = Reader::open(patch)?;
        reader.through(each)
    };
    let (_, header) = Reader::open(patch).map_err(failed())?;
    let length = through(&mut |_, _| Ok(())).map_err(failed())?;
    let mut written = 0;
    let mut write = || -> io::Result<()> {
        // As far as an application of it came before, the file may have its new mode already.
        fs::set_permissions(base, Permissions::from_mode(0o600))?;
        let file = OpenOptions::new().write(true).open(base)?;
        through(&mut |at, bytes| {
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

/// Whether somebody has written to the file since the patch for it was begun. A patch that was not even begun is for
/// no file.
///
/// # Errors
/// One of them cannot be read.
pub(super) fn is_overtaken(patch: &Path, base: &Path) -> Result<bool, StoreError> {
    let Some(header) = header(patch)? else { return Ok(false) };
    let file = File::open(base).map_err(StoreError::io("opening", base))?;
    Ok(beginning(&file, base)? != header.beginning)
}

/// Takes back what [`make`] wrote behind the end of a file, unless somebody has written to it since.
///
/// # Errors
/// One of them cannot be read or written.
pub(super) fn undo(patch: &Path, base: &Path) -> Result<(), StoreError> {
    let Some(header) = header(patch)? else { return Ok(()) };
    if !base.exists() || is_overtaken(patch, base)? {
        return Ok(());
    }
    let cut = || -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(base)?;
        if file.metadata()?.len() > header.length {
            file.set_len(header.length)?;
            file.sync_all()?;
        }
        Ok(())
    };
    cut().map_err(StoreError::io("shortening", base))
}

/// `None` where a crash came before it was on disk, and so before anything else was written.
fn header(patch: &Path) -> Result<Option<Header>, StoreError> {
    match Reader::open(patch) {
        Ok((_, header)) => Ok(Some(header)),
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) => Ok(None),
        Err(error) => Err(StoreError::io("reading", patch)(error)),
    }
}
