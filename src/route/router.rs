//! The role of the router is to map addresses to user archives: it decides for whom an identified
//! copy is, starts the archives of those users where they are not running, gives each its share
//! of the deposit, and answers when all of it is on disk.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{
    Actor, ActorFutureExt, Addr, Arbiter, AsyncContext, AtomicResponse, Context, Handler, Message, MessageResult,
    ResponseFuture, WrapFuture,
};
use futures_util::{
    future,
    stream::{self, StreamExt},
};
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    Directory, Prepared,
    decision::{Routing, decide, unknown_goes_to},
    users::{UserChange, UserError, changed},
};
use crate::{
    archive::{
        Change, Committer, CopyKey, Deposit, File, Filed, RunId, Shared, Store, StoreError, User, UserArchive, UserId,
        Why,
    },
    identify::Found,
    message::Address,
    report::metrics,
};

/// Copies waiting for a decision; behind them, the connections wait.
const MAILBOX: usize = 64;
/// How often archives that stopped are forgotten.
const TIDY: Duration = Duration::from_secs(60);
/// A share that an archive did not answer is sent once more, to one started anew.
const TRIES: usize = 2;
/// Shares of deposits that are on their way to the disk at a time, over all copies: they, not its bytes, are
/// what a copy for thousands takes. One with more shares passes alone.
const SHARES: usize = 20_000;
/// Archives that a copy asks for at once, and how many of them have its shares at a time.
const BATCH: usize = 256;
const AT_ONCE: usize = 16;
/// A wait shorter than this is not back-pressure.
const NOTABLE: Duration = Duration::from_micros(100);

pub struct Router {
    directory: Directory,
    archives: HashMap<UserId, Addr<UserArchive>>,
    /// The number that the next new user gets: given out once, whether its commit succeeds or not.
    next_user: UserId,
    /// Users that exist here and not yet on disk: each deposit for them brings them along.
    uncommitted: HashSet<UserId>,
    /// Users created so far, by run.
    created: HashMap<RunId, u32>,
    /// [`SHARES`], less those on their way.
    shares: Arc<Semaphore>,
    store: Arc<Store>,
    committer: Committer,
    /// Where user archives live: they read from disk, which must not stall the network.
    arbiter: Arbiter,
}

impl Router {
    pub fn new(directory: Directory, store: Arc<Store>, committer: Committer) -> Self {
        metrics::users(directory.len());
        Self {
            next_user: directory.next_id(),
            directory,
            archives: HashMap::new(),
            uncommitted: HashSet::new(),
            created: HashMap::new(),
            shares: Arc::new(Semaphore::new(SHARES)),
            store,
            committer,
            arbiter: Arbiter::new(),
        }
    }

    /// The archive of a user, started if it is not running.
    fn archive(&mut self, user: UserId) -> Addr<UserArchive> {
        if let Some(running) = self.archives.get(&user).filter(|archive| archive.connected()) {
            return running.clone();
        }
        let archive = UserArchive::new(user, self.store.clone(), self.committer.clone());
        let archive = UserArchive::start_in_arbiter(&self.arbiter.handle(), |_| archive);
        self.archives.insert(user, archive.clone());
        archive
    }

    fn new_id(&mut self) -> UserId {
        let id = self.next_user;
        self.next_user += 1;
        id
    }

    /// Creates a user for an address of ours, within the run's limit. Whose name or address it is or was,
    /// retired users among them, is nobody to be created.
    fn create(&mut self, address: &Address, run: RunId, limit: u32) -> Option<UserId> {
        let name = address.to_string();
        let created = self.created.entry(run).or_default();
        if *created >= limit || !self.directory.is_free(&name, address) {
            return None;
        }
        *created += 1;
        let id = self.new_id();
        let user = User {
            name,
            addresses: vec![address.clone()],
            managed: false,
            retired: false,
        };
        self.directory.put(id, user);
        self.uncommitted.insert(id);
        metrics::users(self.directory.len());
        Some(id)
    }

    fn names(&self, users: &[UserId]) -> Vec<String> {
        users.iter().map(|user| self.directory.name(*user).to_owned()).collect()
    }
}

impl Actor for Router {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(TIDY, |router, _| {
            router.archives.retain(|_, archive| archive.connected())
        });
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.arbiter.stop();
    }
}

/// From a connection, for each copy it fetched. The answer comes after the commit; a lost answer
/// means that the copy stays open.
#[derive(Message)]
#[rtype(result = "Result<Routed, RouteError>")]
pub struct Route {
    pub copy: Option<CopyKey>,
    pub folder: u32,
    pub run: RunId,
    pub prepared: Prepared,
    pub routing: Arc<Routing>,
}

/// From a connection that has but a header: whether nobody known is named in it.
#[derive(Message)]
#[rtype(result = "bool")]
pub struct IsUnknown {
    pub found: Found,
    pub routing: Arc<Routing>,
}

