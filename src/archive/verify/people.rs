//! What must hold for users, what is counted of them, and accounts.

use std::{borrow::Cow, collections::BTreeMap};

use heed::RoTxn;

use super::{tables::Check, words::Desk};
use crate::{
    access::{AccountName, StoredAccount},
    archive::rows::{MessageId, Seconds, Usage, User, UserId},
};

impl Check<'_> {
    pub(super) fn user(&mut self, txn: &RoTxn, id: UserId, user: User, desk: &mut Desk) -> heed::Result<()> {
        if self.next.is_some_and(|next| next < u64::from(id.0)) {
            // Numbers are given out before it is known whether the user can be.
            let next = self.next.unwrap_or_default();
            desk.note(format!("no user has a number from {next} to {}", id.previous()));
        }
        self.next = Some(u64::from(id.0) + 1);
        self.below(id.0.into(), self.counters.user.0.into(), desk);
        // As they are now: a change meanwhile is none of those before.
        let user_of = |id| Ok::<_, heed::Error>(self.catalog.users.get(txn, &id)?.map(Cow::Owned));
        let mut shared = Vec::new();
        for address in user.addresses.iter().filter(|_| !user.retired) {
            if self.roster.owner(address, user_of)?.is_some() {
                shared.push(address.to_string());
            }
        }
        if !shared.is_empty() {
            // Two forms of an address were two addresses once.
            desk.note(format!(
                "user {id} has addresses that another user has as well: {}",
                shared.join(", ")
            ));
        } else if let Some(error) = self.roster.contradiction(&BTreeMap::from([(id, &user)]), user_of)? {
            desk.damage(self.found(format!("user {id}: {error}")).user(Some(user.name.clone())));
        }
        self.roster.insert(id, &user);
        Ok(())
    }

    pub(super) fn usage(&mut self, txn: &RoTxn, user: UserId, usage: Usage, desk: &mut Desk) -> heed::Result<()> {
        if !self.knows_user(txn, user)? {
            desk.damage(self.found(format!(
                "user {user}, for whom {} messages are counted, does not exist",
                usage.messages
            )));
        }
        let first = (user, Seconds::MIN, MessageId::MIN)..=(user, Seconds::MAX, MessageId::MAX);
        let filings = &self.catalog.filings;
        if usage.messages > 0 && filings.range(txn, &first)?.next_found().transpose()?.is_none() {
            let name = self.context.name(user);
            let detail = format!("{} messages are counted, but the archive is empty", usage.messages);
            desk.damage(self.found(detail).user(name));
        }
        Ok(())
    }

    pub(super) fn account(
        &mut self,
        txn: &RoTxn,
        name: &AccountName,
        account: &StoredAccount,
        desk: &mut Desk,
    ) -> heed::Result<()> {
        if AccountName::parse(&account.name).as_ref() != Some(name) {
            let detail = format!("account {:?} is found as {name}, which is not its name", account.name);
            desk.damage(self.found(detail));
        }
        for user in &account.given {
            if !self.knows_user(txn, *user)? {
                let detail = format!(
                    "account {:?} has the archive of user {user}, who does not exist",
                    account.name
                );
                desk.damage(self.found(detail));
            }
        }
        Ok(())
    }
}
