//! The digests of a message, and of its header: by SHA-256 in one pass, as most processors compute it themselves. BLAKE3,
//! by which messages are told apart, is faster on long stretches only, and a header is short.

use sha2::{Digest, Sha256};

use super::identity::{VERSION, identity};

/// The two digests of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Digests {
    pub sha256: [u8; 32],
    pub identity: [u8; 32],
}

impl Digests {
    /// Those of `message`.
    pub fn of(message: &[u8]) -> Self {
        Self::with_header(message).0
    }

    /// Those of `message`, and that of its header.
    pub fn with_header(message: &[u8]) -> (Self, HeaderDigest) {
        let (header, rest) = message.split_at(header_length(message));
        let mut hasher = Sha256::new_with_prefix(header);
        let header = beginning(&hasher.clone().finalize());
        hasher.update(rest);
        let digests = Self {
            sha256: hasher.finalize().into(),
            identity: identity(message, VERSION),
        };
        (digests, header)
    }
}

/// The beginning of a digest of a whole header.
pub type HeaderDigest = [u8; 16];

/// The digest of the header of a message, given whole or as its header alone: up to the empty line, and without it and
/// the line end before it, which servers leave out or double where there is no body.
pub fn header_digest(message: &[u8]) -> HeaderDigest {
    beginning(&Sha256::digest(&message[..header_length(message)]))
}

/// The same, and what stood for it in version 0.1.0: one of both was noted.
pub fn header_digests(message: &[u8]) -> [HeaderDigest; 2] {
    let former = blake3::hash(&message[..header_length(message)]);
    [header_digest(message), beginning(former.as_bytes())]
}

fn beginning(digest: &[u8]) -> HeaderDigest {
    let mut beginning = HeaderDigest::default();
    beginning.copy_from_slice(&digest[..16]);
    beginning
}

fn header_length(message: &[u8]) -> usize {
    let ends = |at: usize| {
        matches!(&message[at + 1..], [b'\n', ..] | [b'\r', b'\n', ..]) || matches!(&message[..at], [] | [b'\r'])
    };
    let end = memchr::memchr_iter(b'\n', message).find(|at| ends(*at));
    message[..end.unwrap_or(message.len())].trim_ascii_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_has_one_digest_however_it_is_given() {
        let header: &[u8] = b"Subject: x\r\nTo: a@example.com";
        let digest = header_digest(header);
        for rest in [
            "",
            "\r\n",
            "\r\n\r\n",
            "\r\n\r\nbody\r\n\r\nmore",
            "\n\nbody",
            "\r\n\nbody",
        ] {
            let message = [header, rest.as_bytes()].concat();
            assert_eq!(header_digests(&message)[0], digest, "{rest:?}");
            let (digests, found) = Digests::with_header(&message);
            assert_eq!(found, digest, "{rest:?}");
            assert_eq!(digests.sha256[..], Sha256::digest(&message)[..], "{rest:?}");
            assert_eq!(digests.identity, identity(&message, VERSION), "{rest:?}");
        }
        assert_ne!(header_digest(b"Subject: y\r\nTo: a@example.com\r\n\r\n"), digest);
        for empty in ["", "\n", "\r\n", "\r\n\r\nbody", "\nbody"] {
            assert_eq!(header_digest(empty.as_bytes()), header_digest(b""), "{empty:?}");
        }
    }

    /// What archives have noted of copies on their servers.
    #[test]
    fn the_digests_of_headers_never_change() {
        let hex = |digest: HeaderDigest| format!("{:032x}", u128::from_be_bytes(digest));
        let digests = header_digests(b"Subject: x\r\n\r\nbody").map(hex);
        assert_eq!(
            digests,
            ["70e16437f20320993ae7b905959e6991", "ea9374cc4e5c160d5275b431d7c50cbb"]
        );
    }
}
