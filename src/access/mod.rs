//! Who asks, and what they may do and see. This is the one place that decides it (`rights`).
//!
//! Every request has a [`Caller`]. Nobody answers a bare [`Request`](crate::api::Request): whoever answers takes a
//! [`Granted`] one, which only [`grant`] makes, and reads no archives but those that it names.
//!
//! How somebody becomes a caller is made of what is here, too: accounts (`stored`) with their passwords and one-time
//! codes, sessions, the slowing down of those who guess, and what the audit log says of all of them (`entry`, `noted`).
//! None of it reads or writes anything; `gate` puts it together.

mod archives;
mod caller;
pub mod entry;
mod hidden;
mod noted;
pub mod password;
mod rights;
pub mod session;
mod slowing;
mod stored;
pub mod totp;
pub mod words;

pub use archives::Archives;
pub use caller::{Account, Caller, OpenArchive, Owner};
pub use entry::{AuditMark, AuditRow, Entry, Outcome};
pub use hidden::Hidden;
pub use noted::noted;
pub use rights::{Granted, allowed, grant};
pub use session::{Session, Token};
pub use slowing::{Slowing, Try};
pub use stored::{AccountChange, AccountName, ApplicationPassword, Refusal, StoredAccount};
pub use totp::{Proof, Totp};

pub use crate::api::Role;
