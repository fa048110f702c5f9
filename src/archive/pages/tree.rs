//! One tree, followed through its pages.

use std::{mem, sync::Arc};

use roaring::RoaringTreemap;

use super::{
    file::{PageFile, Place},
    findings::{Reach, Report, Tree},
    layout::{HEADER, IN_OVERFLOW, IS_RECORD, LONGEST_KEY, NO_ROOT, Node, Order, Page, RECORD, Record},
    layout::{overflow_run, pages_for, u64_at},
};

/// LMDB's cursors hold as many pages.
const DEEPEST: usize = 32;

/// What a tree is for, which decides what may stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Its values are the records of named databases.
    Main,
    Named,
    /// Its keys are transactions, its values lists of page numbers.
    FreeList,
}

/// An entry of a leaf.
pub struct Found<'a> {
    /// Its leaf.
    pub page: u64,
    pub key: &'a [u8],
    /// Where the key is in the file, in bytes.
    pub key_at: u64,
    pub value: Place,
    /// The value, where it is in the leaf.
    pub inline: Option<&'a [u8]>,
    /// In the main database.
    pub record: Option<Record>,
}

type OnEntry<'a> = dyn FnMut(&Found<'_>, &mut Report) + 'a;
/// Called with the database and the first key that may stand in one of its leaves, or the key of a value on pages of its
/// own; without a key for the first one.
pub type OnLeaf<'a> = dyn FnMut(&str, &[u8]) + 'a;

/// All trees of a snapshot: what following one must know of the others.
pub struct Trees<'a> {
    pub file: &'a PageFile,
    pub last_page: u64,
    /// The pages in use so far, the meta pages included.
    pub used: RoaringTreemap,
    pub report: Report,
    reach: Reach,
    /// Where leaves are not looked at, it is told where they begin.
    on_leaf: &'a mut OnLeaf<'a>,
    /// Not all pages were looked at.
    pub is_cut: bool,
    /// How many were.
    looked_at: u64,
    spare: Vec<Page>,
}

/// A branch page on the way from the root to where we are.
struct Frame {
    number: u64,
    page: Page,
    /// The entry to follow next.
    next: usize,
    bounds: Bounds,
}

/// Between which keys those of a page and of all below it must lie, where there is a bound at all: the first that may
/// be there, and the first that may not. Each is the key of an entry in a branch page above: (which frame, which node).
#[derive(Clone, Copy, Default)]
struct Bounds {
    from: Option<(usize, usize)>,
    to: Option<(usize, usize)>,
}

/// A page to go to.
struct Step {
    number: u64,
    /// The page that leads there.
    parent: u64,
    bounds: Bounds,
}

/// One tree being followed.
struct Followed<'a> {
    name: &'a Arc<str>,
    role: Role,
    order: Order,
    depth: usize,
    stack: Vec<Frame>,
    tree: Tree,
    /// Some of its pages could not be followed, so that counts are not to be compared.
    is_cut: bool,
    /// The depth is said to be wrong once, not for each leaf.
    is_depth_wrong: bool,
}

impl<'a> Trees<'a> {
    pub fn new(file: &'a PageFile, last_page: u64, report: Report, reach: Reach, on_leaf: &'a mut OnLeaf<'a>) -> Self {
        Self {
            file,
            last_page,
            used: [0, 1].into_iter().collect(),
            report,
            reach,
            on_leaf,
            is_cut: false,
            looked_at: 0,
            spare: Vec::new(),
        }
    }

