//! The archives: what is kept, for whom, and where on disk.
//!
//! Nothing outside this room knows LMDB. What others may use of it is exported below, and nothing else is `pub`:
//!
//! - a data directory: [`Store`], opened to read or to write ([`Absent`]: what is done where there is none);
//!   [`require_reachable`], [`last_data_dir`], [`has_archive`], [`close_abandoned_runs`], [`StoreError`]
//! - reading in it: the methods of [`Store`] find users, messages ([`Entry`], [`Holders`]), copies and runs
//!   ([`RunPage`], [`Latest`]); a [`Retrieval`] puts messages together, and vouches for copies ([`Vouched`])
//! - filing: a [`Deposit`] with its [`Content`] ([`cut`] finds the parts) is [`Shared`] among users; the
//!   [`UserArchive`] of each is asked to [`File`] it; [`Filed`] is the answer after the commit
//! - all other changes: the methods of [`Committer`], the only writer; each says what it answers
//! - following what changes: a [`Follower`] reads the ledger, one [`Group`] after the other, and keeps its [`Mark`];
//!   [`usage_by_ledger`] is one
//! - who has which name and address: [`Roster`]; what is still to be said of users: [`UsersNews`]
//! - who logs in, and what they did: a [`Deed`] changes accounts and sessions ([`SessionChange`]) and notes it;
//!   [`check_audit`] goes through the audit log ([`AuditCheck`])
//! - upkeep: [`Housekeeper`], [`seal_full_volumes`], [`compact`](compact()), [`shrink_catalog`], [`back_up`],
//!   [`restore`](restore()), [`survey`](survey()), [`verify`]; how large it was when ([`Size`]); [`Hooks`] are how long work is watched; [`give_back`] and
//!   [`be_sparing`] keep memory small, [`allow_many_files`] lets many volumes be open
//!
//! How a group is written: `committer` gathers orders (`order`), `decide` makes a write set of them (`write_set`) from
//! what it looks up (`view`), and `group` applies that to the volume and the catalog. `catalog` is the schema.

mod abandoned;
mod about;
mod absence;
mod access;
mod accounts;
mod at_work;
mod audit;
mod audit_keeping;
mod backup;
mod base64_lines;
mod block;
mod blocks;
mod building;
mod carry;
mod catalog;
mod codec;
mod coming;
mod committer;
mod compact;
mod compaction_plan;
mod copies;
mod decide;
mod deed;
mod deposit;
mod disk;
mod environment;
mod error;
mod filings;
mod filter;
mod filter_filling;
mod follower;
mod former;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod group;
mod growth;
mod hooks;
mod housekeeping;
mod known;
mod layout;
mod ledger;
mod lists;
mod lists_filling;
mod lists_table;
mod lock;
mod look;
mod lookout;
mod memo;
mod meta_rows;
mod moment;
mod news;
mod opening;
mod order;
mod original;
mod packings;
#[allow(dead_code, reason = "its figures and its visitor are for tests")]
mod pages;
mod part;
mod patch;
mod patch_form;
mod places;
mod presence;
mod profiles;
mod readable;
mod reader;
mod recomputed;
mod record;
mod resident;
mod restore;
mod retention;
mod retrieval;
mod roster;
mod rows;
mod runs;
mod schema;
mod seal;
mod sealing;
mod seen;
mod settled;
mod shrink;
mod staging;
mod store;
mod superseded;
mod survey;
mod taken_over;
mod turn;
mod user_archive;
pub mod verify;
mod view;
mod volume;
mod volumes;
mod vouch;
mod waiting;
mod walk;
mod write_set;

pub use crate::ids::GroupNumber;
pub use abandoned::close_abandoned_runs;
pub use about::About;
pub use access::require_reachable;
pub use audit::{AuditCheck, check_audit};
pub use backup::{BackedUp, back_up};
pub use coming::MoreComing;
pub use committer::Committer;
pub use compact::{Compacted, compact};
pub use deed::{Deed, SessionChange};
pub use deposit::{Content, Deposit, Filed, Settled, Shared, Verdict};
pub use error::StoreError;
pub use filings::{AllFilings, Direction, Entry, FilingKey, NoPlace, PAGE, Page};
pub use follower::{Follower, usage_by_ledger};
pub use growth::Size;
pub use hooks::Hooks;
pub use housekeeping::Housekeeper;
pub use known::last_data_dir;
pub use ledger::{Chain, Changed, Filings, Group, LedgerRow, Mark};
pub use news::UsersNews;
pub use part::{Cut, cut};
pub use profiles::{LONGEST_PROFILE_NAME, SealedSecret, StoredProfile};
pub use readable::Readable;
pub use record::{How, Record, RecordedFile, RecordedVolume};
pub use resident::{be_sparing, give_back, touched};
pub use restore::{Restored, restore};
pub use retrieval::Retrieval;
pub use roster::Roster;
pub use rows::{
    CATCHALL_ID, Copy, CopyKey, Filing, FolderNumber, IdentityNumber, Journal, Message, MessageId, Named, Place, RunId,
    Seconds, Sighting, Source, SourceNumber, Traits, UidlDigest, Unclaimed, Usage, User, UserId, Why, uidl_digest,
};
pub use runs::{Latest, RunPage};
pub use schema::SCHEMA;
pub use sealing::seal_full_volumes;
pub use shrink::shrink_catalog;
pub use store::{Absent, Store, has_archive};
pub use survey::{Survey, SurveyedFile, SurveyedVolume, survey};
pub use user_archive::{Settle, Share, UserArchive, Word};
pub use volumes::allow_many_files;
pub use vouch::Vouched;
pub use walk::Holders;

#[cfg(test)]
mod backup_tests;
#[cfg(test)]
mod compact_command_tests;
#[cfg(test)]
mod compact_tests;
#[cfg(test)]
mod filings_tests;
#[cfg(test)]
mod follower_tests;
#[cfg(test)]
mod former_tests;
#[cfg(test)]
mod increment_tests;
#[cfg(test)]
mod journal_tests;
#[cfg(test)]
mod lists_tests;
#[cfg(test)]
mod look_tests;
#[cfg(test)]
mod patch_tests;
#[cfg(test)]
mod restore_tests;
#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod shrink_tests;
#[cfg(test)]
mod size_tests;
#[cfg(test)]
pub(crate) mod test_bench;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upgrade_tests;
#[cfg(test)]
mod volume_tests;
#[cfg(test)]
mod waiting_tests;
