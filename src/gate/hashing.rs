//! Trying passwords. Each takes a tenth of a second and 19 MiB, on purpose; so there are few threads for it, which give
//! way to whoever archives, and whoever logs in meanwhile waits. Giving way is not enough: a try fills the caches that all
//! cores share. So while mail is on its way, a thread rests after each try.

use std::{
    io,
    sync::Arc,
    thread::{self, available_parallelism},
    time::Instant,
};

use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::panics::survived;

/// Threads at most, and tries that wait for one.
const MOST_THREADS: usize = 4;
const WAITING: usize = 256;
/// How much they give way to others (nice(2)). With more, whoever logs in on a machine that is busy with something else waits
/// for seconds.
const NICE: i32 = 10;
/// How many times as long as a try took a thread rests behind it, while mail is on its way.
const REST: u32 = 2;

type Work = Box<dyn FnOnce() + Send>;

/// The threads that try passwords; they end with this.
pub struct Hashing(mpsc::Sender<Work>);

/// More wait than anybody should wait for, or the threads are gone.
#[derive(Debug)]
pub struct Busy;

impl Hashing {
    /// `is_archiving` says whether mail is on its way.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start(is_archiving: impl Fn() -> bool + Clone + Send + 'static) -> io::Result<Self> {
        let (sender, queue) = mpsc::channel::<Work>(WAITING);
        let queue = Arc::new(Mutex::new(queue));
        let cores = available_parallelism().map_or(1, usize::from);
        for _ in 0..(cores / 2).clamp(1, MOST_THREADS) {
            let (queue, is_archiving) = (queue.clone(), is_archiving.clone());
            let run = move || {
                // Of this thread alone, as Linux has it.
                let _ = rustix::process::nice(NICE);
                loop {
                    let next = queue.lock().blocking_recv();
                    let Some(work) = next else { return };
                    let begun = Instant::now();
                    // Whoever waits for it is told that it is lost. A panic is on standard error.
                    let _ = survived("trying a password", work);
                    if is_archiving() {
                        thread::sleep(begun.elapsed() * REST);
                    }
                }
            };
            thread::Builder::new().name("passwords".into()).spawn(run)?;
        }
        Ok(Self(sender))
    }

    /// Does it on one of the threads.
    ///
    /// # Errors
    /// Too many wait already.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let (tell, told) = oneshot::channel();
        // Whoever asked may be gone.
        let work: Work = Box::new(move || drop(tell.send(work())));
        self.0.try_send(work).map_err(|_| Busy)?;
        told.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use super::*;

    #[tokio::test]
    async fn few_are_tried_at_once_and_all_get_their_turn() {
        static NOW: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let hashing = Hashing::start(|| false).unwrap();
        let tries = (0..100).map(|number| {
            hashing.run(move || {
                MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                thread::sleep(std::time::Duration::from_millis(1));
                NOW.fetch_sub(1, Ordering::SeqCst);
                number
            })
        });
        let done = futures_util::future::join_all(tries).await;
        assert!(done.into_iter().map(Result::unwrap).eq(0..100));
        assert!(MOST.load(Ordering::SeqCst) <= MOST_THREADS);
    }

    #[tokio::test]
    async fn while_mail_is_archived_a_thread_rests_for_longer_than_it_works() {
        let hashing = Hashing::start(|| true).unwrap();
        let (work, cores) = (
            Duration::from_millis(20),
            available_parallelism().map_or(1, usize::from),
        );
        let threads = (cores / 2).clamp(1, MOST_THREADS);
        let begun = Instant::now();
        let tries = (0..=threads).map(|_| hashing.run(move || thread::sleep(work)));
        let done = futures_util::future::join_all(tries).await;
        assert!(done.into_iter().all(|done| done.is_ok()));
        // One thread worked twice, and rested between.
        assert!(begun.elapsed() >= work * (2 + REST), "{:?}", begun.elapsed());
    }
}