    /// Follows the tree that `record`, found in page `parent`, speaks of. Hands its entries to `on_entry`, but those
    /// of pages that are damaged.
    pub fn follow(
        &mut self,
        name: &Arc<str>,
        role: Role,
        record: &Record,
        parent: u64,
        on_entry: &mut OnEntry<'_>,
    ) -> Tree {
        let mut followed = Followed {
            name,
            role,
            order: if role == Role::FreeList {
                Order::Numbers
            } else {
                Order::Bytes
            },
            depth: record.depth.into(),
            stack: Vec::new(),
            tree: Tree::new(name),
            is_cut: false,
            is_depth_wrong: false,
        };
        // The free list's record has the environment's page size and flags in these places.
        if role != Role::FreeList && (record.flags != 0 || record.pad != 0) {
            let what = format_args!(
                "flags {:#06x} and key size {} are not those of a plain database",
                record.flags, record.pad
            );
            self.report.add(name, parent, what);
        }
        let mut step = Some(Step {
            number: record.root,
            parent,
            bounds: Bounds::default(),
        });
        if record.root == NO_ROOT {
            step = None;
            if record.depth != 0 {
                let what = format_args!("its record says that it is empty and {} pages deep", record.depth);
                self.report.add(name, parent, what);
            }
        }
        // Where most values lie on pages of its own, a leaf leads to much, and is like a branch page.
        let divides_leaves = matches!(self.reach, Reach::Branches(None))
            && role == Role::Named
            && record.overflow_pages >= (record.entries / 2).max(1);
        while let Some(Step { number, parent, bounds }) = step {
            if self.reach.is_over(self.looked_at) {
                (self.is_cut, followed.is_cut) = (true, true);
                break;
            }
            // The main database is one leaf, as a rule, and leads to all else.
            let is_passed_over = matches!(self.reach, Reach::Branches(_)) && role != Role::Main && !divides_leaves;
            if is_passed_over && followed.stack.len() + 1 >= followed.depth {
                (self.is_cut, followed.is_cut) = (true, true);
                if role == Role::Named {
                    let from = bounds.from.map_or(&[][..], |(frame, node)| {
                        let page = &followed.stack[frame].page;
                        page.key(page.nodes[node])
                    });
                    (self.on_leaf)(name, from);
                }
                step = self.next(&mut followed.stack);
                continue;
            }
            match self.load(&mut followed, number, parent, bounds) {
                Some(page) if page.is_leaf && divides_leaves => {
                    (self.is_cut, followed.is_cut) = (true, true);
                    for (index, node) in page.nodes.iter().enumerate() {
                        let is_first = index == 0 && bounds.from.is_none();
                        (self.on_leaf)(name, if is_first { &[] } else { page.key(*node) });
                    }
                    self.spare.push(page);
                }
                Some(page) if page.is_leaf => {
                    self.announce(&page);
                    self.leaf(&mut followed, number, &page, on_entry);
                    self.spare.push(page);
                }
                Some(page) => {
                    self.announce(&page);
                    followed.tree.branch_pages += 1;
                    followed.stack.push(Frame {
                        number,
                        page,
                        next: 0,
                        bounds,
                    });
                }
                None => followed.is_cut = true,
            }
            step = self.next(&mut followed.stack);
        }
        if !followed.is_cut {
            self.compare(&followed.tree, record, parent);
        }
        followed.tree
    }

    /// Has the system begin to read all the pages that a page leads to, as they may lie anywhere on a disk: one after
    /// the other, as they are wanted, takes several times as long.
    fn announce(&self, page: &Page) {
        if matches!(self.reach, Reach::Branches(_)) {
            return;
        }
        let leads_to = |node: &Node| match page.is_leaf {
            false => Some(node.child()),
            true if node.flags() == IN_OVERFLOW => u64_at(page.value(*node), 0),
            true => None,
        };
        let pages = page.nodes.iter().filter_map(leads_to);
        let mut pages: Vec<u64> = pages.filter(|number| *number <= self.last_page).collect();
        pages.sort_unstable();
        for run in pages.chunk_by(|before, next| before + 1 == *next) {
            self.file.announce(run[0], run.len());
        }
    }

