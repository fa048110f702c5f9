//! FETCH: of its attributes those that are asked for here, and of messages their place alone.

use super::{
    Kind, Part, Verdict,
    cursor::{Cursor, unescaped},
    finish, is_any_of, is_atom_byte, number32,
};
use crate::source::Want;

pub(super) const FETCH: &str = "FETCH";

/// Somebody wants the message where it is.
const FLAGGED: &[u8] = b"\\Flagged";

/// Flags of one message that are kept, and how long they may be, in bytes. Servers have far fewer keywords (Dovecot: 26
/// that a Maildir can name).
const MOST_FLAGS: usize = 100;
const LONGEST_FLAG: usize = 100;

/// Attributes that a message is known to have. Whatever else stands behind a message's bytes may be more of them.
const KNOWN: [&str; 25] = [
    "UID",
    "FLAGS",
    "INTERNALDATE",
    "RFC822.SIZE",
    "RFC822.HEADER",
    "RFC822.TEXT",
    "RFC822",
    "BODY",
    "BODYSTRUCTURE",
    "ENVELOPE",
    "MODSEQ",
    "EMAILID",
    "THREADID",
    "SAVEDATE",
    "PREVIEW",
    "SNIPPET",
    "BINARY",
    "BINARY.SIZE",
    "ANNOTATION",
    // Cyrus IMAP and Dovecot.
    "GUID",
    "DIGEST.SHA1",
    "CID",
    "BASECID",
    "CREATEDMODSEQ",
    "LASTUPDATED",
];

/// Whether a word is FETCH, or FETCH with its list.
pub(super) fn is_fetch(word: &[u8]) -> bool {
    let (fetch, list) = word.split_at(word.len().min(FETCH.len()));
    fetch.eq_ignore_ascii_case(FETCH.as_bytes()) && matches!(list, [] | [b'(', ..])
}

/// Whether a line begins as attributes do that lost their FETCH: with one that is known, and a value.
pub(super) fn is_attribute(line: &[u8]) -> bool {
    let end = line.iter().position(|byte| !is_name_byte(*byte)).unwrap_or(line.len());
    let (name, behind) = line.split_at(end);
    is_any_of(name, &KNOWN) && matches!(behind, [b' ', value, ..] if b"({\"~0123456789Nn".contains(value))
        || is_any_of(name, &["BODY"]) && behind.starts_with(b"[")
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

/// Reads a FETCH response behind that word.
pub(super) fn fetch(mut cursor: Cursor<'_>, number: u32, letter: &mut Vec<u8>) -> Verdict {
    cursor.blanks();
    match cursor.take(b'(') {
        true => attributes(cursor, number, letter),
        false => Verdict::Odd(Kind::Fetch),
    }
}

/// Reads attributes that stand behind a FETCH response that was closed before them. They become one of the message 0.
pub(super) fn rest(cursor: Cursor<'_>, letter: &mut Vec<u8>) -> Verdict {
    attributes(cursor, 0, letter)
}

fn attributes(mut cursor: Cursor<'_>, number: u32, letter: &mut Vec<u8>) -> Verdict {
    letter.extend_from_slice(format!("* {number} FETCH (").as_bytes());
    let start = letter.len();
    let (mut body, mut odd, mut closed) = (None, false, false);
    loop {
        cursor.blanks();
        // Some close the list before its end.
        if cursor.take(b')') {
            closed = true;
            continue;
        }
        if cursor.peek().is_none() {
            break;
        }
        let name = cursor.until(|byte| !is_name_byte(byte));
        let behind_message = !closed && matches!(body, Some((_, Part::At(_))));
        if behind_message && !may_follow(name, cursor.peek()) {
            return Verdict::Adrift;
        }
        let is_readable = match attribute(name, &mut cursor, letter, &mut body) {
            Some(is_readable) => is_readable,
            // Nobody knows where the next one begins.
            None if behind_message => return Verdict::Adrift,
            None => {
                odd = true;
                break;
            }
        };
        odd |= !is_readable;
    }
    if !closed && matches!(body, Some((_, Part::At(_)))) {
        return Verdict::Adrift;
    }
    if letter.len() == start {
        match (&body, odd) {
            (None, false) => return Verdict::Passed,
            (None, true) => return Verdict::Odd(Kind::Fetch),
            // The parser wants an attribute.
            (Some(_), _) => letter.extend_from_slice(b"UID 0"),
        }
    }
    letter.push(b')');
    finish(letter);
    Verdict::Letter { body, odd }
}

/// Whether a message is followed by an attribute, rather than by more of itself.
fn may_follow(name: &[u8], next: Option<u8>) -> bool {
    let is_name = is_any_of(name, &KNOWN) || name.starts_with(b"X-");
    is_name && next.is_some_and(|byte| byte.is_ascii_whitespace() || byte == b'[')
}

/// Reads an attribute of this name; adds it where it is needed. Says whether it can be read, as far as it is needed;
/// `None` where it has no end.
fn attribute(
    name: &[u8],
    cursor: &mut Cursor<'_>,
    letter: &mut Vec<u8>,
    body: &mut Option<(Want, Part)>,
) -> Option<bool> {
    let section = section(cursor)?;
    cursor.blanks();
    if is_any_of(name, &["UID", "RFC822.SIZE"]) {
        let number = cursor.until(|byte| byte.is_ascii_whitespace() || byte == b')');
        let is_number = !number.is_empty() && number32(number).is_some();
        if is_number {
            add(letter, name, number);
        }
        return Some(is_number);
    }
    if is_any_of(name, &["INTERNALDATE"]) && cursor.peek() == Some(b'"') {
        // One that is none is no reason to do without the message.
        let date = cursor.quoted()?;
        if !date.is_empty() && date.iter().all(|byte| is_atom_byte(*byte) || *byte == b' ') {
            add(letter, name, &[b"\"", date, b"\""].concat());
        }
        return Some(true);
    }
    if is_any_of(name, &["FLAGS"]) {
        return flags(cursor, letter);
    }
    let want = match section {
        Some(section) if is_any_of(name, &["BODY"]) && section.is_empty() => Some(Want::Whole),
        Some(section) if is_any_of(name, &["BODY"]) && is_any_of(section, &["HEADER"]) => Some(Want::Header),
        // RFC 9051, appendix E: what the two were called before.
        None if is_any_of(name, &["RFC822"]) => Some(Want::Whole),
        None if is_any_of(name, &["RFC822.HEADER"]) => Some(Want::Header),
        _ => None,
    };
    let Some(want) = want else {
        // A name without anything in it is no attribute, and would never end.
        return match name.is_empty() {
            true => None,
            false => cursor.value().map(|()| true),
        };
    };
    let part = match cursor.peek()? {
        b'"' => Part::Quoted(unescaped(cursor.quoted()?)),
        b'{' | b'~' => Part::At(cursor.literal()?),
        _ => match is_any_of(
            cursor.until(|byte| byte.is_ascii_whitespace() || byte == b')'),
            &["NIL"],
        ) {
            true => Part::Nil,
            false => return Some(false),
        },
    };
    *body = Some((want, part));
    Some(true)
}

/// What stands in brackets behind an attribute's name; a part of it, `<0>`, makes it another one.
fn section<'a>(cursor: &mut Cursor<'a>) -> Option<Option<&'a [u8]>> {
    if !cursor.take(b'[') {
        return Some(None);
    }
    let section = cursor.until(|byte| matches!(byte, b']' | b'\r' | b'\n'));
    cursor.take(b']').then_some(())?;
    if cursor.take(b'<') {
        cursor.until(|byte| matches!(byte, b'>' | b'\r' | b'\n'));
        cursor.take(b'>').then_some(())?;
        return Some(None);
    }
    Some(Some(section.trim_ascii()))
}

