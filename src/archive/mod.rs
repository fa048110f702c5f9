//! The archives: what is kept, for whom, and where on disk.
//!
//! Nothing outside this module knows LMDB. The [`Store`] is a data directory, opened; a
//! [`UserArchive`] speaks for one user; the [`Committer`] is the only writer. `catalog` is the schema.

mod abandoned;
mod block;
mod catalog;
mod codec;
mod committer;
mod deposit;
mod error;
mod group;
#[cfg_attr(not(test), allow(dead_code, reason = "the command that checks a store is to use it"))]
mod pages;
mod reader;
mod resident;
mod roster;
mod rows;
mod store;
mod user_archive;
mod volume;

pub use abandoned::close_abandoned_runs;
pub use committer::{Committer, MoreComing};
pub use deposit::{Deposit, Filed, Shared};
pub use error::StoreError;
pub use group::Change;
pub use reader::{Entry, Retrieval};
pub use roster::Roster;
pub use rows::{
    CATCHALL_ID, Copy, CopyKey, Filing, Message, MessageId, Place, RunId, Seconds, Source, UidlDigest, Usage, User,
    UserId, Why, uidl_digest,
};
pub use store::Store;
pub use user_archive::{File, UserArchive};

#[cfg(test)]
mod tests;