/// From the users commands: what to change of a user. Answered after the commit.
#[derive(Message)]
#[rtype(result = "Result<UserId, UserError>")]
pub struct ChangeUser(pub UserChange);

/// From a profile: no copy of this run comes any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct RunEnded(pub RunId);

/// What became of a routed copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routed {
    /// Names of the users it was newly filed for, and of those who had it.
    pub archived: Vec<String>,
    pub duplicate: Vec<String>,
    pub unknown: bool,
    /// Unknown, and left alone.
    pub skipped: bool,
    pub created: Vec<String>,
    /// Addresses of ours that have no user.
    pub local_unknown: Vec<Address>,
}

#[derive(thiserror::Error, Clone, Debug)]
pub enum RouteError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A user to be created met one who was there first; the copy is routed anew by the next run.
    #[error("{0}")]
    Twin(StoreError),
    #[error("the archive of {user:?} stopped twice over a message; this is a fault of dropkeep")]
    Archive { user: String },
    #[error("the router stopped; this is a fault of dropkeep")]
    Router,
}

impl Handler<Route> for Router {
    type Result = ResponseFuture<Result<Routed, RouteError>>;

    fn handle(&mut self, route: Route, ctx: &mut Self::Context) -> Self::Result {
        let Route {
            copy,
            folder,
            run,
            prepared,
            routing,
        } = route;
        let mut decision = decide(&self.directory, &routing, &prepared.found);
        let mut routed = Routed {
            unknown: decision.unknown,
            ..Routed::default()
        };
        if matches!(routing.unknown, crate::config::Unknown::Create) {
            for (address, why) in std::mem::take(&mut decision.local_unknown) {
                match self.create(&address, run, routing.create_limit) {
                    Some(id) => {
                        routed.created.push(self.directory.name(id).to_owned());
                        decision.users.push((id, why));
                    }
                    None => decision.local_unknown.push((address, why)),
                }
            }
        }
        routed.local_unknown = decision.local_unknown.into_iter().map(|(address, _)| address).collect();
        if decision.users.is_empty() {
            match unknown_goes_to(&self.directory, &routing) {
                Some(user) => decision.users.push((user, Why::Unknown)),
                None => {
                    routed.skipped = true;
                    return Box::pin(future::ready(Ok(routed)));
                }
            }
        }
        let users = decision.users;
        let new = users.iter().filter(|(id, _)| self.uncommitted.contains(id));
        let new_users: Vec<_> = new
            .filter_map(|(id, _)| Some((*id, self.directory.user(*id)?.clone())))
            .collect();

        let now = Timestamp::now().as_second();
        let brought: Vec<UserId> = new_users.iter().map(|(id, _)| *id).collect();
        let deposit = Deposit {
            copy,
            folder,
            run,
            content: prepared.content,
            report: prepared.report,
            date: prepared.date.unwrap_or(now),
            archived_at: now,
            notes: prepared.notes,
            new_users,
        };
        let (router, shares) = (ctx.address(), self.shares.clone());
        Box::pin(async move {
            let _turn = take_turn(shares, users.len()).await;
            let (shared, answer) = Shared::new(deposit, users.len());
            hand_out_all(&router, users, &shared).await?;
            drop(shared);
            let filed = match committed(answer).await {
                Err(error @ StoreError::User { .. }) => {
                    router.send(Refused(brought)).await.map_err(|_| RouteError::Router)?;
                    return Err(RouteError::Twin(error));
                }
                filed => filed?,
            };
            let recorded = Recorded { brought, filed };
            (routed.archived, routed.duplicate) = router.send(recorded).await.map_err(|_| RouteError::Router)?;
            Ok(routed)
        })
    }
}

/// Waits until so many more shares may be on their way.
async fn take_turn(shares: Arc<Semaphore>, wanted: usize) -> Option<OwnedSemaphorePermit> {
    let started = Instant::now();
    // The semaphore is never closed.
    let turn = shares.acquire_many_owned(wanted.min(SHARES) as u32).await.ok();
    let waited = started.elapsed();
    if waited >= NOTABLE {
        metrics::backpressure("shares", waited);
    }
    turn
}

/// What became of a deposit. An answer that does not come is the committer's end, and so the run's.
async fn committed(answer: oneshot::Receiver<Result<Filed, StoreError>>) -> Result<Filed, StoreError> {
    answer.await.unwrap_or_else(|_| {
        Err(StoreError::Closed {
            why: "the committer has stopped".into(),
        })
    })
}

