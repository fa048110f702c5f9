//! What long work asks and says on its way.

use super::StoreError;

/// How long work is watched, and ended.
#[derive(Clone, Copy)]
pub struct Hooks<'h> {
    /// Whether to go on.
    pub go_on: &'h dyn Fn() -> bool,
    /// So much more there is to do, in bytes or in what the work counts.
    pub expect: &'h dyn Fn(u64),
    /// So much more of it is done.
    pub passed: &'h dyn Fn(u64),
}

impl<'h> Hooks<'h> {
    /// For work that nobody watches: `go_on` says whether to go on.
    pub fn only(go_on: &'h dyn Fn() -> bool) -> Self {
        Self {
            go_on,
            expect: &|_| {},
            passed: &|_| {},
        }
    }

    /// # Errors
    /// It was interrupted.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match (self.go_on)() {
            true => Ok(()),
            false => Err(StoreError::Interrupted),
        }
    }
}
