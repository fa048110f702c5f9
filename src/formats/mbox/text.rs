//! The text of an mbox, read at any place. If its lines end in CR alone, as old programs of the Macintosh wrote them,
//! they end in LF here: what came over a network had CRLF, and each system wrote its own.

use std::{
    fs::{File, Metadata},
    io,
    os::unix::fs::FileExt,
};

use memchr::memchr;

use crate::formats::kind::{BEGINNING, ends_in_cr};

/// A file of lines.
#[derive(Debug)]
pub(super) struct Text {
    pub file: File,
    /// Lines end in CR alone.
    pub cr: bool,
}

impl Text {
    /// Reads the beginning of a file, to see how its lines end.
    pub fn new(file: File) -> io::Result<Self> {
        let mut text = Self { file, cr: false };
        let mut beginning = vec![0; BEGINNING];
        text.cr = ends_in_cr(text.fill(0, &mut beginning)?);
        Ok(text)
    }

    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Bytes in the file.
    pub fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    /// Reads from `offset` on, until the buffer is full or the file ends.
    ///
    /// # Errors
    /// The file cannot be read, or its lines end in CR alone at its beginning and otherwise further down.
    pub fn fill<'b>(&self, offset: u64, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let read = &mut buffer[..filled];
        self.converted(offset, read)?;
        Ok(read)
    }

    /// Reads as much as the buffer takes.
    ///
    /// # Errors
    /// As [`Self::fill`], and the file ends before.
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)?;
        self.converted(offset, buffer)
    }

    fn converted(&self, offset: u64, text: &mut [u8]) -> io::Result<()> {
        if !self.cr {
            return Ok(());
        }
        if let Some(at) = memchr(b'\n', text) {
            return Err(io::Error::other(format!(
                "its lines end in CR alone at its beginning, and there is an LF at byte {}: it is not known where its messages \
                 begin; convert its line ends and import it again",
                offset + at as u64
            )));
        }
        text.iter_mut()
            .filter(|byte| **byte == b'\r')
            .for_each(|byte| *byte = b'\n');
        Ok(())
    }
}
