//! What the appliance says of itself: metrics, protocols, health.

mod filter;
mod http;
pub mod metrics;
mod protocol;

pub use filter::RunFilter;
pub use http::{Readiness, serve};
pub use protocol::{CopyError, DELETION, DeletedCopy, Outcome, Run, RunState, SIZE, UserCounts, timestamp};
