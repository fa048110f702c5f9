//! What the appliance and the process that reads attachments say to each other, over a socket: a request is a kind, a
//! length and the bytes of a file; a reply is an outcome, two lengths, why, and the text.

use std::io::{self, Read, Write};

use super::{kind::Kind, outcome::Outcome};

/// The first byte that the process says: it is shut in, and takes requests.
pub(super) const READY: u8 = b'R';
/// Bytes of the words that say why.
const WHY: usize = 1000;

/// A request but for the bytes of the file, of which there are so many.
pub(super) fn request(kind: Kind, length: usize) -> [u8; 9] {
    let mut head = [kind as u8; 9];
    head[1..].copy_from_slice(&(length as u64).to_le_bytes());
    head
}

/// Reads a request; `None` where there are no more.
///
/// # Errors
/// It is none, or longer than `most` bytes.
pub(super) fn read_request(input: &mut impl Read, most: u64) -> io::Result<Option<(Kind, Vec<u8>)>> {
    let mut kind = [0];
    if input.read(&mut kind)? == 0 {
        return Ok(None);
    }
    let mut length = [0; 8];
    input.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let kind = Kind::ALL.get(usize::from(kind[0])).ok_or(io::ErrorKind::InvalidData)?;
    if length > most {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    input.take(length).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == length {
        true => Ok(Some((*kind, bytes))),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Says what came of reading a file.
///
/// # Errors
/// Nobody listens.
pub(super) fn write_reply(output: &mut impl Write, text: &str, outcome: &Outcome) -> io::Result<()> {
    let (word, why) = match outcome {
        Outcome::Read => (b'r', ""),
        Outcome::Partly(why) => (b'p', why.as_str()),
        Outcome::Unreadable(why) => (b'u', why.as_str()),
        _ => (b'c', ""),
    };
    let why = &why[..why.floor_char_boundary(WHY)];
    let mut head = vec![word];
    for length in [why.len(), text.len()] {
        head.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    }
    head.extend_from_slice(why.as_bytes());
    output.write_all(&head)?;
    output.write_all(text.as_bytes())
}

/// Reads a reply, whose text is of at most `most` bytes.
///
/// # Errors
/// It is none, or there is none in time.
pub(super) fn read_reply(input: &mut impl Read, most: usize) -> io::Result<(String, Outcome)> {
    let mut head = [0; 9];
    input.read_exact(&mut head)?;
    let [word, w0, w1, w2, w3, t0, t1, t2, t3] = head;
    let why = read_text(input, u32::from_le_bytes([w0, w1, w2, w3]), WHY)?;
    let text = read_text(input, u32::from_le_bytes([t0, t1, t2, t3]), most)?;
    let outcome = match word {
        b'r' => Outcome::Read,
        b'p' => Outcome::Partly(why),
        b'u' => Outcome::Unreadable(why),
        b'c' => Outcome::Crashed,
        _ => return Err(io::ErrorKind::InvalidData.into()),
    };
    Ok((text, outcome))
}

fn read_text(input: &mut impl Read, length: u32, most: usize) -> io::Result<String> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > most {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| io::ErrorKind::InvalidData.into())
}
