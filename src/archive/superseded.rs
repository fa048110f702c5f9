//! What a backup would take the place of: never more than what comes instead.

use std::path::Path;

use super::{
    Store, StoreError,
    backup::Record,
    catalog::Catalog,
    known::ArchiveId,
    rows::{MessageId, Sha256},
    store,
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
            "the archive has {messages} messages of {bytes} bytes, and its backup in {} has {} of {}; it is not replaced: \
             run `dropkeep verify`, or back up to another directory",
            path.display(),
            before.messages,
            before.bytes
        ),
    })
}

/// A backup with messages that `store` does not have is of another archive, or newer: it is not replaced.
pub(super) fn refuse_other_archive(store: &Store, path: &Path) -> Result<(), StoreError> {
    let folder = path.join(store::CATALOG);
    if !folder.exists() {
        return Ok(());
    }
    let refuse = |detail: String| {
        Err(StoreError::Refused {
            path: path.to_owned(),
            detail: format!("{detail}; remove it, or give another directory"),
        })
    };
    match newest(&folder) {
        Ok((Some(other), _)) if store.catalog.id().is_some_and(|id| id != other) => refuse(
            "holds a backup of another archive, with mail that is not in this archive, and is not replaced".into(),
        ),
        Ok((_, Some((id, sha256)))) => match store.message(id)? {
            Some(message) if message.sha256 == sha256 => Ok(()),
            _ => refuse("holds a backup with mail that is not in this archive, and is not replaced".into()),
        },
        Ok((_, None)) | Err(StoreError::Older { .. }) => Ok(()),
        Err(error) => refuse(format!("holds a backup that cannot be read ({error})")),
    }
}

/// Which archive a catalog is of, and its message that was kept last.
fn newest(folder: &Path) -> Result<(Option<ArchiveId>, Option<(MessageId, Sha256)>), StoreError> {
    let catalog = Catalog::open_at_rest(folder)?;
    let txn = catalog.read()?;
    let last = catalog.messages.last(&txn);
    let last = last.map_err(StoreError::lmdb("reading", folder))?;
    Ok((catalog.id(), last.map(|(id, message)| (id, message.sha256))))
}
