//! The elements of a header field's value (RFC 5322, 3.2), read generously and in linear time.

use memchr::{memchr2, memchr3};

/// One element of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token<'a> {
    /// A run of ordinary characters, `@` and dots among them; what was quoted keeps its quotes.
    Word(&'a [u8]),
    /// What stands between angle brackets.
    Angle(&'a [u8]),
    /// `,`, `;`, or the `:` behind a group's name.
    Separator(u8),
}

/// A place in a value, and what is known of the rest. A copy of it reads the same once more.
#[derive(Clone, Copy)]
pub struct Tokens<'a> {
    pub rest: &'a [u8],
    /// Whether a closing quote, bracket or parenthesis may still come: where the search for one has failed once, it
    /// is not made again, or broken values would cost quadratic time.
    quotes: bool,
    brackets: bool,
    comments: bool,
    /// Whether quotes and escapes may still keep a bracket from closing; the same of them.
    bracket_quotes: bool,
}

impl<'a> Tokens<'a> {
    pub fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            quotes: true,
            brackets: true,
            comments: true,
            bracket_quotes: true,
        }
    }

    /// What stands between angle brackets, where no others open.
    pub fn within(inside: &'a [u8]) -> Self {
        Self {
            brackets: false,
            ..Self::new(inside)
        }
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if !self.rest.starts_with(b"(") || !self.comments {
                return;
            }
            match comment_end(self.rest) {
                Some(end) => self.rest = &self.rest[end..],
                None => self.comments = false,
            }
        }
    }

    /// Where the angle bracket before `inside` ends: at the `>` that closes it, one in quotes does not, or where
    /// another one opens. `None` where nothing does either.
    fn angle_end(&mut self, inside: &[u8]) -> Option<usize> {
        let mut quoted = false;
        if self.brackets && self.bracket_quotes {
            let closing = end(inside, |byte, _| {
                quoted ^= byte == b'"';
                (!quoted && matches!(byte, b'<' | b'>'), true)
            });
            if let Some(end) = closing {
                return Some(end - 1);
            }
            // Where nothing closes a quote it is only a character.
            self.bracket_quotes = false;
        }
        let end = if self.brackets {
            memchr2(b'<', b'>', inside)
        } else {
            None
        };
        self.brackets = end.is_some();
        end
    }

    fn word(&mut self) -> Token<'a> {
        let whole = self.rest;
        let mut literal = false;
        while let Some(&byte) = self.rest.first() {
            let end = match byte {
                b'"' if self.quotes => match quote_end(self.rest) {
                    Some(end) => end,
                    None => {
                        self.quotes = false;
                        continue;
                    }
                },
                b'(' if self.comments => match comment_end(self.rest) {
                    // A comment in the middle of a word ends it, but for the dots and the @ around.
                    Some(_) => break,
                    None => {
                        self.comments = false;
                        continue;
                    }
                },
                b',' | b';' | b'<' => break,
                b':' if !literal => break,
                _ => match first_char(self.rest) {
                    Some((c, length)) if !c.is_ascii_whitespace() => length,
                    _ => break,
                },
            };
            literal |= byte == b'[';
            self.rest = &self.rest[end..];
        }
        Token::Word(&whole[..whole.len() - self.rest.len()])
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip();
        match *self.rest.first()? {
            separator @ (b',' | b';' | b':') => {
                self.rest = &self.rest[1..];
                Some(Token::Separator(separator))
            }
            b'<' => {
                let inside = &self.rest[1..];
                // Without its other half it reaches to where another one opens, or to the next separator.
                let end = self
                    .angle_end(inside)
                    .unwrap_or_else(|| memchr3(b',', b';', b'<', inside).unwrap_or(inside.len()));
                self.rest = inside[end..].strip_prefix(b">").unwrap_or(&inside[end..]);
                Some(Token::Angle(&inside[..end]))
            }
            _ => Some(self.word()),
        }
    }
}

/// The character that `text` begins with, and its length in bytes. What is no UTF-8 is one too.
fn first_char(text: &[u8]) -> Option<(char, usize)> {
    let first = *text.first()?;
    if first.is_ascii() {
        return Some((first.into(), 1));
    }
    let chunk = text[..text.len().min(4)].utf8_chunks().next()?;
    Some(match chunk.valid().chars().next() {
        Some(c) => (c, c.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, chunk.invalid().len().max(1)),
    })
}

/// Where the quoted string that `text` begins with ends.
fn quote_end(text: &[u8]) -> Option<usize> {
    end(text, |byte, open| match byte {
        b'"' if open => (true, true),
        b'"' => (false, true),
        _ => (false, open),
    })
}

/// Where the comment that `text` begins with ends; comments nest.
fn comment_end(text: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    end(text, |byte, _| {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (depth == 0, true)
    })
}

/// Goes through `text`, escapes left out, until `step` says that a byte is the last.
fn end(text: &[u8], mut step: impl FnMut(u8, bool) -> (bool, bool)) -> Option<usize> {
    let mut open = false;
    let mut escaped = false;
    for (at, &byte) in text.iter().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        if byte == b'\\' {
            escaped = true;
            continue;
        }
        let (last, still) = step(byte, open);
        open = still;
        if last {
            return Some(at + 1);
        }
    }
    None
}
