//! The role of the router is to map addresses to user archives: it decides for whom an identified
//! copy is, starts the archives of those users where they are not running, gives each its share
//! of the deposit, and answers when all of it is on disk.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, Addr, Arbiter, AsyncContext, Context, Handler, Message, ResponseFuture};
use futures_util::future::{self, LocalBoxFuture};
use lru::LruCache;
use tokio::sync::Semaphore;

use super::{
    Directory, Held, Prepared,
    decision::{Assigned, Routing, decide, unclaimed, unknown_goes_to},
    directory::{Known, Rule},
    made::Refused,
    passed::Passed,
    preview::{Previewed, preview},
    routed::{RouteError, Routed},
    shares::{SHARES, committed, hand_out_all, take_turn},
};
use crate::{
    archive::{
        CATCHALL_ID, Committer, Deposit, Filed, Named, RunId, Shared, Store, StoreError, UserArchive, UserId, give_back,
    },
    clock,
    config::Unknown,
    identify::Found,
    message::Address,
    panics::{Answer, survived, survived_async},
    report::{InStage, Stage, metrics},
};

/// Copies waiting for a decision; behind them, the connections wait.
const MAILBOX: usize = 64;
/// How often it is looked for archives that nothing has come for, and after how long they stop.
const TIDY: Duration = Duration::from_secs(15);
const IDLE: Duration = Duration::from_secs(30);
/// Archives that are up at a time. One takes a kilobyte or two, and mail to all of a provider's users would start them all.
const MOST_ARCHIVES: NonZeroUsize = NonZeroUsize::new(2_000).unwrap();
/// Shares of a copy that take much memory for a moment.
const MANY: usize = 5_000;
/// In the words of an error.
pub(super) const DOING: &str = "the router";
/// Users made in the run whose addresses are reported for one message.
const MOST_MADE: usize = 32;

pub struct Router {
    /// Lent to whoever looks through mail with very many addresses.
    pub(super) directory: Arc<Directory>,
    /// Those that were asked last, and when: an archive stops when nobody has its address.
    archives: LruCache<UserId, (Addr<UserArchive>, Instant)>,
    /// The number that the next new user gets: given out once, whether its commit succeeds or not.
    pub(super) next_user: UserId,
    /// Users that exist here and not yet on disk: each deposit for them brings them along.
    pub(super) uncommitted: HashSet<UserId>,
    /// Users changed here since a new directory is being made; `None` where none is.
    pub(super) meanwhile: Option<HashSet<UserId>>,
    /// Users created so far, by run.
    pub(super) created: HashMap<RunId, HashSet<UserId>>,
    /// [`SHARES`], less those on their way.
    shares: Arc<Semaphore>,
    store: Arc<Store>,
    pub(super) committer: Committer,
    /// Where user archives live: they read from disk, which must not stall the network.
    arbiter: Arbiter,
}

impl Router {
    pub fn new(directory: Directory, store: Arc<Store>, committer: Committer) -> Self {
        warn_of_absent(&directory);
        metrics::users(directory.len());
        Self {
            next_user: directory.next_id(),
            directory: Arc::new(directory),
            archives: LruCache::new(MOST_ARCHIVES),
            uncommitted: HashSet::new(),
            meanwhile: None,
            created: HashMap::new(),
            shares: Arc::new(Semaphore::new(SHARES)),
            store,
            committer,
            arbiter: Arbiter::new(),
        }
    }

    /// The archive of a user, started if it is not running.
    pub(super) fn archive(&mut self, user: UserId) -> Addr<UserArchive> {
        let now = Instant::now();
        if let Some((running, last)) = self.archives.get_mut(&user).filter(|(archive, _)| archive.connected()) {
            *last = now;
            return running.clone();
        }
        let archive = UserArchive::new(user, self.store.clone(), self.committer.clone());
        let archive = UserArchive::start_in_arbiter(&self.arbiter.handle(), |_| archive);
        self.archives.put(user, (archive.clone(), now));
        archive
    }

    /// Lets archives stop that nothing has come for.
    fn stop_idle(&mut self) {
        let before = self.archives.len();
        while self
            .archives
            .peek_lru()
            .is_some_and(|(_, (_, last))| last.elapsed() >= IDLE)
        {
            self.archives.pop_lru();
        }
        if self.archives.is_empty() && before > 0 {
            give_back();
        }
    }

