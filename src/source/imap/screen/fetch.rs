//! FETCH: of its attributes those that are asked for here, and of messages their place alone. It is read to its end
//! here, and no parser sees it: there is a line of it for each message, and what is needed of it is little.

use super::{
    Attributes, Kind, Part, Verdict,
    cursor::{Cursor, unescaped},
    date::internal_date,
    is_any_of, is_atom_byte, number32,
};
use crate::source::Want;

pub(super) const FETCH: &str = "FETCH";

/// Somebody wants the message where it is.
const FLAGGED: &str = "\\Flagged";

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
pub(super) fn fetch(mut cursor: Cursor<'_>, number: u32) -> Verdict {
    cursor.blanks();
    match cursor.take(b'(') {
        true => attributes(cursor, number),
        false => Verdict::Odd(Kind::Fetch),
    }
}

/// Reads attributes that stand behind a FETCH response that was closed before them. They become one of the message 0.
pub(super) fn rest(cursor: Cursor<'_>) -> Verdict {
    attributes(cursor, 0)
}

fn attributes(mut cursor: Cursor<'_>, number: u32) -> Verdict {
    let mut read = Attributes {
        number,
        ..Attributes::default()
    };
    let (mut any, mut odd, mut closed) = (false, false, false);
    let has_message = |read: &Attributes| matches!(read.body, Some((_, Part::At(_))));
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
        let behind_message = !closed && has_message(&read);
        if behind_message && !may_follow(name, cursor.peek()) {
            return Verdict::Adrift;
        }
        match attribute(name, &mut cursor, &mut read) {
            Some(Found::Needed) => any = true,
            Some(Found::Other) => {}
            Some(Found::Odd) => odd = true,
            // Nobody knows where the next one begins.
            None if behind_message => return Verdict::Adrift,
            None => {
                odd = true;
                break;
            }
        }
    }
    if !closed && has_message(&read) {
        return Verdict::Adrift;
    }
    match (any || read.body.is_some(), odd) {
        (false, false) => Verdict::Passed,
        (false, true) => Verdict::Odd(Kind::Fetch),
        (true, odd) => Verdict::Fetch { read, odd },
    }
}

/// Whether a message is followed by an attribute, rather than by more of itself.
fn may_follow(name: &[u8], next: Option<u8>) -> bool {
    let is_name = is_any_of(name, &KNOWN) || name.starts_with(b"X-");
    is_name && next.is_some_and(|byte| byte.is_ascii_whitespace() || byte == b'[')
}

/// What an attribute is.
enum Found {
    /// One that is asked for here.
    Needed,
    /// One that nobody reads.
    Other,
    /// One that is asked for, and cannot be read.
    Odd,
}

/// Reads an attribute of this name; `None` where it has no end.
fn attribute(name: &[u8], cursor: &mut Cursor<'_>, read: &mut Attributes) -> Option<Found> {
    let section = section(cursor)?;
    cursor.blanks();
    let is_uid = is_any_of(name, &["UID"]);
    if is_uid || is_any_of(name, &["RFC822.SIZE"]) {
        let number = cursor.until(|byte| byte.is_ascii_whitespace() || byte == b')');
        let Some(number) = number32(number) else {
            return Some(Found::Odd);
        };
        if is_uid {
            // There is no UID 0.
            read.uid = Some(number).filter(|uid| *uid > 0);
        } else {
            read.size = Some(number.into());
        }
        return Some(Found::Needed);
    }
    if is_any_of(name, &["INTERNALDATE"]) && cursor.peek() == Some(b'"') {
        // One that is none is no reason to do without the message.
        let date = cursor.quoted()?;
        let may_be_one = !date.is_empty() && date.iter().all(|byte| is_atom_byte(*byte) || *byte == b' ');
        if may_be_one {
            read.date = internal_date(date);
        }
        return Some(if may_be_one { Found::Needed } else { Found::Other });
    }
    if is_any_of(name, &["FLAGS"]) {
        return flags(cursor, read);
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
            false => cursor.value().map(|()| Found::Other),
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
            false => return Some(Found::Odd),
        },
    };
    read.body = Some((want, part));
    Some(Found::Needed)
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

/// Reads flags; those that are not atoms are passed over. What stands behind the list shows where it ends: keywords
/// may have brackets in them.
fn flags(cursor: &mut Cursor<'_>, read: &mut Attributes) -> Option<Found> {
    if !cursor.take(b'(') {
        cursor.value()?;
        return Some(Found::Odd);
    }
    let line = cursor.rest();
    let end = memchr::memchr2_iter(b')', b'\n', line)
        .take_while(|at| line[*at] == b')')
        .find(|end| ends_list(&line[end + 1..]))?;
    cursor.at += end + 1;
    // Where a line has them twice, all count: one of them may say that somebody wants the message there.
    let list = read.flags.get_or_insert_default();
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
        list.push(flag);
    }
    Some(Found::Needed)
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

/// A flag as it is kept.
fn flag(word: &[u8]) -> Option<String> {
    let word = match word {
        [b'"', inside @ .., b'"'] => unescaped(inside),
        _ => word.to_vec(),
    };
    let atom = word.strip_prefix(b"\\").unwrap_or(&word);
    let is_atom = !atom.is_empty() && atom.iter().all(|byte| is_atom_byte(*byte) || *byte == b']');
    if is_atom && let Ok(flag) = std::str::from_utf8(&word) {
        return Some(flag.to_owned());
    }
    // Whatever it is in: this one says that somebody wants the message there.
    let is_flagged = word
        .windows(FLAGGED.len())
        .any(|some| some.eq_ignore_ascii_case(FLAGGED.as_bytes()));
    is_flagged.then(|| FLAGGED.to_owned())
}
