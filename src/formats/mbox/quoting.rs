//! Quoted `From ` lines, as they were before.

use memchr::memmem;

use crate::identify::Header;

/// Bytes of a message in which its From field is looked for.
const HEADER: usize = 1 << 20;

/// Which `>` before `From ` at the beginning of a line quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quoting {
    /// The first of any number (mboxrd).
    Any,
    /// A single one (mboxo, mboxcl): `>>From ` was written so.
    One,
    /// None (mboxcl2).
    None,
}

impl Quoting {
    /// Takes the quoting out of a message, in place: a large message must not be there twice.
    pub fn undo(self, message: &mut Vec<u8>) {
        if self == Self::None {
            return;
        }
        let quoted: &[u8] = if is_of_imap_backup(message) {
            b">From"
        } else {
            b">From "
        };
        let finder = memmem::Finder::new(quoted);
        // What is before `read` was looked at, and is kept in what is before `written`.
        let (mut read, mut written) = (0, 0);
        while let Some(at) = finder.find(&message[read..]) {
            let last = read + at;
            let quotes = message[read..last]
                .iter()
                .rev()
                .take_while(|byte| **byte == b'>')
                .count();
            let first = last - quotes;
            let begins_line = first == 0 || message[first - 1] == b'\n';
            let quoted = begins_line && (self == Self::Any || quotes == 0);
            message.copy_within(read..last, written);
            written += last - read;
            read = last;
            if quoted {
                read += 1;
            } else {
                message[written] = b'>';
                written += 1;
                read += 1;
            }
        }
        let length = message.len();
        message.copy_within(read..length, written);
        message.truncate(written + length - read);
    }
}

/// Whether each line that begins with `From` is quoted, the From field included, as imap-backup does: only then a
/// message has such a field and no other. (Its `Email::Mboxrd::Message`.)
fn is_of_imap_backup(message: &[u8]) -> bool {
    let beginning = &message[..message.len().min(HEADER)];
    if memmem::find(beginning, b">From:").is_none() {
        return false;
    }
    let header = Header::scan(beginning);
    header.all(">From").next().is_some() && header.all("From").next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_takes_away_what_it_put() {
        let quoted = b">From a\n>>From b\n> From c\nx>From d\n>>>From e\n>From";
        for (quoting, expected) in [
            (
                Quoting::Any,
                &b"From a\n>From b\n> From c\nx>From d\n>>From e\n>From"[..],
            ),
            (Quoting::One, b"From a\n>>From b\n> From c\nx>From d\n>>>From e\n>From"),
            (Quoting::None, quoted),
        ] {
            let mut message = quoted.to_vec();
            quoting.undo(&mut message);
            assert_eq!(message.escape_ascii().to_string(), expected.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_from_field_that_was_quoted_is_one_again() {
        let written = "Received: x\n>From: Bob\nTo: b\n\n>From: here\n>>From\n> From\n>Fro\n";
        let before = "Received: x\nFrom: Bob\nTo: b\n\nFrom: here\n>From\n> From\n>Fro\n";
        let undone = |text: &str| {
            let mut message = text.as_bytes().to_vec();
            Quoting::Any.undo(&mut message);
            String::from_utf8(message).unwrap()
        };
        assert_eq!(undone(written), before);
        for other in ["From: a\n>From: b\n\n>From: x\n", "To: a\n\n>From: b\n"] {
            assert_eq!(undone(other), other);
        }
    }

    /// The run of `>` before a find goes on from where the one before was read: it must not be looked at again.
    #[test]
    fn long_runs_take_no_longer() {
        let mut message = b">".repeat(1 << 20);
        message.extend_from_slice(b"From a\n>From >From >From b");
        let length = message.len();
        Quoting::Any.undo(&mut message);
        assert_eq!(message.len(), length - 2);
        assert!(message.ends_with(b">From a\nFrom >From >From b"));
    }
}
