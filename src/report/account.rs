//! The reconciliation: whatever was fetched gets an outcome, is on its way, or was given back to be fetched again with
//! the connection that failed. What is left over was lost within dropkeep: a fault, and an alert.

use std::sync::Arc;

use parking_lot::Mutex;

/// Copies since the start.
#[derive(Clone, Copy, Default, Debug)]
struct Balance {
    fetched: i64,
    on_their_way: i64,
    /// Outcomes that were counted of copies that had been fetched.
    settled: i64,
    /// That were given up with their connection or run, and stay open.
    given_back: i64,
}

impl Balance {
    const NONE: Self = Self {
        fetched: 0,
        on_their_way: 0,
        settled: 0,
        given_back: 0,
    };

    fn unaccounted(self) -> i64 {
        self.fetched - self.on_their_way - self.settled - self.given_back
    }
}

/// Of this process.
static COUNTS: Mutex<Balance> = Mutex::new(Balance::NONE);

/// Copies that were fetched, have no outcome, and are not on their way; below 0, some were counted twice.
pub fn unaccounted() -> i64 {
    COUNTS.lock().unaccounted()
}

/// So many outcomes were counted, of these copies.
pub fn settle(afloat: Vec<Afloat>, outcomes: u64) {
    settle_in(&COUNTS, afloat, outcomes);
}

/// At once, so that nobody who looks meanwhile finds the one without the other.
fn settle_in(counts: &Mutex<Balance>, mut afloat: Vec<Afloat>, outcomes: u64) {
    let copies: i64 = afloat.iter_mut().map(|afloat| std::mem::take(&mut afloat.copies)).sum();
    let mut counts = counts.lock();
    counts.on_their_way -= copies;
    counts.settled += outcomes as i64;
}

/// What one connection fetches. Where it is dropped and did not [`land`](Self::land), the copies without an outcome are
/// given back: its run fetches them over another one, or the next run does.
pub struct Voyage(Arc<Mutex<Fate>>);

impl Default for Voyage {
    fn default() -> Self {
        Self::counted_in(&COUNTS)
    }
}

struct Fate {
    counts: &'static Mutex<Balance>,
    over: bool,
    landed: bool,
    /// Copies that were dropped without an outcome before it was over.
    dropped: i64,
}

impl Voyage {
    fn counted_in(counts: &'static Mutex<Balance>) -> Self {
        Self(Arc::new(Mutex::new(Fate {
            counts,
            over: false,
            landed: false,
            dropped: 0,
        })))
    }

    /// So many copies came from the server.
    pub fn fetched(&self, copies: usize) -> Afloat {
        let copies = copies as i64;
        let fate = self.0.lock();
        let mut counts = fate.counts.lock();
        counts.fetched += copies;
        counts.on_their_way += copies;
        Afloat {
            fate: self.0.clone(),
            copies,
        }
    }

    /// All went well: each copy has its outcome.
    pub fn land(&self) {
        self.0.lock().landed = true;
    }
}

impl Drop for Voyage {
    fn drop(&mut self) {
        let mut fate = self.0.lock();
        fate.over = true;
        let dropped = std::mem::take(&mut fate.dropped);
        let mut counts = fate.counts.lock();
        counts.on_their_way -= dropped;
        if !fate.landed {
            counts.given_back += dropped;
        }
    }
}

/// Copies between their coming and their outcomes.
pub struct Afloat {
    fate: Arc<Mutex<Fate>>,
    copies: i64,
}

impl Afloat {
    /// Parts off so many of the copies, whose outcomes are to be counted.
    pub fn split(&mut self, copies: usize) -> Self {
        let copies = (copies as i64).min(self.copies);
        self.copies -= copies;
        Self {
            fate: self.fate.clone(),
            copies,
        }
    }
}

impl Drop for Afloat {
    fn drop(&mut self) {
        if self.copies == 0 {
            return;
        }
        let mut fate = self.fate.lock();
        if !fate.over {
            // Whether their connection went well shows later.
            fate.dropped += self.copies;
            return;
        }
        let mut counts = fate.counts.lock();
        counts.on_their_way -= self.copies;
        if !fate.landed {
            counts.given_back += self.copies;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_without_an_outcome_is_unaccounted_unless_its_connection_failed() {
        static COUNTS: Mutex<Balance> = Mutex::new(Balance::NONE);
        let unaccounted = || COUNTS.lock().unaccounted();
        let voyage = Voyage::counted_in(&COUNTS);
        let (mut first, third) = (voyage.fetched(2), voyage.fetched(1));
        let second = first.split(1);
        assert_eq!(unaccounted(), 0, "on their way");
        settle_in(&COUNTS, vec![first], 1);
        assert_eq!(unaccounted(), 0);
        drop(second);
        assert_eq!(unaccounted(), 0, "one got lost, it may be with its connection");
        drop(voyage);
        assert_eq!(unaccounted(), 0, "with its connection, so it is fetched again");
        drop(third);
        assert_eq!(unaccounted(), 0);
        let voyage = Voyage::counted_in(&COUNTS);
        let lost = voyage.fetched(1);
        voyage.land();
        drop(lost);
        drop(voyage);
        assert_eq!(unaccounted(), 1, "its connection went well");
        let again = Voyage::counted_in(&COUNTS);
        let copies = vec![again.fetched(1), again.fetched(1)];
        settle_in(&COUNTS, copies, 4);
        assert_eq!(unaccounted(), -1, "two more were counted than came, and one is lost");
    }
}
