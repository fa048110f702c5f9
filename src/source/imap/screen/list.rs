//! LIST and LSUB.

use super::{
    Kind, Verdict,
    cursor::{Cursor, quote, unescaped},
    finish, is_any_of, is_atom_byte,
};

/// Attributes that the parser knows. It takes one of another name that begins as one of these for this one, and does
/// not understand the rest.
const ATTRIBUTES: [&str; 11] = [
    "\\Noinferiors",
    "\\Noselect",
    "\\Marked",
    "\\Unmarked",
    "\\All",
    "\\Archive",
    "\\Drafts",
    "\\Flagged",
    "\\Junk",
    "\\Sent",
    "\\Trash",
];

/// Attributes of a folder that are kept; there are not many more that a server can say.
const MOST_ATTRIBUTES: usize = 16;

/// Both are brought to the same form: attributes, delimiter, and the name in quotes. What stands behind it, extended
/// data (RFC 9051, 7.3.1) or not, is cut off.
pub(super) fn list(mut cursor: Cursor<'_>, letter: &mut Vec<u8>) -> Verdict {
    letter.extend_from_slice(b"* LIST (");
    match attributes(&mut cursor, letter).and_then(|()| delimiter(&mut cursor, letter)) {
        Some(()) => {}
        None => return Verdict::Odd(Kind::List),
    }
    cursor.blanks();
    let is_word = !cursor.peek().is_some_and(|byte| b"\"{~".contains(&byte));
    match name(&mut cursor) {
        Some(name) => quote(&name, letter),
        None => return Verdict::Odd(Kind::List),
    }
    let behind = cursor.rest().trim_ascii_end();
    cursor.blanks();
    let is_list = cursor.peek() == Some(b'(');
    if cursor.peek().is_none() || is_extended(cursor) {
        return finish(letter);
    }
    // Whatever else stands behind a name, the name is clear where it has quotes, and no more of them follow.
    let is_clear = !is_word && behind.starts_with(b" ") && (is_list || !behind.contains(&b'"'));
    match is_clear {
        true => {
            finish(letter);
            Verdict::Letter { odd: true }
        }
        false => Verdict::Odd(Kind::List),
    }
}

fn attributes(cursor: &mut Cursor<'_>, letter: &mut Vec<u8>) -> Option<()> {
    cursor.blanks();
    if !cursor.take(b'(') {
        return None;
    }
    let all = cursor.until(|byte| byte == b')');
    cursor.take(b')').then_some(())?;
    let mut kept = 0;
    for word in all.split(u8::is_ascii_whitespace) {
        let Some((b'\\', rest)) = word.split_first() else {
            continue;
        };
        let is_atom = !rest.is_empty() && rest.iter().all(|byte| is_atom_byte(*byte));
        let misleads = ATTRIBUTES.iter().any(|known| {
            let begins = word.get(..known.len());
            word.len() > known.len() && begins.is_some_and(|begins| begins.eq_ignore_ascii_case(known.as_bytes()))
        });
        if !is_atom || misleads || kept == MOST_ATTRIBUTES || std::str::from_utf8(rest).is_err() {
            continue;
        }
        if kept > 0 {
            letter.push(b' ');
        }
        kept += 1;
        letter.extend_from_slice(word);
    }
    Some(())
}

fn delimiter(cursor: &mut Cursor<'_>, letter: &mut Vec<u8>) -> Option<()> {
    letter.extend_from_slice(b") ");
    cursor.blanks();
    let said = if cursor.rest().starts_with(b"\"\\\" ") {
        // A backslash that is not escaped.
        cursor.at += 3;
        b"\\".to_vec()
    } else if cursor.peek() == Some(b'"') {
        unescaped(cursor.quoted()?)
    } else {
        let word = cursor.word();
        match word {
            [_] => word.to_vec(),
            _ if is_any_of(word, &["NIL"]) => Vec::new(),
            _ => return None,
        }
    };
    match said.is_empty() {
        true => letter.extend_from_slice(b"NIL "),
        false if said.iter().any(u8::is_ascii_control) => return None,
        false => {
            quote(&said, letter);
            letter.push(b' ');
        }
    }
    Some(())
}

/// A folder's name: a quoted string, a literal, or a word.
fn name(cursor: &mut Cursor<'_>) -> Option<Vec<u8>> {
    cursor.blanks();
    let name = match cursor.peek()? {
        b'"' => unescaped(cursor.quoted()?),
        b'{' | b'~' => {
            let place = cursor.literal()?;
            cursor.bytes(place).to_vec()
        }
        _ => {
            let word = cursor.word();
            // It is not quoted, as it should be; without a blank in it, it is clear all the same where it ends.
            let is_clear = !word.is_empty() && !word.iter().any(|byte| b"\"(){}".contains(byte));
            is_clear.then(|| word.to_vec())?
        }
    };
    (!name.iter().any(u8::is_ascii_control)).then_some(name)
}

/// Whether what is left is extended data: a list of names, each with a value.
fn is_extended(mut cursor: Cursor<'_>) -> bool {
    let mut items = 0;
    if !cursor.take(b'(') {
        return false;
    }
    loop {
        cursor.blanks();
        if cursor.take(b')') {
            break;
        }
        if cursor.value().is_none() {
            return false;
        }
        items += 1;
    }
    cursor.blanks();
    items % 2 == 0 && cursor.peek().is_none()
}