/// Gives each user's archive its share.
async fn hand_out_all(
    router: &Addr<Router>,
    users: Vec<(UserId, Why)>,
    shared: &Arc<Shared>,
) -> Result<(), RouteError> {
    for batch in users.chunks(BATCH) {
        let ids = batch.iter().map(|(user, _)| *user).collect();
        let archives = router.send(Archives(ids)).await.map_err(|_| RouteError::Router)?;
        let share = |((user, why), archive): (&(UserId, Why), Addr<UserArchive>)| {
            let (shared, why) = (shared.clone(), why.clone());
            hand_out(router.clone(), *user, archive, File { shared, why })
        };
        let shares: Vec<_> = batch.iter().zip(archives).map(share).collect();
        let mut handed = stream::iter(shares).buffer_unordered(AT_ONCE);
        while let Some(result) = handed.next().await {
            result?;
        }
    }
    Ok(())
}

/// Gives `archive` its share; one that stopped idle just now is started anew.
async fn hand_out(
    router: Addr<Router>,
    user: UserId,
    mut archive: Addr<UserArchive>,
    file: File,
) -> Result<(), RouteError> {
    for _ in 0..TRIES {
        if archive.send(file.clone()).await.is_ok() {
            return Ok(());
        }
        let started = router.send(Archives(vec![user])).await;
        archive = started
            .ok()
            .and_then(|mut started| started.pop())
            .ok_or(RouteError::Router)?;
    }
    let names = router.send(Names(vec![user])).await.map_err(|_| RouteError::Router)?;
    Err(RouteError::Archive { user: names.concat() })
}

/// From the router to itself: these users' archives, started where they are not running.
#[derive(Message)]
#[rtype(result = "Vec<Addr<UserArchive>>")]
struct Archives(Vec<UserId>);

impl Handler<Archives> for Router {
    type Result = MessageResult<Archives>;

    fn handle(&mut self, Archives(users): Archives, _: &mut Self::Context) -> Self::Result {
        MessageResult(users.into_iter().map(|user| self.archive(user)).collect())
    }
}

/// From the router to itself: what these users are called.
#[derive(Message)]
#[rtype(result = "Vec<String>")]
struct Names(Vec<UserId>);

impl Handler<Names> for Router {
    type Result = Vec<String>;

    fn handle(&mut self, Names(users): Names, _: &mut Self::Context) -> Self::Result {
        self.names(&users)
    }
}

/// From the router to itself: a deposit is on disk, and with it the created users it brought. Answers the
/// names of those it was filed for, and of those who had it.
#[derive(Message)]
#[rtype(result = "(Vec<String>, Vec<String>)")]
struct Recorded {
    brought: Vec<UserId>,
    filed: Filed,
}

impl Handler<Recorded> for Router {
    type Result = MessageResult<Recorded>;

    fn handle(&mut self, Recorded { brought, filed }: Recorded, _: &mut Self::Context) -> Self::Result {
        for user in &brought {
            self.uncommitted.remove(user);
        }
        MessageResult((self.names(&filed.archived), self.names(&filed.duplicate)))
    }
}

/// From the router to itself: these created users contradict the store's, and are none.
#[derive(Message)]
#[rtype(result = "()")]
struct Refused(Vec<UserId>);

impl Handler<Refused> for Router {
    type Result = ();

    fn handle(&mut self, Refused(users): Refused, _: &mut Self::Context) {
        for user in users {
            if self.uncommitted.remove(&user) {
                self.directory.remove(user);
            }
        }
        metrics::users(self.directory.len());
    }
}

impl Handler<IsUnknown> for Router {
    type Result = bool;

    fn handle(&mut self, IsUnknown { found, routing }: IsUnknown, _: &mut Self::Context) -> bool {
        decide(&self.directory, &routing, &found).unknown
    }
}

/// Nothing else is routed or changed until the change is on disk: the next one starts from it.
impl Handler<ChangeUser> for Router {
    type Result = AtomicResponse<Self, Result<UserId, UserError>>;

    fn handle(&mut self, ChangeUser(change): ChangeUser, _: &mut Self::Context) -> Self::Result {
        let wanted = changed(&self.directory, change).and_then(|(id, user)| {
            let id = id.unwrap_or_else(|| self.new_id());
            // Users on their way to the disk count too; those there the committer looks at again.
            match self.directory.contradiction(id, &user) {
                Some(error) => Err(error.into()),
                None => Ok((id, user)),
            }
        });
        let committer = self.committer.clone();
        let commit = async move {
            let (id, user) = wanted?;
            committer.change(Change::User(Some(id), user.clone())).await?;
            Ok((id, user))
        };
        let finish = |result: Result<_, UserError>, router: &mut Self, _: &mut Self::Context| {
            let (id, user) = result?;
            router.directory.put(id, user);
            router.uncommitted.remove(&id);
            metrics::users(router.directory.len());
            Ok(id)
        };
        AtomicResponse::new(Box::pin(commit.into_actor(self).map(finish)))
    }
}

impl Handler<RunEnded> for Router {
    type Result = ();

    fn handle(&mut self, RunEnded(run): RunEnded, _: &mut Self::Context) {
        self.created.remove(&run);
    }
}

#[cfg(test)]
#[path = "router_tests.rs"]
mod tests;
