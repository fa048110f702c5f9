//! The addresses in a header field's value (RFC 5322, 3.4 and 4.4), read generously.
//!
//! Whatever surrounds them (display names, comments, groups, routes), only what can be an address is given out, and
//! only from where an address is allowed: one inside a quoted display name or a comment does not count. Linear in the
//! length of the value.

use std::ops::ControlFlow;

use memchr::memchr;

use super::{
    around::{decoded, is_encoded, unwrapped},
    tokens::{Token, Tokens},
};
use crate::message::Address;

/// Longer ones are no addresses: no server takes more than 320 bytes (RFC 5321, 4.5.3.1), and what is looked up is not
/// to be as large as a message.
const LONGEST: usize = 4096;

/// Hands on addresses, one by one: there can be as many as a message has bytes. `Break` where no more are wanted.
pub type Each<'e> = dyn FnMut(Address) -> ControlFlow<()> + 'e;

/// The addresses in `value`, normalised, in their order; a group gives its members.
pub fn addresses(value: &[u8]) -> Vec<Address> {
    first_addresses(value, usize::MAX)
}

/// The same, of which there are `most` at most.
pub fn first_addresses(value: &[u8], most: usize) -> Vec<Address> {
    let mut found = Vec::new();
    let _all_or_enough = each_address(value, &mut |address| {
        if found.len() >= most {
            return ControlFlow::Break(());
        }
        found.push(address);
        ControlFlow::Continue(())
    });
    found
}

/// Hands each address in `value` to `found`, normalised, in their order; a group gives its members.
pub fn each_address(value: &[u8], found: &mut Each) -> ControlFlow<()> {
    each_mailbox(value, true, found)
}

/// The same; with `decode` also from encoded words, where nothing else in their mailbox is an address: beside one they
/// are the name that its writer chose for it.
fn each_mailbox(value: &[u8], decode: bool, found: &mut Each) -> ControlFlow<()> {
    let mut tokens = Tokens::new(value);
    // An encoded word behind an address is a name, too.
    let mut behind = false;
    loop {
        // One mailbox: its angle brackets where it has some with an address, else its words.
        let beginning = tokens;
        let (mut length, mut named, mut encoded) = (0, false, false);
        let mut brackets = false;
        let last = loop {
            let before = tokens;
            match tokens.next() {
                None => break Some(true),
                Some(Token::Separator(_)) => break Some(false),
                // Somebody left the comma out.
                Some(Token::Word(_)) if named => {
                    tokens = before;
                    break None;
                }
                Some(Token::Word(word)) => encoded |= is_encoded(word),
                Some(Token::Angle(inside)) => {
                    brackets = true;
                    in_angle(inside, decode, &mut |address| {
                        named = true;
                        found(address)
                    })?;
                }
            }
            length += 1;
        };
        if !named {
            bare(beginning.take(length), &mut |address| {
                named = true;
                found(address)
            })?;
        }
        if encoded && decode && !behind && !named && !brackets {
            in_encoded_words(beginning.take(length), found)?;
        }
        if last == Some(true) {
            return ControlFlow::Continue(());
        }
        behind = last.is_none();
    }
}

/// The addresses that encoded words say, all of them together: one can go on in the next.
fn in_encoded_words<'a>(tokens: impl Iterator<Item = Token<'a>>, found: &mut Each) -> ControlFlow<()> {
    let mut words = Vec::new();
    for token in tokens {
        if let Token::Word(word) = token
            && words.len() + word.len() < LONGEST
        {
            words.extend_from_slice(word);
            words.push(b' ');
        }
    }
    match decoded(&words) {
        Some(text) => each_mailbox(text.as_bytes(), false, found),
        None => ControlFlow::Continue(()),
    }
}

