//! Users as a group writes them: all of a change or nothing, and never one who contradicts another.

use std::collections::BTreeMap;

use super::Group;
use crate::archive::{
    StoreError,
    roster::Roster,
    rows::{User, UserId},
};

impl Group<'_> {
    /// Writes users who are not there yet, or says why they cannot be: another may have taken the name or
    /// the address meanwhile.
    pub(super) fn new_users(&mut self, users: &[(UserId, User)]) -> heed::Result<Option<StoreError>> {
        let mut new = BTreeMap::new();
        for (id, user) in users {
            if self.catalog.users.get(&self.txn, id)?.is_none() {
                new.insert(*id, user);
            }
        }
        self.put_users(&new)
    }

    /// Makes users as they are to be, unless one contradicts another: then nothing is written.
    pub(super) fn put_users(&mut self, users: &BTreeMap<UserId, &User>) -> heed::Result<Option<StoreError>> {
        if users.is_empty() {
            return Ok(None);
        }
        let mut roster = match self.roster.take() {
            Some(roster) => roster,
            None => self.read_roster()?,
        };
        let table = &self.catalog.users;
        let name_of = |id| table.get(&self.txn, &id).ok().flatten().map(|user| user.name);
        let refusal = roster.contradiction(users, |id| name_of(id).unwrap_or_default());
        if refusal.is_none() {
            for id in users.keys() {
                if let Some(before) = table.get(&self.txn, id)? {
                    roster.remove(*id, &before);
                }
            }
            for (id, user) in users {
                roster.insert(*id, user);
                self.counters.user = self.counters.user.max(id + 1);
                table.put(&mut self.txn, id, user)?;
            }
        }
        self.roster = Some(roster);
        Ok(refusal)
    }

    fn read_roster(&self) -> heed::Result<Roster> {
        let mut roster = Roster::default();
        for row in self.catalog.users.iter(&self.txn)? {
            let (id, user) = row?;
            roster.insert(id, &user);
        }
        Ok(roster)
    }
}