fn add(letter: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    if letter.last() != Some(&b'(') {
        letter.push(b' ');
    }
    letter.extend_from_slice(name);
    letter.push(b' ');
    letter.extend_from_slice(value);
}

/// Reads flags; those that are not atoms are passed over. What stands behind the list shows where it ends: keywords
/// may have brackets in them.
fn flags(cursor: &mut Cursor<'_>, letter: &mut Vec<u8>) -> Option<bool> {
    if !cursor.take(b'(') {
        cursor.value()?;
        return Some(false);
    }
    let line = cursor.rest();
    let end = memchr::memchr2_iter(b')', b'\n', line)
        .take_while(|at| line[*at] == b')')
        .find(|end| ends_list(&line[end + 1..]))?;
    cursor.at += end + 1;
    let mut list = b"(".to_vec();
    let (mut flags, mut flagged) = (0, false);
    for word in line[..end].split(u8::is_ascii_whitespace) {
        let Some(flag) = flag(word) else { continue };
        // This one counts wherever it stands.
        let is_flagged = flag.eq_ignore_ascii_case(FLAGGED);
        if !is_flagged && (flags == MOST_FLAGS || flag.len() > LONGEST_FLAG) || is_flagged && flagged {
            continue;
        }
        flagged |= is_flagged;
        flags += usize::from(!is_flagged);
        if list.len() > 1 {
            list.push(b' ');
        }
        list.extend_from_slice(&flag);
    }
    list.push(b')');
    add(letter, b"FLAGS", &list);
    Some(true)
}

/// Whether a list is at its end where this follows its bracket: the end of all, or another attribute.
fn ends_list(behind: &[u8]) -> bool {
    let behind = behind.trim_ascii_start();
    match behind.split_first() {
        None => true,
        Some((b')', end)) => end.trim_ascii_start().is_empty(),
        Some(_) => is_attribute(behind) || behind.starts_with(b"X-"),
    }
}

/// A flag as it goes to the parser.
fn flag(word: &[u8]) -> Option<Vec<u8>> {
    let word = match word {
        [b'"', inside @ .., b'"'] => unescaped(inside),
        _ => word.to_vec(),
    };
    let atom = word.strip_prefix(b"\\").unwrap_or(&word);
    let is_atom = !atom.is_empty() && atom.iter().all(|byte| is_atom_byte(*byte) || *byte == b']');
    if is_atom && std::str::from_utf8(&word).is_ok() {
        return Some(word);
    }
    // Whatever it is in: this one says that somebody wants the message there.
    let is_flagged = word
        .windows(FLAGGED.len())
        .any(|some| some.eq_ignore_ascii_case(FLAGGED));
    is_flagged.then(|| FLAGGED.to_vec())
}
