//! mbox: messages one after the other in a file, each after a line that begins with `From `.
//!
//! There are four kinds, and nothing in a file says which it is. They differ in what keeps a line of a message that
//! begins with `From ` from being taken for such a separator: mboxrd puts a `>` before it, and before `>From ` and so
//! on; mboxo before `From ` alone; mboxcl does so too and has a Content-Length; mboxcl2 has only that. Thunderbird
//! writes `From - ` or a bare `From `, and older ones quoted nothing. `separator` says which lines separate (`dates`
//! knows what they end with), `index` finds where the messages are, `quoting` takes the `>` away; `mmdf` is a kind of
//! its own.

mod dates;
mod index;
mod mmdf;
mod quoting;
mod separator;
mod shape;
mod text;

use std::{
    fs::File,
    io,
    os::unix::fs::MetadataExt,
    sync::atomic::{AtomicBool, Ordering},
};

use self::{
    index::{Index, Way},
    quoting::Quoting,
    shape::Stretch,
    text::Text,
};

pub use self::separator::is_dated;

use super::kind::{MMDF, without_preamble};
use crate::api::{MboxFrom, MboxKind};

/// An mbox, read through once: it knows where each message is, and nothing else (16 bytes each).
#[derive(Debug)]
pub struct Mbox {
    text: Text,
    /// As the file was when it was read through.
    state: State,
    index: Index,
    quoting: Quoting,
    from: Option<MboxFrom>,
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

/// Numbers of doubtful lines that are told.
const SHOWN: usize = 3;

/// Bytes before a message in which its `From ` line is looked for. Only the first of a file may be longer.
const FROM_LINE: u64 = separator::LOOKAHEAD as u64;

impl Mbox {
    /// Goes through the file and notes where the messages are. `from`: what counts where that is in doubt; messages
    /// with such lines cannot be read where nothing does.
    ///
    /// # Errors
    /// The file cannot be read, was written to meanwhile, or `stop` was set meanwhile ([`io::ErrorKind::Interrupted`]).
    pub fn open(file: File, kind: MboxKind, from: Option<MboxFrom>, stop: &AtomicBool) -> io::Result<Self> {
        let state = State::of(&file)?;
        let text = Text::new(file)?;
        let way = Way {
            text: &text,
            from,
            stop,
        };
        let (index, quoting) = match kind {
            _ if mmdf::is(way)? => (mmdf::by_marks(way)?, Quoting::None),
            MboxKind::Auto => index::detect(way)?,
            MboxKind::Mboxrd => (index::by_lines(way)?, Quoting::Any),
            MboxKind::Mboxo => (index::by_lines(way)?, Quoting::One),
            MboxKind::Mboxcl => (index::by_length(way)?, Quoting::One),
            MboxKind::Mboxcl2 => (index::by_length(way)?, Quoting::None),
        };
        let mut mbox = Self {
            text,
            state,
            index,
            quoting,
            from,
        };
        mbox.number_lines(stop)?;
        mbox.unchanged()?;
        Ok(mbox)
    }

    /// Puts the numbers of their lines in place of where the doubtful ones are.
    fn number_lines(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let (mut at, mut line) = (0, 1);
        let mut buffer = vec![0; if self.index.doubts.is_empty() { 0 } else { 1 << 20 }];
        for doubt in &mut self.index.doubts {
            while at < doubt.offset {
                if stop.load(Ordering::Relaxed) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                let most = usize::try_from(doubt.offset - at).map_or(buffer.len(), |left| left.min(buffer.len()));
                self.text.read(at, &mut buffer[..most])?;
                line += memchr::memchr_iter(b'\n', &buffer[..most]).count() as u64;
                at += most as u64;
            }
            doubt.line = line;
        }
        Ok(())
    }

    /// How many lines within messages look like those between them, and the numbers of the first few.
    pub fn doubtful(&self) -> (u64, Vec<u64>) {
        let lines = self.index.doubts.iter().take(SHOWN).map(|doubt| doubt.line);
        (self.index.doubtful, lines.collect())
    }

    /// Whether its lines end in CR alone; they are read as if in LF.
    pub fn ends_in_cr(&self) -> bool {
        self.text.cr
    }

    /// The line of a message over which it may be two, where nobody said what counts.
    fn undecided(&self, message: usize) -> Option<u64> {
        let place = self.index.doubts.binary_search_by_key(&message, |doubt| doubt.message);
        let doubt = self.index.doubts.get(place.ok()?)?;
        (doubt.plain && self.from.is_none()).then_some(doubt.line)
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

    /// What these look like, where that is known.
    pub fn stray_is(&self) -> Option<&'static str> {
        self.index.stray_is
    }

    /// Where a message begins in the file, and how many bytes it takes there.
    pub fn stretch(&self, message: usize) -> Option<(u64, u64)> {
        let stretch = self.index.messages.get(message);
        stretch.map(|stretch| (stretch.offset, stretch.length))
    }

    /// It is known that all lines within messages that look like separators are text.
    pub fn doubt_nothing(&mut self) {
        self.index.doubts.clear();
        self.index.doubtful = 0;
    }

    /// Reads a message; the first is number 0.
    ///
    /// # Errors
    /// It may be two messages, of which nobody said what counts, or its lines end otherwise than those of the file. Or
    /// the file cannot be read, or was written to since it was read through: what is at the message's place may be
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
        let lost = message == 0 && self.index.is_first_line_lost;
        if !lost && stretch.length > 0 && before.ends_with(b"\r") {
            return Err(io::Error::other(format!(
                "the `From ` line before it ends in CR alone, at byte {}, and other lines of the file in LF: it is not known \
                 where messages begin behind it; convert the line ends of the file and import it again",
                stretch.offset - 1
            )));
        }
        if let Some(line) = self.undecided(message) {
            return Err(io::Error::other(format!(
                "line {line} of the file looks like the `From ` line before another message, so this may be two: it is not \
                 archived; import the file again with `--mbox-from loose` where a message begins there, with `--mbox-from \
                 strict` where that line is text"
            )));
        }
        // A file may be written to within the tick of the clock in which it was seen before, or have its time set back.
        let is_whole = is_whole || (before.len() as u64) < FROM_LINE;
        if is_whole && !lost && !(line.starts_with(b"From ") || line.trim_ascii_end() == MMDF) {
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
        self.text.read(offset, &mut bytes)?;
        let before = offset.min(FROM_LINE);
        let mut line = vec![0; before as usize];
        self.text.read(offset - before, &mut line)?;
        Ok((bytes, line))
    }

    fn unchanged(&self) -> io::Result<()> {
        match State::of(&self.text.file)? == self.state {
            true => Ok(()),
            false => Err(changed()),
        }
    }
}

fn changed() -> io::Error {
    io::Error::other("the mbox changed while it was read; import it again when nothing writes to it")
}

/// The last line of `text`, without its line feed and what may be before the first line of a file (lone CRs, a byte
/// order mark); and whether another line is before it, so that it is not cut off at its beginning.
fn last_line(text: &[u8]) -> (&[u8], bool) {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let before = memchr::memrchr(b'\n', text);
    let line = before.map_or(text, |end| &text[end + 1..]);
    (without_preamble(line), before.is_some())
}

#[cfg(test)]
mod tests;
