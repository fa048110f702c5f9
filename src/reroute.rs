//! Filing anew what is in an archive, after users or rules were added: `dropkeep reroute`. Filings are added, and none is
//! taken away. It is a run of its own, with a protocol; the messages go the way of fetched ones from the router on.

mod book;

use std::{collections::HashSet, sync::Arc};

use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use self::book::{Book, Ruled};
use crate::{
    archive::{Change, Content, Entry, RunId, Store, StoreError, UserId, cut},
    clock,
    config::Config,
    control::api::{Failure, Reply, RerouteLine},
    errand::GoingOn,
    explain::{Stored, fetched, unclaimed, united},
    identify::{Found, Identified, Pool, Reported},
    message::Address,
    profile::{Exit, Stages},
    report::{InStage, Outcome, REROUTE, Run, RunState, Stage, timestamp},
    route::{AsItStands, Directory, Prepared, Preview, Previewed, Route, RouteError, Rule, RunEnded, look_through},
};

/// Messages found and not yet taken up, and those on their way to the disk at a time.
const FOUND: usize = 256;
const AT_ONCE: usize = 64;

/// What is asked for.
pub struct Reroute {
    /// Whose archive is gone through, and how many messages are in it.
    pub from: (UserId, u64),
    pub name: String,
    /// By whose rules; by those of the profile that archived each message, where it is not given.
    pub profile: Option<String>,
    /// Only says what would be filed.
    pub dry_run: bool,
}

impl Reroute {
    fn words(&self) -> String {
        let rules = match &self.profile {
            Some(name) => format!("by the rules of profile {name}"),
            None => "by the rules of the profiles that archived it".into(),
        };
        let dry = if self.dry_run { "; nothing was filed" } else { "" };
        format!("what {} has was gone through {rules}{dry}", self.name)
    }
}

/// A message of the archive that is gone through.
struct Candidate {
    entry: Entry,
    /// Why it cannot be judged, in words, where no profile's rules are there for it.
    ruled: Result<Arc<Ruled>, String>,
}

/// What became of one.
struct Judged {
    id: u64,
    size: u64,
    folder: String,
    result: Result<Rerouted, Fault>,
}

enum Rerouted {
    /// Nobody is known in it, still; and the addresses of ours that nobody has.
    Unknown(Vec<Address>),
    /// For whom it is newly filed, who had it, who was made for it, and who nobody has.
    Known {
        archived: Vec<String>,
        duplicate: Vec<String>,
        created: Vec<String>,
        unknown: Vec<Address>,
    },
}

/// What went wrong with one message, and at which stage.
enum Fault {
    Message(&'static str, String),
    /// The store takes no more.
    Store(StoreError),
}

/// Goes through an archive, and says what was filed; the last reply is the run. `notices` are what its protocol says
/// besides.
///
/// # Errors
/// The run cannot begin, or its protocol cannot be stored.
pub async fn run(
    config: &Config,
    parts: Stages,
    reroute: Reroute,
    notices: Vec<String>,
    going_on: &GoingOn<'_>,
    replies: &mpsc::Sender<Reply>,
) -> Result<(), Failure> {
    let mut run = Run::begin(REROUTE, clock::now());
    run.notices = notices;
    run.notice(reroute.words());
    if !reroute.dry_run {
        run.run = parts.committer.change(Change::Begin(Box::new(run.clone()))).await?;
    }
    let ended = go_through(config, &parts, &reroute, &going_on.stop, replies, &mut run).await;
    // A router that is gone has forgotten the run.
    let _ = parts.router.send(RunEnded(run.run)).await;
    if let Err(error) = &ended {
        run.error("", "", "store", error);
    }
    let (state, exit) = match ended {
        Err(_) => (RunState::Failed, Exit::Store),
        Ok(()) if going_on.stop.is_cancelled() => (RunState::Interrupted, Exit::Interrupted),
        Ok(()) if run.failed > 0 => (RunState::CompletedWithErrors, Exit::Errors),
        Ok(()) => (RunState::Completed, Exit::Done),
    };
    run.state = state;
    run.finished_at = Some(timestamp(clock::now()));
    let run = Arc::new(run);
    let stored = match reroute.dry_run {
        true => Ok(0),
        false => parts.committer.change(Change::Protocol(run.clone())).await,
    };
    let exit = exit as i32;
    // Whoever asked may be gone. A full disk refuses the protocol too; the answer still tells all.
    let _ = replies.send(Reply::Finished { run, exit }).await;
    Ok(stored.map(drop)?)
}

async fn go_through(
    config: &Config,
    parts: &Stages,
    reroute: &Reroute,
    stop: &CancellationToken,
    replies: &mpsc::Sender<Reply>,
    run: &mut Run,
) -> Result<(), StoreError> {
    let (sender, mut candidates) = mpsc::channel(FOUND);
    let finder = {
        let (store, user, stop) = (parts.store.clone(), reroute.from.0, stop.clone());
        let book = Book::new(config, reroute.profile.clone());
        actix_rt::task::spawn_blocking(move || find(&store, user, book, &stop, &sender))
    };
    let mut judging = JoinSet::new();
    let mut failed = Ok(());
    while failed.is_ok() {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(judged) = judging.join_next() => failed = take(run, reroute, judged, stop, replies).await,
            candidate = candidates.recv(), if judging.len() < AT_ONCE => {
                let Some(candidate) = candidate else { break };
                let share = parts.budget.take(std::iter::once(candidate.entry.message.size)).await;
                let (parts, number, dry_run) = (parts.clone(), run.run, reroute.dry_run);
                judging.spawn(async move {
                    let judged = judge(&parts, number, dry_run, candidate).await;
                    drop(share);
                    judged
                });
            }
        }
    }
    drop(candidates);
    // What is on its way is counted, whatever else went wrong.
    while let Some(judged) = judging.join_next().await {
        failed = failed.and(take(run, reroute, judged, stop, replies).await);
    }
    let found = finder.await.unwrap_or_else(|_| {
        Err(StoreError::Fault {
            detail: "going through the archive panicked".into(),
        })
    });
    failed.and(found)
}

