//! `[search]`: the index by which mail is found.

use serde::Deserialize;

use super::{ByteSize, Extract};

/// The least memory with which the index can be written.
const LEAST: ByteSize = ByteSize::mib(16);

/// `[search]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Search {
    /// Whether there is an index.
    pub enabled: bool,
    /// Memory in which new documents are gathered before they are written.
    pub memory: ByteSize,
    pub extract: Extract,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            enabled: true,
            memory: ByteSize::mib(48),
            extract: Extract::default(),
        }
    }
}

impl Search {
    /// Bytes of memory, within what the index takes.
    pub fn memory(&self) -> usize {
        let most = u64::from(u32::MAX / 2);
        self.memory.0.clamp(LEAST.0, most) as usize
    }
}
