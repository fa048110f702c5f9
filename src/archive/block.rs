//! Blocks: the inline bytes of messages committed together, compressed as one.
//!
//! A block's value in a volume is a header and a payload:
//!
//! | bytes | what |
//! | --- | --- |
//! | 4 | `dkb` and the form's version, 1 |
//! | 1 | codec: 0 stored as it is, 1 zstd |
//! | 8 | uncompressed length, little-endian |
//! | 16 | BLAKE3 of block number, codec, length and payload, cut short |
//! | rest | payload |

use std::{
    cell::RefCell,
    io::{self, Read},
};

use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::CParameter,
};

/// Raw bytes after which a block is closed. Larger ones compress little better and cost more
/// to read one message from.
pub const BLOCK_SIZE: usize = 1 << 20;

/// zstd's level for mail as it arrives. On real mail, level 3 makes blocks 3 % smaller and takes 1.28 times as long,
/// level 1 makes them 7 % larger and takes 0.85 times as long.
pub const LEVEL: i32 = 2;
/// For that, zstd looks for what it had before in a table of 2^15 places, in place of twice as many: it stays in the
/// nearest memory of a core. Blocks are 1.5 % larger, and take 0.85 times as long.
const PLACES: u32 = 15;
/// For what is packed again when nobody waits.
pub const THOROUGH: i32 = 9;

const MAGIC: &[u8; 4] = b"dkb\x01";
const STORED: u8 = 0;
const ZSTD: u8 = 1;
const HEADER: usize = 4 + 1 + 8 + 16;

thread_local! {
    /// What zstd works with, and for which level: making it takes a tenth of the time that a block takes.
    static COMPRESSOR: RefCell<Option<(i32, Compressor<'static>)>> = const { RefCell::new(None) };
    /// What a thread unpacks with: making it takes a good part of the time that a block does.
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Packs `raw` as block `number`, with zstd's `level`.
///
/// # Errors
/// zstd has no memory.
pub fn pack(number: u64, raw: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let mut block = Vec::with_capacity(HEADER + zstd::zstd_safe::compress_bound(raw.len()));
    block.resize(HEADER, 0);
    let written = COMPRESSOR.with_borrow_mut(|kept| {
        let (_, compressor) = match kept.take_if(|(its_level, _)| *its_level == level) {
            Some(of_this_level) => kept.insert(of_this_level),
            None => {
                let mut compressor = Compressor::new(level)?;
                if level == LEVEL {
                    compressor.set_parameter(CParameter::HashLog(PLACES))?;
                }
                kept.insert((level, compressor))
            }
        };
        let mut payload = io::Cursor::new(&mut block);
        payload.set_position(HEADER as u64);
        compressor.compress_to_buffer(raw, &mut payload)
    })?;
    let codec = if written < raw.len() { ZSTD } else { STORED };
    if codec == STORED {
        block.truncate(HEADER);
        block.extend_from_slice(raw);
    }
    seal(number, codec, raw.len() as u64, &mut block);
    Ok(block)
}

/// Writes the header of a block whose payload is there.
fn seal(number: u64, codec: u8, length: u64, block: &mut [u8]) {
    let length = length.to_le_bytes();
    let digest = digest(number, codec, length, &block[HEADER..]);
    block[..4].copy_from_slice(MAGIC);
    block[4] = codec;
    block[5..13].copy_from_slice(&length);
    block[13..HEADER].copy_from_slice(&digest);
}

/// A block with a right digest around any payload.
#[cfg(fuzzing)]
pub fn sealed(number: u64, codec: u8, length: u64, payload: &[u8]) -> Vec<u8> {
    let mut block = [&[0; HEADER], payload].concat();
    seal(number, codec, length, &mut block);
    block
}

/// The uncompressed length that a block names, before anything of it is checked.
pub fn raw_length(block: &[u8]) -> u64 {
    let length = block.get(5..13).and_then(|length| length.try_into().ok());
    length.map_or(0, u64::from_le_bytes)
}

/// Whether block `number` is whole, without unpacking it.
///
/// # Errors
/// In words, how the block is damaged.
pub fn check(number: u64, block: &[u8]) -> Result<(), String> {
    open(number, block).map(|_| ())
}

/// Codec, raw length and payload of block `number`, whose digest is right.
fn open(number: u64, block: &[u8]) -> Result<(u8, usize, &[u8]), String> {
    let (header, payload) = block.split_at_checked(HEADER).ok_or("it is truncated")?;
    if header[..4] != *MAGIC {
        return Err("its format is not known to this version".into());
    }
    let codec = header[4];
    let mut length = [0; 8];
    length.copy_from_slice(&header[5..13]);
    if digest(number, codec, length, payload) != header[13..] {
        return Err("it does not match its checksum".into());
    }
    Ok((codec, u64::from_le_bytes(length) as usize, payload))
}

/// Gives at least the first `most` raw bytes of block `number` back, or all there are.
///
/// # Errors
/// In words, how the block is damaged.
pub fn unpack(number: u64, block: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let (codec, length, payload) = open(number, block)?;
    let wanted = length.min(most);
    let raw = match codec {
        STORED => payload.get(..wanted).unwrap_or(payload).to_vec(),
        ZSTD if wanted == length => decompress(payload, length).map_err(|error| error.to_string())?,
        ZSTD => {
            let mut raw = Vec::with_capacity(wanted);
            let decoder = zstd::stream::Decoder::with_buffer(payload).map_err(|error| error.to_string())?;
            decoder
                .take(wanted as u64)
                .read_to_end(&mut raw)
                .map_err(|error| error.to_string())?;
            raw
        }
        other => return Err(format!("codec {other} is unknown")),
    };
    if raw.len() == wanted {
        Ok(raw)
    } else {
        Err("its length is wrong".into())
    }
}

fn decompress(payload: &[u8], length: usize) -> io::Result<Vec<u8>> {
    with_unpacker(|unpacker| unpacker.decompress(payload, length))
}

/// Lends what this thread unpacks with.
///
/// # Errors
/// Those of `work`, or there is no memory for it.
pub(super) fn with_unpacker<T, E: From<io::Error>>(
    work: impl FnOnce(&mut Decompressor<'static>) -> Result<T, E>,
) -> Result<T, E> {
    UNPACKER.with_borrow_mut(|unpacker| {
        work(match unpacker {
            Some(unpacker) => unpacker,
            None => unpacker.insert(Decompressor::new()?),
        })
    })
}

fn digest(number: u64, codec: u8, length: [u8; 8], payload: &[u8]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(&number.to_le_bytes())
        .update(&[codec])
        .update(&length)
        .update(payload);
    let mut digest = [0; 16];
    digest.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_block_comes_back_and_a_flipped_bit_is_noticed(
            raw in prop::collection::vec(any::<u8>(), 0..5000), copies in 1..4usize, at: prop::sample::Index, bit in 0..8u8,
        ) {
            let raw = raw.repeat(copies);
            let mut block = pack(7, &raw, LEVEL).unwrap();
            let most = at.index(raw.len() + 1);
            prop_assert_eq!(&unpack(7, &block, most).unwrap()[..], &raw[..most]);
            prop_assert_eq!(unpack(7, &block, usize::MAX).unwrap(), raw);
            prop_assert!(check(7, &block).is_ok());
            prop_assert!(unpack(8, &block, usize::MAX).is_err(), "a block under another's number");
            let at = at.index(block.len());
            block[at] ^= 1 << bit;
            prop_assert!(unpack(7, &block, usize::MAX).is_err() && check(7, &block).is_err());
        }
    }
}
