//! The role of a profile is to run: it holds the configuration, starts a run when asked to, counts what its connections
//! report, stores the protocol, and answers with it. One run at a time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actix::{Actor, ActorFutureExt, Arbiter, AsyncContext, Context, Handler, Message, ResponseFuture, WrapFuture};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{
    doubtful::Doubtful,
    ending::{finish, left_open, log, not_begun},
    exclude::Exclude,
    finished::{Finished, StartError},
    live::{Board, Live, log_first},
    progress::{Judged, Progress},
    pulse::Pulse,
    run,
    task::{Stages, Task},
};
use crate::{
    api::{Exit, Failure},
    archive::{Source, Why},
    clock, config, fault,
    identify::{Reported, Rules},
    report::{Run, RunState, metrics, settle, timestamp},
    route::{AsItStands, Held, LookAtUsers, Routing, RunEnded, UsersFile},
    said::{Said, said},
    source::Import,
    token::Login,
};

/// Progress waiting to be counted; behind it, the connection waits.
const MAILBOX: usize = 16;
/// Why a user has what was imported for that user, in place of a field that decided.
const FOR_USER: &str = "import --user";

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Busy(_) | StartError::Restarting(_) | StartError::Stopped(_) => Self::new(Exit::Errors, error),
            StartError::Store(error) => error.into(),
        }
    }
}

pub struct Profile {
    config: config::Profile,
    login: Login,
    stages: Stages,
    live: Board,
    /// Where connections live.
    network: Arbiter,
    current: Option<CancellationToken>,
    unstored: Unstored,
}

/// A protocol that the store refused; it is stored before the next run begins, which another profile may do.
pub type Unstored = Arc<Mutex<Option<Arc<Run>>>>;

impl Profile {
    pub fn new(
        config: config::Profile,
        login: Login,
        stages: Stages,
        live: Board,
        unstored: Unstored,
        network: Arbiter,
    ) -> Self {
        Self {
            config,
            login,
            stages,
            live,
            network,
            current: None,
            unstored,
        }
    }

    /// Counted together, as there are many. Gives how many of them had been fetched.
    fn measure(&self, judged: &[Judged]) -> u64 {
        let mut outcomes = BTreeMap::new();
        let mut fetched = 0;
        for judged in judged {
            *outcomes.entry(judged.outcome).or_default() += 1;
            if judged.reported == Reported::Unreadable {
                metrics::unreadable_report(&self.config.name);
            }
            fetched += u64::from(judged.fetched);
        }
        for (outcome, count) in outcomes {
            metrics::copies(&self.config.name, outcome, count);
        }
        metrics::fetched(&self.config.name, judged.iter().map(|judged| judged.bytes).sum());
        fetched
    }
}

impl Actor for Profile {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.network.stop();
    }
}

/// From the supervisor: run now, over the server or over the files of an import. Answered when the protocol is stored;
/// a lost answer means that the profile stopped.
#[derive(Message)]
#[rtype(result = "Result<Finished, StartError>")]
pub struct Start(pub Option<Import>);

/// From the supervisor: end the run that is going on, if any, in good order.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Interrupt;

/// From the supervisor to its profile, and from the appliance to the supervisor, to see that they answer.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Heartbeat;

impl Handler<Heartbeat> for Profile {
    type Result = ();

    fn handle(&mut self, _: Heartbeat, _: &mut Self::Context) {}
}

impl Handler<Interrupt> for Profile {
    type Result = ();

    fn handle(&mut self, _: Interrupt, _: &mut Self::Context) {
        if let Some(cancel) = &self.current {
            cancel.cancel();
        }
    }
}

impl Handler<Progress> for Profile {
    type Result = ();