/// Whether a value holds addresses and nothing else, as servers write them, and names before those in brackets. A
/// recipient's own name can be made so that, written without its quotes, it looks like several addresses, or another;
/// most such values hold what is none.
pub fn is_all_addresses(value: &[u8]) -> bool {
    // As nearly all are: one address by itself, with nothing in it that could part it.
    let plain = value.trim_ascii();
    let parts = |byte: &u8| !byte.is_ascii_graphic() || b",;:<>()\"\\[]'?".contains(byte);
    if !plain.iter().any(parts) && memchr(b'@', plain).is_some() {
        return true;
    }
    let value = without_type(plain);
    let is_typed = value.len() < plain.len();
    let count = |brackets: &[u8]| {
        let mut count = 0;
        let _all = in_angle(brackets, false, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        });
        count
    };
    // Words of the mailbox that are not addresses; and how many addresses it has.
    let (mut others, mut addresses) = (0, 0);
    for token in Tokens::new(value) {
        match token {
            Token::Separator(b':') => return false,
            Token::Separator(_) if others > 0 || is_typed => return false,
            Token::Separator(_) => addresses = 0,
            Token::Angle(inside) => {
                if addresses > 0 || count(inside) != 1 {
                    return false;
                }
                (others, addresses) = (0, 1);
            }
            Token::Word(word) if parse(word).is_some() => {
                if others > 0 || addresses > 0 || !is_as_written(word) {
                    return false;
                }
                addresses += 1;
            }
            Token::Word(_) => others += 1,
        }
    }
    others == 0
}

/// Whether an address is all of a word, or what a program put around it could be no part of one: what people see around
/// an address, and what nobody sees, may be the beginning of another mailbox's name.
fn is_as_written(word: &[u8]) -> bool {
    let Ok(written) = std::str::from_utf8(word) else {
        return false;
    };
    let inside = unwrapped(word);
    match written
        .strip_prefix(['\'', '['])
        .and_then(|rest| rest.strip_suffix(['\'', ']']))
    {
        // No domain ends so.
        Some(_) => written.is_ascii(),
        None => inside == written,
    }
}

/// An address behind the word for its kind, as in `rfc822;jane@example.com` (RFC 8098, 3.2.3).
fn without_type(value: &[u8]) -> &[u8] {
    let parted = memchr(b';', value).map(|at| (value[..at].trim_ascii(), &value[at + 1..]));
    let known = |kind: &[u8]| {
        [&b"rfc822"[..], b"utf-8"]
            .iter()
            .any(|one| one.eq_ignore_ascii_case(kind))
    };
    parted.filter(|(kind, _)| known(kind)).map_or(value, |(_, rest)| rest)
}

/// The one address behind `for` in a Received field (RFC 5321, 4.4); `None` where there is none, or several.
///
/// It counts only where servers write it: last of all, right before the semicolon and the date. What a client says of
/// itself stands before that, and may have closed a comment to bring a `for` of its own; behind it some servers note
/// more of what the sender said, and one that takes a folded line for the message's first lets the sender go on there.
/// Of two semicolons with a date, or two without any, nobody knows which is the server's.
pub fn received_for(value: &[u8]) -> Option<Address> {
    let mut tokens = Tokens::new(value);
    let mut last = None;
    // What stands before semicolons: those before a date, and others.
    let (mut dated, mut others) = (Only::None, Only::None);
    while let Some(token) = tokens.next() {
        match token {
            Token::Separator(b';') => {
                let ends = if begins_a_date(tokens.rest) {
                    &mut dated
                } else {
                    &mut others
                };
                ends.add(last.take());
            }
            Token::Word(word) if word.eq_ignore_ascii_case(b"for") => {
                let named = behind_for(&mut tokens);
                if named.count > 0 {
                    let mut next = tokens;
                    let at_end = matches!(next.next(), None | Some(Token::Separator(b';')));
                    last = named.first.filter(|_| at_end && named.count == 1);
                }
            }
            _ => last = None,
        }
    }
    match (dated, others) {
        (Only::One(named), _) | (Only::None, Only::One(named)) => named,
        // There is no date at all.
        (Only::None, Only::None) => last,
        _ => None,
    }
}

enum Only<T> {
    None,
    One(T),
    Several,
}

impl<T> Only<T> {
    fn add(&mut self, one: T) {
        *self = match self {
            Self::None => Self::One(one),
            _ => Self::Several,
        };
    }
}

/// Whether a text begins as dates do: a day among its first words, and nothing in them that a date has not.
fn begins_a_date(text: &[u8]) -> bool {
    let mut words = text
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .take(3);
    let is_of_dates = |word: &[u8]| {
        word.iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b",:+-./".contains(byte))
    };
    for word in &mut words {
        if !is_of_dates(word) {
            return false;
        }
        if word[0].is_ascii_digit() {
            return true;
        }
    }
    false
}

