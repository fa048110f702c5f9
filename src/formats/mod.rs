//! File formats of mail: single messages (EML, Apple Mail's), mbox in its four kinds and MMDF, Maildir. Pure, and
//! blocking where a file is read: for a thread that may wait for the disk. What is read is in the modules named after
//! formats, and docs/formats.md says what is recognised by what; the modules that end with `_out` write.

pub mod emlx;
pub mod kind;
mod looks;
pub mod maildir;
pub mod manifest;
pub mod mbox;
pub mod mbox_out;
pub mod names_out;

pub use crate::api::{Format, MboxFrom, MboxKind};
pub use kind::BEGINNING;
pub use looks::{Looks, looks};
pub use mbox::Mbox;
