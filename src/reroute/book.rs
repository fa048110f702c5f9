//! By which profile's rules a message of the archive is filed anew.

use std::{collections::HashMap, sync::Arc};

use crate::{
    archive::{Entry, RunId, Store},
    config::Config,
    control::api::Failure,
    explain::{self, Stored, has_no_rules},
    identify::Rules,
    report::{IMPORT, REROUTE},
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

    /// `None` where no profile's rules apply: all that has the message are users for whom it was imported.
    pub fn rules(&mut self, store: &Store, entry: &Entry) -> Result<Option<Arc<Ruled>>, String> {
        let name = match &self.given {
            Some(name) => name.clone(),
            None => {
                let name = self.profile(store, entry).map_err(|failure| failure.error)?;
                name.ok_or("the protocol of the run that archived it is missing; give --profile")?
            }
        };
        if name == IMPORT {
            return Ok(None);
        }
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
        self.ruled.entry(name.clone()).or_insert_with(ready).clone().map(Some)
    }

    /// The profile of the run that filed it here; where that was a rerouting, or an import for one user, of the first other
    /// one that filed it. [`IMPORT`] where there is none but such imports.
    fn profile(&mut self, store: &Store, entry: &Entry) -> Result<Option<String>, Failure> {
        let mut found = self.profile_of(store, entry.filing.run)?;
        if !found.as_deref().is_some_and(has_no_rules) {
            return Ok(found);
        }
        for run in Stored::read(store, entry.id)?.runs() {
            match self.profile_of(store, run)? {
                Some(name) if name == IMPORT => found = Some(name),
                Some(name) if name == REROUTE => {}
                named => return Ok(named),
            }
        }
        Ok(found)
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
