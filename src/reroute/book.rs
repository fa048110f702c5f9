//! By which profiles' rules a message of the archive is filed anew.

use std::{collections::HashMap, num::NonZeroUsize, sync::Arc};

use lru::LruCache;

use crate::{
    archive::{Filing, RunId, Store, StoreError, UserId},
    config::Config,
    explain::{self, has_no_rules},
    identify::Rules,
    route::Routing,
};

/// Runs whose profile is kept in mind: messages of one run mostly follow each other.
const RUNS: NonZeroUsize = NonZeroUsize::new(1000).unwrap();

/// A profile's rules, made ready.
pub(super) struct Ruled {
    pub rules: Rules,
    pub routing: Arc<Routing>,
    pub create_limit: u32,
    pub profile: String,
}

/// The rules for one message, with the folder in which that profile found it.
pub(super) type RuledHere = (Arc<Ruled>, u32);

/// Which profiles' rules are a message's.
pub(super) struct Book {
    config: Arc<Config>,
    given: Option<String>,
    /// Of each run met lately.
    profiles: LruCache<RunId, Option<String>>,
    /// Whose every run was whose protocol is kept no longer, where that is certain.
    only: Option<String>,
    ruled: HashMap<String, Result<Arc<Ruled>, String>>,
}

impl Book {
    /// # Errors
    /// The catalog cannot be read.
    pub fn new(config: Arc<Config>, store: &Store, given: Option<String>) -> Result<Self, StoreError> {
        Ok(Self {
            config,
            given,
            profiles: LruCache::new(RUNS),
            only: store.only_profile()?,
            ruled: HashMap::new(),
        })
    }

    /// The rules of each profile that filed the message for somebody, or of the one that was named. None where nobody has it
    /// by rules; in words, why there should be some and are none.
    pub fn rules(
        &mut self,
        store: &Store,
        filings: &[(UserId, Filing)],
    ) -> Result<Result<Vec<RuledHere>, String>, StoreError> {
        let mut names: Vec<(Option<String>, u32)> = Vec::new();
        for (_, filing) in filings {
            let name = match &self.given {
                Some(given) => Some(given.clone()),
                None => self.profile_of(store, filing.run)?,
            };
            // What was rerouted was filed by rules before; what was imported for one user is for nobody else.
            if !name.as_deref().is_some_and(has_no_rules) && names.iter().all(|(known, _)| *known != name) {
                names.push((name, filing.folder));
            }
        }
        let (mut ready, mut missing) = (Vec::new(), None);
        for (name, folder) in names {
            match name {
                Some(name) => match self.ruled(&name) {
                    Ok(ruled) => ready.push((ruled, folder)),
                    Err(words) => missing = Some(words),
                },
                None => {
                    let words = "archived by a run whose protocol is kept no longer: name the profile with --profile";
                    missing = Some(words.into());
                }
            }
        }
        Ok(match missing {
            Some(words) if ready.is_empty() => Err(words),
            _ => Ok(ready),
        })
    }

    fn ruled(&mut self, name: &str) -> Result<Arc<Ruled>, String> {
        let config = &self.config;
        let ready = || match config.profile(name) {
            Ok(profile) => Ok(Arc::new(Ruled {
                rules: Rules::new(&profile.recipients, &profile.server.username),
                routing: Arc::new(Routing::new(&profile.recipients)),
                create_limit: profile.recipients.create_limit,
                profile: profile.name.clone(),
            })),
            Err(_) => Err(format!(
                "archived by profile {name:?}, which is not in the configuration: name another one with --profile"
            )),
        };
        self.ruled.entry(name.to_owned()).or_insert_with(ready).clone()
    }

    fn profile_of(&mut self, store: &Store, run: RunId) -> Result<Option<String>, StoreError> {
        if let Some(known) = self.profiles.get(&run) {
            return Ok(known.clone());
        }
        let name = explain::profile_of(store, run)?.or_else(|| self.only.clone());
        self.profiles.push(run, name.clone());
        Ok(name)
    }
}
