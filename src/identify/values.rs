//! What mail-parser makes of parts of a message: the only place that asks it. It is asked for a body without its
//! transfer encoding, and for the text of a page, and never for a whole message: over some nested mail it overflows the
//! stack, and over some fields it takes time with the square of their length. Its panics are survived. Where it gives a
//! body up, what can be read of it is read here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::decoders::{base64::base64_decode, html::html_to_text, quoted_printable::quoted_printable_decode};

/// Without a transfer encoding; `None` where that cannot be undone. Linear in the length.
pub(super) fn from_base64(body: &[u8]) -> Option<Vec<u8>> {
    base64_decode(body)
}

/// The same of quoted-printable.
pub(super) fn from_quoted_printable(body: &[u8]) -> Option<Vec<u8>> {
    quoted_printable_decode(body)
}

/// Reads a body in base64 as far as it can be read, while it comes: a letter that is none of base64 is passed over, and a
/// line with two, as mailing lists put lines below a message, is left as it stands.
#[derive(Debug, Default)]
pub(super) struct LegibleBase64 {
    /// What does not make up a group yet.
    letters: Vec<u8>,
}

impl LegibleBase64 {
    /// Appends to `plain` what the lines of `body` hold, of which the last `is_end` or may go on; gives how much of them was
    /// taken. Linear in the length.
    pub fn push(&mut self, body: &[u8], is_end: bool, plain: &mut Vec<u8>) -> usize {
        let mut taken = 0;
        while taken < body.len() {
            let rest = &body[taken..];
            let most = &rest[..rest.len().min(LINE)];
            let end = match memchr::memchr(b'\n', most) {
                Some(end) => end + 1,
                None if is_end || most.len() == LINE => most.len(),
                None => break,
            };
            self.line(&rest[..end], plain);
            taken += end;
        }
        if is_end {
            self.decode(self.letters.len(), plain);
        }
        taken
    }

    fn line(&mut self, line: &[u8], plain: &mut Vec<u8>) {
        let text = line.trim_ascii();
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let odd = text.iter().filter(|byte| !is_letter(byte)).count();
        if odd > 1 || odd * ODD > text.len() || text.iter().any(u8::is_ascii_whitespace) {
            self.decode(self.letters.len(), plain);
            plain.extend_from_slice(line);
        } else {
            self.letters.extend(text.iter().filter(|byte| is_letter(byte)));
            self.decode(whole_groups(&self.letters), plain);
        }
    }

    fn decode(&mut self, length: usize, plain: &mut Vec<u8>) {
        plain.extend(from_base64(&self.letters[..length]).unwrap_or_default());
        self.letters.drain(..length);
    }
}

/// The same of one that is there.
pub(super) fn legible_base64(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    LegibleBase64::default().push(body, true, &mut plain);
    plain
}

/// How much of letters in base64, lines included, is of whole groups of four.
pub(super) fn whole_groups(body: &[u8]) -> usize {
    let (mut letters, mut end) = (0, 0);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            b'=' => letters = 0,
            byte if byte.is_ascii_whitespace() => {}
            _ => letters = (letters + 1) % 4,
        }
        if letters == 0 {
            end = at + 1;
        }
    }
    end
}

/// A longer line counts as several.
const LINE: usize = 8 << 10;
/// Of so many letters of a line in base64, one may be another.
const ODD: usize = 8;

/// A body in quoted-printable as far as it can be read: a `=` that stands for nothing is left as it stands.
pub(super) fn legible_quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = memchr::memchr(b'=', rest) {
        plain.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let digit = |nth| rest.get(nth).and_then(|byte: &u8| char::from(*byte).to_digit(16));
        let blanks = rest.iter().take_while(|byte| b" \t\r".contains(byte)).count();
        if let (Some(high), Some(low)) = (digit(0), digit(1)) {
            plain.push((high * 16 + low) as u8);
            rest = &rest[2..];
        } else if rest.get(blanks) == Some(&b'\n') {
            rest = &rest[blanks + 1..];
        } else {
            plain.push(b'=');
        }
    }
    plain.extend_from_slice(rest);
    plain
}

/// The text of a page.
pub(super) fn from_html(page: &str) -> String {
    catch_unwind(AssertUnwindSafe(|| html_to_text(page))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_broken_sign_left_all_of_a_body_undecoded() {
        for (body, expected) in [
            (
                "=FCber https://x/r.asp?r=sourceforge1 =C3=9F",
                &b"\xfcber https://x/r.asp?r=sourceforge1 \xc3\x9f"[..],
            ),
            ("a=\nb= \r\nc=", b"abc="),
            ("a==20b=4", b"a= b=4"),
            ("=e4=zz", b"\xe4=zz"),
            ("", b""),
        ] {
            assert_eq!(legible_quoted_printable(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_stray_letter_or_a_footer_left_base64_undecoded() {
        for (body, expected) in [
            ("aGVsbG8g\r\nd29!ybGQ=\r\n", "hello world"),
            (
                "aGVsbG8gd29y\n____________\nthe list:\nhttps://lists.example.net/list\n",
                "hello wor____________\nthe list:\nhttps://lists.example.net/list\n",
            ),
            ("aGVsbG8=\n-- \nd29ybGQ", "hello-- \nworld"),
            ("aGVsbG8gd2-9ybGQh\naGVsbG8gd29ybG", "hello world!hello worl"),
            ("", ""),
        ] {
            let plain = legible_base64(body.as_bytes());
            assert_eq!(String::from_utf8_lossy(&plain), expected, "{body}");
        }
    }
}
