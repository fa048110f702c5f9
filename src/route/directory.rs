//! The directory: from addresses to users. Pure.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

use super::{
    rule::Rule,
    signs::{Signs, forms},
};
use crate::{
    archive::{CATCHALL_ID, Roster, StoreError, User, UserId},
    config::Config,
    message::{Address, CATCHALL},
};

/// Users, their addresses, and what leads to them. A look-up costs the same with ten addresses or a hundred thousand.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    users: BTreeMap<UserId, User>,
    roster: Roster,
    signs: Signs,
    /// Addresses that are not reported where nobody has them.
    ignored: BTreeSet<Address>,
}

/// What an address is to the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Mail to it is for these users, several where it is a list's.
    Users(Vec<UserId>, Rule),
    /// It was a retired user's, or is a list's whose users are all gone, and leads nowhere.
    Retired,
    No,
}

impl Directory {
    pub fn new(users: impl IntoIterator<Item = (UserId, User)>) -> Self {
        let mut directory = Self {
            // At once, as a tree that grows one by one is twice as large.
            users: users.into_iter().collect(),
            ..Self::default()
        };
        for (id, user) in &directory.users {
            directory.roster.insert(*id, user);
        }
        directory
    }

    /// What is to be said of addresses that several users have.
    pub fn shared(&self) -> Vec<String> {
        let address = |(id, place): (UserId, u32)| self.users.get(&id)?.addresses.get(place as usize);
        let doubled = self.roster.doubled().filter_map(|(one, other)| {
            let (one, other) = (address(one)?, address(other)?);
            (one == other).then_some(one)
        });
        let words = |address: &Address| {
            let owners = self.holders(address.as_str()).0;
            let names: Vec<_> = owners.into_iter().map(|id| self.name(id)).collect();
            (names.len() > 1).then(|| {
                format!(
                    "{address} is an address of each of {}, from a time when its quoted form was another one: all of them \
                     get its mail; take it from all but one",
                    names.join(", ")
                )
            })
        };
        doubled.collect::<BTreeSet<_>>().into_iter().filter_map(words).collect()
    }

    /// The same users, with these domain aliases and lists.
    pub fn with(mut self, signs: Signs) -> Self {
        self.signs = signs;
        self
    }

    /// These are reported no more.
    pub fn ignore(&mut self, ignored: BTreeSet<Address>) {
        self.ignored = ignored;
    }

    pub fn ignored(&self) -> &BTreeSet<Address> {
        &self.ignored
    }

    /// What a configuration that was checked makes by itself; its users are numbered from 1 in their order.
    pub fn of_config(config: &Config) -> Self {
        let users = config.users().filter_map(|user| super::managed(user).ok());
        Self::new((CATCHALL_ID.next().0..).map(UserId).zip(users)).with(Signs::new(config))
    }

    /// Adds a user, or changes one. A retired user's addresses lead nowhere, and stay known as such.
    pub fn put(&mut self, id: UserId, user: User) {
        self.remove(id);
        self.roster.insert(id, &user);
        self.users.insert(id, user);
    }

    pub fn remove(&mut self, id: UserId) {
        if let Some(before) = self.users.remove(&id) {
            self.roster.remove(id, &before);
        }
    }

    /// Whose address this is: of the forms in which it is looked up, the first that anybody has or had decides. So
    /// what is said of one address goes before what is said of a whole domain.
    pub fn look_up(&self, address: &Address, plus_addressing: bool) -> Known {
        let alias = self.signs.alias(address.domain());
        for (form, rule) in forms(address, plus_addressing, alias, self.roster.has_patterns()) {
            let (users, is_retired) = self.holders(&form);
            if !users.is_empty() {
                return Known::Users(users, rule);
            }
            if let Some(names) = self.signs.list(&form) {
                let members = self.active(names);
                return match members.is_empty() {
                    true => Known::Retired,
                    false => Known::Users(members, Rule::List),
                };
            }
            if is_retired {
                return Known::Retired;
            }
        }
        Known::No
    }