    /// The user whom the administrator named: by the name, or by an address that is the name.
    fn holder(&self, held: &Held, routing: &Routing) -> Option<Assigned> {
        let by_name = || match self.directory.by_name(&held.user) {
            Some(CATCHALL_ID) => Some((CATCHALL_ID, Rule::Catchall)),
            Some(user) => Some((user, Rule::Exact)),
            None => match self
                .directory
                .look_up(&Address::parse(&held.user)?, routing.plus_addressing)
            {
                Known::Users(users, rule) => users.first().map(|user| (*user, rule)),
                Known::Retired | Known::No => None,
            },
        };
        let found = match held.id {
            Some(id) => Some((id, Rule::Exact)),
            None => by_name(),
        };
        found.map(|(user, rule)| Assigned {
            user,
            address: None,
            why: held.why.clone(),
            rule,
        })
    }

    /// The directory to be changed; where it is lent just now, a copy of it, which takes its place.
    pub(super) fn change(&mut self) -> &mut Directory {
        Arc::make_mut(&mut self.directory)
    }

    pub(super) fn names(&self, users: &[UserId]) -> Vec<String> {
        users.iter().map(|user| self.directory.name(*user).to_owned()).collect()
    }
}

/// A list goes on without those whom nobody knows: they may be added later.
pub(super) fn warn_of_absent(directory: &Directory) {
    for (address, name) in directory.absent() {
        tracing::warn!(%address, name, "no user has this name, which stands in a [[list]]; it is left out");
    }
}

impl Actor for Router {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        ctx.run_interval(TIDY, |router, _| router.stop_idle());
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
    pub copy: Option<Named>,
    pub folder: u32,
    pub run: RunId,
    pub prepared: Prepared,
    pub routing: Arc<Routing>,
    /// Where no address is known it is left alone, whatever the profile says.
    pub known_only: bool,
    /// Until it is decided.
    pub waits: InStage,
}

/// From a connection that has but a header, and from who asks for an explanation: what would be decided. Changes
/// nothing. Not answered where deciding panicked: the router is there, and the message may be routed all the same.
#[derive(Message)]
#[rtype(result = "Previewed")]
pub struct Preview {
    pub found: Found,
    pub routing: Arc<Routing>,
    /// Addresses whose users are asked for besides.
    pub look_up: Vec<Address>,
}

impl Handler<Route> for Router {
    type Result = ResponseFuture<Result<Routed, RouteError>>;

    fn handle(&mut self, route: Route, ctx: &mut Self::Context) -> Self::Result {
        let router = ctx.address();
        let routing = survived(DOING, || self.route(route, router));
        let routed = async { survived_async(DOING, routing?).await? };
        Box::pin(routed)
    }
}

