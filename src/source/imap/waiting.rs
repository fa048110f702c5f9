//! Waiting for mail in the opened folder: IDLE (RFC 2177), or NOOP where the server does not know it.

use std::{mem, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use super::ImapSession;
use crate::source::{SourceError, Waited};

const IDLE: &str = "IDLE";
const NOOP: &str = "NOOP";

/// How long to wait before a server without IDLE is asked. Each question costs it a look at the folder.
const ASK_AFTER: Duration = Duration::from_secs(10);

impl ImapSession {
    /// Waits until mail arrives in the opened folder, or `most` is over. Mail that arrived since the folder was last
    /// listed counts.
    ///
    /// # Errors
    /// The connection is lost, or found dead at the end: then the answer to DONE does not come within the time-out.
    pub(in crate::source) async fn wait(&mut self, most: Duration) -> Result<Waited, SourceError> {
        if self.has_grown() {
            return Ok(Waited::Changed);
        }
        if self.offers(IDLE) {
            self.idle(most).await?;
        } else {
            sleep(most.min(ASK_AFTER)).await;
            let allowance = self.dialogue.small();
            self.dialogue.command(NOOP, NOOP, allowance, &mut |_| Ok(())).await?;
        }
        match self.has_grown() {
            true => Ok(Waited::Changed),
            false => Ok(Waited::Nothing),
        }
    }

    async fn idle(&mut self, most: Duration) -> Result<(), SourceError> {
        let deadline = Instant::now() + most;
        let allowance = self.dialogue.small();
        let tag = self.dialogue.begin(IDLE, IDLE, allowance).await?;
        self.dialogue.challenge(IDLE, &tag).await?;
        self.dialogue.be_patient(most);
        while !self.dialogue.grown {
            // Reading can be left off at any point: what came of a response stays in its buffer.
            let mut on = |_| Ok(());
            let answer = self.dialogue.step(IDLE, &tag, &mut on);
            let Ok(ended) = timeout_at(deadline, answer).await else {
                break;
            };
            if ended?.is_some() {
                return Ok(());
            }
        }
        self.dialogue.be_patient(Duration::ZERO);
        self.dialogue.send(IDLE, "DONE\r\n").await?;
        self.dialogue.finish(IDLE, &tag, &mut |_| Ok(())).await?;
        Ok(())
    }

    fn has_grown(&mut self) -> bool {
        mem::take(&mut self.dialogue.grown)
    }
}
