//! When it was noted last that a session was used.

use std::{collections::HashMap, time::Instant};

use crate::access::{session::NOTED, words::Digest};

/// Sessions of which is kept when their use was noted; with more, all of them are noted anew.
const KEPT: usize = 10_000;

/// When sessions were used since that was noted.
#[derive(Default)]
pub struct Seen(HashMap<Digest, Instant>);

impl Seen {
    /// Whether the use of a session is worth being noted now.
    pub fn is_due(&mut self, digest: Digest) -> bool {
        let now = Instant::now();
        let due = self
            .0
            .get(&digest)
            .is_none_or(|noted| now.duration_since(*noted).as_secs() >= NOTED as u64);
        if due {
            if self.0.len() >= KEPT {
                self.0.clear();
            }
            self.0.insert(digest, now);
        }
        due
    }
}
