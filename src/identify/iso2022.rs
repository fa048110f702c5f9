//! Text of 7 bits that switches charsets between its letters: ISO 2022 as Japanese (RFC 1468, 1554,
//! 2237), Korean (RFC 1557) and Chinese (RFC 1922) mail has it, code page 50221 included, and HZ (RFC 1843).
//!
//! Each charset in it is one that `encoding_rs` knows with the eighth bit set. Its own ISO-2022-JP is stricter than
//! mail: it takes two escapes in a row, as they are where two encoded words were joined, for an error.

use encoding_rs::{EUC_JP, EUC_KR, Encoding, GB18030, ISO_8859_7, WINDOWS_1252};

/// What the letters are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    Ascii,
    /// ASCII but for two signs (JIS X 0201).
    Roman,
    /// Half-width (JIS X 0201).
    Katakana,
    /// Two bytes a character: JIS X 0208.
    Japanese,
    /// Two bytes a character: JIS X 0212.
    Rare,
    /// Two bytes a character: KS X 1001.
    Korean,
    /// Two bytes a character: GB 2312.
    Chinese,
    /// The upper halves of ISO 8859-1 and -7.
    Latin,
    Greek,
    /// Two bytes a character that nothing here decodes.
    Unknown,
}

impl Set {
    /// How it is decoded with the eighth bit set, and what stands before each character then.
    fn encoding(self) -> Option<(&'static Encoding, &'static [u8])> {
        match self {
            Self::Ascii | Self::Roman | Self::Unknown => None,
            Self::Katakana => Some((EUC_JP, b"\x8e")),
            Self::Japanese => Some((EUC_JP, b"")),
            Self::Rare => Some((EUC_JP, b"\x8f")),
            Self::Korean => Some((EUC_KR, b"")),
            Self::Chinese => Some((GB18030, b"")),
            Self::Latin => Some((WINDOWS_1252, b"")),
            Self::Greek => Some((ISO_8859_7, b"")),
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Japanese | Self::Rare | Self::Korean | Self::Chinese | Self::Unknown => 2,
            _ => 1,
        }
    }
}

/// What an escape says of the letters behind it.
enum Escape {
    Now(Set),
    /// Behind a shift out.
    Shifted(Set),
    /// For a single character behind `ESC N`.
    Single(Set),
    Nothing,
}

/// The escapes (ISO-IR), without the ESC.
const ESCAPES: [(&[u8], Escape); 21] = [
    (b"(B", Escape::Now(Set::Ascii)),
    (b"(J", Escape::Now(Set::Roman)),
    (b"(H", Escape::Now(Set::Roman)),
    (b"(I", Escape::Now(Set::Katakana)),
    (b"$@", Escape::Now(Set::Japanese)),
    (b"$B", Escape::Now(Set::Japanese)),
    (b"$(@", Escape::Now(Set::Japanese)),
    (b"$(B", Escape::Now(Set::Japanese)),
    // JIS X 0213, whose first plane has all of JIS X 0208 in its place.
    (b"$(O", Escape::Now(Set::Japanese)),
    (b"$(Q", Escape::Now(Set::Japanese)),
    (b"$(P", Escape::Now(Set::Unknown)),
    (b"$(D", Escape::Now(Set::Rare)),
    (b"$A", Escape::Now(Set::Chinese)),
    (b"$(A", Escape::Now(Set::Chinese)),
    (b"$(C", Escape::Now(Set::Korean)),
    (b"$)C", Escape::Shifted(Set::Korean)),
    (b"$)A", Escape::Shifted(Set::Chinese)),
    (b"$)G", Escape::Shifted(Set::Unknown)),
    (b".A", Escape::Single(Set::Latin)),
    (b".F", Escape::Single(Set::Greek)),
    // A later edition of the charset that is named next.
    (b"&@", Escape::Nothing),
];

/// Text that is decoded run by run.
#[derive(Default)]
struct Decoded {
    text: String,
    /// Bytes of one charset, the eighth bit set.
    run: Vec<u8>,
    encoding: Option<&'static Encoding>,
    bad: bool,
}

impl Decoded {
    fn push(&mut self, character: &[u8], set: Set) {
        let Some((encoding, before)) = set.encoding() else {
            self.flush();
            let is_known = set != Set::Unknown && character.is_ascii();
            self.bad |= !is_known;
            self.text.push(match (character, set) {
                _ if !is_known => char::REPLACEMENT_CHARACTER,
                ([b'\\', ..], Set::Roman) => '¥',
                ([b'~', ..], Set::Roman) => '‾',
                (character, _) => character.first().copied().map_or(' ', char::from),
            });
            return;
        };
        if self.encoding != Some(encoding) {
            self.flush();
            self.encoding = Some(encoding);
        }
        self.run.extend_from_slice(before);
        self.run.extend(character.iter().map(|byte| byte | 0x80));
    }

    fn flush(&mut self) {
        if let Some(encoding) = self.encoding.take() {
            let (text, bad) = encoding.decode_without_bom_handling(&self.run);
            self.text.push_str(&text);
            self.bad |= bad;
            self.run.clear();
        }
    }
}

