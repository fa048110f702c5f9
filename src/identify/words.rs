//! What a header field says: encoded words (RFC 2047, RFC 2231 section 5), and the text between them. It is read as
//! mail is written, not as it should be: words with spaces in them, without padding, within quotes, that share a
//! character.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use memchr::memmem;

use super::charset::{Charset, decoded, undeclared};

/// Longer ones are no names of charsets.
const LABEL: usize = 64;

/// Bytes of a value that are read, of a line that people write.
const LINE: usize = 4 << 10;

/// What a field says, unfolded, its encoded words decoded; of a very long one the beginning.
pub fn text(value: &[u8]) -> String {
    text_of(value, None)
}

/// The same; what is beyond ASCII in it without a label is of the charset `likely`, where it is no UTF-8.
pub fn text_of(value: &[u8], likely: Option<Charset>) -> String {
    match value.get(..LINE) {
        // It may be cut within a character.
        Some(beginning) => said(beginning, likely).trim_end_matches('\u{fffd}').to_owned(),
        None => said(value, likely),
    }
}

/// A word as it stands, at the beginning of a text.
struct Word<'a> {
    label: &'a [u8],
    charset: Option<Charset>,
    is_base64: bool,
    text: &'a [u8],
    /// Bytes of all of it.
    length: usize,
}

/// Finds words; where the search for the end of one has failed once it is not made again, or broken values would cost
/// quadratic time.
pub struct Words {
    may_end: bool,
}

impl Words {
    pub fn new() -> Self {
        Self { may_end: true }
    }

    /// The length of the word that `text` begins with.
    pub fn length(&mut self, text: &[u8]) -> Option<usize> {
        self.word(text).map(|word| word.length)
    }

    fn word<'a>(&mut self, text: &'a [u8]) -> Option<Word<'a>> {
        let inside = text.strip_prefix(b"=?")?;
        let end = memchr::memchr(b'?', &inside[..inside.len().min(LABEL)])?;
        let (label, rest) = (inside[..end].trim_ascii(), &inside[end + 1..]);
        let [encoding, b'?', rest @ ..] = rest else { return None };
        let is_base64 = match encoding {
            b'b' | b'B' => true,
            b'q' | b'Q' => false,
            _ => return None,
        };
        let is_label = |byte: &u8| byte.is_ascii_graphic() && *byte != b'=';
        if label.is_empty() || !label.iter().all(is_label) {
            return None;
        }
        let (text_of_it, behind) = match self.end(rest) {
            Some(end) => (&rest[..end], 2),
            // One that was cut off goes to where no word can go on.
            None => (rest.split(u8::is_ascii_whitespace).next().unwrap_or(rest), 0),
        };
        Some(Word {
            label,
            charset: Charset::named(label),
            is_base64,
            text: text_of_it,
            length: text.len() - rest.len() + text_of_it.len() + behind,
        })
    }

    /// Where the text of a word ends: at `?=`; `None` where another one begins before that, or nothing ends it.
    fn end(&mut self, text: &[u8]) -> Option<usize> {
        if !self.may_end {
            return None;
        }
        for at in memchr::memchr_iter(b'?', text) {
            if text.get(at + 1) == Some(&b'=') {
                return Some(at);
            }
            if matches!(&text[..at], [.., b' ' | b'\t' | b'\n', b'=']) {
                return None;
            }
        }
        self.may_end = false;
        None
    }
}

/// Words that stand side by side, of one charset: they are one text, which may have been cut within a character.
#[derive(Default)]
struct Run<'a> {
    label: Option<&'a [u8]>,
    charset: Option<Charset>,
    bytes: Vec<u8>,
    /// Those of the last one.
    word: Vec<u8>,
    /// Of base64, letters that are not decoded yet: some programs cut there as well.
    letters: Vec<u8>,
}

impl<'a> Run<'a> {
    fn push(&mut self, word: &Word<'a>, said: &mut String, likely: Option<Charset>) {
        let same = self.label.is_some_and(|label| label.eq_ignore_ascii_case(word.label));
        if !same {
            self.end(said, likely);
            (self.label, self.charset) = (Some(word.label), word.charset);
        }
        if word.is_base64 {
            base64_letters(word.text, &mut self.letters, &mut self.word);
        } else {
            self.end_letters();
            unescaped(word.text, b'=', &mut self.word);
        }
        Charset::join(self.charset, &mut self.bytes, &self.word);
        self.word.clear();
    }

