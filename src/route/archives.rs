//! The user archives that are up. An archive stops when nobody has its address any more.

use std::{
    num::NonZeroUsize,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, Addr, Arbiter};
use lru::LruCache;
use parking_lot::{Mutex, MutexGuard};

use crate::archive::{Store, UserArchive, UserId, give_back};

/// After how long without mail an archive stops.
const IDLE: Duration = Duration::from_secs(30);
/// Archives that are up at a time. One takes a kilobyte or two, and mail to all of a provider's users would start them
/// all.
const MOST: NonZeroUsize = NonZeroUsize::new(2_000).unwrap();

/// Each with when it was asked last.
type Running = LruCache<UserId, (Addr<UserArchive>, Instant)>;

/// Shared by the router and what it has under way.
#[derive(Clone)]
pub(super) struct Archives {
    running: Arc<Mutex<Running>>,
    store: Arc<Store>,
    /// Where they live: they read from disk, which must not stall the router.
    arbiter: Arc<Arbiter>,
}

impl Archives {
    pub fn new(store: Arc<Store>) -> Self {
        Self {
            running: Arc::new(Mutex::new(LruCache::new(MOST))),
            store,
            arbiter: Arc::new(Arbiter::new()),
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock()
    }

    /// The archive of a user, started if it is not running.
    pub fn of(&self, user: UserId) -> Addr<UserArchive> {
        let now = Instant::now();
        let mut running = self.running();
        if let Some((archive, last)) = running.get_mut(&user).filter(|(archive, _)| archive.connected()) {
            *last = now;
            return archive.clone();
        }
        let archive = UserArchive::new(user, self.store.clone());
        let archive = UserArchive::start_in_arbiter(&self.arbiter.handle(), |_| archive);
        running.put(user, (archive.clone(), now));
        archive
    }

    /// Lets archives stop that nothing has come for.
    pub fn stop_idle(&self) {
        let mut running = self.running();
        let before = running.len();
        while running.peek_lru().is_some_and(|(_, (_, last))| last.elapsed() >= IDLE) {
            running.pop_lru();
        }
        if running.is_empty() && before > 0 {
            give_back();
        }
    }

    /// Stops them all: the router has ended.
    pub fn stop(&self) {
        self.arbiter.stop();
    }
}
