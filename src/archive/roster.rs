//! Which names and addresses are whose. Pure; a question costs the same with ten users or a hundred thousand.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use super::{
    StoreError,
    rows::{User, UserId},
};
use crate::{
    api::{Code, Wrong},
    message::Address,
};

/// The names and addresses of users, to look them up and to refuse what contradicts them. Patterns lie among the
/// addresses, each by its own text.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    names: HashMap<String, Vec<Holder>>,
    addresses: HashMap<Address, UserId>,
    /// Who else has an address: nobody, but where an archive is from a time when two forms of it were two addresses.
    shared: HashMap<Address, Vec<UserId>>,
    /// Addresses of retired users, and how many of them have each.
    retired: HashMap<Address, usize>,
    /// Patterns that users have or had.
    patterns: usize,
}

#[derive(Clone, Copy, Debug)]
struct Holder {
    user: UserId,
    retired: bool,
}

impl Roster {
    pub fn insert(&mut self, id: UserId, user: &User) {
        let holder = Holder {
            user: id,
            retired: user.retired,
        };
        // As a rule there is one of a name.
        let one = || Vec::with_capacity(1);
        self.names.entry(user.name.clone()).or_insert_with(one).push(holder);
        self.patterns += patterns(user);
        for address in user.addresses.iter().cloned() {
            if user.retired {
                *self.retired.entry(address).or_default() += 1;
            } else {
                match self.addresses.entry(address) {
                    Entry::Vacant(free) => _ = free.insert(id),
                    Entry::Occupied(owner) if *owner.get() == id => {}
                    Entry::Occupied(owner) => self.shared.entry(owner.key().clone()).or_default().push(id),
                }
            }
        }
    }

    /// Takes out a user, as it was inserted.
    pub fn remove(&mut self, id: UserId, user: &User) {
        self.patterns -= patterns(user);
        if let Some(holders) = self.names.get_mut(&user.name) {
            holders.retain(|holder| holder.user != id);
            if holders.is_empty() {
                self.names.remove(&user.name);
            }
        }
        for address in &user.addresses {
            if !user.retired {
                let mut others = self.shared.remove(address).unwrap_or_default();
                others.retain(|other| *other != id);
                if self.addresses.get(address) == Some(&id) {
                    match others.is_empty() {
                        true => self.addresses.remove(address),
                        false => self.addresses.insert(address.clone(), others.remove(0)),
                    };
                }
                if !others.is_empty() {
                    self.shared.insert(address.clone(), others);
                }
            } else if let Some(count) = self.retired.get_mut(address) {
                *count -= 1;
                if *count == 0 {
                    self.retired.remove(address);
                }
            }
        }
    }

    /// The user of this name; of several, the one who is not retired.
    pub fn by_name(&self, name: &str) -> Option<UserId> {
        let holders = self.names.get(name)?;
        let first = holders.iter().min_by_key(|holder| (holder.retired, holder.user));
        first.map(|holder| holder.user)
    }

    /// Whose address, or pattern, this is; retired users have none.
    pub fn owner(&self, address: &str) -> Option<UserId> {
        self.addresses.get(address).copied()
    }

    /// All who have this address or pattern.
    pub fn owners(&self, address: &str) -> Vec<UserId> {
        let others = self.shared.get(address).into_iter().flatten().copied();
        self.owner(address).into_iter().chain(others).collect()
    }

    /// Addresses that several users have, each with all of them.
    pub fn shared(&self) -> impl Iterator<Item = (&Address, Vec<UserId>)> {
        self.shared
            .keys()
            .map(|address| (address, self.owners(address.as_str())))
    }

    /// Whether a retired user had this address or pattern.
    pub fn is_retired(&self, address: &str) -> bool {
        self.retired.contains_key(address)
    }

    /// Whether any user has or had a pattern.
    pub fn has_patterns(&self) -> bool {
        self.patterns > 0
    }