    /// All users who have this address or pattern, and whether a retired one had it.
    fn holders(&self, address: &str) -> (Vec<UserId>, bool) {
        let (mut users, mut is_retired) = (Vec::new(), false);
        for (id, place) in self.roster.with_address(address) {
            match self.users.get(&id).filter(|user| user.has(place, address)) {
                Some(user) if user.retired => is_retired = true,
                Some(_) => users.push(id),
                None => {}
            }
        }
        users.sort_unstable();
        users.dedup();
        (users, is_retired)
    }

    /// Whether an address, in one of the forms in which it is looked up, is this user's, retired or not.
    pub fn is_of(&self, user: UserId, address: &Address, plus_addressing: bool) -> bool {
        let alias = self.signs.alias(address.domain());
        let owned = self.users.get(&user).map_or(&[][..], |user| &user.addresses);
        let mut forms = forms(address, plus_addressing, alias, self.roster.has_patterns());
        !owned.is_empty() && forms.any(|(form, _)| owned.iter().any(|one| one.as_str() == form))
    }

    /// Those of the users of these names who get mail.
    fn active(&self, names: &[String]) -> Vec<UserId> {
        let ids = names.iter().filter_map(|name| self.by_name(name));
        ids.filter(|id| *id == CATCHALL_ID || self.user(*id).is_some_and(|user| !user.retired))
            .collect()
    }

    /// The address that a user made for this one has: without its `+tag` where those count, and at the domain that its
    /// own is an alias of.
    pub fn plain(&self, address: &Address, plus_addressing: bool) -> Address {
        let plain = address.without_tag().filter(|_| plus_addressing);
        let plain = plain.unwrap_or_else(|| address.clone());
        match self.signs.alias(address.domain()) {
            Some(domain) => plain.at(domain),
            None => plain,
        }
    }

    /// Who would be made for an address that nobody has or had; `None` where anybody has. The user is named by the
    /// address, with a number behind it where another has that name.
    pub fn newcomer(&self, address: &Address) -> Option<User> {
        // What looks like a pattern would get the mail of a whole domain.
        if address.is_pattern() || self.look_up(address, false) != Known::No {
            return None;
        }
        let numbered = (2..).map(|number: u64| format!("{address}-{number}"));
        let mut names = std::iter::once(address.to_string()).chain(numbered);
        Some(User {
            name: names.find(|name| self.by_name(name).is_none())?,
            addresses: vec![address.clone()],
            managed: false,
            retired: false,
        })
    }

    /// What would be wrong with the users, were this one so.
    pub fn contradiction(&self, id: UserId, user: &User) -> Option<StoreError> {
        let user_of = |id| Ok::<_, Infallible>(self.users.get(&id).map(Cow::Borrowed));
        let Ok(among_users) = self.roster.contradiction(&BTreeMap::from([(id, user)]), user_of);
        among_users.or_else(|| self.signs.contradiction(user))
    }

    /// Names in lists that nobody has, each with its list's address.
    pub fn absent(&self) -> impl Iterator<Item = (&Address, &str)> {
        let lists = self.signs.lists();
        let names = lists.flat_map(|(address, names)| names.iter().map(move |name| (address, name.as_str())));
        names.filter(|(_, name)| self.by_name(name).is_none())
    }

    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    pub fn name(&self, id: UserId) -> &str {
        self.users.get(&id).map_or(CATCHALL, |user| &user.name)
    }

    /// The user of this name; of several, the one who is not retired.
    pub fn by_name(&self, name: &str) -> Option<UserId> {
        match name {
            CATCHALL => Some(CATCHALL_ID),
            name => {
                let named = self
                    .roster
                    .named(name)
                    .filter_map(|id| Some((id, self.users.get(&id)?)));
                let named = named.filter(|(_, user)| user.name == name);
                named.min_by_key(|(id, user)| (user.retired, *id)).map(|(id, _)| id)
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (UserId, &User)> {
        self.users.iter().map(|(id, user)| (*id, user))
    }

    /// The retired users: their names, and the addresses that they had.
    pub fn retired(&self) -> impl Iterator<Item = (&str, &[Address])> {
        let retired = self.users.values().filter(|user| user.retired);
        retired.map(|user| (&*user.name, &*user.addresses))
    }

    pub fn len(&self) -> usize {
        self.users.len()
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// A number for a new user.
    pub fn next_id(&self) -> UserId {
        self.users.last_key_value().map_or(CATCHALL_ID, |(id, _)| *id).next()
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
