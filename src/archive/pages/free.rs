//! The free list, and whether all pages are accounted for.
//!
//! A value of the free list: how many pages, and their numbers, the largest first, 8 bytes each. There may be room for
//! more only where there are none: LMDB sets room aside before it knows how much it will need.

use std::sync::Arc;

use roaring::RoaringTreemap;

use super::{
    findings::{Report, Tree},
    layout::{Record, u64_at},
    meta::Meta,
    tree::{Found, Role, Trees},
};

/// Bytes of a large list that are read at once.
const CHUNK: usize = 64 << 10;

pub struct FreeList {
    name: Arc<str>,
    /// Where its record stands.
    parent: u64,
    txnid: u64,
    last_page: u64,
    /// The pages on it.
    pub pages: RoaringTreemap,
}

impl FreeList {
    pub fn new(meta: &Meta) -> Self {
        Self {
            name: "free list".into(),
            parent: meta.number,
            txnid: meta.txnid,
            last_page: meta.last_page,
            pages: RoaringTreemap::new(),
        }
    }

    /// Follows the free list, after all other trees.
    pub fn follow(&mut self, trees: &mut Trees<'_>, record: &Record) -> Tree {
        let name = self.name.clone();
        let file = trees.file;
        trees.follow(&name, Role::FreeList, record, self.parent, &mut |entry, report| {
            let txnid = u64_at(entry.key, 0).unwrap_or(0);
            if !(1..=self.txnid).contains(&txnid) {
                let what = format_args!("transaction {txnid} cannot have freed pages yet");
                report.add(&self.name, entry.page, what);
            }
            let mut list = List::default();
            if let Some(bytes) = entry.inline {
                return self.take(&mut list, entry, bytes, report);
            }
            let mut chunk = vec![0; CHUNK];
            let (mut at, mut left) = (entry.value.at, entry.value.length as usize);
            while left > 0 {
                let chunk = &mut chunk[..left.min(CHUNK)];
                if let Err(what) = file.read(at, chunk) {
                    let what = format_args!("the pages freed by transaction {txnid}: {what}");
                    return report.add(&self.name, entry.page, what);
                }
                self.take(&mut list, entry, chunk, report);
                at += chunk.len() as u64;
                left -= chunk.len();
            }
        })
    }

    /// Takes what is next of the list that `entry` has: its first chunk, or a further one.
    fn take(&mut self, list: &mut List, entry: &Found<'_>, bytes: &[u8], report: &mut Report) {
        let size = entry.value.length as usize;
        let (numbers, rest) = bytes.as_chunks();
        let mut numbers = numbers.iter().map(|bytes| u64::from_le_bytes(*bytes));
        if !list.is_begun {
            list.is_begun = true;
            let count = numbers.next().unwrap_or(0);
            let room = (size / 8).saturating_sub(1) as u64;
            let is_possible = size >= 8 && rest.is_empty() && (count == 0 || count == room);
            if !is_possible {
                let what = format_args!("a list of {count} pages cannot have {size} bytes");
                report.add(&self.name, entry.page, what);
            }
            list.left = count.min(room);
        }
        for number in numbers {
            if list.left == 0 {
                return;
            }
            list.left -= 1;
            let what = if !(2..=self.last_page).contains(&number) {
                format!("page {number} is listed as free, and pages are 2 to {}", self.last_page)
            } else if list.before.is_some_and(|before| before <= number) {
                format!("page {number} stands at the wrong place of a list")
            } else if !self.pages.insert(number) {
                format!("page {number} is listed as free twice")
            } else {
                list.before = Some(number);
                continue;
            };
            report.add(&self.name, entry.page, what);
        }
    }

    /// Compares what is free with what is in use, and says how many pages are neither.
    pub fn account(&self, trees: &mut Trees<'_>) -> u64 {
        for page in &self.pages & &trees.used {
            let what = "it is in use and listed as free: the next write would overwrite it";
            trees.report.add(&self.name, page, what);
        }
        let pages = self.last_page.saturating_add(1);
        let known = &self.pages | &trees.used;
        // The last pages are not written where they were allocated and freed by the same transaction.
        let written = trees.file.whole_pages().min(pages);
        let known_unwritten = known.len() - known.rank(written.saturating_sub(1));
        let lost_unwritten = (pages - written).saturating_sub(known_unwritten);
        if lost_unwritten > 0 {
            let what = format_args!(
                "the file ends here, but has pages up to {}, of which {lost_unwritten} are not free",
                self.last_page
            );
            trees.report.add(&self.name, written, what);
        }
        pages.saturating_sub(known.len())
    }
}

/// A list being read.
#[derive(Default)]
struct List {
    is_begun: bool,
    /// Numbers to come.
    left: u64,
    before: Option<u64>,
}