    /// What would be wrong with the users, were those of `changes` as given there: a name or an address
    /// that is two users'. Retired users keep their names, and their addresses are anyone's.
    /// `name_of` gives the names of users who do not change.
    pub fn contradiction(
        &self,
        changes: &BTreeMap<UserId, &User>,
        name_of: impl Fn(UserId) -> String,
    ) -> Option<StoreError> {
        let mut names: HashMap<&str, (usize, usize)> = HashMap::new();
        let mut owners: HashMap<&Address, &User> = HashMap::new();
        for (id, user) in changes {
            let refuse = |detail, wrong: Wrong| {
                let (name, wrong) = (user.name.clone(), wrong.into());
                Some(StoreError::User { name, detail, wrong })
            };
            let others = self.names.get(&user.name).into_iter().flatten();
            let others = others.filter(|holder| !changes.contains_key(&holder.user));
            let (active, retired) = names.entry(&user.name).or_default();
            let clash = |other_retired: bool| !(other_retired && user.retired);
            if *active > 0 || (*retired > 0 && !user.retired) || others.into_iter().any(|other| clash(other.retired)) {
                return refuse("exists already".into(), Wrong::new(Code::UserExists, &[&user.name]));
            }
            *(if user.retired { retired } else { active }) += 1;
            for address in user.addresses.iter().filter(|_| !user.retired) {
                let taken = |name: &str| {
                    let detail = format!("cannot have {address}: it is an address of {name:?}");
                    refuse(detail, Wrong::new(Code::AddressTaken, &[address, &name]))
                };
                match self.owner(address.as_str()) {
                    Some(other) if other != *id && !changes.contains_key(&other) => return taken(&name_of(other)),
                    _ => {}
                }
                match owners.insert(address, user) {
                    Some(other) if !std::ptr::eq(other, *user) => return taken(&other.name),
                    _ => {}
                }
            }
        }
        None
    }
}

fn patterns(user: &User) -> usize {
    user.addresses.iter().filter(|address| address.is_pattern()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, addresses: &[&str], retired: bool) -> User {
        User {
            name: name.into(),
            addresses: addresses.iter().map(|text| Address::parse(text).unwrap()).collect(),
            managed: false,
            retired,
        }
    }

    #[test]
    fn what_counts_is_how_users_are_in_the_end() {
        let mut roster = Roster::default();
        let there = [
            (UserId(1), user("jane", &["jane@example.com"], false)),
            (UserId(2), user("old", &["old@example.com"], true)),
        ];
        there.iter().for_each(|(id, user)| roster.insert(*id, user));
        let wrong = |changes: &[(UserId, User)]| {
            let changes = changes.iter().map(|(id, user)| (*id, user)).collect();
            let error = roster.contradiction(&changes, |id| format!("user {id}"));
            error.map(|error| error.to_string())
        };
        assert_eq!(wrong(&[(UserId(3), user("bob", &["old@example.com"], false))]), None);
        let taken = wrong(&[(UserId(3), user("bob", &["jane@example.com"], false))]).unwrap();
        assert!(taken.contains("user 1"), "{taken}");
        assert!(wrong(&[(UserId(3), user("jane", &[], false))]).is_some());
        assert!(
            wrong(&[(UserId(3), user("old", &[], false))]).is_some(),
            "a retired user's name"
        );
        assert!(wrong(&[(UserId(3), user("jane", &[], true))]).is_some());
        assert_eq!(wrong(&[(UserId(3), user("old", &[], true))]), None);
        let moved = [
            (UserId(1), user("bob", &["b@example.com"], false)),
            (UserId(3), user("jane", &["jane@example.com"], false)),
        ];
        assert_eq!(wrong(&moved), None, "name and address move within one change");
        let twice = [
            (UserId(3), user("a", &["a@example.com"], false)),
            (UserId(4), user("b", &["a@example.com"], false)),
        ];
        assert!(wrong(&twice).unwrap().contains("\"a\""));
        assert!(wrong(&[(UserId(3), user("a", &[], false)), (UserId(4), user("a", &[], true))]).is_some());
        assert!(wrong(&[(UserId(3), user("a", &[], true)), (UserId(4), user("a", &[], false))]).is_some());
    }

    #[test]
    fn who_is_taken_out_leaves_nothing() {
        let mut roster = Roster::default();
        let old = user("old", &["x@example.com"], true);
        let other = user("other", &["x@example.com"], true);
        let x = Address::parse("x@example.com").unwrap();
        roster.insert(UserId(1), &old);
        roster.insert(UserId(2), &other);
        roster.remove(UserId(1), &old);
        assert!(roster.is_retired(x.as_str()), "the other had it too");
        roster.remove(UserId(2), &other);
        assert!(!roster.is_retired(x.as_str()) && roster.by_name("old").is_none());
    }
}
