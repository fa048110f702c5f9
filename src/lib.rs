//! dropkeep archives multidrop mailboxes.

pub mod config;
pub mod message;
pub mod source;
