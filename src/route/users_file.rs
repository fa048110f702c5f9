//! The role of the users file is to keep the directory as its file has it: it looks whether the file changed, reads it
//! beside the router, has the users changed in the store, and gives the router the directory that came of it. A file
//! that is wrong changes nothing.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, AtomicResponse, Context, Handler, Message, WrapFuture};

use super::{Signs, TakeOver, changed_users};
use crate::{
    archive::{StoreError, give_back},
    config::{Config, FileStamp, FileUsers, List, User, UsersFileError, UsersFileProblem, read_users_file},
    panics::{blocking, survived_async},
    report::metrics,
};

/// How often the file is looked at; before each run it is looked at besides.
const LOOK: Duration = Duration::from_secs(2);
/// A file that changed a shorter time ago may still be being written, or put in place of another.
const SETTLED: Duration = Duration::from_millis(300);
/// How often that is waited for.
const WAITS: usize = 10;
/// Once it was read, it is left alone for so many times as long as that took, whatever becomes of it meanwhile: a very
/// large one that changes all the time would take what mail needs.
const REST: u32 = 10;
/// The same of a file that is refused for what the store has. It is read again though it does not change.
const REFUSED_REST: u32 = 40;
/// In the words of an error.
const READING: &str = "reading the users file";

/// Told the names of users who have new addresses, once mail is filed for them.
pub type TellGained = Arc<dyn Fn(BTreeSet<String>) + Send + Sync>;

pub struct UsersFile {
    work: Arc<Reading>,
    state: State,
}

/// What reading the file needs.
struct Reading {
    file: PathBuf,
    /// Users and lists of the configuration itself.
    users: Vec<User>,
    lists: Vec<List>,
    signs: Signs,
    take_over: TakeOver,
    tell: TellGained,
}

#[derive(Clone)]
struct State {
    /// The file that was read last; `None` where it was not there.
    seen: Option<FileStamp>,
    /// What is wrong with the file that was read last.
    error: Option<UsersFileError>,
    /// Until when it is left alone unless somebody asks.
    rests: Option<Instant>,
    /// The same, as long as it is the file that was refused for what the store has.
    refused: Option<(Option<FileStamp>, Instant)>,
}

impl UsersFile {
    /// For the users of `config`, which the store and the router have; `None` where it has no users file.
    pub fn new(config: &Config, take_over: TakeOver, tell: TellGained) -> Option<Self> {
        metrics::users_file(true);
        let work = Reading {
            file: config.users_file.clone()?,
            users: config.user.clone(),
            lists: config.list.clone(),
            signs: Signs::new(config),
            take_over,
            tell,
        };
        let read = &config.file_users;
        Some(Self {
            work: Arc::new(work),
            state: State {
                seen: read.stamp,
                error: None,
                rests: None,
                refused: None,
            },
        })
    }
}

impl Actor for UsersFile {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(LOOK, |actor, ctx| {
            let look = actor.work.clone().look(actor.state.clone(), false).into_actor(actor);
            ctx.wait(look.map(|state, actor, _| actor.state = state));
        });
    }
}

/// From a profile before a run: look at the file now, and take over what changed. Answers what is wrong with the file,
/// where the users are those of an earlier one.
#[derive(Message)]
#[rtype(result = "Option<UsersFileError>")]
pub struct LookAtUsers;

impl Handler<LookAtUsers> for UsersFile {
    type Result = AtomicResponse<Self, Option<UsersFileError>>;

    fn handle(&mut self, _: LookAtUsers, _: &mut Self::Context) -> Self::Result {
        let look = self.work.clone().look(self.state.clone(), true).into_actor(self);
        AtomicResponse::new(Box::pin(look.map(|state, actor, _| {
            actor.state = state;
            actor.state.error.clone()
        })))
    }
}

/// From a configuration that was read anew: look no more. Answered when no look is going on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct LookNoMore;

impl Handler<LookNoMore> for UsersFile {
    type Result = ();

    fn handle(&mut self, _: LookNoMore, ctx: &mut Self::Context) {
        ctx.stop();
    }
}

/// Why a file was not taken over.
enum Refusal {
    /// By what stands in it: it is as good as read.
    File(UsersFileError),
    /// By users who were added by commands, or by mail: it is tried again.
    Users(UsersFileError),
    /// By the store: it is tried again.
    Store(StoreError),
}

impl Reading {
    /// The same as [`Self::look_once`], and a panic over the file is as good as an error in it.
    async fn look(self: Arc<Self>, state: State, is_asked: bool) -> State {
        let before = state.clone();
        let looked = survived_async("looking at the users file", self.clone().look_once(state, is_asked)).await;
        looked.unwrap_or_else(|panicked| State {
            error: Some(self.error(
                None,
                UsersFileProblem::Unreadable(format!("cannot be read: {panicked}")),
            )),
            ..before
        })
    }

