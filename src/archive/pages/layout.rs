//! How a tree's record and a page lie in bytes.
//!
//! All numbers are little-endian. A tree's record, 48 bytes:
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 4 | of no use here; in the free list's record the page size |
//! | 4 | 2 | flags: the order of keys, several values to a key; in the free list's record the environment's |
//! | 6 | 2 | depth: pages from the root to a leaf, both included |
//! | 8, 16, 24 | 8 each | branch, leaf and overflow pages |
//! | 32 | 8 | entries |
//! | 40 | 8 | the root's page number; all bits set for an empty tree |
//!
//! A page begins with 16 bytes:
//!
//! | at | bytes | what |
//! | --- | --- | --- |
//! | 0 | 8 | its own number |
//! | 8 | 2 | of no use here, whatever was in memory |
//! | 10 | 2 | flags: what it is |
//! | 12 | 2, 2 | where its free space begins and ends; in an overflow page instead, 4 bytes: pages in the run |
//!
//! In a branch or leaf page, the list of entries follows, sorted by key, 2 bytes for each: where it lies in the page.
//! Then come the free space and, up to the page's end, the entries, in any order and at even places. An entry:
//!
//! | bytes | what |
//! | --- | --- |
//! | 6 | in a branch page: the child's page number; in a leaf page: size of the value (4) and flags (2) |
//! | 2 | size of the key |
//! | … | the key; in a branch page the first entry's means nothing and is empty as a rule |
//! | … | in a leaf page the value, or where the flags say so the number of its first overflow page (8 bytes) |

use std::{cmp::Ordering, ops::Range};

/// Bytes of a page's header.
pub const HEADER: usize = 16;
/// Bytes of a tree's record.
pub const RECORD: usize = 48;
/// Bytes of an entry before its key.
const ENTRY: usize = 8;
/// The root of an empty tree.
pub const NO_ROOT: u64 = u64::MAX;
/// The sizes of pages that LMDB knows, in bytes. What it makes has the system's, which is 4096 as a rule.
pub const PAGE_SIZES: [usize; 7] = [4096, 512, 1024, 2048, 8192, 16384, 32768];
const LARGEST_PAGE: usize = 32768;
/// Bytes of the longest key.
pub const LONGEST_KEY: usize = 511;

const BRANCH: u16 = 0x01;
const LEAF: u16 = 0x02;
const OVERFLOW: u16 = 0x04;

/// In a leaf's entry: the value lies in overflow pages.
pub const IN_OVERFLOW: u16 = 0x01;
/// In a leaf's entry: the value is a database's record.
pub const IS_RECORD: u16 = 0x02;

pub fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

pub fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

pub fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// What is known of a tree from outside.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    pub pad: u32,
    pub flags: u16,
    pub depth: u16,
    pub branch_pages: u64,
    pub leaf_pages: u64,
    pub overflow_pages: u64,
    pub entries: u64,
    pub root: u64,
}

impl Record {
    /// The record that `bytes` begin with.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            pad: u32_at(bytes, 0)?,
            flags: u16_at(bytes, 4)?,
            depth: u16_at(bytes, 6)?,
            branch_pages: u64_at(bytes, 8)?,
            leaf_pages: u64_at(bytes, 16)?,
            overflow_pages: u64_at(bytes, 24)?,
            entries: u64_at(bytes, 32)?,
            root: u64_at(bytes, 40)?,
        })
    }
}

/// In which order a tree has its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Bytes,
    /// The free list's keys are numbers of 8 bytes.
    Numbers,
}

impl Order {
    pub fn compare(self, a: &[u8], b: &[u8]) -> Ordering {
        match self {
            Self::Bytes => a.cmp(b),
            Self::Numbers => u64_at(a, 0).cmp(&u64_at(b, 0)),
        }
    }
}

/// An entry of a page that was parsed, so it lies within that page.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    at: u16,
    /// Its first 8 bytes.
    head: u64,
}

impl Node {
    fn key_length(self) -> usize {
        (self.head >> 48) as usize
    }

    /// Where its key lies in its page.
    pub fn key_range(self) -> Range<usize> {
        let start = usize::from(self.at) + ENTRY;
        start..start + self.key_length()
    }

    /// In a branch page: the page it leads to.
    pub fn child(self) -> u64 {
        self.head & 0xffff_ffff_ffff
    }

    /// In a leaf page: bytes of the value.
    pub fn size(self) -> u32 {
        self.head as u32
    }

    /// In a leaf page.
    pub fn flags(self) -> u16 {
        (self.head >> 32) as u16
    }

    /// Bytes it takes in its page.
    fn length(self, is_leaf: bool) -> usize {
        let value = match is_leaf {
            false => 0,
            true if self.flags() & IN_OVERFLOW != 0 => 8,
            true => self.size() as usize,
        };
        ENTRY + self.key_length() + value
    }

