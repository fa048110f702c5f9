//! How long to wait before something is tried again. Pure but for the jitter.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

/// Pauses that double with each failure up to a cap, each up to a quarter shorter or longer, so that many who failed
/// together do not come back together.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    pub first: Duration,
    pub cap: Duration,
}

/// Between attempts to get connected again during a run.
pub const CONNECT: Backoff = Backoff {
    first: Duration::from_millis(250),
    cap: Duration::from_secs(15),
};
/// Attempts to get connected in a row; with the pauses between them about a quarter of a minute.
pub const CONNECT_ATTEMPTS: u32 = 6;

/// After a connection that was made and lost before it brought anything.
pub const LOST: Backoff = Backoff {
    first: Duration::from_millis(100),
    cap: Duration::from_secs(2),
};
/// Connections in a row that brought nothing.
pub const LOST_ATTEMPTS: u32 = 24;
/// Copies in a row that were given up because connections were lost over them.
pub const GIVEN_UP_MOST: u32 = 20;

/// Where a server asks to come again later and does not say when.
pub const BUSY: Backoff = Backoff {
    first: Duration::from_secs(1),
    cap: Duration::from_secs(300),
};
/// The longest pause that a server may ask for; and all of them together, without anything archived between.
pub const BUSY_MOST: Duration = Duration::from_secs(900);

/// Between runs of a schedule that failed.
pub const RUNS: Backoff = Backoff {
    first: Duration::from_secs(30),
    cap: Duration::from_secs(900),
};

/// Between profiles that stopped.
pub const PROFILES: Backoff = Backoff {
    first: Duration::from_millis(200),
    cap: Duration::from_secs(60),
};

impl Backoff {
    /// The pause after this many failures in a row, at least one.
    pub fn after(&self, failures: u32) -> Duration {
        let full = self.full(failures);
        // 0.75 to 1.25 of it.
        full.mul_f64(0.75 + f64::from(random()) / f64::from(u16::MAX) / 2.0)
    }

    fn full(&self, failures: u32) -> Duration {
        let doubled = 1u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.cap)
    }
}

/// Random enough to spread retries: each state of the standard hasher has keys of its own.
fn random() -> u16 {
    RandomState::new().build_hasher().finish() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap() {
        let full = |failures| RUNS.full(failures).as_secs();
        assert_eq!([1, 2, 3, 5, 6, 40].map(full), [30, 60, 120, 480, 900, 900]);
        let most = RUNS.cap.mul_f64(1.26);
        for failures in 0..100 {
            let pause = RUNS.after(failures);
            assert!(pause >= RUNS.first.mul_f64(0.74) && pause <= most, "{pause:?}");
        }
    }

    #[test]
    fn pauses_differ() {
        let pauses: std::collections::HashSet<_> = (0..20).map(|_| RUNS.after(3)).collect();
        assert!(pauses.len() > 1);
    }
}
