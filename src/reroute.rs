//! Filing anew what is in the archive, after users or rules were added: `dropkeep reroute`. Filings are added, and none
//! is taken away. It is a run of its own, with a protocol; what is filed goes the way of fetched messages from the
//! router on.

mod backlog;
mod book;
mod judged;
mod look;
mod supposed;

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use roaring::RoaringTreemap;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

pub use self::backlog::{Gained, count};
use self::{
    book::{Book, not_judged},
    judged::{By, Fault, Judged},
    look::{Looked, Looker},
};
use crate::{
    api::{Exit, Failure, Reply, RerouteLine},
    archive::{Content, FolderNumber, Message, MessageId, Retrieval, RunId, Store, StoreError, UserId},
    clock,
    config::Config,
    errand::GoingOn,
    identify::{Digests, Listed, Reported, identity_of},
    message::Address,
    profile::{NotMade, Stages},
    report::{InStage, Outcome, REROUTE, Run, RunState, Stage, kept_by, timestamp},
    route::{AsItStands, Prepared, Route, RouteError, RunEnded},
    said::{Said, Say, said},
};

/// Messages looked at and not yet taken up, and those on their way to the disk at a time.
const FOUND: usize = 16;
const AT_ONCE: usize = 64;

/// What is asked for.
pub struct Reroute {
    /// Whose archive alone is read.
    pub from: Option<(UserId, String)>,
    /// About how many messages there are to read.
    pub messages: u64,
    /// By whose rules; by those of the profiles that archived or saw each message, where it is not given.
    pub profile: Option<String>,
    /// Only says what would be filed.
    pub dry_run: bool,
    /// The messages that alone are read, and the query that found them.
    pub only: Option<(RoaringTreemap, String)>,
}

impl Reroute {
    fn words(&self) -> Said {
        let what = match &self.from {
            None => said!(WholeArchive, "read: the whole archive"),
            Some((_, name)) => said!(ArchiveOf, "read: the archive of {0}", name.to_string()),
        };
        let what = match &self.only {
            Some((_, query)) => said!(FoundBy, "{0}, as far as {1:?} finds it", what, query.to_string()),
            None => what,
        };
        match &self.profile {
            Some(profile) => said!(ByRulesOf, "{0}, by the rules of profile {1}", what, profile.to_string()),
            None => said!(
                ByRulesOfAll,
                "{0}, each message by the rules of the profiles that archived it or saw it in their mailbox",
                what
            ),
        }
    }
}

/// What became of a message.
struct Done {
    id: MessageId,
    size: u64,
    folder: FolderNumber,
    result: Result<Rerouted, Fault>,
}

/// For whom it is newly filed, who had it, who was made for it, and who nobody has.
#[derive(Default)]
struct Rerouted {
    archived: Vec<String>,
    duplicate: Vec<String>,
    created: Vec<String>,
    unknown: Vec<Address>,
    kept_by: Vec<String>,
    /// Addresses for which nobody was made any more, by whose rules and limit.
    over_limit: Vec<(Address, String, u32)>,
}

/// What is said of the run when it ends.
#[derive(Default)]
struct Notes {
    /// Messages that retired users kept for themselves.
    kept_by: BTreeMap<String, u64>,
    /// Users that were not made, by profile.
    not_made: BTreeMap<String, NotMade>,
}

/// Goes through the archive, and says what was filed; the last reply is the run. `notices` are what its protocol says
/// besides.
///
/// # Errors
/// The run cannot begin, or its protocol cannot be stored.
pub async fn run(
    config: Arc<Config>,
    parts: Stages,
    mut reroute: Reroute,
    notices: Vec<Said>,
    going_on: &GoingOn<'_>,
    replies: &mpsc::Sender<Reply>,
) -> Result<(), Failure> {
    let mut run = Run::begin(REROUTE, clock::now());
    notices.into_iter().for_each(|notice| run.notice(notice));
    run.dry_run = reroute.dry_run;
    run.notice(reroute.words());
    run.not_judged = not_judged(&config);
    if !reroute.dry_run {
        run.run = parts.committer.begin_run(&run).await?;
    }
    let mut notes = Notes::default();
    let ended = go_through(
        config,
        &parts,
        &mut reroute,
        &going_on.stop,
        replies,
        &mut run,
        &mut notes,
    )
    .await;
    // A router that is gone has forgotten the run.
    let _ = parts.router.send(RunEnded(run.run)).await;
    notes.say(&mut run);
    if let Err(error) = &ended {
        run.error("", "", "store", error);
    }
    let (state, exit) = match ended {
        Err(_) => (RunState::Failed, Exit::Store),
        Ok(()) if going_on.stop.is_cancelled() => (RunState::Interrupted, Exit::Interrupted),
        Ok(()) if run.counts.failed > 0 => (RunState::CompletedWithErrors, Exit::Errors),
        Ok(()) => (RunState::Completed, Exit::Done),
    };
    run.state = state;
    if let Ok(directory) = parts.router.send(AsItStands).await {
        let users = directory.retired();
        run.unknown_addresses.note_retired(users);
    }
    run.finished_at = Some(timestamp(clock::now()));
    let run = Arc::new(run);
    let stored = match reroute.dry_run {
        true => Ok(()),
        false => parts.committer.put_protocol(run.clone()).await,
    };
    // Whoever asked may be gone. A full disk refuses the protocol too; the answer still tells all.
    let _ = replies.send(Reply::Finished { run, exit }).await;
    Ok(stored?)
}

