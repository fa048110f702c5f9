//! The pool for work that would stall an arbiter: parsing, hashing, compressing.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use tokio::sync::oneshot;

use crate::{
    report::{NOTABLE, metrics},
    said::{Said, Say, error_as_said, said},
};

/// A panic in a task of the pool: a fault of ours, which costs the copy and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

impl Say for Panicked {
    fn said(&self) -> Said {
        said!(PoolPanicked, "a task of the pool panicked; this is a bug in dropkeep")
    }
}

error_as_said!(Panicked);

/// Threads, one a core.
#[derive(Clone)]
pub struct Pool(Arc<rayon::ThreadPool>);

impl Pool {
    /// # Errors
    /// No threads could be started.
    pub fn new() -> Result<Self, rayon::ThreadPoolBuildError> {
        let builder = rayon::ThreadPoolBuilder::new().thread_name(|index| format!("identify-{index}"));
        builder.build().map(|pool| Self(Arc::new(pool)))
    }

    /// Runs `task` on the pool.
    pub async fn run<T: Send + 'static>(&self, task: impl FnOnce() -> T + Send + 'static) -> Result<T, Panicked> {
        let (reply, answer) = oneshot::channel();
        let asked = Instant::now();
        self.0.spawn(move || {
            let waited = asked.elapsed();
            if waited >= NOTABLE {
                metrics::backpressure("identify", waited);
            }
            // Nobody waits where the run was dropped.
            let _ = reply.send(catch_unwind(AssertUnwindSafe(task)).map_err(|_| Panicked));
        });
        answer.await.unwrap_or(Err(Panicked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix::test]
    async fn a_panic_in_the_pool_is_survived() {
        let pool = Pool::new().unwrap();
        assert_eq!(pool.run(|| panic!("on purpose")).await, Err::<(), _>(Panicked));
        assert_eq!(pool.run(|| 7).await, Ok(7));
    }
}
