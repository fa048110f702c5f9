//! By which profiles' rules a message of the archive is filed anew.

use std::{collections::HashMap, num::NonZeroUsize, sync::Arc};

use lru::LruCache;

use crate::{
    archive::{Filing, FolderNumber, MessageId, RunId, Store, StoreError, UserId},
    config::Config,
    explain::{self, Seen, has_no_rules},
    identify::Rules,
    report::{NoRules, NotJudged},
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
pub(super) type RuledHere = (Arc<Ruled>, FolderNumber);

/// Which profiles' rules are a message's.
pub(super) struct Book {
    config: Arc<Config>,
    given: Option<String>,
    /// Of each run met lately.
    profiles: LruCache<RunId, Option<String>>,
    /// Whose every run was whose protocol is kept no longer, where that is certain.
    only: Option<String>,
    /// What the profiles saw, whether or not they filed it.
    seen: Vec<Seen>,
    /// `None` of a profile that is not in the configuration.
    ruled: HashMap<String, Option<Arc<Ruled>>>,
}

impl Book {
    /// # Errors
    /// The catalog cannot be read.
    pub fn new(config: Arc<Config>, store: &Store, given: Option<String>) -> Result<Self, StoreError> {
        Ok(Self {
            seen: match given {
                Some(_) => Vec::new(),
                None => explain::seen(&config, store)?,
            },
            config,
            given,
            profiles: LruCache::new(RUNS),
            only: store.only_profile()?,
            ruled: HashMap::new(),
        })
    }

    /// The rules of each profile that filed the message for somebody or saw it in its mailbox, or of the one that was
    /// named; or why there are none.
    pub fn rules(
        &mut self,
        store: &Store,
        id: MessageId,
        filings: &[(UserId, Filing)],
    ) -> Result<Result<Vec<RuledHere>, NoRules>, StoreError> {
        let mut names: Vec<(Option<String>, FolderNumber)> = Vec::new();
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
        for seen in self.seen.iter().filter(|seen| seen.includes(id)) {
            let name = Some(seen.profile.clone());
            if names.iter().all(|(known, _)| *known != name) {
                names.push((name, seen.folder));
            }
        }
        let (mut ready, mut why) = (Vec::new(), NoRules::Imported);
        for (name, folder) in names {
            match name {
                Some(name) => match self.ruled(&name) {
                    Some(ruled) => ready.push((ruled, folder)),
                    None => why = NoRules::Profile(name),
                },
                None => why = NoRules::Protocol,
            }
        }
        Ok(if ready.is_empty() { Err(why) } else { Ok(ready) })
    }

    fn ruled(&mut self, name: &str) -> Option<Arc<Ruled>> {
        let config = &self.config;
        let ready = || {
            let profile = config.profile.iter().find(|profile| profile.name == name)?;
            Some(Arc::new(Ruled {
                rules: Rules::new(&profile.recipients, &profile.server.username),
                routing: Arc::new(Routing::new(&profile.recipients)),
                create_limit: profile.recipients.create_limit,
                profile: profile.name.clone(),
            }))
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

/// Nothing not judged yet, by any of the rules of the configuration.
pub(super) fn not_judged(config: &Config) -> NotJudged {
    let profiles: Vec<_> = config.profile.iter().map(|profile| profile.name.as_str()).collect();
    NotJudged::new(&profiles)
}
