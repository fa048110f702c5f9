//! The form of a patch on the disk.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `dkpatch` and the form, 3 |
//! | 8 | length of the file before |
//! | 32 | BLAKE3 of its beginning, with LMDB's meta pages: as long as that is the same, nobody has written to the file |
//! | 4 | mode of the file |
//! | | packed by zstd: |
//! | | stretches: where it belongs (8), its length (4), bytes; of those that stand there already, the highest bit of the length is set, and their BLAKE3 (32) takes their place |
//! | 8 | where a stretch would have its place: all bits are set |
//! | 8 | length of the file from now on |
//! | 4 | length of what follows |
//! | | the units of the file that nobody reads as long as the patch lies over it, as a bitmap (Roaring, portable form): those that are in the patch, and LMDB's free pages |
//! | 32 | BLAKE3 of all before, not packed |
//!
//! Numbers are little-endian. Form 2 has no bitmap, and form 1 no bytes that stand there already: such a patch never
//! waits.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufReader, BufWriter, ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use roaring::RoaringTreemap;
use zstd::stream::{Decoder, Encoder};

use super::{StoreError, carry::AT_ONCE};

/// A file is looked at in units of this many bytes.
pub(super) const UNIT: usize = 4096;
const MAGIC: &[u8; 7] = b"dkpatch";
const FORM: u8 = 3;
/// From this form on, a patch says what nobody reads beneath it.
const WITH_UNREAD: u8 = 3;
/// Set in the length of a stretch that is written to its place already.
const PLACED: u32 = 1 << 31;
/// Where no stretch begins.
const END: u64 = u64::MAX;
const HEADER: usize = 52;
/// Of zstd.
const LEVEL: i32 = 3;
/// The most of what came before that is kept to decompress a patch, as a power of two in bytes. Level 3 needs 21.
const WINDOW_LOG: u32 = 23;
/// Bytes of a bitmap. That of the largest file, a tebibyte, takes half of them.
const MOST_UNREAD: usize = 1 << 26;

/// A patch that is being written.
pub(super) struct Writer<'p> {
    out: BufWriter<Encoder<'static, File>>,
    path: &'p Path,
    hasher: blake3::Hasher,
}

