//! What leaves of a MIME structure hold: text, base64, quoted-printable, uuencode and bytes, of all sizes.

use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::{collection::vec, prelude::*, sample::select};

use super::Writer;

/// Where a store may begin to keep a leaf apart: encoded bytes.
const THRESHOLD: usize = 16_384;

/// The body of a leaf.
#[derive(Clone, Debug)]
pub enum Content {
    Lines(Vec<Vec<u8>>),
    /// The same line again and again, up to so many bytes: they end in the middle of one.
    Repeated(&'static [u8], usize),
    /// Bytes of this seed.
    Random(u64, usize),
    Base64(Base64),
    Uuencode {
        seed: u64,
        bytes: usize,
        ended: bool,
    },
}

/// Base64 as programs make it, and as they should not.
#[derive(Clone, Debug)]
pub struct Base64 {
    seed: u64,
    /// Bytes, encoded: about so many, with line ends.
    size: usize,
    /// Characters in a line; multiples of 4 or not.
    line: usize,
    padding: Padding,
    flaw: Flaw,
    /// Whether the last line is ended.
    ended: bool,
}

#[derive(Clone, Copy, Debug)]
enum Padding {
    Right,
    Missing,
    Extra,
}

/// Why it is not what encoding the same bytes again gives.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    None,
    /// Bits behind the last byte that are not zero.
    LastBits,
    /// Words behind the end.
    Garbage,
    /// An empty line, white space at a line's end, or a shorter line: in this line.
    EmptyLine(usize),
    Blank(usize),
    ShortLine(usize),
    /// A character that is none of base64's.
    Stray(usize),
    /// A padded end in the middle, as where two encodings were put together.
    EndInside(usize),
    /// The alphabet for URLs.
    UrlAlphabet,
    /// LF in a message of CRLF, or the other way round: in all of it.
    OtherEol,
}

/// SplitMix64: bytes by seed, so that a value of megabytes is a number to shrink.
pub fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn random(mut seed: u64, count: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        bytes.extend(next(&mut seed).to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

impl Content {
    pub(super) fn write(&self, out: &mut Writer) {
        match self {
            Self::Lines(lines) => lines.iter().for_each(|line| out.line(line)),
            Self::Repeated(line, size) => {
                let end = out.bytes.len() + size;
                while out.bytes.len() < end {
                    out.line(line);
                }
                out.bytes.truncate(end);
            }
            Self::Random(seed, size) => out.bytes.extend(random(*seed, *size)),
            Self::Base64(base64) => base64.write(out),
            Self::Uuencode { seed, bytes, ended } => {
                out.line(b"begin 644 file.bin");
                for line in random(*seed, *bytes).chunks(45) {
                    out.line(&uuencoded(line));
                }
                if *ended {
                    out.line(b"`");
                    out.line(b"end");
                }
            }
        }
    }
}

impl Base64 {
    fn write(&self, out: &mut Writer) {
        let per_line = self.line + out.end_size();
        let characters = self.size / per_line * self.line + (self.size % per_line).min(self.line);
        let bytes = random(self.seed, characters * 3 / 4);
        let mut encoded = STANDARD.encode(&bytes).into_bytes();
        self.spoil(&mut encoded, bytes.len());
        let last = encoded.len().div_ceil(self.line).saturating_sub(1);
        let start = out.bytes.len();
        let mut rest = &encoded[..];
        let mut number = 0;
        while !rest.is_empty() {
            // Flaws that are in a line are in one that is there.
            let here = |at: usize| at % (last + 1) == number;
            let mut length = self.line.min(rest.len());
            if matches!(self.flaw, Flaw::ShortLine(at) if here(at)) {
                length = length.div_ceil(2);
            }
            let (line, more) = rest.split_at(length);
            rest = more;
            number += 1;
            out.bytes.extend_from_slice(line);
            let here = |at: usize| at % (last + 1) == number - 1;
            match self.flaw {
                Flaw::Blank(at) if here(at) => out.bytes.extend_from_slice(b" \t"),
                Flaw::EmptyLine(at) if here(at) => out.end(),
                _ => {}
            }
            if !rest.is_empty() || self.ended {
                out.end();
            }
        }
        match self.flaw {
            Flaw::Garbage => out.line(b"-- this is a footer that a list put here"),
            Flaw::OtherEol => other_eol(&mut out.bytes, start),
            _ => {}
        }
    }

    /// Changes what was well encoded of so many bytes.
    fn spoil(&self, encoded: &mut Vec<u8>, bytes: usize) {
        let padding = (3 - bytes % 3) % 3;
        let characters = encoded.len() - padding;
        match self.flaw {
            Flaw::LastBits if padding > 0 => {
                // The last character carries two or four bits that mean nothing.
                const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
                let last = &mut encoded[characters - 1];
                let value = ALPHABET.iter().position(|byte| byte == last).unwrap_or_default();
                *last = ALPHABET[value | 1];
            }
            Flaw::Stray(at) if characters > 0 => encoded[at % characters] = b'!',
            Flaw::EndInside(at) if characters > 0 => encoded[at % characters] = b'=',
            Flaw::UrlAlphabet => encoded.iter_mut().for_each(|byte| match *byte {
                b'+' => *byte = b'-',
                b'/' => *byte = b'_',
                _ => {}
            }),
            _ => {}
        }
        match self.padding {
            Padding::Right => {}
            Padding::Missing => encoded.truncate(characters),
            Padding::Extra => encoded.extend_from_slice(b"=="),
        }
    }
}

/// Makes LF of CRLF from `start` on; of LF, where there is no CR, CRLF.
fn other_eol(bytes: &mut Vec<u8>, start: usize) {
    let tail = bytes.split_off(start);
    match tail.contains(&b'\r') {
        true => bytes.extend(tail.into_iter().filter(|&byte| byte != b'\r')),
        false => {
            for byte in tail {
                if byte == b'\n' {
                    bytes.push(b'\r');
                }
                bytes.push(byte);
            }
        }
    }
}

fn uuencoded(line: &[u8]) -> Vec<u8> {
    let character = |bits: u8| if bits == 0 { b'`' } else { bits + 32 };
    let mut out = vec![character(line.len() as u8)];
    for group in line.chunks(3) {
        let byte = |at: usize| group.get(at).copied().unwrap_or_default();
        let (a, b, c) = (byte(0), byte(1), byte(2));
        let bits = [a >> 2, (a & 3) << 4 | b >> 4, (b & 15) << 2 | c >> 6, c & 63];
        out.extend(bits.map(character));
    }
    out
}

/// A body, and the field that truly says how it is encoded.
pub fn content() -> impl Strategy<Value = (&'static str, Content)> {
    let label = |label: &'static str| move |content| (label, content);
    prop_oneof![
        6 => lines().prop_map(label("Content-Transfer-Encoding: 7bit")),
        4 => quoted().prop_map(label("Content-Transfer-Encoding: quoted-printable")),
        10 => base64().prop_map(Content::Base64).prop_map(label("Content-Transfer-Encoding: base64")),
        2 => (select(&LINES[..]), size()).prop_map(|(line, size)| Content::Repeated(line, size))
            .prop_map(label("Content-Transfer-Encoding: 8bit")),
        2 => (any::<u64>(), size()).prop_map(|(seed, size)| Content::Random(seed, size))
            .prop_map(label("Content-Transfer-Encoding: binary")),
        2 => (any::<u64>(), size(), any::<bool>())
            .prop_map(|(seed, bytes, ended)| Content::Uuencode { seed, bytes: bytes / 4 * 3, ended })
            .prop_map(label("Content-Transfer-Encoding: x-uuencode")),
    ]
}

/// Mostly small; some about where parts begin; rarely megabytes.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        120 => 0..600usize,
        30 => THRESHOLD - 6..=THRESHOLD + 6,
        10 => THRESHOLD - 300..THRESHOLD + 300,
        10 => THRESHOLD..4 * THRESHOLD,
        1 => 1usize << 20..3 << 20,
    ]
}

