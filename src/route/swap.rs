//! Another directory in place of the router's: built beside it, so that mail goes on with the old one meanwhile.

use std::{collections::BTreeSet, sync::Arc};

use actix::{Handler, Message};

use super::{
    Directory,
    routed::DOING,
    router::{Router, warn_of_absent},
};
use crate::{
    archive::{User, UserId},
    message::Address,
    panics::Answer,
    report::metrics,
};

/// From whoever is about to change many users at once: so many numbers for new ones. Answers the first. From now on the
/// router notes which users it changes itself.
#[derive(Message)]
#[rtype(result = "UserId")]
pub struct BeginSwap(pub u32);

/// From the same, once the change is on disk: the directory that came of it. Answers the old one, which takes its time
/// to be dropped.
#[derive(Message)]
#[rtype(result = "Arc<Directory>")]
pub struct Swap(pub Directory);

/// From the same, where but a few users changed, in place of another directory.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PutUsers(pub Vec<(UserId, User)>);

impl Handler<PutUsers> for Router {
    type Result = Answer<()>;

    fn handle(&mut self, PutUsers(users): PutUsers, _: &mut Self::Context) -> Self::Result {
        Answer::survived(DOING, || {
            // On the way an address may be two users'; whoever has it in the end is put in as having it.
            users.into_iter().for_each(|(id, user)| self.change().put(id, user));
            self.meanwhile = None;
            warn_of_absent(&self.directory);
            metrics::users(self.directory.len());
        })
    }
}

/// From whoever keeps them, once they are on disk: the addresses that are reported no more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct PutIgnored(pub BTreeSet<Address>);

impl Handler<PutIgnored> for Router {
    type Result = Answer<()>;

    fn handle(&mut self, PutIgnored(ignored): PutIgnored, _: &mut Self::Context) -> Self::Result {
        Answer::survived(DOING, || self.change().ignore(ignored))
    }
}

impl Handler<BeginSwap> for Router {
    type Result = Answer<UserId>;

    fn handle(&mut self, BeginSwap(numbers): BeginSwap, _: &mut Self::Context) -> Self::Result {
        Answer::survived(DOING, || {
            // One that was begun and came to nothing has its notes still.
            let uncommitted = self.uncommitted.iter().copied();
            self.meanwhile.get_or_insert_default().extend(uncommitted);
            let first = self.next_user;
            self.next_user = first.plus(numbers);
            first
        })
    }
}

impl Handler<Swap> for Router {
    type Result = Answer<Arc<Directory>>;

    fn handle(&mut self, Swap(new): Swap, _: &mut Self::Context) -> Self::Result {
        Answer::survived(DOING, || self.swap(new))
    }
}

impl Router {
    fn swap(&mut self, mut new: Directory) -> Arc<Directory> {
        // The router hears of each change of these, maybe since the new one was made.
        new.ignore(self.directory.ignored().clone());
        for id in self.meanwhile.take().unwrap_or_default() {
            match self.directory.user(id) {
                // Whom the configuration has now, it manages.
                _ if new.user(id).is_some_and(|user| user.managed) => {}
                Some(user) if new.contradiction(id, user).is_none() => new.put(id, user.clone()),
                // Made for an address that somebody has now: the deposit that brings them will be refused.
                Some(_) => {
                    self.uncommitted.remove(&id);
                }
                None => new.remove(id),
            }
        }
        self.next_user = self.next_user.max(new.next_id());
        warn_of_absent(&new);
        metrics::users(new.len());
        std::mem::replace(&mut self.directory, Arc::new(new))
    }
}

/// From who has mail that names very many addresses: the directory, to look them up in elsewhere. As long as it is held
/// each change costs a copy of it.
#[derive(Message)]
#[rtype(result = "Arc<Directory>")]
pub struct AsItStands;

impl Handler<AsItStands> for Router {
    type Result = Answer<Arc<Directory>>;

    fn handle(&mut self, _: AsItStands, _: &mut Self::Context) -> Self::Result {
        Answer::survived(DOING, || self.directory.clone())
    }
}

#[cfg(test)]
#[path = "swap_tests.rs"]
mod tests;
