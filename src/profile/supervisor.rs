//! The role of a supervisor is to keep one profile running: it starts its runs on schedule and by hand, makes a profile for
//! each, watches it, and gives it up when it is gone, stuck, or its run gets nowhere; the next one comes after a pause that
//! grows. Runs that fail are tried again in the same way; after some failures the profile is failing, and is still tried.
//!
//! actix restarts no actor that panicked: its address closes for good.

mod asked;
mod due;
mod reconfigure;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{
    Actor, ActorFutureExt, Addr, Arbiter, AsyncContext, Context, Handler, Message, ResponseActFuture, ResponseFuture,
    SpawnHandle, WrapFuture,
};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::asked::{Leave, Reconfigure};
use super::{
    actor::{Heartbeat, Interrupt, Profile, Start, Unstored},
    finished::{Finished, StartError},
    live::{Board, Live},
    pulse::Stethoscope,
    retry::PROFILES,
    standing::{Standing, Trouble},
    task::Stages,
    watcher::Watched,
};
use crate::{
    clock, config, fault,
    ids::RunId,
    report::{RunState, metrics},
    said::said,
    source::Import,
    token::Login,
};

/// How often a profile is looked after.
const WATCH: Duration = Duration::from_secs(1);
/// A heartbeat unanswered for this long: the profile is stuck.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// A profile that has lived this long lasted.
const LASTED: Duration = Duration::from_secs(300);

pub struct Supervisor {
    config: config::Profile,
    login: Login,
    stages: Stages,
    live: Arc<watch::Sender<Live>>,
    standing: Arc<watch::Sender<Standing>>,
    /// There while a run was asked for that is not answered: each that waited would take a thread, and what belongs to one.
    profile: Option<Addr<Profile>>,
    unstored: Unstored,
    /// Profiles that were made. Heartbeats of the ones before do not count.
    made: u64,
    /// Raised when the profile is replaced. Answers of the one before do not count then.
    generation: u64,
    /// Cancelled when the profile was replaced and the protocol of its run is stored: whoever asked for that run waits
    /// no longer.
    gone: CancellationToken,
    /// Since when no profile died.
    born: Instant,
    /// Profiles in a row that did not last.
    deaths: u32,
    restarting: bool,
    /// A heartbeat that is not answered yet.
    beating: bool,
    /// Listens to the run that is going on, by its number. A run without a number yet is 0.
    listening: Option<(RunId, Stethoscope)>,
    last_start: Option<Timestamp>,
    /// When the schedule began to count.
    watching_since: Timestamp,
    /// Starts runs by its schedule; a command's own appliance does not.
    scheduled: bool,
    /// The run that is going on was begun by the schedule.
    by_schedule: bool,
    /// A pause ended a run of the schedule: the rest is due when it is over.
    cut_short: bool,
    /// What the watcher of a continuous profile has noticed.
    watched: Watched,
    /// The watcher.
    watcher: Option<SpawnHandle>,
    /// Runs that the profile was asked for and has not answered: it may be about to begin one.
    asked: u32,
    /// What is configured now; it takes effect when no run goes on.
    reconfigured: Option<Box<Reconfigure>>,
}

impl Supervisor {
    pub fn new(config: config::Profile, login: Login, stages: Stages, mut standing: Standing, scheduled: bool) -> Self {
        let live = Arc::new(watch::Sender::new(Live::default()));
        let interval = config.interval(clock::now()).filter(|_| scheduled);
        metrics::profile_times(&config.name, interval, config.stall_timeout.0);
        standing.interval = interval;
        Self {
            config,
            login,
            stages,
            live,
            last_start: standing.last.as_ref().map(|last| last.started_at),
            standing: Arc::new(watch::Sender::new(standing)),
            profile: None,
            unstored: Unstored::default(),
            made: 0,
            generation: 0,
            gone: CancellationToken::new(),
            born: Instant::now(),
            deaths: 0,
            restarting: false,
            beating: false,
            listening: None,
            watching_since: clock::now(),
            scheduled,
            by_schedule: false,
            cut_short: false,
            watched: Watched::default(),
            watcher: None,
            asked: 0,
            reconfigured: None,
        }
    }

    /// What the profile's run looks like, now and as it goes on.
    pub fn live(&self) -> watch::Receiver<Live> {
        self.live.subscribe()
    }

