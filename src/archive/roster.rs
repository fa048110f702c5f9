//! Which names and addresses are whose. Pure; a question costs the same with ten users or a hundred thousand.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use super::{
    StoreError,
    rows::{User, UserId},
};
use crate::{
    api::{Code, Wrong},
    by_text::ByText,
    message::Address,
};

/// The names and addresses of users, to look them up and to refuse what contradicts them. Patterns lie among the
/// addresses, each by its own text. The texts are the users' own: whoever asks has the users, and compares.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    names: ByText<UserId>,
    /// Of retired users too; each with its place among the user's.
    addresses: ByText<(UserId, u32)>,
    /// Patterns that users have or had.
    patterns: usize,
}

impl Roster {
    pub fn insert(&mut self, id: UserId, user: &User) {
        self.patterns += patterns(user);
        self.names.insert(&user.name, id);
        for (address, place) in user.addresses.iter().zip(0..) {
            self.addresses.insert(address.as_str(), (id, place));
        }
    }

    /// Takes out a user, as it was inserted.
    pub fn remove(&mut self, id: UserId, user: &User) {
        self.patterns -= patterns(user);
        self.names.remove(&user.name, id);
        for (address, place) in user.addresses.iter().zip(0..) {
            self.addresses.remove(address.as_str(), (id, place));
        }
    }

    /// All users who have this name, and seldom another.
    pub fn named(&self, name: &str) -> impl Iterator<Item = UserId> {
        self.names.of(name)
    }

    /// All who have or had this address or pattern, each with its place among the user's; and seldom another.
    pub fn with_address(&self, address: &str) -> impl Iterator<Item = (UserId, u32)> {
        self.addresses.of(address)
    }

    /// Pairs of users with what may be the same address, by its place among either user's.
    pub fn doubled(&self) -> impl Iterator<Item = ((UserId, u32), (UserId, u32))> {
        self.addresses.doubled().filter(|(one, other)| one.0 != other.0)
    }

    /// Whether any user has or had a pattern.
    pub fn has_patterns(&self) -> bool {
        self.patterns > 0
    }

    /// Whose address, or pattern, this is; retired users have none. Of several, as in an archive from a time when two forms
    /// of an address were two addresses, the one with the lowest number.
    ///
    /// # Errors
    /// `user_of` has one.
    pub fn owner<'u, E>(
        &self,
        address: &Address,
        user_of: impl Fn(UserId) -> Result<Option<Cow<'u, User>>, E>,
    ) -> Result<Option<(UserId, Cow<'u, User>)>, E> {
        let mut owner: Option<(UserId, Cow<User>)> = None;
        for (id, place) in self.with_address(address.as_str()) {
            if owner.as_ref().is_none_or(|(lowest, _)| id < *lowest)
                && let Some(user) = user_of(id)?
                && !user.retired
                && user.has(place, address.as_str())
            {
                owner = Some((id, user));
            }
        }
        Ok(owner)
    }

    /// What would be wrong with the users, were those of `changes` as given there: a name or an address
    /// that is two users'. Retired users keep their names, and their addresses are anyone's. `user_of` gives the users as
    /// they were inserted.
    ///
    /// # Errors
    /// `user_of` has one.
    pub fn contradiction<'u, E>(
        &self,
        changes: &BTreeMap<UserId, &User>,
        user_of: impl Fn(UserId) -> Result<Option<Cow<'u, User>>, E>,
    ) -> Result<Option<StoreError>, E> {
        let stays = |id: &UserId| !changes.contains_key(id);
        let mut names: HashMap<&str, (usize, usize)> = HashMap::new();
        let mut owners: HashMap<&Address, &User> = HashMap::new();
        for user in changes.values() {
            let refuse = |detail, wrong: Wrong| {
                let (name, wrong) = (user.name.clone(), wrong.into());
                Ok(Some(StoreError::User { name, detail, wrong }))
            };
            let (active, retired) = names.entry(&user.name).or_default();
            let mut exists = *active > 0 || (*retired > 0 && !user.retired);
            for other in self.named(&user.name).filter(stays) {
                let other = user_of(other)?.filter(|other| other.name == user.name);
                exists |= other.is_some_and(|other| !(other.retired && user.retired));
            }
            if exists {
                return refuse("exists already".into(), Wrong::new(Code::UserExists, &[&user.name]));
            }
            *(if user.retired { retired } else { active }) += 1;
            for address in user.addresses.iter().filter(|_| !user.retired) {
                let taken = |name: &str| {
                    let detail = format!("cannot have {address}: it is an address of {name:?}");
                    refuse(detail, Wrong::new(Code::AddressTaken, &[address, &name]))
                };
                // Nearly always nobody else has it, and then nobody is looked at.
                if self.with_address(address.as_str()).any(|(other, _)| stays(&other))
                    && let Some((_, other)) = self.owner(address, &user_of)?.filter(|(other, _)| stays(other))
                {
                    return taken(&other.name);
                }
                match owners.insert(address, user) {
                    Some(other) if !std::ptr::eq(other, *user) => return taken(&other.name),
                    _ => {}
                }
            }
        }
        Ok(None)
    }
}

