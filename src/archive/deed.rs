//! What somebody did: what it changes of accounts and sessions, and what the audit log says of it. All of it is written
//! together, or, where it is refused, the entry alone.

use super::profiles::StoredProfile;
use crate::access::{AccountChange, AccountName, Entry, Session, words::Digest};
use crate::ids::Seconds;

/// What somebody did.
#[derive(Clone, Debug)]
pub struct Deed {
    /// Whose account the changes are about.
    pub account: Option<AccountName>,
    pub changes: Vec<AccountChange>,
    pub sessions: Vec<SessionChange>,
    /// Refused where it would leave no account that administers and can log in: nobody could then mend that with an account.
    pub spares_administrator: bool,
    /// Profiles as they are kept from now on; `None` of those that are kept no longer.
    pub profiles: Vec<(String, Option<StoredProfile>)>,
    /// The session that stays where all of an account's end.
    pub keeps: Option<Digest>,
    /// Nothing is said of a session that is only used.
    pub entry: Option<Entry>,
}

/// What becomes of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionChange {
    Begin(Digest, Session),
    /// It was used.
    Seen(Digest, Seconds),
    End(Digest),
    /// All of an account.
    EndAll(AccountName),
}

impl Deed {
    /// What the audit log says nothing of.
    pub fn unnoted(change: SessionChange) -> Self {
        Self {
            account: None,
            changes: Vec::new(),
            sessions: vec![change],
            spares_administrator: false,
            profiles: Vec::new(),
            keeps: None,
            entry: None,
        }
    }

    /// What changes nothing.
    pub fn noted(entry: Entry) -> Self {
        Self {
            account: None,
            changes: Vec::new(),
            sessions: Vec::new(),
            spares_administrator: false,
            profiles: Vec::new(),
            keeps: None,
            entry: Some(entry),
        }
    }
}