    /// What the supervisor makes of the runs that ended.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    fn look_after(&mut self, ctx: &mut Context<Self>) {
        if let Err(error) = fault::point("looking-after") {
            return tracing::error!(%error, profile = self.config.name, "the profile has no supervisor");
        }
        if self.restarting {
            return;
        }
        if self.profile.as_ref().is_some_and(|profile| !profile.connected()) {
            return self.replace("closed", ctx);
        }
        if let Some(profile) = &self.profile
            && !std::mem::replace(&mut self.beating, true)
        {
            let beat = tokio::time::timeout(HEARTBEAT, profile.send(Heartbeat));
            let asked = self.made;
            ctx.spawn(beat.into_actor(self).map(move |answer, supervisor, ctx| {
                // Of one that was replaced, or is needed no more, it says nothing.
                if asked != supervisor.made || supervisor.profile.is_none() {
                    return;
                }
                supervisor.beating = false;
                match answer {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => supervisor.replace("panic", ctx),
                    Err(_) => supervisor.replace("stall", ctx),
                }
            }));
        }
        let silent = self.silence();
        if silent > self.config.stall_timeout.0 {
            return self.replace("stall", ctx);
        }
        self.take_up_configuration(ctx);
        let next_run = self.start_if_due(ctx);
        let silent_for = silent.as_secs();
        let now = (next_run, silent_for, self.is_watched());
        self.standing.send_if_modified(|standing| {
            let changed = (standing.next_run, standing.silent, standing.watching) != now;
            (standing.next_run, standing.silent, standing.watching) = now;
            changed
        });
        metrics::profile_watched(&self.config.name, next_run.map(Timestamp::as_second), silent);
    }

    /// For how long the run that goes on got nowhere.
    fn silence(&mut self) -> Duration {
        let now = Instant::now();
        let patience = self.config.stall_timeout.0;
        let live = self.live.borrow();
        if !live.busy {
            self.listening = None;
            return Duration::ZERO;
        }
        let run = live.run.as_ref().map_or(RunId(0), |run| run.run);
        if self.listening.as_ref().is_none_or(|(number, _)| *number != run) {
            self.listening = Some((run, Stethoscope::new(live.pulse.clone(), now)));
        }
        let silent = self.listening.as_mut().map(|(_, it)| it.silent_for(now, patience));
        silent.unwrap_or_default()
    }

    /// Has the profile run, and reads its answer. Where the profile is replaced before that, or because of it, the
    /// answer is that it stopped, once the protocol of its run is stored.
    fn ask(&mut self, import: Option<Import>) -> ResponseActFuture<Self, Result<Finished, StartError>> {
        let name = self.config.name.clone();
        if self.restarting {
            return Box::pin(actix::fut::ready(Err(StartError::Restarting(name))));
        }
        let (asked, gone, closed) = (self.generation, self.gone.clone(), self.gone.clone());
        let start = self.at_work().send(Start(import));
        self.show(true);
        self.asked += 1;
        let answer = async move {
            tokio::select! {
                answer = start => answer.ok(),
                () = gone.cancelled() => None,
            }
        };
        let answered = answer.into_actor(self).then(move |answer, supervisor, ctx| {
            let answer = answer.unwrap_or_else(|| Err(StartError::Stopped(name.clone())));
            if asked == supervisor.generation {
                supervisor.took(&answer, ctx);
            }
            let replaced = asked != supervisor.generation;
            let answer = async move {
                if !replaced {
                    return answer;
                }
                closed.cancelled().await;
                Err(StartError::Stopped(name))
            };
            answer.into_actor(supervisor)
        });
        Box::pin(answered.map(|answer, supervisor, _| {
            supervisor.asked -= 1;
            if supervisor.asked == 0 {
                supervisor.profile = None;
            }
            answer
        }))
    }

    /// What a run's end says of the profile.
    fn took(&mut self, answer: &Result<Finished, StartError>, ctx: &mut Context<Self>) {
        match answer {
            Err(StartError::Stopped(_)) => return self.replace("panic", ctx),
            Err(StartError::Busy(_) | StartError::Restarting(_)) => return,
            Err(StartError::Store(error)) => {
                tracing::warn!(%error, profile = self.config.name, "the run could not begin");
                self.failed(&Trouble::of("store", error));
            }
            Ok(Finished { run, .. }) if !run.import.is_empty() => {}
            Ok(finished) => {
                let Finished { run, left_open, .. } = finished;
                self.standing.send_modify(|standing| standing.ended(run, *left_open));
                match &finished.trouble {
                    Some(trouble) => self.failed(trouble),
                    None if run.state == RunState::Interrupted => {
                        self.standing.send_modify(|standing| standing.interrupted(clock::now()));
                    }
                    None => self.standing.send_modify(Standing::succeeded),
                }
            }
        }
        self.by_schedule = false;
        self.show(false);
        // So that it is known when the next begins.
        ctx.run_later(Duration::ZERO, Self::look_after);
    }

    fn failed(&mut self, trouble: &Trouble) {
        let profile = &self.config.name;
        let mut pause = Duration::ZERO;
        self.standing.send_modify(|standing| {
            let was = standing.is_failing();
            pause = standing.failed(clock::now(), trouble);
            if standing.is_failing() && !was {
                let why = &trouble.why;
                tracing::error!(profile, %why, "the profile is failing; it is tried again and again");
            }
        });
        if self.scheduled && self.config.schedule != config::Schedule::Manual {
            metrics::supervisor_restart(profile, "error");
            tracing::warn!(profile, ?pause, "the run failed and will be retried");
        }
    }

    fn show(&self, running: bool) {
        self.standing
            .send_modify(|standing| standing.restarting = self.restarting);
        let standing = self.standing.borrow();
        metrics::profile_state(&self.config.name, standing.state(running));
        metrics::profile_failures(&self.config.name, standing.failures());
    }

    /// Puts a fresh profile in the place of one that is gone.
    fn replace(&mut self, cause: &'static str, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.restarting, true) {
            return;
        }
        self.deaths = match self.born.elapsed() >= LASTED {
            true => 1,
            false => self.deaths.saturating_add(1),
        };
        let pause = PROFILES.after(self.deaths);
        let name = &self.config.name;
        tracing::error!(profile = name, cause, ?pause, "the profile died and restarts");
        metrics::supervisor_restart(name, cause);
        self.close_run(cause, ctx);
        self.standing.send_modify(|standing| standing.silent = 0);
        metrics::profile_watched(&self.config.name, None, Duration::ZERO);
        self.by_schedule = false;
        self.show(false);
        self.profile = None;
        ctx.run_later(pause, |supervisor, _| {
            supervisor.restarting = false;
            supervisor.born = Instant::now();
            supervisor.show(false);
        });
    }

    /// The profile that is there, or a fresh one. It and its connections have an arbiter of their own, so that a stuck one
    /// does not stop those who watch it.
    fn at_work(&mut self) -> &Addr<Profile> {
        self.profile.get_or_insert_with(|| {
            self.made += 1;
            self.beating = false;
            self.listening = None;
            let arbiter = Arbiter::new();
            let handle = arbiter.handle();
            let profile = Profile::new(
                self.config.clone(),
                self.login.clone(),
                self.stages.clone(),
                Board::new(self.live.clone(), self.generation),
                self.unstored.clone(),
                arbiter,
            );
            Profile::start_in_arbiter(&handle, |_| profile)
        })
    }

    /// The run that went down with its profile gets its protocol all the same.
    fn close_run(&mut self, cause: &str, ctx: &mut Context<Self>) {
        self.generation += 1;
        let Live { run, busy, cancel, .. } = self.live.send_replace(Live {
            generation: self.generation,
            ..Live::default()
        });
        // A profile that is only stuck must not go on beside the fresh one.
        cancel.cancel();
        let gone = std::mem::take(&mut self.gone);
        let why = match cause {
            "stall" => said!(
                NoProgress,
                "the run made no progress for {0} (stall_timeout) and was aborted",
                self.config.stall_timeout
            ),
            _ => said!(
                ProfileStopped,
                "the profile stopped ({0}); this is a bug in dropkeep",
                cause
            ),
        };
        if busy {
            self.failed(&Trouble::of("run", &why));
        }
        let Some(mut run) = run else { return gone.cancel() };
        metrics::error("run");
        run.error("", "", "run", why);
        run.state = RunState::Failed;
        run.finished_at = Some(crate::report::timestamp(clock::now()));
        let took = Duration::try_from(clock::now().duration_since(run.started_at)).unwrap_or_default();
        metrics::run_ended(&self.config.name, run.state, took, None);
        if run.import.is_empty() {
            self.standing.send_modify(|standing| standing.ended(&run, None));
        }
        let committer = self.stages.committer.clone();
        let notifier = self.stages.notifier.clone();
        let store = async move {
            let stored = committer.put_protocol(Arc::new(run.clone())).await;
            notifier.ended(&run);
            stored
        };
        ctx.spawn(store.into_actor(self).map(move |stored, supervisor, _| {
            if let Err(error) = stored {
                tracing::error!(%error, profile = supervisor.config.name, "the protocol could not be stored");
            }
            gone.cancel();
        }));
    }
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(WATCH, |supervisor, ctx| supervisor.look_after(ctx));
        self.watch(ctx);
    }
}

