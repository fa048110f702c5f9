//! Where a response of IMAP ends, and where in it its literals are (RFC 9051, 4.3).
//!
//! Nothing is read of a literal but its length, and that is held against what the command allows for before there is
//! room for it. A line outside literals is bounded too.

use std::ops::Range;

use super::screen::Head;

/// The longest response, without its literals, that a server may send; the longest real ones are answers to SEARCH.
/// Bytes.
pub(super) const MAX_LINE: u64 = 1 << 20;

/// What the literals of one response may have together, in bytes, where no bodies were asked for: names of folders.
pub(super) const NAMES: u64 = 1 << 20;

/// Enough of a line's end for any length that can be said, `{` included.
const TAIL: usize = 64;

/// Literals, or a line, of more bytes than are allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Oversize {
    pub limit: u64,
}

/// Where a response ends, and its literals.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub end: usize,
    pub literals: Vec<Range<usize>>,
}

/// Follows the response at the beginning of a buffer, however it is cut into reads.
#[derive(Default)]
pub(super) struct Framing {
    /// Where the bytes begin that were not looked at yet.
    seen: usize,
    /// Where the part of the line begins that goes on behind the last literal.
    part: usize,
    literals: Vec<Range<usize>>,
    /// Bytes that they have together.
    held: u64,
    /// Whether it is of a kind that has literals.
    may_hold: Option<bool>,
    open: Open,
}

impl Framing {
    /// Looks at what of the response has come. `most` is what its literals may have together, `left` what the command
    /// still allows beyond the buffer. Gives the frame once the response is whole; the next one begins behind it.
    ///
    /// # Errors
    /// It announces a literal that does not fit into `left` or `most`, or the line is too long.
    pub fn look(&mut self, buffer: &[u8], most: u64, left: u64) -> Result<Option<Frame>, Oversize> {
        loop {
            let Some(unseen) = buffer.get(self.seen..) else {
                // Within a literal.
                return Ok(None);
            };
            let found = memchr::memchr(b'\n', unseen);
            let end = found.map_or(buffer.len(), |at| self.seen + at + 1);
            if end as u64 - self.held > MAX_LINE {
                return Err(Oversize { limit: MAX_LINE });
            }
            if found.is_none() {
                self.seen = end;
                return Ok(None);
            }
            let part = &buffer[self.part..end];
            if let Some(length) = announced(part)
                && self.may_hold_literals(buffer)
            {
                let limit = most.saturating_sub(self.held);
                let here = (buffer.len() - end) as u64;
                if length > limit || length.saturating_sub(here) > left {
                    return Err(Oversize {
                        limit: limit.min(left.saturating_add(here)),
                    });
                }
                self.open.read(part);
                // It fits into what is allowed, which fits into memory.
                let literal = end..end + length as usize;
                (self.seen, self.part) = (literal.end, literal.end);
                self.literals.push(literal);
                self.held += length;
                continue;
            }
            if self.goes_on_behind_a_blank_line(part) {
                match goes_on(&buffer[end..]) {
                    Some(true) => {
                        self.seen = end;
                        self.open.blank_lines += 1;
                        self.part = end;
                        continue;
                    }
                    Some(false) => {}
                    // The next line decides.
                    None => return Ok(None),
                }
            }
            let literals = std::mem::take(&mut self.literals);
            *self = Self::default();
            return Ok(Some(Frame { end, literals }));
        }
    }

    fn may_hold_literals(&mut self, buffer: &[u8]) -> bool {
        *self.may_hold.get_or_insert_with(|| {
            let head = Head::of(buffer);
            // The list that these stand in was closed before its end.
            self.open.lists = u32::from(head == Head::Attributes);
            head.may_hold_literals()
        })
    }

    /// How far the buffer reaches when the literal has come that is coming.
    pub fn needs(&self) -> usize {
        self.seen
    }

    /// Some servers send a line end behind a literal that none of them counts.
    fn goes_on_behind_a_blank_line(&self, part: &[u8]) -> bool {
        let is_blank = part.iter().all(u8::is_ascii_whitespace);
        is_blank && !self.literals.is_empty() && self.open.lists > 0 && self.open.blank_lines == 0
    }
}

/// Which lists a response has open where a literal comes.
#[derive(Default)]
struct Open {
    lists: u32,
    blank_lines: u32,
}

impl Open {
    /// Reads the part of a line that ends where a literal begins.
    fn read(&mut self, part: &[u8]) {
        let (mut quoted, mut escaped) = (false, false);
        for byte in part {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'(' if !quoted => self.lists += 1,
                b')' if !quoted => self.lists = self.lists.saturating_sub(1),
                _ => {}
            }
        }
    }
}

