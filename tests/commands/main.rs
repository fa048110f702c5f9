//! Commands, what they answer, and what is installed with them.

mod answers;
mod bad_input;
mod commands;
mod completion;
mod copyright;
mod docs;
mod install;
mod list;
mod owner;
#[path = "../support/mod.rs"]
mod support;
