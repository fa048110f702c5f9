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
//! | `layout` | how a record and a page lie in bytes |
//! | `meta` | which snapshot is read |
//! | `tree` | one tree followed through its pages |
//! | `free` | the free list, and whether all pages are accounted for |
//!
//! The form is that of LMDB 0.9 on a 64-bit little-endian machine, with keys up to 511 bytes in the order of their
//! bytes and one value to a key. A database with LMDB's other orders or with several values to a key is a finding:
//! the archives have none.

mod free;
mod layout;
mod meta;
mod tree;

use std::{
    fmt::{self, Display},
    fs::File,
    io,
    num::NonZeroU64,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::fs::{Advice, fadvise};

use self::{
    free::FreeList,
    layout::Record,
    tree::{Role, Trees},
};

/// Findings beyond these are counted only.
const MOST_FINDINGS: usize = 1000;
/// Databases beyond these are not followed. A catalog has 13.
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

/// What a check found.
#[derive(Debug, Default)]
pub(super) struct Pages {
    /// Bytes of a page; 0 where no meta page could be read, and so nothing else either.
    pub page_size: u64,
    /// The number of the last page that the snapshot knows.
    pub last_page: u64,
    /// The transaction whose snapshot was read.
    pub txnid: u64,
    /// Pages in use: meta pages, trees and large values.
    pub used: u64,
    /// Pages on the free list.
    pub free: u64,
    /// Pages that are neither. LMDB leaves none. They are harmless in themselves (LMDB only never uses them again, and
    /// refuses to make a compacted copy), and where there are other findings, a consequence of those.
    pub lost: u64,
    /// The free list, the main database, and the named ones in the order of their names.
    pub trees: Vec<Tree>,
    /// The first of what is wrong. Without any, LMDB can be let near the file.
    pub findings: Vec<Finding>,
    /// How many findings there are beyond those.
    pub more_findings: u64,
}

impl Pages {
    /// Bytes of the pages in use.
    pub fn used_bytes(&self) -> u64 {
        self.used * self.page_size
    }

    /// Bytes of the pages on the free list.
    pub fn free_bytes(&self) -> u64 {
        self.free * self.page_size
    }
}

/// A tree, as counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    pub name: Arc<str>,
    pub entries: u64,
    pub branch_pages: u64,
    pub leaf_pages: u64,
    pub overflow_pages: u64,
}

impl Tree {
    fn new(name: &Arc<str>) -> Self {
        Self {
            name: name.clone(),
            entries: 0,
            branch_pages: 0,
            leaf_pages: 0,
            overflow_pages: 0,
        }
    }
}

/// Something that is wrong with a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    /// The page's number: its place in the file, in pages.
    pub page: u64,
    /// Which tree it was found in: a database's name, "main", "free list" or "meta".
    pub tree: Arc<str>,
    pub what: String,
}

impl Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "page {} ({}): {}", self.page, self.tree, self.what)
    }
}

/// An entry of a named database, as it lies in the file.
pub(super) struct Entry<'a> {
    pub tree: &'a str,
    pub key: &'a [u8],
    /// Where the key is, in bytes from the file's beginning.
    pub key_at: u64,
    pub value: Place,
}

/// A stretch of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// In bytes from the file's beginning.
    pub at: u64,
    /// In bytes.
    pub length: u32,
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

/// Looks at the pages of a file that nobody writes to for at most this long: down from the roots, so that what leads to much
/// comes before what leads to little. Where the time does not suffice, what was not looked at is not in the counts.
///
/// # Errors
/// Like [`check`].
pub(super) fn glance(file: &Path, budget: Duration) -> Result<Pages, CheckError> {
    let deadline = Instant::now() + budget;
    let branches = visit_within(file, None, &mut |_| {}, Reach::Branches(deadline))?;
    if !branches.findings.is_empty() {
        return Ok(branches);
    }
    visit_within(file, None, &mut |_| {}, Reach::Until(deadline))
}

/// How far a check goes.
#[derive(Debug, Clone, Copy)]
enum Reach {
    All,
    /// Until this time, and not to the leaves.
    Branches(Instant),
    Until(Instant),
}

impl Reach {
    fn is_over(self) -> bool {
        match self {
            Self::All => false,
            Self::Branches(deadline) | Self::Until(deadline) => Instant::now() >= deadline,
        }
    }
}

/// Like [`check`], and hands each entry of the named databases to `visit`: a database after the other, in the order of
/// the keys. Those on damaged pages and below them are left out.
///
/// # Errors
/// Like [`check`].
pub(super) fn visit(file: &Path, txnid: Option<u64>, mut visit: impl FnMut(&Entry<'_>)) -> Result<Pages, CheckError> {
    visit_within(file, txnid, &mut visit, Reach::All)
}

fn visit_within(
    file: &Path,
    txnid: Option<u64>,
    visit: &mut dyn FnMut(&Entry<'_>),
    reach: Reach,
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
    Ok(follow(&source, &meta, report, visit, reach))
}

/// Follows all that a meta page leads to.
fn follow(
    source: &PageFile,
    meta: &meta::Meta,
    report: Report,
    visit: &mut dyn FnMut(&Entry<'_>),
    reach: Reach,
) -> Pages {
    let main: Arc<str> = "main".into();
    let mut trees = Trees::new(source, meta.last_page, report, reach);
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
    Pages {
        page_size: source.page_size as u64,
        last_page: meta.last_page,
        txnid: meta.txnid,
        used: trees.used.len(),
        free: free.pages.len(),
        lost,
        trees: counted,
        ..trees.report.into_pages()
    }
}

/// The file, read by position.
struct PageFile {
    file: File,
    /// In bytes, when it was opened. A snapshot's pages lie within it, however much is written later.
    length: u64,
    /// In bytes.
    page_size: usize,
}

impl PageFile {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            file,
            length,
            page_size: 0,
        })
    }

    /// Where page `number` begins, in bytes.
    fn place(&self, number: u64) -> u64 {
        number * self.page_size as u64
    }

    /// How many pages the file has in full.
    fn whole_pages(&self) -> u64 {
        self.length / self.page_size as u64
    }

    /// Has the system begin to read so many pages from `number` on. Not being able to changes nothing that is read.
    fn announce(&self, number: u64, pages: usize) {
        let length = NonZeroU64::new((pages * self.page_size) as u64);
        if let Err(error) = fadvise(&self.file, self.place(number), length, Advice::WillNeed) {
            tracing::debug!(%error, "pages are not read ahead");
        }
    }

    /// Fills `bytes` with what lies at `at`.
    ///
    /// # Errors
    /// In words, why not.
    fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), String> {
        if at.checked_add(bytes.len() as u64).is_none_or(|end| end > self.length) {
            return Err(format!(
                "it lies beyond the end of the file, which has {} bytes",
                self.length
            ));
        }
        let read = self.file.read_exact_at(bytes, at);
        read.map_err(|error| format!("it cannot be read: {error}"))
    }
}

/// The findings so far.
#[derive(Default)]
struct Report {
    findings: Vec<Finding>,
    more: u64,
}

impl Report {
    fn add(&mut self, tree: &Arc<str>, page: u64, what: impl Display) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(Finding {
                page,
                tree: tree.clone(),
                what: what.to_string(),
            });
        } else {
            self.more += 1;
        }
    }

    fn into_pages(self) -> Pages {
        Pages {
            findings: self.findings,
            more_findings: self.more,
            ..Pages::default()
        }
    }
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod tests;
