//! Sealing what is full, and noting it in the catalog.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

use super::{
    Committer, Store, StoreError, disk,
    order::Tidying,
    rows::{Seal, VolumeState},
    seal,
    volumes::Volumes,
};

/// Seals the volumes that are full and not sealed yet. Blocking. `go_on` is asked from time to time.
///
/// # Errors
/// A volume cannot be read, or the store not be written.
pub fn seal_full_volumes(store: &Store, committer: &Committer, go_on: &dyn Fn() -> bool) -> Result<(), StoreError> {
    let Some(_turn) = store.tidying.take(go_on) else {
        return Ok(());
    };
    let current = store.reading(|txn| store.catalog.counters(txn))?.volume;
    let mut first_error = None;
    for number in store.volumes.numbers()?.into_iter().filter(|number| *number < current) {
        match store.reading(|txn| store.catalog.volumes.get(txn, &number))? {
            Some(VolumeState::Sealed(_)) => {}
            // What a crash or a reader left of it.
            Some(VolumeState::Emptied) => drop(store.remove_volume(number)?),
            None => {
                let seal = match seal(&store.volumes, number, go_on) {
                    Ok(Some(seal)) => seal,
                    Ok(None) => return Ok(()),
                    // What is wrong with one volume is no reason to leave the others.
                    Err(error) => {
                        first_error.get_or_insert(error);
                        continue;
                    }
                };
                tracing::info!(volume = number, bytes = seal.bytes, "a full volume was sealed");
                committer.tidy(Tidying::Sealed(number, seal))?;
                StoreError::point("seal-noted")?;
            }
        }
    }
    first_error.map_or(Ok(()), Err)
}

/// Seals volume `number`, which is not written to any more; again where a crash came before the catalog knew of
/// it. `go_on` is asked from time to time; `None` when it said no.
///
/// # Errors
/// The volume cannot be read, or its manifest not written.
pub(super) fn seal(volumes: &Volumes, number: u32, go_on: &dyn Fn() -> bool) -> Result<Option<Seal>, StoreError> {
    StoreError::point("seal-begun")?;
    let folder = volumes.folder(number);
    let file = folder.join(disk::DATA_FILE);
    let blocks = volumes.get(number)?.count()?;
    let Some((bytes, blake3)) = seal::digest(&file, go_on)? else {
        return Ok(None);
    };
    StoreError::point("seal-measured")?;
    let seal = Seal { blocks, bytes, blake3 };
    seal::write_manifest(&folder, &seal)?;
    StoreError::point("seal-written")?;
    fs::set_permissions(&file, Permissions::from_mode(seal::FILE_MODE)).map_err(StoreError::io("sealing", &file))?;
    StoreError::point("seal-closed")?;
    Ok(Some(seal))
}
