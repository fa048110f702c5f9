//! The addresses in a header field's value (RFC 5322, 3.4 and 4.4), read generously.
//!
//! Whatever stands around them, display names, comments, groups, routes, only what can be an
//! address is given out, and only from where an address may stand: one inside a quoted display name
//! or a comment is none. Linear in the length of the value.

use std::borrow::Cow;

use crate::message::Address;

/// One element of a value.
#[derive(Debug, PartialEq)]
enum Token<'a> {
    /// A run of ordinary characters, `@` and dots among them; what was quoted keeps its quotes.
    Word(Cow<'a, str>),
    /// What stands between angle brackets.
    Angle(&'a str),
    /// `,`, `;`, or the `:` behind a group's name.
    Separator(char),
}

/// The addresses in `value`, normalised, in their order; a group gives its members.
pub fn addresses(value: &[u8]) -> Vec<Address> {
    let text = String::from_utf8_lossy(value);
    let mut found = Vec::new();
    let mut mailbox = Vec::new();
    for token in Tokens::new(&text) {
        match token {
            Token::Separator(_) => finish(&mut mailbox, &mut found),
            other => mailbox.push(other),
        }
    }
    finish(&mut mailbox, &mut found);
    found
}

/// The one address behind `for` in a Received field (RFC 5321, 4.4); `None` where there is none, or several.
///
/// It counts only where servers write it: last of all, right before the semicolon and the date. What a client says of
/// itself stands before that, and may have closed a comment to bring a `for` of its own.
pub fn received_for(value: &[u8]) -> Option<Address> {
    let text = String::from_utf8_lossy(value);
    let mut tokens = Tokens::new(&text).peekable();
    let mut last = None;
    let mut semicolons = 0;
    while let Some(token) = tokens.next() {
        match token {
            Token::Separator(';') => {
                semicolons += 1;
                if semicolons > 1 {
                    last = None;
                }
            }
            Token::Word(word) if word.eq_ignore_ascii_case("for") => {
                let named = behind_for(&mut tokens);
                if !named.is_empty() {
                    let at_end = matches!(tokens.peek(), None | Some(Token::Separator(';')));
                    let one = <[_; 1]>::try_from(named).ok().filter(|_| at_end);
                    last = one.and_then(|[address]| address);
                    semicolons = 0;
                }
            }
            _ => {}
        }
    }
    last
}

/// What stands behind `for`: each address, or `None` for what is none though it stands in an address's place.
fn behind_for(tokens: &mut std::iter::Peekable<Tokens>) -> Vec<Option<Address>> {
    let mut named = Vec::new();
    let belongs = |token: &Token| match token {
        Token::Separator(c) => *c == ',',
        Token::Angle(_) => true,
        Token::Word(word) => word.contains('@'),
    };
    while let Some(token) = tokens.next_if(belongs) {
        match token {
            Token::Angle(inside) => {
                let before = named.len();
                in_angle(inside, |address| named.push(Some(address)));
                if named.len() == before {
                    named.push(None);
                }
            }
            Token::Word(word) => named.push(Address::parse(&word)),
            Token::Separator(_) => {}
        }
    }
    named
}

/// Reads one mailbox: its angle brackets where it has some, else its words.
fn finish(mailbox: &mut Vec<Token>, found: &mut Vec<Address>) {
    let before = found.len();
    for token in mailbox.iter() {
        if let Token::Angle(inside) = token {
            in_angle(inside, |address| found.push(address));
        }
    }
    if found.len() == before {
        bare(mailbox, |address| found.push(address));
    }
    mailbox.clear();
}

/// `<local@domain>`. What separators part is not joined: a route before it (`<@relay.example:local@domain>`), a scheme
/// (`<mailto:local@domain>`), or a second address where there should be one.
fn in_angle(inside: &str, mut found: impl FnMut(Address)) {
    let mut words = Vec::new();
    for token in Tokens::within(inside) {
        match token {
            Token::Separator(_) => {
                bare(&words, &mut found);
                words.clear();
            }
            word => words.push(word),
        }
    }
    bare(&words, found);
}

/// An address that stands by itself: its words belong together where a dot or an `@` joins them
/// (obsolete syntax has white space there); otherwise each word is looked at.
fn bare(mailbox: &[Token], mut found: impl FnMut(Address)) {
    let mut joined = String::new();
    let mut flush = |joined: &mut String| {
        if let Some(address) = Address::parse(joined) {
            found(address);
        }
        joined.clear();
    };
    for token in mailbox {
        let Token::Word(word) = token else {
            flush(&mut joined);
            continue;
        };
        let belongs = joined.ends_with(['.', '@']) || word.starts_with(['.', '@']);
        if !belongs {
            flush(&mut joined);
        }
        joined.push_str(word);
    }
    flush(&mut joined);
}

struct Tokens<'a> {
    rest: &'a str,
    /// Whether a closing quote, bracket or parenthesis may still come: where the search for one has failed once, it
    /// is not made again, or broken values would cost quadratic time.
    quotes: bool,
    brackets: bool,
    comments: bool,
    /// Whether quotes and escapes may still keep a bracket from closing; the same of them.
    bracket_quotes: bool,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            quotes: true,
            brackets: true,
            comments: true,
            bracket_quotes: true,
        }
    }

    /// What stands between angle brackets, where no others open.
    fn within(inside: &'a str) -> Self {
        Self {
            brackets: false,
            ..Self::new(inside)
        }
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('(') || !self.comments {
                return;
            }
            match comment_end(self.rest) {
                Some(end) => self.rest = &self.rest[end..],
                None => self.comments = false,
            }
        }
    }

    /// Where the angle bracket before `inside` ends: at the `>` that closes it, one in quotes does not, or where another
    /// one opens. `None` where nothing does either.
    fn angle_end(&mut self, inside: &str) -> Option<usize> {
        let mut quoted = false;
        if self.brackets && self.bracket_quotes {
            let closing = end(inside, |c, _| {
                quoted ^= c == '"';
                (!quoted && matches!(c, '<' | '>'), true)
            });
            if let Some(end) = closing {
                return Some(end - 1);
            }
            // Where nothing closes a quote it is but a character.
            self.bracket_quotes = false;
        }
        let end = if self.brackets { inside.find(['<', '>']) } else { None };
        self.brackets = end.is_some();
        end
    }

    fn word(&mut self) -> Token<'a> {
        let mut word = Cow::Borrowed("");
        let mut literal = false;
        while let Some(c) = self.rest.chars().next() {
            let end = match c {
                '"' if self.quotes => match quote_end(self.rest) {
                    Some(end) => end,
                    None => {
                        self.quotes = false;
                        continue;
                    }
                },
                '(' if self.comments => match comment_end(self.rest) {
                    // A comment in the middle of a word ends it, but for the dots and the @ around.
                    Some(_) => break,
                    None => {
                        self.comments = false;
                        continue;
                    }
                },
                ',' | ';' | '<' => break,
                ':' if !literal => break,
                c if c.is_whitespace() => break,
                c => c.len_utf8(),
            };
            literal |= c == '[';
            let (piece, rest) = self.rest.split_at(end);
            match &mut word {
                Cow::Borrowed("") => word = Cow::Borrowed(piece),
                word => word.to_mut().push_str(piece),
            }
            self.rest = rest;
        }
        Token::Word(word)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip();
        let first = self.rest.chars().next()?;
        match first {
            ',' | ';' | ':' => {
                self.rest = &self.rest[1..];
                Some(Token::Separator(first))
            }
            '<' => {
                let inside = &self.rest[1..];
                // Without its other half it reaches to where another one opens, or to the next separator.
                let end = self
                    .angle_end(inside)
                    .unwrap_or_else(|| inside.find([',', ';', '<']).unwrap_or(inside.len()));
                self.rest = inside[end..].strip_prefix('>').unwrap_or(&inside[end..]);
                Some(Token::Angle(&inside[..end]))
            }
            _ => Some(self.word()),
        }
    }
}

/// Where the quoted string that `text` begins with ends.
fn quote_end(text: &str) -> Option<usize> {
    end(text, |c, open| match c {
        '"' if open => (true, true),
        '"' => (false, true),
        _ => (false, open),
    })
}

/// Where the comment that `text` begins with ends; comments nest.
fn comment_end(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    end(text, |c, _| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (depth == 0, true)
    })
}

/// Goes through `text`, escapes left out, until `step` says that a character is the last.
fn end(text: &str, mut step: impl FnMut(char, bool) -> (bool, bool)) -> Option<usize> {
    let mut open = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        if c == '\\' {
            escaped = true;
            continue;
        }
        let (last, still) = step(c, open);
        open = still;
        if last {
            return Some(at + c.len_utf8());
        }
    }
    None
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
