//! Changes of users: all of a change or nothing, and never one who contradicts another.

use std::{borrow::Cow, collections::BTreeMap};

use super::{Deciding, row};
use crate::archive::{
    StoreError,
    roster::Roster,
    rows::{User, UserId},
    view::Read,
};

impl Deciding<'_> {
    fn user(&self, id: UserId) -> Read<Option<User>> {
        row(&self.set.users, &id, || self.view.user(id))
    }

    /// Makes users who are not there yet, or says why they cannot be: another may have taken the name or the address
    /// meanwhile.
    pub(super) fn new_users(&mut self, users: &[(UserId, User)]) -> Read<Option<StoreError>> {
        let mut new = BTreeMap::new();
        for (id, user) in users {
            if self.user(*id)?.is_none() {
                new.insert(*id, user);
            }
        }
        self.put_users(&new)
    }

    /// Makes users as they are to be, unless one contradicts another: then nothing changes.
    pub(super) fn put_users(&mut self, users: &BTreeMap<UserId, &User>) -> Read<Option<StoreError>> {
        if users.is_empty() {
            return Ok(None);
        }
        let mut roster = match self.roster.take() {
            Some(roster) => roster,
            None => self.read_roster()?,
        };
        let refusal = roster.contradiction(users, |id| Ok::<_, StoreError>(self.user(id)?.map(Cow::Owned)))?;
        if refusal.is_none() {
            for id in users.keys() {
                if let Some(before) = self.user(*id)? {
                    roster.remove(*id, &before);
                }
            }
            for (id, user) in users {
                roster.insert(*id, user);
                self.set.counters.user = self.set.counters.user.max(id.next());
                self.set.users.insert(*id, Some((*user).clone()));
                self.users.insert(*id);
            }
        }
        self.roster = Some(roster);
        Ok(refusal)
    }

    /// Before the first change of users in the group.
    fn read_roster(&self) -> Read<Roster> {
        let mut roster = Roster::default();
        self.view.each_user(&mut |id, user| roster.insert(id, &user))?;
        Ok(roster)
    }
}
