//! The archives that somebody may read.

use std::collections::BTreeSet;

use crate::ids::UserId;

/// Archives, by the ids of their users. A message that none of them has does not exist for whoever may read only these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Archives {
    All,
    Of(BTreeSet<UserId>),
}

impl Archives {
    /// Whether whoever may read `others` may read all of these.
    pub fn are_among(&self, others: &Self) -> bool {
        match (self, others) {
            (_, Self::All) => true,
            (Self::Of(these), Self::Of(others)) => these.is_subset(others),
            (Self::All, Self::Of(_)) => false,
        }
    }

    /// Whether the archive of `user` is one of them.
    pub fn has(&self, user: UserId) -> bool {
        match self {
            Self::All => true,
            Self::Of(users) => users.contains(&user),
        }
    }
}
