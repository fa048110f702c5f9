//! Panics: a fault of ours or of a library, reported without what mail may stand in, counted, and survived where only
//! one message or one group hangs on it.

use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
};

use actix::{Actor, Message, dev::MessageResponse, dev::OneshotSender};
use futures_util::FutureExt;

use crate::{
    report::metrics,
    said::{Code, Said, Say},
};

/// Something panicked, and what it was doing. Its place is on standard error.
#[derive(thiserror::Error, Clone, Copy, Debug, PartialEq, Eq)]
#[error("{0} panicked; this is a bug in dropkeep")]
pub struct Panicked(pub &'static str);

impl Say for Panicked {
    fn said(&self) -> Said {
        let doing = Said::from(self.0);
        Said::new(Code::Panicked, self.to_string(), vec![doing.into()])
    }
}

/// From now on a panic of any thread is reported on standard error and counted by its thread. Only its place in the
/// source is told: the words of a panic can quote what was being read, and that is mail.
pub fn report() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let thread = stage(thread.name().unwrap_or_default());
        metrics::panicked(thread);
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // Not through the log, which may be what panicked. Standard error may be closed.
        let _ = writeln!(
            std::io::stderr(),
            "dropkeep: a thread ({thread}) panicked at {place}; this is a bug in dropkeep"
        );
        if std::thread::current().name() == Some(ENDS_ALL) {
            STOPPED.store(true, Ordering::Release);
            loop {
                std::thread::park();
            }
        }
    }));
}

/// The thread of the search library that commits. Those of its pool end the process when they panic, with all mail that
/// is on its way. So it stops there for good: then the index stands still until it is begun anew, and nothing else does.
const ENDS_ALL: &str = "segment_updater";
static STOPPED: AtomicBool = AtomicBool::new(false);

/// Whether that thread has stopped. Whoever waits for it waits in vain.
pub fn stopped() -> bool {
    STOPPED.load(Ordering::Acquire)
}

/// Nobody waits for it any more.
pub fn begun_anew() {
    STOPPED.store(false, Ordering::Release);
}

/// What the threads of these names do; the names are ours, or those of the runtimes.
fn stage(thread: &str) -> &'static str {
    const NAMES: [(&str, &str); 10] = [
        ("main", "main"),
        ("identify-", "identify"),
        ("committer", "committer"),
        ("housekeeper", "housekeeper"),
        ("actix-rt|", "actor"),
        ("tokio-", "blocking"),
        ("search", "search"),
        (ENDS_ALL, "search"),
        ("merge_thread_", "search"),
        ("thrd-tantivy-index", "search"),
    ];
    let found = NAMES.iter().find(|(begins, _)| thread.starts_with(begins));
    found.map_or("other", |(_, stage)| stage)
}

/// Does `work`, and survives its panic. What `work` changes must be whole at any time, or not be looked at any more.
///
/// # Errors
/// It panicked.
pub fn survived<T>(doing: &'static str, work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked(doing))
}

/// The same for work that waits.
///
/// # Errors
/// It panicked.
pub async fn survived_async<F: Future>(doing: &'static str, work: F) -> Result<F::Output, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| Panicked(doing))
}

/// Does `work` on a thread that may wait for the disk.
///
/// # Errors
/// It panicked.
pub async fn blocking<T: Send + 'static>(
    doing: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Panicked(doing))
}

/// What an actor answers: nothing where its handler panicked, so that whoever asked sees as much, and the actor lives
/// on. actix would close its address for good.
pub struct Answer<T>(Result<T, Panicked>);

impl<T> Answer<T> {
    /// Does what the handler does.
    pub fn survived(doing: &'static str, handle: impl FnOnce() -> T) -> Self {
        Self(survived(doing, handle))
    }
}

impl<A, M, T> MessageResponse<A, M> for Answer<T>
where
    A: Actor,
    M: Message<Result = T>,
{
    fn handle(self, _: &mut A::Context, asked: Option<OneshotSender<T>>) {
        if let (Ok(answer), Some(asked)) = (self.0, asked) {
            // Whoever asked may be gone.
            let _ = asked.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use actix::{Context, Handler};

    use super::*;

    #[test]
    fn threads_are_told_apart_by_what_they_do() {
        let threads = [
            "identify-3",
            "committer",
            "actix-rt|system:0|arbiter:2",
            "tokio-rt-worker",
            "segment_updater",
            "rayon",
            "",
        ];
        assert_eq!(
            threads.map(stage),
            ["identify", "committer", "actor", "blocking", "search", "other", "other"]
        );
    }

    struct Divider;

    impl Actor for Divider {
        type Context = Context<Self>;
    }

    #[derive(Message)]
    #[rtype(result = "u32")]
    struct HundredBy(u32);

    impl Handler<HundredBy> for Divider {
        type Result = Answer<u32>;

        fn handle(&mut self, HundredBy(by): HundredBy, _: &mut Self::Context) -> Self::Result {
            Answer::survived("dividing", || 100 / by)
        }
    }

    #[actix::test]
    async fn an_actor_whose_handler_panicked_lives_on() {
        let divider = Divider.start();
        assert!(divider.send(HundredBy(0)).await.is_err());
        assert_eq!(divider.send(HundredBy(4)).await.unwrap(), 25);
        let panicked = survived_async("waiting", async { panic!("on purpose") }).await;
        assert_eq!(panicked, Err::<(), _>(Panicked("waiting")));
    }
}
