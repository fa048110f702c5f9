//! What comes from a server is screened before it is parsed: pure functions over one response.
//!
//! Only the kinds that a session waits for go to the parser, and in a form that is to the letter of RFC 9051, with
//! nothing in it that nobody here reads. So the parser sees none of the structures over which it recurses, and one odd
//! line costs no more than itself. What there is for each message, FETCH, is read here. Everything here goes through the
//! bytes once, with a depth that is counted.

mod cursor;
mod date;
mod fetch;
mod list;
mod status;
#[cfg(test)]
mod tests;

use std::ops::Range;

use self::cursor::Cursor;
pub use self::cursor::Framed;
use crate::source::Want;

/// What a response turns out to be.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// To be parsed, in the form to the letter.
    Letter {
        /// Something in it that is waited for cannot be read.
        odd: bool,
    },
    /// Of a message.
    Fetch {
        read: Attributes,
        /// The same.
        odd: bool,
    },
    /// It is of a kind that is waited for, and cannot be read.
    Odd(Kind),
    /// Nobody waits for it.
    Passed,
    /// It is no response at all.
    Stray,
    /// A message in it does not end where it was said to end: what follows may be anything, mail too.
    Adrift,
}

/// A FETCH response: whatever of what we ask for is in it.
#[derive(Debug, Default, PartialEq)]
pub struct Attributes {
    /// The message's number; 0 for what belongs to the line before, and came behind its end.
    pub number: u32,
    pub uid: Option<u32>,
    pub size: Option<u64>,
    /// INTERNALDATE in seconds since 1970 UTC.
    pub date: Option<i64>,
    pub flags: Option<Vec<String>>,
    /// The message, or its header.
    pub body: Option<(Want, Part)>,
}

/// The bytes of a message.
#[derive(Debug, PartialEq)]
pub enum Part {
    Nil,
    /// A literal, by its place in the response.
    At(Range<usize>),
    /// A quoted string, without its quotes and escapes.
    Quoted(Vec<u8>),
}

/// What a response is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Tagged,
    Exists,
    Expunge,
    Search,
    List,
    Fetch,
    /// None that is known.
    Other,
}

/// How a line begins.
#[derive(Debug, PartialEq)]
pub(super) enum Head<'a> {
    Blank,
    /// `+`
    Continue,
    /// A tag, and the status of its command; of one of ours also where that is none.
    Tagged(&'a [u8], &'a [u8]),
    /// `*`, and OK, NO, BAD, BYE or PREAUTH.
    Status(&'a [u8]),
    /// `*`, and another word.
    Data(&'a [u8]),
    /// `*`, a number and a word.
    Numbered(&'a [u8], &'a [u8]),
    /// Attributes of a message that stand outside of a FETCH response.
    Attributes,
    Stray,
}

impl<'a> Head<'a> {
    pub fn of(line: &'a [u8]) -> Self {
        Self::read(&mut Cursor::of_line(line))
    }

    /// Reads it, and leaves the cursor behind it.
    fn read(cursor: &mut Cursor<'a>) -> Self {
        cursor.blanks();
        let start = cursor.at;
        match cursor.peek() {
            None => Self::Blank,
            Some(b'+') => {
                cursor.at += 1;
                Self::Continue
            }
            Some(b'*') => {
                cursor.at += 1;
                cursor.blanks();
                let word = cursor.word();
                if is_status(word) {
                    return Self::Status(word);
                }
                if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
                    return Self::Data(word);
                }
                cursor.blanks();
                Self::Numbered(word, cursor.word())
            }
            Some(_) if fetch::is_attribute(cursor.rest()) => {
                cursor.at = start;
                Self::Attributes
            }
            Some(_) => {
                let tag = cursor.word();
                cursor.blanks();
                let status = cursor.word();
                let is_one = is_any_of(status, &["OK", "NO", "BAD"]) && tag.iter().all(|byte| is_tag_byte(*byte));
                match is_one || is_our_tag(tag) {
                    true => Self::Tagged(tag, status),
                    false => Self::Stray,
                }
            }
        }
    }

    /// Status responses end in text for people, which may look like a literal and is none.
    pub fn may_hold_literals(&self) -> bool {
        matches!(self, Self::Data(_) | Self::Numbered(..) | Self::Attributes)
    }
}

