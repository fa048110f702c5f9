//! When two copies count as the same message.
//!
//! The identity is a BLAKE3 digest over the message without the header fields that delivery
//! adds on the way. Line ends count as one, and one line end at the very end does not count
//! (POP3 adds it). Everything else counts. docs/decisions/identity.md says why.

use memchr::memchr;

use super::header::{Field, Header};

/// The context that tells this version's digests from any other's. A change of what the digest
/// covers is a new version, with a new context.
const CONTEXT: &str = "dropkeep 2026-11 message identity version 1";

/// Fields that servers and mail stores add, change or take away under way.
const LEFT_OUT: [&str; 25] = [
    "Received",
    "Return-Path",
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
    "Delivery-Date",
    "X-Received",
    "X-Delivered-To",
    "X-RCPT-TO",
    "Authentication-Results",
    "Received-SPF",
    "Status",
    "X-Status",
    "X-UID",
    "X-UIDL",
    "X-Keywords",
    "X-IMAP",
    "X-IMAPbase",
    "X-Mozilla-Status",
    "X-Mozilla-Status2",
    "X-Mozilla-Keys",
    "X-Gmail-Labels",
    "X-GM-THRID",
    "Content-Length",
    "Lines",
];
/// The same, by how their names begin.
const LEFT_OUT_PREFIXES: [&str; 2] = ["X-Envelope-", "ARC-"];

fn is_left_out(field: &Field) -> bool {
    let begins = |prefix: &&str| {
        field
            .name
            .get(..prefix.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    LEFT_OUT.iter().any(|name| field.is(name)) || LEFT_OUT_PREFIXES.iter().any(begins)
}

/// The identity of `message`, whose header is `header`. This version takes for fields only what stands above the first line
/// that is none.
pub fn identity(message: &[u8], header: &Header) -> [u8; 32] {
    let mut digest = Normalised::new();
    let mut from = 0;
    let until = header.broken.unwrap_or(header.end);
    let fields = header.fields().take_while(|field| field.start < until);
    for field in fields.filter(is_left_out) {
        digest.update(&message[from..field.start]);
        from = field.end;
    }
    digest.update(&message[from..]);
    digest.finish()
}

/// Hashes bytes with CRLF as LF, the very last line end left out.
struct Normalised {
    hasher: blake3::Hasher,
    /// Lines are short, and the hasher is fast on long stretches only.
    buffer: Vec<u8>,
    /// A line end that is hashed only when something follows it.
    line_end: bool,
    /// A CR that may yet be half of a line end.
    cr: bool,
}

const BUFFER: usize = 64 << 10;

impl Normalised {
    fn new() -> Self {
        Self {
            hasher: blake3::Hasher::new_derive_key(CONTEXT),
            buffer: Vec::with_capacity(BUFFER + 2),
            line_end: false,
            cr: false,
        }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        if self.cr && !bytes.is_empty() {
            self.cr = false;
            if bytes[0] != b'\n' {
                self.push(b"\r");
            }
        }
        // Where there is no CR at all there is nothing to do but to copy.
        while let Some(at) = memchr(b'\r', bytes) {
            self.push(&bytes[..at]);
            match bytes.get(at + 1) {
                Some(b'\n') => {}
                Some(_) => self.push(b"\r"),
                None => self.cr = true,
            }
            bytes = &bytes[at + 1..];
        }
        self.push(bytes);
    }

    fn push(&mut self, bytes: &[u8]) {
        let Some((last, rest)) = bytes.split_last() else { return };
        if self.line_end {
            self.append(b"\n");
        }
        self.line_end = *last == b'\n';
        self.append(if self.line_end { rest } else { bytes });
    }

    fn append(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(BUFFER) {
            if self.buffer.len() + chunk.len() > BUFFER {
                self.hasher.update(&self.buffer);
                self.buffer.clear();
            }
            self.buffer.extend_from_slice(chunk);
        }
    }

    fn finish(mut self) -> [u8; 32] {
        if self.cr {
            self.cr = false;
            self.push(b"\r");
        }
        self.hasher.update(&self.buffer);
        *self.hasher.finalize().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(message: &[u8]) -> [u8; 32] {
        identity(message, &Header::scan(message))
    }

    #[test]
    fn what_delivery_adds_does_not_count() {
        let plain = of(b"Subject: x\r\nTo: a@example.com\r\n\r\nbody\r\n");
        let same: [&[u8]; 5] = [
            b"Subject: x\nTo: a@example.com\n\nbody\n",
            b"Subject: x\r\nTo: a@example.com\r\n\r\nbody",
            b"Received: from a\r\n\tby b; now\r\nSubject: x\r\nTo: a@example.com\r\n\r\nbody\r\n",
            b"Return-Path: <x>\r\nSubject: x\r\nDelivered-To: q\r\nTo: a@example.com\r\nStatus: RO\r\n\r\nbody\r\n",
            b"X-Envelope-From: x\r\nARC-Seal: i=1\r\nSubject: x\r\nTo: a@example.com\r\n\r\nbody\r\n",
        ];
        for message in same {
            assert_eq!(of(message), plain, "{}", String::from_utf8_lossy(message));
        }
        let other: [&[u8]; 5] = [
            b"Subject: y\r\nTo: a@example.com\r\n\r\nbody\r\n",
            b"Subject: x\r\nTo: a@example.com\r\n\r\nbody\r\n\r\n",
            b"To: a@example.com\r\nSubject: x\r\n\r\nbody\r\n",
            b"Subject: x\r\nTo: a@example.com\r\n\r\nReceived: in the body\r\nbody\r\n",
            b"Subject: x\r\nTo: a@example.com\r\n\r\nbo\rdy\r\n",
        ];
        for message in other {
            assert_ne!(of(message), plain, "{}", String::from_utf8_lossy(message));
        }
    }

    /// A frozen value: archives hold these digests for ever.
    #[test]
    fn the_digest_of_version_1_never_changes() {
        let digest = of(b"Received: x\r\nSubject: x\r\n\r\nbody\r\n");
        assert_eq!(blake3::Hash::from_bytes(digest).to_hex().as_str(), FROZEN);
    }
    const FROZEN: &str = "ff4959eb8200d7d9ad9097bb0f8f3697fb9b1b4a7badda09f0957046ed3906ab";

    proptest! {
        /// What is read of a broken header must not change what archives hold.
        #[test]
        fn fields_below_a_broken_line_are_digested_as_they_always_were(
            lines in prop::collection::vec(prop::sample::select(vec![
                "Received: x\n", "To: a\n", "Status: O\n", "no field\n", " folded\n", "\n", "\u{feff}", "From x\n", "X-UID: 1\r\n",
            ]), 0..12),
        ) {
            let message = lines.concat().into_bytes();
            prop_assert_eq!(of(&message), identity(&message, &Header::of_part(&message)));
        }

        #[test]
        fn line_ends_are_one_however_the_bytes_are_cut(
            body in prop::collection::vec(prop::sample::select(b"ab\r\n".to_vec()), 0..60), cut: prop::sample::Index,
        ) {
            let mut whole = Normalised::new();
            whole.update(&body);
            let cut = cut.index(body.len() + 1);
            let mut halves = Normalised::new();
            halves.update(&body[..cut]);
            halves.update(&body[cut..]);
            let text = String::from_utf8_lossy(&body).replace("\r\n", "\n");
            let text = text.strip_suffix('\n').unwrap_or(&text);
            let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
            hasher.update(text.as_bytes());
            let expected = *hasher.finalize().as_bytes();
            prop_assert_eq!(whole.finish(), expected);
            prop_assert_eq!(halves.finish(), expected);
        }
    }
}
