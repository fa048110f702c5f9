//! What one address, or one account, may ask for: so many requests per second, and so many at once. Counted for so many
//! of them as were there last, in so much memory and no more.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use lru::LruCache;
use parking_lot::Mutex;

/// Seconds whose requests may come all at once.
const BURST: f64 = 10.0;
/// How many are counted.
const KEPT: NonZeroUsize = NonZeroUsize::new(4096).unwrap();
/// When to try again where as many requests go on as may.
const WAIT: Duration = Duration::from_secs(1);

/// Those who ask.
pub struct Crowd {
    per_second: f64,
    at_once: usize,
    seen: Mutex<LruCache<String, Seen>>,
}

struct Seen {
    going_on: Arc<AtomicUsize>,
    /// Requests that may still come at `at`.
    left: f64,
    at: Instant,
}

/// A request that was let in. It goes on until this is dropped.
pub struct Entered(Arc<AtomicUsize>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Crowd {
    pub fn new(per_second: u32, at_once: usize) -> Self {
        Self {
            per_second: per_second.into(),
            at_once,
            seen: Mutex::new(LruCache::new(KEPT)),
        }
    }

    /// A request of somebody begins.
    ///
    /// # Errors
    /// It is one too many. Gives how long to wait before trying again.
    pub fn enter(&self, who: &str) -> Result<Entered, Duration> {
        self.enter_at(who, Instant::now())
    }

    fn enter_at(&self, who: &str, now: Instant) -> Result<Entered, Duration> {
        // Nothing panics while it holds the lock.
        let mut seen = self.seen.lock();
        let most = self.per_second * BURST;
        if !seen.contains(who) {
            let new = Seen {
                going_on: Arc::default(),
                left: most,
                at: now,
            };
            seen.put(who.to_owned(), new);
        }
        let Some(one) = seen.get_mut(who) else { return Err(WAIT) };
        let since = now.saturating_duration_since(one.at).as_secs_f64();
        one.left = (one.left + since * self.per_second).min(most);
        one.at = now;
        if one.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - one.left) / self.per_second));
        }
        if one.going_on.load(Ordering::Relaxed) >= self.at_once {
            return Err(WAIT);
        }
        one.left -= 1.0;
        one.going_on.fetch_add(1, Ordering::Relaxed);
        Ok(Entered(one.going_on.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_may_ask_so_often_and_for_so_much_at_once() {
        let (crowd, now) = (Crowd::new(2, 3), Instant::now());
        let three: Vec<_> = (0..3).map(|_| crowd.enter_at("one", now).ok().unwrap()).collect();
        assert!(crowd.enter_at("one", now).is_err());
        assert!(crowd.enter_at("other", now).is_ok());
        drop(three);
        for _ in 3..20 {
            assert!(crowd.enter_at("one", now).is_ok());
        }
        let wait = crowd.enter_at("one", now).err().unwrap();
        assert!(
            wait <= Duration::from_millis(500) && wait > Duration::from_millis(400),
            "{wait:?}"
        );
        assert!(crowd.enter_at("one", now + Duration::from_millis(501)).is_ok());
        assert!(crowd.enter_at("one", now + Duration::from_millis(501)).is_err());
    }

    #[test]
    fn memory_does_not_grow_with_those_who_ask() {
        let crowd = Crowd::new(2, 3);
        for number in 0..10_000 {
            let _ = crowd.enter(&number.to_string());
        }
        assert_eq!(crowd.seen.lock().len(), KEPT.get());
    }
}
