//! What is still to be said about users: the configuration or its users file changed them, and no protocol has said so.
//! It is kept in the catalog, as the command that took the change over may have had nobody to tell.

use std::collections::BTreeSet;

use heed::{RoTxn, RwTxn};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, catalog::Catalog, codec::Row};
use crate::said::{Said, said};

/// `meta`: where it is kept.
pub(super) const NEWS: &str = "users_news";
/// Names that are kept of each kind.
const MOST: usize = 1000;
/// Names that are said.
const NAMED: usize = 10;

/// Each name is kept until a protocol has said it, or somebody was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsersNews {
    /// Users with new addresses: mail in the archive may be for them.
    pub gained: BTreeSet<String>,
    /// That may be anybody: a domain alias is new, or too many users are.
    pub anybody: bool,
    /// Users who were retired because they disappeared.
    pub retired: BTreeSet<String>,
    /// More of those than have their names kept.
    pub retired_more: u64,
    /// From where they disappeared, in words.
    pub retired_from: String,
}

impl UsersNews {
    pub fn is_empty(&self) -> bool {
        self.gained.is_empty() && !self.anybody && self.retired.is_empty()
    }

    /// Adds what is newer. Who comes back is not missed any more, and who is gone gets no mail.
    pub fn add(&mut self, newer: &Self) {
        self.retired.retain(|name| !newer.gained.contains(name));
        self.gained.retain(|name| !newer.retired.contains(name));
        self.gained.extend(newer.gained.iter().cloned());
        self.anybody |= newer.anybody;
        if self.gained.len() > MOST {
            self.gained.clear();
            self.anybody = true;
        }
        self.retired_more += newer.retired_more;
        for name in &newer.retired {
            if self.retired.len() < MOST || self.retired.contains(name) {
                self.retired.insert(name.clone());
            } else {
                self.retired_more += 1;
            }
        }
        if !newer.retired.is_empty() {
            self.retired_from.clone_from(&newer.retired_from);
        }
    }

    /// Takes out what was said.
    pub fn remove(&mut self, said: &Self) {
        self.gained.retain(|name| !said.gained.contains(name));
        self.retired.retain(|name| !said.retired.contains(name));
        self.anybody &= !said.anybody;
        self.retired_more = self.retired_more.saturating_sub(said.retired_more);
    }

    /// Who was retired, in words; `None` where nobody was.
    pub fn retired_words(&self) -> Option<Said> {
        let from = &self.retired_from;
        let users = self.retired.len() as u64 + self.retired_more;
        let names: Vec<&str> = self.retired.iter().take(NAMED).map(String::as_str).collect();
        let more = users - names.len() as u64;
        let names = Said::quoted(names.join(", "));
        match (users, more) {
            (0, _) => None,
            (1, _) => Some(said!(
                UserGone,
                "user {0:?} is no longer in {1} and is retired: nothing more is filed for this user",
                &*names,
                from
            )),
            (_, 0) => Some(said!(
                UsersGone,
                "{0} users are no longer in {1} and are retired: {2}; nothing more is filed for them",
                users,
                from,
                names
            )),
            _ => Some(said!(
                UsersGoneMore,
                "{0} users are no longer in {1} and are retired: {2} ({3} more); nothing more is filed for them",
                users,
                from,
                names,
                more
            )),
        }
    }

    /// Only who was retired, or only who has new addresses.
    pub fn only_retired(&self) -> Self {
        let (gained, anybody) = (BTreeSet::new(), false);
        Self {
            gained,
            anybody,
            ..self.clone()
        }
    }

    pub fn only_gained(&self) -> Self {
        Self {
            gained: self.gained.clone(),
            anybody: self.anybody,
            ..Self::default()
        }
    }
}

impl Catalog {
    pub(super) fn news(&self, txn: &RoTxn) -> heed::Result<UsersNews> {
        let table = self.meta.remap_data_type::<Row<UsersNews>>();
        Ok(table.get(txn, NEWS)?.unwrap_or_default())
    }

    pub(super) fn put_news(&self, txn: &mut RwTxn, news: &UsersNews) -> heed::Result<()> {
        self.meta.remap_data_type::<Row<UsersNews>>().put(txn, NEWS, news)
    }
}

impl Store {
    /// What of the users is still to be said.
    pub fn users_news(&self) -> Result<UsersNews, StoreError> {
        self.reading(|txn| self.catalog.news(txn))
    }
}

#[test]
fn who_came_back_was_still_said_to_be_gone() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let gone = |retired: &[&str]| UsersNews {
        retired: names(retired),
        ..UsersNews::default()
    };
    let mut news = gone(&["jane", "bob"]);
    news.add(&UsersNews {
        gained: names(&["jane"]),
        ..UsersNews::default()
    });
    assert_eq!((&news.retired, &news.gained), (&names(&["bob"]), &names(&["jane"])));
    news.remove(&gone(&["bob"]));
    assert!(news.retired.is_empty() && !news.is_empty());
    let many: Vec<_> = (0..1500).map(|number| number.to_string()).collect();
    news.add(&gone(&many.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!((news.retired.len(), news.retired_more), (MOST, 500));
}
