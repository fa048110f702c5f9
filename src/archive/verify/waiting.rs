//! Rows of a part of `filings` and `held` that wait to be looked up in the other one. Pure.

use super::near::Facts;
use crate::archive::{
    Seconds,
    rows::{IdentityNumber, MessageId, UserId},
};

/// Rows that wait at most: a megabyte or two.
const MOST: usize = 1 << 16;

pub type FilingsKey = (UserId, Seconds, MessageId);
pub type HeldKey = (IdentityNumber, UserId);

#[derive(Default)]
pub struct Waiting {
    /// Message, user, date.
    pub filings: Vec<(MessageId, UserId, Seconds)>,
    pub held: Vec<(FilingsKey, HeldKey, Facts)>,
}

impl Waiting {
    pub fn len(&self) -> usize {
        self.filings.len() + self.held.len()
    }

    pub fn is_full(&self) -> bool {
        self.len() >= MOST
    }

    pub fn filing(&mut self, (user, date, id): FilingsKey) {
        self.filings.push((id, user, date));
    }

    pub fn held(&mut self, key: HeldKey, id: MessageId, message: Facts) {
        self.held.push(((key.1, message.date, id), key, message));
    }
}
