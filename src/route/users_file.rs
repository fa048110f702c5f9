//! The role of the users file is to keep the directory as its file has it: it looks whether the file changed, reads it
//! beside the router, has the users changed in the store, and gives the router the directory that came of it. A file
//! that is wrong changes nothing.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, AtomicResponse, Context, Handler, Message, WrapFuture,
};

use super::{BeginSwap, Directory, PutUsers, Router, Signs, Swap, changed_users};
use crate::{
    archive::{self, Committer, Store, StoreError, UserId},
    config::{Config, FileStamp, FileUsers, List, User, UsersFileError, UsersFileProblem, read_users_file},
    panics::survived_async,
    report::metrics,
};

/// How often the file is looked at; before each run it is looked at besides.
const LOOK: Duration = Duration::from_secs(2);
/// A file that changed a shorter time ago may still be being written, or put in place of another.
const SETTLED: Duration = Duration::from_millis(300);
/// How often that is waited for.
const WAITS: usize = 10;
/// So many changed users the router puts into its directory within a few milliseconds.
const FEW: usize = 1000;

/// Told the names of users who have new addresses, once mail is filed for them.
pub type TellGained = Arc<dyn Fn(BTreeSet<String>) + Send + Sync>;

pub struct UsersFile {
    work: Arc<Work>,
    state: State,
}

/// What reading the file needs.
struct Work {
    file: PathBuf,
    /// Users and lists of the configuration itself.
    users: Vec<User>,
    lists: Vec<List>,
    signs: Signs,
    store: Arc<Store>,
    committer: Committer,
    router: Addr<Router>,
    tell: TellGained,
}

#[derive(Clone)]
struct State {
    /// The file that was read last; `None` where it was not there.
    seen: Option<FileStamp>,
    /// The store has users that the router was not given.
    behind: bool,
    /// What is wrong with the file that was read last.
    error: Option<UsersFileError>,
}

impl UsersFile {
    /// For the users of `config`, which the store and the router have; `None` where it has no users file.
    pub fn new(
        config: &Config,
        store: Arc<Store>,
        committer: Committer,
        router: Addr<Router>,
        tell: TellGained,
    ) -> Option<Self> {
        metrics::users_file(true);
        let work = Work {
            file: config.users_file.clone()?,
            users: config.user.clone(),
            lists: config.list.clone(),
            signs: Signs::new(config),
            store,
            committer,
            router,
            tell,
        };
        let read = &config.file_users;
        Some(Self {
            work: Arc::new(work),
            state: State {
                seen: read.stamp,
                behind: false,
                error: None,
            },
        })
    }
}

