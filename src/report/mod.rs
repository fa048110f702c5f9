//! What the appliance says of itself: metrics, protocols, health.

mod http;
pub mod metrics;
mod protocol;

pub use http::{Http, HttpError, Readiness, serve};
pub use protocol::{CopyError, DELETION, DeletedCopy, Outcome, Run, RunState, SIZE, UserCounts, timestamp};
