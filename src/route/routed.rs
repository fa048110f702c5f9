//! What became of a copy that was routed, as reported to its connection.

use std::sync::Arc;

use super::{decision::Stranger, passed::Passed};
use crate::{
    archive::StoreError,
    message::Address,
    panics::Panicked,
    said::{Code, Said, Say},
};

/// In the words of an error.
pub(super) const DOING: &str = "the router";

/// What became of a routed copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routed {
    /// Names of the users it was newly filed for, and of those who had it.
    pub archived: Vec<String>,
    pub duplicate: Vec<String>,
    pub unknown: bool,
    /// Unknown, and left alone.
    pub skipped: bool,
    pub created: Vec<String>,
    /// Addresses of ours that have no user, and are reported.
    pub local_unknown: Vec<Address>,
    /// Those of them for which a user would have been made, had the run not made as many as it may.
    pub over_limit: Vec<Address>,
    /// Recipients' addresses that nobody has, of whatever domain; at most a few.
    pub unresolved: Vec<Address>,
    /// Addresses at domains that are not ours, which nobody has; at most a few.
    pub strangers: Vec<Stranger>,
    /// What else the message says of those.
    pub passed: Passed,
    /// How often others are named, all of them looked up and none of them of any consequence.
    pub more: u64,
    /// Whose it was said to be, where there is no user of this name: it went by the rules.
    pub stranger: Option<Arc<str>>,
}

#[derive(thiserror::Error, Clone, Debug)]
pub enum RouteError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A user to be created met one who was there first; the next run routes the copy again.
    #[error("{0}")]
    Twin(StoreError),
    #[error("{0}; the next run routes the copy again")]
    Panicked(#[from] Panicked),
    #[error("the archive of {user:?} stopped twice on the same message; this is a bug in dropkeep")]
    Archive { user: String },
    #[error("the router stopped; this is a bug in dropkeep")]
    Router,
}

impl Say for RouteError {
    fn said(&self) -> Said {
        let text = self.to_string();
        let (code, about) = match self {
            Self::Store(error) | Self::Twin(error) => return error.said(),
            Self::Panicked(panicked) => (Code::RoutedAgain, vec![panicked.said().into()]),
            Self::Archive { user } => (Code::ArchiveStopped, vec![user.clone().into()]),
            Self::Router => (Code::RouterStopped, Vec::new()),
        };
        Said::new(code, text, about)
    }
}