async fn go_through(
    config: Arc<Config>,
    parts: &Stages,
    reroute: &mut Reroute,
    stop: &CancellationToken,
    replies: &mpsc::Sender<Reply>,
    run: &mut Run,
    notes: &mut Notes,
) -> Result<(), StoreError> {
    let directory = parts.router.send(AsItStands).await.map_err(|_| StoreError::Fault {
        detail: RouteError::Router.to_string(),
    })?;
    let (sender, mut found) = mpsc::channel(FOUND);
    let finder = {
        let (store, stop) = (parts.store.clone(), stop.clone());
        let dry_run = reroute.dry_run;
        let (given, from) = (reroute.profile.clone(), reroute.from.as_ref().map(|(user, _)| *user));
        let only = reroute.only.take().map(|(only, _)| only);
        actix_rt::task::spawn_blocking(move || {
            let book = Book::new(config, &store, given)?;
            let looker = Looker::new(&store, directory, book, from).only(only);
            let looker = if dry_run { looker.supposing() } else { looker };
            looker.through(
                |looked| match stop.is_cancelled() || sender.blocking_send(looked).is_err() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                },
            )
        })
    };
    let mut filing = JoinSet::new();
    let mut failed = Ok(());
    let mut passed = 0;
    while failed.is_ok() {
        let done = tokio::select! {
            () = stop.cancelled() => break,
            Some(filed) = filing.join_next() => filed,
            looked = found.recv(), if filing.len() < AT_ONCE => match looked {
                None => break,
                Some(None) => {
                    passed += 1;
                    continue;
                }
                Some(Some(looked)) => match judged(looked, reroute.dry_run) {
                    Ok(done) => Ok(done),
                    Err(looked) => {
                        let share = parts.budget.take(std::iter::once(looked.message.size)).await;
                        let (parts, number) = (parts.clone(), run.run);
                        filing.spawn(async move {
                            let done = file(&parts, number, *looked).await;
                            drop(share);
                            done
                        });
                        continue;
                    }
                },
            },
        };
        failed = take(parts, run, notes, done, stop, replies).await;
        let _ = replies.try_send(Reply::Progress {
            run: run.run,
            done: passed + run.counts.seen,
            expected: reroute.messages,
            bytes: run.counts.bytes,
        });
    }
    drop(found);
    // What is on its way is counted, whatever else went wrong.
    while let Some(filed) = filing.join_next().await {
        failed = failed.and(take(parts, run, notes, filed, stop, replies).await);
    }
    let found = finder.await.unwrap_or_else(|_| {
        Err(StoreError::Fault {
            detail: "going through the archive panicked".into(),
        })
    });
    failed.and(found)
}

/// What became of a message of which nothing is to be filed; gives others back.
fn judged(looked: Looked, dry_run: bool) -> Result<Done, Box<Looked>> {
    if !dry_run && looked.judged.as_ref().is_ok_and(|judged| !judged.by.is_empty()) {
        return Err(Box::new(looked));
    }
    let result = looked.judged.map(|judged| Rerouted {
        archived: judged.lacking,
        duplicate: judged.having,
        created: judged.created,
        unknown: judged.unknown,
        kept_by: judged.kept_by,
        over_limit: judged.over_limit,
    });
    Ok(Done {
        id: looked.id,
        size: looked.message.size,
        folder: looked.folder,
        result,
    })
}

async fn file(parts: &Stages, run: RunId, looked: Looked) -> Done {
    let Looked {
        id,
        message,
        folder,
        judged,
    } = looked;
    let size = message.size;
    let result = match judged {
        Ok(judged) => file_by_each(parts, run, id, message, judged).await,
        Err(fault) => Err(fault),
    };
    Done {
        id,
        size,
        folder,
        result,
    }
}

