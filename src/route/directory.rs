//! The directory: from addresses to users. Pure.

use std::collections::BTreeMap;

use crate::{
    archive::{CATCHALL_ID, Roster, StoreError, User, UserId},
    message::{Address, CATCHALL},
};

/// Users and their addresses. A look-up costs the same with ten addresses or a hundred thousand.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    users: BTreeMap<UserId, User>,
    roster: Roster,
}

/// What an address is to the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is this user's.
    User(UserId),
    /// It was a retired user's, and leads nowhere.
    Retired,
    No,
}

impl Directory {
    pub fn new(users: impl IntoIterator<Item = (UserId, User)>) -> Self {
        let mut directory = Self::default();
        users.into_iter().for_each(|(id, user)| directory.put(id, user));
        directory
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

    /// Whose address this is: exactly, or without its `+tag` where those count.
    pub fn look_up(&self, address: &Address, plus_addressing: bool) -> Known {
        let plain = address.without_tag().filter(|_| plus_addressing);
        let forms = || [Some(address), plain.as_ref()].into_iter().flatten();
        match forms().find_map(|form| self.roster.owner(form)) {
            Some(user) => Known::User(user),
            None if forms().any(|form| self.roster.is_retired(form)) => Known::Retired,
            None => Known::No,
        }
    }

    /// Whether neither the name nor the address is, or was, any user's.
    pub fn is_free(&self, name: &str, address: &Address) -> bool {
        self.by_name(name).is_none() && self.look_up(address, false) == Known::No
    }

    /// What would be wrong with the users, were this one so.
    pub fn contradiction(&self, id: UserId, user: &User) -> Option<StoreError> {
        let name_of = |id| self.name(id).to_owned();
        self.roster.contradiction(&BTreeMap::from([(id, user)]), name_of)
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
            name => self.roster.by_name(name),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (UserId, &User)> {
        self.users.iter().map(|(id, user)| (*id, user))
    }

    pub fn len(&self) -> usize {
        self.users.len()
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    /// A number for a new user.
    pub fn next_id(&self) -> UserId {
        self.users.last_key_value().map_or(CATCHALL_ID, |(id, _)| *id) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, addresses: &[&str], retired: bool) -> User {
        let addresses = addresses.iter().filter_map(|address| Address::parse(address)).collect();
        User {
            name: name.into(),
            addresses,
            managed: true,
            retired,
        }
    }

    #[test]
    fn addresses_lead_to_users() {
        let mut directory = Directory::new([
            (1, user("jane", &["jane@example.com", "j+d@example.com"], false)),
            (2, user("old", &["old@example.com"], true)),
        ]);
        let look_up = |directory: &Directory, text: &str, plus| directory.look_up(&Address::parse(text).unwrap(), plus);
        assert_eq!(look_up(&directory, "JANE@example.com", false), Known::User(1));
        assert_eq!(look_up(&directory, "jane+x@example.com", true), Known::User(1));
        assert_eq!(look_up(&directory, "jane+x@example.com", false), Known::No);
        assert_eq!(look_up(&directory, "j+d@example.com", false), Known::User(1));
        assert_eq!(look_up(&directory, "old@example.com", true), Known::Retired);
        assert_eq!(look_up(&directory, "old+x@example.com", true), Known::Retired);
        assert_eq!(directory.by_name("old"), Some(2));
        assert_eq!(directory.next_id(), 3);
        directory.put(1, user("jane", &["jane@example.org"], false));
        assert_eq!(
            look_up(&directory, "jane@example.com", true),
            Known::No,
            "an address taken away"
        );
        assert_eq!(look_up(&directory, "jane@example.org", true), Known::User(1));
    }

    #[test]
    fn a_retired_users_name_and_address_were_free_for_another() {
        let mut directory = Directory::new([(1, user("jane", &["jane@example.com"], false))]);
        let jane = Address::parse("jane@example.com").unwrap();
        let other = Address::parse("other@example.com").unwrap();
        directory.put(1, user("jane", &["jane@example.com"], true));
        assert!(!directory.is_free("jane@example.com", &jane));
        assert!(!directory.is_free("jane", &other));
        assert!(directory.is_free("other@example.com", &other));
        directory.put(1, user("jane", &["jane@example.com"], false));
        assert_eq!(directory.look_up(&jane, false), Known::User(1), "who came back");
    }
}
