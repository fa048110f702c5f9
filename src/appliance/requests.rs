//! The requests that an appliance is carrying out, so that it ends between them and not in one.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

/// How often whoever waits for an answer is told how far it is.
pub const TELL: Duration = Duration::from_millis(100);

#[derive(Default)]
struct State {
    going_on: usize,
    ending: bool,
}

/// Counts the requests from other commands. Cloned, it is the same count.
#[derive(Clone, Default)]
pub struct Requests(Arc<watch::Sender<State>>);

/// A request that goes on until the last clone of this is dropped.
#[derive(Clone)]
pub struct GoingOn {
    _last: Arc<Last>,
}

struct Last(Requests);

impl Drop for Last {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.going_on -= 1);
    }
}

impl Requests {
    /// `None` once the appliance ends.
    pub fn begin(&self) -> Option<GoingOn> {
        let began = self.0.send_if_modified(|state| {
            state.going_on += usize::from(!state.ending);
            !state.ending
        });
        began.then(|| GoingOn {
            _last: Arc::new(Last(self.clone())),
        })
    }

    /// Waits for a moment without a request; from then on none is taken.
    pub async fn end_when_idle(&self) {
        loop {
            let ended = self.0.send_if_modified(|state| {
                state.ending |= state.going_on == 0;
                state.ending
            });
            if ended {
                return;
            }
            self.idle().await;
        }
    }

    /// Takes no request any more.
    pub fn refuse(&self) {
        self.0.send_modify(|state| state.ending = true);
    }

    /// Waits until none goes on.
    pub async fn idle(&self) {
        // The sender is here.
        let _ = self.0.subscribe().wait_for(|state| state.going_on == 0).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_all_requests_and_then_takes_none() {
        let requests = Requests::default();
        let (first, second) = (requests.begin().unwrap(), requests.begin().unwrap());
        let copy = first.clone();
        let ending = requests.clone();
        let mut end = tokio::spawn(async move { ending.end_when_idle().await });
        drop(first);
        drop(second);
        // What is idle for nobody: the copy goes on, and new ones are taken meanwhile.
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut end).await.is_err());
        drop(requests.begin().unwrap());
        drop(copy);
        end.await.unwrap();
        assert!(requests.begin().is_none());
    }

    #[tokio::test]
    async fn who_refuses_still_waits_for_what_goes_on() {
        let requests = Requests::default();
        let first = requests.begin().unwrap();
        requests.refuse();
        assert!(requests.begin().is_none());
        let idle = tokio::time::timeout(Duration::from_millis(50), requests.idle());
        assert!(idle.await.is_err());
        drop(first);
        requests.idle().await;
    }
}
