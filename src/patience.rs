//! Waiting for what another process holds for a moment: whoever finds it held asks whether to try again.

use std::{
    thread,
    time::{Duration, Instant},
};

/// How often it is tried.
const TRY_EVERY: Duration = Duration::from_millis(20);

/// How long somebody waits, and since when.
pub struct Patience {
    most: Duration,
    began: Instant,
}

impl Patience {
    /// Waits for `most` from now on.
    pub fn of(most: Duration) -> Self {
        let began = Instant::now();
        Self { most, began }
    }

    /// Whether to try again; true comes after a pause.
    pub async fn again(&self) -> bool {
        let is_left = self.is_left();
        if is_left {
            tokio::time::sleep(TRY_EVERY).await;
        }
        is_left
    }

    /// The same, on a thread that may wait.
    pub fn again_here(&self) -> bool {
        let is_left = self.is_left();
        if is_left {
            thread::sleep(TRY_EVERY);
        }
        is_left
    }

    fn is_left(&self) -> bool {
        self.began.elapsed() < self.most
    }
}
