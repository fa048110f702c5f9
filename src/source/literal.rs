//! Where the literals are in a stream of IMAP responses (RFC 9051, 4.3).
//!
//! The parser buffers a literal whole and makes room for it as soon as its length is read. So
//! the length is held against what the command allows for before the parser sees it, and a
//! line outside literals is bounded too.

/// What the parser panics on. A date that is none comes without harm.
const NIL_DATE: &[u8] = b"INTERNALDATE NIL";
const NO_DATE: &[u8; 3] = b"\" \"";

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
    /// Where in the bytes last fed a date ends that is NIL.
    nil_dates: Vec<usize>,
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
            nil_dates: Vec::new(),
        }
    }
}

impl Framing {
    /// Takes the next bytes read; `left` is what the command still allows after them.
    ///
    /// # Errors
    /// They announce a literal that does not fit into `left` or `most`, or the line is too long.
    pub fn feed(&mut self, all: &[u8], left: u64) -> Result<(), Oversize> {
        self.nil_dates.clear();
        let mut bytes = all;
        while !bytes.is_empty() {
            if self.literal > 0 {
                let skipped = self.literal.min(bytes.len() as u64);
                self.literal -= skipped;
                bytes = &bytes[skipped as usize..];
                continue;
            }
            let end = memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
            let (line, rest) = bytes.split_at(end);
            self.find_nil_dates(line, all.len() - bytes.len());
            self.extend(line)?;
            bytes = rest;
            if line.last() == Some(&b'\n') {
                self.end_of_line(left + rest.len() as u64)?;
            }
        }
        Ok(())
    }

    /// Looks for dates that are NIL and end in this part of a line, which begins at `start` of the bytes fed. The tail
    /// may hold their beginning.
    fn find_nil_dates(&mut self, part: &[u8], start: usize) {
        let known = self.tail.len();
        let mut text = std::borrow::Cow::Borrowed(part);
        if known > 0 {
            text = [&self.tail, part].concat().into();
        }
        for end in NIL_DATE.len()..=text.len() {
            // The tail was looked at before.
            let ends = end > known && text[end - 1].eq_ignore_ascii_case(&b'L');
            if ends && text[end - NIL_DATE.len()..end].eq_ignore_ascii_case(NIL_DATE) {
                self.nil_dates.push(start + end - known);
            }
        }
    }

    /// Makes empty dates of those that are NIL, in the bytes last fed and `held` bytes before them.
    pub fn mend(&self, bytes: &mut [u8], held: usize) {
        for end in &self.nil_dates {
            let end = held + end;
            if let Some(nil) = bytes.get_mut(end.saturating_sub(NO_DATE.len())..end) {
                nil.copy_from_slice(NO_DATE);
            }
        }
    }

    /// How many bytes at the end of those fed may be the beginning of a NIL that is to be mended.
    pub fn undecided(&self) -> usize {
        let word = NIL_DATE.len() - NO_DATE.len();
        let begins = |count: &usize| {
            let begun = &NIL_DATE[..word + count];
            let from = self.tail.len().checked_sub(begun.len());
            from.is_some_and(|from| self.tail[from..].eq_ignore_ascii_case(begun))
        };
        match self.literal {
            0 => [2, 1].into_iter().find(begins).unwrap_or(0),
            _ => 0,
        }
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

    /// What comes out of a stream that is read in pieces.
    fn mended(text: &[u8], piece: usize) -> Vec<u8> {
        let mut framing = Framing::default();
        let (mut out, mut held) = (Vec::new(), Vec::new());
        for part in text.chunks(piece) {
            framing.feed(part, u64::MAX / 2).unwrap();
            let before = held.len();
            held.extend_from_slice(part);
            framing.mend(&mut held, before);
            let undecided = framing.undecided();
            let rest = held.split_off(held.len() - undecided);
            out.append(&mut held);
            held = rest;
        }
        assert_eq!(held, b"", "nothing is held at the end of a line");
        out
    }

    #[test]
    fn a_date_that_is_nil_is_made_an_empty_one_however_it_is_cut() {
        let text = b"* 1 FETCH (UID 5 internaldate nil BODY[] {16}\r\nINTERNALDATE NIL INTERNALDATE NIL)\r\n\
            * 2 FETCH (INTERNALDATE NIL)\r\n* OK INTERNALDATE NI\r\n* 3 FETCH (BODY[] NIL)\r\n";
        let expected = b"* 1 FETCH (UID 5 internaldate \" \" BODY[] {16}\r\nINTERNALDATE NIL INTERNALDATE \" \")\r\n\
            * 2 FETCH (INTERNALDATE \" \")\r\n* OK INTERNALDATE NI\r\n* 3 FETCH (BODY[] NIL)\r\n";
        for piece in 1..=text.len() {
            assert_eq!(mended(text, piece), expected, "{piece}");
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