/// From a command or the control socket: run now, over the server or over the files of an import. Answered when the
/// protocol is stored.
#[derive(Message)]
#[rtype(result = "Result<Finished, StartError>")]
pub struct RunNow(pub Option<Import>);

impl Handler<RunNow> for Supervisor {
    type Result = ResponseActFuture<Self, Result<Finished, StartError>>;

    fn handle(&mut self, RunNow(import): RunNow, ctx: &mut Self::Context) -> Self::Result {
        self.take_up_configuration(ctx);
        // An import is none of the runs that the schedule counts from.
        if import.is_none() && !self.live.borrow().busy {
            self.last_start = Some(clock::now());
        }
        self.ask(import)
    }
}

/// From the appliance's end: end the run that is going on, if any, and start no more by the schedule.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Stop;

impl Handler<Stop> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, ctx: &mut Self::Context) -> Self::Result {
        self.scheduled = false;
        self.handle(InterruptRun, ctx)
    }
}

impl Handler<Heartbeat> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: Heartbeat, _: &mut Self::Context) {}
}

/// From a command: end the run that is going on in good order.
#[derive(Message)]
#[rtype(result = "()")]
pub struct InterruptRun;

impl Handler<InterruptRun> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: InterruptRun, _: &mut Self::Context) -> Self::Result {
        let interrupt = self.profile.as_ref().map(|profile| profile.send(Interrupt));
        // A profile that does not answer has no run to interrupt.
        Box::pin(async {
            if let Some(interrupt) = interrupt {
                let _ = interrupt.await;
            }
        })
    }
}
