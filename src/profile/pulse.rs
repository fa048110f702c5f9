//! Whether a run gets anywhere: what its connections do beats here, and the supervisor listens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// Bytes a second below which what comes of a message is no progress: a server that sends a byte now and then would
/// hold a run up for good.
const SLOWEST: u64 = 100;

/// Of one run. Clones are the same pulse.
#[derive(Clone, Default, Debug)]
pub struct Pulse(Arc<Inner>);

#[derive(Default, Debug)]
struct Inner {
    beats: AtomicU64,
    /// Bytes that came from the server.
    received: Arc<AtomicU64>,
    /// Until when it is right that nothing happens: the server asked to wait.
    until: Mutex<Option<Instant>>,
}

impl Pulse {
    /// Something was done.
    pub fn beat(&self) {
        self.0.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// Where sessions count the bytes that they receive.
    pub fn received(&self) -> Arc<AtomicU64> {
        self.0.received.clone()
    }

    /// For so long it is right that nothing happens.
    pub fn rest(&self, pause: Duration) {
        let mut until = self.0.until.lock();
        // Another connection may rest for longer.
        *until = Instant::now().checked_add(pause).max(*until);
    }
}

/// Listens to a pulse.
#[derive(Debug)]
pub struct Stethoscope {
    pulse: Pulse,
    since: Instant,
    beats: u64,
    received: u64,
}

impl Stethoscope {
    pub fn new(pulse: Pulse, now: Instant) -> Self {
        Self {
            pulse,
            since: now,
            beats: 0,
            received: 0,
        }
    }

    /// For how long nothing got anywhere, as far as is known `now`. `patience`: how long that may be, which says how
    /// many bytes are progress.
    pub fn silent_for(&mut self, now: Instant, patience: Duration) -> Duration {
        let inner = &self.pulse.0;
        let beats = inner.beats.load(Ordering::Relaxed);
        let received = inner.received.load(Ordering::Relaxed);
        let enough = SLOWEST.saturating_mul(patience.as_secs().max(1));
        if beats != self.beats || received.saturating_sub(self.received) >= enough {
            (self.beats, self.received, self.since) = (beats, received, now);
        }
        let until = *inner.until.lock();
        let since = until.map_or(self.since, |until| until.max(self.since));
        now.saturating_duration_since(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn a_byte_now_and_then_is_no_progress_and_a_slow_large_message_is() {
        let pulse = Pulse::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut listening = Stethoscope::new(pulse.clone(), start);
        for second in 1..=12 {
            pulse.received().fetch_add(1, Ordering::Relaxed);
            assert_eq!(listening.silent_for(at(second), PATIENCE).as_secs(), second);
        }
        for second in 13..40 {
            pulse.received().fetch_add(200, Ordering::Relaxed);
            assert!(listening.silent_for(at(second), PATIENCE).as_secs() < 20);
        }
        let quiet = listening.silent_for(at(40), PATIENCE);
        pulse.beat();
        assert!(quiet > Duration::ZERO && listening.silent_for(at(41), PATIENCE).is_zero());
    }

    #[test]
    fn a_pause_that_the_server_asked_for_is_no_silence() {
        let pulse = Pulse::default();
        let mut listening = Stethoscope::new(pulse.clone(), Instant::now());
        pulse.rest(Duration::from_secs(300));
        let later = Instant::now() + Duration::from_secs(200);
        assert!(listening.silent_for(later, PATIENCE).is_zero());
        let much_later = Instant::now() + Duration::from_secs(320);
        assert!(listening.silent_for(much_later, PATIENCE) > PATIENCE);
    }
}