    /// Where to go next: to the first child not yet visited of the lowest branch page that has one.
    fn next(&mut self, stack: &mut Vec<Frame>) -> Option<Step> {
        loop {
            let level = stack.len().checked_sub(1)?;
            let frame = &mut stack[level];
            if let Some(node) = frame.page.nodes.get(frame.next) {
                let index = frame.next;
                frame.next += 1;
                let mut bounds = frame.bounds;
                if index > 0 {
                    bounds.from = Some((level, index));
                }
                if frame.next < frame.page.nodes.len() {
                    bounds.to = Some((level, frame.next));
                }
                return Some(Step {
                    number: node.child(),
                    parent: frame.number,
                    bounds,
                });
            }
            let frame = stack.pop()?;
            self.spare.push(frame.page);
        }
    }

    /// Reads a branch or leaf page and checks all that its place in the tree demands, the entries' values excepted.
    fn load(&mut self, followed: &mut Followed<'_>, number: u64, parent: u64, bounds: Bounds) -> Option<Page> {
        let name = followed.name;
        if !(2..=self.last_page).contains(&number) {
            let what = format_args!("it leads to page {number}, and pages are 2 to {}", self.last_page);
            self.report.add(name, parent, what);
            return None;
        }
        if !self.used.insert(number) {
            let what = format_args!("page {parent} leads to it, and it is in use elsewhere");
            self.report.add(name, number, what);
            return None;
        }
        let level = followed.stack.len() + 1;
        if level > DEEPEST {
            let what = format_args!("it is deeper down than the {DEEPEST} pages that LMDB goes");
            self.report.add(name, number, what);
            return None;
        }
        self.looked_at += 1;
        let mut page = self.spare.pop().unwrap_or_default();
        page.bytes.resize(self.file.page_size, 0);
        let read = self.file.read(self.file.place(number), &mut page.bytes);
        if let Err(what) = read.and_then(|()| page.parse(number)) {
            self.report.add(name, number, what);
            return None;
        }
        if page.is_leaf && level != followed.depth && !mem::replace(&mut followed.is_depth_wrong, true) {
            let what = format_args!(
                "it is a leaf {level} pages deep, and the tree's record says {}",
                followed.depth
            );
            self.report.add(name, number, what);
        }
        // LMDB itself makes sure of it, but for the free list.
        let least = if page.is_leaf || followed.role == Role::FreeList {
            1
        } else {
            2
        };
        if page.nodes.len() < least {
            let what = format_args!("it has {} entries, and must have {least}", page.nodes.len());
            self.report.add(name, number, what);
            return None;
        }
        if let Err(what) = check_keys(followed, &page, bounds) {
            self.report.add(name, number, what);
        }
        Some(page)
    }

    fn leaf(&mut self, followed: &mut Followed<'_>, number: u64, page: &Page, on_entry: &mut OnEntry<'_>) {
        followed.tree.leaf_pages += 1;
        followed.tree.entries += page.nodes.len() as u64;
        let start = self.file.place(number);
        for (index, node) in page.nodes.iter().copied().enumerate() {
            let inline = page.value(node);
            let mut found = Found {
                page: number,
                key: page.key(node),
                key_at: start + node.key_range().start as u64,
                value: Place {
                    at: start + page.value_range(node).start as u64,
                    length: node.size(),
                },
                inline: Some(inline),
                record: None,
            };
            let checked = match (node.flags(), followed.role) {
                (IN_OVERFLOW, Role::Named | Role::FreeList) => self.overflow(followed, node, inline).map(|at| {
                    found.value.at = at;
                    found.inline = None;
                }),
                (0, Role::Named | Role::FreeList) if node.is_too_large(self.file.page_size) => {
                    Err(format!("a value of {} bytes is too large for a leaf", node.size()))
                }
                (0, Role::Named | Role::FreeList) => Ok(()),
                (IS_RECORD, Role::Main) if inline.len() == RECORD => {
                    found.record = Record::parse(inline);
                    check_name(found.key)
                }
                (flags, _) => Err(format!(
                    "flags {flags:#06x}, size {}: no such value may be here",
                    node.size()
                )),
            };
            match checked {
                Ok(()) => on_entry(&found, &mut self.report),
                Err(what) => {
                    followed.is_cut = true;
                    let what = format_args!("its entry {index}: {what}");
                    self.report.add(followed.name, number, what);
                }
            }
        }
    }

