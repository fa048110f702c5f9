//! What can be said of an LMDB file before LMDB trusts it.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use super::{StoreError, pages};

/// Where a meta page has LMDB's magic number, its page size, the number of the last page, and its transaction.
const MAGIC_AT: usize = 16;
const MAGIC: u32 = 0xBEEF_C0DE;
const PAGE_SIZE_AT: usize = 40;
const LAST_PAGE_AT: usize = 136;
const TXNID_AT: usize = 144;
const META: usize = 152;

/// Refuses a file that is no LMDB environment, or too short to be a whole one. Writes nothing.
///
/// # Errors
/// It is, or cannot be read.
pub(super) fn refuse_unreadable(file: &Path) -> Result<(), StoreError> {
    let failed = || StoreError::io("reading", file);
    let input = File::open(file).map_err(failed())?;
    let length = input.metadata().map_err(failed())?.len();
    let whole = match needed(&input).map_err(failed())? {
        None => false,
        Some(needed) if needed <= length => true,
        // Pages that were begun and given up in one transaction are counted, and never written.
        Some(_) => match pages::check(file, None) {
            Ok(pages) => pages.page_size > 0 && pages.findings.is_empty(),
            Err(error) => {
                return Err(StoreError::Damaged {
                    detail: error.to_string(),
                });
            }
        },
    };
    if whole {
        Ok(())
    } else {
        Err(StoreError::Damaged {
            detail: format!(
                "{} is cut short or no LMDB file; restore it from a backup",
                file.display()
            ),
        })
    }
}

/// How long the file must be, by its newer meta page; `None` where it has none.
fn needed(file: &File) -> io::Result<Option<u64>> {
    let Some(first) = meta(file, 0)? else { return Ok(None) };
    let number = |at: usize, meta: &[u8; META]| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&meta[at..at + 8]);
        u64::from_ne_bytes(bytes)
    };
    let page_size = number(PAGE_SIZE_AT, &first) & 0xffff_ffff;
    let second = meta(file, page_size)?;
    let newer = second
        .filter(|second| number(TXNID_AT, second) > number(TXNID_AT, &first))
        .unwrap_or(first);
    Ok(number(LAST_PAGE_AT, &newer)
        .checked_add(1)
        .and_then(|pages| pages.checked_mul(page_size)))
}

fn meta(file: &File, at: u64) -> io::Result<Option<[u8; META]>> {
    let mut meta = [0; META];
    match file.read_exact_at(&mut meta, at) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let is_lmdb = meta[MAGIC_AT..MAGIC_AT + 4] == MAGIC.to_ne_bytes();
    Ok(is_lmdb.then_some(meta))
}
