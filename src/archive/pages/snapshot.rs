//! What a transaction that is still open sees, though others have written since.

use std::{fs::File, io, os::unix::fs::FileExt};

use super::{
    file::PageFile,
    layout::u64_at,
    meta::{self, LENGTH, Meta},
};

/// How a copy of a snapshot begins.
pub(in crate::archive) struct Head {
    /// The meta pages: both lead to the snapshot, the older one as if it were of the transaction before.
    pub bytes: Vec<u8>,
    /// Bytes of the snapshot: up to its last page.
    pub length: u64,
}

/// How a copy of transaction `txnid`'s snapshot begins; `None` where that is not the newest any more.
///
/// # Errors
/// The file cannot be read.
pub(in crate::archive) fn head(file: &File, txnid: u64) -> io::Result<Option<Head>> {
    let read = |at: usize| {
        let mut bytes = [0; LENGTH];
        file.read_exact_at(&mut bytes, at as u64).map(|()| bytes)
    };
    // The size of a page is the same in all of them, and never changes.
    let Ok(first) = Meta::parse(&read(0)?, 0) else {
        return Ok(None);
    };
    let size = first.page_size;
    let (newest, other) = ((txnid % 2) as usize, ((txnid + 1) % 2) as usize);
    let bytes = read(newest * size)?;
    // Read after it: while that is the older one, nobody can have begun to write the newer.
    let older = read(other * size)?;
    let Ok(found) = Meta::parse(&bytes, newest as u64) else {
        return Ok(None);
    };
    let is_newest = u64_at(&older, meta::TXNID_AT).is_some_and(|older| older <= txnid);
    if found.txnid != txnid || !is_newest {
        return Ok(None);
    }
    let mut head = vec![0; 2 * size];
    for (number, txnid) in [(newest, txnid), (other, txnid.saturating_sub(1))] {
        let page = &mut head[number * size..][..LENGTH];
        page.copy_from_slice(&bytes);
        page[..8].copy_from_slice(&(number as u64).to_ne_bytes());
        page[meta::TXNID_AT..][..8].copy_from_slice(&txnid.to_ne_bytes());
    }
    Ok(Some(Head {
        bytes: head,
        length: (found.last_page + 1) * size as u64,
    }))
}

impl PageFile {
    /// What stands at `at` where meta pages are read.
    pub(super) fn meta_at(&self, at: u64) -> io::Result<[u8; LENGTH]> {
        let mut bytes = [0; LENGTH];
        match self.head.get(at as usize..).and_then(|head| head.get(..LENGTH)) {
            Some(head) => bytes.copy_from_slice(head),
            None => self.file.read_exact_at(&mut bytes, at)?,
        }
        Ok(bytes)
    }
}
