//! How many bytes are held in memory by all who do the same.

use std::ops::Deref;

use parking_lot::{Condvar, Mutex};

/// Bytes that may be held at once. What is larger is held alone.
#[derive(Debug)]
pub struct Held {
    most: u64,
    now: Mutex<u64>,
    given_back: Condvar,
}

/// Bytes that are held, until this is dropped; `of` is how it reaches what counts them.
#[derive(Debug)]
pub struct Holding<H: Deref<Target = Held>> {
    of: H,
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

    /// Waits until so many bytes may be held. For a thread that may wait, that holds none yet, and that lets go of them
    /// without waiting for anybody.
    pub fn take<H: Deref<Target = Self>>(of: H, bytes: u64) -> Holding<H> {
        let bytes = bytes.min(of.most);
        let mut now = of.now.lock();
        while *now + bytes > of.most {
            of.given_back.wait(&mut now);
        }
        *now += bytes;
        drop(now);
        Holding { of, bytes }
    }
}

impl<H: Deref<Target = Held>> Drop for Holding<H> {
    fn drop(&mut self) {
        *self.of.now.lock() -= self.bytes;
        self.of.given_back.notify_all();
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
                    let _holding = Held::take(held, bytes);
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
