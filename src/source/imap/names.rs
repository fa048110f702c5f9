//! Folder names: modified UTF-7 (RFC 3501, 5.1.3), quoting, and patterns (RFC 9051, 6.3.9).

use base64::{
    Engine, alphabet,
    engine::general_purpose::{GeneralPurpose, NO_PAD},
};

const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::IMAP_MUTF7, NO_PAD);

/// A name as people read it; `None` where it is not modified UTF-7.
pub(in crate::source) fn decode(raw: &str) -> Option<String> {
    let mut name = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((plain, shifted)) = rest.split_once('&') {
        name.push_str(plain);
        let (encoded, after) = shifted.split_once('-')?;
        if encoded.is_empty() {
            name.push('&');
        } else {
            let bytes = BASE64.decode(encoded).ok()?;
            if bytes.len() % 2 != 0 {
                return None;
            }
            let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            for c in char::decode_utf16(units) {
                name.push(c.ok()?);
            }
        }
        rest = after;
    }
    name.push_str(rest);
    Some(name)
}

/// A name as it travels.
pub(super) fn encode(name: &str) -> String {
    let mut raw = String::with_capacity(name.len());
    let mut shifted = Vec::new();
    let flush = |raw: &mut String, shifted: &mut Vec<u8>| {
        if !shifted.is_empty() {
            raw.push('&');
            BASE64.encode_string(&*shifted, raw);
            raw.push('-');
            shifted.clear();
        }
    };
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut raw, &mut shifted);
            raw.push(c);
            if c == '&' {
                raw.push('-');
            }
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                shifted.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    flush(&mut raw, &mut shifted);
    raw
}

/// Whether a name travels as [`encode`] writes it.
pub(super) fn is_canonical(raw: &str) -> bool {
    decode(raw).is_some_and(|name| encode(&name) == raw)
}

/// A string in quotes (RFC 9051, quoted). `None` where quotes cannot hold it: it has a line
/// end or a NUL.
pub(super) fn quoted(text: &str) -> Option<String> {
    if text.contains(['\r', '\n', '\0']) {
        return None;
    }
    Some(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Whether a pattern matches a name: `*` stands for any characters, `%` for any but the
/// delimiter. INBOX is the same in any case.
pub(super) fn matches(pattern: &str, name: &str, delimiter: Option<char>) -> bool {
    if name.eq_ignore_ascii_case("INBOX") && pattern.eq_ignore_ascii_case("INBOX") {
        return true;
    }
    let name: Vec<char> = name.chars().collect();
    // reached[i]: the pattern so far matches the first i characters.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for c in pattern.chars() {
        match c {
            '*' | '%' => {
                for i in 0..name.len() {
                    let passes = c == '*' || Some(name[i]) != delimiter;
                    reached[i + 1] |= reached[i] && passes;
                }
            }
            _ => {
                for i in (0..name.len()).rev() {
                    reached[i + 1] = reached[i] && name[i] == c;
                }
                reached[0] = false;
            }
        }
    }
    reached[name.len()]
}

/// Whether a pattern stands for more than one name.
pub(super) fn has_wildcard(pattern: &str) -> bool {
    pattern.contains(['*', '%'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_of_the_rfc() {
        for (raw, name) in [
            ("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語"),
            ("Tom &- Jerry", "Tom & Jerry"),
            ("&2D3eAA-", "😀"),
            ("Entw&APw-rfe", "Entwürfe"),
        ] {
            assert_eq!(decode(raw).as_deref(), Some(name));
            assert_eq!(encode(name), raw);
        }
    }

    #[test]
    fn what_is_no_utf7_is_told_apart() {
        for raw in ["Tom & Jerry", "&", "&a", "&=-", "&2D0-", "&!!!-", "&AA-"] {
            assert_eq!(decode(raw), None, "{raw}");
        }
    }

    #[test]
    fn patterns() {
        for (pattern, name, matched) in [
            ("*", "a/b", true),
            ("%", "a/b", false),
            ("%/%", "a/b", true),
            ("a*", "a/b/c", true),
            ("a%", "ab", true),
            ("*/b", "a/b", true),
            ("*b", "a/bc", false),
            ("inbox", "INBOX", true),
            ("Trash", "trash", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name, Some('/')), matched, "{pattern} {name}");
        }
    }

    #[test]
    fn quotes() {
        assert_eq!(quoted(r#"a"b\"#).as_deref(), Some(r#""a\"b\\""#));
        assert_eq!(quoted("a\r\nb"), None);
    }

    proptest! {
        #[test]
        fn any_name_survives_the_journey(name in any::<String>()) {
            let raw = encode(&name);
            prop_assert!(raw.is_ascii());
            prop_assert_eq!(decode(&raw), Some(name));
        }

        #[test]
        fn no_name_makes_decoding_panic(raw in "[&,+/A-Za-z0-9 -]*") {
            let _ = decode(&raw);
        }
    }
}
