//! The parts of a large index, shared out among threads.

use std::{
    cmp::Reverse,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, available_parallelism},
};

/// Documents from which on that is faster than one thread.
const MANY: u64 = 200_000;
/// Threads at most, of one search.
const MOST: usize = 4;

/// Threads that help with all searches at once: where many search, each thread that begins more would only make others wait.
static HELPING: AtomicUsize = AtomicUsize::new(0);

/// A helper's seat.
struct Seat;

impl Seat {
    fn taken() -> Option<Self> {
        let more = |helping| (helping < MOST).then(|| helping + 1);
        let taken = HELPING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        taken.is_ok().then(|| Self)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        HELPING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What `work` makes of each part of an index, in their order; `documents` says how large one is.
///
/// # Errors
/// That of the first for which it fails.
pub fn shared_out<P: Sync, T: Send + Sync, E: Send + Sync>(
    parts: &[P],
    documents: impl Fn(&P) -> u32,
    work: impl Fn(&P) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    if parts.iter().map(|part| u64::from(documents(part))).sum::<u64>() < MANY {
        return parts.iter().map(work).collect();
    }
    // The largest first, so that none is left over at the end.
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_unstable_by_key(|nth| Reverse(documents(&parts[*nth])));
    let ordered: Vec<_> = order.iter().map(|nth| &parts[*nth]).collect();
    let made = each_of(&ordered, |part| work(part));
    let mut made: Vec<_> = order.into_iter().zip(made).collect();
    made.sort_unstable_by_key(|(nth, _)| *nth);
    made.into_iter().map(|(_, made)| made).collect()
}

/// What `work` makes of each part, in their order. Threads take the next part as long as there is one.
pub fn each_of<P: Sync, T: Send + Sync>(parts: &[P], work: impl Fn(&P) -> T + Sync) -> Vec<T> {
    let threads = available_parallelism()
        .map_or(1, usize::from)
        .min(MOST)
        .min(parts.len());
    let made: Vec<_> = parts.iter().map(|part| (part, OnceLock::new())).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        while let Some((part, made)) = made.get(next.fetch_add(1, Ordering::Relaxed)) {
            let _ = made.set(work(part));
        }
    };
    thread::scope(|scope| {
        for seat in (1..threads).map_while(|_| Seat::taken()) {
            let help = || {
                let _seat = seat;
                take();
            };
            // Where there can be no thread more, this one does all of it.
            let _ = thread::Builder::new().name("search".into()).spawn_scoped(scope, help);
        }
        take();
    });
    // Each was taken by a thread, which has ended.
    made.into_iter().filter_map(|(_, made)| made.into_inner()).collect()
}

#[test]
fn each_part_is_worked_on_once_the_first_error_counts_and_many_searches_have_few_helpers() {
    let parts: Vec<u32> = (0..40).collect();
    for documents in [1, 100_000] {
        let doubled = shared_out(&parts, |_| documents, |part| Ok::<_, u32>(part * 2));
        assert_eq!(doubled.unwrap(), parts.iter().map(|part| part * 2).collect::<Vec<_>>());
        let failed = shared_out(
            &parts,
            |_| documents,
            |part| if part % 7 == 3 { Err(*part) } else { Ok(()) },
        );
        assert_eq!(failed.unwrap_err(), 3);
    }
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let helped = |_: &u32| Ok::<_, ()>(HELPING.load(Ordering::Relaxed));
                let helping = shared_out(&parts, |_| 100_000, helped).unwrap();
                assert!(helping.iter().all(|helping| *helping <= MOST), "{helping:?}");
            });
        }
    });
    assert_eq!(HELPING.load(Ordering::Relaxed), 0, "a helper kept its seat");
}
