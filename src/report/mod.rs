//! What the appliance says of itself: metrics, protocols, health.

mod account;
mod descriptions;
mod http;
mod logs;
pub mod metrics;
mod protocol;
mod stages;

pub use account::{Afloat, Voyage, unaccounted};
pub use http::{Http, HttpError, Readiness, serve};
pub use logs::Logs;
pub use protocol::{CopyError, DELETION, DeletedCopy, Outcome, Run, RunState, SIZE, UserCounts, timestamp};
pub use stages::{InStage, NOTABLE, Stage, waiting_for_commit};
