//! The meta pages: which snapshot is read.
//!
//! Behind the page's header, which is like any other's:
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 16 | 4 | magic |
//! | 20 | 4 | version of the data's form |
//! | 24 | 8 | an address, of use only with a fixed map |
//! | 32 | 8 | bytes of the map |
//! | 40 | 48 | the free list's record |
//! | 88 | 48 | the main database's record |
//! | 136 | 8 | number of the last page |
//! | 144 | 8 | the transaction that wrote it |

use std::{io, sync::Arc};

use super::{
    file::PageFile,
    findings::Report,
    layout::{HEADER, PAGE_SIZES, RECORD, Record, check_number, u16_at, u32_at, u64_at},
};

/// Bytes of a meta page up to the end of what it says.
pub(super) const LENGTH: usize = 152;
pub(super) const TXNID_AT: usize = 144;
const META: u16 = 0x08;
const MAGIC: u32 = 0xbeef_c0de;
const VERSION: u32 = 1;

/// In the environment's flags: the free list's keys are numbers. Always there.
const NUMBER_KEYS: u16 = 0x08;
/// In the environment's flags: it is not a directory, but a file.
const NO_DIRECTORY: u16 = 0x4000;

/// Page numbers have 48 bits in branch pages.
const MOST_PAGES: u64 = 1 << 48;
/// No process has this many bytes to map a file to.
const LARGEST_MAP: u64 = 1 << 47;

/// A meta page that leads somewhere.
pub struct Meta {
    /// 0 or 1.
    pub number: u64,
    /// In bytes.
    pub page_size: usize,
    /// In bytes. LMDB takes the larger of this and what it is opened with.
    map_size: u64,
    pub free: Record,
    pub main: Record,
    pub last_page: u64,
    pub txnid: u64,
}

impl Meta {
    /// # Errors
    /// In words, why LMDB would not open the file.
    pub(super) fn parse(bytes: &[u8], number: u64) -> Result<Self, String> {
        const CUT_SHORT: &str = "it is cut short";
        let flags = u16_at(bytes, 10).ok_or(CUT_SHORT)?;
        if flags & META == 0 {
            return Err(format!("its flags are {flags:#06x}, not a meta page's"));
        }
        match u32_at(bytes, HEADER).ok_or(CUT_SHORT)? {
            MAGIC => {}
            other => return Err(format!("it says {other:#010x} where LMDB's pages say {MAGIC:#010x}")),
        }
        match u32_at(bytes, HEADER + 4).ok_or(CUT_SHORT)? {
            VERSION => {}
            other => return Err(format!("its data are of version {other}, not {VERSION}")),
        }
        let free = bytes.get(40..).and_then(Record::parse).ok_or(CUT_SHORT)?;
        let page_size = free.pad as usize;
        if !PAGE_SIZES.contains(&page_size) {
            return Err(format!("its pages have {page_size} bytes, which LMDB's have not"));
        }
        Ok(Self {
            number,
            page_size,
            map_size: u64_at(bytes, 32).ok_or(CUT_SHORT)?,
            free,
            main: bytes.get(40 + RECORD..).and_then(Record::parse).ok_or(CUT_SHORT)?,
            last_page: u64_at(bytes, 136).ok_or(CUT_SHORT)?,
            txnid: u64_at(bytes, TXNID_AT).ok_or(CUT_SHORT)?,
        })
    }

    /// Reports what is wrong though LMDB would open the file.
    fn check(&self, bytes: &[u8], tree: &Arc<str>, report: &mut Report) {
        let mut add = |what: String| report.add(tree, self.number, what);
        if let Err(what) = check_number(bytes, self.number) {
            add(what);
        }
        match u16_at(bytes, 10) {
            Some(META) => {}
            flags => add(format!(
                "its flags are {:#06x}, not just a meta page's",
                flags.unwrap_or(0)
            )),
        }
        if self.free.flags & !NO_DIRECTORY != NUMBER_KEYS {
            add(format!(
                "the environment's flags are {:#06x}, which are not ours",
                self.free.flags
            ));
        }
        if self.last_page == 0 || self.last_page >= MOST_PAGES {
            add(format!("the last page cannot be page {}", self.last_page));
        } else if self.map_size < (self.last_page + 1) * self.page_size as u64 || self.map_size > LARGEST_MAP {
            add(format!(
                "a map of {} bytes is not for {} pages",
                self.map_size,
                self.last_page + 1
            ));
        }
        if self.txnid != 0 && self.txnid % 2 != self.number {
            add(format!(
                "transaction {} does not write this page, but the other meta page",
                self.txnid
            ));
        }
    }
}

