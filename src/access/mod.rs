//! Who asks, and what they may do and see. This is the one place that decides it (`rights`).
//!
//! Every request has a [`Caller`]. Nobody answers a bare [`Request`](crate::api::Request): whoever answers takes a
//! [`Granted`] one, which only [`grant`] makes, and reads no archives but those that it names.

mod archives;
mod caller;
mod rights;

pub use archives::Archives;
pub use caller::{Account, Caller, OpenArchive, Owner, Role};
pub use rights::{Granted, allowed, grant};
