//! Servers that misbehave, as real ones do: the program meets each way of it as a person would have it do, without
//! hanging, without a word too little, and without altering or losing a message.
//!
//! `HOSTILE=words` plays only the cases whose names contain them.

mod case;
mod certificate;
mod deletion;
mod folders;
mod honest;
mod imap;
mod link;
#[path = "../support/mailserver/mod.rs"]
mod mailserver;
mod pop3;
#[path = "../support/mod.rs"]
mod support;
mod tested;