    fn end_letters(&mut self) {
        base64_end(&mut self.letters, &mut self.bytes);
    }

    fn end(&mut self, said: &mut String, likely: Option<Charset>) {
        self.end_letters();
        if self.label.take().is_some() {
            // Some programs leave an underscore as it is that is half a letter.
            if let Some(charset) = self.charset.filter(|charset| !charset.reads(&self.bytes)) {
                let mut other = self.bytes.clone();
                for at in 1..other.len() {
                    if other[at] == b' ' && !other[at - 1].is_ascii() {
                        other[at] = b'_';
                    }
                }
                if charset.reads(&other) {
                    self.bytes = other;
                }
            }
            *said += &decoded(&self.bytes, self.charset, likely);
            self.bytes.clear();
        }
    }
}

/// What all of `value` says. Linear.
pub fn said(value: &[u8], likely: Option<Charset>) -> String {
    // What nearly all values are: one line of ASCII without encoded words.
    let line = value.trim_ascii();
    let is_plain = line.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t')) && memmem::find(line, b"=?").is_none();
    if let (true, Ok(line)) = (is_plain, std::str::from_utf8(line)) {
        return line.to_owned();
    }
    let (mut said, mut words, mut run) = (String::with_capacity(value.len()), Words::new(), Run::default());
    let (mut plain, mut at) = (0, 0);
    while let Some(found) = memmem::find(&value[at..], b"=?") {
        at += found;
        let Some(word) = words.word(&value[at..]) else {
            at += 2;
            continue;
        };
        let between = &value[plain..at];
        // White space between two words is none.
        if run.label.is_none() || !between.iter().all(u8::is_ascii_whitespace) {
            run.end(&mut said, likely);
            said += &unfolded(between, likely);
        }
        run.push(&word, &mut said, likely);
        at += word.length;
        plain = at;
    }
    run.end(&mut said, likely);
    said += &unfolded(&value[plain..], likely);
    said.truncate(said.trim_end().len());
    match said.starts_with(char::is_whitespace) {
        true => said.trim_start().to_owned(),
        false => said,
    }
}

fn unfolded(plain: &[u8], likely: Option<Charset>) -> String {
    undeclared(plain, likely).replace(['\r', '\n'], "")
}

/// Puts the letters of base64 that `text` has behind `letters`, and decodes what is whole.
fn base64_letters(text: &[u8], letters: &mut Vec<u8>, bytes: &mut Vec<u8>) {
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => letters.push(*byte),
            // Behind the padding another text may begin.
            b'=' => base64_end(letters, bytes),
            _ => {}
        }
    }
    if letters.len().is_multiple_of(4) {
        base64_end(letters, bytes);
    }
}

