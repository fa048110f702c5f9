//! By which profile's rules a message of the archive is filed anew.

use std::{collections::HashMap, sync::Arc};

use super::NAME;
use crate::{
    archive::{Entry, RunId, Store},
    config::Config,
    control::api::Failure,
    explain::{self, Stored},
    identify::Rules,
    route::Routing,
};

/// A profile's rules, made ready.
pub(super) struct Ruled {
    pub rules: Rules,
    pub routing: Arc<Routing>,
}

/// Which profile's rules are a message's.
pub(super) struct Book {
    config: Config,
    given: Option<String>,
    /// Of each run that was met.
    profiles: HashMap<RunId, Option<String>>,
    ruled: HashMap<String, Result<Arc<Ruled>, String>>,
}

impl Book {
    pub fn new(config: &Config, given: Option<String>) -> Self {
        Self {
            config: config.clone(),
            given,
            profiles: HashMap::new(),
            ruled: HashMap::new(),
        }
    }

    pub fn rules(&mut self, store: &Store, entry: &Entry) -> Result<Arc<Ruled>, String> {
        let name = match &self.given {
            Some(name) => name.clone(),
            None => {
                let name = self.profile(store, entry).map_err(|failure| failure.error)?;
                name.ok_or("the protocol of the run that archived it is missing; give --profile")?
            }
        };
        let config = &self.config;
        let ready = || match config.profile(&name) {
            Ok(profile) => Ok(Arc::new(Ruled {
                rules: Rules::new(&profile.recipients, &profile.server.username),
                routing: Arc::new(Routing::new(&profile.recipients)),
            })),
            Err(_) => Err(format!(
                "it was archived by profile {name:?}, which the configuration does not have; give --profile"
            )),
        };
        self.ruled.entry(name.clone()).or_insert_with(ready).clone()
    }

    /// The profile of the run that filed it here, or, where that was a rerouting, of the one that filed it first.
    fn profile(&mut self, store: &Store, entry: &Entry) -> Result<Option<String>, Failure> {
        let name = self.profile_of(store, entry.filing.run)?;
        if name.as_deref() != Some(NAME) {
            return Ok(name);
        }
        let first = Stored::read(store, entry.id)?.first_run();
        first.map_or(Ok(None), |run| self.profile_of(store, run))
    }

    fn profile_of(&mut self, store: &Store, run: RunId) -> Result<Option<String>, Failure> {
        if let Some(known) = self.profiles.get(&run) {
            return Ok(known.clone());
        }
        let name = explain::profile_of(store, run)?;
        self.profiles.insert(run, name.clone());
        Ok(name)
    }
}
