//! LMDB environments as files: checks before LMDB opens one, and its free pages.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use heed::{
    Env, EnvFlags, EnvOpenOptions, WithoutTls,
    types::{Bytes, DecodeIgnore, Str},
};

use super::{StoreError, pages, presence::Held};

/// Slots for read transactions: more than there are threads that read.
pub(super) const MAX_READERS: u32 = 512;

/// Tables of an environment at most.
pub(super) const MOST_TABLES: u32 = 64;

/// Bytes of a page.
const PAGE: u64 = 4096;
/// Where a meta page has LMDB's magic number, its page size, the number of the last page, and its transaction.
const MAGIC_AT: usize = 16;
const MAGIC: u32 = 0xBEEF_C0DE;
const PAGE_SIZE_AT: usize = 40;
const LAST_PAGE_AT: usize = 136;
const TXNID_AT: usize = 144;
const META: usize = 152;

/// Page sizes that LMDB can have.
const PAGE_SIZES: std::ops::RangeInclusive<u64> = 512..=65_536;
/// How often a file is looked at again that somebody writes to meanwhile.
const LOOKS: usize = 20;

/// Refuses a file that is no LMDB environment, or too short to be a whole one. Writes nothing. Another process may be
/// writing to it.
///
/// # Errors
/// It is, or cannot be read.
pub(super) fn refuse_unreadable(file: &Path) -> Result<(), StoreError> {
    let failed = || StoreError::io("reading", file);
    let input = File::open(file).map_err(failed())?;
    let newest = || Newest::read(&input).map_err(failed());
    let mut seen = newest()?;
    for _ in 0..LOOKS {
        let Some(newest_seen) = seen else { break };
        // Measured behind the meta pages: a file that is written to grows first.
        let length = input.metadata().map_err(failed())?.len();
        if newest_seen.needed <= length {
            return Ok(());
        }
        // Pages that were begun and given up in one transaction are counted, and never written.
        let pages = pages::check(file, None).map_err(|error| StoreError::Damaged {
            detail: error.to_string(),
        })?;
        if pages.page_size > 0 && pages.findings.is_empty() {
            return Ok(());
        }
        // What was written meanwhile looks as if it were damaged.
        let now = newest()?;
        if now == seen {
            break;
        }
        seen = now;
    }
    Err(StoreError::Damaged {
        detail: format!(
            "{} is truncated or not an LMDB file; restore it from a backup",
            file.display()
        ),
    })
}

/// Checks the pages of a file that nobody writes to, within a budget, before LMDB opens it: it crashes over damaged
/// ones, and writes more damage. What is beyond the budget is taken as it is.
///
/// # Errors
/// A page is damaged.
pub(super) fn refuse_damaged(file: &Path, budget: pages::Budget) -> Result<(), StoreError> {
    const REMEDY: &str = "restore it from a backup (`dropkeep verify` says what is damaged and what to do, `dropkeep export` goes \
                          round it)";
    refuse_findings(file, pages::glance(file, budget), REMEDY)
}

/// Checks all pages of a file that nobody writes to, before its rows are written anew.
///
/// # Errors
/// A page is damaged.
pub(super) fn refuse_to_upgrade(file: &Path) -> Result<(), StoreError> {
    const REMEDY: &str = "the archive is of an older version, and is not upgraded while its catalog is damaged: restore it from \
                          a backup, or export what can be read with the version of dropkeep that it was used with";
    refuse_findings(file, pages::check(file, None), REMEDY)
}

fn refuse_findings(
    file: &Path,
    checked: Result<pages::Pages, pages::CheckError>,
    remedy: &str,
) -> Result<(), StoreError> {
    let what = match checked {
        Ok(pages) => match pages.findings.first() {
            None => return Ok(()),
            Some(finding) => finding.to_string(),
        },
        Err(error) => error.to_string(),
    };
    Err(StoreError::Damaged {
        detail: format!("{}: {what}; {remedy}", file.display()),
    })
}

/// What an environment in a folder has as its lock file, by which those who read and write know of each other; `None`
/// where it can be opened without.
pub(super) fn lock_held(folder: &Path) -> Result<Option<Held>, StoreError> {
    const ANEW: &str = "programs that read the archive would go unnoticed: restart dropkeep";
    let name = folder.join("lock.mdb");
    match name.exists() {
        true => Held::new("the lock file", name, ANEW).map(Some),
        false => Ok(None),
    }
}

/// What the newer meta page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Newest {
    txnid: u64,
    /// How long the file must be.
    needed: u64,
}

impl Newest {
    /// `None` where the file does not have two meta pages that agree about the size of pages: LMDB divides by it.
    fn read(file: &File) -> io::Result<Option<Self>> {
        let number = |at: usize, meta: &[u8; META]| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&meta[at..at + 8]);
            u64::from_ne_bytes(bytes)
        };
        let page_size = |meta: &[u8; META]| number(PAGE_SIZE_AT, meta) & 0xffff_ffff;
        let Some(first) = meta(file, 0)? else { return Ok(None) };
        let size = page_size(&first);
        if !size.is_power_of_two() || !PAGE_SIZES.contains(&size) {
            return Ok(None);
        }
        let Some(second) = meta(file, size)?.filter(|second| page_size(second) == size) else {
            return Ok(None);
        };
        let newer = if number(TXNID_AT, &second) > number(TXNID_AT, &first) {
            second
        } else {
            first
        };
        let pages = number(LAST_PAGE_AT, &newer).checked_add(1);
        let needed = pages.and_then(|pages| pages.checked_mul(size));
        Ok(needed.map(|needed| Self {
            txnid: number(TXNID_AT, &newer),
            needed,
        }))
    }
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

/// Bytes of free pages within an environment's file.
pub(super) fn free(env: &Env<WithoutTls>) -> heed::Result<u64> {
    // The first two pages are LMDB's own; free pages beyond the last one in use count as well.
    let used = env.non_free_pages_size()? + 2 * PAGE;
    Ok(env.real_disk_size()?.saturating_sub(used))
}

/// The named tables of an environment, and how many rows each has.
pub(super) fn row_counts(env: &Env<WithoutTls>) -> heed::Result<Vec<(String, u64)>> {
    let txn = env.read_txn()?;
    let Some(root) = env.open_database::<Str, DecodeIgnore>(&txn, None)? else {
        return Ok(Vec::new());
    };
    let mut counts = Vec::new();
    for row in root.iter(&txn)? {
        let (name, _) = row?;
        if let Some(table) = env.open_database::<Bytes, Bytes>(&txn, Some(name))? {
            counts.push((name.to_owned(), table.len(&txn)?));
        }
    }
    // The handles of a read transaction last only where it is committed.
    txn.commit()?;
    Ok(counts)
}

/// The same of an environment that is a file by itself, which nobody writes.
///
/// # Errors
/// It cannot be read.
pub(super) fn row_counts_of_file(file: &Path) -> Result<Vec<(String, u64)>, StoreError> {
    refuse_unreadable(file)?;
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    let flags = EnvFlags::READ_ONLY | EnvFlags::NO_LOCK | EnvFlags::NO_SUB_DIR;
    let length = file.metadata().map_err(StoreError::io("measuring", file))?.len();
    options
        .map_size((length as usize & !0xffff) + (1 << 20))
        .max_dbs(MOST_TABLES);
    // SAFETY: nobody else has the file, which was made under the lock of the data directory.
    let env = unsafe { options.flags(flags).open(file) };
    env.and_then(|env| row_counts(&env))
        .map_err(StoreError::lmdb("reading back", file))
}
