//! Whom a field names, as people read it (RFC 5322, 3.4 and 4.4). Who a message is *for* is read by `address`, which is
//! about what counts; this is about what is shown.

use std::borrow::Cow;

use memchr::{memchr, memchr3};

use super::{
    charset::Charset,
    words::{Words, said},
};

/// Bytes of a value that are read.
const LIST: usize = 64 << 10;

/// A piece of what stands between two separators, as it stands there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    /// Without white space but in quotes, brackets and encoded words.
    Word(&'a [u8]),
    /// What stands between angle brackets, and between parentheses.
    Angle(&'a [u8]),
    Comment(&'a [u8]),
    /// What stands before it is the name of a group.
    Group,
    End,
}

impl Piece<'_> {
    fn is_address(&self) -> bool {
        matches!(self, Self::Word(word) if unquoted_at(word))
    }
}

/// Whether an `@` stands in it outside of quotes.
fn unquoted_at(word: &[u8]) -> bool {
    let mut is_quoted = false;
    let is_at = |byte: &u8| {
        is_quoted ^= *byte == b'"';
        !is_quoted && *byte == b'@'
    };
    !word.starts_with(b"=?") && word.iter().any(is_at)
}

/// Each with a name, an address, or both, in their order; those of groups without the group's name. What is beyond
/// ASCII in it without a label is of the charset `likely`, where it is no UTF-8. Of a very long one the beginning, up
/// to the last whole name.
pub fn mailboxes(value: &[u8], likely: Option<Charset>) -> Vec<String> {
    let cut = match value.get(..LIST) {
        Some(beginning) => &beginning[..memchr::memrchr(b',', beginning).unwrap_or(LIST)],
        None => value,
    };
    let mut pieces = Pieces::new(cut);
    let (mut found, mut between) = (Vec::new(), Vec::new());
    while let Some(piece) = pieces.next() {
        match piece {
            Piece::End => read(&std::mem::take(&mut between), likely, &mut found),
            Piece::Group if !between.iter().any(Piece::is_address) => between.clear(),
            piece => between.push(piece),
        }
    }
    read(&between, likely, &mut found);
    found
}

/// Whether [`mailboxes`] has but the beginning of this value.
pub fn is_cut(value: &[u8]) -> bool {
    value.len() >= LIST
}

/// One of the mailboxes between two separators: there are several where a comma was left out.
#[derive(Default)]
struct Mailbox<'a> {
    name: Vec<&'a [u8]>,
    address: Option<&'a [u8]>,
    /// What stands behind the address, which may be the name of the next.
    behind: Vec<&'a [u8]>,
    comments: Vec<&'a [u8]>,
}

fn read<'a>(pieces: &[Piece<'a>], likely: Option<Charset>, found: &mut Vec<String>) {
    let angles = pieces.iter().rposition(|piece| matches!(piece, Piece::Angle(_)));
    let mut one = Mailbox::default();
    for (at, piece) in pieces.iter().enumerate() {
        let is_name = angles.is_some_and(|last| at < last);
        match piece {
            Piece::Angle(address) => one.named(address, likely, found),
            Piece::Word(address) if piece.is_address() && !is_name => one.named(address, likely, found),
            Piece::Word(word) if one.address.is_some() => one.behind.push(word),
            Piece::Word(word) => one.name.push(word),
            Piece::Comment(comment) => one.comments.push(comment),
            Piece::Group | Piece::End => {}
        }
    }
    one.end(likely, found);
}

impl<'a> Mailbox<'a> {
    /// An address comes: the one that was there is another mailbox's.
    fn named(&mut self, address: &'a [u8], likely: Option<Charset>, found: &mut Vec<String>) {
        if self.address.is_some() {
            let name = std::mem::take(&mut self.behind);
            std::mem::take(self).end(likely, found);
            self.name = name;
        }
        self.address = Some(address);
    }

    fn end(mut self, likely: Option<Charset>, found: &mut Vec<String>) {
        self.name.append(&mut self.behind);
        let name = said(&unquoted(&joined(&self.name)), likely);
        let comment = said(&joined(&self.comments), likely);
        let address = self.address.map(|address| {
            let mut said = said(address, likely);
            if said.contains(char::is_whitespace) {
                // White space is a part of it within quotes alone.
                let between = if address.contains(&b'"') { " " } else { "" };
                said = said.split_whitespace().collect::<Vec<_>>().join(between);
            }
            let plain = said.strip_prefix("mailto:").unwrap_or(&said);
            let plain = plain.trim_start_matches('<');
            match plain.len() < said.len() {
                true => plain.to_owned(),
                false => said,
            }
        });
        let address = address.filter(|address| !address.is_empty());
        let (name, address) = match (name.is_empty(), address) {
            (true, address) => (comment, address),
            (false, address) if comment.is_empty() => (name, address),
            // Where nothing has an at sign, a word with a comment is an account of that machine.
            (false, None) if !name.contains(' ') => (comment, Some(name)),
            (false, address) => (format!("{name} ({comment})"), address),
        };
        found.extend(match (name.as_str(), address) {
            ("", None) => None,
            (_, None) => Some(name),
            ("", Some(address)) => Some(address),
            (_, Some(address)) => Some([name.as_str(), " <", &address, ">"].concat()),
        });
    }
}

