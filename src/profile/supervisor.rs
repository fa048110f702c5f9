//! The role of a supervisor is to keep one profile running: it makes the profile from a factory,
//! starts its runs on schedule and by hand, watches it, and puts a fresh one in its place when it
//! is gone, after a pause that grows.
//!
//! actix restarts no actor that panicked (its address closes for good), hence the factory.

use std::{sync::Arc, time::Duration};

use actix::{
    Actor, ActorFutureExt, Addr, Arbiter, AsyncContext, Context, Handler, Message, ResponseActFuture, ResponseFuture,
    WrapFuture,
};
use jiff::Timestamp;
use tokio::sync::watch;

use super::{
    actor::{Finished, Heartbeat, Interrupt, Live, Profile, Start, StartError},
    connection::Stages,
};
use crate::{archive::Change, config, report::metrics, source::Import};

/// How often a profile is looked after.
const WATCH: Duration = Duration::from_secs(1);
/// A heartbeat unanswered for this long: the profile is stuck.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// The pause before a fresh profile: doubled with each one that did not last, up to the cap.
const BACKOFF: Duration = Duration::from_millis(100);
const BACKOFF_CAP: Duration = Duration::from_secs(60);
/// A profile that has lived this long lasted.
const LASTED: Duration = Duration::from_secs(300);

pub struct Supervisor {
    config: config::Profile,
    stages: Stages,
    live: Arc<watch::Sender<Live>>,
    profile: Addr<Profile>,
    born: Timestamp,
    failures: u32,
    restarting: bool,
    /// A heartbeat that is not answered yet.
    beating: bool,
    last_start: Option<Timestamp>,
    /// Since when the schedule is looked at.
    watching_since: Timestamp,
    /// Starts runs by its schedule; a command's own appliance does not.
    scheduled: bool,
}

impl Supervisor {
    pub fn new(config: config::Profile, stages: Stages, last_start: Option<Timestamp>, scheduled: bool) -> Self {
        let live = Arc::new(watch::Sender::new(Live::default()));
        let profile = make(&config, &stages, &live);
        Self {
            config,
            stages,
            live,
            profile,
            born: Timestamp::now(),
            failures: 0,
            restarting: false,
            beating: false,
            last_start,
            watching_since: Timestamp::now(),
            scheduled,
        }
    }

    /// What the profile's run looks like, now and as it goes on.
    pub fn live(&self) -> watch::Receiver<Live> {
        self.live.subscribe()
    }

    fn look_after(&mut self, ctx: &mut Context<Self>) {
        if self.restarting {
            return;
        }
        if !self.profile.connected() {
            return self.replace("closed", ctx);
        }
        if !std::mem::replace(&mut self.beating, true) {
            let beat = tokio::time::timeout(HEARTBEAT, self.profile.send(Heartbeat));
            ctx.spawn(beat.into_actor(self).map(|answer, supervisor, ctx| {
                supervisor.beating = false;
                match answer {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => supervisor.replace("panic", ctx),
                    Err(_) => supervisor.replace("stall", ctx),
                }
            }));
        }
        self.start_if_due(ctx);
    }

    fn start_if_due(&mut self, ctx: &mut Context<Self>) {
        let now = Timestamp::now();
        let due = self
            .config
            .schedule
            .next(&self.config.timezone, self.last_start, self.watching_since, now)
            .is_some_and(|due| due <= now);
        if self.scheduled && due && !self.live.borrow().busy {
            self.last_start = Some(now);
            let start = self.profile.send(Start(None));
            // A run that could not begin is logged there; it is tried again when the schedule says.
            ctx.spawn(
                start
                    .into_actor(self)
                    .map(|answer, supervisor, ctx| drop(supervisor.took(answer, ctx))),
            );
        }
    }

    /// Reads the profile's answer; none means that the profile is gone.
    fn took(
        &mut self,
        answer: Result<Result<Finished, StartError>, actix::MailboxError>,
        ctx: &mut Context<Self>,
    ) -> Result<Finished, StartError> {
        let result = answer.unwrap_or_else(|_| Err(StartError::Stopped(self.config.name.clone())));
        match &result {
            Ok(_) => {}
            Err(StartError::Stopped(_)) => self.replace("panic", ctx),
            Err(error) => tracing::warn!(%error, profile = self.config.name, "the run could not begin"),
        }
        result
    }

