//! The control socket: how commands reach the appliance that holds the data directory. `server` stands above the
//! appliance, and `client` knows only what can be asked.

mod client;
mod server;

pub use client::{AskError, Client};
pub use server::listen;
