//! The appliance: the only wiring. It opens the store and starts the stages, the last one first:
//! committer, router, supervisors. Then come those who talk to them.

use std::{collections::HashMap, sync::Arc, thread::JoinHandle, time::Duration};

use actix::{Actor, Addr, Arbiter};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};

use crate::{
    archive::{Change, Committer, Store, User, UserId, close_abandoned_runs},
    config::{self, Config},
    control::api::{Failure, Reply, Request},
    identify::Pool,
    message::Address,
    profile::{Budget, Exit, InterruptRun, Live, RunNow, Stages, Supervisor},
    report::{Run, RunState, metrics},
    route::{Directory, GetDirectory, PutUser, Router},
};

/// How often progress is told to whoever waits for a run.
const TELL: Duration = Duration::from_millis(100);

/// A profile, from outside.
struct Supervised {
    supervisor: Addr<Supervisor>,
    live: watch::Receiver<Live>,
}

/// The running appliance.
pub struct Appliance {
    config: Config,
    store: Arc<Store>,
    router: Addr<Router>,
    profiles: HashMap<String, Supervised>,
}

impl Appliance {
    /// Starts the stages over an opened store. Needs a running actix system. `scheduled`: profiles run
    /// by their schedules, not only by hand. The committer's thread ends when the appliance is gone.
    ///
    /// # Errors
    /// The users of the configuration contradict those of the store, or the store cannot be written.
    pub async fn start(config: Config, store: Arc<Store>, scheduled: bool) -> Result<(Self, JoinHandle<()>), Failure> {
        close_abandoned_runs(&store)?;
        let (committer, thread) = Committer::start(store.clone(), config.limits.inflight.0)?;
        take_over_users(&config, &store, &committer).await?;
        let directory = Directory::new(store.users()?.into_iter().map(|(id, user, _)| (id, user)));
        let router = Router::new(directory, store.clone(), committer.clone());
        let router = Router::start_in_arbiter(&Arbiter::new().handle(), |_| router);
        let pool = Pool::new().map_err(|error| Failure::new(Exit::Errors, error))?;
        let stages = Stages {
            store: store.clone(),
            committer,
            router: router.clone(),
            pool,
            budget: Budget::new(config.limits.inflight.0),
            max_message_size: config.limits.max_message_size.0,
        };
        let history = History::read(&store)?;
        let supervise = |profile: &config::Profile| {
            metrics::profile_known(&profile.name, history.last_success(&profile.name));
            let last_start = history.last_start(&profile.name);
            let supervisor = Supervisor::new(profile.clone(), stages.clone(), last_start, scheduled);
            let live = supervisor.live();
            (
                profile.name.clone(),
                Supervised {
                    supervisor: supervisor.start(),
                    live,
                },
            )
        };
        let profiles = config.profile.iter().map(supervise).collect();
        let (messages, raw) = store.totals()?;
        metrics::archive_size(messages, raw);
        metrics::disk(store.disk_size(), store.free_bytes());
        Ok((
            Self {
                config,
                store,
                router,
                profiles,
            },
            thread,
        ))
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    fn profile(&self, name: &str) -> Result<&Supervised, Failure> {
        self.config.profile(name)?;
        self.profiles
            .get(name)
            .ok_or_else(|| Failure::usage(format!("profile {name:?} is not running")))
    }

    /// Carries out a request that needs the actors.
    ///
    /// # Errors
    /// As the request says.
    pub async fn act(&self, request: Request, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        match request {
            Request::Archive { profile } => self.archive(&profile, replies).await,
            Request::Interrupt { profile } => self.interrupt(&profile).await,
            Request::AddUser { name, addresses } => self.add_user(name, &addresses).await,
            Request::RenameUser { name, to } => self.change_user(&name, |user| user.name = to).await,
            Request::RetireUser { name } => self.change_user(&name, |user| user.retired = true).await,
            _ => Err(Failure::usage("this request is answered by the store")),
        }
    }

    async fn archive(&self, name: &str, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let profile = self.profile(name)?;
        let mut live = profile.live.clone();
        let run = profile.supervisor.send(RunNow);
        tokio::pin!(run);
        let mut tick = tokio::time::interval(TELL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let finished = loop {
            tokio::select! {
                finished = &mut run => break finished,
                _ = tick.tick() => {
                    let progress = progress(&live.borrow_and_update());
                    if let Some(progress) = progress {
                        // Whoever asked may be gone; the run goes on.
                        let _ = replies.try_send(progress);
                    }
                }
            }
        };
        let stopped = |_| Failure::new(Exit::Errors, "the supervisor stopped; this is a fault of dropkeep");
        let finished = finished.map_err(stopped)??;
        let reply = Reply::Finished {
            run: Box::new(finished.run),
            exit: finished.exit as i32,
        };
        let _ = replies.send(reply).await;
        Ok(())
    }

    async fn interrupt(&self, name: &str) -> Result<(), Failure> {
        // A supervisor that does not answer has nothing to interrupt.
        let _ = self.profile(name)?.supervisor.send(InterruptRun).await;
        Ok(())
    }

    /// Ends all runs in good order; returns when none is going on.
    pub async fn interrupt_all(&self) {
        for profile in self.profiles.values() {
            let _ = profile.supervisor.send(InterruptRun).await;
        }
        for profile in self.profiles.values() {
            let mut live = profile.live.clone();
            // The sender is gone only when the supervisor is.
            let _ = live.wait_for(|live| live.run.is_none()).await;
        }
    }

    /// A run as counted so far; `None` where it is not going on.
    pub fn going_on(&self, run: u64) -> Option<Run> {
        let mut live = self.profiles.values().map(|profile| profile.live.borrow());
        live.find_map(|live| live.run.clone().filter(|live| live.run == run))
    }

    /// Measures what changes without a commit of ours.
    pub fn measure(&self) {
        metrics::disk(self.store.disk_size(), self.store.free_bytes());
    }

    async fn directory(&self) -> Result<Directory, Failure> {
        self.router.send(GetDirectory).await.map_err(|_| router_stopped())
    }

    async fn put_user(&self, id: Option<UserId>, user: User) -> Result<(), Failure> {
        self.router
            .send(PutUser { id, user })
            .await
            .map_err(|_| router_stopped())??;
        Ok(())
    }

    async fn add_user(&self, name: String, addresses: &[String]) -> Result<(), Failure> {
        if name.trim().is_empty() || name.starts_with('@') || name.chars().any(char::is_control) {
            return Err(Failure::usage(format!("{name:?} cannot be a user's name")));
        }
        let addresses = parse_addresses(addresses)?;
        let directory = self.directory().await?;
        let id = match directory
            .by_name(&name)
            .and_then(|id| directory.user(id).map(|user| (id, user)))
        {
            // Who was retired comes back, with the archive there was.
            Some((id, user)) if user.retired && !user.managed => Some(id),
            Some(_) => return Err(Failure::usage(format!("user {name:?} exists already"))),
            None => None,
        };
        self.put_user(
            id,
            User {
                name,
                addresses,
                managed: false,
                retired: false,
            },
        )
        .await
    }

    async fn change_user(&self, name: &str, change: impl FnOnce(&mut User)) -> Result<(), Failure> {
        let directory = self.directory().await?;
        let found = directory
            .by_name(name)
            .and_then(|id| Some((id, directory.user(id)?.clone())));
        let (id, mut user) = found.ok_or_else(|| {
            let hint = config::nearest(name, directory.iter().map(|(_, user)| user.name.as_str()));
            let hint = hint.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            Failure::usage(format!("no user is named {name:?}{hint}"))
        })?;
        if user.managed {
            return Err(Failure::usage(format!(
                "user {name:?} is managed by the configuration; change it there"
            )));
        }
        if id == crate::archive::CATCHALL_ID {
            return Err(Failure::usage(format!("{name:?} is built in")));
        }
        change(&mut user);
        self.put_user(Some(id), user).await
    }
}

fn router_stopped() -> Failure {
    Failure::new(Exit::Errors, "the router stopped; this is a fault of dropkeep")
}

fn parse_addresses(texts: &[String]) -> Result<Vec<Address>, Failure> {
    let parse =
        |text: &String| Address::parse(text).ok_or_else(|| Failure::usage(format!("{text:?} is not an address")));
    texts.iter().map(parse).collect()
}

fn progress(live: &Live) -> Option<Reply> {
    let run = live.run.as_ref()?;
    Some(Reply::Progress {
        run: run.run,
        done: run.seen,
        expected: live.expected,
        bytes: run.bytes,
    })
}

/// Makes the store's managed users those of the configuration: new ones are added, addresses
/// changed, and who is no longer there is retired.
///
/// # Errors
/// A name or an address is also one of a user who was added by a command.
pub async fn take_over_users(config: &Config, store: &Store, committer: &Committer) -> Result<(), Failure> {
    for (id, user) in changed_users(config, store)? {
        committer.change(Change::User(id, user)).await?;
    }
    Ok(())
}

/// What the configuration changes of the store's users, in an order in which no address is ever two
/// users'.
pub fn changed_users(config: &Config, store: &Store) -> Result<Vec<(Option<UserId>, User)>, Failure> {
    let known = store.users()?;
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for (id, user, _) in known.iter().filter(|(_, user, _)| user.managed && !user.retired) {
        if !config.user.iter().any(|configured| configured.name == user.name) {
            first.push((
                Some(*id),
                User {
                    retired: true,
                    ..user.clone()
                },
            ));
        }
    }
    for configured in &config.user {
        let mut addresses = parse_addresses(&configured.addresses)?;
        addresses.dedup();
        let wanted = User {
            name: configured.name.clone(),
            addresses,
            managed: true,
            retired: false,
        };
        match known.iter().find(|(_, user, _)| user.name == configured.name) {
            None => then.push((None, wanted)),
            Some((_, user, _)) if *user == wanted => {}
            Some((_, user, _)) if !user.managed && !user.retired => {
                let detail = "is in the configuration and was added by a command too; rename one of them";
                return Err(Failure::usage(format!("user {:?} {detail}", user.name)));
            }
            Some((id, user, _)) => {
                // An address may move from one user to another: give it up before it is taken.
                let mut kept = User {
                    retired: false,
                    managed: true,
                    ..user.clone()
                };
                kept.addresses.retain(|address| wanted.addresses.contains(address));
                if user.retired {
                    kept.addresses.clear();
                }
                first.push((Some(*id), kept));
                then.push((Some(*id), wanted));
            }
        }
    }
    first.append(&mut then);
    Ok(first)
}

/// What earlier runs say of each profile.
struct History(HashMap<String, (Option<Timestamp>, Option<i64>)>);

/// Protocols looked back on at the start.
const LOOK_BACK: usize = 10_000;

impl History {
    fn read(store: &Store) -> Result<Self, Failure> {
        let mut history = HashMap::<String, (Option<Timestamp>, Option<i64>)>::new();
        for (_, json) in store.runs(None, LOOK_BACK)? {
            let Ok(run) = serde_json::from_str::<Run>(&json) else {
                continue;
            };
            let (start, success) = history.entry(run.profile).or_default();
            start.get_or_insert(run.started_at);
            if run.state == RunState::Completed && success.is_none() {
                *success = run.finished_at.map(|time| time.as_second());
            }
        }
        Ok(Self(history))
    }

    fn last_start(&self, profile: &str) -> Option<Timestamp> {
        self.0.get(profile)?.0
    }

    fn last_success(&self, profile: &str) -> Option<i64> {
        self.0.get(profile)?.1
    }
}
