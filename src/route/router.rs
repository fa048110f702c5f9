//! The role of the router is to map addresses to user archives: it decides for whom identified copies are, a window of
//! them at a time, has them filed, and answers when all of it is on disk.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, ResponseActFuture, WrapFuture};
use tokio::sync::Semaphore;

use super::{
    Directory, Held, Prepared,
    archives::Archives,
    decision::{Assigned, Routing, decide, unclaimed, unknown_goes_to},
    directory::Known,
    filing::{Decided, Done, Filing, NotFiled, SHARES},
    passed::Passed,
    preview::{Previewed, preview},
    routed::{DOING, RouteError, Routed},
    rule::Rule,
};
use crate::{
    archive::{CATCHALL_ID, Committer, Deposit, FolderNumber, RunId, Store, StoreError, UserId},
    clock,
    config::Unknown,
    identify::Found,
    message::Address,
    panics::{Answer, Panicked, survived, survived_async},
    report::{InStage, Stage, metrics},
};

/// Windows waiting for a decision; behind them, the connections wait.
const MAILBOX: usize = 64;
/// How often it is looked for archives that nothing has come for.
const TIDY: Duration = Duration::from_secs(15);
/// Users made in the run whose addresses are reported for one message.
const MOST_MADE: usize = 32;

pub struct Router {
    /// Lent to whoever looks through mail with very many addresses.
    pub(super) directory: Arc<Directory>,
    /// The number that the next new user gets: given out once, whether its commit succeeds or not.
    pub(super) next_user: UserId,
    /// Users that exist here and not yet on disk: each deposit for them brings them along.
    pub(super) uncommitted: HashSet<UserId>,
    /// Users changed here since a new directory is being made; `None` where none is.
    pub(super) meanwhile: Option<HashSet<UserId>>,
    /// Users created so far, by run.
    pub(super) created: HashMap<RunId, HashSet<UserId>>,
    pub(super) filing: Filing,
}

impl Router {
    pub fn new(directory: Directory, store: Arc<Store>, committer: Committer) -> Self {
        warn_of_absent(&directory);
        metrics::users(directory.len());
        Self {
            next_user: directory.next_id(),
            directory: Arc::new(directory),
            uncommitted: HashSet::new(),
            meanwhile: None,
            created: HashMap::new(),
            filing: Filing {
                archives: Archives::new(store),
                committer,
                shares: Arc::new(Semaphore::new(SHARES)),
            },
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
        ctx.run_interval(TIDY, |router, _| router.filing.archives.stop_idle());
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.filing.archives.stop();
    }
}

/// From a connection: a window of copies that it fetched, from one folder. The answer comes after the commit, in the
/// order of the copies, each of which has an outcome of its own; a lost answer means that all of them stay open.
#[derive(Message)]
#[rtype(result = "Vec<Result<Routed, RouteError>>")]
pub struct Route {
    pub window: Vec<Prepared>,
    pub folder: FolderNumber,
    pub run: RunId,
    pub routing: Arc<Routing>,
    /// Where no address is known a copy is left alone, whatever the profile says.
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
    type Result = ResponseActFuture<Self, Vec<Result<Routed, RouteError>>>;

    /// Decides at once for whom each copy is, and has all of them filed by a future of its own.
    fn handle(&mut self, route: Route, _: &mut Self::Context) -> Self::Result {
        let Route {
            window,
            folder,
            run,
            routing,
            known_only,
            waits,
        } = route;
        waits.queued("route");
        let now = clock::now().as_second();
        let copies = window.len();
        let way = Way {
            folder,
            run,
            routing: &routing,
            known_only,
            now,
        };
        let decide = |prepared| match survived(DOING, || self.decide(&way, prepared)) {
            Ok(decided) => decided.map_err(RouteError::from),
            Err(panicked) => Err(panicked.into()),
        };
        let decided: Vec<_> = window.into_iter().map(decide).collect();
        waits.done_each();
        let is_to_file = |one: &&Result<Decided, _>| one.as_ref().is_ok_and(|decided| decided.deposit.is_some());
        let in_stage = InStage::enter(Stage::File, decided.iter().filter(is_to_file).count());
        let filing = survived_async(DOING, self.filing.clone().file(decided));
        let finish = move |filed: Result<Vec<Done>, Panicked>, router: &mut Self, _: &mut Self::Context| {
            in_stage.done_each();
            match filed {
                Ok(done) => done.into_iter().map(|one| router.finish(one)).collect(),
                Err(panicked) => (0..copies).map(|_| Err(panicked.into())).collect(),
            }
        };
        Box::pin(filing.into_actor(self).map(finish))
    }
}

/// What holds for all copies of a window.
struct Way<'w> {
    folder: FolderNumber,
    run: RunId,
    routing: &'w Routing,
    known_only: bool,
    /// In seconds since 1970 UTC.
    now: i64,
}

impl Router {
    /// Decides for whom a copy is.
    fn decide(&mut self, way: &Way, prepared: Prepared) -> Result<Decided, StoreError> {
        StoreError::point("routing")?;
        let &Way { run, routing, now, .. } = way;
        let mut decision = decide(&self.directory, routing, &prepared.found);
        let holder = prepared.held.as_ref().map(|held| self.holder(held, routing));
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
                    if !self.directory.ignored().contains(&nobody.address) {
                        routed.local_unknown.push(nobody.address);
                    }
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
            match unknown_goes_to(&self.directory, routing).filter(|_| !way.known_only) {
                Some(assigned) => decision.users.push(assigned),
                None => {
                    routed.skipped = true;
                    return Ok(Decided { routed, deposit: None });
                }
            }
        }
        let unclaimed = match routed.unresolved.is_empty() {
            true => Vec::new(),
            false => unclaimed(&self.directory, routing, &prepared.found),
        };
        let users = decision.users;
        let new = users.iter().filter(|one| self.uncommitted.contains(&one.user));
        let new = new.filter_map(|one| Some((one.user, self.directory.user(one.user)?.clone())));
        let new_users: Vec<_> = new.collect();
        let deposit = Deposit {
            copy: prepared.copy,
            folder: way.folder,
            run,
            content: prepared.content,
            report: prepared.report,
            date: prepared.date.unwrap_or(now),
            archived_at: now,
            notes: prepared.notes,
            unclaimed,
            new_users,
        };
        StoreError::point("routed")?;
        Ok(Decided {
            routed,
            deposit: Some((deposit, users)),
        })
    }

    /// A copy is on disk, and with it the created users that it brought; or it is not.
    fn finish(&mut self, done: Done) -> Result<Routed, RouteError> {
        let Done {
            mut routed,
            brought,
            filed,
        } = done;
        let finish = || {
            let filed = match filed {
                Ok(Some(filed)) => filed,
                Ok(None) => return Ok(routed),
                Err(NotFiled::Error(RouteError::Store(error @ StoreError::User { .. }))) => {
                    self.refused(brought);
                    return Err(RouteError::Twin(error));
                }
                Err(NotFiled::Error(error)) => return Err(error),
                Err(NotFiled::Archive(user)) => {
                    let user = self.directory.name(user).to_owned();
                    return Err(RouteError::Archive { user });
                }
            };
            StoreError::point("recorded")?;
            for user in &brought {
                self.uncommitted.remove(user);
            }
            (routed.archived, routed.duplicate) = (self.names(&filed.archived), self.names(&filed.duplicate));
            Ok(routed)
        };
        survived(DOING, finish)?
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
