//! Identities that were computed anew, kept at hand.

use std::num::NonZeroUsize;

use lru::LruCache;
use parking_lot::Mutex;

use super::rows::MessageId;

/// Digests of messages read that are kept at hand: the next of their users asks for the same.
const AT_HAND: usize = 4096;

/// The identities of messages of version 1 by the current rules, `None` of those that cannot be read. One message is
/// read at a time, so no more of their bytes are in memory however many users ask.
pub(super) struct Recomputed(pub(super) Mutex<LruCache<MessageId, Option<[u8; 32]>>>);

impl Default for Recomputed {
    fn default() -> Self {
        let capacity = NonZeroUsize::new(AT_HAND).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(LruCache::new(capacity)))
    }
}
