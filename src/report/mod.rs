//! What the appliance says of itself: metrics, protocols, health.

mod account;
mod descriptions;
mod http;
pub mod metrics;
mod protocol;
mod stages;

pub use account::{Afloat, Voyage, unaccounted};
pub use http::{Readiness, serve};
pub use protocol::{CopyError, DELETION, DeletedCopy, Outcome, Run, RunState, SIZE, UserCounts, timestamp};
pub use stages::{InStage, NOTABLE, Stage, waiting_for_commit};