/// The router decides once more, by the users of this moment.
async fn file_by_each(
    parts: &Stages,
    run: RunId,
    id: MessageId,
    message: Message,
    judged: Judged,
) -> Result<Rerouted, Fault> {
    let mut rerouted = Rerouted {
        duplicate: judged.having,
        unknown: judged.unknown,
        kept_by: judged.kept_by,
        ..Rerouted::default()
    };
    let (date, notes) = (message.date, message.notes);
    let content = {
        let store = parts.store.clone();
        let read = parts.pool.run(move || content(&store, id, &message)).await;
        let read = read.map_err(|panicked| Fault::Message("identify", panicked.said()))?;
        Arc::new(read.map_err(|error| Fault::Message("read", error.said()))?)
    };
    for By { ruled, folder, found } in judged.by {
        let prepared = Prepared {
            copy: None,
            found,
            date: Some(date),
            notes,
            content: content.clone(),
            addressed: Vec::new(),
            report: None,
            reported: Reported::No,
            held: None,
        };
        let route = Route {
            window: vec![prepared],
            folder,
            run,
            routing: ruled.routing.clone(),
            known_only: true,
            waits: InStage::enter(Stage::Route, 1),
        };
        let routed = parts.router.send(route).await.ok().and_then(|mut window| window.pop());
        let routed = match routed.unwrap_or(Err(RouteError::Router)) {
            Ok(routed) => routed,
            Err(RouteError::Store(error)) => return Err(Fault::Store(error)),
            Err(error) => return Err(Fault::Message("route", error.said())),
        };
        let over = routed.over_limit.into_iter();
        rerouted
            .over_limit
            .extend(over.map(|address| (address, ruled.profile.clone(), ruled.create_limit)));
        put_new(&mut rerouted.unknown, routed.local_unknown);
        rerouted.created.extend(routed.created);
        put_new(&mut rerouted.duplicate, routed.duplicate);
        rerouted.archived.extend(routed.archived);
    }
    let archived = &rerouted.archived;
    rerouted.duplicate.retain(|name| !archived.contains(name));
    Ok(rerouted)
}

fn put_new<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    let more: Vec<T> = more.into_iter().filter(|one| !list.contains(one)).collect();
    list.extend(more);
}

/// The bytes of a stored message, as they go to the router once more.
fn content(store: &Store, id: MessageId, message: &Message) -> Result<Content, StoreError> {
    let bytes: bytes::Bytes = Retrieval::new(store).raw(id, message)?.into();
    let digests = Digests {
        sha256: message.sha256,
        identity: identity_of(&bytes),
    };
    let listed = Listed::of(&bytes);
    Ok(Content::new(bytes, digests, listed, true))
}

/// Counts what became of a message, and tells it.
async fn take(
    parts: &Stages,
    run: &mut Run,
    notes: &mut Notes,
    done: Result<Done, tokio::task::JoinError>,
    stop: &CancellationToken,
    replies: &mpsc::Sender<Reply>,
) -> Result<(), StoreError> {
    let Done {
        id,
        size,
        folder,
        result,
    } = match done {
        Ok(done) => done,
        Err(error) => {
            run.counts.count(Outcome::Failed);
            run.error("", "", "identify", error.to_string());
            return Ok(());
        }
    };
    run.counts.bytes += size;
    let mut rerouted = match result {
        Ok(rerouted) => rerouted,
        Err(fault) => {
            match fault {
                Fault::NoRules(why) => {
                    run.counts.count(Outcome::Skipped);
                    run.not_judged.count(why);
                    return Ok(());
                }
                Fault::Message(stage, error) => {
                    let folder = parts.store.folder(folder).ok().flatten().unwrap_or_default();
                    run.error(&folder, format!("message {id}"), stage, error);
                }
                Fault::Store(error) => {
                    run.counts.count(Outcome::Failed);
                    return Err(error);
                }
            }
            run.counts.count(Outcome::Failed);
            return Ok(());
        }
    };
    let unknown = rerouted.unknown.iter();
    unknown.for_each(|address| run.unknown_addresses.count(address.as_str()));
    for (address, profile, limit) in rerouted.over_limit {
        notes.not_made.entry(profile).or_default().count(&address, limit);
    }
    for name in &rerouted.kept_by {
        *notes.kept_by.entry(name.clone()).or_default() += 1;
    }
    if rerouted.archived.is_empty() && rerouted.duplicate.is_empty() {
        run.counts.count(Outcome::Skipped);
        match rerouted.kept_by.into_iter().next() {
            Some(name) => *run.kept_by.entry(name).or_default() += 1,
            // Nobody is known in it, still.
            None => run.counts.unknown += 1,
        }
        return Ok(());
    }
    run.counts.count(match rerouted.archived.is_empty() {
        true => Outcome::Duplicate,
        false => Outcome::Archived,
    });
    run.counts.filings += rerouted.archived.len() as u64;
    rerouted.archived.sort_unstable();
    for user in &rerouted.archived {
        run.users.entry(user.clone()).or_default().archived += 1;
    }
    for user in rerouted.duplicate {
        run.users.entry(user).or_default().duplicates += 1;
    }
    run.created_users.extend(rerouted.created);
    if !rerouted.archived.is_empty() {
        let line = RerouteLine {
            id,
            users: rerouted.archived,
        };
        // Whoever asked may be gone, and it goes on; or does not read, and it can be ended all the same.
        tokio::select! {
            _ = replies.send(Reply::Rerouted(Box::new(line))) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

impl Notes {
    fn say(self, run: &mut Run) {
        for (name, messages) in self.kept_by {
            run.notice(kept_by(&name, messages));
        }
        for (profile, not_made) in self.not_made {
            run.users_not_created += not_made.addresses();
            not_made
                .notice(&profile)
                .into_iter()
                .for_each(|notice| run.notice(notice));
        }
    }
}
