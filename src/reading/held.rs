//! How much of messages is held in memory by all who read them whole.

use parking_lot::{Condvar, Mutex};

use crate::archive::give_back;

/// Bytes that are worth giving back to the system.
const LARGE: u64 = 1 << 20;

/// Bytes that may be held at once. A message that is larger is held alone.
pub struct Held {
    most: u64,
    now: Mutex<u64>,
    given_back: Condvar,
}

/// Bytes that are held, until this is dropped.
pub struct Holding<'h> {
    held: &'h Held,
    bytes: u64,
}

impl Held {
    pub const fn new(most: u64) -> Self {
        Self {
            most,
            now: Mutex::new(0),
            given_back: Condvar::new(),
        }
    }

    /// Waits until so many bytes may be held. For a thread that may wait, and that holds none yet.
    pub fn take(&self, bytes: u64) -> Holding<'_> {
        let bytes = bytes.min(self.most);
        let mut now = self.now.lock();
        while *now + bytes > self.most {
            self.given_back.wait(&mut now);
        }
        *now += bytes;
        Holding { held: self, bytes }
    }
}

impl Holding<'_> {
    /// They were let go of; of what is large, the allocator keeps nothing either.
    pub fn given_back(self) {
        if self.bytes > LARGE {
            give_back();
        }
    }
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        *self.held.now.lock() -= self.bytes;
        self.held.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicU64, Ordering},
        thread,
    };

    use super::*;

    #[test]
    fn no_more_is_held_at_once_and_what_is_larger_is_held_alone() {
        let (held, now) = (Held::new(100), AtomicU64::new(0));
        thread::scope(|scope| {
            for bytes in [30, 30, 1000, 60, 100, 7, 500, 41] {
                let (held, now) = (&held, &now);
                scope.spawn(move || {
                    let _holding = held.take(bytes);
                    let counted = bytes.min(100);
                    assert!(now.fetch_add(counted, Ordering::SeqCst) + counted <= 100);
                    thread::yield_now();
                    now.fetch_sub(counted, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(*held.now.lock(), 0);
    }
}
