//! A message on its way into archives. The router makes a deposit of it, asks the archive of each user whether the
//! message is new there, and hands the deposit with all these answers to the committer. So the filings of a copy, and
//! the note that the copy is done, are one transaction.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    part::{Cut, cut},
    rows::{FolderNumber, MessageId, Named, RunId, Seconds, Sha256, Unclaimed, User, UserId, Why},
};
use crate::identify::{Digests, Listed, former_identity};

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

impl Content {
    /// Cuts a message into its parts, which takes as long as hashing it: for the pool. `has_former` is whether the
    /// archive has messages whose identities are of version 1.
    pub fn new(bytes: Bytes, Digests { sha256, identity }: Digests, has_former: bool) -> Self {
        Self {
            parts: cut(&bytes),
            listed: Listed::of(&bytes),
            former: has_former.then(|| former_identity(&bytes)).flatten(),
            bytes,
            sha256,
            identity,
        }
    }
}

/// All that the store keeps of a copy.
#[derive(Debug)]
pub struct Deposit {
    /// What the cursor notes as done; `None` where the copy has no name that lasts (POP3 without UIDL).
    pub copy: Option<Named>,
    /// The source's folder; a number of the catalog's `folders`.
    pub folder: FolderNumber,
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

/// A deposit with the word of each of its users.
#[derive(Debug)]
pub struct Shared {
    pub deposit: Deposit,
    /// In the order of the users' numbers, each once.
    pub settled: Vec<Settled>,
}