/// Hands out the messages of `user`, oldest first, until nobody takes them.
fn find(
    store: &Store,
    user: UserId,
    mut book: Book,
    stop: &CancellationToken,
    found: &mpsc::Sender<Candidate>,
) -> Result<(), StoreError> {
    let each = |entry: Entry| {
        let ruled = match book.rules(store, &entry) {
            // What was imported for one user is for nobody else.
            Ok(None) => return Ok(()),
            Ok(Some(ruled)) => Ok(ruled),
            Err(why) => Err(why),
        };
        match stop.is_cancelled() || found.blocking_send(Candidate { entry, ruled }).is_err() {
            true => Err(End::NobodyTakes),
            false => Ok(()),
        }
    };
    match store.list(user, None, each) {
        Ok(()) | Err(End::NobodyTakes) => Ok(()),
        Err(End::Store(error)) => Err(error),
    }
}

/// Why no more messages are handed out.
enum End {
    NobodyTakes,
    Store(StoreError),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn judge(parts: &Stages, run: RunId, dry_run: bool, candidate: Candidate) -> Judged {
    let Candidate { entry, ruled } = candidate;
    let (id, size, folder) = (entry.id, entry.message.size, entry.folder.clone());
    let result = match ruled {
        Ok(ruled) => reroute_one(parts, run, dry_run, entry, &ruled).await,
        Err(words) => Err(Fault::Message("profile", words)),
    };
    Judged {
        id,
        size,
        folder,
        result,
    }
}

async fn reroute_one(
    parts: &Stages,
    run: RunId,
    dry_run: bool,
    entry: Entry,
    ruled: &Arc<Ruled>,
) -> Result<Rerouted, Fault> {
    let (found, holders) = {
        let (store, ruled, id) = (parts.store.clone(), ruled.clone(), entry.id);
        on_pool(&parts.pool, move || found(&store, &ruled, None, id)).await?
    };
    let found = match found.more {
        0 => found,
        _ => {
            let directory = parts.router.send(AsItStands).await.map_err(|_| router_gone())?;
            let (store, ruled, id) = (parts.store.clone(), ruled.clone(), entry.id);
            let look = move || self::found(&store, &ruled, Some(&directory), id);
            on_pool(&parts.pool, look).await?.0
        }
    };
    let preview = Preview {
        found: found.clone(),
        routing: ruled.routing.clone(),
        look_up: Vec::new(),
    };
    let previewed = parts.router.send(preview).await.map_err(|_| router_gone())?;
    let unknown = previewed.unknown_addresses.clone();
    let known = known(previewed);
    if known.is_empty() {
        return Ok(Rerouted::Unknown(unknown));
    }
    let (duplicate, archived): (Vec<_>, Vec<_>) = known.into_iter().partition(|name| holders.contains(name));
    if archived.is_empty() || dry_run {
        return Ok(Rerouted::Known {
            archived,
            duplicate,
            created: Vec::new(),
            unknown,
        });
    }
    let folder = entry.filing.folder;
    let prepared = {
        let store = parts.store.clone();
        on_pool(&parts.pool, move || prepare(&store, &entry, found)).await?
    };
    let route = Route {
        copy: None,
        folder,
        run,
        prepared,
        routing: ruled.routing.clone(),
        known_only: true,
        waits: InStage::enter(Stage::Route, 1),
    };
    match parts.router.send(route).await.unwrap_or(Err(RouteError::Router)) {
        // No more users are made in this run.
        Ok(routed) if routed.skipped => Ok(Rerouted::Unknown(routed.local_unknown)),
        Ok(routed) => Ok(Rerouted::Known {
            archived: routed.archived,
            duplicate: routed.duplicate,
            created: routed.created,
            unknown: routed.local_unknown,
        }),
        Err(RouteError::Store(error)) => Err(Fault::Store(error)),
        Err(error) => Err(Fault::Message("route", error.to_string())),
    }
}

/// The users that addresses lead to, without whom `unknown` names.
fn known(previewed: Previewed) -> Vec<String> {
    let by_address = |rule| !matches!(rule, Rule::Catchall | Rule::User);
    let users = previewed.users.into_iter().filter(|user| by_address(user.rule));
    users.map(|user| user.user).collect()
}

async fn on_pool<T: Send + 'static>(
    pool: &Pool,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Fault> {
    let done = pool.run(work).await;
    let done = done.map_err(|panicked| Fault::Message("identify", panicked.to_string()))?;
    done.map_err(|failure| Fault::Message("read", failure.error))
}

fn router_gone() -> Fault {
    Fault::Message("route", RouteError::Router.to_string())
}

/// The addresses in a stored message, or in the journal reports in which it came, and those that other copies were for;
/// and who has it. With a directory each is looked up as it is read.
fn found(
    store: &Store,
    ruled: &Ruled,
    directory: Option<&Directory>,
    id: u64,
) -> Result<(Found, HashSet<String>), Failure> {
    let stored = Stored::read(store, id)?;
    let mut all = Vec::new();
    fetched(store, &stored, |bytes| {
        let identified = Identified::new(bytes.clone(), None, &ruled.rules);
        let reported = identified.journal.reported();
        // In its place the message itself is read.
        if reported != Reported::Untrusted || !stored.came_in_reports {
            all.push(match directory {
                Some(directory) => look_through(directory, &ruled.routing, &ruled.rules, &bytes),
                None => identified.found,
            });
        }
        reported
    })?;
    all.push(unclaimed(store, id)?);
    Ok((united(all.iter()), stored.holders))
}

/// A stored message as it goes to the router once more.
fn prepare(store: &Store, entry: &Entry, found: Found) -> Result<Prepared, Failure> {
    let bytes: bytes::Bytes = crate::archive::Retrieval::new(store)
        .raw(entry.id, &entry.message)?
        .into();
    let content = Content {
        parts: cut(&bytes),
        sha256: entry.message.sha256,
        identity: crate::identify::identity_of(&bytes),
        former: crate::identify::former_identity(&bytes),
        bytes,
    };
    Ok(Prepared {
        found,
        date: Some(entry.message.date),
        notes: entry.message.notes,
        addressed: Vec::new(),
        content: Arc::new(content),
        report: None,
        reported: Reported::No,
        held: None,
    })
}

/// Counts what became of a message, and tells it.
async fn take(
    run: &mut Run,
    reroute: &Reroute,
    judged: Result<Judged, tokio::task::JoinError>,
    stop: &CancellationToken,
    replies: &mpsc::Sender<Reply>,
) -> Result<(), StoreError> {
    let judged = match judged {
        Ok(judged) => judged,
        Err(error) => {
            run.count(Outcome::Failed);
            run.error("", "", "identify", error);
            return Ok(());
        }
    };
    let Judged {
        id,
        size,
        folder,
        result,
    } = judged;
    run.bytes += size;
    match result {
        Ok(Rerouted::Unknown(unknown)) => {
            run.count(Outcome::Skipped);
            run.unknown += 1;
            unknown.iter().for_each(|address| run.unknown_address(address.as_str()));
        }
        Ok(Rerouted::Known {
            archived,
            duplicate,
            created,
            unknown,
        }) => {
            unknown.iter().for_each(|address| run.unknown_address(address.as_str()));
            run.count(if archived.is_empty() {
                Outcome::Duplicate
            } else {
                Outcome::Archived
            });
            run.filings += archived.len() as u64;
            for user in &archived {
                run.users.entry(user.clone()).or_default().archived += 1;
            }
            for user in duplicate {
                run.users.entry(user).or_default().duplicates += 1;
            }
            run.created_users.extend(created);
            if !archived.is_empty() {
                let line = RerouteLine { id, users: archived };
                // Whoever asked may be gone, and it goes on; or does not read, and it can be ended all the same.
                tokio::select! {
                    _ = replies.send(Reply::Rerouted(Box::new(line))) => {}
                    () = stop.cancelled() => {}
                }
            }
        }
        Err(Fault::Message(stage, error)) => {
            run.count(Outcome::Failed);
            run.error(&folder, format!("message {id}"), stage, error);
        }
        Err(Fault::Store(error)) => {
            run.count(Outcome::Failed);
            return Err(error);
        }
    }
    let _ = replies.try_send(Reply::Progress {
        run: run.run,
        done: run.seen,
        expected: reroute.from.1,
        bytes: run.bytes,
    });
    Ok(())
}
