//! mbox: messages one behind the other in a file, each behind a line that begins with `From `.
//!
//! There are four kinds, and nothing in a file says which it is. They differ in what keeps a line of a message that
//! begins with `From ` from being taken for such a separator: mboxrd puts a `>` before it, and before `>From ` and
//! so on; mboxo before `From ` alone; mboxcl does so too and has a Content-Length; mboxcl2 has only that. Thunderbird
//! writes `From - ` or a bare `From `, and older ones quoted nothing. `separator` says which lines separate, `index`
//! finds where the messages are, `quoting` takes the `>` away.

mod index;
mod quoting;
mod separator;

use std::{fs::File, io, os::unix::fs::FileExt, sync::atomic::AtomicBool};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use self::{index::Index, quoting::Quoting};

pub use separator::is_dated;

/// Which kind of mbox a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum MboxKind {
    /// By Content-Length where every message has one that ends where the next message begins: mboxcl2 where a
    /// message has an unquoted `From ` line, else mboxcl. All others: mboxrd.
    #[default]
    Auto,
    Mboxrd,
    Mboxo,
    Mboxcl,
    Mboxcl2,
}

/// Where a message is in its file, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stretch {
    offset: u64,
    length: u64,
}

/// An mbox, gone through once: it knows where each message is, and no more of it (16 bytes each).
#[derive(Debug)]
pub struct Mbox {
    file: File,
    index: Index,
    quoting: Quoting,
}

/// A message out of an mbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// As it was before it was written to the mbox: without the `From ` line before it, the empty line behind it, and
    /// the quoting.
    pub bytes: Vec<u8>,
    /// What its `From ` line says of when it came, in seconds since 1970, taken as UTC.
    pub date: Option<i64>,
}

/// Bytes before a message in which its `From ` line is looked for.
const FROM_LINE: u64 = 512;

impl Mbox {
    /// Goes through the file and notes where the messages are.
    ///
    /// # Errors
    /// The file cannot be read, or `stop` was set meanwhile ([`io::ErrorKind::Interrupted`]).
    pub fn open(file: File, kind: MboxKind, stop: &AtomicBool) -> io::Result<Self> {
        let (index, quoting) = match kind {
            MboxKind::Auto => index::detect(&file, stop)?,
            MboxKind::Mboxrd => (index::by_lines(&file, stop)?, Quoting::Any),
            MboxKind::Mboxo => (index::by_lines(&file, stop)?, Quoting::One),
            MboxKind::Mboxcl => (index::by_length(&file, stop)?, Quoting::One),
            MboxKind::Mboxcl2 => (index::by_length(&file, stop)?, Quoting::None),
        };
        Ok(Self { file, index, quoting })
    }

    /// How many messages it has.
    pub fn messages(&self) -> usize {
        self.index.messages.len()
    }

    /// How many bytes a message takes in the file, quoting included; the first message is number 0.
    pub fn size(&self, message: usize) -> Option<u64> {
        self.index.messages.get(message).map(|stretch| stretch.length)
    }

    /// Bytes at the beginning that are before the first `From ` line and no mail.
    pub fn stray(&self) -> u64 {
        self.index.stray
    }

    /// Reads a message; the first is number 0.
    ///
    /// # Errors
    /// The file cannot be read, or was cut since it was gone through ([`io::ErrorKind::UnexpectedEof`]).
    pub fn read(&self, message: usize) -> io::Result<Message> {
        let stretch = self.index.messages.get(message);
        let Stretch { offset, length } = *stretch.ok_or(io::ErrorKind::InvalidInput)?;
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut bytes, offset)?;
        self.quoting.undo(&mut bytes);
        let before = offset.min(FROM_LINE);
        let mut line = vec![0; before as usize];
        self.file.read_exact_at(&mut line, offset - before)?;
        let line = line.trim_ascii_end();
        let line = memchr::memrchr(b'\n', line).map_or(line, |end| &line[end + 1..]);
        Ok(Message {
            bytes,
            date: separator::date(line),
        })
    }
}

#[cfg(test)]
mod tests;
