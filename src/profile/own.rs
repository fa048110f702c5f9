//! The addresses that look like the mailbox's own.

use super::swallowing::Swallower;
use crate::message::Address;

/// The addresses that look like the mailbox's own, of so many messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    pub messages: u64,
    pub common: Option<Common>,
    pub swallowers: Vec<Swallower>,
}

/// An address that nearly every message names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    pub address: Address,
    /// Messages that name it, at the least, of how many.
    pub named: u64,
    pub messages: u64,
}
