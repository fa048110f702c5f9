//! What the appliance says of itself: metrics, protocols, health.

mod account;
mod backlog;
mod descriptions;
mod filter;
mod heavy;
mod logs;
pub mod metrics;
mod not_judged;
mod protocol;
mod remedy;
mod stages;
mod unknown;

pub use account::{Afloat, Voyage, settle, unaccounted};
pub use backlog::{Backlog, NextNotices, kept_by};
pub use filter::RunFilter;
pub use heavy::Heavy;
pub use logs::Logs;
pub(crate) use not_judged::shell_word;
pub use not_judged::{NoRules, NotJudged};
pub use protocol::{
    ALTERED, CopyError, DELETION, DeletedCopy, IMPORT, Outcome, REROUTE, Run, RunState, SIZE, UserCounts, timestamp,
};
pub use remedy::{by_hand, remedy};
pub use stages::{InStage, NOTABLE, Stage, orders_done, orders_sent};
pub use unknown::{Omitted, UnknownAddresses};
