//! Errands that commands ask the appliance for, beside its runs: of each kind one at a time, and each can be ended.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::api::{Code, Exit, Failure, Wrong};

/// One kind of errand.
pub struct Errand {
    /// The one that is going on.
    current: watch::Sender<Option<CancellationToken>>,
    what: &'static str,
}

/// An errand that is going on, however it ends, until this is dropped.
pub struct GoingOn<'e> {
    errand: &'e Errand,
    /// Cancelled when it is to end in good order.
    pub stop: CancellationToken,
}

impl Drop for GoingOn<'_> {
    fn drop(&mut self) {
        self.errand.current.send_replace(None);
    }
}

impl Errand {
    /// `what` goes on, in the words of an error: "a compaction".
    pub fn new(what: &'static str) -> Self {
        Self {
            current: watch::Sender::new(None),
            what,
        }
    }

    /// # Errors
    /// Another command's is going on.
    pub fn begin(&self) -> Result<GoingOn<'_>, Failure> {
        let stop = CancellationToken::new();
        let begins = |current: &mut Option<CancellationToken>| {
            let idle = current.is_none();
            if idle {
                *current = Some(stop.clone());
            }
            idle
        };
        match self.current.send_if_modified(begins) {
            true => Ok(GoingOn { errand: self, stop }),
            false => {
                let error = format!("{} is already going on", self.what);
                Err(Failure::new(Exit::Errors, error).for_that(Wrong::from(Code::GoingOn)))
            }
        }
    }

    /// Ends the one that is going on, if any, in good order.
    pub fn interrupt(&self) {
        if let Some(stop) = &*self.current.borrow() {
            stop.cancel();
        }
    }

    /// Waits until none is going on.
    pub async fn ended(&self) {
        // The sender is here.
        let _ = self.current.subscribe().wait_for(Option::is_none).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_goes_on_at_a_time_until_it_ends() {
        let errand = Errand::new("an errand");
        errand.interrupt();
        let first = errand.begin().unwrap();
        assert!(!first.stop.is_cancelled(), "an earlier interruption is not this one's");
        let refused = errand.begin().map(drop).unwrap_err();
        assert_eq!(refused.error, "an errand is already going on");
        errand.interrupt();
        assert!(first.stop.is_cancelled());
        drop(first);
        errand.ended().await;
        assert!(!errand.begin().unwrap().stop.is_cancelled());
    }
}
