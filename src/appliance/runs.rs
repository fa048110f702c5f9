//! Runs: one that is asked for, and how all of them end.

use std::time::Duration;

use futures_util::future;
use tokio::sync::mpsc;

use super::{requests::TELL, state::Appliance, supervised::Supervised};
use crate::{
    api::{Exit, Failure, Reply},
    ids::RunId,
    panics::blocking,
    profile::{InterruptRun, Live, RunNow, Stop},
    reading,
    report::{IMPORT, Run},
    source::Import,
};

/// How often whoever watches a run is told how far it is.
const WATCH: Duration = Duration::from_secs(1);

impl Appliance {
    /// One run of a profile, over its server or over the files of an import.
    pub(super) async fn run(
        &self,
        profile: Supervised,
        import: Option<Import>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<(), Failure> {
        if !self.scheduled {
            // The run's protocol says it: this process ends with it.
            self.backlogs.counted(0, replies).await;
        }
        let mut live = profile.live.clone();
        let run = profile.supervisor.send(RunNow(import));
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
        let stopped = |_| Failure::new(Exit::Errors, "the supervisor stopped; this is a bug in dropkeep");
        let finished = finished.map_err(stopped)??;
        let reply = Reply::Finished {
            run: finished.run,
            exit: finished.exit,
        };
        let _ = replies.send(reply).await;
        Ok(())
    }

    /// Says how far a run is as long as it goes on, and then how it ended. Ends when nobody reads it any more.
    pub(super) async fn watch(&self, run: RunId, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let mut tick = tokio::time::interval(WATCH);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let progress = match self.live(run) {
                Some((live, expected)) => Reply::Progress {
                    run,
                    done: live.counts.seen,
                    expected,
                    bytes: live.counts.bytes,
                },
                None => {
                    let rerouted = self.rerouted.borrow();
                    let Some(progress) = rerouted.as_ref().and_then(|rerouted| rerouted.progress_of(run)) else {
                        break;
                    };
                    progress
                }
            };
            if replies.send(progress).await.is_err() {
                return Ok(());
            }
        }
        let store = self.store.clone();
        let ended = blocking("reading a protocol", move || reading::protocol(&store, run)).await??;
        let _ = replies.send(Reply::Run(Box::new(ended))).await;
        Ok(())
    }

    /// The same of the rerouting that is going on, and at last how it ended.
    pub(super) async fn watch_reroute(&self, replies: &mpsc::Sender<Reply>) -> Result<(), Failure> {
        let look = async || {
            let rerouted = self.rerouted.borrow();
            Ok(rerouted.as_ref().map(|rerouted| (rerouted.reply(), rerouted.is_over())))
        };
        keep_telling(replies, look).await
    }

    /// A run as counted so far, and how many copies it expects.
    fn live(&self, run: RunId) -> Option<(Run, u64)> {
        let running = self.running();
        let all = running.profiles.values().chain(&running.importing);
        let mut live = all.map(|profile| profile.live.borrow());
        live.find_map(|live| {
            let expected = live.expected;
            live.run
                .clone()
                .filter(|live| live.run == run)
                .map(|run| (run, expected))
        })
    }

    pub(super) async fn interrupt(&self, name: &str) -> Result<(), Failure> {
        let profile = match name {
            IMPORT => self.running().importing.clone(),
            name => Some(self.profile(name)?),
        };
        if let Some(profile) = profile {
            // A supervisor that does not answer has nothing to interrupt.
            let _ = profile.supervisor.send(InterruptRun).await;
        }
        Ok(())
    }

    /// Ends all runs and errands in good order, and starts no more runs; returns when none is going on.
    pub async fn interrupt_all(&self) {
        self.verification.errand.interrupt();
        self.compaction.errand.interrupt();
        self.rerouting.interrupt();
        self.trials_end.cancel();
        self.backlogs.end();
        self.search.interrupt();
        let profiles = {
            let mut running = self.running_mut();
            running.ending = true;
            let all = running.profiles.values().chain(&running.leaving);
            all.chain(&running.importing).cloned().collect::<Vec<_>>()
        };
        // All at once: one that does not answer keeps none of the others waiting, and one that is gone starts nothing.
        future::join_all(profiles.iter().map(|profile| profile.supervisor.send(Stop))).await;
        for mut profile in profiles {
            // The sender is gone only when the supervisor is.
            let _ = profile.live.wait_for(|live| !live.busy).await;
        }
        self.verification.errand.ended().await;
        self.compaction.errand.ended().await;
        self.rerouting.ended().await;
    }

    /// Waits until mail and webhook have reported all runs that ended, for at most this long. Gives whether they have.
    pub async fn told(&self, most: Duration) -> bool {
        self.notifier.told(most).await
    }

    /// A run as counted so far; `None` where it is not going on.
    pub fn going_on(&self, run: RunId) -> Option<Run> {
        self.live(run).map(|(run, _)| run)
    }
}

/// Says how far something is, again and again until it is over or nobody reads it any more. `look` gives
/// what is to be said, and whether it is over; nothing where there is nothing.
///
/// # Errors
/// It cannot be looked at.
pub(super) async fn keep_telling(
    replies: &mpsc::Sender<Reply>,
    mut look: impl AsyncFnMut() -> Result<Option<(Reply, bool)>, Failure>,
) -> Result<(), Failure> {
    let mut tick = tokio::time::interval(WATCH);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some((reply, is_over)) = look().await? else {
            return Ok(());
        };
        if replies.send(reply).await.is_err() || is_over {
            return Ok(());
        }
    }
}

fn progress(live: &Live) -> Option<Reply> {
    let run = live.run.as_ref()?;
    Some(Reply::Progress {
        run: run.run,
        done: run.counts.seen,
        expected: live.expected,
        bytes: run.counts.bytes,
    })
}
