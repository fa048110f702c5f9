//! A message on its way into archives: the router makes it, each user's archive has a share
//! in it, and the last share to be settled hands it to the committer, whole. So the filings of a
//! copy, and the note that the copy is done, are one transaction.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{
    Committer, StoreError,
    part::Cut,
    rows::{MessageId, Named, RunId, Seconds, Sha256, Unclaimed, User, UserId, Why},
};
use crate::identify::Listed;

/// Bytes that are to be kept as a message.
#[derive(Debug)]
pub struct Content {
    pub bytes: Bytes,
    /// What of the bytes is stored as parts.
    pub parts: Vec<Cut>,
    pub sha256: Sha256,
    pub identity: [u8; 32],
    /// What the identity was in version 1, where it was another and the archive has messages of that version.
    pub former: Option<[u8; 32]>,
    /// What lists say of it; `None` where that is read from the message.
    pub listed: Option<Listed>,
}

/// All that the store keeps of a copy.
#[derive(Debug)]
pub struct Deposit {
    /// What the cursor notes as done; `None` where the copy has no name that lasts (POP3 without UIDL).
    pub copy: Option<Named>,
    /// The source's folder; a number of the catalog's `folders`.
    pub folder: u32,
    pub run: RunId,
    pub content: Arc<Content>,
    /// The journal report in which the message came: what was fetched.
    pub report: Option<Arc<Content>>,
    pub date: Seconds,
    pub archived_at: Seconds,
    pub notes: u32,
    /// Addresses that the copy is for and nobody has; a few at most.
    pub unclaimed: Vec<Unclaimed>,
    /// Users that the routing of this copy, or of one not yet committed, made.
    pub new_users: Vec<(UserId, User)>,
}

impl Deposit {
    /// The bytes that were fetched.
    pub fn fetched(&self) -> &Content {
        self.report.as_ref().unwrap_or(&self.content)
    }
}

/// What became of a deposit, known once it is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    pub message: MessageId,
    /// Users it was newly filed for.
    pub archived: Vec<UserId>,
    /// Users who had it.
    pub duplicate: Vec<UserId>,
}

/// What a user's archive says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not in the archive, as far as is committed.
    New,
    /// The archive has it, as this message.
    Held(MessageId),
}

/// One user's word on a deposit.
#[derive(Clone, Debug)]
pub struct Settled {
    pub user: UserId,
    pub why: Why,
    pub verdict: Verdict,
}

#[derive(Debug)]
struct Open {
    settled: BTreeMap<UserId, Settled>,
    left: usize,
    reply: Option<oneshot::Sender<Result<Filed, StoreError>>>,
}

/// A deposit with its shares.
#[derive(Debug)]
pub struct Shared {
    pub deposit: Deposit,
    open: Mutex<Open>,
}

impl Shared {
    /// A deposit for so many users, and where the answer comes back after the commit.
    pub fn new(deposit: Deposit, users: usize) -> (Arc<Self>, oneshot::Receiver<Result<Filed, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        let open = Open {
            settled: BTreeMap::new(),
            left: users,
            reply: Some(reply),
        };
        (
            Arc::new(Self {
                deposit,
                open: Mutex::new(open),
            }),
            answer,
        )
    }

    /// How many users have settled their share.
    pub(super) fn shares(&self) -> usize {
        self.open().settled.len()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One share's verdict. The last one to come hands the deposit to the committer, and waits
    /// while the committer's queue is full.
    pub async fn settle(self: Arc<Self>, settled: Settled, committer: &Committer) {
        let complete = {
            let mut open = self.open();
            // A share sent again, to an archive started anew, counts once.
            if open.left == 0 || open.settled.contains_key(&settled.user) {
                return;
            }
            open.settled.insert(settled.user, settled);
            open.left -= 1;
            open.left == 0
        };
        if !complete {
            return;
        }
        let handed = match StoreError::point("handing-over") {
            Ok(()) => committer.file(self.clone()).await,
            failed => failed,
        };
        if let Err(error) = handed {
            self.answer(Err(error));
        }
    }

    /// The verdicts, once all are there.
    pub(super) fn take_settled(&self) -> Vec<Settled> {
        std::mem::take(&mut self.open().settled).into_values().collect()
    }

    /// Answers whoever waits; the first answer counts.
    pub fn answer(&self, result: Result<Filed, StoreError>) {
        if let Some(reply) = self.open().reply.take() {
            // Nobody waits any more where the run was dropped; the filing stands all the same.
            let _ = reply.send(result);
        }
    }
}
