//! What the committer is asked to write, and what it answers.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::{
    StoreError, UsersNews,
    deed::Deed,
    deposit::{Filed, Shared},
    ledger::Mark,
    lists,
    memo::Memo,
    rows::{
        CopyKey, FolderNumber, MessageId, Named, Place, RunId, Seal, Sighting, Source, SourceNumber, UidlDigest, User,
        UserId,
    },
};
use crate::report::Run;

/// What a filing counts for beside the bytes of its message: about what the catalog's rows take.
const FILING_BYTES: usize = 200;

/// One of the things that a group is made of.
pub(super) enum Order {
    /// A window of copies, each with an outcome of its own.
    File(Vec<Shared>, oneshot::Sender<Vec<Result<Filed, StoreError>>>),
    Change(Change, Reply),
    Tidy(Tidying, Reply),
}

/// Where the answer to a change goes: a number whose meaning is the change's.
pub(super) type Reply = oneshot::Sender<Result<u64, StoreError>>;

/// A change to the small tables. The committer has a method for each, which says what it answers.
#[derive(Debug)]
pub(super) enum Change {
    /// Answers the source's number.
    Source(Source),
    /// Answers the folder's number.
    Folder(String),
    /// Answers the run's number.
    BeginRun(Box<Run>),
    Protocol(Arc<Run>),
    Memo(Memo, String),
    /// Answers the user's id.
    User(Option<UserId>, User),
    Users(Vec<(Option<UserId>, User)>, UsersNews),
    News(UsersNews),
    Said(UsersNews),
    /// Answers how many were forgotten.
    Uidls {
        source: SourceNumber,
        standing: Vec<UidlDigest>,
    },
    /// Answers how many were done.
    Reopen(Vec<CopyKey>),
    Traits(Vec<Named>),
    Sighting {
        source: SourceNumber,
        folder: FolderNumber,
        seen: Sighting,
    },
    Mark(String, Mark),
    /// What somebody did.
    Deed(Box<Deed>),
}

/// What is done to keep the store in order. It changes nothing of what is archived.
#[derive(Debug)]
pub(super) enum Tidying {
    /// Bytes to be stored elsewhere than where they were read. Answers how many rows name the new place.
    Move(Vec<Moved>),
    /// Rows of lists that were made of stored messages. Answers how many.
    Lists(lists::Made),
    /// Nothing more is to be written into the present volume.
    CloseVolume,
    Sealed(u32, Seal),
    /// Nothing is left in this volume.
    Emptied(u32),
    /// Blocks of a volume that nothing refers to any more.
    DropBlocks(u32, Vec<u64>),
    /// Protocols that are kept no longer; those that are kept whatever their age stay. Answers how many were removed.
    ForgetRuns(Vec<RunId>),
    /// Entries of the audit log before this one, but never the last. Answers how many were removed.
    ForgetAudit(u64),
    Memo(Memo, String),
}

/// The row that names a place.
#[derive(Clone, Debug)]
pub(super) enum Row {
    Message(MessageId),
    Part([u8; 32]),
}

impl Row {
    /// For what is said of an error; a part is no message's alone.
    pub fn message(&self) -> MessageId {
        match self {
            Self::Message(id) => *id,
            Self::Part(_) => MessageId(0),
        }
    }
}

/// Bytes on their way to another place.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    pub row: Row,
    pub from: Place,
    pub bytes: Bytes,
}

impl Order {
    /// What it counts for in a group, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::File(window, _) => {
                let bytes = |one: &Shared| one.deposit.fetched().bytes.len() + FILING_BYTES * one.settled.len();
                window.iter().map(bytes).sum()
            }
            Self::Tidy(Tidying::Move(moved), _) => moved.iter().map(|moved| moved.bytes.len()).sum(),
            Self::Change(..) | Self::Tidy(..) => 0,
        }
    }

    /// How many copies, or changes, it is about.
    pub fn count(&self) -> usize {
        match self {
            Self::File(window, _) => window.len(),
            Self::Change(..) | Self::Tidy(..) => 1,
        }
    }

    /// Whether its group is not held back for more mail.
    pub fn is_urgent(&self) -> bool {
        !matches!(self, Self::File(..))
    }

    /// Whether it is only about who did what, and no mail.
    pub fn is_deed(&self) -> bool {
        matches!(self, Self::Change(Change::Deed(_), _))
    }

    /// Answers that nothing of it was written.
    pub fn refuse(self, error: StoreError) {
        match self {
            // Whoever asked may be gone.
            Self::File(window, reply) => drop(reply.send(window.iter().map(|_| Err(error.clone())).collect())),
            Self::Change(_, reply) | Self::Tidy(_, reply) => drop(reply.send(Err(error))),
        }
    }
}

/// What one order is answered with, once its group is on disk.
#[derive(Debug)]
pub(super) enum Answer {
    /// Of a window of copies, each by itself.
    Filed(Vec<Result<Filed, StoreError>>),
    Number(u64),
    /// This order alone was refused; nothing of it was written.
    Refused(StoreError),
}

impl Answer {
    pub fn give(self, order: Order) {
        match (self, order) {
            (Self::Filed(filed), Order::File(_, reply)) => drop(reply.send(filed)),
            (Self::Number(number), Order::Change(_, reply) | Order::Tidy(_, reply)) => drop(reply.send(Ok(number))),
            (Self::Refused(error), order) => order.refuse(error),
            (Self::Number(_), Order::File(..)) | (Self::Filed(_), Order::Change(..) | Order::Tidy(..)) => {
                tracing::error!("an answer does not match its order; this is a bug in dropkeep");
            }
        }
    }
}