    /// Puts a fresh profile in the place of one that is gone.
    fn replace(&mut self, cause: &'static str, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.restarting, true) {
            return;
        }
        let lived = Timestamp::now().duration_since(self.born);
        self.failures = if lived.unsigned_abs() >= LASTED {
            0
        } else {
            self.failures.saturating_add(1)
        };
        let pause = BACKOFF.saturating_mul(1 << self.failures.min(16)).min(BACKOFF_CAP);
        tracing::error!(
            profile = self.config.name,
            cause,
            ?pause,
            "the profile is gone and is started anew"
        );
        metrics::supervisor_restart(&self.config.name, cause);
        metrics::profile_state(&self.config.name, "failing");
        self.close_run(cause, ctx);
        ctx.run_later(pause, |supervisor, _| {
            supervisor.profile = make(&supervisor.config, &supervisor.stages, &supervisor.live);
            supervisor.born = Timestamp::now();
            supervisor.restarting = false;
            metrics::profile_state(&supervisor.config.name, "idle");
        });
    }

    /// The run that went down with its profile gets its protocol all the same.
    fn close_run(&mut self, cause: &str, ctx: &mut Context<Self>) {
        let Live { run, cancel, .. } = self.live.send_replace(Live::default());
        // A profile that is but stuck must not go on beside the fresh one.
        cancel.cancel();
        let Some(mut run) = run else { return };
        run.error(
            "",
            "",
            "run",
            format!("the profile stopped ({cause}); this is a fault of dropkeep"),
        );
        run.state = crate::report::RunState::Failed;
        run.finished_at = Some(crate::report::timestamp(Timestamp::now()));
        let committer = self.stages.committer.clone();
        let store = async move { committer.change(Change::Protocol(Box::new(run))).await };
        ctx.spawn(store.into_actor(self).map(|stored, supervisor, _| {
            if let Err(error) = stored {
                tracing::error!(%error, profile = supervisor.config.name, "the protocol could not be stored");
            }
        }));
    }
}

/// The factory: a profile as at the start of the appliance. It and its connections have an arbiter of their own, so
/// that a stuck one does not stop those who watch it.
fn make(config: &config::Profile, stages: &Stages, live: &Arc<watch::Sender<Live>>) -> Addr<Profile> {
    let arbiter = Arbiter::new();
    let handle = arbiter.handle();
    let profile = Profile::new(config.clone(), stages.clone(), live.clone(), arbiter);
    Profile::start_in_arbiter(&handle, |_| profile)
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(WATCH, |supervisor, ctx| supervisor.look_after(ctx));
    }
}

/// From a command or the control socket: run now, over the server or over the files of an import. Answered when the
/// protocol is stored.
#[derive(Message)]
#[rtype(result = "Result<Finished, StartError>")]
pub struct RunNow(pub Option<Import>);

impl Handler<RunNow> for Supervisor {
    type Result = ResponseActFuture<Self, Result<Finished, StartError>>;

    fn handle(&mut self, RunNow(import): RunNow, _: &mut Self::Context) -> Self::Result {
        // An import is none of the runs that the schedule counts from.
        if import.is_none() && !self.live.borrow().busy {
            self.last_start = Some(Timestamp::now());
        }
        let start = self.profile.send(Start(import));
        Box::pin(
            start
                .into_actor(self)
                .map(|answer, supervisor, ctx| supervisor.took(answer, ctx)),
        )
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

/// From a command: end the run that is going on in good order.
#[derive(Message)]
#[rtype(result = "()")]
pub struct InterruptRun;

impl Handler<InterruptRun> for Supervisor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: InterruptRun, _: &mut Self::Context) -> Self::Result {
        let interrupt = self.profile.send(Interrupt);
        // A profile that does not answer has no run to interrupt.
        Box::pin(async {
            let _ = interrupt.await;
        })
    }
}
