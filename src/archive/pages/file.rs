//! The file that is checked, read by position.

use std::{fs::File, io, num::NonZeroU64, os::unix::fs::FileExt, path::Path};

use rustix::fs::{Advice, fadvise};

/// A stretch of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::archive) struct Place {
    /// In bytes from the file's beginning.
    pub at: u64,
    /// In bytes.
    pub length: u32,
}

/// The file, read by position.
pub(super) struct PageFile {
    pub(super) file: File,
    /// In bytes, when it was opened. A snapshot's pages lie within it, however much is written later.
    pub(super) length: u64,
    /// In bytes.
    pub(super) page_size: usize,
    /// The meta pages, where they are not those that the file has by now.
    pub(super) head: Vec<u8>,
}

impl PageFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            file,
            length,
            page_size: 0,
            head: Vec::new(),
        })
    }

    /// Where page `number` begins, in bytes.
    pub(super) fn place(&self, number: u64) -> u64 {
        number * self.page_size as u64
    }

    /// How many pages the file has in full.
    pub(super) fn whole_pages(&self) -> u64 {
        self.length / self.page_size as u64
    }

    /// Has the system begin to read so many pages from `number` on. Not being able to changes nothing that is read.
    pub(super) fn announce(&self, number: u64, pages: usize) {
        let length = NonZeroU64::new((pages * self.page_size) as u64);
        if let Err(error) = fadvise(&self.file, self.place(number), length, Advice::WillNeed) {
            tracing::debug!(%error, "pages are not read ahead");
        }
    }

    /// Fills `bytes` with what lies at `at`.
    ///
    /// # Errors
    /// In words, why not.
    pub(super) fn read(&self, at: u64, bytes: &mut [u8]) -> Result<(), String> {
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
