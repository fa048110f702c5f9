//! When it was noted last that a session was used.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use crate::access::words::Digest;

/// Sessions of which is kept when their use was noted; with more, all of them are noted anew.
const KEPT: usize = 10_000;

/// When sessions were used since that was noted.
#[derive(Default)]
pub struct Seen(HashMap<Digest, Instant>);

impl Seen {
    /// Whether the use of a session is worth being noted now, where it is noted so often.
    pub fn is_due(&mut self, digest: Digest, every: Duration) -> bool {
        let now = Instant::now();
        let due = self
            .0
            .get(&digest)
            .is_none_or(|noted| now.duration_since(*noted) >= every);
        if due {
            if self.0.len() >= KEPT {
                self.0.clear();
            }
            self.0.insert(digest, now);
        }
        due
    }
}
