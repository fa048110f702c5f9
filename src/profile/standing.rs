//! The state of a profile: what its supervisor concludes from the runs that ended, and when it tries again. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::retry::RUNS;
use crate::{
    account::without_number,
    api::{Failing, LastRun},
    report::{Run, RunState, remedy, timestamp},
    said::{Said, Say, Saying, said},
};

/// From so many failures in a row on, a profile is failing.
const MANY: u32 = 3;

/// Why a run came to nothing or to an early end, and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    pub why: Said,
    pub what_to_do: Said,
}

impl Trouble {
    /// One of a stage.
    pub fn of(stage: &str, why: impl Say) -> Self {
        Self {
            why: why.said(),
            what_to_do: remedy(stage),
        }
    }
}

/// What is known of a profile's runs.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Standing {
    pub failing: Option<Failing>,
    /// The last run that asked the server.
    pub last: Option<LastRun>,
    /// When one last ended as completed.
    pub last_success: Option<Timestamp>,
    /// Copies that the last look at the source left to be archived; `None` where there was none since the start.
    pub open: Option<u64>,
    /// The server announces new mail, so that a continuous profile need not look for it.
    pub watching: bool,
    /// When the schedule begins the next run.
    pub next_run: Option<Timestamp>,
    /// For how long the run that goes on has made no progress, in seconds.
    pub silent: u64,
    /// The longest time between two runs of the schedule; `None` where there is none.
    pub interval: Option<Duration>,
    /// The profile is gone, and a fresh one takes its place in a moment.
    pub restarting: bool,
    /// Before which no run of the schedule begins, after one that failed.
    retry_at: Option<Timestamp>,
}

impl Standing {
    /// What earlier runs say. Of those that failed the last one is known, and tried again as if it had just been.
    pub fn after(last: Option<&Run>, last_success: Option<Timestamp>) -> Self {
        let mut standing = Self {
            last: last.map(LastRun::from),
            last_success,
            ..Self::default()
        };
        if let Some(run) = last.filter(|run| run.state == RunState::Failed) {
            let trouble = match run.errors.last() {
                // A protocol of an earlier version does not say what to do.
                Some(error) => Trouble {
                    why: error.said(),
                    what_to_do: error.advice().unwrap_or_else(|| remedy(&error.stage)),
                },
                None => Trouble::of("", said!(ProtocolSaysNothing, "its protocol does not say why")),
            };
            standing.failed(run.finished_at.unwrap_or(run.started_at), &trouble);
        }
        standing
    }

    /// The profile is another one. What was wrong may be mended, so it is tried at once, and one that has no schedule
    /// any more fails no more than it was run.
    pub fn reconfigured(&mut self, interval: Option<Duration>) {
        self.interval = interval;
        self.retry_at = None;
        if interval.is_none() {
            self.failing = None;
        }
    }

    /// A run ended without trouble.
    pub fn succeeded(&mut self) {
        self.failing = None;
        self.retry_at = None;
    }

    /// A run ended, however. `left_open`: what it left to be archived, where it came to look at the source.
    pub fn ended(&mut self, run: &Run, left_open: Option<u64>) {
        self.last = Some(LastRun::from(run));
        if run.state == RunState::Completed {
            self.last_success = run.finished_at;
        }
        self.open = left_open.or(self.open);
    }

    /// A run failed; gives for how long the profile is left alone.
    pub fn failed(&mut self, now: Timestamp, trouble: &Trouble) -> Duration {
        let failing = self.failing.get_or_insert_with(|| Failing {
            since: timestamp(now),
            times: 0,
            why: String::new(),
            said: Saying::default(),
            what_to_do: String::new(),
            advised: Saying::default(),
        });
        failing.times = failing.times.saturating_add(1);
        (failing.why, failing.said) = trouble.why.clone().into_parts();
        failing.why = without_number(&failing.why);
        (failing.what_to_do, failing.advised) = trouble.what_to_do.clone().into_parts();
        let pause = RUNS.after(failing.times);
        self.retry_at = now.checked_add(pause).ok();
        pause
    }

    /// A run was interrupted: where it was one that was tried again, the next try has its time.
    pub fn interrupted(&mut self, now: Timestamp) {
        if let Some(failing) = &self.failing {
            self.retry_at = now.checked_add(RUNS.after(failing.times)).ok();
        }
    }

    /// The word for how it stands.
    pub fn state(&self, running: bool) -> &'static str {
        match (self.restarting || self.is_failing(), running) {
            (true, _) => "failing",
            (false, true) => "running",
            (false, false) => "idle",
        }
    }

    /// Runs that failed in a row.
    pub fn failures(&self) -> u32 {
        self.failing.as_ref().map_or(0, |failing| failing.times)
    }

    /// Whether so many runs failed that somebody should look.
    pub fn is_failing(&self) -> bool {
        self.failing.as_ref().is_some_and(|failing| failing.times >= MANY)
    }

    /// When the next run begins that the schedule wants at `due`. A run that failed is made up for sooner than a
    /// nightly schedule would, and later than one of every minute.
    pub fn next(&self, due: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        match (due, self.retry_at) {
            // A clock that was set back must not put it off for longer than any pause is.
            (Some(_), Some(at)) if at.duration_since(now).unsigned_abs() <= RUNS.cap.saturating_mul(2) => Some(at),
            (due, _) => due,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn a_failed_run_is_tried_again_after_pauses_that_grow() {
        let mut standing = Standing::default();
        let nightly = Some(at(80_000));
        assert_eq!(standing.next(nightly, at(0)), nightly);
        let pause = standing.failed(at(0), &Trouble::of("login", "refused"));
        let retry = standing.next(nightly, at(0)).unwrap();
        assert_eq!(retry, at(0).checked_add(pause).unwrap());
        assert!(!standing.is_failing());
        standing.failed(at(60), &Trouble::of("login", "refused"));
        standing.failed(at(120), &Trouble::of("login", "silent"));
        assert!(standing.is_failing());
        let failing = standing.failing.clone().unwrap();
        assert_eq!(
            (failing.since, failing.times, failing.why.as_str()),
            (at(0), 3, "silent")
        );
        let minutely = Some(at(121));
        assert!(
            standing.next(minutely, at(120)).unwrap() > at(120 + 80),
            "the schedule does not hurry it"
        );
        assert_eq!(standing.next(None, at(120)), None, "what has no schedule is not tried");
        standing.succeeded();
        assert_eq!(standing.next(nightly, at(200)), nightly);
    }

    #[test]
    fn a_clock_set_back_does_not_put_a_retry_off() {
        let mut standing = Standing::default();
        standing.failed(at(1_000_000), &Trouble::of("login", "refused"));
        assert_eq!(standing.next(Some(at(0)), at(0)), Some(at(0)));
    }
}
