//! Handing out an answer while it is read, as long as somebody takes it.

use std::ops::ControlFlow;

use crate::api::{Failure, Reply};

/// Where replies go; `Break` when nobody reads them any more.
pub type Emit<'e> = dyn FnMut(Reply) -> ControlFlow<()> + 'e;

/// The same for those who read: they pass on why they end.
pub type Tell<'t> = dyn FnMut(Reply) -> Result<(), End> + 't;

/// Why reading ended early.
pub enum End {
    Failed(Failure),
    NobodyReads,
}

impl<E: Into<Failure>> From<E> for End {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
