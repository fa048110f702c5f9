//! The archives: what is kept, for whom, and where on disk.
//!
//! Nothing outside this module knows LMDB. The [`Store`] is a data directory, opened; a
//! [`UserArchive`] speaks for one user; the [`Committer`] is the only writer. `catalog` is the schema.

mod abandoned;
mod access;
mod backup;
mod base64_lines;
mod block;
mod blocks;
mod carry;
mod catalog;
mod codec;
mod committer;
mod compact;
mod deposit;
mod environment;
mod error;
mod filings;
mod former;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod group;
mod housekeeping;
mod known;
mod layout;
mod lists;
mod lock;
mod look;
mod news;
#[allow(dead_code, reason = "its figures and its visitor are for tests")]
mod pages;
mod part;
mod presence;
mod readable;
mod reader;
mod resident;
mod restore;
mod retention;
mod retrieval;
mod roster;
mod rows;
mod runs;
mod schema;
mod seal;
mod seen;
mod shrink;
mod staging;
mod store;
mod superseded;
mod survey;
mod turn;
mod user_archive;
pub mod verify;
mod volume;
mod volumes;
mod vouch;
mod walk;

pub use abandoned::close_abandoned_runs;
pub use access::require_reachable;
pub use backup::{BackedUp, How, Record, RecordedFile, RecordedVolume, back_up};
pub use carry::Watch;
pub use committer::{Committer, MoreComing};
pub use compact::{Compacted, compact};
pub use deposit::{Content, Deposit, Filed, Shared};
pub use error::StoreError;
pub use filings::{Direction, Entry, FilingKey, Filings, NoPlace, PAGE, Page};
pub use group::Change;
pub use housekeeping::{Housekeeper, seal_full_volumes};
pub use known::last_data_dir;
pub use news::UsersNews;
pub use part::{Cut, cut};
pub use readable::Readable;
pub use resident::{be_sparing, give_back};
pub use restore::{Restored, restore};
pub use retrieval::Retrieval;
pub use roster::Roster;
pub use rows::{
    CATCHALL_ID, Copy, CopyKey, Filing, HeaderDigest, IdentityNumber, Journal, Message, MessageId, Named, Place, RunId,
    Seconds, Sighting, Source, Traits, UidlDigest, Unclaimed, Usage, User, UserId, Why, header_digest, uidl_digest,
};
pub use runs::{Latest, RunPage};
pub use schema::SCHEMA;
pub use shrink::shrink_catalog;
pub use store::{Absent, Store, has_archive};
pub use survey::{Survey, SurveyedFile, SurveyedVolume, survey};
pub use user_archive::{File, UserArchive};
pub use vouch::Vouched;
pub use walk::Holders;

#[cfg(test)]
mod backup_tests;
#[cfg(test)]
mod compact_tests;
#[cfg(test)]
mod filings_tests;
#[cfg(test)]
mod former_tests;
#[cfg(test)]
mod journal_tests;
#[cfg(test)]
mod lists_tests;
#[cfg(test)]
mod look_tests;
#[cfg(test)]
mod restore_tests;
#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod shrink_tests;
#[cfg(test)]
pub(crate) mod test_bench;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod volume_tests;
