//! Quoted `From ` lines, as they were before.

use memchr::memmem;

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
        let finder = memmem::Finder::new(b">From ");
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
