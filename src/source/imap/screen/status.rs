//! Status responses and capabilities.

use super::{Verdict, finish, is_any_of, is_atom_byte, number32};

const REV1: &str = "IMAP4rev1";

/// Adds a status, and the words with it.
pub(super) fn status(status: &[u8], said: &[u8], letter: &mut Vec<u8>) -> Verdict {
    letter.push(b' ');
    letter.extend_from_slice(status);
    if said.is_empty() {
        return finish(letter);
    }
    letter.push(b' ');
    words(said, letter)
}

/// Adds the words of a status or of a continuation, the code before them included.
pub(super) fn words(said: &[u8], letter: &mut Vec<u8>) -> Verdict {
    let mut odd = false;
    let rest = match said.strip_prefix(b"[") {
        Some(coded) => code(coded, letter, &mut odd).unwrap_or_else(|| {
            odd = is_needed(coded);
            said
        }),
        None => said,
    };
    // Behind a code that was left out, the parser would take words in brackets for one.
    if letter.ends_with(b" ") && rest.starts_with(b"[") && rest.contains(&b']') {
        letter.push(b' ');
    }
    add(rest, letter);
    match finish(letter) {
        Verdict::Letter { .. } => Verdict::Letter { odd },
        other => other,
    }
}

/// Adds a code, and gives the words behind it. `None` where it does not end.
fn code<'a>(coded: &'a [u8], letter: &mut Vec<u8>, odd: &mut bool) -> Option<&'a [u8]> {
    let mut parts = coded.split(|byte| byte.is_ascii_whitespace() || *byte == b']');
    let name = parts.next()?;
    // What stands in these is nobody's business here, and may hold a bracket.
    if is_any_of(name, &["PERMANENTFLAGS", "BADCHARSET"]) {
        let end = memchr::memrchr(b']', coded)?;
        return Some(coded[end + 1..].trim_ascii_start());
    }
    let end = memchr::memchr(b']', coded)?;
    let (inside, rest) = (&coded[name.len()..end], coded[end + 1..].trim_ascii_start());
    if is_any_of(name, &["COPYUID"]) && !is_copied(inside) {
        *odd = true;
        return Some(rest);
    }
    letter.push(b'[');
    if is_any_of(name, &["CAPABILITY"]) {
        capabilities(inside, letter);
    } else {
        add(name, letter);
        let words = inside.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        for word in words.clone() {
            letter.push(b' ');
            add(word, letter);
        }
        let is_number = words.clone().count() == 1 && words.clone().all(|word| number32(word).is_some());
        *odd = is_any_of(name, &["UIDVALIDITY", "UIDNEXT"]) && !is_number;
    }
    // The parser takes a byte for the blank that is to stand here, also where it is none.
    letter.extend_from_slice(b"] ");
    Some(rest)
}

/// Whether a code says what a command is asked for.
fn is_needed(coded: &[u8]) -> bool {
    let name = coded
        .split(|byte| byte.is_ascii_whitespace())
        .next()
        .unwrap_or_default();
    is_any_of(name, &["UIDVALIDITY", "UIDNEXT", "COPYUID"])
}

/// Whether this is what stands in COPYUID (RFC 4315, 3): a number, and two sets.
fn is_copied(inside: &[u8]) -> bool {
    let is_set = |word: &[u8]| {
        let mut numbers = word.split(|byte| b",:".contains(byte));
        numbers.all(|number| !number.is_empty() && number32(number).is_some())
    };
    let mut words = inside.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.clone().count() == 3 && words.all(is_set)
}

/// Adds text, without what may stand in none.
fn add(text: &[u8], letter: &mut Vec<u8>) {
    let is_none = |byte: &u8| matches!(byte, b'\0' | b'\r' | b'\n');
    letter.extend(text.iter().map(|byte| if is_none(byte) { b' ' } else { *byte }));
}

/// Adds capabilities, behind one that the parser wants to see. Those that are not atoms are passed over.
pub(super) fn capabilities(said: &[u8], letter: &mut Vec<u8>) {
    letter.extend_from_slice(b"CAPABILITY IMAP4rev1");
    for word in said.split(u8::is_ascii_whitespace) {
        let is_atom = !word.is_empty() && word.iter().all(|byte| is_atom_byte(*byte));
        // The parser takes what only begins as that one for that one, and does not understand the rest.
        let misleads = word.len() > REV1.len() && is_any_of(&word[..REV1.len()], &[REV1]);
        if is_atom && !misleads && std::str::from_utf8(word).is_ok() {
            letter.push(b' ');
            letter.extend_from_slice(word);
        }
    }
}
