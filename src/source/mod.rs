//! The sources: mail servers, spoken to over IMAP and POP3, and files.
//!
//! A profile needs little of a server, and [`Session`] is all of it: which folders, which copies stand in one, how
//! large they are, their bytes. Nothing outside this module knows a wire protocol.
//!
//! - `connect` dials, encrypts and waits for the greeting, all by [`net`](crate::net); `upgrade` asks for STARTTLS or
//!   STLS before. `wrong` says which access to write where another server listens, `advice` what to do about an error.
//! - `guard` lies around every stream: it ends silence, and floods. `compress` deflates below it, where both sides do.
//! - `imap` and `pop3` speak over it. What they hold of an answer is bounded by what was asked.
//! - `files` are what an import reads in place of a server.

mod advice;
mod allowance;
mod aside;
mod compress;
mod connect;
mod copies;
mod error;
mod files;
mod guard;
mod imap;
mod limits;
mod lines;
mod listing;
#[cfg(test)]
mod played_tests;
mod pop3;
mod removal;
mod session;
mod stand_in;
mod steps;
mod token;
mod upgrade;
mod wrong;

use allowance::fetch_allowance;

pub use crate::net::Credential;
pub use aside::{Aside, Holder};
pub use copies::{Announced, CopyRef, Facts, Fetched, OpenFolder, Unfetched, UnfetchedWhy, Waited, Want};
pub use error::{Disposition, SourceError};
pub use files::{FilesSession, Import, Owner};
pub use imap::ImapSession;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use imap::fuzzing as imap_fuzzing;
pub use limits::Wait;
pub use listing::{Listing, Open};
pub use pop3::{Mailbox, Pop3Session};
pub use removal::{Kept, Removal, Removed};
pub use session::Session;
pub use stand_in::{is_of_stand_in, stand_in};
pub use steps::{ConnectStep, Steps};
