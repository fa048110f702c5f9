//! Where the literals are in a stream of IMAP responses (RFC 9051, 4.3).
//!
//! The parser buffers a literal whole and makes room for it as soon as its length is read. So
//! the length is held against what the command allows for before the parser sees it, and a
//! line outside literals is bounded too.

/// The longest line, without its literals, that a server may send; the longest real ones are
/// answers to SEARCH. Bytes.
const MAX_LINE: u64 = 1 << 20;

/// What the literals of one response may have together, in bytes, where no bodies were asked for: names of folders.
pub(super) const NAMES: u64 = 1 << 20;

/// Enough of a line's start to tell what it is, and enough of its end for `{4294967295+}\r\n`.
const HEAD: usize = 12;
const TAIL: usize = 16;

/// Literals, or a line, of more bytes than are allowed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Oversize {
    pub limit: u64,
}

/// Follows a stream of responses, however it is cut into reads.
pub(super) struct Framing {
    /// What the literals of one response may have together: the parser holds them all until its end.
    pub most: u64,
    /// What those of the current response have so far.
    literals: u64,
    /// Bytes of the current literal still to come.
    literal: u64,
    /// The first bytes of the current line; after a literal the line goes on.
    head: Vec<u8>,
    /// The last bytes of the current line.
    tail: Vec<u8>,
    line: u64,
}

impl Default for Framing {
    fn default() -> Self {
        Self {
            most: NAMES,
            literals: 0,
            literal: 0,
            head: Vec::new(),
            tail: Vec::new(),
            line: 0,
        }
    }
}

impl Framing {
    /// Takes the next bytes read; `left` is what the command still allows after them.
    ///
    /// # Errors
    /// They announce a literal that does not fit into `left` or `most`, or the line is too long.
    pub fn feed(&mut self, mut bytes: &[u8], left: u64) -> Result<(), Oversize> {
        while !bytes.is_empty() {
            if self.literal > 0 {
                let skipped = self.literal.min(bytes.len() as u64);
                self.literal -= skipped;
                bytes = &bytes[skipped as usize..];
                continue;
            }
            let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            let (line, rest) = bytes.split_at(end);
            self.extend(line)?;
            bytes = rest;
            if line.last() == Some(&b'\n') {
                self.end_of_line(left + rest.len() as u64)?;
            }
        }
        Ok(())
    }

    fn extend(&mut self, part: &[u8]) -> Result<(), Oversize> {
        self.line += part.len() as u64;
        if self.line > MAX_LINE {
            return Err(Oversize { limit: MAX_LINE });
        }
        let missing = HEAD.saturating_sub(self.head.len());
        self.head.extend_from_slice(&part[..missing.min(part.len())]);
        self.tail.extend_from_slice(&part[part.len().saturating_sub(TAIL)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        Ok(())
    }

    fn end_of_line(&mut self, left: u64) -> Result<(), Oversize> {
        let announced = if may_hold_literals(&self.head) {
            announced(&self.tail)
        } else {
            None
        };
        self.tail.clear();
        let limit = left.min(self.most.saturating_sub(self.literals));
        match announced {
            Some(length) if length > limit => return Err(Oversize { limit }),
            Some(length) => {
                self.literal = length;
                self.literals += length;
            }
            None => {
                self.head.clear();
                self.line = 0;
                self.literals = 0;
            }
        }
        Ok(())
    }
}

/// Status responses end in text for people, which may look like a literal and is none.
fn may_hold_literals(head: &[u8]) -> bool {
    let Some(data) = head.strip_prefix(b"* ") else {
        return false;
    };
    let word = data.split(|byte| matches!(byte, b' ' | b'\r' | b'\n')).next();
    !["OK", "NO", "BAD", "BYE", "PREAUTH"]
        .iter()
        .any(|status| word.unwrap_or_default().eq_ignore_ascii_case(status.as_bytes()))
}

/// The length that a line ending in `{length}` CRLF announces.
fn announced(tail: &[u8]) -> Option<u64> {
    let text = tail.strip_suffix(b"}\r\n")?;
    let open = memchr::memrchr(b'{', text)?;
    let digits = std::str::from_utf8(&text[open + 1..]).ok()?;
    digits.strip_suffix('+').unwrap_or(digits).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed_in_pieces(text: &[u8], piece: usize, allowed: u64) -> Result<(), Oversize> {
        let mut framing = Framing::default();
        let mut left = allowed;
        for part in text.chunks(piece) {
            left -= part.len() as u64;
            framing.feed(part, left)?;
        }
        assert_eq!(framing.literal, 0, "the framing is in step");
        Ok(())
    }

    #[test]
    fn a_literal_that_fits_passes_however_it_is_cut() {
        let text = b"* 1 FETCH (BODY[] {11}\r\n{999999}\r\n\n FLAGS ())\r\n* OK {5}\r\nA1 OK {77777}\r\n* 2 FETCH (BODY[] {0}\r\n)\r\n";
        for piece in 1..text.len() {
            assert_eq!(feed_in_pieces(text, piece, text.len() as u64), Ok(()), "{piece}");
        }
    }

    #[test]
    fn a_literal_beyond_the_allowance_is_refused_before_it_comes() {
        let text = b"* 1 FETCH (BODY[] {400000000}\r\n";
        for piece in 1..text.len() {
            let refused = feed_in_pieces(text, piece, 5_000);
            let limit = 5_000 - text.len() as u64;
            assert_eq!(refused, Err(Oversize { limit }), "{piece}");
        }
    }

    #[test]
    fn literals_of_one_response_count_together_and_those_of_others_do_not() {
        let literal = |text: &str| format!("{text} {{600000}}\r\n{}", "x".repeat(600_000));
        let names = |more: &str| literal("* LIST ()") + &literal(more) + "\r\n";
        let two = names("");
        let limit = NAMES - 600_000;
        assert_eq!(feed_in_pieces(two.as_bytes(), 4096, u64::MAX), Err(Oversize { limit }));
        let apart = names("\r\n* LIST ()");
        assert_eq!(feed_in_pieces(apart.as_bytes(), 4096, u64::MAX), Ok(()));
    }

    #[test]
    fn a_line_without_end_is_refused() {
        let text = vec![b'x'; 2 << 20];
        assert_eq!(feed_in_pieces(&text, 4096, 3 << 20), Err(Oversize { limit: MAX_LINE }));
    }
}
