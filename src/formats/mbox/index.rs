//! Where the messages of an mbox are. The file is read through once, in windows; a stretch a message is kept.

use std::{
    fs::File,
    io,
    ops::ControlFlow,
    os::unix::fs::FileExt,
    sync::atomic::{AtomicBool, Ordering},
};

use memchr::{memchr, memmem};

use super::{
    Stretch,
    quoting::Quoting,
    separator::{LOOKAHEAD, separates},
};
use crate::{
    formats::kind::{BEGINNING, begins_as_mail, without_empty_lines},
    identify::Header,
};

/// Bytes read at once: few at first, because what is looked for is often near.
const WINDOWS: [usize; 2] = [16 << 10, 1 << 20];
/// Bytes before a line that show whether the line before is empty.
const LOOKBEHIND: usize = 3;
/// Bytes in which a header must end for its Content-Length to count: most do in the first, few need the second.
const HEADER: [usize; 2] = [8 << 10, 1 << 20];

/// What an mbox has where.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Index {
    pub messages: Vec<Stretch>,
    /// Bytes at the beginning that are no mail.
    pub stray: u64,
    /// The first message has no `From ` line before it.
    pub is_first_line_lost: bool,
}

/// A line that begins with `From `.
struct FromLine<'w> {
    offset: u64,
    /// The length of the empty line before it, where there is one.
    blank: Option<u64>,
    /// The line and what is behind it, [`LOOKAHEAD`] bytes or up to the end of the file.
    text: &'w [u8],
}

impl FromLine<'_> {
    fn separates(&self) -> bool {
        separates(self.text, self.blank.is_some())
    }

    /// Where the line behind it begins.
    fn end(&self) -> u64 {
        let length = memchr(b'\n', self.text).map_or(self.text.len(), |end| end + 1);
        self.offset + length as u64
    }
}

/// Tells `each` of the lines that begin with `From `, from the line at `from` on.
fn from_lines(
    file: &File,
    from: u64,
    stop: &AtomicBool,
    each: &mut dyn FnMut(&FromLine) -> ControlFlow<()>,
) -> io::Result<()> {
    let finder = memmem::Finder::new(b"\nFrom ");
    let mut buffer = vec![0; WINDOWS[0]];
    let mut base = from.saturating_sub(LOOKBEHIND as u64);
    let mut next = from;
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let size = buffer.len();
        let window = fill(file, base, &mut buffer)?;
        let is_last = window.len() < size;
        let certain = if is_last { size } else { size - LOOKAHEAD };
        let first = (base == 0 && window.starts_with(b"From ")).then_some(0);
        for start in first.into_iter().chain(finder.find_iter(window).map(|end| end + 1)) {
            let offset = base + start as u64;
            if start >= certain || offset < next {
                continue;
            }
            let text = &window[start..window.len().min(start + LOOKAHEAD)];
            let blank = ends_with_blank(&window[..start], base == 0);
            if each(&FromLine { offset, blank, text }).is_break() {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
        next = base + certain as u64;
        base = next - LOOKBEHIND as u64;
        buffer.resize(WINDOWS[1], 0);
    }
}

/// Reads from `offset` on, until the buffer is full or the file ends.
fn fill<'b>(file: &File, offset: u64, buffer: &'b mut [u8]) -> io::Result<&'b [u8]> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(&buffer[..filled])
}

/// The length of the empty line that `text` ends with. `whole`: `text` begins where the file does.
fn ends_with_blank(text: &[u8], whole: bool) -> Option<u64> {
    if text.ends_with(b"\n\n") || (whole && text == b"\n") {
        Some(1)
    } else if text.ends_with(b"\n\r\n") || (whole && text == b"\r\n") {
        Some(2)
    } else {
        None
    }
}

/// How a file begins.
struct Beginning {
    /// Where its first line that is not empty is.
    offset: u64,
    has_from_line: bool,
    /// Nothing says that it is a message but what it looks like.
    is_mail: bool,
    is_empty: bool,
}

fn beginning(file: &File) -> io::Result<Beginning> {
    let mut buffer = vec![0; BEGINNING];
    let text = fill(file, 0, &mut buffer)?;
    let content = without_empty_lines(text);
    Ok(Beginning {
        offset: (text.len() - content.len()) as u64,
        has_from_line: content.starts_with(b"From "),
        is_mail: begins_as_mail(content),
        is_empty: content.is_empty(),
    })
}

/// Where the last message ends: before the empty line at the end of the file.
fn end(file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut buffer = [0; LOOKBEHIND];
    let from = length.saturating_sub(LOOKBEHIND as u64);
    let text = fill(file, from, &mut buffer)?;
    Ok(length - ends_with_blank(text, from == 0).unwrap_or(0))
}

/// Finds the messages by the lines between them. What is before the first is a message where it begins as one: its
/// `From ` line was lost.
pub(super) fn by_lines(file: &File, stop: &AtomicBool) -> io::Result<Index> {
    let beginning = beginning(file)?;
    let mut index = Index {
        is_first_line_lost: beginning.is_mail,
        ..Index::default()
    };
    if beginning.is_empty {
        return Ok(index);
    }
    let mut begun = beginning.is_mail.then_some(beginning.offset);
    let mut first = None;
    let mut each = |line: &FromLine| {
        if (beginning.has_from_line && line.offset == beginning.offset) || line.separates() {
            first.get_or_insert(line.offset);
            if let Some(offset) = begun.replace(line.end()) {
                index
                    .messages
                    .push(stretch(offset, line.offset - line.blank.unwrap_or(0)));
            }
        }
        ControlFlow::Continue(())
    };
    from_lines(file, beginning.offset, stop, &mut each)?;
    let end = end(file)?;
    match begun {
        Some(offset) => index.messages.push(stretch(offset, end)),
        None => index.stray = end,
    }
    if let (false, Some(first)) = (beginning.is_mail, first) {
        index.stray = first - beginning.offset;
    }
    Ok(index)
}

