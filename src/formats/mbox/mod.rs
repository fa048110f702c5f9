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

use std::{
    fs::File,
    io,
    os::unix::fs::{FileExt, MetadataExt},
    sync::atomic::AtomicBool,
};

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
    /// As the file was when it was gone through.
    state: State,
    index: Index,
    quoting: Quoting,
}

/// What shows that a file was written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct State {
    size: u64,
    /// When it was last modified: seconds since 1970, and nanoseconds.
    modified: (i64, i64),
}

impl State {
    fn of(file: &File) -> io::Result<Self> {
        let found = file.metadata()?;
        Ok(Self {
            size: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
        })
    }
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

/// Bytes before a message in which its `From ` line is looked for. Only the first of a file may be longer.
const FROM_LINE: u64 = separator::LOOKAHEAD as u64;

impl Mbox {
    /// Goes through the file and notes where the messages are.
    ///
    /// # Errors
    /// The file cannot be read, was written to meanwhile, or `stop` was set meanwhile ([`io::ErrorKind::Interrupted`]).
    pub fn open(file: File, kind: MboxKind, stop: &AtomicBool) -> io::Result<Self> {
        let state = State::of(&file)?;
        let (index, quoting) = match kind {
            MboxKind::Auto => index::detect(&file, stop)?,
            MboxKind::Mboxrd => (index::by_lines(&file, stop)?, Quoting::Any),
            MboxKind::Mboxo => (index::by_lines(&file, stop)?, Quoting::One),
            MboxKind::Mboxcl => (index::by_length(&file, stop)?, Quoting::One),
            MboxKind::Mboxcl2 => (index::by_length(&file, stop)?, Quoting::None),
        };
        let mbox = Self {
            file,
            state,
            index,
            quoting,
        };
        mbox.unchanged()?;
        Ok(mbox)
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
    /// The file cannot be read, or was written to since it was gone through: what is at the message's place may be
    /// parts of others.
    pub fn read(&self, message: usize) -> io::Result<Message> {
        let stretch = self.index.messages.get(message);
        let stretch = *stretch.ok_or(io::ErrorKind::InvalidInput)?;
        let read = self.bytes_and_from_line(stretch);
        // What was read counts only when the file is seen unchanged behind it; and that it was cut says more than
        // that it ended too early.
        self.unchanged()?;
        let (mut bytes, before) = read?;
        let (line, is_whole) = last_line(&before);
        // A file may be written to within the tick of the clock in which it was seen before, or have its time set back.
        let lost = message == 0 && self.index.is_first_line_lost;
        let is_whole = is_whole || (before.len() as u64) < FROM_LINE;
        if is_whole && !lost && !line.starts_with(b"From ") {
            return Err(changed());
        }
        self.quoting.undo(&mut bytes);
        Ok(Message {
            bytes,
            date: separator::date(line),
        })
    }

    /// The bytes of a message as they are in the file, and those before it, with its `From ` line at their end.
    fn bytes_and_from_line(&self, Stretch { offset, length }: Stretch) -> io::Result<(Vec<u8>, Vec<u8>)> {
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut bytes, offset)?;
        let before = offset.min(FROM_LINE);
        let mut line = vec![0; before as usize];
        self.file.read_exact_at(&mut line, offset - before)?;
        Ok((bytes, line))
    }

    fn unchanged(&self) -> io::Result<()> {
        match State::of(&self.file)? == self.state {
            true => Ok(()),
            false => Err(changed()),
        }
    }
}

fn changed() -> io::Error {
    io::Error::other("the mbox changed while it was read; import it again when nothing writes to it")
}

/// The last line of `text`, without its line feed and the lone CRs that may be before the first line of a file; and
/// whether another line is before it, so that it is not cut off at its beginning.
fn last_line(text: &[u8]) -> (&[u8], bool) {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let before = memchr::memrchr(b'\n', text);
    let line = before.map_or(text, |end| &text[end + 1..]);
    let begin = line.iter().position(|byte| *byte != b'\r').unwrap_or(line.len());
    (&line[begin..], before.is_some())
}

#[cfg(test)]
mod tests;
