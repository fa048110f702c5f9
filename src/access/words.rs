//! Secrets that are made here: random bytes, the words that stand for them, and their digests. A digest is enough for
//! these: they have so many random bits that nobody finds them by trying, as one finds what people think up.

use ring::rand::{SecureRandom, SystemRandom};

/// RFC 4648, without padding: what authenticator apps take, and what can be read out.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Letters of a word that stand together.
const TOGETHER: usize = 4;

/// The digest of a secret; all that is kept of it.
pub type Digest = [u8; 32];

/// The machine gives no random numbers.
#[derive(thiserror::Error, Clone, Debug, PartialEq, Eq)]
#[error("the machine gives no random numbers")]
pub struct NoRandom;

/// # Errors
/// The machine has none.
pub fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

/// The digest of a secret that is of this kind: the same text of another kind has another digest.
pub fn digest(kind: &'static str, secret: &[u8]) -> Digest {
    blake3::Hasher::new_derive_key(kind).update(secret).finalize().into()
}

/// Bytes in base32.
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// A secret as people are given it to copy: small letters, four together.
pub fn spelled(bytes: &[u8]) -> String {
    let letters = base32(bytes).to_ascii_lowercase();
    let groups: Vec<_> = letters
        .as_bytes()
        .chunks(TOGETHER)
        .map(String::from_utf8_lossy)
        .collect();
    groups.join("-")
}

/// What somebody typed of a spelled secret, as it is digested: case, blanks and hyphens do not matter.
pub fn typed(text: &str) -> String {
    let letters = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_spelled_secret_is_known_however_it_is_typed() {
        let spelled = spelled(b"foobarfoo!");
        assert_eq!(spelled, "mzxw-6ytb-ojtg-63zb");
        for text in ["MZXW6YTBOJTG63ZB", " mzxw 6ytb-ojtg 63zb "] {
            assert_eq!(typed(text), typed(&spelled));
        }
        assert_ne!(digest("one kind", b"x"), digest("another", b"x"));
        assert_ne!(random::<16>().unwrap(), random::<16>().unwrap());
    }
}
