//! The sources: mail servers, spoken to over IMAP and POP3.
//!
//! A profile needs little of a server, and [`Session`] is all of it: which folders, which
//! copies stand in one, how large they are, their bytes. Nothing outside this module knows a
//! wire protocol.

mod error;
mod session;

pub use error::{Disposition, SourceError};
pub use session::{Announced, CopyRef, Fetched, OpenFolder, Step, Steps, Unfetched, UnfetchedWhy, Want};