/// What stands behind a `for`.
#[derive(Default)]
struct BehindFor {
    /// Addresses, and what is none though it stands in an address's place.
    count: usize,
    /// The first of them, where it is one.
    first: Option<Address>,
}

impl BehindFor {
    fn name(&mut self, address: Option<Address>) {
        if self.count == 0 {
            self.first = address;
        }
        self.count += 1;
    }
}

fn behind_for(tokens: &mut Tokens) -> BehindFor {
    let mut named = BehindFor::default();
    let belongs = |token: &Token| match token {
        Token::Separator(c) => *c == b',',
        Token::Angle(_) => true,
        Token::Word(word) => word.contains(&b'@'),
    };
    loop {
        let mut next = *tokens;
        let Some(token) = next.next().filter(belongs) else {
            return named;
        };
        *tokens = next;
        match token {
            Token::Angle(inside) => {
                let before = named.count;
                let _all = in_angle(inside, false, &mut |address| {
                    named.name(Some(address).filter(|_| is_as_written(inside.trim_ascii())));
                    ControlFlow::Continue(())
                });
                if named.count == before {
                    named.name(None);
                }
            }
            Token::Word(word) => named.name(parse(word).filter(|_| is_as_written(word))),
            Token::Separator(_) => {}
        }
    }
}

fn parse(word: &[u8]) -> Option<Address> {
    // Asked first, as most words are none.
    let may_be = word.len() <= LONGEST && memchr(b'@', word).is_some() && !is_encoded(word);
    may_be.then(|| Address::parse(&unwrapped(word))).flatten()
}

/// `<local@domain>`. What separators part is not joined: a route before it (`<@relay.example:local@domain>`), a scheme
/// (`<mailto:local@domain>`), or a second address where there should be one.
fn in_angle(inside: &[u8], decode: bool, found: &mut Each) -> ControlFlow<()> {
    let mut named = false;
    bare(Tokens::within(inside), &mut |address| {
        named = true;
        found(address)
    })?;
    let encoded = || Tokens::within(inside).any(|token| matches!(token, Token::Word(word) if is_encoded(word)));
    if decode && !named && encoded() {
        return in_encoded_words(Tokens::within(inside), found);
    }
    ControlFlow::Continue(())
}

/// Addresses that stand by themselves: words belong together where a dot or an `@` joins them
/// (obsolete syntax has white space there); otherwise each word is looked at.
fn bare<'a>(tokens: impl Iterator<Item = Token<'a>>, found: &mut Each) -> ControlFlow<()> {
    let mut joined = Joined::default();
    for token in tokens {
        let word = match token {
            Token::Word(word) => word,
            Token::Angle(_) | Token::Separator(_) => &[],
        };
        let joins = |byte: Option<&u8>| matches!(byte, Some(b'.' | b'@'));
        if word.is_empty() || !(joins(joined.last.as_ref()) || joins(word.first())) {
            joined.flush(found)?;
        }
        joined.push(word);
    }
    joined.flush(found)
}

/// Words that belong together.
#[derive(Default)]
struct Joined<'a> {
    /// The only one so far.
    word: &'a [u8],
    /// All of them, where there are several, as far as they can be an address.
    words: Vec<u8>,
    last: Option<u8>,
}

impl<'a> Joined<'a> {
    fn push(&mut self, word: &'a [u8]) {
        if self.last.is_none() {
            self.word = word;
        } else {
            if self.words.is_empty() {
                self.words
                    .extend_from_slice(&self.word[..self.word.len().min(LONGEST + 1)]);
            }
            // One byte more shows that it is too long.
            let room = (LONGEST + 1).saturating_sub(self.words.len());
            self.words.extend_from_slice(&word[..word.len().min(room)]);
        }
        self.last = word.last().copied().or(self.last);
    }

    fn flush(&mut self, found: &mut Each) -> ControlFlow<()> {
        let address = match self.words.as_slice() {
            [] => parse(self.word),
            words => parse(words),
        };
        self.word = &[];
        self.words.clear();
        self.last = None;
        address.map_or(ControlFlow::Continue(()), found)
    }
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
