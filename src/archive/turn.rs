//! Whose turn it is: sealing and compaction work on the same volumes, and must not do so at once.

use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

/// How often somebody who waits asks whether to go on waiting.
const LOOK: Duration = Duration::from_millis(100);

/// Given to one at a time.
#[derive(Default)]
pub(super) struct Turn {
    taken: Mutex<bool>,
    free: Condvar,
}

/// Somebody's turn, until this is dropped.
pub(super) struct Taken<'t>(&'t Turn);

impl Turn {
    fn taken(&self) -> MutexGuard<'_, bool> {
        self.taken.lock()
    }

    /// Whether it is nobody's.
    pub fn is_free(&self) -> bool {
        !*self.taken()
    }

    /// Waits for the turn. `go_on` is asked from time to time; `None` when it said no.
    pub fn take(&self, go_on: &dyn Fn() -> bool) -> Option<Taken<'_>> {
        let mut taken = self.taken();
        while *taken {
            if !go_on() {
                return None;
            }
            self.free.wait_for(&mut taken, LOOK);
        }
        *taken = true;
        Some(Taken(self))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.0.taken() = false;
        self.0.free.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_given_to_one_at_a_time_and_waiting_can_be_given_up() {
        let turn = Turn::default();
        let first = turn.take(&|| true).unwrap();
        assert!(turn.take(&|| false).is_none());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| turn.take(&|| true).is_some());
            drop(first);
            assert!(second.join().unwrap());
        });
    }
}
