//! Giving the catalog's free pages back to the disk: its file only grows by itself, and a compaction leaves it with
//! many free pages.

use std::fs;

use super::{StoreError, catalog::Catalog, disk, lock};
use crate::config::Config;

/// Fewer free bytes are not worth a new file.
const LEAST: u64 = 256 << 10;
const NEW_FILE: &str = "data.mdb.new";

/// Writes the catalog anew without its free pages where those are more than a quarter of it; gives by how many
/// bytes it is smaller. Nothing is done beside an appliance or a command that reads.
///
/// # Errors
/// The catalog cannot be read, or its copy not be written; then it is as it was.
pub fn shrink_catalog(config: &Config) -> Result<u64, StoreError> {
    let folder = config.data_dir.join(disk::CATALOG);
    let file = folder.join(disk::DATA_FILE);
    if !file.exists() {
        return Ok(0);
    }
    let _lock = match lock::lock(&config.data_dir) {
        Err(StoreError::InUse { .. }) => return Ok(0),
        locked => locked?,
    };
    let Some(_alone) = lock::lock_out_readers(&config.data_dir)? else {
        return Ok(0);
    };
    let size = || {
        fs::metadata(&file)
            .map(|file| file.len())
            .map_err(StoreError::io("measuring", &file))
    };
    let before = size()?;
    let new = folder.join(NEW_FILE);
    {
        let catalog = match Catalog::open_at_rest(&folder) {
            // It is brought to the present schema first, and that takes pages.
            Err(StoreError::Older { .. }) => return Ok(0),
            opened => opened?,
        };
        let free = catalog.free()?;
        if free < LEAST || free <= before / 4 {
            return Ok(0);
        }
        let copied = catalog.copy_to(&new).and_then(|()| refuse_other_rows(&catalog, &new));
        if let Err(error) = copied {
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        StoreError::point("shrink-copied")?;
    }
    // All who had it open are gone, and with them what LMDB knows of readers beside the file.
    fs::rename(&new, &file).map_err(StoreError::io("replacing", &file))?;
    StoreError::point("shrink-replaced")?;
    disk::sync_dir(&folder)?;
    Ok(before.saturating_sub(size()?))
}

/// What replaces the catalog was read back.
fn refuse_other_rows(catalog: &Catalog, copy: &std::path::Path) -> Result<(), StoreError> {
    let copied = super::environment::row_counts_of_file(copy)?;
    if copied == catalog.row_counts()? {
        return Ok(());
    }
    let detail = format!("the copy {} differs from the catalog", copy.display());
    Err(StoreError::Fault { detail })
}
