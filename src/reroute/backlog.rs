//! The backlog of users who have new addresses: messages that are in the archive already, that are for them by the
//! rules, and that they do not have. It is counted as `dropkeep reroute --dry-run` counts, by reading the header of
//! every message.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    sync::Arc,
};

use super::{
    book::{Book, not_judged},
    judged::Fault,
    look::{Looked, Looker},
};
use crate::{
    archive::{Store, StoreError, UsersNews},
    config::Config,
    report::Backlog,
    route::Directory,
    said::{Said, said},
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

impl From<UsersNews> for Gained {
    fn from(UsersNews { gained, anybody, .. }: UsersNews) -> Self {
        let users = gained;
        Self { users, anybody }
    }
}

impl From<Gained> for UsersNews {
    fn from(Gained { users, anybody }: Gained) -> Self {
        let gained = users;
        Self {
            gained,
            anybody,
            ..Self::default()
        }
    }
}

impl Gained {
    pub fn of(users: BTreeSet<String>) -> Self {
        let anybody = false;
        Self { users, anybody }
    }

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
    pub fn words(&self) -> Said {
        self.nothing_read().users()
    }

    /// That there may be mail for them.
    pub fn not_counted(&self) -> Said {
        said!(
            AddressesNotCounted,
            "new addresses of {0}: dropkeep reroute --dry-run counts the mail for them that is in the archive already, \
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

/// Counts the backlog of these users. Blocking: a million small messages take about a minute of one processor, and no
/// more memory than one message. `each` is told how many were read, and says whether to go on.
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
    let not_judged = not_judged(&config);
    let book = Book::new(config, store, None)?;
    let mut backlog = Backlog {
        complete: true,
        not_judged,
        ..gained.nothing_read()
    };
    let mut gaining = BTreeMap::<String, u64>::new();
    let mut passed = 0;
    let looker = Looker::new(store, directory, book, None).supposing();
    looker.through(|looked| {
        passed += 1;
        if let Some(Looked { judged, .. }) = looked {
            backlog.read += 1;
            match judged {
                Ok(judged) => {
                    let mut is_theirs = false;
                    for name in judged.lacking.into_iter().filter(|name| gained.includes(name)) {
                        is_theirs = true;
                        *gaining.entry(name).or_default() += 1;
                    }
                    backlog.messages += u64::from(is_theirs);
                    let is_kept = judged.kept_from.iter().any(|name| gained.includes(name));
                    for name in judged.kept_by.into_iter().filter(|_| is_kept) {
                        *backlog.kept_by.entry(name).or_default() += 1;
                    }
                }
                Err(Fault::NoRules(why)) => backlog.not_judged.count(why),
                Err(_) => backlog.failed += 1,
            }
        }
        let goes_on = each(passed);
        backlog.complete &= goes_on.is_continue();
        goes_on
    })?;
    backlog.name_gaining(gaining);
    Ok(backlog)
}
