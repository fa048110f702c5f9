//! Profiles and their runs.
//!
//! A [`Supervisor`] keeps one profile actor going; the profile runs, one run at a time; its connections fetch. `run` is
//! the order of things, `collect` what happens in one folder, `judge` what becomes of a window of copies, `cursor`
//! which copies are open, `budget` how much may be on its way. `frequent` and `swallowing` say which addresses are the
//! mailbox's own, `strangers` whether a domain is ours, `not_made` which users a run may make no more.
//!
//! Without actors and without a store: `probe` tests a profile, says what its rules make of the newest messages
//! (`outlook`, with what `mta` knows of servers) and makes a `proposal` of rules from their `evidence`, `rehearsal`
//! goes through the source and keeps a `tally` of what a run would do.

mod actor;
mod appended;
mod aside;
mod budget;
mod collect;
mod collect_error;
mod collecting;
mod connection;
mod cursor;
mod deletion;
mod doubtful;
mod ending;
mod evidence;
mod exclude;
mod fetcher;
mod fetching;
mod finished;
mod fleet;
mod frequent;
mod glimpse;
mod heard;
mod jobs;
mod judge;
mod list_folder;
mod live;
mod losses;
mod mta;
mod next_notices;
mod not_made;
mod once_more;
mod outlook;
mod own;
mod probe;
mod progress;
mod proposal;
mod pulse;
mod recognise;
mod rehearsal;
mod retry;
mod reused;
mod run;
mod run_error;
mod second_pass;
mod shortfall;
mod standing;
mod strangers;
mod supervisor;
mod swallowing;
mod tally;
mod task;
mod tried;
mod watcher;
mod windows;
mod would_delete;

pub use actor::{Heartbeat, look_at_users};
pub use budget::Budget;
pub use finished::{Finished, StartError};
pub use live::Live;
pub use next_notices::NextNotices;
pub use not_made::NotMade;
pub use outlook::{Bcc, Knowledge, NotCounted};
pub use probe::{Probe, Verdict, Watched, probe};
pub use proposal::Proposal;
pub use rehearsal::{Rehearsal, RehearsedFolder, SoFar, rehearse};
pub use standing::Standing;
pub use supervisor::{InterruptRun, Leave, Reconfigure, RunNow, Stop, Supervisor};
pub use tally::UnknownAddress;
pub use task::Stages;
pub use would_delete::Kept;