fn patterns(user: &User) -> usize {
    user.addresses.iter().filter(|address| address.is_pattern()).count()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

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
        let user_of = |id| -> Result<_, Infallible> {
            let found = there.iter().find(|(there, _)| *there == id);
            Ok(found.map(|(_, user)| Cow::Borrowed(user)))
        };
        let wrong = |changes: &[(UserId, User)]| {
            let changes = changes.iter().map(|(id, user)| (*id, user)).collect();
            let Ok(error) = roster.contradiction(&changes, user_of);
            error.map(|error| error.to_string())
        };
        assert_eq!(wrong(&[(UserId(3), user("bob", &["old@example.com"], false))]), None);
        let taken = wrong(&[(UserId(3), user("bob", &["jane@example.com"], false))]).unwrap();
        assert!(taken.contains("\"jane\""), "{taken}");
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
    fn an_address_that_two_users_have_from_before_is_the_first_ones() {
        let mut roster = Roster::default();
        let x = "x@example.com";
        let there = [
            (UserId(3), user("c", &[x], false)),
            (UserId(2), user("b", &["b@example.com", x], false)),
            (UserId(1), user("a", &[x], true)),
        ];
        there.iter().for_each(|(id, user)| roster.insert(*id, user));
        let user_of = |id| -> Result<_, Infallible> {
            let found = there.iter().find(|(there, _)| *there == id);
            Ok(found.map(|(_, user)| Cow::Borrowed(user)))
        };
        let Ok(owner) = roster.owner(&Address::parse(x).unwrap(), user_of);
        assert_eq!(owner.map(|(id, _)| id), Some(UserId(2)));
        let is_refused = |id, name| {
            let Ok(error) = roster.contradiction(&BTreeMap::from([(UserId(id), &user(name, &[x], false))]), user_of);
            error.is_some()
        };
        assert!(!is_refused(2, "renamed") && is_refused(3, "renamed") && is_refused(4, "new"));
        let others: Vec<_> = roster.doubled().filter(|(one, _)| one.0 == UserId(2)).collect();
        assert_eq!(others, [((UserId(2), 1), (UserId(3), 0))]);
    }

    #[test]
    fn who_is_taken_out_leaves_nothing() {
        let mut roster = Roster::default();
        let old = user("old", &["x@example.com"], true);
        let other = user("other", &["x@example.com"], true);
        let of_x = |roster: &Roster| roster.with_address("x@example.com").collect::<Vec<_>>();
        roster.insert(UserId(1), &old);
        roster.insert(UserId(2), &other);
        roster.remove(UserId(1), &old);
        assert_eq!(of_x(&roster), [(UserId(2), 0)], "the other had it too");
        roster.remove(UserId(2), &other);
        assert!(of_x(&roster).is_empty() && roster.named("old").next().is_none());
    }
}