fn stretch(offset: u64, end: u64) -> Stretch {
    Stretch {
        offset,
        length: end.saturating_sub(offset),
    }
}

/// Finds the messages by their Content-Length; where one has none that fits, by the next line that separates.
pub(super) fn by_length(file: &File, stop: &AtomicBool) -> io::Result<Index> {
    if !beginning(file)?.has_from_line {
        return by_lines(file, stop);
    }
    Ok(lengths(file, stop, false)?.unwrap_or_default())
}

/// Finds the messages of a file of whatever kind, and tells how they are quoted.
pub(super) fn detect(file: &File, stop: &AtomicBool) -> io::Result<(Index, Quoting)> {
    if beginning(file)?.has_from_line
        && let Some(index) = lengths(file, stop, true)?
    {
        let quoting = if has_unquoted(file, &index, stop)? {
            Quoting::None
        } else {
            Quoting::One
        };
        return Ok((index, quoting));
    }
    Ok((by_lines(file, stop)?, Quoting::Any))
}

/// Whether a line of a message begins with `From `.
fn has_unquoted(file: &File, index: &Index, stop: &AtomicBool) -> io::Result<bool> {
    let mut messages = index.messages.iter().peekable();
    let mut found = false;
    let mut each = |line: &FromLine| {
        while messages
            .next_if(|message| message.offset + message.length <= line.offset)
            .is_some()
        {}
        found = messages.peek().is_some_and(|message| message.offset <= line.offset);
        if found {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    from_lines(file, 0, stop, &mut each)?;
    Ok(found)
}

/// Goes from message to message by their Content-Length. `strict`: `None` unless every message has one that ends where
/// the next message, or the file, does; only the last may be cut off, and not where it is the only one.
fn lengths(file: &File, stop: &AtomicBool, strict: bool) -> io::Result<Option<Index>> {
    let length = file.metadata()?.len();
    let mut index = Index::default();
    let mut from = beginning(file)?.offset;
    let mut buffer = Vec::new();
    while from < length {
        if stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let (offset, announced) = announced(file, from, &mut buffer)?;
        let landed = match announced {
            Some(end) => landing(file, end)?.map(|next| (end, next)),
            None => None,
        };
        let is_cut = announced.is_some_and(|end| end > length) && !index.messages.is_empty();
        let (end, next) = match landed {
            Some(landed) => landed,
            None if strict && !is_cut => return Ok(None),
            None => match separator(file, offset, stop)? {
                Some(_) if strict => return Ok(None),
                Some((end, next)) => (end, next),
                None => (self::end(file)?, length),
            },
        };
        index.messages.push(stretch(offset, end));
        from = next;
    }
    Ok(Some(index))
}

/// Of the message behind the `From ` line at `from`: where it begins, and where it ends by its Content-Length.
fn announced(file: &File, from: u64, buffer: &mut Vec<u8>) -> io::Result<(u64, Option<u64>)> {
    let mut offset = from;
    for size in HEADER {
        buffer.resize(size, 0);
        let text = fill(file, from, buffer)?;
        let line = memchr(b'\n', text).map_or(text.len(), |end| end + 1);
        let header = Header::scan(&text[line..]);
        offset = from + line as u64;
        let rest = &text[line + header.end..];
        let blank = match rest {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            // The header goes on behind what was read.
            _ if text.len() == size && !rest.contains(&b'\n') => continue,
            _ => break,
        };
        let value = header
            .all("Content-Length")
            .next()
            .map(|field| field.value.trim_ascii());
        let length: Option<u64> = value.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        let body = offset + (header.end + blank) as u64;
        return Ok((offset, length.and_then(|length| body.checked_add(length))));
    }
    Ok((offset, None))
}

/// Where the `From ` line is that stands at `end`, or behind up to two line ends there; the file's length where the
/// file ends so. `None` where it is something else.
fn landing(file: &File, end: u64) -> io::Result<Option<u64>> {
    let mut buffer = [0; 10];
    let (before, length) = (end - 1, file.metadata()?.len());
    if end > length {
        return Ok(None);
    }
    let text = fill(file, before, &mut buffer)?;
    let Some((last, mut rest)) = text.split_first() else {
        return Ok(None);
    };
    let mut begins_line = *last == b'\n';
    for _ in 0..2 {
        let behind = rest.strip_prefix(b"\n").or_else(|| rest.strip_prefix(b"\r\n"));
        begins_line |= behind.is_some();
        rest = behind.unwrap_or(rest);
    }
    let at = before + (text.len() - rest.len()) as u64;
    Ok(((begins_line && rest.starts_with(b"From ")) || at == length).then_some(at))
}

/// The first line from `offset` on that separates: where the message before it ends, and where the line is.
fn separator(file: &File, offset: u64, stop: &AtomicBool) -> io::Result<Option<(u64, u64)>> {
    let mut found = None;
    let mut each = |line: &FromLine| match line.separates() {
        true => {
            found = Some((line.offset - line.blank.unwrap_or(0), line.offset));
            ControlFlow::Break(())
        }
        false => ControlFlow::Continue(()),
    };
    from_lines(file, offset, stop, &mut each)?;
    Ok(found)
}