/// Decodes the letters; a last one that is not a byte is dropped.
fn base64_end(letters: &mut Vec<u8>, bytes: &mut Vec<u8>) {
    if letters.len() % 4 == 1 {
        letters.pop();
    }
    // There is nothing in them that could not be decoded.
    let _ = LENIENT.decode_vec(&letters, bytes);
    letters.clear();
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Puts a text behind `bytes` in which two hexadecimal digits behind a sign are a byte: the encoding Q with `=` (RFC
/// 2047, 4.2), parameters with `%` (RFC 2231, 4).
pub fn unescaped(text: &[u8], sign: u8, bytes: &mut Vec<u8>) {
    let digit = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut rest = text;
    while let [first, others @ ..] = rest {
        rest = others;
        if let (true, [high, low, others @ ..]) = (*first == sign, others)
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            bytes.push(high << 4 | low);
            rest = others;
            continue;
        }
        match first {
            b'_' if sign == b'=' => bytes.push(b' '),
            b'\r' | b'\n' => {}
            other => bytes.push(*other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::{Charset, mailboxes::mailboxes, parameters::Content};

    #[test]
    fn encoded_words_are_read_as_mail_has_them() {
        for (value, text_of_it) in [
            (" =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n from here\r\n", "Grüße from here"),
            ("Re:=?utf-8?q?_a?= b (=?iso-8859-1?Q?c=E9?=)", "Re: a b (cé)"),
            ("=?utf-8*en?Q?a?= =?UTF-8*de?B?YsO8?=", "abü"),
            // A character in two words, and base64 that goes on in the next.
            ("=?euc-kr?B?vsiz?=\r\n =?EUC-KR?B?5w==?=", "안녕"),
            ("=?utf-8?Q?=E6=97?=\t=?utf-8?Q?=A5?=", "日"),
            ("=?utf-8?B?w7?= =?utf-8?B?w=?= x", "ü x"),
            ("=?big5?B?p0E=?= =?big5?Q?=A6n?=", "你好"),
            ("=?iso-2022-jp?B?GyRCJDMbKEI=?= =?iso-2022-jp?B?GyRCJHMbKEI=?=", "こん"),
            ("=?utf-7?Q?+ZeU?= =?utf-7?Q?+Zyw-?=", "日本"),
            ("=?utf-7?Q?+ZeVnL?= =?utf-7?Q?Iqe-_x?=", "日本語 x"),
            // Not as it should be.
            ("=?utf-8?B?w7w?=", "ü"),
            ("=?utf-8?B?w 7 w =?=", "ü"),
            ("=?utf-8?B?YQ==YQ==?=", "aa"),
            ("=?utf-8?Q?a b=c3=bc_?= c", "a bü  c"),
            ("=?utf-8?Q?What??=", "What?"),
            ("=?utf-8?Q?100=?= x", "100= x"),
            ("=?utf-8?Q?cut=C3=BC", "cutü"),
            ("=?big5?Q?=A4@=B0_=A8=D3?=", "一起來"),
            ("=?utf-8?B?YcO8 and =?utf-8?B?YsO8?=", "aü and bü"),
            ("=?\"utf-8\"?Q?=C3=BC?= =? utf-8 ?Q?=C3=BC?=", "üü"),
            // What the label says is not so.
            ("=?us-ascii?Q?=FC?= =?x-unknown?Q?=C3=BC?= =?foo?Q?=FC?=", "üüü"),
            ("=?utf-8?Q?Gr=FC=DFe?=", "Grüße"),
            // None.
            ("1+1=? a =?b?c?= =??Q?a?= =?x?y?z", "1+1=? a =?b?c?= =??Q?a?= =?x?y?z"),
            ("", ""),
        ] {
            assert_eq!(text(value.as_bytes()), text_of_it, "{value}");
        }
    }

    #[test]
    fn what_has_no_label_is_utf_8_or_else_as_the_body_or_else_western() {
        let korean = Charset::named(b"euc-kr");
        assert_eq!(text_of("안녕".as_bytes(), korean), "안녕");
        assert_eq!(text_of(b"\xbe\xc8\xb3\xe7 =?utf-8?Q?a?=", korean), "안녕 a");
        assert_eq!(text_of(b"caf\xe9 au lait", korean), "café au lait");
        assert_eq!(text(b"Gr\xfc\xdfe \x80"), "Grüße €");
        assert_eq!(text(b"\x1b$B$3$s\x1b(B"), "こん");
    }

    /// Each is longer than is read at all.
    #[test]
    fn a_value_that_was_made_to_be_slow_is_read_to_its_bound() {
        let started = std::time::Instant::now();
        for piece in [
            "=?",
            "=?aa?q?",
            "=?aa?b?YQ ",
            " =?aa?b?YQ",
            "=?aa?q?x?= ",
            "=?a?b?YQ==?=",
            "(",
            "\"",
            "a:",
            "<",
            "\\",
            "a*1*='",
            "; a*1=b",
            ",",
            "\n ",
            "<\"",
            "@ ",
            "a@b ",
            "[",
            "(\"<=?a?q?",
        ] {
            let value = piece.repeat((128 << 10) / piece.len()).into_bytes();
            assert!(text(&value).len() <= 3 * LINE);
            let length: usize = mailboxes(&value, None).iter().map(String::len).sum();
            assert!(length <= 256 << 10, "{piece}: {length}");
            Content::read(&value, None);
            Content::read(&[b"a/b; ", &value[..]].concat(), None);
            crate::identify::dates::date(&value);
        }
        assert!(
            started.elapsed() < std::time::Duration::from_secs(20),
            "{:?}",
            started.elapsed()
        );
    }
}