fn joined<'a>(words: &[&'a [u8]]) -> Cow<'a, [u8]> {
    match words {
        [] => Cow::Borrowed(&[]),
        [word] => Cow::Borrowed(word),
        words => Cow::Owned(words.join(&b' ')),
    }
}

/// A text without the quotes in it, and without what escapes a character within them.
fn unquoted(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'"', text).is_none() {
        return Cow::Borrowed(text);
    }
    let (mut plain, mut is_quoted) = (Vec::with_capacity(text.len()), false);
    let mut rest = text;
    while let [first, others @ ..] = rest {
        rest = others;
        match (first, others) {
            (b'"', _) => is_quoted = !is_quoted,
            (b'\\', [next, others @ ..]) if is_quoted => {
                plain.push(*next);
                rest = others;
            }
            _ => plain.push(*first),
        }
    }
    Cow::Owned(plain)
}

/// Goes through a value.
struct Pieces<'a> {
    rest: &'a [u8],
    words: Words,
    /// Whether what opens may still be closed: where the search for the end has failed once it is not made again.
    quotes: bool,
    comments: bool,
    angles: bool,
    /// Whether a colon ends the name of a group: where there is no semicolon, it does not.
    has_groups: bool,
}

impl<'a> Pieces<'a> {
    fn new(value: &'a [u8]) -> Self {
        Self {
            rest: value,
            words: Words::new(),
            quotes: true,
            comments: true,
            angles: true,
            has_groups: memchr(b';', value).is_some(),
        }
    }

    /// What stands before the first `n` bytes of the rest, which are passed over, too.
    fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(n.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// The length of the quoted string, comment or encoded word that `text` begins with.
    fn closed(&mut self, text: &[u8]) -> Option<usize> {
        match text {
            [b'"', ..] if self.quotes => {
                let end = end(text, |byte, depth| if byte == b'"' { 1 - depth } else { depth });
                self.quotes = end.is_some();
                end
            }
            [b'(', ..] if self.comments => {
                let end = end(text, |byte, depth| match byte {
                    b'(' => depth + 1,
                    b')' => depth - 1,
                    _ => depth,
                });
                self.comments = end.is_some();
                end
            }
            [b'=', b'?', ..] => self.words.length(text),
            _ => None,
        }
    }

    fn angle(&mut self) -> Piece<'a> {
        self.take(1);
        let mut is_quoted = false;
        let closing = |byte: &u8| {
            is_quoted ^= *byte == b'"';
            !is_quoted && *byte == b'>'
        };
        let closing = if self.angles {
            self.rest.iter().position(closing)
        } else {
            None
        };
        self.angles = closing.is_some();
        let end = closing
            .or_else(|| memchr3(b'>', b',', b';', self.rest))
            .unwrap_or(self.rest.len());
        let inside = self.take(end);
        if self.rest.starts_with(b">") {
            self.take(1);
        }
        Piece::Angle(inside)
    }

    fn word(&mut self) -> Piece<'a> {
        let whole = self.rest;
        let (mut length, mut is_literal) = (0, false);
        while let Some(byte) = whole.get(length) {
            let rest = &whole[length..];
            // One character at least, whatever it is.
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    // Obsolete syntax has white space around the sign (RFC 5322, 4.4).
                    let blank = rest
                        .iter()
                        .position(|byte| !byte.is_ascii_whitespace())
                        .unwrap_or(rest.len());
                    if !(rest[blank..].starts_with(b"@") || whole[..length].ends_with(b"@")) {
                        break;
                    }
                    length += blank;
                    continue;
                }
                b',' | b';' | b'<' | b'>' if length > 0 => break,
                b':' if self.has_groups && !is_literal && length > 0 => break,
                b'(' if length > 0 && self.comments => break,
                b'[' => is_literal = true,
                _ => {}
            }
            length += self.closed(rest).unwrap_or(1);
        }
        Piece::Word(self.take(length))
    }

    /// The next piece; `None` at the end.
    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            let blank = self
                .rest
                .iter()
                .position(|byte| !byte.is_ascii_whitespace() && *byte != b'>');
            self.take(blank.unwrap_or(self.rest.len()));
            let piece = match self.rest.first()? {
                b',' | b';' => {
                    self.take(1);
                    Piece::End
                }
                b'<' => self.angle(),
                b'(' => {
                    let text = self.rest;
                    match self.closed(text) {
                        Some(length) => {
                            let comment = self.take(length);
                            Piece::Comment(&comment[1..length - 1])
                        }
                        None => {
                            self.take(1);
                            continue;
                        }
                    }
                }
                b':' if self.has_groups => {
                    self.take(1);
                    Piece::Group
                }
                _ => self.word(),
            };
            return Some(piece);
        }
    }
}

/// Where what `text` begins with ends, escapes left out: where `depth` says that nothing is open any more.
fn end(text: &[u8], mut depth: impl FnMut(u8, usize) -> usize) -> Option<usize> {
    let (mut open, mut escaped) = (0, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte => open = depth(*byte, open),
        }
        if open == 0 {
            return Some(at + 1);
        }
    }
    None
}

#[cfg(test)]
#[path = "mailboxes_tests.rs"]
mod tests;
