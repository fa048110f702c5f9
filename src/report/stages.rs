//! How long the stages of the journey take, and how much is in them.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use ::metrics::{Histogram, gauge, histogram};

use super::metrics::{self, STAGE_BACKLOG, STAGE_SECONDS};

/// A wait shorter than this is not back-pressure.
pub const NOTABLE: Duration = Duration::from_micros(100);

/// A stage of the journey, as `dropkeep_stage_seconds` and `dropkeep_stage_backlog` name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Connecting and logging in. Nothing waits in it.
    Connect,
    /// A window of copies on its way from the server.
    Fetch,
    /// Copies on the pool, or before it.
    Identify,
    /// Copies before the router.
    Route,
    /// Copies between the router and the disk.
    File,
    /// Copies and changes before the committer and with it, whose time is `dropkeep_commit_seconds`.
    Commit,
    /// The second pass over one folder.
    Delete,
}

/// With the words for them, in the order of [`Stage`].
const STAGES: [(Stage, &str); 7] = [
    (Stage::Connect, "connect"),
    (Stage::Fetch, "fetch"),
    (Stage::Identify, "identify"),
    (Stage::Route, "route"),
    (Stage::File, "file"),
    (Stage::Commit, "commit"),
    (Stage::Delete, "delete"),
];

static BACKLOG: [AtomicI64; STAGES.len()] = [const { AtomicI64::new(0) }; STAGES.len()];
/// Looked up once. Without a recorder there are none.
static TIMES: OnceLock<[Histogram; STAGES.len()]> = OnceLock::new();

impl Stage {
    /// Whether its time is told here.
    fn is_timed(self) -> bool {
        self != Self::Commit
    }

    fn is_waited_in(self) -> bool {
        self != Self::Connect
    }
}

/// After the recorder: from now on times are recorded.
pub(super) fn install() {
    TIMES.get_or_init(|| {
        STAGES.map(|(stage, word)| match stage.is_timed() {
            true => histogram!(STAGE_SECONDS, "stage" => word),
            false => Histogram::noop(),
        })
    });
}

/// Sets the backlogs.
pub(super) fn measure() {
    for (stage, word) in STAGES.into_iter().filter(|(stage, _)| stage.is_waited_in()) {
        // An order may be done before it is noted that it was sent.
        let copies = BACKLOG[stage as usize].load(Ordering::Relaxed).max(0);
        gauge!(STAGE_BACKLOG, "stage" => word).set(copies as f64);
    }
}

/// So many copies, or changes, are on their way to the committer.
pub fn orders_sent(orders: usize) {
    BACKLOG[Stage::Commit as usize].fetch_add(orders as i64, Ordering::Relaxed);
}

/// So many of them are done with, whatever became of them.
pub fn orders_done(orders: usize) {
    BACKLOG[Stage::Commit as usize].fetch_sub(orders as i64, Ordering::Relaxed);
}

/// Copies in a stage, which they leave when this is dropped. Its time counts only where it is [`done`](Self::done).
#[derive(Debug)]
pub struct InStage {
    stage: Stage,
    copies: i64,
    since: Instant,
}

impl InStage {
    pub fn enter(stage: Stage, copies: usize) -> Self {
        let copies = copies as i64;
        BACKLOG[stage as usize].fetch_add(copies, Ordering::Relaxed);
        Self {
            stage,
            copies,
            since: Instant::now(),
        }
    }

    /// One of the copies left the stage.
    pub fn one_left(&mut self) {
        self.some_left(1);
    }

    /// So many of the copies left the stage.
    pub fn some_left(&mut self, copies: usize) {
        let copies = (copies as i64).min(self.copies);
        self.copies -= copies;
        BACKLOG[self.stage as usize].fetch_sub(copies, Ordering::Relaxed);
    }

    /// Somebody takes it up: what it waited until now is the wait of this name.
    pub fn queued(&self, wait: &'static str) {
        let waited = self.since.elapsed();
        if waited >= NOTABLE {
            metrics::backpressure(wait, waited);
        }
    }

    /// The stage is passed. How long that took is measured, once for all copies.
    pub fn done(self) {
        if let Some(times) = TIMES.get() {
            times[self.stage as usize].record(self.since.elapsed());
        }
    }

    /// The same, once for each copy that is still in it.
    pub fn done_each(self) {
        if let Some(times) = TIMES.get() {
            let took = self.since.elapsed();
            times[self.stage as usize].record_many(took, usize::try_from(self.copies).unwrap_or_default());
        }
    }
}

impl Drop for InStage {
    fn drop(&mut self) {
        BACKLOG[self.stage as usize].fetch_sub(self.copies, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_leave_a_stage_one_by_one_or_together() {
        // No other test is in it.
        let backlog = || BACKLOG[Stage::Delete as usize].load(Ordering::Relaxed);
        let mut three = InStage::enter(Stage::Delete, 3);
        let two = InStage::enter(Stage::Delete, 2);
        assert_eq!(backlog(), 5);
        (0..4).for_each(|_| three.one_left());
        assert_eq!(backlog(), 2, "no more leave than came");
        two.done();
        drop(three);
        assert_eq!(backlog(), 0);
    }

    #[test]
    fn stages_stand_in_their_order() {
        for (place, (stage, _)) in STAGES.into_iter().enumerate() {
            assert_eq!(stage as usize, place);
        }
    }
}
