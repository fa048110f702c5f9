//! How commands talk to the appliance: typed requests and replies, over the control socket when an
//! appliance holds the data directory, and in this very process when none does.

pub mod api;
mod client;
mod list;
mod reading;
mod requests;
mod server;
pub(crate) mod view;

pub use client::{AskError, Client};
pub use reading::{answer as read, find_user, no_user};
pub use requests::Requests;
pub use server::{listen, respond};
