//! Numbers that stand for something. On disk and in JSON they are the bare number.

use std::fmt;

use serde::{Deserialize, Serialize};

pub type MessageId = u64;
pub type UserId = u32;
pub type RunId = u64;
/// Seconds since 1970 UTC.
pub type Seconds = i64;

/// Numbers the rows of the ledger, from 1 on without a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupNumber(pub u64);

impl fmt::Display for GroupNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
