//! What a backup would take the place of: never more than what comes instead.

use std::path::Path;

use super::{
    Store, StoreError,
    catalog::Catalog,
    disk, environment,
    record::{Known, Newest, Record},
    store::SHORT_GLANCE,
};

/// A backup of more than what `store` has is not replaced by less, whatever became of the store.
pub(super) fn refuse_less(store: &Store, path: &Path) -> Result<(), StoreError> {
    let Some(before) = Record::read(path)? else {
        return Ok(());
    };
    let (messages, bytes) = store.totals()?;
    if messages >= before.messages && bytes >= before.bytes {
        return Ok(());
    }
    Err(StoreError::Damaged {
        detail: format!(
            "the archive has {messages} messages ({bytes} bytes), but its backup in {} has {} ({} bytes), so it is not replaced: \
             run `dropkeep verify`, or back up to another directory",
            path.display(),
            before.messages,
            before.bytes
        ),
    })
}

/// A backup with messages that `store` does not have is of another archive, or newer: it is not replaced.
pub(super) fn refuse_other_archive(store: &Store, path: &Path) -> Result<(), StoreError> {
    let folder = path.join(disk::CATALOG);
    if !folder.exists() {
        return Ok(());
    }
    let refuse = |detail: String| {
        Err(StoreError::Refused {
            path: path.to_owned(),
            detail: format!("{detail}; remove it, or use another directory"),
        })
    };
    const OTHER: &str = "with mail that is not in this archive, so it is not replaced";
    let known = match Record::read(path) {
        // It can be opened by nobody as it is.
        Ok(Some(record)) if record.patches.contains_key(Path::new(disk::CATALOG)) => {
            Ok(record.known.unwrap_or_default())
        }
        _ => known(&folder),
    };
    let before = match known {
        Ok(before) => before,
        Err(StoreError::Older { .. }) => return Ok(()),
        Err(error) => return refuse(format!("contains a backup that cannot be read ({error})")),
    };
    let own = store.catalog.id().map(hex::encode);
    if before.archive.is_some_and(|other| own.is_some_and(|own| own != other)) {
        return refuse(format!("contains a backup of another archive, {OTHER}"));
    }
    let Some(Newest { message: id, sha256 }) = before.newest else {
        return Ok(());
    };
    match store.message(id)? {
        Some(message) if hex::encode(message.sha256) == sha256 => Ok(()),
        _ => refuse(format!("contains a backup {OTHER}")),
    }
}

fn known(folder: &Path) -> Result<Known, StoreError> {
    environment::refuse_damaged(&folder.join(disk::DATA_FILE), SHORT_GLANCE)?;
    let catalog = Catalog::open_at_rest(folder)?;
    let txn = catalog.read()?;
    Known::of(&catalog, &txn)
}
