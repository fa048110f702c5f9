//! The backlog of users who have new addresses: messages that are in the archive already, that are for them by the rules, and
//! that they do not have. It is counted as `dropkeep reroute --dry-run` counts, by reading the header of every message.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use super::{
    book::Book,
    look::{Looked, Looker},
};
use crate::{
    archive::{Store, StoreError},
    config::Config,
    report::Backlog,
    route::Directory,
};

/// Users who are named in words.
const NAMED: usize = 10;

/// Users who have new addresses, or to whom new ones lead.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gained {
    pub users: BTreeSet<String>,
    /// It may be anybody: a domain alias is new.
    pub anybody: bool,
}

impl Gained {
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && !self.anybody
    }

    pub fn add(&mut self, other: Self) {
        self.users.extend(other.users);
        self.anybody |= other.anybody;
    }

    fn includes(&self, name: &str) -> bool {
        self.anybody || self.users.contains(name)
    }

    /// The users in words, the first of them.
    pub fn words(&self) -> String {
        self.nothing_read().users()
    }

    /// That there may be mail for them.
    pub fn not_counted(&self) -> String {
        format!(
            "new addresses of {}: dropkeep reroute --dry-run counts the mail for them that is in the archive already, \
             dropkeep reroute files it",
            self.words()
        )
    }

    fn nothing_read(&self) -> Backlog {
        let named = if self.anybody { 0 } else { NAMED };
        Backlog {
            users: self.users.iter().take(named).cloned().collect(),
            users_omitted: match self.anybody {
                true => 0,
                false => self.users.len().saturating_sub(named) as u64,
            },
            ..Backlog::default()
        }
    }
}

/// Counts the backlog of these users. Blocking: a million small messages take about a minute of one processor, and no more
/// memory than one message. `each` is told how many were read, and says whether to go on.
///
/// # Errors
/// The store cannot be read.
pub fn count(
    store: &Store,
    config: Arc<Config>,
    directory: Arc<Directory>,
    gained: &Gained,
    mut each: impl FnMut(u64) -> ControlFlow<()>,
) -> Result<Backlog, StoreError> {
    let book = Book::new(config, store, None)?;
    let mut backlog = Backlog {
        complete: true,
        ..gained.nothing_read()
    };
    let mut passed = 0;
    let mut lacking: BTreeMap<String, u64> = BTreeMap::new();
    Looker::new(store, directory, book, None).through(|looked| {
        passed += 1;
        if let Some(Looked { judged, .. }) = looked {
            backlog.read += 1;
            match judged {
                Ok(judged) => {
                    let names: Vec<_> = judged.lacking.iter().filter(|name| gained.includes(name)).collect();
                    backlog.messages += u64::from(!names.is_empty());
                    for name in names {
                        match lacking.get_mut(name) {
                            Some(messages) => *messages += 1,
                            None => _ = lacking.insert(name.clone(), 1),
                        }
                    }
                    let is_kept = judged.kept_from.iter().any(|name| gained.includes(name));
                    for name in judged.kept_by.into_iter().filter(|_| is_kept) {
                        *backlog.kept_by.entry(name).or_default() += 1;
                    }
                }
                Err(_) => backlog.failed += 1,
            }
        }
        let goes_on = each(passed);
        backlog.complete &= goes_on.is_continue();
        goes_on
    })?;
    // Who has nothing to be filed is not named.
    if !lacking.is_empty() {
        let mut most: Vec<_> = lacking.into_iter().collect();
        most.sort_by_key(|(_, messages)| Reverse(*messages));
        backlog.users_omitted = most.len().saturating_sub(NAMED) as u64;
        backlog.users = most.into_iter().take(NAMED).map(|(name, _)| name).collect();
    }
    backlog.name_command();
    Ok(backlog)
}
