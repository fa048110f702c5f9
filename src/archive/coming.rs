//! Whether more mail is coming to the committer, so that a group waits for it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Whether somebody has said that more is coming, for whoever must not keep the committer's thread from its end.
#[derive(Clone, Default)]
pub struct Coming(Arc<AtomicUsize>);

impl Coming {
    pub fn is_any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// Says that more is coming, as long as the result is held.
    pub(super) fn more(&self) -> MoreComing {
        self.0.fetch_add(1, Ordering::Relaxed);
        MoreComing(self.clone())
    }
}

/// Held by whoever has more to file soon.
pub struct MoreComing(Coming);

impl Drop for MoreComing {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
