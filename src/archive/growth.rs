//! How the archive grew: how many messages it had at any time, and how large it was, day by day.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{
    Committer, Store, StoreError,
    memo::{Memo, text},
    order::Tidying,
    rows::{MessageId, Seconds},
};
use crate::clock;

/// How long after a size the next one is written down, and for how many days they are kept.
const BETWEEN: Seconds = 24 * 3600;
const KEPT: usize = 400;
/// How often it is looked whether it is time.
const LOOK: Duration = Duration::from_secs(600);

/// How large the archive was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Size {
    pub at: Seconds,
    pub messages: u64,
    /// Bytes as they came, and on disk.
    pub raw: u64,
    pub stored: u64,
}

impl Store {
    /// How many messages were archived before each of these times, in the order of the times. A few look-ups each: messages
    /// are numbered as they are archived.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn archived_before(&self, times: &[Seconds]) -> Result<Vec<u64>, StoreError> {
        self.reading(|txn| {
            let next = self.catalog.counters(txn)?.message;
            let before = |time: &Seconds| {
                // The message of this number, or the first behind it, if there is one, was archived at the time or later.
                let (mut low, mut high) = (1, next.0);
                while low < high {
                    let middle = low + (high - low) / 2;
                    let found = self.catalog.messages.range(txn, &(MessageId(middle)..))?.next();
                    match found.transpose()? {
                        Some((id, message)) if message.archived_at < *time => low = id.0 + 1,
                        _ => high = middle,
                    }
                }
                Ok(low - 1)
            };
            times.iter().map(before).collect()
        })
    }

    /// How large it was, the oldest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn sizes(&self) -> Result<Vec<Size>, StoreError> {
        Ok(self.memo(Memo::Sizes)?.unwrap_or_default())
    }
}

/// Writes down how large the archive is, once a day.
#[derive(Default)]
pub(super) struct GrowthKeeping {
    looked: Option<Instant>,
}

impl GrowthKeeping {
    /// # Errors
    /// The store cannot be read or written.
    pub fn look(&mut self, store: &Store, committer: &Committer) -> Result<(), StoreError> {
        if self.looked.is_some_and(|looked| looked.elapsed() < LOOK) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        let now = clock::now().as_second();
        let mut sizes = store.sizes()?;
        let last = sizes.last().map(|last| last.at);
        // A clock that was set back puts nothing off.
        if last.is_some_and(|last| (now - last).abs() < BETWEEN) {
            return Ok(());
        }
        let (messages, raw) = store.totals()?;
        sizes.push(Size {
            at: now,
            messages,
            raw,
            stored: store.disk_size(),
        });
        let too_many = sizes.len().saturating_sub(KEPT);
        sizes.drain(..too_many);
        committer.tidy(Tidying::Memo(Memo::Sizes, text(&sizes)?)).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{
        UserId,
        test_bench::{Bench, config},
    };

    #[actix::test]
    async fn messages_are_counted_up_to_any_time_without_reading_all_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&config(&folder));
        assert_eq!(bench.store.archived_before(&[0, i64::MAX]).unwrap(), [0, 0]);
        let mut times = Vec::new();
        for number in 1..=9 {
            let id = bench
                .file(&format!("{number:04}: a\n\nbody"), number, &[UserId(1)])
                .await
                .message;
            times.push(bench.store.message(id).unwrap().unwrap().archived_at);
        }
        let asked: Vec<_> = times
            .iter()
            .flat_map(|time| [*time, time + 1])
            .chain([0, i64::MAX])
            .collect();
        let expected: Vec<_> = asked
            .iter()
            .map(|time| times.iter().filter(|archived| *archived < time).count() as u64)
            .collect();
        assert_eq!(bench.store.archived_before(&asked).unwrap(), expected);
        bench.close();
    }

    #[actix::test]
    async fn the_size_is_written_down_once_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&config(&folder));
        bench.file("0001: a\n\nbody", 1, &[UserId(1)]).await;
        let (store, committer) = (bench.store.clone(), bench.committer.clone());
        let looked = actix_rt::task::spawn_blocking(move || {
            for _ in 0..3 {
                GrowthKeeping::default().look(&store, &committer).unwrap();
            }
        });
        looked.await.unwrap();
        let sizes = bench.store.sizes().unwrap();
        assert_eq!(sizes.len(), 1, "{sizes:?}");
        assert_eq!((sizes[0].messages, sizes[0].raw), bench.store.totals().unwrap());
        assert!(sizes[0].stored > 0);
        bench.close();
    }
}
