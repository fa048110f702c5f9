//! What programs write around an address, and what stands in its place: quotation marks, Exchange's `[SMTP:…]`, what
//! shows nothing, encoded words.

use std::borrow::Cow;

use super::words::text;
use crate::harmless::is_unseen;

/// How often something can stand around something.
const DEEPEST: usize = 4;

/// An address without what is around it and no part of it. What may be a part of it stays.
pub fn unwrapped(word: &[u8]) -> Cow<'_, str> {
    let written = String::from_utf8_lossy(word);
    let ends_plainly = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    if written.is_ascii() && ends_plainly(word.last()) && (ends_plainly(word.first()) || word.starts_with(b"\"")) {
        return match mail_link(&written) {
            Some(length) => Cow::Owned(written[..length].to_owned()),
            None => written,
        };
    }
    // White space beyond ASCII parts no words, and may stand around one.
    let mut left = written.trim_matches(is_around);
    for _ in 0..DEEPEST {
        let inside = match left.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(inside) => inside,
            None => match left.strip_prefix('[') {
                Some(rest) if rest.ends_with(']') => without_scheme(&rest[..rest.len() - 1]),
                // White space stood behind the scheme, or a comma within the quotes.
                _ if left.ends_with('\'') => &left[..left.len() - 1],
                _ if left.ends_with(']') && !behind_at(left).contains('[') => &left[..left.len() - 1],
                _ => break,
            },
        };
        left = inside.trim_matches(is_around);
    }
    let length = mail_link(left).unwrap_or(left.len());
    let left = &left[..length];
    match left.rsplit_once('@') {
        Some((local, domain)) if local.ends_with(is_unseen) || domain.starts_with(is_unseen) => {
            let (local, domain) = (local.trim_end_matches(is_unseen), domain.trim_start_matches(is_unseen));
            Cow::Owned(format!("{local}@{domain}"))
        }
        _ => Cow::Owned(left.to_owned()),
    }
}

/// Marks that are in no address, and what nobody sees.
fn is_around(c: char) -> bool {
    is_unseen(c)
        || c.is_whitespace()
        || matches!(
            c,
            '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}'
        )
}

/// `jane@example.com` of `SMTP:jane@example.com`, as of `mailto:jane@example.com`.
fn without_scheme(text: &str) -> &str {
    match text.split_once(':') {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => rest,
        _ => text,
    }
}

/// Where an address ends that is that of a link: `jane@example.com?subject=x` (RFC 6068).
fn mail_link(text: &str) -> Option<usize> {
    let at = text.find('@').filter(|_| !text.starts_with('"'))?;
    text[at..].find('?').map(|end| at + end)
}

fn behind_at(text: &str) -> &str {
    text.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// Whether a word is an encoded word (RFC 2047), which is not an address by itself, whatever it shows.
pub fn is_encoded(word: &[u8]) -> bool {
    word.len() > 8 && word.starts_with(b"=?") && word.ends_with(b"?=")
}

/// What encoded words say; `None` where that can be no address.
pub fn decoded(words: &[u8]) -> Option<String> {
    let text = text(words);
    text.contains('@').then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_around_an_address_was_taken_for_a_part_of_it() {
        for (word, inside) in [
            ("'ann@example.com'", "ann@example.com"),
            ("bob@example.com'", "bob@example.com"),
            ("\u{2018}ann@example.com\u{2019}", "ann@example.com"),
            ("[SMTP:ann@example.com]", "ann@example.com"),
            ("'[mailto:ann@example.com]'", "ann@example.com"),
            ("[ann@example.com]", "ann@example.com"),
            ("ann@example.com]", "ann@example.com"),
            ("\u{200b}ann\u{200b}@\u{feff}example.com\u{200b}", "ann@example.com"),
            ("\u{feff}\"a b\"@example.com", "\"a b\"@example.com"),
            ("ann@example.com?subject=x@y", "ann@example.com"),
            ("ann@[192.0.2.1]", "ann@[192.0.2.1]"),
            ("[SMTP:ann@[192.0.2.1]]", "ann@[192.0.2.1]"),
            ("o'neill'@example.com", "o'neill'@example.com"),
            ("a?b@example.com", "a?b@example.com"),
            ("'", ""),
            ("[]", ""),
        ] {
            assert_eq!(unwrapped(word.as_bytes()), inside, "{word}");
        }
    }
}
