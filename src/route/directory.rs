//! The directory: from addresses to users. Pure.

use std::collections::{BTreeMap, HashMap};

use crate::{
    archive::{CATCHALL_ID, User, UserId},
    message::{Address, CATCHALL},
};

/// Users and their addresses. A look-up costs the same with ten addresses or a hundred thousand.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    users: BTreeMap<UserId, User>,
    addresses: HashMap<Address, UserId>,
}

impl Directory {
    pub fn new(users: impl IntoIterator<Item = (UserId, User)>) -> Self {
        let mut directory = Self::default();
        users.into_iter().for_each(|(id, user)| directory.put(id, user));
        directory
    }

    /// Adds a user, or changes one. A retired user's addresses lead nowhere.
    pub fn put(&mut self, id: UserId, user: User) {
        if let Some(before) = self.users.get(&id) {
            for address in &before.addresses {
                if self.addresses.get(address) == Some(&id) {
                    self.addresses.remove(address);
                }
            }
        }
        if !user.retired {
            self.addresses
                .extend(user.addresses.iter().cloned().map(|address| (address, id)));
        }
        self.users.insert(id, user);
    }

    /// Whose address this is: exactly, or without its `+tag` where those count.
    pub fn look_up(&self, address: &Address, plus_addressing: bool) -> Option<UserId> {
        let exact = self.addresses.get(address).copied();
        let tagged = || address.without_tag().filter(|_| plus_addressing);
        exact.or_else(|| self.addresses.get(&tagged()?).copied())
    }

    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    pub fn name(&self, id: UserId) -> &str {
        self.users.get(&id).map_or(CATCHALL, |user| &user.name)
    }

    /// The user of this name; of several, the one who is not retired.
    pub fn by_name(&self, name: &str) -> Option<UserId> {
        if name == CATCHALL {
            return Some(CATCHALL_ID);
        }
        let named = self.users.iter().filter(|(_, user)| user.name == name);
        named.min_by_key(|(_, user)| user.retired).map(|(id, _)| *id)
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
        assert_eq!(look_up(&directory, "JANE@example.com", false), Some(1));
        assert_eq!(look_up(&directory, "jane+x@example.com", true), Some(1));
        assert_eq!(look_up(&directory, "jane+x@example.com", false), None);
        assert_eq!(look_up(&directory, "j+d@example.com", false), Some(1));
        assert_eq!(look_up(&directory, "old@example.com", true), None, "a retired user");
        assert_eq!(directory.by_name("old"), Some(2));
        assert_eq!(directory.next_id(), 3);
        directory.put(1, user("jane", &["jane@example.org"], false));
        assert_eq!(
            look_up(&directory, "jane@example.com", true),
            None,
            "an address taken away"
        );
        assert_eq!(look_up(&directory, "jane@example.org", true), Some(1));
    }
}
