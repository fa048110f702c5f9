//! What is not read because reading it ended a process.

use std::collections::{HashMap, HashSet};

use super::words::Avoided;
use crate::archive::{Entry, MessageId, UserId};

/// [`Avoided`], to be looked up in.
pub struct AvoidedSets {
    messages: HashSet<MessageId>,
    blocks: HashSet<(u32, u64)>,
    volumes: HashSet<u32>,
    lists: HashMap<UserId, u64>,
}

impl AvoidedSets {
    pub fn new(avoided: &Avoided) -> Self {
        Self {
            messages: avoided.messages.iter().copied().collect(),
            blocks: avoided.blocks.iter().copied().collect(),
            volumes: avoided.volumes.iter().copied().collect(),
            lists: avoided.lists.iter().copied().collect(),
        }
    }

    /// How many entries of a user's list may be read.
    pub fn readable_entries(&self, user: UserId) -> u64 {
        self.lists.get(&user).copied().unwrap_or(u64::MAX)
    }

    /// Why a message is not read.
    pub fn why(&self, entry: &Entry) -> Option<String> {
        let place = &entry.message.inline;
        if self.volumes.contains(&place.volume) {
            Some(volume_crashed(place.volume))
        } else if self.blocks.contains(&(place.volume, place.block)) {
            Some(block_crashed(place.volume, place.block))
        } else {
            self.messages.contains(&entry.id).then(message_crashed)
        }
    }
}

pub fn volume_crashed(volume: u32) -> String {
    format!("reading volume {volume:06} crashed again and again; `dropkeep verify` says what to restore")
}

pub fn block_crashed(volume: u32, block: u64) -> String {
    format!("reading block {block} of volume {volume:06} crashed; `dropkeep verify` says what to restore")
}

pub fn message_crashed() -> String {
    "reading its bytes crashed; `dropkeep verify` says what to restore".into()
}

pub fn list_crashed() -> String {
    "reading the user's list in the catalog crashed, so the rest of it is not exported; restore the catalog from a backup"
        .into()
}