/// Looks at a response. Where it is to be parsed, `letter` gets what the parser is given.
pub fn screen(response: Framed<'_>, letter: &mut Vec<u8>) -> Verdict {
    letter.clear();
    let mut cursor = Cursor::of(response);
    match Head::read(&mut cursor) {
        Head::Blank => Verdict::Passed,
        Head::Stray => Verdict::Stray,
        Head::Continue => {
            letter.extend_from_slice(b"+ ");
            status::words(cursor.line(), letter)
        }
        Head::Tagged(tag, status) if is_any_of(status, &["OK", "NO", "BAD"]) => {
            letter.extend_from_slice(tag);
            status::status(status, cursor.line(), letter)
        }
        Head::Tagged(..) => Verdict::Odd(Kind::Tagged),
        Head::Status(status) => {
            letter.push(b'*');
            status::status(status, cursor.line(), letter)
        }
        Head::Data(word) if is_any_of(word, &["CAPABILITY"]) => {
            letter.extend_from_slice(b"* ");
            status::capabilities(cursor.line(), letter);
            finish(letter)
        }
        Head::Data(word) if is_any_of(word, &["SEARCH"]) => search(cursor.line(), letter),
        Head::Data(word) if is_any_of(word, &["LIST", "LSUB"]) => list::list(cursor, letter),
        Head::Data(word) if is_any_of(word, &UNASKED) => Verdict::Passed,
        Head::Data(_) => Verdict::Odd(Kind::Other),
        Head::Numbered(number, word) if is_any_of(word, &["EXISTS"]) => {
            counted(number, " EXISTS", letter, Kind::Exists)
        }
        Head::Numbered(number, word) if is_any_of(word, &["EXPUNGE"]) => {
            counted(number, " EXPUNGE", letter, Kind::Expunge)
        }
        Head::Numbered(number, word) if fetch::is_fetch(word) => {
            // `FETCH(` may have no blank in it.
            cursor.at -= word.len() - fetch::FETCH.len();
            match number32(number) {
                Some(number) if number > 0 => fetch::fetch(cursor, number),
                _ => Verdict::Odd(Kind::Fetch),
            }
        }
        Head::Numbered(_, word) if is_any_of(word, &["RECENT"]) => Verdict::Passed,
        Head::Numbered(..) => Verdict::Odd(Kind::Other),
        Head::Attributes => fetch::rest(cursor),
    }
}

/// What servers say without being asked, or in answer to what nobody here reads the answer of.
const UNASKED: [&str; 14] = [
    "FLAGS",
    "ID",
    "NAMESPACE",
    "ENABLED",
    "STATUS",
    "VANISHED",
    "ESEARCH",
    "SORT",
    "THREAD",
    "QUOTA",
    "QUOTAROOT",
    "METADATA",
    "ACL",
    "MYRIGHTS",
];

fn counted(number: &[u8], word: &str, letter: &mut Vec<u8>, kind: Kind) -> Verdict {
    match number32(number) {
        Some(number) => {
            letter.extend_from_slice(format!("* {number}{word}").as_bytes());
            finish(letter)
        }
        None => Verdict::Odd(kind),
    }
}

fn search(numbers: &[u8], letter: &mut Vec<u8>) -> Verdict {
    letter.extend_from_slice(b"* SEARCH");
    // Behind them a server may say up to which change they hold (RFC 7162, 3.1.5).
    let behind = memchr::memmem::find(&numbers.to_ascii_uppercase(), b"(MODSEQ").unwrap_or(numbers.len());
    let numbers = &numbers[..behind];
    for number in numbers.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
        if number32(number).is_none() {
            return Verdict::Odd(Kind::Search);
        }
        letter.push(b' ');
        letter.extend_from_slice(number);
    }
    finish(letter)
}

fn finish(letter: &mut Vec<u8>) -> Verdict {
    letter.extend_from_slice(b"\r\n");
    Verdict::Letter { odd: false }
}

fn is_any_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

fn is_status(word: &[u8]) -> bool {
    is_any_of(word, &["OK", "NO", "BAD", "BYE", "PREAUTH"])
}

/// Whether it is of the form in which `dialogue` makes tags.
fn is_our_tag(word: &[u8]) -> bool {
    matches!(word, [b'D', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
}

fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii() && byte != b'+' && (is_atom_byte(byte) || byte == b']')
}

/// RFC 9051, ATOM-CHAR, and what is no ASCII.
fn is_atom_byte(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && !b"(){%*\"\\]".contains(&byte)
}

fn number32(digits: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok()?;
    // `parse` would take a sign.
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}
