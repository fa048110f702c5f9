//! Base64 as mail carries it (RFC 2045, 6.8): lines of one length. Where that is so, the bytes it stands for
//! and three facts about its lines give it back exactly, so only those are stored.

use base64::{DecodeError, Engine, engine::general_purpose::STANDARD};
use memchr::memchr;
use serde::{Deserialize, Serialize};

/// Characters decoded at once.
const AT_ONCE: usize = 256 << 10;

/// How encoded bytes are cut into lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lines {
    /// Characters of each line but the last, which may be shorter.
    pub line: u32,
    /// Lines end in CRLF, else in LF.
    pub crlf: bool,
    /// The last line has its line end too.
    pub ends_with_line_end: bool,
}

/// A stretch of text that is regular base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regular {
    pub lines: Lines,
    /// Bytes of the text, line ends included.
    pub encoded: usize,
    /// Bytes it stands for.
    pub decoded: usize,
}

impl Lines {
    fn end(&self) -> &'static [u8] {
        if self.crlf { b"\r\n" } else { b"\n" }
    }

    /// Where character number `at` stands in the text.
    fn position(&self, at: usize) -> usize {
        at + at / self.line as usize * self.end().len()
    }

    /// Appends the characters from number `from` to before `to` of `text`, without line ends.
    fn gather(&self, text: &[u8], from: usize, to: usize, characters: &mut Vec<u8>) {
        let line = self.line as usize;
        let mut at = from;
        while at < to {
            let length = (line - at % line).min(to - at);
            let start = self.position(at);
            characters.extend_from_slice(&text[start..start + length]);
            at += length;
        }
    }

    /// The bytes from number `from` to before `to` that `text` stands for; `from` is a multiple of three, and `to`
    /// too or the end. `text` is one for which [`measure`] gave these lines.
    ///
    /// # Errors
    /// It is not.
    pub fn decode(&self, text: &[u8], from: usize, to: usize) -> Result<Vec<u8>, DecodeError> {
        let mut characters = Vec::with_capacity((to - from).div_ceil(3) * 4);
        self.gather(text, from / 3 * 4, to.div_ceil(3) * 4, &mut characters);
        STANDARD.decode(characters)
    }
}

/// The longest regular stretch that `text` begins with, where there is one.
pub fn measure(text: &[u8]) -> Option<Regular> {
    let first = memchr(b'\n', text).unwrap_or(text.len());
    let crlf = first < text.len() && text[..first].ends_with(b"\r");
    let line = first - usize::from(crlf);
    let mut lines = Lines {
        line: u32::try_from(line).ok().filter(|line| *line > 0)?,
        crlf,
        ends_with_line_end: false,
    };
    let step = line + lines.end().len();
    // A shorter line with an empty one behind it can be as long as a full one.
    let is_full = |chunk: &&[u8]| &chunk[line..] == lines.end() && memchr(b'\n', &chunk[..line]).is_none();
    let full = text.chunks_exact(step).take_while(is_full).count();
    let last = last_line(&text[full * step..], &lines);
    let mut characters = full * line + last;
    let decoded = loop {
        match try_decode(text, &lines, characters) {
            Ok(decoded) => break decoded,
            // Up to the line that is none, as whole lines that are whole bytes; each try is shorter.
            Err(wrong) => characters = whole_lines(wrong.min(characters - 1), line),
        }
        if characters == 0 {
            return None;
        }
    };
    let mut encoded = lines.position(characters);
    if characters.is_multiple_of(line) {
        encoded -= lines.end().len();
    }
    lines.ends_with_line_end = text[encoded..].starts_with(lines.end());
    if lines.ends_with_line_end {
        encoded += lines.end().len();
    }
    Some(Regular {
        lines,
        encoded,
        decoded,
    })
}

/// Characters of the line behind the full ones.
fn last_line(rest: &[u8], lines: &Lines) -> usize {
    let end = memchr(b'\n', rest).unwrap_or(rest.len());
    let line = &rest[..end];
    let line = if end < rest.len() && lines.crlf {
        line.strip_suffix(b"\r").unwrap_or(line)
    } else {
        line
    };
    if line.len() <= lines.line as usize {
        line.len()
    } else {
        0
    }
}

/// Bytes that this many characters stand for, or the position of one that is wrong.
fn try_decode(text: &[u8], lines: &Lines, characters: usize) -> Result<usize, usize> {
    let mut decoded = 0;
    let mut gathered = Vec::with_capacity(AT_ONCE.min(characters));
    for from in (0..characters).step_by(AT_ONCE) {
        let to = (from + AT_ONCE).min(characters);
        gathered.clear();
        lines.gather(text, from, to, &mut gathered);
        // Padding ends the text; before that it is wrong.
        if to < characters && gathered.last() == Some(&b'=') {
            return Err(to - 1);
        }
        let bytes = STANDARD.decode(&gathered).map_err(|error| {
            from + match error {
                DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => at,
                DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => gathered.len() - 1,
            }
        })?;
        decoded += bytes.len();
    }
    Ok(decoded)
}

/// The most characters, not more than `most`, that are whole lines and whole groups of four.
fn whole_lines(most: usize, line: usize) -> usize {
    let mut lines = most / line;
    while !(lines * line).is_multiple_of(4) {
        lines -= 1;
    }
    lines * line
}