impl Router {
    /// Decides at once for whom a copy is, and files it as a future of its own.
    fn route(&mut self, route: Route, router: Addr<Self>) -> LocalBoxFuture<'static, Result<Routed, RouteError>> {
        if let Err(error) = StoreError::point("routing") {
            return Box::pin(future::ready(Err(error.into())));
        }
        let Route {
            copy,
            folder,
            run,
            prepared,
            routing,
            known_only,
            waits,
        } = route;
        waits.queued("route");
        let mut decision = decide(&self.directory, &routing, &prepared.found);
        let holder = prepared.held.as_ref().map(|held| self.holder(held, &routing));
        if let (Some(held), Some(Some(holder))) = (&prepared.held, &holder) {
            match held.alone {
                true => decision.is_held_by(holder.clone(), held.id.is_none()),
                false => decision.is_also_for(holder.clone()),
            }
        }
        let alone = prepared.held.as_ref().is_some_and(|held| held.alone);
        let stranger = prepared.held.as_ref().filter(|_| holder == Some(None));
        let mut routed = Routed {
            unknown: decision.unknown,
            unresolved: decision.unresolved,
            strangers: decision.strangers,
            more: if alone { 0 } else { prepared.found.more },
            stranger: stranger.map(|held| held.user.clone()),
            ..Routed::default()
        };
        let mut recipients = decision.users.iter().take(decision.recipients);
        let reached = recipients.any(|one| self.was_there(run, one.user));
        let creates = matches!(routing.unknown, Unknown::Create);
        for nobody in decision.local_unknown {
            let limit = if creates { routing.create_limit } else { 0 };
            match self.create(&nobody, run, limit) {
                Some(assigned) => {
                    routed.created.push(self.directory.name(assigned.user).to_owned());
                    decision.users.push(assigned);
                }
                None => {
                    let full = creates && !nobody.retired && self.is_full(run, limit);
                    routed.over_limit.extend(full.then(|| nobody.address.clone()));
                    routed.local_unknown.push(nobody.address);
                }
            }
        }
        // That mail made a user for an address does not say that it is a person's.
        if let Some(created) = self.created.get(&run) {
            let recipients: HashSet<_> = prepared.found.recipients.iter().map(|named| &named.address).collect();
            let made = decision.users.iter().filter(|one| created.contains(&one.user));
            for address in made.filter_map(|one| one.address.as_ref()).take(MOST_MADE) {
                if recipients.contains(address) && !routed.unresolved.contains(address) {
                    routed.unresolved.push(address.clone());
                }
            }
        }
        let is_known = |address: &Address| match self.directory.look_up(address, routing.plus_addressing) {
            Known::Users(users, _) => users.iter().any(|user| self.was_there(run, *user)),
            Known::Retired | Known::No => false,
        };
        routed.passed = Passed::of(&prepared, &routed.unresolved, reached, is_known);
        if decision.users.is_empty() {
            match unknown_goes_to(&self.directory, &routing).filter(|_| !known_only) {
                Some(assigned) => decision.users.push(assigned),
                None => {
                    routed.skipped = true;
                    return Box::pin(future::ready(Ok(routed)));
                }
            }
        }
        let unclaimed = match routed.unresolved.is_empty() {
            true => Vec::new(),
            false => unclaimed(&self.directory, &routing, &prepared.found),
        };
        let users = decision.users;
        let new = users.iter().filter(|one| self.uncommitted.contains(&one.user));
        let new = new.filter_map(|one| Some((one.user, self.directory.user(one.user)?.clone())));
        let new_users: Vec<_> = new.collect();
        let now = clock::now().as_second();
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
            unclaimed,
            new_users,
        };
        let shares = self.shares.clone();
        let point = StoreError::point("routed");
        waits.done();
        let filing = InStage::enter(Stage::File, 1);
        Box::pin(async move {
            point?;
            let shares_taken = users.len();
            let _turn = take_turn(shares, shares_taken).await;
            let (shared, answer) = Shared::new(deposit, users.len());
            StoreError::point("handing-out")?;
            hand_out_all(&router, users, &shared).await?;
            drop(shared);
            let filed = match committed(answer).await {
                Err(error @ StoreError::User { .. }) => {
                    router.send(Refused(brought)).await.map_err(|_| RouteError::Router)?;
                    return Err(RouteError::Twin(error));
                }
                filed => filed?,
            };
            StoreError::point("recorded")?;
            let recorded = Recorded { brought, filed };
            (routed.archived, routed.duplicate) = router.send(recorded).await.map_err(|_| RouteError::Router)?;
            if shares_taken >= MANY {
                give_back();
            }
            filing.done();
            Ok(routed)
        })
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
    type Result = Answer<(Vec<String>, Vec<String>)>;

    fn handle(&mut self, Recorded { brought, filed }: Recorded, _: &mut Self::Context) -> Self::Result {
        Answer::survived(DOING, || {
            for user in &brought {
                self.uncommitted.remove(user);
            }
            (self.names(&filed.archived), self.names(&filed.duplicate))
        })
    }
}

/// From the appliance, to see that the router answers.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Heartbeat;

impl Handler<Heartbeat> for Router {
    type Result = ();

    fn handle(&mut self, _: Heartbeat, _: &mut Self::Context) {}
}

impl Handler<Preview> for Router {
    type Result = Answer<Previewed>;

    fn handle(&mut self, asked: Preview, _: &mut Self::Context) -> Self::Result {
        Answer::survived(DOING, || {
            preview(&self.directory, &asked.routing, &asked.found, &asked.look_up)
        })
    }
}

#[cfg(test)]
#[path = "router_tests.rs"]
mod tests;
