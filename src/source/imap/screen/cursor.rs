//! A place in a response, and how it goes on from there.

use std::ops::Range;

/// The deepest lists within lists that are passed over. They are counted, and not descended into, so this is only a
/// limit.
pub(super) const MAX_DEPTH: u32 = 10_000;

/// A response as it was framed: its bytes, the line end included, and where in them its literals are.
#[derive(Clone, Copy)]
pub struct Framed<'a> {
    pub bytes: &'a [u8],
    pub literals: &'a [Range<usize>],
}

/// The longest way to say how long a literal is, in bytes.
const LENGTH: usize = 80;

/// Goes through a response once, from its beginning to its end.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// Literals that were not passed yet.
    literals: &'a [Range<usize>],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    pub fn of(response: Framed<'a>) -> Self {
        Self {
            bytes: response.bytes,
            literals: response.literals,
            at: 0,
        }
    }

    /// The first line of some bytes.
    pub fn of_line(bytes: &'a [u8]) -> Self {
        let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        Self::of(Framed {
            bytes: &bytes[..end],
            literals: &[],
        })
    }

    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// What is left of a response without literals, without blanks around it.
    pub fn line(&self) -> &'a [u8] {
        self.rest().trim_ascii()
    }

    pub fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// Passes blanks and line ends.
    pub fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// What stands up to the next blank.
    pub fn word(&mut self) -> &'a [u8] {
        self.until(|byte| byte.is_ascii_whitespace())
    }

    pub fn until(&mut self, stop: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|byte| stop(*byte)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Passes a quoted string, and gives what stands between the quotes.
    pub fn quoted(&mut self) -> Option<&'a [u8]> {
        let mut escaped = false;
        let inside = self.rest().strip_prefix(b"\"")?;
        for (at, byte) in inside.iter().enumerate() {
            match byte {
                b'\r' | b'\n' => return None,
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    self.at += at + 2;
                    return Some(&inside[..at]);
                }
                _ => {}
            }
        }
        None
    }

    /// Passes a literal, and gives its place. One of binary data (RFC 3516) is one too.
    pub fn literal(&mut self) -> Option<Range<usize>> {
        let head = self.rest();
        let head = head.strip_prefix(b"~").unwrap_or(head);
        if head.first() != Some(&b'{') {
            return None;
        }
        let passed = self.literals.partition_point(|literal| literal.start <= self.at);
        let literal = self.literals.get(passed)?.clone();
        // Nothing but its length stands before it.
        let length = self.bytes.get(self.at..literal.start)?;
        if length.len() > LENGTH || length.iter().filter(|byte| **byte == b'\n').count() != 1 {
            return None;
        }
        self.literals = &self.literals[passed + 1..];
        self.at = literal.end;
        Some(literal)
    }

    /// Passes a value, whatever it is; of one that is missing, nothing. Lists are counted, not descended into.
    pub fn value(&mut self) -> Option<()> {
        let mut depth = 0;
        loop {
            self.blanks();
            match self.peek()? {
                b'(' => {
                    self.at += 1;
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return None;
                    }
                }
                b')' if depth == 0 => return Some(()),
                b')' => {
                    self.at += 1;
                    depth -= 1;
                }
                b'"' => {
                    self.quoted()?;
                }
                b'{' | b'~' if self.literal().is_some() => {}
                _ => {
                    self.at += 1;
                    self.until(|byte| byte.is_ascii_whitespace() || matches!(byte, b'(' | b')'));
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// The bytes at a place of the response.
    pub fn bytes(&self, place: Range<usize>) -> &'a [u8] {
        &self.bytes[place]
    }
}

/// What a quoted string says. A backslash that escapes nothing stands for itself: some servers do not escape.
pub(super) fn unescaped(quoted: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(quoted.len());
    let mut bytes = quoted.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'\\', Some(next @ (b'\\' | b'"'))) => {
                plain.push(*next);
                bytes.next();
            }
            _ => plain.push(byte),
        }
    }
    plain
}

/// Adds a quoted string that says this.
pub(super) fn quote(plain: &[u8], letter: &mut Vec<u8>) {
    letter.push(b'"');
    for byte in plain {
        if matches!(byte, b'"' | b'\\') {
            letter.push(b'\\');
        }
        letter.push(*byte);
    }
    letter.push(b'"');
}