    fn handle(&mut self, progress: Progress, _: &mut Self::Context) {
        if let Err(error) = fault::point("counting") {
            return tracing::error!(%error, profile = self.config.name, "what the run did is not counted");
        }
        let Progress {
            expected,
            judged,
            deleted,
            reopened,
            errors,
            notices,
            afloat,
        } = progress;
        let fetched = self.measure(&judged);
        let all_errors = judged.iter().filter_map(|judged| judged.error.as_ref()).chain(&errors);
        all_errors.for_each(|error| metrics::error(&error.stage));
        // All at once, as whoever watches the run is woken each time.
        self.live
            .modify(|live| judged.into_iter().for_each(|judged| live.count(&self.config, judged)));
        settle(afloat, fetched);
        self.live.modify(|live| {
            live.expected += expected;
            if let Some(run) = live.run.as_mut() {
                for error in errors {
                    log_first(run, &error);
                    run.add_error(error);
                }
                metrics::reopened(&self.config.name, reopened);
                run.counts.reopened += reopened;
                metrics::deleted(&self.config.name, deleted.len() as u64);
                deleted.into_iter().for_each(|copy| run.deleted(copy));
                notices.into_iter().for_each(|notice| run.notice(notice));
                metrics::progress(&self.config.name, run.counts.seen, live.expected);
                if run.import.is_empty() {
                    metrics::open_copies(&self.config.name, left_open(run, live.expected));
                }
            }
        });
    }
}

impl Handler<Start> for Profile {
    type Result = ResponseFuture<Result<Finished, StartError>>;

    fn handle(&mut self, Start(import): Start, ctx: &mut Self::Context) -> Self::Result {
        let name = self.config.name.clone();
        if self.current.is_some() {
            return Box::pin(async { Err(StartError::Busy(name)) });
        }
        let cancel = CancellationToken::new();
        self.current = Some(cancel.clone());
        metrics::progress(&name, 0, 0);
        self.live.modify(|live| {
            live.busy = true;
            live.cancel = cancel.clone();
        });
        let (reply, answer) = oneshot::channel();
        let run = self.run(import, cancel, ctx.address().recipient());
        let run = run.into_actor(self).map(|(result, unstored), profile, _| {
            profile.current = None;
            if unstored.is_some() {
                *profile.unstored.lock() = unstored;
            }
            // Only now: whoever waits for the end of the run may end the process.
            profile.live.modify(|live| *live = Live::default());
            // Whoever asked may be gone; the protocol is stored.
            let _ = reply.send(result);
        });
        ctx.spawn(run);
        Box::pin(async { answer.await.unwrap_or(Err(StartError::Stopped(name))) })
    }
}