impl<'p> Writer<'p> {
    pub fn begin(path: &'p Path, length: u64, beginning: &[u8; 32], mode: u32) -> Result<Self, StoreError> {
        let failed = || StoreError::io("writing", path);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = file.map_err(failed())?;
        let magic = [&MAGIC[..], &[FORM]].concat();
        let header = [&magic, &length.to_le_bytes()[..], beginning, &mode.to_le_bytes()].concat();
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

    pub fn stretch(&mut self, at: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.put(&at.to_le_bytes())?;
        self.put(&(bytes.len() as u32).to_le_bytes())?;
        self.put(bytes)
    }

    /// What stands at its place already.
    pub fn placed(&mut self, at: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.put(&at.to_le_bytes())?;
        self.put(&(bytes.len() as u32 | PLACED).to_le_bytes())?;
        self.put(blake3::hash(bytes).as_bytes())
    }

    /// With the length of the file from now on, and the units that nobody reads of it. Gives how many bytes the patch
    /// has, and its digest.
    pub fn end(mut self, length: u64, unread: &RoaringTreemap) -> Result<(u64, blake3::Hash), StoreError> {
        self.put(&END.to_le_bytes())?;
        self.put(&length.to_le_bytes())?;
        let mut bitmap = Vec::new();
        let failed = StoreError::io("writing", self.path);
        unread.serialize_into(&mut bitmap).map_err(failed)?;
        self.put(&(bitmap.len() as u32).to_le_bytes())?;
        self.put(&bitmap)?;
        let digest = self.hasher.finalize();
        let mut end = || -> io::Result<(u64, blake3::Hash)> {
            self.out.write_all(digest.as_bytes())?;
            self.out.flush()?;
            let file = self.out.get_mut();
            file.do_finish()?;
            file.get_ref().sync_all()?;
            Ok((file.get_ref().metadata()?.len(), digest))
        };
        end().map_err(StoreError::io("writing", self.path))
    }
}

/// How a patch begins.
#[derive(Clone, Copy)]
pub(super) struct Header {
    form: u8,
    /// Of the file before, in bytes.
    pub length: u64,
    pub beginning: [u8; 32],
    /// Of the file from now on.
    pub mode: u32,
}

impl Header {
    /// Whether it may wait beside its file. A sealed one is complete by itself.
    pub fn may_wait(&self) -> bool {
        self.form >= WITH_UNREAD && self.mode & 0o200 != 0
    }
}

/// How a patch ends.
pub(super) struct Ending {
    /// Of the file from now on, in bytes.
    pub length: u64,
    /// The units of the file that nobody reads as long as the patch lies over it.
    pub unread: RoaringTreemap,
    /// Of the patch.
    pub digest: blake3::Hash,
}

/// What is to stand at a place.
pub(super) enum Stretch<'b> {
    Bytes(&'b [u8]),
    /// The BLAKE3 of what stands there, and a buffer of its length.
    Placed(&'b mut [u8], [u8; 32]),
}

/// A patch that is read.
pub(super) struct Reader {
    input: Decoder<'static, BufReader<File>>,
    hasher: blake3::Hasher,
    pub header: Header,
}

impl Reader {
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut input = BufReader::with_capacity(AT_ONCE, File::open(path)?);
        let mut header = [0; HEADER];
        input.read_exact(&mut header)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&header);
        let (magic, rest) = header.split_at(8);
        let (length, rest) = rest.split_at(8);
        let (beginning, mode) = rest.split_at(32);
        let header = || {
            let form = *magic.strip_prefix(MAGIC)?.first()?;
            Some(Header {
                form: (1..=FORM).contains(&form).then_some(form)?,
                length: u64::from_le_bytes(length.try_into().ok()?),
                beginning: beginning.try_into().ok()?,
                mode: u32::from_le_bytes(mode.try_into().ok()?),
            })
        };
        let header = header().ok_or_else(|| invalid("it is not a patch of a known form"))?;
        let mut input = Decoder::with_buffer(input)?;
        input.window_log_max(WINDOW_LOG)?;
        Ok(Self { input, hasher, header })
    }

    fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    /// Hands each stretch to `each`. What was handed out counts only if this ends well.
    pub fn through(mut self, mut each: impl FnMut(u64, Stretch<'_>) -> io::Result<()>) -> io::Result<Ending> {
        let mut buffer = vec![0; AT_ONCE];
        loop {
            let at = u64::from_le_bytes(self.take()?);
            if at == END {
                break;
            }
            let length = u32::from_le_bytes(self.take()?);
            let Some(bytes) = buffer.get_mut(..(length & !PLACED) as usize) else {
                return Err(invalid("a stretch is too long"));
            };
            if length & PLACED != 0 {
                let digest = self.take()?;
                each(at, Stretch::Placed(bytes, digest))?;
                continue;
            }
            self.input.read_exact(bytes)?;
            self.hasher.update(bytes);
            each(at, Stretch::Bytes(bytes))?;
        }
        let length = u64::from_le_bytes(self.take()?);
        let mut unread = Vec::new();
        if self.header.form >= WITH_UNREAD {
            let bytes = u32::from_le_bytes(self.take()?) as usize;
            if bytes > MOST_UNREAD {
                return Err(invalid("its list of what nobody reads is too long"));
            }
            // Room is made for what is there, and not for what is said to be.
            if self.input.by_ref().take(bytes as u64).read_to_end(&mut unread)? < bytes {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.hasher.update(&unread);
        }
        let digest = self.hasher.finalize();
        if self.take()? != *digest.as_bytes() {
            return Err(invalid("it does not match its digest"));
        }
        let unread = match unread.is_empty() {
            true => RoaringTreemap::new(),
            false => RoaringTreemap::deserialize_from(&unread[..])?,
        };
        Ok(Ending { length, unread, digest })
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}
