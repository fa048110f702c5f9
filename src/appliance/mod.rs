//! The appliance: the only wiring. It opens the store and starts the stages, the last one first:
//! committer, router, supervisors. Then come those who talk to them.

mod backlog;
mod heartbeat;
mod history;
mod import;
mod reload;
mod requests;
mod runs;
mod status;
mod users;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic::AtomicBool},
    thread::JoinHandle,
    time::Duration,
};

use actix::{Actor, Addr, Arbiter};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};

pub use self::requests::{GoingOn, Requests};
pub use self::users::{changed_users, take_over_users};
use self::{backlog::Backlogs, runs::supervise, users::directory};
use crate::{
    api::{Exit, Failure, Reloaded, Reply, Request},
    archive::{Committer, Housekeeper, Store, StoreError, close_abandoned_runs},
    clock, compaction,
    config::{Config, DailyHours, FileUsers},
    errand::Errand,
    identify::Pool,
    notify::{Digests, Notifier, Workers},
    profile::{Budget, Live, Stages, Standing, Supervisor, look_at_users},
    reading,
    report::metrics,
    reroute::{self, Gained, Reroute},
    route::{Router, UserChange, UsersFile},
    source::Import,
};

/// How often progress is told to whoever waits for a run.
const TELL: Duration = Duration::from_millis(100);

/// A profile, from outside.
#[derive(Clone)]
struct Supervised {
    supervisor: Addr<Supervisor>,
    live: watch::Receiver<Live>,
    standing: watch::Receiver<Standing>,
    /// Since when it is known.
    since: Timestamp,
}

/// What a configuration that is read anew changes.
struct Running {
    config: Arc<Config>,
    stages: Stages,
    profiles: HashMap<String, Supervised>,
    /// That the configuration has no more, and whose runs end.
    leaving: Vec<Supervised>,
    /// The one that imports for one user, as long as it does.
    importing: Option<Supervised>,
    /// No run begins any more.
    ending: bool,
}

/// Why a configuration was refused.
#[derive(Clone)]
struct Refused {
    why: String,
    /// By its users file alone, which is looked at again by itself.
    by_users_file: bool,
}

/// Who wants the configuration read anew, and is told what came of it.
pub type Asked = oneshot::Sender<Result<Reloaded, Failure>>;

/// Reads files anew that the configuration names; says what is wrong with them.
type ReadAnew = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

/// The running appliance.
pub struct Appliance {
    running: Arc<RwLock<Running>>,
    /// What else is read anew with the configuration.
    files: OnceLock<ReadAnew>,
    /// Asks whoever started the appliance to read the configuration anew, on the thread where it was started.
    asked: mpsc::Sender<Asked>,
    asking: Mutex<Option<mpsc::Receiver<Asked>>>,
    /// The store has users that the router was not given.
    behind: AtomicBool,
    /// Held while a configuration is read anew.
    reloading: tokio::sync::Mutex<()>,
    /// Raised when one was taken.
    reloads: watch::Sender<u64>,
    /// Why the last one was refused.
    refused: Mutex<Option<Refused>>,
    started: Timestamp,
    /// Somebody looks whether all of the archive is there.
    looking: Arc<AtomicBool>,
    /// Profiles run by their schedules.
    scheduled: bool,
    store: Arc<Store>,
    committer: Committer,
    router: Addr<Router>,
    compaction: Errand,
    rerouting: Errand,
    /// The imports for one user, by no profile's rules.
    importing: Errand,
    /// For whom the import with --user that is going on is, or the last one was.
    importing_for: Mutex<Arc<str>>,
    backlogs: Backlogs,
    notifier: Notifier,
    /// What sends what the notifier hears.
    _telling: Workers,
    _housekeeper: Housekeeper,
}