/// Decodes ISO 2022; says whether anything in it could not be. Linear.
pub fn decode(text: &[u8]) -> (String, bool) {
    let mut decoded = Decoded::default();
    let (mut now, mut shifted, mut single, mut is_shifted) = (Set::Ascii, Set::Katakana, Set::Latin, false);
    let mut rest = text;
    while let [first, others @ ..] = rest {
        rest = others;
        match first {
            0x1b => match ESCAPES.iter().find(|(letters, _)| rest.starts_with(letters)) {
                Some((letters, escape)) => {
                    rest = &rest[letters.len()..];
                    match escape {
                        Escape::Now(set) => now = *set,
                        Escape::Shifted(set) => shifted = *set,
                        Escape::Single(set) => single = *set,
                        Escape::Nothing => {}
                    }
                }
                None => match rest {
                    [b'N', character, others @ ..] => {
                        decoded.push(&[*character], single);
                        rest = others;
                    }
                    _ => decoded.push(&[0x1b], Set::Ascii),
                },
            },
            0x0e => is_shifted = true,
            0x0f => is_shifted = false,
            // Lines begin in ASCII.
            b'\r' | b'\n' => {
                (now, is_shifted) = (Set::Ascii, false);
                decoded.push(&[*first], Set::Ascii);
            }
            0..=b' ' | 0x7f => decoded.push(&[*first], Set::Ascii),
            // Half-width katakana of 8 bits, as some programs write them.
            0xa1..=0xdf if now.length() == 1 => decoded.push(&[*first], Set::Katakana),
            _ => {
                let set = if is_shifted { shifted } else { now };
                match rest {
                    [second, others @ ..] if set.length() == 2 && *second > b' ' => {
                        decoded.push(&[*first, *second], set);
                        rest = others;
                    }
                    _ => decoded.push(&[*first], set),
                }
            }
        }
    }
    decoded.flush();
    (decoded.text, decoded.bad)
}

/// Decodes HZ; says whether anything in it could not be. Linear.
pub fn decode_hz(text: &[u8]) -> (String, bool) {
    let mut plain = Vec::with_capacity(text.len());
    let mut is_chinese = false;
    let mut rest = text;
    while let [first, others @ ..] = rest {
        rest = others;
        match (first, others) {
            (b'~', [b'{', others @ ..]) => (is_chinese, rest) = (true, others),
            (b'~', [b'}', others @ ..]) => (is_chinese, rest) = (false, others),
            (b'~', [b'~', others @ ..]) if !is_chinese => {
                plain.push(b'~');
                rest = others;
            }
            (b'~', [b'\n', others @ ..]) if !is_chinese => rest = others,
            (b'\n', _) => {
                is_chinese = false;
                plain.push(b'\n');
            }
            (b'!'..=b'~', _) if is_chinese => plain.push(first | 0x80),
            _ => plain.push(*first),
        }
    }
    let (text, bad) = GB18030.decode_without_bom_handling(&plain);
    (text.into_owned(), bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each as Python's codec of that name writes it.
    #[test]
    fn text_of_seven_bits_is_read() {
        for (what, bytes, text) in [
            ("iso2022_jp", &b"\x1b$B$3$s$K$A$O\x1b(B, you"[..], "こんにちは, you"),
            ("joined words", b"\x1b$B$3$s\x1b(B\x1b$B$K$A$O\x1b(B", "こんにちは"),
            ("iso2022_jp_2, Korean", b"\x1b$(C>H3g\x1b(B", "안녕"),
            ("iso2022_jp_2, Chinese", b"\x1b$AT[\x1b(B", "咱"),
            ("iso2022_jp_2, Greek", b"\x1b.F\x1bNa\x1bNb", "αβ"),
            ("iso2022_jp_2, Latin", b"caf\x1b.A\x1bNi", "café"),
            ("iso2022_jp_1", b"\x1b$(D0!\x1b(B", "丂"),
            ("cp50221", b"\x1b(I6E\x1b(B", "ｶﾅ"),
            ("cp50222", b"\x0e6E\x0f!", "ｶﾅ!"),
            ("JIS of 8 bits", b"\x1b$B$\"\x1b(B\xb6\xc5", "あｶﾅ"),
            ("Roman", b"\x1b(J\\100\x1b(B", "¥100"),
            ("iso2022_kr", b"\x1b$)C\x0e>H3g\x0f hi", "안녕 hi"),
            ("NEC's signs", b"\x1b$B-!-j\x1b(B", "①㈱"),
            ("a line that does not end in ASCII", b"\x1b$B$\"\nhi", "あ\nhi"),
            ("no escape", b"\x1b[1mhi", "\u{1b}[1mhi"),
        ] {
            assert_eq!(decode(bytes), (text.to_owned(), false), "{what}");
        }
        assert_eq!(
            decode_hz(b"~{<:Ky2;S{~}~~, ~\nbye ~{VP\n ok"),
            ("己所不欲~, bye 中\n ok".to_owned(), false)
        );
    }

    #[test]
    fn what_is_no_such_text_is_said_to_be_none() {
        for bytes in [
            &b"\xff\xfe"[..],
            b"\x1b$B$",
            b"\x1b$(P!!",
            b"\x1b$B\xff\xff",
            b"\x1b$)G\x0e!!",
            b"\x1b$B\x7e\x7e",
        ] {
            let (text, bad) = decode(bytes);
            assert!(bad && text.contains('\u{fffd}'), "{bytes:?} {text}");
        }
    }
}
