//! When a supervisor's schedule begins a run, and ends one.

use actix::{ActorFutureExt, AsyncContext, Context};
use jiff::Timestamp;

use super::Supervisor;
use crate::{clock, config, said::said};

impl Supervisor {
    /// Begins a run where one is due, and ends one that the pause cuts short. Gives when the next is due, as far as is
    /// known.
    pub(super) fn start_if_due(&mut self, ctx: &mut Context<Self>) -> Option<Timestamp> {
        let now = clock::now();
        let zone = self.config.timezone.get();
        let paused = self.config.pause.include(&now.to_zoned(zone.clone()));
        if paused && self.by_schedule && self.live.borrow().run.is_some() {
            self.by_schedule = false;
            self.cut_short = true;
            tracing::info!(profile = self.config.name, "the pause begins, and the run ends");
            self.live.send_modify(|live| {
                if let Some(run) = live.run.as_mut() {
                    run.notice(said!(
                        PauseBegan,
                        "the hours of `pause` began; what is left is archived after them"
                    ));
                }
                live.cancel.cancel();
            });
        }
        // A clock that was set back: from now on it is counted from there, or nothing is due until it is here again.
        self.watching_since = self.watching_since.min(now);
        self.last_start = self.last_start.map(|last| last.min(now));
        let due = self
            .config
            .schedule
            .next(&self.config.timezone, self.last_start, self.watching_since, now);
        let busy = self.live.borrow().busy;
        let due = match self.config.schedule {
            config::Schedule::Manual => None,
            _ if self.cut_short => Some(now),
            config::Schedule::Continuous if !busy && !paused && self.watched.take_changed() => Some(now),
            config::Schedule::Continuous if self.is_watched() => {
                let soonest = self
                    .last_start
                    .and_then(|last| last.checked_add(config::CONTINUOUS_AT_MOST).ok());
                soonest
                    .map(|soonest| soonest.min(now + config::CONTINUOUS_AT_MOST))
                    .or(due)
            }
            _ => due,
        };
        let due = self.standing.borrow().next(due, now).filter(|_| self.scheduled)?;
        if due <= now && !busy && !paused {
            self.last_start = Some(now);
            self.by_schedule = true;
            self.cut_short = false;
            // How it ended is noted there.
            let run = self.ask(None);
            ctx.spawn(run.map(|_, _, _| ()));
        }
        Some(self.config.pause.end(due.max(now).to_zoned(zone)).timestamp())
    }

    /// Whether new mail anywhere in the source would be noticed.
    pub(super) fn is_watched(&self) -> bool {
        matches!(&self.config.folders.include[..], [only] if !only.contains(['*', '%', '\\']))
            && self.watched.is_watching()
    }
}
