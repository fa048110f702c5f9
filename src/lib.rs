//! dropkeep archives multidrop mailboxes.

pub mod archive;
pub mod config;
pub mod identify;
pub mod message;
pub mod report;
pub mod route;
pub mod source;
