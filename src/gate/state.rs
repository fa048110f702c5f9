//! What the gate consists of.

use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::{hashing::Hashing, notes::Notes, seen::Seen};
use crate::{
    access::Slowing,
    api::{Exit, Failure},
    archive::{Committer, Store},
    config::{AccessSettings, Config},
};

/// Everybody with an account comes in by this. Cloned, it is the same one.
#[derive(Clone)]
pub struct Gate(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub store: Arc<Store>,
    pub notes: Notes,
    pub settings: RwLock<AccessSettings>,
    pub slowing: Slowing,
    pub hashing: Hashing,
    pub seen: Mutex<Seen>,
}

impl Gate {
    /// # Errors
    /// No thread could be started.
    pub fn new(config: &Config, store: Arc<Store>, committer: Committer) -> Result<Self, Failure> {
        let coming = committer.coming();
        let hashing = Hashing::start(move || coming.is_any()).map_err(|error| Failure::new(Exit::Errors, error))?;
        Ok(Self(Arc::new(Inner {
            store,
            notes: Notes::new(committer),
            settings: RwLock::new(config.access.clone()),
            slowing: Slowing::default(),
            hashing,
            seen: Mutex::default(),
        })))
    }

    /// What counts from now on.
    pub fn reconfigure(&self, settings: &AccessSettings) {
        self.0.settings.write().clone_from(settings);
    }

    /// The audit log.
    pub fn notes(&self) -> &Notes {
        &self.0.notes
    }

    pub(super) fn settings(&self) -> AccessSettings {
        self.0.settings.read().clone()
    }
}