    /// Checks the overflow pages of a value, whose number `inline` is, and says where in the file the value begins.
    fn overflow(&mut self, followed: &mut Followed<'_>, node: Node, inline: &[u8]) -> Result<u64, String> {
        let number = u64_at(inline, 0).ok_or("it is cut short")?;
        if !(2..=self.last_page).contains(&number) {
            return Err(format!(
                "it leads to page {number}, and pages are 2 to {}",
                self.last_page
            ));
        }
        self.looked_at += 1;
        let mut header = [0; HEADER];
        let place = self.file.place(number);
        let read = self.file.read(place, &mut header);
        let pages = read
            .and_then(|()| overflow_run(&header, number))
            .map_err(|what| format!("overflow page {number}: {what}"))?;
        // There are more where a larger value was there before in the same transaction.
        let least = pages_for(node.size(), self.file.page_size);
        let end = number + pages;
        if pages < least || end > self.last_page + 1 {
            let (size, last) = (node.size(), self.last_page);
            return Err(format!(
                "a run of {pages} overflow pages from {number} on is not for {size} bytes in pages up to {last}"
            ));
        }
        if end > self.file.whole_pages() {
            return Err(format!(
                "its {pages} overflow pages from {number} on lie beyond the end of the file"
            ));
        }
        if self.used.insert_range(number..end) < pages {
            return Err(format!(
                "its {pages} overflow pages from {number} on are in use elsewhere"
            ));
        }
        followed.tree.overflow_pages += pages;
        Ok(place + HEADER as u64)
    }

    /// Compares what was counted with what the tree's record says.
    fn compare(&mut self, tree: &Tree, record: &Record, parent: u64) {
        let counts = [
            ("entries", tree.entries, record.entries),
            ("branch pages", tree.branch_pages, record.branch_pages),
            ("leaf pages", tree.leaf_pages, record.leaf_pages),
            ("overflow pages", tree.overflow_pages, record.overflow_pages),
        ];
        for (what, counted, said) in counts {
            if counted != said {
                let what = format_args!("its record says {said} {what}, and there are {counted}");
                self.report.add(&tree.name, parent, what);
            }
        }
    }
}

/// Checks that the keys are of possible sizes, ascend, and lie within the bounds.
fn check_keys(followed: &Followed<'_>, page: &Page, bounds: Bounds) -> Result<(), String> {
    // The first key of a branch page has no meaning.
    let nodes = &page.nodes[usize::from(!page.is_leaf)..];
    let order = followed.order;
    let mut before: Option<&[u8]> = None;
    for node in nodes {
        let key = page.key(*node);
        let is_possible = match order {
            Order::Bytes => (1..=LONGEST_KEY).contains(&key.len()),
            Order::Numbers => key.len() == 8,
        };
        if !is_possible {
            return Err(format!("one of its keys has {} bytes", key.len()));
        }
        if before.is_some_and(|before| order.compare(before, key).is_ge()) {
            return Err("its keys do not ascend".into());
        }
        before = Some(key);
    }
    let bound = |(frame, node): (usize, usize)| {
        let page = &followed.stack[frame].page;
        page.key(page.nodes[node])
    };
    let (first, last) = (nodes.first(), nodes.last());
    let is_early = bounds
        .from
        .zip(first)
        .is_some_and(|(from, first)| order.compare(page.key(*first), bound(from)).is_lt());
    let is_late = bounds
        .to
        .zip(last)
        .is_some_and(|(to, last)| order.compare(page.key(*last), bound(to)).is_ge());
    if is_early || is_late {
        return Err("its keys are not those that the pages above it lead there for".into());
    }
    Ok(())
}

fn check_name(name: &[u8]) -> Result<(), String> {
    match str::from_utf8(name) {
        Ok(_) => Ok(()),
        Err(_) => Err("the name of a database is not text".into()),
    }
}