impl Actor for UsersFile {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(LOOK, |actor, ctx| {
            let look = actor.work.clone().look(actor.state.clone()).into_actor(actor);
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
        let look = self.work.clone().look(self.state.clone()).into_actor(self);
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

impl Work {
    /// The same as [`Self::look_once`], and a panic over the file is as good as an error in it.
    async fn look(self: Arc<Self>, state: State) -> State {
        let before = state.clone();
        let looked = survived_async("looking at the users file", self.clone().look_once(state)).await;
        looked.unwrap_or_else(|panicked| State {
            error: Some(self.error(
                None,
                UsersFileProblem::Unreadable(format!("cannot be read: {panicked}")),
            )),
            ..before
        })
    }

    /// Takes the file over where it changed. Gives what holds from then on.
    async fn look_once(self: Arc<Self>, mut state: State) -> State {
        let stamp = self.stamp().await;
        if stamp == state.seen && !state.behind {
            return state;
        }
        let before = state.error.take();
        let (seen, read) = self.read_settled().await;
        let taken = match read {
            Ok(read) => self.take_over(read, &mut state).await,
            Err(error) => Err(Refusal::File(error)),
        };
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
        blocking(move || FileStamp::of(&work.file).ok()).await.ok().flatten()
    }

    /// Reads the file when it has not changed for a moment, as far as can be waited for.
    async fn read_settled(self: &Arc<Self>) -> (Option<FileStamp>, Result<FileUsers, UsersFileError>) {
        for _ in 0..WAITS {
            let stamp = self.stamp().await;
            // Its stamp is of the file system's clock, and no other compares with it.
            if stamp.is_some_and(|stamp| stamp.age(SystemTime::now()) >= SETTLED) {
                let read = self.read().await;
                if self.stamp().await == stamp {
                    return (stamp, read);
                }
            }
            tokio::time::sleep(SETTLED).await;
        }
        // Whatever comes after this stamp is read the next time.
        (self.stamp().await, self.read().await)
    }

    async fn read(self: &Arc<Self>) -> Result<FileUsers, UsersFileError> {
        let work = self.clone();
        let read = blocking(move || read_users_file(&work.file, &work.users, &work.lists)).await;
        read.unwrap_or_else(|error| {
            Err(self.error(None, UsersFileProblem::Unreadable(format!("cannot be read: {error}"))))
        })
    }

    async fn take_over(self: &Arc<Self>, read: FileUsers, state: &mut State) -> Result<(), Refusal> {
        let read = Arc::new(read);
        let (work, users) = (self.clone(), read.clone());
        let changes = move || {
            let wanted = work.users.iter().chain(&users.users);
            let known = work.store.users()?;
            let name = work.file.file_name().unwrap_or(work.file.as_os_str());
            changed_users(&known, wanted, &work.signs, &name.display().to_string())
        };
        let refused = |error| match error {
            StoreError::User { ref name, .. } => {
                Refusal::Users(self.error(read.line(name), UsersFileProblem::Store(error.to_string())))
            }
            error => Refusal::Store(error),
        };
        let (mut changed, news) = blocking(changes).await.and_then(|changed| changed).map_err(&refused)?;
        if changed.is_empty() && !state.behind {
            return Ok(());
        }
        let new = changed.iter_mut().filter(|(id, _)| id.is_none());
        let new: Vec<_> = new.map(|(id, _)| id).collect();
        let numbers = u32::try_from(new.len()).unwrap_or(u32::MAX);
        let first = self.router.send(BeginSwap(numbers)).await.map_err(|_| gone())?;
        new.into_iter()
            .zip(first.0..)
            .for_each(|(id, number)| *id = Some(UserId(number)));
        let (count, named) = (changed.len(), read.users.len());
        // A few are put in by the router at once; what many come to is made beside it.
        let few = (count <= FEW && !state.behind).then(|| numbered(&changed));
        if count > 0 {
            match self.committer.put_users(changed, news.clone()).await {
                Ok(_) => {}
                Err(error @ StoreError::User { .. }) => return Err(refused(error)),
                Err(error) => {
                    // How much of it is on disk is not known.
                    state.behind = true;
                    return Err(refused(error));
                }
            }
        }
        drop(read);
        state.behind = true;
        match few {
            Some(users) => self.router.send(PutUsers(users)).await.map_err(|_| gone())?,
            None => self.swap().await?,
        }
        state.behind = false;
        tracing::info!(file = %self.file.display(), users = named, changed = count, "users taken over");
        if let Some(words) = news.retired_words() {
            tracing::warn!("{words}");
        }
        (self.tell)(news.gained);
        Ok(())
    }

    /// Makes the directory of all the store's users, and gives it to the router.
    async fn swap(self: &Arc<Self>) -> Result<(), Refusal> {
        let work = self.clone();
        let directory = move || {
            let users = work.store.users()?.into_iter().map(|(id, user, _)| (id, user));
            Ok(Directory::new(users).with(work.signs.clone()))
        };
        let directory = blocking(directory).await.and_then(|made| made);
        let old = self.router.send(Swap(directory.map_err(Refusal::Store)?)).await;
        let old = old.map_err(|_| gone())?;
        // Nobody waits for it.
        let _ = blocking(move || drop(old)).await;
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
        match blocking(age).await {
            Ok(Some(age)) if age < SETTLED => tokio::time::sleep(SETTLED).await,
            _ => return,
        }
    }
}

/// All of them have numbers.
fn numbered(users: &[(Option<UserId>, archive::User)]) -> Vec<(UserId, archive::User)> {
    let users = users.iter().filter_map(|(id, user)| Some(((*id)?, user.clone())));
    users.collect()
}

/// On a thread that may wait for the disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    let panicked = |_| StoreError::Fault {
        detail: "reading the users file panicked".into(),
    };
    actix_rt::task::spawn_blocking(work).await.map_err(panicked)
}

fn gone() -> Refusal {
    Refusal::Store(StoreError::Fault {
        detail: "the router stopped".into(),
    })
}

#[cfg(test)]
#[path = "users_file_tests.rs"]
mod tests;
