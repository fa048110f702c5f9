//! What the appliance says of itself: metrics, protocols, health.

mod account;
mod backlog;
mod counts;
mod descriptions;
mod filter;
mod heavy;
mod logs;
pub mod metrics;
mod not_judged;
mod protocol;
pub mod recorder;
mod remedy;
mod stages;
mod unknown;

pub use account::{Afloat, Voyage, settle, unaccounted};
pub use backlog::{Backlog, kept_by};
pub use counts::{Counts, Outcome, ReportCounts, UserCounts};
pub use filter::RunFilter;
pub use heavy::Heavy;
pub use logs::Logs;
pub(crate) use not_judged::shell_word;
pub use not_judged::{NoRules, NotJudged};
pub use protocol::{CopyError, DeletedCopy, IMPORT, REROUTE, Run, RunState, timestamp};
pub use remedy::{ALTERED, DELETION, SIZE, remedy};
pub use stages::{InStage, NOTABLE, Stage, orders_done, orders_sent};
pub use unknown::{Omitted, UnknownAddresses};
