//! What was counted of searches last.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;

/// Of how many searches it is kept.
const KEPT: usize = 64;

/// The most frequent users, years and senders, with how many messages each has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facets {
    pub users: Vec<(String, u64)>,
    pub years: Vec<(i16, u64)>,
    pub senders: Vec<(String, u64)>,
}

/// What was counted last, with the digest of what it was counted of: whoever goes from message to message of a list asks
/// for the same list each time.
#[derive(Clone, Default)]
pub struct CountedLast(Arc<Mutex<VecDeque<(Digest, Facets)>>>);

/// BLAKE3.
pub type Digest = [u8; 32];

impl CountedLast {
    pub fn of(&self, digest: &Digest) -> Option<Facets> {
        let counted = self.0.lock();
        let (_, facets) = counted.iter().find(|(of, _)| of == digest)?;
        Some(facets.clone())
    }

    pub fn keep(&self, digest: Digest, facets: &Facets) {
        let mut counted = self.0.lock();
        counted.truncate(KEPT - 1);
        counted.push_front((digest, facets.clone()));
    }
}
