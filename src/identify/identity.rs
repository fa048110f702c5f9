//! When two copies count as the same message.
//!
//! The identity is a BLAKE3 digest over the message without what delivery, mail stores and clients add. Line ends count
//! as one, and one line end at the very end does not count (POP3 adds it). Everything else counts.
//! docs/decisions/identity.md and identity-2.md say why.
//!
//! What is read as a header here is a matter of its own: archives hold these digests for ever, and how a header is read
//! elsewhere may become more generous.

use std::sync::LazyLock;

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use memchr::{memchr, memchr_iter};

use super::added::is_left_out;

/// The version of the identities that are computed now. One of a later version leaves out all that those before it did.
pub const VERSION: u32 = 2;

/// The context of all versions: so a message that has nothing in it which only a later version leaves out has one
/// digest in all of them, and archives need not be read through.
const CONTEXT: &str = "dropkeep 2026-11 message identity version 1";
static KEY: LazyLock<ContextKey> = LazyLock::new(|| hash_derive_key_context(CONTEXT));

/// The identity of a message in a version, 1 or later. Linear in the message's length.
pub fn identity(message: &[u8], version: u32) -> [u8; 32] {
    let mut digest = Normalised::new(message.len());
    each_piece(message, version, |piece| digest.update(piece));
    digest.finish()
}

/// The identity of version 1, where it is another than that of [`VERSION`].
pub fn former(message: &[u8]) -> Option<[u8; 32]> {
    let counts = |version| {
        let mut bytes = 0;
        each_piece(message, version, |piece| bytes += piece.len());
        bytes
    };
    (counts(1) != counts(VERSION)).then(|| identity(message, 1))
}

/// Hands on what of a message counts, in its order.
fn each_piece<'m>(message: &'m [u8], version: u32, mut piece: impl FnMut(&'m [u8])) {
    let (mut from, mut at) = (0, 0);
    if version == 1 {
        at = skip_separators(message);
    } else {
        let mut end = 0;
        while let Some((_, behind)) = at_top(message, end, version) {
            end = behind;
        }
        if field(message, end).is_some() {
            (from, at) = (end, end);
        }
        // Where no field follows that counts, what looks like a separator may be what somebody wrote.
        while let Some((leftover, behind)) = at_top(message, at, version) {
            if !leftover {
                piece(&message[from..at]);
                from = behind;
            }
            at = behind;
        }
    }
    while let Some((name, end)) = field(message, at) {
        if is_left_out(name, version) {
            piece(&message[from..at]);
            from = end;
        }
        at = end;
    }
    piece(&message[from..]);
}

/// What stands at a place above the first field that counts: whether it is something other than a field, and where it
/// ends.
fn at_top(message: &[u8], at: usize, version: u32) -> Option<(bool, usize)> {
    let behind = skip_leftovers(message, at);
    if behind > at {
        return Some((true, behind));
    }
    let (name, end) = field(message, at)?;
    is_left_out(name, version).then_some((false, end))
}

/// The name of the field at a place, and where the line behind it begins, folded lines passed over; `None` where the
/// header ends. White space before the colon is obsolete syntax (RFC 5322, 4.5).
fn field(message: &[u8], at: usize) -> Option<(&[u8], usize)> {
    if matches!(&message[at..], [] | [b'\n', ..] | [b'\r', b'\n', ..]) {
        return None;
    }
    let mut end = line_end(message, at);
    let line = &message[at..end];
    let name = line[..memchr(b':', line)?].trim_ascii_end();
    if name.is_empty() || !name.iter().all(|byte| (33..=126).contains(byte)) {
        return None;
    }
    while matches!(message.get(end), Some(b' ' | b'\t')) {
        end = line_end(message, end);
    }
    Some((name, end))
}

fn line_end(message: &[u8], at: usize) -> usize {
    memchr(b'\n', &message[at..]).map_or(message.len(), |newline| at + newline + 1)
}

