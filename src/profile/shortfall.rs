//! Bodies that are empty, or shorter than the server announced. They are fetched once more, later and over another
//! connection; what is the same again came as it stands there. Pure.

use sha2::{Digest, Sha256};

use super::jobs::Came;
use crate::said::{Said, said};
use crate::source::stand_in;

/// Bytes that a server may announce too many: the dot that ends a POP3 message, a last line end.
const SLACK: u64 = 16;

/// Bytes of a line end.
const LINE_END: u64 = 2;

/// What is to be done with bytes that came.
#[derive(Debug, PartialEq)]
pub enum Verdict {
    /// They are a message, with this to be said of it.
    Message(Option<Said>),
    /// They are fetched once more.
    OnceMore(Came),
    /// They are none, for this reason.
    None(Said),
}

/// Judges what came for a copy of this announced size. `before` is what came for it before in this run; `inexact`: the
/// server's sizes are known to be off.
pub fn judge(bytes: &[u8], announced: u64, before: Option<&Came>, inexact: bool) -> Verdict {
    if let Some(server) = stand_in(bytes) {
        return Verdict::None(said!(
            MessageUnavailable,
            "{0} sends a message of its own in place of this one (\"message unavailable\"), as it cannot read it; check \
             the owner and mode of the file on the server",
            server
        ));
    }
    let came = bytes.len() as u64;
    // A message that is said to be empty may be so.
    let is_nothing = bytes.is_empty() && announced > LINE_END;
    if !is_nothing && !is_short(bytes, announced, inexact) {
        return Verdict::Message(None);
    }
    let now = Came {
        sha256: Sha256::digest(bytes).into(),
        size: came,
    };
    match before {
        None => Verdict::OnceMore(now),
        Some(_) if bytes.is_empty() => Verdict::None(said!(
            AnnouncedAndNothing,
            "the server announces {0} bytes for this message and sends nothing, twice; empty = \"archive\" archives it \
             as it is",
            announced
        )),
        Some(before) if *before == now => Verdict::Message(Some(said!(
            AnnouncedAndFewer,
            "the server announces {0} bytes and sends {1}, twice the same: archived as it came; check whether the message \
             is whole on the server",
            announced,
            came
        ))),
        Some(before) => Verdict::None(said!(
            AnnouncedAndOther,
            "the server announces {0} bytes, and sent {1} at first and another {2} then",
            announced,
            before.size,
            came
        )),
    }
}

/// Whether less came than was announced, beyond what servers count differently.
pub fn is_less(bytes: &[u8], announced: u64) -> bool {
    is_short(bytes, announced, false)
}

/// `inexact`: the server's sizes are known to be off. Some servers count each line end as two bytes and give one.
fn is_short(bytes: &[u8], announced: u64, inexact: bool) -> bool {
    let expected = match inexact {
        true => announced - announced / 8,
        false => announced.saturating_sub(SLACK),
    };
    let came = bytes.len() as u64;
    if came >= expected {
        return false;
    }
    let bare = memchr::memchr_iter(b'\n', bytes).filter(|at| *at == 0 || bytes[at - 1] != b'\r');
    came + (bare.count() as u64) < expected
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"Subject: x\r\n\r\nhello, this is a message of some length\r\n";

    fn came(bytes: &[u8]) -> Came {
        Came {
            sha256: Sha256::digest(bytes).into(),
            size: bytes.len() as u64,
        }
    }

    #[test]
    fn what_comes_whole_or_larger_is_a_message() {
        for announced in [0, 10, MAIL.len() as u64, MAIL.len() as u64 + SLACK] {
            assert_eq!(
                judge(MAIL, announced, None, false),
                Verdict::Message(None),
                "{announced}"
            );
        }
    }

    #[test]
    fn what_is_said_to_be_empty_and_is_so_is_a_message() {
        assert_eq!(judge(b"", 0, None, false), Verdict::Message(None));
    }

    #[test]
    fn nothing_and_half_of_it_are_fetched_once_more() {
        let half = &MAIL[..MAIL.len() / 2];
        for bytes in [&b""[..], half] {
            let announced = MAIL.len() as u64;
            assert_eq!(judge(bytes, announced, None, false), Verdict::OnceMore(came(bytes)));
            assert_eq!(
                judge(MAIL, announced, Some(&came(bytes)), false),
                Verdict::Message(None)
            );
        }
        assert_eq!(judge(b"", 10, None, false), Verdict::OnceMore(came(b"")));
    }

    #[test]
    fn the_same_again_is_archived_and_named_and_nothing_again_is_not() {
        let again = |bytes: &[u8]| judge(bytes, 500, Some(&came(bytes)), false);
        assert!(matches!(again(MAIL), Verdict::Message(Some(_))));
        assert!(matches!(again(b""), Verdict::None(_)));
        assert!(matches!(
            judge(MAIL, 500, Some(&came(b"other")), false),
            Verdict::None(_)
        ));
    }

    #[test]
    fn line_ends_that_were_counted_twice_are_no_shortfall() {
        let bare = b"a\n".repeat(100);
        assert_eq!(judge(&bare, 300, None, false), Verdict::Message(None));
        assert!(matches!(judge(&bare, 400, None, false), Verdict::OnceMore(_)));
    }

    #[test]
    fn of_a_server_whose_sizes_are_off_a_little_is_no_shortfall() {
        let announced = MAIL.len() as u64 + 6;
        assert_eq!(judge(MAIL, announced, None, true), Verdict::Message(None));
        assert!(matches!(judge(MAIL, 2 * announced, None, true), Verdict::OnceMore(_)));
    }
}
