//! The bytes of a message out of a multi-line answer (RFC 1939, 3): up to the line of a single
//! dot, with one dot taken off where a line begins with two.
//!
//! Lines end in CRLF and in nothing else. A bare LF is a byte of the message, as some servers
//! send it, so neither does a dot behind it end the message nor is one taken off; a server
//! that ended its messages with bare line ends would be waited for in vain, until the time-out.
//!
//! A line that begins with one dot, and is not that dot alone, cannot come from a server that doubles the dots. It is
//! taken as it is: the server forgot to.

use bytes::{Buf, BytesMut};
use memchr::memmem::Finder;

/// Collects one message.
pub(super) struct Unstuffer {
    message: Vec<u8>,
    at_line_start: bool,
    finder: Finder<'static>,
}

impl Unstuffer {
    /// `expected` is the announced size, in bytes.
    pub fn new(expected: usize) -> Self {
        Self {
            message: Vec::with_capacity(expected),
            at_line_start: true,
            finder: Finder::new(b"\r\n."),
        }
    }

    /// Takes what it can off the buffer. `Some` is the whole message, with the CRLF before the
    /// dot; `None` means that more bytes are needed.
    pub fn take(&mut self, buffer: &mut BytesMut) -> Option<Vec<u8>> {
        loop {
            if self.at_line_start {
                match &buffer[..] {
                    [] | [b'.'] | [b'.', b'\r'] => return None,
                    [b'.', b'\r', b'\n', ..] => {
                        buffer.advance(3);
                        return Some(std::mem::take(&mut self.message));
                    }
                    [b'.', b'.', ..] => buffer.advance(1),
                    _ => {}
                }
                self.at_line_start = false;
            }
            match self.finder.find(buffer) {
                Some(at) => {
                    self.message.extend_from_slice(&buffer[..at + 2]);
                    buffer.advance(at + 2);
                    self.at_line_start = true;
                }
                None => {
                    // A line end at the very end may have a dot behind it.
                    let kept = match &buffer[..] {
                        [.., b'\r', b'\n'] => 2,
                        [.., b'\r'] => 1,
                        _ => 0,
                    };
                    let taken = buffer.len() - kept;
                    self.message.extend_from_slice(&buffer[..taken]);
                    buffer.advance(taken);
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The message, and what is left behind it, of an answer that comes in pieces.
    fn unstuffed(answer: &[u8], piece: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut unstuffer = Unstuffer::new(0);
        let mut buffer = BytesMut::new();
        let mut pieces = answer.chunks(piece);
        loop {
            buffer.extend_from_slice(pieces.next()?);
            if let Some(message) = unstuffer.take(&mut buffer) {
                let left = buffer.iter().chain(pieces.flatten()).copied().collect();
                return Some((message, left));
            }
        }
    }

    #[test]
    fn dots() {
        for (answer, message) in [
            (&b".\r\n"[..], &b""[..]),
            (b"\r\n.\r\n", b"\r\n"),
            (b"..\r\n.\r\n", b".\r\n"),
            (b"a\r\n..b\r\n.\r\n", b"a\r\n.b\r\n"),
            (b"a\n.\nb\r\n.\r\n", b"a\n.\nb\r\n"),
            (b"a\r\r\n.\r\n", b"a\r\r\n"),
            (b"..\r\r\n.\r\n", b".\r\r\n"),
            // Not doubled by the server.
            (b".\r\r\n.\r\n", b".\r\r\n"),
            (b"a\r\n.c\r\n.\r\n", b"a\r\n.c\r\n"),
            (b"a\0b\r\n.\r\n", b"a\0b\r\n"),
        ] {
            for piece in 1..=answer.len() {
                let found = unstuffed(answer, piece);
                assert_eq!(found, Some((message.to_vec(), Vec::new())), "{answer:?} by {piece}");
            }
        }
        assert_eq!(unstuffed(b"a\r\n.", 4), None);
    }

    /// What RFC 1939 tells a server to do.
    fn stuffed(message: &[u8]) -> Vec<u8> {
        let mut answer = Vec::new();
        let mut line_start = true;
        for (at, byte) in message.iter().enumerate() {
            if line_start && *byte == b'.' {
                answer.push(b'.');
            }
            answer.push(*byte);
            line_start = message[..=at].ends_with(b"\r\n");
        }
        if !message.is_empty() && !message.ends_with(b"\r\n") {
            answer.extend_from_slice(b"\r\n");
        }
        answer.extend_from_slice(b".\r\n");
        answer
    }

    proptest! {
        #[test]
        fn any_message_comes_through(
            message in prop::collection::vec(prop::sample::select(&b".\r\nab"[..]), 0..60),
            piece in 1usize..20,
        ) {
            let mut answer = stuffed(&message);
            answer.extend_from_slice(b"+OK next");
            let mut expected = message.clone();
            if !message.is_empty() && !message.ends_with(b"\r\n") {
                expected.extend_from_slice(b"\r\n");
            }
            prop_assert_eq!(unstuffed(&answer, piece), Some((expected, b"+OK next".to_vec())));
        }
    }
}
