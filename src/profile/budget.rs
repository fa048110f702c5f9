//! The budget of bytes between the servers and the disk. Whoever fetches takes its share first
//! and waits while there is none, all the way back to the socket.

use std::{sync::Arc, time::Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::report::{NOTABLE, metrics};

/// The unit of the budget in bytes: permits are counted in 32 bits.
const UNIT: u64 = 1 << 10;
/// What a copy takes beside its bytes: the messages, maps and tasks that carry it.
const OVERHEAD: u64 = 4 << 10;

/// Shared by all profiles.
#[derive(Clone)]
pub struct Budget {
    permits: Arc<Semaphore>,
    units: u32,
}

/// A share of the budget, given back when dropped.
pub struct Share {
    permit: Option<OwnedSemaphorePermit>,
    budget: Budget,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: u64) -> Self {
        let most = (Semaphore::MAX_PERMITS as u64).min(u64::from(u32::MAX));
        let units = (bytes / UNIT).clamp(1, most) as u32;
        Self {
            permits: Arc::new(Semaphore::new(units as usize)),
            units,
        }
    }

    pub fn bytes(&self) -> u64 {
        u64::from(self.units) * UNIT
    }

    fn units(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.saturating_add(OVERHEAD).div_ceil(UNIT))
            .unwrap_or(u32::MAX)
            .min(self.units)
    }

    /// Takes a share for copies of these sizes in bytes; waits until there is one. What is larger
    /// than the whole budget takes all of it, and so passes alone.
    pub async fn take(&self, sizes: impl Iterator<Item = u64>) -> Share {
        let units = sizes
            .fold(0, |sum: u32, size| sum.saturating_add(self.units(size)))
            .min(self.units);
        let started = Instant::now();
        // The semaphore is never closed.
        let permit = self.permits.clone().acquire_many_owned(units).await.ok();
        let waited = started.elapsed();
        if waited >= NOTABLE {
            metrics::backpressure("budget", waited);
        }
        self.measure();
        Share {
            permit,
            budget: self.clone(),
        }
    }

    fn measure(&self) {
        let free = self.permits.available_permits() as u64;
        metrics::inflight((u64::from(self.units) - free.min(u64::from(self.units))) * UNIT);
    }
}

impl Share {
    /// A share of nothing yet, to which others are added.
    pub fn none(budget: &Budget) -> Self {
        Self {
            permit: None,
            budget: budget.clone(),
        }
    }

    /// A share of nothing, of the same budget.
    pub fn empty(&self) -> Self {
        Self::none(&self.budget)
    }

    /// Adds another share of the same budget: both are given back together.
    pub fn add(&mut self, mut other: Self) {
        match (&mut self.permit, other.permit.take()) {
            (Some(permit), Some(more)) => permit.merge(more),
            (None, more) => self.permit = more,
            (Some(_), None) => {}
        }
    }

    /// The part of the share for one copy of this size.
    pub fn split(&mut self, size: u64) -> Self {
        let units = self.budget.units(size) as usize;
        let permit = self
            .permit
            .as_mut()
            .and_then(|permit| permit.split(units.min(permit.num_permits())));
        Self {
            permit,
            budget: self.budget.clone(),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if self.permit.take().is_some() {
            self.budget.measure();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[actix::test]
    async fn who_finds_the_budget_spent_waits() {
        let budget = Budget::new(64 << 10);
        let mut first = budget.take([20 << 10, 30 << 10].into_iter()).await;
        assert!(budget.take([20 << 10].into_iter()).now_or_never().is_none());
        drop(first.split(30 << 10));
        let second = budget.take([20 << 10].into_iter()).now_or_never();
        assert!(second.is_some());
    }

    #[actix::test]
    async fn shares_that_were_put_together_are_given_back_together() {
        let budget = Budget::new(64 << 10);
        let mut whole = budget.take([20 << 10, 20 << 10].into_iter()).await;
        let mut window = Share::none(&budget);
        window.add(whole.split(20 << 10));
        window.add(whole.split(20 << 10));
        drop(whole);
        assert!(budget.take([40 << 10].into_iter()).now_or_never().is_none());
        drop(window);
        assert!(budget.take([40 << 10].into_iter()).now_or_never().is_some());
    }

    #[actix::test]
    async fn a_copy_larger_than_the_budget_passes_alone() {
        let budget = Budget::new(64 << 10);
        let huge = budget.take([1 << 30].into_iter()).now_or_never().unwrap();
        assert!(budget.take([1].into_iter()).now_or_never().is_none());
        drop(huge);
        assert!(budget.take([1].into_iter()).now_or_never().is_some());
    }
}
