//! A file as it is copied: at rest, or as a transaction of LMDB sees it while others write.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use roaring::RoaringTreemap;
use rustix::fs::{Advice, fadvise};

use super::{StoreError, pages};

/// A file, open to be read, whose bytes do not change.
pub(super) struct Original {
    path: PathBuf,
    file: File,
    /// In bytes.
    pub length: u64,
    /// What stands at its beginning, whatever the file has there by now.
    head: Vec<u8>,
}

/// The pages of an LMDB file that are on its free list: what is in them is of no use to anybody.
pub(super) struct FreePages {
    page_size: u64,
    pages: RoaringTreemap,
}

impl FreePages {
    /// Writes zeros over what is free of the bytes that stand at `at`, where a page begins.
    pub fn blank(&self, at: u64, bytes: &mut [u8]) {
        let Ok(size @ 1..) = usize::try_from(self.page_size) else {
            return;
        };
        for (number, page) in (at / self.page_size..).zip(bytes.chunks_mut(size)) {
            if self.pages.contains(number) {
                page.fill(0);
            }
        }
    }
}

/// What a check of its pages found.
pub(super) struct Checked {
    /// What is wrong with the first that are not sound, in words.
    pub damage: Option<String>,
    page_size: u64,
    used: RoaringTreemap,
    pub free: FreePages,
}

impl Checked {
    /// Whether the pages in a stretch of the file are of no use to anybody, whatever is in them.
    pub fn is_free(&self, from: u64, length: usize) -> bool {
        if self.damage.is_some() || self.page_size == 0 || length == 0 {
            return false;
        }
        let (first, last) = (from / self.page_size, (from + length as u64 - 1) / self.page_size);
        self.used.range_cardinality(first..=last) == 0
    }

    /// The units of so many bytes, of which pages have one or several, that are on the free list; none where anything is
    /// damaged, as a page in use may be among them then.
    pub fn unread_units(&self, unit: u64) -> RoaringTreemap {
        let mut units = RoaringTreemap::new();
        let in_page = self.free.page_size / unit;
        if self.damage.is_none() && self.free.page_size.is_multiple_of(unit) {
            for page in &self.free.pages {
                units.insert_range(page * in_page..(page + 1) * in_page);
            }
        }
        units
    }
}

impl Original {
    /// A file that nobody writes.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn at_rest(path: &Path) -> Result<Self, StoreError> {
        let failed = || StoreError::io("reading", path);
        let file = File::open(path).map_err(failed())?;
        Ok(Self {
            path: path.to_owned(),
            length: file.metadata().map_err(failed())?.len(),
            file,
            head: Vec::new(),
        })
    }

    /// An LMDB file as the read transaction `txnid` sees it, which must stay open for as long as this is read: LMDB
    /// leaves its pages alone until then. `None` where somebody has written since it began, so that what leads to its
    /// pages cannot be read any more.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_transaction(path: &Path, txnid: u64) -> Result<Option<Self>, StoreError> {
        let mut original = Self::at_rest(path)?;
        let head = pages::head(&original.file, txnid).map_err(StoreError::io("reading", path))?;
        let Some(head) = head else { return Ok(None) };
        // The file may have grown since it was opened, and may be shorter than its pages are counted.
        let length = original.file.metadata().map_err(StoreError::io("reading", path))?.len();
        original.length = length.min(head.length);
        original.head = head.bytes;
        Ok(Some(original))
    }

    /// No more than its first `length` bytes.
    pub fn up_to(mut self, length: u64) -> Self {
        self.length = self.length.min(length);
        self
    }

    /// The file, where all of it is as it stands there.
    pub fn as_it_stands(&self) -> Option<&File> {
        self.head.is_empty().then_some(&self.file)
    }

    /// Checks its pages: whether LMDB can read them, and nothing is missing that they lead to.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn check(&self) -> Result<Checked, StoreError> {
        // They are checked in the order of keys, and lie in any.
        if let Err(error) = fadvise(&self.file, 0, None, Advice::WillNeed) {
            tracing::debug!(%error, "pages are not read ahead");
        }
        let checked = pages::check_snapshot(&self.path, &self.head);
        let checked = checked.map_err(StoreError::io("reading", &self.path))?;
        let first = checked.findings.first();
        Ok(Checked {
            damage: first.map(|finding| format!("{}: {finding}", self.path.display())),
            page_size: checked.page_size,
            used: checked.used_pages,
            // Not what the check found of its list: whoever compares reads the list alone, and in damaged files it may
            // be another one.
            free: self.free()?,
        })
    }

    /// The pages that are free, as far as its list of them can be read.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn free(&self) -> Result<FreePages, StoreError> {
        let free = pages::free(&self.path, &self.head);
        let (page_size, pages) = free.map_err(StoreError::io("reading", &self.path))?;
        Ok(FreePages { page_size, pages })
    }

    /// Fills the beginning of `buffer` with what stands at `at`; gives how many bytes, none at the end.
    ///
    /// # Errors
    /// It cannot be read, or is shorter than it was.
    pub fn read(&self, at: u64, buffer: &mut [u8]) -> Result<usize, StoreError> {
        let most = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
        let count = buffer.len().min(most);
        let buffer = &mut buffer[..count];
        let mut read = || -> io::Result<()> {
            self.file.read_exact_at(buffer, at)?;
            let from = usize::try_from(at).unwrap_or(usize::MAX);
            if let Some(head) = self.head.get(from..) {
                let count = head.len().min(buffer.len());
                buffer[..count].copy_from_slice(&head[..count]);
            }
            Ok(())
        };
        read().map_err(StoreError::io("reading", &self.path))?;
        Ok(count)
    }
}