    /// In a leaf page: whether its value would rather have to be in overflow pages, so that two entries fit.
    pub fn is_too_large(self, page_size: usize) -> bool {
        let most = (((page_size - HEADER) / 2) & !1) - 2;
        self.length(true) > most
    }
}

/// A branch or leaf page.
#[derive(Default)]
pub struct Page {
    pub bytes: Vec<u8>,
    pub nodes: Vec<Node>,
    pub is_leaf: bool,
}

impl Page {
    /// Makes sense of `bytes` as page `number`: afterwards all nodes lie within it, and none in another.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn parse(&mut self, number: u64) -> Result<(), String> {
        const CUT_SHORT: &str = "it is cut short";
        let size = self.bytes.len();
        self.nodes.clear();
        check_number(&self.bytes, number)?;
        self.is_leaf = match u16_at(&self.bytes, 10).ok_or(CUT_SHORT)? {
            BRANCH => false,
            LEAF => true,
            flags => return Err(format!("its flags are {flags:#06x}, neither a branch's nor a leaf's")),
        };
        let lower: usize = u16_at(&self.bytes, 12).ok_or(CUT_SHORT)?.into();
        let upper: usize = u16_at(&self.bytes, 14).ok_or(CUT_SHORT)?.into();
        if !(HEADER..=upper).contains(&lower) || upper > size || !lower.is_multiple_of(2) || !upper.is_multiple_of(2) {
            return Err(format!("its free space cannot be from {lower} to {upper}"));
        }
        let mut taken = Taken::default();
        let mut sum = 0;
        for (index, place) in self.bytes[HEADER..lower].as_chunks().0.iter().enumerate() {
            let at = u16::from_le_bytes(*place);
            let start = usize::from(at);
            let head = u64_at(&self.bytes, start).unwrap_or(u64::MAX);
            let node = Node { at, head };
            // An entry that is of odd length is followed by a byte of no meaning.
            let length = node.length(self.is_leaf).next_multiple_of(2);
            if start < upper || start + length > size || !start.is_multiple_of(2) {
                return Err(format!(
                    "its entry {index}, {length} bytes at {start}, lies where none can"
                ));
            }
            if !taken.take(start / 2..(start + length) / 2) {
                return Err(format!(
                    "its entry {index}, {length} bytes at {start}, overlaps another"
                ));
            }
            sum += length;
            self.nodes.push(node);
        }
        if sum != size - upper {
            return Err(format!(
                "its entries have {sum} bytes, and {} are set aside for them",
                size - upper
            ));
        }
        Ok(())
    }

    pub fn key(&self, node: Node) -> &[u8] {
        &self.bytes[node.key_range()]
    }

    /// In a leaf page: what lies behind the key.
    pub fn value(&self, node: Node) -> &[u8] {
        &self.bytes[self.value_range(node)]
    }

    pub fn value_range(&self, node: Node) -> Range<usize> {
        node.key_range().end..usize::from(node.at) + node.length(self.is_leaf)
    }
}

/// The number of pages in the run that page `number`, beginning with `header`, is the first of.
///
/// # Errors
/// In words, what is wrong with it.
pub fn overflow_run(header: &[u8; HEADER], number: u64) -> Result<u64, String> {
    check_number(header, number)?;
    match (u16_at(header, 10), u32_at(header, 12)) {
        (Some(OVERFLOW), Some(pages)) => Ok(pages.into()),
        (flags, _) => Err(format!(
            "its flags are {:#06x}, not an overflow page's",
            flags.unwrap_or(0)
        )),
    }
}

/// How many overflow pages a value of `size` bytes needs: only the first has a header.
pub fn pages_for(size: u32, page_size: usize) -> u64 {
    (HEADER as u64 + u64::from(size)).div_ceil(page_size as u64)
}

pub fn check_number(bytes: &[u8], number: u64) -> Result<(), String> {
    match u64_at(bytes, 0) {
        Some(own) if own == number => Ok(()),
        Some(own) => Err(format!("it says that it is page {own}")),
        None => Err("it is cut short".into()),
    }
}

/// Which parts of a page have been given to an entry, in units of 2 bytes.
struct Taken([u64; LARGEST_PAGE / 2 / 64]);

impl Default for Taken {
    fn default() -> Self {
        Self([0; LARGEST_PAGE / 2 / 64])
    }
}

impl Taken {
    /// Takes a part of the page, which is not empty. False where some of it is taken already.
    fn take(&mut self, units: Range<usize>) -> bool {
        let (first, last) = (units.start / 64, (units.end - 1) / 64);
        let mut is_new = true;
        for index in first..=last {
            let mut mask = u64::MAX;
            if index == first {
                mask &= u64::MAX << (units.start % 64);
            }
            if index == last {
                mask &= u64::MAX >> (63 - (units.end - 1) % 64);
            }
            is_new &= self.0[index] & mask == 0;
            self.0[index] |= mask;
        }
        is_new
    }
}