/// Writes bytes as base64 in lines, piece by piece.
pub struct Encoder {
    lines: Lines,
    /// Bytes that wait for a group of three to be full.
    pending: Vec<u8>,
    /// Characters in the line begun.
    column: usize,
    characters: Vec<u8>,
}

impl Encoder {
    pub fn new(lines: Lines) -> Self {
        Self {
            lines,
            pending: Vec::with_capacity(3),
            column: 0,
            characters: Vec::new(),
        }
    }

    /// Appends the text of `bytes` to `out`.
    pub fn write(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        if !self.pending.is_empty() {
            let missing = (3 - self.pending.len()).min(bytes.len());
            self.pending.extend_from_slice(&bytes[..missing]);
            bytes = &bytes[missing..];
            if self.pending.len() < 3 {
                return;
            }
            let group = std::mem::take(&mut self.pending);
            self.put(&group, out);
        }
        let whole = bytes.len() / 3 * 3;
        for piece in bytes[..whole].chunks(AT_ONCE / 4 * 3) {
            self.put(piece, out);
        }
        self.pending.extend_from_slice(&bytes[whole..]);
    }

    /// Appends what is left, and the last line end where there was one.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        let rest = std::mem::take(&mut self.pending);
        self.put(&rest, out);
        if self.lines.ends_with_line_end {
            out.extend_from_slice(self.lines.end());
        }
    }

    fn put(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.characters.resize(bytes.len().div_ceil(3) * 4, 0);
        let written = STANDARD.encode_slice(bytes, &mut self.characters).unwrap_or_default();
        let mut characters = &self.characters[..written];
        let line = self.lines.line as usize;
        while !characters.is_empty() {
            if self.column == line {
                out.extend_from_slice(self.lines.end());
                self.column = 0;
            }
            let (now, later) = characters.split_at((line - self.column).min(characters.len()));
            out.extend_from_slice(now);
            self.column += now.len();
            characters = later;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(bytes: &[u8], lines: Lines) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(lines);
        encoder.write(bytes, &mut out);
        encoder.finish(&mut out);
        out
    }

    /// What is measured must give back exactly the text it was measured in.
    fn assert_exact(text: &[u8]) -> Option<Regular> {
        let regular = measure(text)?;
        let bytes = regular.lines.decode(text, 0, regular.decoded).unwrap();
        assert_eq!(bytes.len(), regular.decoded);
        assert_eq!(encoded(&bytes, regular.lines), &text[..regular.encoded]);
        Some(regular)
    }

    proptest! {
        #[test]
        fn regular_base64_is_found_whole(
            bytes in prop::collection::vec(any::<u8>(), 1..4000),
            line in 1..200u32, crlf: bool, ends_with_line_end: bool,
            tail in prop::sample::select(vec!["", "\r\n", "\n", "\n--x", "!", "=", "\r"]),
        ) {
            let lines = Lines { line, crlf, ends_with_line_end };
            let mut text = encoded(&bytes, lines);
            let whole = text.len();
            text.extend_from_slice(tail.as_bytes());
            let regular = assert_exact(&text);
            if ends_with_line_end && text.len() > whole && !tail.starts_with(['!', '=']) && text.len() > line as usize + 2 {
                prop_assert_eq!(regular.map(|it| it.decoded), Some(bytes.len()));
            }
            if tail.is_empty() {
                let regular = regular.unwrap();
                prop_assert_eq!((regular.encoded, regular.decoded), (whole, bytes.len()));
            }
        }

        #[test]
        fn whatever_is_measured_is_exact(
            bytes in prop::collection::vec(any::<u8>(), 1..3000), line in 1..100u32, crlf: bool,
            at: prop::sample::Index, with in prop::sample::select(b"=\n\r AZ-!\xff".to_vec()), insert: bool,
        ) {
            let lines = Lines { line, crlf, ends_with_line_end: true };
            let mut text = encoded(&bytes, lines);
            let at = at.index(text.len());
            if insert { text.insert(at, with) } else { text[at] = with }
            assert_exact(&text);
        }

        #[test]
        fn any_bytes_are_measured_exactly(text in prop::collection::vec(prop::sample::select(b"QUJD=\r\n".to_vec()), 0..200)) {
            assert_exact(&text);
        }

        #[test]
        fn pieces_give_the_same_as_the_whole(
            bytes in prop::collection::vec(any::<u8>(), 1..2000), line in 1..90u32,
            cut: prop::sample::Index, from: prop::sample::Index,
        ) {
            let lines = Lines { line, crlf: true, ends_with_line_end: false };
            let text = encoded(&bytes, lines);
            let (mut out, mut encoder) = (Vec::new(), Encoder::new(lines));
            let cut = cut.index(bytes.len());
            encoder.write(&bytes[..cut], &mut out);
            encoder.write(&bytes[cut..], &mut out);
            encoder.finish(&mut out);
            prop_assert_eq!(&out, &text);
            let from = from.index(bytes.len()) / 3 * 3;
            prop_assert_eq!(&lines.decode(&text, from, bytes.len()).unwrap()[..], &bytes[from..]);
        }
    }

    #[test]
    fn padding_that_is_not_canonical_is_left_out() {
        // "QR==" has bits set that no byte has.
        let regular = assert_exact(b"QUJD\nQUJD\nQR==\n").unwrap();
        assert_eq!((regular.encoded, regular.decoded), (10, 6));
        assert_eq!(measure(b"QR=="), None);
        assert_eq!(measure(b"\nQUJD"), None);
        assert_eq!(measure(b""), None);
    }
}
