//! `[search.extract]`: what reading an attachment for the index may take.

use std::time::Duration;

use serde::Deserialize;

use super::{ByteSize, Span};

/// With less memory, nothing can be read.
const LEAST: ByteSize = ByteSize::mib(32);

/// `[search.extract]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Extract {
    /// A larger attachment is not read.
    pub largest: ByteSize,
    /// Memory that the process which reads attachments may take.
    pub memory: ByteSize,
    /// Processor time for one attachment.
    pub time: Span,
    /// Text of one attachment that is indexed; what is behind it is left out.
    pub text: ByteSize,
}

impl Default for Extract {
    fn default() -> Self {
        Self {
            largest: ByteSize::mib(32),
            memory: ByteSize::mib(256),
            time: Span(Duration::from_secs(10)),
            text: ByteSize::mib(4),
        }
    }
}

impl Extract {
    /// Bytes of memory, enough to read anything.
    pub fn memory(&self) -> u64 {
        self.memory.0.max(LEAST.0)
    }

    /// Bytes of text, which the processes can tell each other.
    pub fn text(&self) -> usize {
        self.text.0.min(u64::from(u32::MAX / 2)) as usize
    }
}
