//! Servers that a profile fetches from: real ones, scripted ones, and those that misbehave.

mod bad_source;
mod deletion;
mod hostile;
mod imap_scripted;
mod interrupted;
mod journey;
mod mailserver;
mod names;
mod oauth;
mod pop3_scripted;
mod popa3d;
mod rehearsal;
mod scripted;
mod session;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod without_uidl;
mod wrong_servers;
