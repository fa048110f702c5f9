//! Bytes on their way into the index: as many as are allowed, as the library's own queue counts documents, and a document
//! can be large.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

/// How many bytes there may be.
#[derive(Debug)]
pub(super) struct Pipeline {
    most: usize,
    taken: Mutex<usize>,
    given_back: Condvar,
}

/// Bytes that count until this is dropped.
#[derive(Debug)]
pub(super) struct Weight {
    bytes: usize,
    of: Arc<Pipeline>,
}

impl Pipeline {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            taken: Mutex::new(0),
            given_back: Condvar::new(),
        })
    }

    /// Waits until there is room for so many bytes: for more than there may be, until there are none.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Weight {
        let bytes = bytes.min(self.most);
        let mut taken = self.taken.lock();
        while *taken + bytes > self.most {
            self.given_back.wait(&mut taken);
        }
        *taken += bytes;
        Weight {
            bytes,
            of: self.clone(),
        }
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        *self.of.taken.lock() -= self.bytes;
        self.of.given_back.notify_one();
    }
}

#[test]
fn no_more_is_on_its_way_than_is_allowed() {
    let pipeline = Pipeline::new(10);
    let first = pipeline.take(6);
    let waiting = {
        let pipeline = pipeline.clone();
        std::thread::spawn(move || drop(pipeline.take(100)))
    };
    assert_eq!(*pipeline.taken.lock(), 6);
    drop(first);
    waiting.join().unwrap();
    assert_eq!(*pipeline.taken.lock(), 0);
}
