//! How commands talk to the appliance: typed requests and replies, over the control socket when an
//! appliance holds the data directory, and in this very process when none does.

mod client;
mod server;

pub use client::{AskError, Client};
pub use server::{listen, respond};
