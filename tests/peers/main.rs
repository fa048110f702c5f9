//! The journey against mail servers other than Dovecot: Cyrus IMAP and Courier, as Debian has them.
//!
//! Their packages conflict with Dovecot's, so each lies in a small Debian of its own, which takes root and a while to
//! make. That is why these tests are ignored by `cargo test`; `make test-peers` makes the roots and runs them.
//! docs/servers.md has what they found.

#[path = "../support/mod.rs"]
mod support;

mod courier;
mod cyrus;
mod deletion;
mod folders;
mod journey;
mod lmtp;
mod mail;
mod server;

pub const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
