//! Where a message is in an mbox.

/// Where a message is in its file, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    pub offset: u64,
    pub length: u64,
}