impl Appliance {
    /// Starts the stages over an opened store. Needs a running actix system. `scheduled`: profiles run
    /// by their schedules, not only by hand. The committer's thread ends when the appliance is gone.
    ///
    /// # Errors
    /// The users of the configuration contradict those of the store, or the store cannot be written.
    pub async fn start(
        mut config: Config,
        store: Arc<Store>,
        scheduled: bool,
    ) -> Result<(Self, JoinHandle<()>), Failure> {
        close_abandoned_runs(&store)?;
        let (committer, thread) = Committer::start(store.clone(), config.limits.inflight.0)?;
        let users = take_over_users(&config, &store, &committer).await?;
        let router = Router::new(directory(&config, &store)?, store.clone(), committer.clone());
        let router = Router::start_in_arbiter(&Arbiter::new().handle(), |_| router);
        let read_users = config.file_users.stamp;
        // The store has them now, and there may be very many.
        config.file_users = FileUsers::default();
        let backlogs = Backlogs::start(
            Arc::new(config.clone()),
            store.clone(),
            committer.clone(),
            router.clone(),
            scheduled,
        );
        let tell = backlogs.tell_gained();
        // With those of earlier commands and runs, of whom no protocol has said anything.
        let news = store.users_news()?;
        backlogs.gained(Gained {
            users: users.into_iter().chain(news.gained).collect(),
            anybody: news.anybody,
        });
        config.file_users.stamp = read_users;
        let users_file = UsersFile::new(&config, store.clone(), committer.clone(), router.clone(), tell);
        let users_file = users_file.map(Actor::start);
        config.file_users = FileUsers::default();
        let pool = Pool::new().map_err(|error| Failure::new(Exit::Errors, error))?;
        let stages = Stages {
            store: store.clone(),
            committer: committer.clone(),
            router: router.clone(),
            users_file,
            pool,
            budget: Budget::new(config.limits.inflight.0),
            notifier: Notifier::new(&config),
            next_notices: backlogs.next_notices(),
            max_message_size: config.limits.max_message_size.0,
            scheduled,
        };
        let digests = if scheduled { Digests::OnTime } else { Digests::WithRuns };
        let notifier = stages.notifier.clone();
        let telling = notifier.start(store.clone(), committer.clone(), digests);
        let profiles = config.profile.iter().map(|profile| {
            let standing = history::standing(&profile.name, &store)?;
            let supervised = supervise(&config, profile, &stages, standing, scheduled);
            Ok::<_, StoreError>((profile.name.clone(), supervised))
        });
        let profiles = profiles.collect::<Result<_, _>>()?;
        // Only an appliance that stays has hours that are quiet.
        let quiet = if scheduled {
            config.archive.quiet_hours
        } else {
            DailyHours::Never
        };
        let housekeeper = Housekeeper::start(store.clone(), committer.clone(), quiet, config.protocols.clone())?;
        let (messages, raw) = store.totals()?;
        metrics::archive_size(messages, raw);
        let (asked, asking) = mpsc::channel(1);
        Ok((
            Self {
                asked,
                asking: Mutex::new(Some(asking)),
                behind: AtomicBool::new(false),
                running: Arc::new(RwLock::new(Running {
                    config: Arc::new(config),
                    stages,
                    profiles,
                    leaving: Vec::new(),
                    importing: None,
                    ending: false,
                })),
                files: OnceLock::new(),
                reloading: tokio::sync::Mutex::default(),
                reloads: watch::Sender::new(0),
                refused: Mutex::default(),
                started: clock::now(),
                looking: Arc::default(),
                scheduled,
                store,
                committer,
                router,
                compaction: Errand::new("a compaction"),
                rerouting: Errand::new("a reroute"),
                importing: Errand::new("an import with --user"),
                importing_for: Mutex::new("".into()),
                backlogs,
                notifier,
                _telling: telling,
                _housekeeper: housekeeper,
            },
            thread,
        ))
    }

    fn running(&self) -> RwLockReadGuard<'_, Running> {
        self.running.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn running_mut(&self) -> RwLockWriteGuard<'_, Running> {
        self.running.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The configuration that is in force.
    pub fn config(&self) -> Arc<Config> {
        self.running().config.clone()
    }

