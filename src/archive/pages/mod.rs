//! The pages of an LMDB file, checked without LMDB.
//!
//! LMDB trusts its file: a damaged page can crash the process that reads it, and a write upon it can damage more.
//! So this reads the file by itself and follows everything that LMDB would follow. What it finds nothing wrong with,
//! LMDB reads and writes safely. What the values say is not its matter; they carry checksums of their own.
//!
//! A file is a row of pages of one size. Pages 0 and 1 are the meta pages: transaction N writes page N mod 2, and the
//! one with the newer transaction counts. It holds the records (root page, depth, counts) of two trees, the free list
//! and the main database, whose values are the records of the named databases. A tree has branch pages and leaf
//! pages; a value that is too large for a leaf lies in a run of overflow pages. The free list says, for each
//! transaction, which pages nobody needs since then. Each page up to the last is a meta page, in one tree once, or on
//! the free list once; LMDB promises so after a crash too, since only writing the meta page makes a transaction count.
//!
//! | where | what |
//! | --- | --- |
//! | `file` | the file, read by position |
//! | `findings` | what a check finds, and how far it goes |
//! | `layout` | how a record and a page lie in bytes |
//! | `meta` | which snapshot is read |
//! | `snapshot` | one that is not the newest any more |
//! | `tree` | one tree followed through its pages |
//! | `free` | the free list, and whether all pages are accounted for |
//!
//! The form is that of LMDB 0.9 on a 64-bit little-endian machine, with keys up to 511 bytes in the order of their
//! bytes and one value to a key. A database with LMDB's other orders or with several values to a key is a finding:
//! the archives have none.

mod file;
mod findings;
mod free;
mod layout;
mod meta;
mod snapshot;
mod tree;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use roaring::RoaringTreemap;

#[cfg(test)]
use self::findings::{Finding, MOST_FINDINGS};
use self::{
    file::PageFile,
    findings::{Limits, Reach, Report},
    free::FreeList,
    layout::Record,
    meta::Meta,
    tree::{OnLeaf, Role, Trees},
};
pub(super) use self::{file::Place, findings::Pages, snapshot::head};

/// Databases beyond these are not followed. A catalog has some thirty.
const MOST_DATABASES: usize = 1000;

/// Why a file could not be checked; this says nothing about its pages.
#[derive(thiserror::Error, Debug)]
pub(super) enum CheckError {
    #[error("checking the pages of {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// Somebody has written since. Begin another read transaction, and check its snapshot.
    #[error("transaction {txnid} is no longer the newest of {}; check a newer one", path.display())]
    Superseded { path: PathBuf, txnid: u64 },
}

/// An entry of a named database, as it lies in the file.
pub(super) struct Entry<'a> {
    pub tree: &'a str,
    pub key: &'a [u8],
    /// Where the key is, in bytes from the file's beginning.
    pub key_at: u64,
    pub value: Place,
}

/// Checks the pages of `file`, a `data.mdb`: the snapshot of transaction `txnid`, or the newest.
///
/// Where somebody may write meanwhile, hold a read transaction for as long as this takes and give its id: LMDB then
/// leaves the snapshot's pages alone. Without it, the file must be at rest. The file is opened anew; LMDB's locks,
/// which closing it could lose, are on another file.
///
/// Memory grows with the number of pages only (some bits for each), time with the pages other than overflow pages.
///
/// # Errors
/// The file cannot be opened, or has moved on from `txnid`. A page that cannot be read is a finding.
pub(super) fn check(file: &Path, txnid: Option<u64>) -> Result<Pages, CheckError> {
    visit(file, txnid, |_| {})
}

/// How much a glance looks at.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    pub time: Duration,
    /// Of the branch pages, and once more of all.
    pub pages: u64,
}

/// Looks at the pages of a file that nobody writes to within a budget: down from the roots, so that what leads to much
/// comes before what leads to little. Where that does not suffice, what was not looked at is not in the counts.
///
/// # Errors
/// Like [`check`].
pub(super) fn glance(file: &Path, budget: Budget) -> Result<Pages, CheckError> {
    let limits = Limits {
        until: Instant::now() + budget.time,
        pages: budget.pages,
    };
    let branches = visit_within(file, None, &mut |_| {}, Reach::Branches(Some(limits)), &mut |_, _| {})?;
    if !branches.findings.is_empty() {
        return Ok(branches);
    }
    visit_within(file, None, &mut |_| {}, Reach::Within(limits), &mut |_, _| {})
}

/// Like [`check`], of the pages alone that lead to others, which are about one in a hundred. Tells `leaf` of each leaf of the
/// named databases, or of each of their values where these lie on pages of their own: of which database it is, and the first
/// key that may stand in it, which is empty for the first.
///
/// # Errors
/// Like [`check`].
pub(super) fn branches(file: &Path, txnid: Option<u64>, leaf: &mut OnLeaf<'_>) -> Result<Pages, CheckError> {
    visit_within(file, txnid, &mut |_| {}, Reach::Branches(None), &mut |name, from| {
        leaf(name, from)
    })
}

