//! Accounts and the audit log, through the program: what commands print, what is noted of them, and that nothing is shown
//! that is not noted.

mod commands;
mod crash;
mod log;
mod site;
#[path = "../support/mod.rs"]
mod support;
