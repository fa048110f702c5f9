//! Profiles and their runs.
//!
//! A [`Supervisor`] keeps one profile actor going; the profile runs, one run at a time; its
//! connection fetches. `run` is the order of things, `collect` what happens in one folder, `cursor`
//! which copies are open, `budget` how much may be on its way, `frequent` which address is the mailbox's own.

mod actor;
mod budget;
mod collect;
mod connection;
mod cursor;
mod frequent;
mod judge;
mod probe;
mod run;
mod supervisor;

pub use actor::{Finished, Live, StartError, look_at_users};
pub use budget::Budget;
pub use connection::Stages;
pub use probe::{Probe, probe};
pub use run::Exit;
pub use supervisor::{InterruptRun, RunNow, Stop, Supervisor};
