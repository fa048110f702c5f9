//! The sources: mail servers, spoken to over IMAP and POP3.
//!
//! A profile needs little of a server, and [`Session`] is all of it: which folders, which
//! copies stand in one, how large they are, their bytes. Nothing outside this module knows a
//! wire protocol.

mod certificate;
mod connect;
mod error;
mod guard;
mod imap;
mod lines;
mod literal;
mod pop3;
mod session;
mod tls;
mod upgrade;
mod verifier;

use session::fetch_allowance;

pub use certificate::PeerCertificate;
pub use error::{Disposition, SourceError};
pub use imap::ImapSession;
pub use pop3::Pop3Session;
pub use session::{Announced, CopyRef, Fetched, OpenFolder, Session, Step, Steps, Unfetched, UnfetchedWhy, Want};
