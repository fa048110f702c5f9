//! How long the committer's thread has been at one group, so that one that is stuck is noticed.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;

/// Since when the thread is at the group that it is at; `None` between groups.
#[derive(Clone, Default)]
pub struct AtWork(Arc<Mutex<Option<Instant>>>);

impl AtWork {
    pub fn set(&self, since: Option<Instant>) {
        *self.0.lock() = since;
    }

    pub fn since(&self) -> Option<Instant> {
        *self.0.lock()
    }
}
