//! The doors by which fuzz targets come to what nothing outside may use: the catalog's bytes, blocks, LMDB's pages,
//! patches.
//! Only `cfg(fuzzing)` builds it. Its `expect` are assertions of the targets: where one fails, that is what was found.

use std::{fmt::Debug, io, path::Path};

use heed::{BytesDecode, BytesEncode};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    StoreError, block,
    catalog::Catalog,
    codec::{Key, KeyPart, Row, checksum},
    copies::{UidKey, UidlKey, Uidls, Uids},
    ledger::LedgerRow,
    packings, pages, patch, patch_form,
    rows::{Copy, Counters, Filing, Journal, Message, Part, Source, Unclaimed, Usage, User, UserId, VolumeState},
    settled::{Packing, key_bytes, seal, unpack},
};

/// Tables whose values [`value`] reads.
pub const TABLES: u8 = 22;

/// Reads bytes as a value of the table of this number, without their checksum and behind a right one. What can be read
/// is written and read again, and must be the same.
pub fn value(table: u8, bytes: &[u8]) {
    match table % TABLES {
        0 => row::<Counters>(bytes),
        1 => row::<Message>(bytes),
        2 => row::<u64>(bytes),
        3 => row::<Part>(bytes),
        4 => row::<Filing>(bytes),
        5 => row::<Journal>(bytes),
        6 => row::<Unclaimed>(bytes),
        7 => row::<User>(bytes),
        8 => row::<Usage>(bytes),
        9 => row::<Source>(bytes),
        10 => row::<String>(bytes),
        11 => row::<Copy>(bytes),
        12 => row::<VolumeState>(bytes),
        13 => {
            key::<u64>(bytes);
            key::<[u8; 32]>(bytes);
            key::<[u8; 16]>(bytes);
            key::<(u64, [u8; 8])>(bytes);
            key::<(u64, UserId)>(bytes);
        }
        14 => {
            key::<(UserId, i64, u64)>(bytes);
            key::<(u64, u64)>(bytes);
            key::<(u64, [u8; 16])>(bytes);
            key::<UidKey>(bytes);
            key::<UidlKey>(bytes);
        }
        15 => row::<LedgerRow>(bytes),
        16 => chunk::<packings::Identities>(bytes),
        17 => chunk::<packings::Bytes>(bytes),
        18 => chunk::<packings::Held>(bytes),
        19 => chunk::<Uids>(bytes),
        20 => chunk::<Uidls>(bytes),
        _ => chunk::<packings::Filings>(bytes),
    }
}

fn row<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(bytes: &[u8]) {
    let _ = Row::<T>::bytes_decode(bytes);
    let sealed = [bytes, &checksum(bytes)].concat();
    let Ok(value) = Row::<T>::bytes_decode(&sealed) else {
        return;
    };
    let written = Row::<T>::bytes_encode(&value).expect("what was read can be written");
    let again = Row::<T>::bytes_decode(&written).expect("what was written can be read");
    assert_eq!(again, value);
    assert_eq!(Row::<T>::bytes_encode(&again).expect("as before"), written);
}

fn key<T: KeyPart + 'static>(bytes: &[u8]) {
    if let Ok(value) = Key::<T>::bytes_decode(bytes) {
        assert_eq!(Key::<T>::bytes_encode(&value).expect("keys can be written"), bytes);
    }
}

/// Reads bytes as a chunk behind its right checksum. Rows that can be read are packed and read again.
fn chunk<P: Packing<Value: PartialEq>>(bytes: &[u8]) {
    let _ = unpack::<P>(bytes, bytes);
    let Some((first, _)) = P::take(None, &mut &*bytes) else {
        return;
    };
    let key = key_bytes(&first);
    let Ok(rows) = unpack::<P>(&key, &seal(bytes.to_vec())) else {
        return;
    };
    let mut packed = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        P::put(at.checked_sub(1).map(|before| &rows[before]), row, &mut packed);
    }
    let again = unpack::<P>(&key, &seal(packed)).expect("what was packed can be read");
    assert_eq!(again, rows);
}

/// Reads bytes as a block: as they are, and as the payload of a block whose checksum is right.
pub fn read_block(number: u64, codec: u8, length: u64, most: usize, payload: &[u8]) {
    for block in [payload, &block::sealed(number, codec, length, payload)] {
        let checked = block::check(number, block);
        match block::unpack(number, block, most) {
            Ok(raw) => assert!(checked.is_ok() && raw.len() as u64 == length.min(most as u64)),
            Err(words) => assert!(!words.is_empty()),
        }
    }
}

/// Packs bytes as a block, which gives them back.
pub fn pack_block(number: u64, raw: &[u8]) {
    let block = block::pack(number, raw, block::LEVEL).expect("zstd has memory");
    assert_eq!(block::unpack(number, &block, usize::MAX).as_deref(), Ok(raw));
}

/// Makes an empty catalog in `folder`.
///
/// # Errors
/// It cannot be made there.
pub fn make_catalog(folder: &Path) -> Result<(), StoreError> {
    Catalog::open(folder).map(drop)
}

/// Checks the pages of an LMDB file, and returns how many findings there are, and how many entries were seen.
///
/// # Errors
/// The file cannot be opened.
pub fn check_pages(file: &Path) -> io::Result<(u64, u64)> {
    let mut entries = 0;
    let checked = pages::visit(file, None, |entry| {
        entries += 1;
        assert!(entry.key.len() <= 511);
    });
    let checked = checked.map_err(io::Error::other)?;
    Ok((checked.findings.len() as u64 + checked.more_findings, entries))
}

/// Writes a patch that has these bytes at these places, and makes a file of this length.
///
/// # Errors
/// It cannot be written.
pub fn make_patch(to: &Path, stretches: &[(u64, &[u8])], length: u64) -> Result<(), StoreError> {
    let mut patch = patch_form::Writer::begin(to, 0, &[0; 32], 0o600)?;
    for (at, bytes) in stretches {
        patch.stretch(*at, bytes)?;
    }
    patch.end(length, &(0..length >> 12).collect()).map(drop)
}

/// Anything as what is packed in a patch of this form, with its right digest.
pub fn seal_patch(form: u8, body: &[u8]) -> Vec<u8> {
    let header = [b"dkpatch", &[form][..], &[0; 40], &0o600_u32.to_le_bytes()].concat();
    let digest = blake3::hash(&[&header, body].concat());
    let body = [body, digest.as_bytes()].concat();
    [header, zstd::encode_all(&body[..], 1).expect("zstd has memory")].concat()
}

/// Applies a patch; `false` if it is none, or not whole.
///
/// # Errors
/// One of the two cannot be read or written.
pub fn apply_patch(patch: &Path, file: &Path) -> Result<bool, StoreError> {
    match patch::apply(patch, None, file) {
        Err(StoreError::Io { source, path, .. }) if path == patch && patch::is_damage(&source) => Ok(false),
        applied => applied.map(|_| true),
    }
}