impl Profile {
    /// The run as a future of its own, so that the profile can count meanwhile. Gives what it ended with, and
    /// the protocol where the store refused it.
    fn run(
        &mut self,
        import: Option<Import>,
        cancel: CancellationToken,
        progress: actix::Recipient<Progress>,
    ) -> impl Future<Output = (Result<Finished, StartError>, Option<Arc<Run>>)> + use<> {
        let (config, stages, live) = (self.config.clone(), self.stages.clone(), self.live.clone());
        let network = self.network.handle();
        let (source, login) = (Source::of(&self.config.server), self.login.clone());
        let unstored = self.unstored.lock().take();
        async move {
            let started = clock::now();
            let (committer, router) = (stages.committer.clone(), stages.router.clone());
            let notifier = stages.notifier.clone();
            if let Some(protocol) = &unstored
                && let Err(error) = committer.put_protocol(protocol.clone()).await
            {
                return (Err(not_begun(&notifier, &config.name, started, error)), unstored);
            }
            let mut notices = look_at_users(stages.users_file.as_ref()).await;
            let news = stages.store.users_news().unwrap_or_default();
            notices.extend(news.retired_words());
            let (lines, counted) = stages.next_notices.take();
            notices.extend(lines);
            let mut said = news.only_retired();
            said.add(&counted);
            let paths = import.iter().flat_map(|import| &import.paths);
            let mut begun = Run {
                import: paths.map(|path| path.display().to_string()).collect(),
                import_user: import
                    .iter()
                    .find_map(|import| import.owner.as_ref())
                    .map(|owner| owner.name.to_string()),
                ..Run::begin(&config.name, started)
            };
            notices.into_iter().for_each(|notice| begun.notice(notice));
            let number = match committer.begin_run(&begun).await {
                Ok(number) => number,
                Err(error) => return (Err(not_begun(&notifier, &config.name, started, error)), None),
            };
            // Where that fails, the next protocol says it once more.
            if !said.is_empty()
                && let Err(error) = committer.said(said).await
            {
                tracing::warn!(%error, "what the protocol says of users is said again");
            }
            if cancel.is_cancelled() {
                // It was interrupted, or its profile was replaced, before it could begin.
                metrics::run_ended(&config.name, RunState::Interrupted, Duration::ZERO, None);
                let ended = Arc::new(Run {
                    run: number,
                    finished_at: Some(timestamp(clock::now())),
                    state: RunState::Interrupted,
                    ..begun
                });
                notifier.ended(&ended);
                let stored = committer.put_protocol(ended.clone()).await;
                let finished = Finished {
                    run: ended,
                    exit: Exit::Interrupted,
                    trouble: None,
                    left_open: None,
                };
                return (stored.map(|_| finished).map_err(StartError::from), None);
            }
            let by_itself = stages.scheduled && import.is_none() && config.schedule != config::Schedule::Manual;
            let pulse = Pulse::default();
            live.modify(|live| {
                *live = Live {
                    busy: true,
                    run: Some(Run { run: number, ..begun }),
                    cancel: cancel.clone(),
                    pulse: pulse.clone(),
                    ..Live::default()
                };
            });
            tracing::info!(profile = config.name, run = number.0, "run begins");
            let source = match &import {
                Some(_) => Ok(None),
                None => committer.source(source).await.map(Some),
            };
            let result = match source {
                Ok(source) => {
                    let task = Task {
                        rules: Arc::new(Rules::new(&config.recipients, &config.server.username)),
                        routing: Arc::new(Routing::new(&config.recipients)),
                        exclude: match import {
                            Some(_) => None,
                            None => Some(Exclude::new(&config.exclude, started.as_second())),
                        }
                        .filter(|exclude| !exclude.is_empty())
                        .map(Arc::new),
                        stages,
                        run: number,
                        source,
                        owner: import
                            .as_ref()
                            .and_then(|import| import.owner.as_ref())
                            .map(|owner| Held {
                                user: owner.name.clone(),
                                id: Some(owner.user),
                                why: Why::field(FOR_USER),
                                alone: owner.alone,
                            }),
                        // Its own, so that one connection's end can be that of the others.
                        cancel: cancel.child_token(),
                        doubtful: Doubtful::default(),
                        fetching: Default::default(),
                        pulse,
                        progress,
                        profile: config.clone(),
                        login,
                    };
                    run::go(task, import, &network).await
                }
                Err(error) => (Vec::new(), Err(error.into())),
            };
            // A router that is gone has forgotten the run.
            let _ = router.send(RunEnded(number)).await;
            let directory = router.send(AsItStands).await.ok();
            let Some(mut finished) = finish(&live, &config, directory.as_deref(), number, started, result, by_itself)
            else {
                // The supervisor took this profile for stuck, and stores the protocol.
                return (Err(StartError::Stopped(config.name)), None);
            };
            if !finished.run.unknown_addresses.is_empty()
                && let Some(directory) = &directory
            {
                let users = directory.retired();
                Arc::make_mut(&mut finished.run).unknown_addresses.note_retired(users);
            }
            // The router changes it in place where nobody else has it.
            drop(directory);
            log(&finished);
            let protocol = finished.run.clone();
            let unstored = match committer.put_protocol(protocol.clone()).await {
                Ok(_) => None,
                // A full disk refuses the protocol too; the answer still tells all.
                Err(error) => {
                    tracing::error!(%error, profile = config.name, run = number.0, "the protocol could not be stored");
                    if matches!(finished.exit, Exit::Done | Exit::Errors) {
                        finished.exit = Exit::Store;
                    }
                    Some(protocol)
                }
            };
            notifier.ended(&finished.run);
            (Ok(finished), unstored)
        }
    }
}

/// Has a users file that changed taken over before the run; gives what is to be said of one that could not be.
pub async fn look_at_users(file: Option<&actix::Addr<UsersFile>>) -> Vec<Said> {
    let Some(file) = file else {
        return Vec::new();
    };
    let notice = match file.send(LookAtUsers).await {
        Ok(error) => error.map(|error| {
            let error = Said::from(error.to_string());
            said!(
                UsersAsBefore,
                "{0}; until then, the users are as they were before",
                error
            )
        }),
        Err(_) => Some(said!(
            NobodyLooksAtUsers,
            "nobody looks at the users file any more, so the users are as they were before: a fault of dropkeep; start it anew"
        )),
    };
    notice.into_iter().collect()
}
