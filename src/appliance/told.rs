//! Errands that are watched by others than those who asked for them.

use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::{api::Reply, errand::Errand};

/// An errand, and what it said last: how far it is, or how it ended.
pub struct Told {
    pub errand: Errand,
    said: Mutex<Option<(Reply, bool)>>,
}

impl Told {
    /// As [`Errand::new`].
    pub fn new(what: &'static str) -> Self {
        Self {
            errand: Errand::new(what),
            said: Mutex::new(None),
        }
    }

    /// How far it is. Where nobody takes it at once, a later one says the same.
    pub fn goes_on(&self, reply: Reply, replies: &mpsc::Sender<Reply>) {
        *self.said.lock() = Some((reply.clone(), false));
        let _ = replies.try_send(reply);
    }

    /// How it ended; nothing of what could not go on.
    pub async fn ended(&self, reply: Option<Reply>, replies: &mpsc::Sender<Reply>) {
        *self.said.lock() = reply.clone().map(|reply| (reply, true));
        if let Some(reply) = reply {
            // Whoever asked may be gone.
            let _ = replies.send(reply).await;
        }
    }

    pub fn said(&self) -> Option<(Reply, bool)> {
        self.said.lock().clone()
    }
}
