//! File formats of mail, read: single messages (EML), mbox in its four kinds, Maildir. Pure, and blocking where a file
//! is read: for a thread that may wait for the disk. docs/formats.md says what is told by what.

pub mod kind;
pub mod maildir;
pub mod mbox;

pub use kind::{BEGINNING, Format, Looks, looks};
pub use mbox::{Mbox, MboxKind};
