//! Where the messages of an mbox are. The file is read through once, in windows; of each message its stretch is kept.

use std::{
    io,
    ops::ControlFlow,
    sync::atomic::{AtomicBool, Ordering},
};

use memchr::memmem;

use super::{
    quoting::Quoting,
    separator::{LOOKAHEAD, Verdict, from_line_end, judge},
    shape::Stretch,
    text::Text,
};
use crate::{
    api::MboxFrom,
    formats::kind::{BEGINNING, begins_as_mail, why_no_mail, without_preamble},
    identify::{Header, is_from_line},
};

/// Bytes read at once: few at first, because what is looked for is often near.
const WINDOWS: [usize; 2] = [16 << 10, 1 << 20];
/// Bytes before a line that show whether the line before is empty.
const LOOKBEHIND: usize = 3;
/// Bytes in which a header must end for its Content-Length to count: most do in the first, few need the second.
const HEADER: [usize; 2] = [8 << 10, 1 << 20];
/// Bytes that are looked at of a line behind a CR alone: there may be one every few bytes.
const BEHIND_CR: usize = 256;

/// What an mbox has where.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Index {
    pub messages: Vec<Stretch>,
    /// Bytes at the beginning that are not mail.
    pub stray: u64,
    /// What these look like.
    pub stray_is: Option<&'static str>,
    /// The first message has no `From ` line before it.
    pub is_first_line_lost: bool,
    /// Lines within messages that may separate, the first of each message alone.
    pub doubts: Vec<Doubt>,
    /// How many such lines there are.
    pub doubtful: u64,
}

/// A line within a message that looks like the one before a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Doubt {
    /// The number of the message, from 0 on.
    pub message: usize,
    pub offset: u64,
    /// The number of the line in the file, from 1 on, once that is known.
    pub line: u64,
    /// The header of a message is behind it.
    pub plain: bool,
}

impl Index {
    /// Notes a line in the message that comes next.
    pub fn doubt(&mut self, offset: u64, plain: bool) {
        self.doubtful += 1;
        let doubt = Doubt {
            message: self.messages.len(),
            offset,
            line: 0,
            plain,
        };
        match self.doubts.last_mut() {
            // The one that decides what becomes of the message.
            Some(last) if last.message == doubt.message && (last.plain || !plain) => {}
            Some(last) if last.message == doubt.message => *last = doubt,
            _ => self.doubts.push(doubt),
        }
    }
}

/// How a file is read through.
#[derive(Clone, Copy)]
pub(super) struct Way<'w> {
    pub text: &'w Text,
    pub from: Option<MboxFrom>,
    pub stop: &'w AtomicBool,
}

/// A line that begins with `From `.
struct FromLine<'w> {
    offset: u64,
    /// The length of the empty line before it, where there is one.
    blank: Option<u64>,
    /// The line and what is behind it, [`LOOKAHEAD`] bytes or up to the end of the file.
    text: &'w [u8],
    /// What is before it is a CR alone, which ends no line here.
    is_behind_cr: bool,
}

impl FromLine<'_> {
    fn judge(&self, from: Option<MboxFrom>) -> Verdict {
        if !self.is_behind_cr {
            return judge(self.text, self.blank.is_some(), from);
        }
        let lines = self.text.iter().take(BEHIND_CR);
        let lines: Vec<u8> = lines.map(|byte| if *byte == b'\r' { b'\n' } else { *byte }).collect();
        judge(&lines, false, Some(MboxFrom::Strict))
    }

    /// Where the line behind it begins.
    fn end(&self) -> u64 {
        self.offset + from_line_end(self.text) as u64
    }
}

