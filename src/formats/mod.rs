//! File formats of mail: single messages (EML), mbox, Maildir.

pub mod mbox_out;
pub mod names_out;
