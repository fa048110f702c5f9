//! What a check of pages finds, and how far it goes.

use std::{
    fmt::{self, Display},
    sync::Arc,
    time::Instant,
};

use roaring::RoaringTreemap;

/// Findings beyond these are counted only.
pub(super) const MOST_FINDINGS: usize = 1000;

/// What a check found.
#[derive(Debug, Default)]
pub(in crate::archive) struct Pages {
    /// Bytes of a page; 0 where no meta page could be read, and so nothing else either.
    pub page_size: u64,
    /// The number of the last page that the snapshot knows.
    pub last_page: u64,
    /// The transaction whose snapshot was read.
    pub txnid: u64,
    /// Pages in use: meta pages, trees and large values; how many, and which.
    pub used: u64,
    pub used_pages: RoaringTreemap,
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
pub(in crate::archive) struct Tree {
    pub name: Arc<str>,
    pub entries: u64,
    pub branch_pages: u64,
    pub leaf_pages: u64,
    pub overflow_pages: u64,
}

impl Tree {
    pub(super) fn new(name: &Arc<str>) -> Self {
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
pub(in crate::archive) struct Finding {
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

/// How far a check goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reach {
    All,
    /// Not to the leaves, and within these limits where there are any.
    Branches(Option<Limits>),
    Within(Limits),
}

/// How long pages are looked at, and how many at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub until: Instant,
    pub pages: u64,
}

impl Reach {
    pub(super) fn is_over(self, looked_at: u64) -> bool {
        match self {
            Self::All | Self::Branches(None) => false,
            Self::Branches(Some(limits)) | Self::Within(limits) => {
                looked_at >= limits.pages || Instant::now() >= limits.until
            }
        }
    }
}

/// The findings so far.
#[derive(Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
    more: u64,
}

impl Report {
    pub(super) fn add(&mut self, tree: &Arc<str>, page: u64, what: impl Display) {
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

    pub(super) fn into_pages(self) -> Pages {
        Pages {
            findings: self.findings,
            more_findings: self.more,
            ..Pages::default()
        }
    }
}