fn lines() -> impl Strategy<Value = Content> {
    let line = prop_oneof![
        3 => select(&LINES[..]).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..60),
    ];
    vec(line, 0..12).prop_map(Content::Lines)
}

fn quoted() -> impl Strategy<Value = Content> {
    let piece = select(
        &[
            "a", "word ", "=3D", "=3d", "=", "=4", "=GG", "=0D=0A", "=\r", "\t", " ", "\u{e9}", "=C3=A9", ".",
        ][..],
    );
    let line = vec(piece, 0..30).prop_map(|pieces| pieces.concat().into_bytes());
    vec(line, 0..12).prop_map(Content::Lines)
}

fn base64() -> impl Strategy<Value = Base64> {
    let line = prop_oneof![
        8 => Just(76usize),
        2 => select(&[4usize, 60, 64, 72, 100, 1000][..]),
        3 => 1..1000usize,
        1 => 1..8usize,
        // All in one line.
        1 => Just(usize::MAX / 4),
    ];
    let padding = prop_oneof![10 => Just(Padding::Right), 1 => Just(Padding::Missing), 1 => Just(Padding::Extra)];
    let flaw = (0..20u8, any::<usize>()).prop_map(|(which, at)| match which {
        0 => Flaw::LastBits,
        1 => Flaw::Garbage,
        2 => Flaw::EmptyLine(at),
        3 => Flaw::Blank(at),
        4 => Flaw::ShortLine(at),
        5 => Flaw::Stray(at),
        6 => Flaw::EndInside(at),
        7 => Flaw::UrlAlphabet,
        8 => Flaw::OtherEol,
        _ => Flaw::None,
    });
    (any::<u64>(), size(), line, padding, flaw, any::<bool>()).prop_map(|(seed, size, line, padding, flaw, ended)| {
        Base64 {
            seed,
            size,
            line,
            padding,
            flaw,
            ended,
        }
    })
}

pub const LABELS: [&str; 9] = [
    "Content-Transfer-Encoding: 7bit",
    "Content-Transfer-Encoding: base64",
    "Content-Transfer-Encoding: BASE64 (really)",
    "content-transfer-encoding:\n base64",
    "Content-Transfer-Encoding: quoted-printable",
    "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 8bit",
    "Content-Transfer-Encoding: x-unheard-of",
    "Content-Transfer-Encoding:",
    "X-No-Encoding: said",
];

/// Lines that mean something somewhere.
pub const LINES: [&[u8]; 26] = [
    b"",
    b" ",
    b"\t",
    b".",
    b"..",
    b"A line of text, as most are.",
    b"trailing white space  ",
    b"--",
    b"--a",
    b"--a--",
    b"--aa",
    b"--=_00000000",
    b"-- ",
    b"From someone Thu Jan  1 00:00:00 2026",
    b">From someone",
    b"begin 644 file.bin",
    b"end",
    b"Content-Type: text/html",
    b"Content-Type: multipart/mixed; boundary=a",
    b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=",
    b"=",
    b"8 bit: \xe4\xf6\xfc \xff\xfe",
    b"NUL: \0\0",
    b"bare CR: a\rb\r",
    b"\r\r",
    b"\xef\xbb\xbfa mark of UTF-8",
];
