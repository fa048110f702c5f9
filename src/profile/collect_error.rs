//! Why a connection does not go on.

use tokio_util::sync::CancellationToken;

use crate::{
    archive::StoreError,
    said::{Said, Say, error_as_said, said},
    source::{Disposition, SourceError},
};

#[derive(Debug)]
pub enum CollectError {
    Source(SourceError),
    Store(StoreError),
    Cancelled,
    Profile,
}

error_as_said!(CollectError);

impl From<SourceError> for CollectError {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl From<StoreError> for CollectError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Say for CollectError {
    fn said(&self) -> Said {
        match self {
            Self::Source(error) => error.said(),
            Self::Store(error) => error.said(),
            Self::Cancelled => said!(Interrupted, "interrupted"),
            Self::Profile => said!(ConnectionStopped, "the profile stopped; this is a bug in dropkeep"),
        }
    }
}

impl CollectError {
    /// Whether the session can go on with another folder.
    pub fn session_is_usable(&self) -> bool {
        matches!(self, Self::Source(error) if error.disposition() == Disposition::Report)
    }

    /// What to do about it, where more is known than its stage says.
    pub fn what_to_do(&self) -> Option<Said> {
        match self {
            Self::Source(error) => error.what_to_do(),
            Self::Store(_) | Self::Cancelled | Self::Profile => None,
        }
    }

    /// Whether the server asks to come again later.
    pub fn asks_to_wait(&self) -> bool {
        matches!(self, Self::Source(error) if error.wait().is_some())
    }
}

/// Whether the server will not do it; one that asks to come again later may yet.
pub(super) fn is_refusal(error: &SourceError) -> bool {
    error.disposition() == Disposition::Report && error.wait().is_none()
}

/// Gives up waiting for a server when the run is interrupted.
pub async fn unless_cancelled<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, CollectError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(CollectError::Cancelled),
        result = work => result.map_err(CollectError::from),
    }
}
