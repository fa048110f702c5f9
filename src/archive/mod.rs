//! The archives: what is kept, for whom, and where on disk.
//!
//! Nothing outside this module knows LMDB. The [`Store`] is a data directory, opened; a
//! [`UserArchive`] speaks for one user; the [`Committer`] is the only writer. `catalog` is the schema.

mod abandoned;
mod base64_lines;
mod block;
mod catalog;
mod codec;
mod committer;
mod compact;
mod deposit;
mod environment;
mod error;
mod group;
mod housekeeping;
mod layout;
mod part;
mod reader;
mod resident;
mod retrieval;
mod roster;
mod rows;
mod schema;
mod seal;
mod store;
mod user_archive;
mod volume;
mod volumes;

pub use abandoned::close_abandoned_runs;
pub use committer::{Committer, MoreComing};
pub use compact::{Compacted, compact};
pub use deposit::{Deposit, Filed, Shared};
pub use error::StoreError;
pub use group::Change;
pub use housekeeping::{Housekeeper, seal_full_volumes};
pub use part::{Cut, cut};
pub use reader::Entry;
pub use retrieval::Retrieval;
pub use roster::Roster;
pub use rows::{
    CATCHALL_ID, Copy, CopyKey, Filing, Message, MessageId, Place, RunId, Seconds, Source, UidlDigest, Usage, User,
    UserId, Why, uidl_digest,
};
pub use schema::SCHEMA;
pub use store::Store;
pub use user_archive::{File, UserArchive};

#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod volume_tests;
