//! What can be said of an LMDB file before LMDB trusts it.

use std::{fs::File, os::unix::fs::FileExt, path::Path};

use super::StoreError;

const PAGE: u64 = 4096;
/// Where the first page, a meta page, has LMDB's magic number.
const MAGIC_AT: usize = 16;
const MAGIC: u32 = 0xBEEF_C0DE;

/// Refuses a file that is no LMDB environment, or too short to be a whole one. Writes nothing.
///
/// # Errors
/// It is, or cannot be read.
pub(super) fn refuse_unreadable(file: &Path) -> Result<(), StoreError> {
    let mut head = [0; MAGIC_AT + 4];
    let read = File::open(file).map_err(StoreError::io("opening", file))?;
    let length = read.metadata().map_err(StoreError::io("measuring", file))?.len();
    let whole = length >= 2 * PAGE && read.read_exact_at(&mut head, 0).is_ok();
    if whole && head[MAGIC_AT..] == MAGIC.to_ne_bytes() {
        Ok(())
    } else {
        Err(StoreError::Damaged {
            detail: format!(
                "{} is cut short or no LMDB file; restore it from a backup",
                file.display()
            ),
        })
    }
}
