//! Servers that misbehave, as real ones do: the program meets each way of it as a person would have it do, without
//! hanging, without a word too little, and without altering or losing a message.
//!
//! `HOSTILE=words` plays only the cases whose names contain them.

pub mod case;
mod certificate;
mod deletion;
mod folders;
mod honest;
mod imap;
mod link;
mod pop3;
mod tested;

use crate::mailserver;
use crate::support;
