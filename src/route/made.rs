//! Users that the router makes for addresses of ours, and those that commands change: they are in the directory before
//! they are on disk.

use std::collections::HashSet;

use actix::{ActorFutureExt, AtomicResponse, Handler, Message, WrapFuture};

use super::{
    decision::{Assigned, Nobody},
    routed::DOING,
    router::Router,
    rule::Rule,
    users::{UserChange, UserError, changed},
};
use crate::{
    archive::{RunId, UserId},
    panics::{Answer, survived},
    report::metrics,
};

/// From the users commands: what to change of a user. Answered after the commit.
#[derive(Message)]
#[rtype(result = "Result<UserId, UserError>")]
pub struct ChangeUser(pub UserChange);

/// From a profile: no copy of this run comes any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct RunEnded(pub RunId);

impl Router {
    fn new_id(&mut self) -> UserId {
        let id = self.next_user;
        self.next_user = id.next();
        id
    }

    /// Makes a user for an address of ours that nobody has or had, within the run's limit.
    pub(super) fn create(&mut self, nobody: &Nobody, run: RunId, limit: u32) -> Option<Assigned> {
        if nobody.retired || self.is_full(run, limit) {
            return None;
        }
        let user = self.directory.newcomer(&nobody.address)?;
        let id = self.new_id();
        self.created.entry(run).or_default().insert(id);
        // First of all: whoever is in the directory and not on disk must be brought along.
        self.uncommitted.insert(id);
        self.change().put(id, user);
        self.changed(id);
        Some(Assigned {
            user: id,
            address: Some(nobody.named.clone()),
            why: nobody.why.clone(),
            rule: Rule::Create,
        })
    }

    /// Whether a run has made as many users as it may.
    pub(super) fn is_full(&self, run: RunId, limit: u32) -> bool {
        self.created.get(&run).map_or(0, HashSet::len) >= limit as usize
    }

    /// Whether a user is not one that the run made for an address: that is no sign that it is a person's.
    pub(super) fn was_there(&self, run: RunId, user: UserId) -> bool {
        self.created.get(&run).is_none_or(|made| !made.contains(&user))
    }

    /// These created users contradict the store's, and are none.
    pub(super) fn refused(&mut self, users: Vec<UserId>) {
        for user in users {
            if self.uncommitted.remove(&user) {
                self.change().remove(user);
                self.changed(user);
            }
        }
    }

    /// Notes that a user is new, or other than before.
    fn changed(&mut self, id: UserId) {
        if let Some(ids) = &mut self.meanwhile {
            ids.insert(id);
        }
        metrics::users(self.directory.len());
    }
}

/// Nothing else is routed or changed until the change is on disk: the next one starts from it.
impl Handler<ChangeUser> for Router {
    type Result = AtomicResponse<Self, Result<UserId, UserError>>;

    fn handle(&mut self, ChangeUser(change): ChangeUser, _: &mut Self::Context) -> Self::Result {
        let wanted = survived(DOING, || -> Result<_, UserError> {
            let (id, user) = changed(&self.directory, change)?;
            let id = id.unwrap_or_else(|| self.new_id());
            // Users on their way to the disk count too; those there the committer looks at again.
            match self.directory.contradiction(id, &user) {
                Some(error) => Err(error.into()),
                None => Ok((id, user)),
            }
        });
        let committer = self.filing.committer.clone();
        let commit = async move {
            let (id, user) = wanted??;
            committer.put_user(Some(id), user.clone()).await?;
            Ok((id, user))
        };
        let finish = |result: Result<_, UserError>, router: &mut Self, _: &mut Self::Context| {
            let (id, user) = result?;
            let put = survived(DOING, || {
                router.change().put(id, user);
                router.uncommitted.remove(&id);
                router.changed(id);
                id
            });
            Ok(put?)
        };
        AtomicResponse::new(Box::pin(commit.into_actor(self).map(finish)))
    }
}

impl Handler<RunEnded> for Router {
    type Result = Answer<()>;

    fn handle(&mut self, RunEnded(run): RunEnded, _: &mut Self::Context) -> Self::Result {
        Answer::survived(DOING, || drop(self.created.remove(&run)))
    }
}
