//! The store as it is at one moment, while others go on writing.
//!
//! Catalog and volumes are environments of their own, and a group is written into its volume before it is into the
//! catalog. So transactions that begin at once may see a group in the volume that the catalog does not know yet, which
//! is what a crash leaves as well, and is swept when the store is opened. More than that is not taken: it would be a
//! catalog that is older than its volumes.

use std::collections::BTreeMap;

use heed::{RoTxn, WithoutTls};

use super::{
    Store, StoreError, disk,
    hooks::Hooks,
    original::Original,
    rows::{Counters, VolumeState},
    volume::Frozen,
};

/// How often a moment is looked for, as somebody may write between any two steps of that.
const TRIES: usize = 10_000;

/// A moment, for as long as this is held.
pub(super) struct Moment {
    pub catalog: Original,
    /// In it the catalog is read as it was.
    pub txn: RoTxn<'static, WithoutTls>,
    pub counters: Counters,
    /// Of the volumes that are not written to any more.
    pub states: BTreeMap<u32, VolumeState>,
    /// The volume that is written to, where something is in it.
    pub current: Option<Frozen>,
}

impl Moment {
    /// The present one.
    ///
    /// # Errors
    /// The store cannot be read, or it was interrupted.
    pub fn of(store: &Store, hooks: Hooks) -> Result<Self, StoreError> {
        for _ in 0..TRIES {
            hooks.check()?;
            if let Some(moment) = Self::look(store)? {
                return Ok(moment);
            }
        }
        Err(StoreError::Fault {
            detail: "the archive is written to so often that no moment of it can be copied; run this again".into(),
        })
    }

    fn look(store: &Store) -> Result<Option<Self>, StoreError> {
        let path = store.catalog.path();
        let failed = || StoreError::lmdb("reading", path);
        let txn = store.catalog.env.clone().static_read_txn().map_err(failed())?;
        let Some(catalog) = Original::of_transaction(&path.join(disk::DATA_FILE), txn.id() as u64)? else {
            return Ok(None);
        };
        let read = || {
            let counters = store.catalog.counters(&txn)?;
            let states = store.catalog.volumes.iter(&txn)?.collect::<heed::Result<_>>()?;
            let is_begun = store.catalog.has_blocks(&txn, counters.volume)?;
            Ok((counters, states, is_begun))
        };
        let (counters, states, is_begun) = read().map_err(failed())?;
        let current = match store.volumes.get(counters.volume) {
            Ok(volume) => match volume.freeze()? {
                // Several groups were written since the catalog was looked at.
                Some(frozen) if frozen.last_group.is_none_or(|first| first <= counters.block) => Some(frozen),
                _ => return Ok(None),
            },
            Err(error) if is_begun => return Err(error),
            // Nothing is in it, or what a crash left of a group.
            Err(_) => None,
        };
        Ok(Some(Self {
            catalog,
            txn,
            counters,
            states,
            current,
        }))
    }
}