    /// Takes the file over where it changed. Gives what holds from then on.
    async fn look_once(self: Arc<Self>, mut state: State, is_asked: bool) -> State {
        let rests = |until: &Instant| !is_asked && Instant::now() < *until;
        if state.rests.as_ref().is_some_and(rests) && !self.take_over.is_behind() {
            return state;
        }
        let stamp = self.stamp().await;
        if stamp == state.seen && !self.take_over.is_behind() {
            return state;
        }
        let is_refused = |(refused, until): &(_, _)| stamp == *refused && rests(until);
        if state.refused.as_ref().is_some_and(is_refused) {
            return state;
        }
        let before = state.error.take();
        let (seen, began, read) = self.read_settled().await;
        let taken = match read {
            Ok(read) => self.take_over(read).await,
            Err(error) => Err(Refusal::File(error)),
        };
        let is_refused = matches!(taken, Err(Refusal::Users(_) | Refusal::Store(_)));
        let (took, now) = (began.elapsed(), Instant::now());
        state.rests = Some(now + REST * took);
        state.refused = is_refused.then(|| (stamp, now + REFUSED_REST * took));
        state.error = match taken {
            Ok(()) => {
                state.seen = seen;
                None
            }
            Err(Refusal::File(error)) => {
                state.seen = seen;
                Some(error)
            }
            // Those users may be changed, and then it fits.
            Err(Refusal::Users(error)) => Some(error),
            Err(Refusal::Store(error)) => Some(self.error(None, UsersFileProblem::Store(error.to_string()))),
        };
        if let Some(error) = &state.error
            && before.as_ref() != Some(error)
        {
            tracing::error!(%error, "the users stay as they were");
            metrics::users_file_refused();
        }
        metrics::users_file(state.error.is_none());
        state
    }

    async fn stamp(self: &Arc<Self>) -> Option<FileStamp> {
        let work = self.clone();
        blocking(READING, move || FileStamp::of(&work.file).ok())
            .await
            .ok()
            .flatten()
    }

    /// Reads the file when it has not changed for a moment, as far as can be waited for; gives when it began to read.
    async fn read_settled(self: &Arc<Self>) -> (Option<FileStamp>, Instant, Result<FileUsers, UsersFileError>) {
        for _ in 0..WAITS {
            let stamp = self.stamp().await;
            // Its stamp is of the file system's clock, and no other compares with it.
            if stamp.is_some_and(|stamp| stamp.age(SystemTime::now()) >= SETTLED) {
                let began = Instant::now();
                let read = self.read().await;
                if self.stamp().await == stamp {
                    return (stamp, began, read);
                }
            }
            tokio::time::sleep(SETTLED).await;
        }
        // Whatever comes after this stamp is read the next time.
        (self.stamp().await, Instant::now(), self.read().await)
    }

    async fn read(self: &Arc<Self>) -> Result<FileUsers, UsersFileError> {
        let work = self.clone();
        let read = move || {
            let read = read_users_file(&work.file, &work.users, &work.lists);
            // Of a large file there was much besides.
            give_back();
            read
        };
        let read = blocking(READING, read).await;
        read.unwrap_or_else(|error| {
            Err(self.error(None, UsersFileProblem::Unreadable(format!("cannot be read: {error}"))))
        })
    }

    async fn take_over(self: &Arc<Self>, read: FileUsers) -> Result<(), Refusal> {
        let read = Arc::new(read);
        let (work, users) = (self.clone(), read.clone());
        let changes = move || {
            let wanted = work.users.iter().chain(&users.users);
            let name = work.file.file_name().unwrap_or(work.file.as_os_str());
            changed_users(work.take_over.store(), wanted, &work.signs, &name.display().to_string())
        };
        let refused = |error| match error {
            StoreError::User { ref name, .. } => {
                Refusal::Users(self.error(read.line(name), UsersFileProblem::Store(error.to_string())))
            }
            error => Refusal::Store(error),
        };
        let changed = blocking(READING, changes)
            .await
            .map_err(StoreError::panicked)
            .flatten()
            .map_err(&refused)?;
        if changed.0.is_empty() && !self.take_over.is_behind() {
            return Ok(());
        }
        let (count, named, gained) = (changed.0.len(), read.users.len(), changed.1.gained.clone());
        let stored = self.take_over.put(changed, false).await.map_err(refused)?;
        // It may be large, and so is the directory that is made now.
        drop(read);
        let passed_on = self.take_over.pass_on(stored, &self.signs).await;
        // Nobody waits for it.
        drop(tokio::task::spawn_blocking(give_back));
        passed_on.map_err(Refusal::Store)?;
        tracing::info!(file = %self.file.display(), users = named, changed = count, "users taken over");
        (self.tell)(gained);
        Ok(())
    }

    fn error(&self, line: Option<usize>, problem: UsersFileProblem) -> UsersFileError {
        UsersFileError {
            file: self.file.clone(),
            line,
            problem,
        }
    }
}

/// Waits until a file has not changed for a moment, as far as can be waited for.
pub async fn settled(file: &Path) {
    for _ in 0..WAITS {
        let file = file.to_owned();
        let age = move || FileStamp::of(&file).ok().map(|stamp| stamp.age(SystemTime::now()));
        match blocking(READING, age).await {
            Ok(Some(age)) if age < SETTLED => tokio::time::sleep(SETTLED).await,
            _ => return,
        }
    }
}

#[cfg(test)]
#[path = "users_file_tests.rs"]
mod tests;