/// Tells `each` of the lines that begin with `From `, from the line at `from` on.
fn from_lines(way: Way, from: u64, each: &mut dyn FnMut(&FromLine) -> ControlFlow<()>) -> io::Result<()> {
    let finder = memmem::Finder::new(b"From ");
    let mut buffer = vec![0; WINDOWS[0]];
    let mut base = from.saturating_sub(LOOKBEHIND as u64);
    let mut next = from;
    loop {
        if way.stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let size = buffer.len();
        let window = way.text.fill(base, &mut buffer)?;
        let is_last = window.len() < size;
        let certain = if is_last { size } else { size - LOOKAHEAD };
        for start in finder.find_iter(window) {
            let offset = base + start as u64;
            if start >= certain || offset < next || !is_from_line(&window[start..]) {
                continue;
            }
            let before = &window[..start];
            let is_behind_cr = match before.last() {
                _ if offset == from => false,
                Some(b'\n') => false,
                Some(b'\r') => true,
                _ => continue,
            };
            let text = &window[start..window.len().min(start + LOOKAHEAD)];
            let blank = ends_with_blank(before, base == 0);
            let line = FromLine {
                offset,
                blank,
                text,
                is_behind_cr,
            };
            if each(&line).is_break() {
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
    /// What it is where it is not mail.
    looks: Option<&'static str>,
}

fn beginning(text: &Text) -> io::Result<Beginning> {
    let mut buffer = vec![0; BEGINNING];
    let text = text.fill(0, &mut buffer)?;
    let content = without_preamble(text);
    Ok(Beginning {
        offset: (text.len() - content.len()) as u64,
        has_from_line: is_from_line(content) && from_line_end(&content[..content.len().min(LOOKAHEAD)]) < LOOKAHEAD,
        is_mail: begins_as_mail(content),
        is_empty: content.is_empty(),
        looks: why_no_mail(content),
    })
}

/// Where the last message ends: before the empty line at the end of the file.
pub(super) fn end(text: &Text) -> io::Result<u64> {
    let length = text.len()?;
    let mut buffer = [0; LOOKBEHIND];
    let from = length.saturating_sub(LOOKBEHIND as u64);
    let last = text.fill(from, &mut buffer)?;
    Ok(length - ends_with_blank(last, from == 0).unwrap_or(0))
}

/// Finds the messages by the lines between them. What is before the first is a message where it begins as one: its
/// `From ` line was lost.
pub(super) fn by_lines(way: Way) -> io::Result<Index> {
    let beginning = beginning(way.text)?;
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
        let verdict = match beginning.has_from_line && line.offset == beginning.offset {
            true => Verdict::Separates,
            false => line.judge(way.from),
        };
        match verdict {
            Verdict::Separates => {
                first.get_or_insert(line.offset);
                if let Some(offset) = begun.replace(line.end()) {
                    let end = line.offset - line.blank.unwrap_or(0);
                    index.messages.push(stretch(offset, end));
                }
            }
            Verdict::Doubtful { plain } if begun.is_some() => index.doubt(line.offset, plain),
            Verdict::Doubtful { .. } | Verdict::Text => {}
        }
        ControlFlow::Continue(())
    };
    from_lines(way, beginning.offset, &mut each)?;
    let end = end(way.text)?;
    match begun {
        Some(offset) => index.messages.push(stretch(offset, end)),
        None => index.stray = end,
    }
    if let (false, Some(first)) = (beginning.is_mail, first) {
        index.stray = first - beginning.offset;
    }
    index.stray_is = beginning.looks.filter(|_| index.stray > 0);
    Ok(index)
}

pub(super) fn stretch(offset: u64, end: u64) -> Stretch {
    Stretch {
        offset,
        length: end.saturating_sub(offset),
    }
}

/// Finds the messages by their Content-Length; where one has none that fits, by the next line that separates.
pub(super) fn by_length(way: Way) -> io::Result<Index> {
    if !beginning(way.text)?.has_from_line {
        return by_lines(way);
    }
    Ok(lengths(way, false)?.unwrap_or_default())
}

/// Finds the messages of a file of whatever kind, and tells how they are quoted.
pub(super) fn detect(way: Way) -> io::Result<(Index, Quoting)> {
    if beginning(way.text)?.has_from_line
        && let Some(index) = lengths(way, true)?
    {
        let quoting = if has_unquoted(way, &index)? {
            Quoting::None
        } else {
            Quoting::One
        };
        return Ok((index, quoting));
    }
    Ok((by_lines(way)?, Quoting::Any))
}

/// Whether a line of a message begins with `From `.
fn has_unquoted(way: Way, index: &Index) -> io::Result<bool> {
    let mut messages = index.messages.iter().peekable();
    let mut found = false;
    let mut each = |line: &FromLine| {
        if line.is_behind_cr {
            return ControlFlow::Continue(());
        }
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
    from_lines(way, 0, &mut each)?;
    Ok(found)
}

/// Goes from message to message by their Content-Length. `strict`: `None` unless every message has one that ends where
/// the next message, or the file, does; only the last may be cut off, and not where it is the only one.
fn lengths(way: Way, strict: bool) -> io::Result<Option<Index>> {
    let Way { text, stop, .. } = way;
    let length = text.len()?;
    let mut index = Index::default();
    let mut from = beginning(text)?.offset;
    let mut buffer = Vec::new();
    while from < length {
        if stop.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let (offset, announced) = announced(text, from, &mut buffer)?;
        let landed = match announced {
            Some(end) => landing(text, end)?.map(|next| (end, next)),
            None => None,
        };
        let is_cut = announced.is_some_and(|end| end > length) && !index.messages.is_empty();
        let (end, next) = match landed {
            Some(landed) => landed,
            None if strict && !is_cut => return Ok(None),
            None => match separator(way, offset, &mut index)? {
                Some(_) if strict => return Ok(None),
                Some((end, next)) => (end, next),
                None => (self::end(text)?, length),
            },
        };
        index.messages.push(stretch(offset, end));
        from = next;
    }
    Ok(Some(index))
}

/// Of the message behind the `From ` line at `from`: where it begins, and where it ends by its Content-Length.
fn announced(file: &Text, from: u64, buffer: &mut Vec<u8>) -> io::Result<(u64, Option<u64>)> {
    let mut offset = from;
    for size in HEADER {
        buffer.resize(size, 0);
        let text = file.fill(from, buffer)?;
        let line = from_line_end(text);
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
fn landing(file: &Text, end: u64) -> io::Result<Option<u64>> {
    let mut buffer = [0; 64];
    let (before, length) = (end - 1, file.len()?);
    if end > length {
        return Ok(None);
    }
    let text = file.fill(before, &mut buffer)?;
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
    Ok(((begins_line && is_from_line(rest)) || at == length).then_some(at))
}

/// The first line from `offset` on that separates: where the message before it ends, and where the line is.
fn separator(way: Way, offset: u64, index: &mut Index) -> io::Result<Option<(u64, u64)>> {
    let mut found = None;
    let mut each = |line: &FromLine| {
        match line.judge(way.from) {
            Verdict::Separates => {
                found = Some((line.offset - line.blank.unwrap_or(0), line.offset));
                return ControlFlow::Break(());
            }
            Verdict::Doubtful { plain } => index.doubt(line.offset, plain),
            Verdict::Text => {}
        }
        ControlFlow::Continue(())
    };
    from_lines(way, offset, &mut each)?;
    Ok(found)
}