/// Like [`check`], and hands each entry of the named databases to `visit`: a database after the other, in the order of
/// the keys. Those on damaged pages and below them are left out.
///
/// # Errors
/// Like [`check`].
pub(super) fn visit(file: &Path, txnid: Option<u64>, mut visit: impl FnMut(&Entry<'_>)) -> Result<Pages, CheckError> {
    visit_within(file, txnid, &mut visit, Reach::All, &mut |_, _| {})
}

/// Checks the pages of a snapshot whose meta pages are `head`, and whose transaction is still open.
///
/// # Errors
/// The file cannot be opened.
pub(super) fn check_snapshot(file: &Path, head: &[u8]) -> io::Result<Pages> {
    let mut source = PageFile::open(file)?;
    source.head = head.to_vec();
    let mut report = Report::default();
    let Some((meta, _)) = meta::read(&source, &mut report)? else {
        return Ok(report.into_pages());
    };
    source.page_size = meta.page_size;
    Ok(follow(&source, &meta, report, &mut |_| {}, Reach::All, &mut |_, _| {}))
}

/// The bytes of a page, as the beginning of a file says; `None` if that is none of LMDB's.
pub(super) fn size_of_page(beginning: &[u8]) -> Option<usize> {
    Meta::parse(beginning, 0).ok().map(|meta| meta.page_size)
}

/// The bytes of a page, and the pages on the free list, as far as it can be read: of the snapshot whose meta pages are
/// `head`, or of a file at rest where that is empty. Nothing else is looked at.
///
/// # Errors
/// The file cannot be opened.
pub(super) fn free(file: &Path, head: &[u8]) -> io::Result<(u64, RoaringTreemap)> {
    let mut source = PageFile::open(file)?;
    source.head = head.to_vec();
    let mut report = Report::default();
    let Some((meta, _)) = meta::read(&source, &mut report)? else {
        return Ok((0, RoaringTreemap::new()));
    };
    source.page_size = meta.page_size;
    let mut on_leaf = |_: &str, _: &[u8]| {};
    let mut trees = Trees::new(&source, meta.last_page, report, Reach::All, &mut on_leaf);
    let mut free = FreeList::new(&meta);
    free.follow(&mut trees, &meta.free);
    Ok((meta.page_size as u64, free.pages))
}

fn visit_within(
    file: &Path,
    txnid: Option<u64>,
    visit: &mut dyn FnMut(&Entry<'_>),
    reach: Reach,
    leaf: &mut OnLeaf<'_>,
) -> Result<Pages, CheckError> {
    let io = |source| CheckError::Io {
        path: file.to_owned(),
        source,
    };
    let mut source = PageFile::open(file).map_err(io)?;
    let mut report = Report::default();
    let read = meta::read(&source, &mut report).map_err(io)?;
    let meta = match (read, txnid) {
        (Some((newest, _)), None) => newest,
        (Some((newest, other)), Some(txnid)) if newest.txnid == txnid && other <= Some(txnid) => newest,
        (Some(_), Some(txnid)) => {
            let path = file.to_owned();
            return Err(CheckError::Superseded { path, txnid });
        }
        (None, _) => return Ok(report.into_pages()),
    };
    source.page_size = meta.page_size;
    Ok(follow(&source, &meta, report, visit, reach, leaf))
}

/// Follows all that a meta page leads to.
fn follow(
    source: &PageFile,
    meta: &meta::Meta,
    report: Report,
    visit: &mut dyn FnMut(&Entry<'_>),
    reach: Reach,
    leaf: &mut OnLeaf<'_>,
) -> Pages {
    let main: Arc<str> = "main".into();
    let mut on_leaf = |name: &str, from: &[u8]| leaf(name, from);
    let mut trees = Trees::new(source, meta.last_page, report, reach, &mut on_leaf);
    let mut databases: Vec<(Arc<str>, Record, u64)> = Vec::new();
    let mut more = 0;
    let tree = trees.follow(
        &main,
        Role::Main,
        &meta.main,
        meta.number,
        &mut |entry, _| match entry.record {
            Some(record) if databases.len() < MOST_DATABASES => {
                databases.push((String::from_utf8_lossy(entry.key).into(), record, entry.page));
            }
            Some(_) => more += 1,
            None => {}
        },
    );
    if more > 0 {
        let what = format_args!("{more} databases beyond the first {MOST_DATABASES} were not followed");
        trees.report.add(&main, meta.main.root, what);
    }
    let mut counted = vec![tree];
    for (name, record, page) in &databases {
        let tree = trees.follow(name, Role::Named, record, *page, &mut |entry, _| {
            visit(&Entry {
                tree: name,
                key: entry.key,
                key_at: entry.key_at,
                value: entry.value,
            });
        });
        counted.push(tree);
    }
    let mut free = FreeList::new(meta);
    let tree = free.follow(&mut trees, &meta.free);
    counted.insert(0, tree);
    let lost = if trees.is_cut { 0 } else { free.account(&mut trees) };
    let report = trees.report.into_pages();
    Pages {
        page_size: source.page_size as u64,
        last_page: meta.last_page,
        txnid: meta.txnid,
        used: trees.used.len(),
        used_pages: trees.used,
        free: free.pages.len(),
        lost,
        trees: counted,
        ..report
    }
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;
