//! Protocols are kept as long as the configuration says. Each is looked at once: run numbers go up with time, so what
//! is old enough stands at the table's beginning.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Committer, Store, StoreError, order::Tidying, rows::RunId};
use crate::{
    clock,
    config::{Keep, Protocols},
    report::{Run, RunState},
};

/// How long after a look the next one comes.
const BETWEEN: Duration = Duration::from_secs(3600);
/// Portions in one look; with more to do, the next one comes soon.
const PORTIONS: usize = 20;

pub(super) struct Retention {
    keep: Protocols,
    /// From which run on nothing was looked at, for each of the two ages.
    any_from: RunId,
    idle_from: RunId,
    looked: Option<Instant>,
}

impl Retention {
    pub fn new(keep: Protocols) -> Self {
        Self {
            keep,
            any_from: RunId(0),
            idle_from: RunId(0),
            looked: None,
        }
    }

    /// Removes some of what is kept no longer, where it is time to look. Blocking.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub fn look(&mut self, store: &Store, committer: &Committer, go_on: &dyn Fn() -> bool) -> Result<(), StoreError> {
        if self.looked.is_some_and(|looked| looked.elapsed() < BETWEEN) {
            return Ok(());
        }
        let (now, mut portions, mut removed) = (clock::now(), 0, 0);
        let mut go_on = || {
            portions += 1;
            portions <= PORTIONS && go_on()
        };
        let desk = Desk { store, committer, now };
        let any = desk.pass(self.keep.keep, false, &mut self.any_from, &mut removed, &mut go_on)?;
        let idle = any && desk.pass(self.keep.keep_idle, true, &mut self.idle_from, &mut removed, &mut go_on)?;
        if removed > 0 {
            tracing::info!(removed, "old protocols were removed");
        }
        self.looked = idle.then(Instant::now);
        Ok(())
    }
}

struct Desk<'s> {
    store: &'s Store,
    committer: &'s Committer,
    now: Timestamp,
}

impl Desk<'_> {
    /// Goes on from `from`; whether it came to the end of what is old.
    fn pass(
        &self,
        keep: Keep,
        only_idle: bool,
        from: &mut RunId,
        removed: &mut u64,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<bool, StoreError> {
        let Some(ends_at) = keep.ends_at(self.now) else {
            return Ok(true);
        };
        while go_on() {
            let page = self.store.runs_from(*from)?;
            let Some((last, _)) = page.last() else { return Ok(true) };
            let (mut next, mut young) = (last.next(), false);
            let mut old = Vec::new();
            for (number, json) in page {
                // What cannot be read stays, for whoever looks into it.
                let Ok(run) = serde_json::from_str::<Run>(&json) else {
                    continue;
                };
                let ended = run.finished_at.unwrap_or(run.started_at);
                // One of the future was written by a wrong clock, and says nothing of those behind it.
                if ended >= ends_at && ended <= self.now {
                    (next, young) = (number, true);
                    break;
                }
                if ended < ends_at && run.state != RunState::Running && (!only_idle || run.is_idle()) {
                    old.push(number);
                }
            }
            if !old.is_empty() {
                *removed += self.committer.tidy(Tidying::ForgetRuns(old))?;
            }
            *from = next;
            if young {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
