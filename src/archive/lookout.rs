//! What is looked at to see that the store is where it was, and what was found the last time.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{
    StoreError,
    catalog::Catalog,
    disk, environment,
    presence::{Held, MOUNT},
};

/// What is looked at, and what was found.
pub(super) struct Lookout {
    pub(super) catalog: Vec<Held>,
    /// What was wrong the last time.
    pub(super) trouble: Mutex<Option<StoreError>>,
    /// When all volumes were looked at last, and how long it took.
    pub(super) looked: Mutex<Option<(Instant, Duration)>>,
}

impl Lookout {
    /// Over a catalog that was opened just now.
    pub(super) fn over(catalog: &Catalog) -> Result<Self, StoreError> {
        let mut held = vec![Held::new("the catalog", catalog.path().join(disk::DATA_FILE), MOUNT)?];
        held.extend(environment::lock_held(catalog.path())?);
        Ok(Self {
            catalog: held,
            trouble: Mutex::default(),
            looked: Mutex::default(),
        })
    }
}
