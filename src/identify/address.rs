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
/// The last `for` counts: servers write it behind all that a client says of itself, which may have closed a comment to
/// bring a `for` of its own.
pub fn received_for(value: &[u8]) -> Option<Address> {
    let text = String::from_utf8_lossy(value);
    let mut tokens = Tokens::new(&text).peekable();
    let mut last = None;
    while tokens
        .by_ref()
        .any(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("for")))
    {
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
        if !named.is_empty() {
            last = match <[_; 1]>::try_from(named) {
                Ok([address]) => address,
                Err(_) => None,
            };
        }
    }
    last
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(value: &str) -> Vec<String> {
        addresses(value.as_bytes()).iter().map(Address::to_string).collect()
    }

    #[test]
    fn addresses_come_out_of_every_wrapping() {
        for (value, expected) in [
            (
                " \"Doe, Jane\" <jane@example.com>, bob@example.com (Bob)\r\n",
                &["jane@example.com", "bob@example.com"][..],
            ),
            (
                " Team: jane@example.com, <bob@example.com>;\r\n",
                &["jane@example.com", "bob@example.com"],
            ),
            (
                " A: a@example.com;, B: b@example.com;",
                &["a@example.com", "b@example.com"],
            ),
            (" undisclosed-recipients:;\r\n", &[]),
            (" =?utf-8?q?J=C3=A4ne?= <jane@example.com>", &["jane@example.com"]),
            (
                " jane@example.com,\r\n\tbob@example.com\r\n",
                &["jane@example.com", "bob@example.com"],
            ),
            (" nobody, <>, @, root\r\n", &[]),
            (
                " <@relay.example,@other.example:jane@example.com>",
                &["jane@example.com"],
            ),
            (" jane@[192.0.2.1]", &["jane@[192.0.2.1]"]),
            (" jane@[IPv6:2001:db8::1]", &["jane@[ipv6:2001:db8::1]"]),
            (" bob@x.example <jane@example.com>", &["jane@example.com"]),
            (
                " (a, b@example.com (nested)) jane@example.com (x)",
                &["jane@example.com"],
            ),
            (" \"bob@example.com\"", &[]),
        ] {
            assert_eq!(list(value), expected, "{value}");
        }
    }

    #[test]
    fn a_quoted_local_part_is_no_display_name() {
        let expected = ["a@b.example", "\"the robot\"@example.com", "d@e.example"];
        assert_eq!(list(" a@b.example, \"the robot\"@example.com, d@e.example"), expected);
        assert_eq!(list(" <\"the > robot\"@example.com>"), ["\"the > robot\"@example.com"]);
        assert_eq!(list(" \"John\" \"Q\" <j@example.com>"), ["j@example.com"]);
    }

    #[test]
    fn received_names_an_address_in_any_form() {
        let find = |value: &str| received_for(value.as_bytes()).map(|address| address.to_string());
        let quoted = " by b with ESMTP id 1 for <\"the robot\"@example.com>; Mon, 1 Jan 2026 12:00:00 +0000";
        assert_eq!(find(quoted), Some("\"the robot\"@example.com".into()));
        assert_eq!(find(" by b for jane@example.com; Mon"), Some("jane@example.com".into()));
        assert_eq!(find(" by b (for <x@example.com>) id 2; Mon"), None);
        assert_eq!(find(" by b for <a@example.com>, <b@example.com>; Mon"), None);
        assert_eq!(find(" by b for the record; Mon"), None);
        let injected =
            " from x (envelope-from <\"x) for <boss@example.com>; (\"@example.org>) id 1 for jane@example.com; Mon";
        assert_eq!(find(injected), Some("jane@example.com".into()));
    }

    #[test]
    fn obsolete_and_broken_syntax_still_names_its_addresses() {
        for (value, expected) in [
            (" jane @ example . com", &["jane@example.com"][..]),
            (" jane.doe (x) @ (y) example.com", &["jane.doe@example.com"]),
            (
                " jane@example.com bob@example.com",
                &["jane@example.com", "bob@example.com"],
            ),
            (" <jane@example.com", &["jane@example.com"]),
            (
                " <jane@example.com, <bob@example.com>",
                &["jane@example.com", "bob@example.com"],
            ),
            (" \"Doe, Jane <jane@example.com>", &["jane@example.com"]),
            (" (Jane jane@example.com", &["jane@example.com"]),
            (
                " Jane <jane@example.com>>, x@example.com",
                &["jane@example.com", "x@example.com"],
            ),
            (" <a@example.com> <b@example.com>", &["a@example.com", "b@example.com"]),
            (
                " jane@example.com;bob@example.com",
                &["jane@example.com", "bob@example.com"],
            ),
        ] {
            assert_eq!(list(value), expected, "{value}");
        }
    }

    #[test]
    fn what_a_colon_a_comma_or_a_bracket_parts_was_joined_to_an_address_that_nobody_has() {
        for (value, expected) in [
            (" jane@<>example.com", &[][..]),
            (" <undisclosed-recipients:;@example.com>", &[]),
            (" <undisclosed-recipients:@example.com;>", &[]),
            (" <mailto:jane@example.com>", &["jane@example.com"]),
            (
                " Both <jane@example.com, bob@example.com>",
                &["jane@example.com", "bob@example.com"],
            ),
            (" <jane@example.com;>", &["jane@example.com"]),
            (" <jane . doe @ example.com>", &["jane.doe@example.com"]),
            (
                " <jane@example.com, \"Doe, Bob\" <bob@example.com>",
                &["jane@example.com", "bob@example.com"],
            ),
        ] {
            assert_eq!(list(value), expected, "{value}");
        }
    }

    #[test]
    fn broken_values_take_linear_time() {
        let pieces = [
            "\"", "(", "<", "<\"", "a@", "((\"", "\\", "<\\", "<\\>\\", "\\<\"", "<\"\\>", "a<\"(", "[:", "(\\", "<a:b,",
        ];
        for piece in pieces {
            for (before, behind) in [("", ""), ("", " <"), ("<", ">"), (&"a".repeat(400_000), "[")] {
                let value = [before, &piece.repeat(400_000), behind, &":".repeat(400_000)].concat();
                let started = std::time::Instant::now();
                addresses(value.as_bytes());
                received_for(format!("for {value}").as_bytes());
                // Quadratic time would be minutes.
                assert!(started.elapsed().as_secs() < 20, "{before:.1}{piece}{behind}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_really_there(value in "[ab.@<>(),;:\"\\\\ \\[\\]]{0,40}") {
            for address in addresses(value.as_bytes()) {
                let (local, domain) = address.as_str().rsplit_once('@').unwrap();
                // Comments and the quotes that an address does not need are not in it.
                let plain = |text: &str| text.replace(|c: char| c.is_whitespace() || "\"\\".contains(c), "");
                prop_assert!(!local.is_empty() && !domain.is_empty());
                prop_assert!(value.contains('(') || plain(&value).contains(&plain(address.as_str())), "{address}");
            }
        }

        #[test]
        fn any_bytes_are_read(value: Vec<u8>) {
            addresses(&value);
        }
    }
}