/// Reads the meta pages, reports what is wrong with them, and gives the one that LMDB would go by, and the other's
/// transaction, or `None` where nothing can be read on.
///
/// # Errors
/// The file cannot be read.
pub fn read(file: &PageFile, report: &mut Report) -> io::Result<Option<(Meta, Option<u64>)>> {
    let tree: Arc<str> = "meta".into();
    if file.length < LENGTH as u64 {
        report.add(
            &tree,
            0,
            format_args!("the file has {} bytes, too few for a meta page", file.length),
        );
        return Ok(None);
    }
    let bytes = file.meta_at(0)?;
    let first = Meta::parse(&bytes, 0);
    let sizes = match &first {
        Ok(first) => &[first.page_size][..],
        Err(_) => &PAGE_SIZES,
    };
    let mut second = Err("it lies beyond the end of the file".into());
    for size in sizes {
        if file.length < (size + LENGTH) as u64 {
            continue;
        }
        let bytes = file.meta_at(*size as u64)?;
        let parsed = Meta::parse(&bytes, 1).and_then(|meta| match meta.page_size == *size {
            true => Ok((meta, bytes)),
            false => Err(format!(
                "it says that pages have {} bytes, and not {size}",
                meta.page_size
            )),
        });
        // Where no size does, what is said is said of the usual one.
        if parsed.is_ok() || *size == sizes[0] {
            second = parsed;
        }
        if second.is_ok() {
            break;
        }
    }
    match &first {
        Ok(first) => first.check(&bytes, &tree, report),
        Err(what) => report.add(&tree, 0, what),
    }
    match &second {
        Ok((second, bytes)) => second.check(bytes, &tree, report),
        Err(what) => report.add(&tree, 1, what),
    }
    let chosen = match (first, second) {
        (Ok(first), Ok((second, _))) => Some(newer(file, first, second, &tree, report)?),
        (Ok(only), Err(_)) | (Err(_), Ok((only, _))) => Some((only, None)),
        (Err(_), Err(_)) => None,
    };
    Ok(chosen.map(|(mut meta, other)| {
        // Said to be impossible above; what follows counts with it.
        meta.last_page = meta.last_page.min(MOST_PAGES - 1);
        (meta, other)
    }))
}

/// The newer of both, and the other's transaction, read after it: while that is the older one, nobody can have begun
/// to write the newer.
fn newer(
    file: &PageFile,
    first: Meta,
    second: Meta,
    tree: &Arc<str>,
    report: &mut Report,
) -> io::Result<(Meta, Option<u64>)> {
    let (low, high) = (first.txnid.min(second.txnid), first.txnid.max(second.txnid));
    // A new environment has written none yet, and neither has a copy of an empty one.
    if high - low != u64::from(high != 0) {
        let what = format_args!(
            "transactions {} and {} do not follow each other",
            first.txnid, second.txnid
        );
        report.add(tree, 0, what);
    }
    let (newer, other) = if first.txnid < second.txnid {
        (second, first)
    } else {
        (first, second)
    };
    if other.last_page > newer.last_page {
        let what = format_args!(
            "its last page, {}, is before that of the older meta page, {}",
            newer.last_page, other.last_page
        );
        report.add(tree, newer.number, what);
    }
    let bytes = file.meta_at(other.number * other.page_size as u64)?;
    Ok((newer, u64_at(&bytes, TXNID_AT)))
}