/// Whether the line behind a blank one belongs to the response before; `None` where too little of it has come to tell.
fn goes_on(next: &[u8]) -> Option<bool> {
    let next = next.trim_ascii_start();
    match next.first()? {
        b')' => Some(true),
        _ => match memchr::memchr(b'\n', next) {
            None => (next.len() as u64 > MAX_LINE).then_some(false),
            Some(_) => Some(matches!(Head::of(next), Head::Attributes)),
        },
    }
}

/// The length that a line ending in `{length}` CRLF announces.
fn announced(part: &[u8]) -> Option<u64> {
    let text = part.strip_suffix(b"}\r\n")?;
    let tail = &text[text.len().saturating_sub(TAIL)..];
    let digits = &tail[memchr::memrchr(b'{', tail)? + 1..];
    let digits = std::str::from_utf8(digits).ok()?;
    let digits = digits.strip_suffix('+').unwrap_or(digits);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // What is beyond all numbers is beyond what is allowed too.
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the responses end in a stream that comes in pieces.
    fn ends(text: &[u8], piece: usize, most: u64, allowed: u64) -> Result<Vec<usize>, Oversize> {
        let (mut framing, mut ends) = (Framing::default(), Vec::new());
        let mut start = 0;
        for come in (0..text.len()).step_by(piece).skip(1).chain([text.len()]) {
            while let Some(frame) = framing.look(&text[start..come], most, allowed - come as u64)? {
                start += frame.end;
                ends.push(start);
            }
        }
        Ok(ends)
    }

    #[test]
    fn a_response_ends_behind_its_literals_however_it_is_cut() {
        let responses = [
            "* 1 FETCH (BODY[] {11}\r\n{999999}\r\n\n FLAGS ())\r\n",
            "* OK {5}\r\n",
            "A1 OK {77777}\r\n",
            "* 2 FETCH (BODY[] {0+}\r\n)\r\n",
            "* 3 FETCH (BODY[] {3}\r\none\r\n)\r\n",
            "* 4 FETCH (BODY[] {3}\r\none\r\n",
            "* 5 FETCH (UID 7)\r\n",
            " BODY[] {4}\r\n* 6 )\r\n",
            "* LIST () NIL {3}\r\none\r\n",
            "\r\n",
            "Subject: {8}\r\n",
            "* 7 EXISTS\r\n",
        ];
        let text = responses.concat().into_bytes();
        let expected: Vec<usize> = responses
            .iter()
            .scan(0, |end, one| {
                *end += one.len();
                Some(*end)
            })
            .collect();
        for piece in 1..=text.len() {
            assert_eq!(
                ends(&text, piece, NAMES, text.len() as u64),
                Ok(expected.clone()),
                "{piece}"
            );
        }
    }

    #[test]
    fn a_literal_beyond_the_allowance_is_refused_before_it_comes() {
        let text = b"* 1 FETCH (BODY[] {400000000}\r\n";
        for piece in 1..text.len() {
            let limit = 5_000 - text.len() as u64;
            assert_eq!(ends(text, piece, u64::MAX, 5_000), Err(Oversize { limit }), "{piece}");
        }
        assert_eq!(ends(text, 9, NAMES, u64::MAX), Err(Oversize { limit: NAMES }));
        let longest = format!("* 1 FETCH (BODY[] {{{}}}\r\n", u64::MAX);
        assert_eq!(
            ends(longest.as_bytes(), 99, NAMES, u64::MAX),
            Err(Oversize { limit: NAMES })
        );
    }

    #[test]
    fn literals_of_one_response_count_together_and_those_of_others_do_not() {
        let literal = |text: &str| format!("{text} {{600000}}\r\n{}", "x".repeat(600_000));
        let names = |more: &str| literal("* LIST ()") + &literal(more) + "\r\n";
        let limit = NAMES - 600_000;
        let two = names("");
        assert_eq!(ends(two.as_bytes(), 4096, NAMES, u64::MAX), Err(Oversize { limit }));
        let apart = names("\r\n* LIST ()");
        assert_eq!(
            ends(apart.as_bytes(), 4096, NAMES, u64::MAX).map(|ends| ends.len()),
            Ok(2)
        );
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let text = vec![b'x'; 2 << 20];
        assert_eq!(ends(&text, 4096, NAMES, 3 << 20), Err(Oversize { limit: MAX_LINE }));
    }
}
