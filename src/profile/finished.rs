//! How a run ended, or why none began.

use std::sync::Arc;

use super::standing::Trouble;
use crate::{api::Exit, archive::StoreError, report::Run};

/// A run that ended: its protocol, which is stored, and how that answers whoever asked.
#[derive(Clone, Debug)]
pub struct Finished {
    pub run: Arc<Run>,
    pub exit: Exit,
    /// Why the source, or the store, let it come to nothing or to an early end.
    pub trouble: Option<Trouble>,
    /// Copies that it left to be archived; `None` where it did not come to look.
    pub left_open: Option<u64>,
}

#[derive(thiserror::Error, Clone, Debug)]
pub enum StartError {
    #[error("a run of profile {0:?} is already going on")]
    Busy(String),
    #[error("profile {0:?} is restarting; try again in a moment")]
    Restarting(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the run of profile {0:?} was given up; its protocol says why. The profile restarts by itself")]
    Stopped(String),
}
