//! Rows of a part of `filings` and `held` that wait to be looked up in the other one. Pure.

use super::{near::Facts, scan::Waits};
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
    /// In their order. `None`: rows between two may not have been seen.
    pub filings: Vec<Option<FilingsKey>>,
    pub held: Vec<(FilingsKey, HeldKey, Facts)>,
}

impl Waiting {
    pub fn waits(&self) -> Waits {
        match self.filings.len() + self.held.len() {
            0 => Waits::No,
            MOST.. => Waits::Full,
            _ => Waits::Some,
        }
    }

    pub fn filing(&mut self, key: FilingsKey) {
        self.filings.push(Some(key));
    }

    /// There may be filings before the next one that were not seen. Whether one waits that is before them.
    pub fn skipped(&mut self) -> bool {
        if let Some(Some(_)) = self.filings.last() {
            self.filings.push(None);
        }
        !self.filings.is_empty()
    }

    pub fn held(&mut self, key: HeldKey, id: MessageId, message: Facts) {
        self.held.push(((key.1, message.date, id), key, message));
    }
}