/// Where the line behind mbox separators begins.
fn skip_separators(message: &[u8]) -> usize {
    let mut at = 0;
    while message[at..].starts_with(b"From ") || message[at..].starts_with(b">From ") {
        at = line_end(message, at);
    }
    at
}

/// Where what imports and editors leave above a header ends: mbox separators, quoted or not, and byte order marks.
fn skip_leftovers(message: &[u8], mut at: usize) -> usize {
    const MARK: &[u8] = "\u{feff}".as_bytes();
    loop {
        let rest = &message[at..];
        let quotes = rest.iter().take_while(|byte| **byte == b'>').count();
        if rest.starts_with(MARK) {
            at += MARK.len();
        } else if rest[quotes..].starts_with(b"From ") {
            at = line_end(message, at);
        } else {
            return at;
        }
    }
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
    /// For so many bytes, about.
    fn new(length: usize) -> Self {
        Self {
            hasher: blake3::Hasher::new_from_context_key(&KEY),
            buffer: Vec::with_capacity(length.min(BUFFER) + 2),
            line_end: false,
            cr: false,
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        if self.cr && !bytes.is_empty() {
            self.cr = false;
            if bytes[0] != b'\n' {
                self.push(b"\r");
            }
        }
        let mut from = 0;
        for at in memchr_iter(b'\r', bytes) {
            match bytes.get(at + 1) {
                Some(b'\n') => {}
                // It is a byte like any other.
                Some(_) => continue,
                None => self.cr = true,
            }
            self.push(&bytes[from..at]);
            from = at + 1;
        }
        self.push(&bytes[from..]);
    }

    fn push(&mut self, bytes: &[u8]) {
        let Some((last, rest)) = bytes.split_last() else { return };
        if self.line_end {
            self.append(b"\n");
        }
        self.line_end = *last == b'\n';
        self.append(if self.line_end { rest } else { bytes });
    }

    fn append(&mut self, mut bytes: &[u8]) {
        while let Some((fits, rest)) = bytes.split_at_checked(BUFFER - self.buffer.len()) {
            self.buffer.extend_from_slice(fits);
            self.hasher.update(&self.buffer);
            self.buffer.clear();
            bytes = rest;
        }
        self.buffer.extend_from_slice(bytes);
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
        identity(message, VERSION)
    }

    /// What of a message counts.
    fn counting(message: &[u8], version: u32) -> Vec<u8> {
        let mut pieces = Vec::new();
        each_piece(message, version, |piece| pieces.extend_from_slice(piece));
        pieces
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
            assert_eq!(former(message), None);
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

    #[test]
    fn one_message_counted_as_several_once_a_client_or_an_archive_had_it() {
        let plain: &[u8] = b"Subject: x\nTo: a@example.com\n\nbody\n";
        let same: [&[u8]; 8] = [
            b"X-Account-Key: account1\nX-UIDL: 1\nX-Mozilla-Status: 0001\nSubject: x\nTo: a@example.com\n\nbody\n",
            b"X-MailStore-Date: 20030101100000\nSubject: x\nTo: a@example.com\nX-MailStore-Flags: 1\n\nbody\n",
            b"Subject: x\nX-MS-Exchange-Organization-MessageLatency: SRV=a\n :b\nTo: a@example.com\n\nbody\n",
            b">From - Wed Jan  1 10:00:00 2003\nX-Mozilla-Status: 0001\nSubject: x\nTo: a@example.com\n\nbody\n",
            b"X-Mozilla-Status: 0001\n>>From - Wed Jan  1 10:00:00 2003\nSubject: x\nTo: a@example.com\n\nbody\n",
            b"From ann@example.com Wed Jan  1 10:00:00 2003\nSubject: x\nTo: a@example.com\n\nbody\n",
            b"\xef\xbb\xbfSubject: x\r\nTo: a@example.com\r\n\r\nbody\r\n",
            b"Received: x\nX-getmail-retrieved-from-mailbox: INBOX\nSubject: x\nTo: a@example.com\nXref: a b:1\n\nbody\n",
        ];
        for message in same {
            assert_eq!(of(message), of(plain), "{}", String::from_utf8_lossy(message));
            assert_eq!(former(message), Some(identity(message, 1)));
            assert_ne!(identity(message, 1), of(plain));
        }
    }

    #[test]
    fn what_looks_like_a_separator_and_stands_elsewhere_counts() {
        let all: [&[u8]; 5] = [
            b"From Ann to all of you\n\nhello\n",
            b"From Ann\nhello\n",
            b"Subject: x\n>From - Wed Jan  1 10:00:00 2003\nReceived: y\n\nbody\n",
            b"Subject: x\n\n>From me\n",
            b"From: a@example.com\n\nbody\n",
        ];
        for message in all {
            assert_eq!(
                counting(message, VERSION),
                message,
                "{}",
                String::from_utf8_lossy(message)
            );
        }
    }

    /// Frozen values: archives hold these digests for ever.
    #[test]
    fn the_digests_of_a_version_never_change() {
        let hex = |message: &[u8], version| blake3::Hash::from_bytes(identity(message, version)).to_hex();
        let plain = b"Received: x\r\nSubject: x\r\n\r\nbody\r\n";
        assert_eq!(hex(plain, 1).as_str(), PLAIN);
        assert_eq!(hex(plain, 2).as_str(), PLAIN);
        let fetched = b"X-Account-Key: account1\r\nSubject: x\r\n\r\nbody\r\n";
        assert_eq!(hex(fetched, 1).as_str(), FETCHED);
        assert_eq!(hex(fetched, 2).as_str(), PLAIN);
        // A line that is not a field ends the header for it, whatever is read there elsewhere.
        assert_eq!(
            counting(b"A: b\nno field\nReceived: x\n\n", 1),
            b"A: b\nno field\nReceived: x\n\n"
        );
        assert_eq!(counting(b"From x\nReceived: y\nA: b\n\n", 1), b"From x\nA: b\n\n");
    }
    const PLAIN: &str = "ff4959eb8200d7d9ad9097bb0f8f3697fb9b1b4a7badda09f0957046ed3906ab";
    const FETCHED: &str = "aecb470c16a8b278b060f1ab1942b815b9f256c3dd85401da8fb034d3bd52f9b";

    const LINES: [&str; 12] = [
        "Subject: x\n",
        "X-Account-Key: a\n",
        "Received: b\n",
        " folded\n",
        "From x\n",
        ">From - y\n",
        "\u{feff}",
        "\n",
        "no field\n",
        "X-MailStore-Date : 1\r\n",
        "Status: RO\n",
        "To: c",
    ];

    proptest! {
        /// Each version leaves out all that the one before it did, and what is left needs nothing more to be left out:
        /// so a digest that is known from either version stands for the same message in both.
        #[test]
        fn what_counts_in_one_version_counts_the_same_in_the_next(
            lines in prop::collection::vec(prop::sample::select(LINES.to_vec()), 0..10),
        ) {
            let message = lines.concat();
            let counts = counting(message.as_bytes(), 2);
            prop_assert_eq!(counting(&counting(message.as_bytes(), 1), 2), &counts[..]);
            prop_assert_eq!(counting(&counts, 2), &counts[..]);
            prop_assert_eq!(former(message.as_bytes()).is_some(), counting(message.as_bytes(), 1) != counts);
        }

        #[test]
        fn line_ends_are_one_however_the_bytes_are_cut(
            body in prop::collection::vec(prop::sample::select(b"ab\r\n".to_vec()), 0..60), cut: prop::sample::Index,
        ) {
            let mut whole = Normalised::new(body.len());
            whole.update(&body);
            let cut = cut.index(body.len() + 1);
            let mut halves = Normalised::new(body.len());
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
