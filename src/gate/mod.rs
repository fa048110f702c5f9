//! Who comes in: log-ins, sessions and accounts, and what the audit log says of all that people do.
//!
//! What is decided is in `access`, which is pure; what is written is a [`Deed`](crate::archive::Deed), which the
//! committer writes as a whole. Here is what lies between: the passwords that are tried (`hashing`), the sessions that are
//! shown, the changes that are wished for, and the `first` account of all.

mod changes;
mod first;
mod hashing;
mod log_in;
mod made;
mod notes;
mod seen;
mod sessions;
mod state;

pub use self::{
    log_in::{Credentials, LogInError, LoggedIn},
    notes::{NotNoted, Notes, Pending},
    state::Gate,
};

#[cfg(test)]
mod tests;
