//! Servers that a profile fetches from: real ones, scripted ones, and those that misbehave.

mod bad_source;
mod deletion;
mod hostile;
mod imap_scripted;
mod interrupted;
mod journey;
#[path = "../support/mailserver/mod.rs"]
mod mailserver;
mod names;
mod oauth;
mod pop3_scripted;
mod popa3d;
mod rehearsal;
#[path = "../support/scripted.rs"]
mod scripted;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod without_uidl;
mod wrong_servers;
