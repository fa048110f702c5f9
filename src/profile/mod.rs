//! Profiles and their runs.
//!
//! A [`Supervisor`] keeps one profile actor going; the profile runs, one run at a time; its
//! connection fetches. `run` is the order of things, `collect` what happens in one folder, `cursor`
//! which copies are open, `budget` how much may be on its way, `frequent` and `swallowing` which addresses are the
//! mailbox's own, `strangers` whether a domain is
//! ours, `not_made` the users that a run may make no more.
//!
//! Without actors and without a store: `probe` tests a profile, says what its rules make of the newest messages (`outlook`,
//! with what `mta` knows of servers) and makes a `proposal` of rules from their `evidence`, `rehearsal` goes through
//! the source and keeps a `tally` of what a run would do.

mod actor;
mod appended;
mod aside;
mod budget;
mod collect;
mod connection;
mod cursor;
mod deletion;
mod ending;
mod evidence;
mod exclude;
mod fleet;
mod frequent;
mod glimpse;
mod jobs;
mod judge;
mod live;
mod mta;
mod next_notices;
mod not_made;
mod once_more;
mod outcomes;
mod outlook;
mod probe;
mod proposal;
mod pulse;
mod recognise;
mod rehearsal;
mod retry;
mod reused;
mod run;
mod second_pass;
mod shortfall;
mod standing;
mod strangers;
mod supervisor;
mod survey;
mod swallowing;
mod tally;
mod watcher;
mod windows;
mod would_delete;

pub use actor::{Finished, Heartbeat, StartError, look_at_users};
pub use budget::Budget;
pub use connection::Stages;
pub use live::Live;
pub use next_notices::NextNotices;
pub use not_made::NotMade;
pub use outlook::{Bcc, Knowledge, NotCounted};
pub use probe::{Probe, Verdict, probe};
pub use proposal::Proposal;
pub use rehearsal::{Rehearsal, RehearsedFolder, rehearse};
pub use run::Exit;
pub use standing::{Failing, FirstError, LastRun, Standing};
pub use supervisor::{InterruptRun, Leave, Reconfigure, RunNow, Stop, Supervisor};
pub use tally::UnknownAddress;
pub use would_delete::Kept;