    fn profiles(&self) -> Vec<Supervised> {
        self.running().profiles.values().cloned().collect()
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    fn profile(&self, name: &str) -> Result<Supervised, Failure> {
        let running = self.running();
        if running.config.profile(name).is_err() {
            return Err(self.does_not_know(name));
        }
        let profile = running.profiles.get(name).cloned();
        profile.ok_or_else(|| Failure::usage(format!("profile {name:?} is being started or removed; try again")))
    }

    /// Who asks found the profile in the configuration as the file has it now.
    fn does_not_know(&self, profile: &str) -> Failure {
        Failure::usage(match self.scheduled {
            true => format!("the running appliance does not know profile {profile:?} yet; run `dropkeep reload`"),
            false => format!(
                "another dropkeep command is running that does not know profile {profile:?} yet; try again when it has \
                 ended"
            ),
        })
    }

    /// Carries out a request that needs the actors.
    ///
    /// # Errors
    /// As the request says.
    pub async fn act(&self, request: Request, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        match request {
            Request::Archive { profile } => self.run(self.profile(&profile)?, None, replies).await,
            Request::Import {
                profile,
                user,
                paths,
                format,
                mbox,
                mbox_from,
            } => {
                let paths = paths.into_iter().map(PathBuf::from).collect();
                let import = Import {
                    paths,
                    format,
                    mbox,
                    mbox_from,
                    owner: None,
                };
                self.import(profile, user, import, replies).await
            }
            Request::Status => self.status(replies).await,
            Request::Reload => {
                let nobody = || {
                    Failure::new(
                        Exit::Errors,
                        "no appliance is running (`dropkeep serve`): this process cannot reload its configuration",
                    )
                };
                let (tell, told) = oneshot::channel();
                let before = self.backlogs.told();
                self.asked.send(tell).await.map_err(|_| nobody())?;
                let reloaded = told.await.map_err(|_| nobody())??;
                let _ = replies.send(Reply::Reloaded(reloaded)).await;
                self.tell_backlog(before, replies).await;
                Ok(())
            }
            Request::Interrupt { profile } => self.interrupt(&profile).await,
            Request::AddUser {
                name,
                addresses,
                no_count,
            } => self.add_user(name, &addresses, no_count, replies).await,
            Request::RenameUser { name, to } => self.rename_user(name, to).await,
            Request::RetireUser { name } => self.change_user(UserChange::Retire { name }).await,
            Request::Compact => {
                let going_on = self.compaction.begin()?;
                let compacted = compaction::run(self.store.clone(), self.committer.clone(), &going_on).await?;
                let _ = replies.send(Reply::Compacted(Box::new(compacted))).await;
                Ok(())
            }
            Request::InterruptCompaction => {
                self.compaction.interrupt();
                Ok(())
            }
            Request::Reroute { from, profile, dry_run } => {
                let (config, stages) = {
                    let running = self.running();
                    (running.config.clone(), running.stages.clone())
                };
                if let Some(name) = &profile
                    && config.profile(name).is_err()
                {
                    return Err(self.does_not_know(name));
                }
                let (from, messages) = match from {
                    Some(name) => {
                        let (user, name, usage) = reading::find_user(&self.store, &name)?;
                        (Some((user, name)), usage.messages)
                    }
                    None => (None, self.store.totals()?.0),
                };
                let reroute = Reroute {
                    from,
                    messages,
                    profile,
                    dry_run,
                };
                let going_on = self.rerouting.begin()?;
                let files_all = reroute.from.is_none() && !reroute.dry_run;
                if files_all {
                    self.backlogs.forget();
                }
                let mut notices = look_at_users(stages.users_file.as_ref()).await;
                notices.extend(self.newer_configuration(&config).await);
                let filed = reroute::run(config, stages, reroute, notices, &going_on, replies).await;
                if files_all && filed.is_ok() {
                    self.backlogs.filed().await;
                }
                filed
            }
            Request::InterruptReroute => {
                self.rerouting.interrupt();
                Ok(())
            }
            _ => Err(Failure::usage("this request is answered by the store")),
        }
    }

    /// Measures what changes without a commit of ours.
    pub fn measure(&self) {
        metrics::disk(self.store.disk_size(), self.store.disk());
        match self.store.count_volumes() {
            Ok((open, sealed)) => metrics::volumes(open, sealed),
            Err(error) => tracing::warn!(%error, "cannot count the volumes"),
        }
        if !self.store.can_be_read() {
            return;
        }
        match self.store.free_pages() {
            Ok((catalog, volume)) => metrics::free_pages(catalog, volume),
            Err(error) => tracing::warn!(%error, "cannot measure the free pages"),
        }
    }
}

#[cfg(test)]
mod tests;
