//! `[search]`: the index by which mail is found.

use serde::Deserialize;

use super::{ByteSize, Extract};

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
            memory: ByteSize::mib(96),
            extract: Extract::default(),
        }
    }
}

impl Search {
    /// Bytes of memory with which a thread can write the index, at least.
    pub const LEAST: usize = 16 << 20;

    /// Bytes of memory, within what the index takes.
    pub fn memory(&self) -> usize {
        let most = u64::from(u32::MAX / 2);
        self.memory.0.clamp(Self::LEAST as u64, most) as usize
    }
}
