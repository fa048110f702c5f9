//! A bounded queue of what waits to be sent. When it is full, the oldest makes room.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

pub struct Queue<T> {
    most: usize,
    waiting: Mutex<VecDeque<T>>,
    comes: Notify,
    /// How many items wait or are being worked on.
    pending: watch::Sender<usize>,
}

/// As long as this is held, the queue counts one item as being worked on.
pub struct Busy(watch::Sender<usize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|pending| *pending = pending.saturating_sub(1));
    }
}

impl<T> Queue<T> {
    pub fn new(most: usize) -> Self {
        Self {
            most,
            waiting: Mutex::default(),
            comes: Notify::new(),
            pending: watch::Sender::new(0),
        }
    }

    /// Appends `item`. If the queue was full, removes the oldest and returns it.
    pub fn put(&self, item: T) -> Option<T> {
        let mut waiting = self.waiting.lock();
        let dropped = match waiting.len() >= self.most {
            true => waiting.pop_front(),
            false => None,
        };
        waiting.push_back(item);
        if dropped.is_none() {
            self.pending.send_modify(|pending| *pending += 1);
        }
        drop(waiting);
        self.comes.notify_one();
        dropped
    }

    /// Waits for the next item. Only one worker may call this. Dropping the future loses nothing.
    pub async fn next(&self) -> (T, Busy) {
        loop {
            if let Some(item) = self.waiting.lock().pop_front() {
                return (item, Busy(self.pending.clone()));
            }
            self.comes.notified().await;
        }
    }

    /// Counts something that is not in the queue as being worked on.
    pub fn busy(&self) -> Busy {
        self.pending.send_modify(|pending| *pending += 1);
        Busy(self.pending.clone())
    }

    /// Waits until nothing waits and nothing is worked on.
    pub async fn emptied(&self) {
        // The sender is here.
        let _ = self.pending.subscribe().wait_for(|pending| *pending == 0).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_oldest_goes_for_one_too_many_and_what_is_worked_on_is_pending() {
        let queue = Queue::new(2);
        queue.emptied().await;
        assert_eq!([1, 2, 3].map(|item| queue.put(item)), [None, None, Some(1)]);
        let (first, working) = queue.next().await;
        assert_eq!(first, 2);
        let (second, last) = queue.next().await;
        assert_eq!(second, 3);
        drop(working);
        let emptied = tokio::time::timeout(Duration::from_millis(20), queue.emptied());
        assert!(emptied.await.is_err(), "one is still worked on");
        drop(last);
        queue.emptied().await;
        let next = tokio::time::timeout(Duration::from_millis(20), queue.next());
        assert!(next.await.is_err());
    }
}
