//! Why a run did not go through, and the exit code of it.

use super::collect_error::CollectError;
use crate::{
    api::Exit,
    archive::StoreError,
    config::ConfigError,
    report::{RunState, remedy},
    source::SourceError,
    token::{Blame, LoginError},
};

/// Why a run did not go through, if it did not.
#[derive(thiserror::Error, Debug)]
pub enum RunError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Before anything was looked at.
    #[error(transparent)]
    Unreachable(SourceError),
    /// Before anything was looked at, too: the server refused us, or there is nothing to log in with.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// After the login: what was archived until then stays.
    #[error(transparent)]
    Lost(SourceError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("interrupted")]
    Interrupted,
    #[error("the connection stopped; this is a bug in dropkeep")]
    Fault,
}

impl From<Blame> for Exit {
    fn from(blame: Blame) -> Self {
        match blame {
            Blame::Configuration => Self::Usage,
            Blame::Endpoint => Self::Source,
            Blame::Disk => Self::Store,
        }
    }
}

impl RunError {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Config(_) => Exit::Usage,
            Self::Unreachable(error) if error.is_misconfigured() => Exit::Usage,
            Self::Unreachable(_) => Exit::Source,
            Self::Login(error) => error.blame().into(),
            Self::Lost(_) | Self::Fault => Exit::Errors,
            Self::Store(_) => Exit::Store,
            Self::Interrupted => Exit::Interrupted,
        }
    }

    /// The stage that an error in the protocol names.
    pub fn stage(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Unreachable(error) => error.step().map_or("connect", |step| step.as_str()),
            Self::Login(error) => error.step().as_str(),
            Self::Lost(SourceError::NoneLeft(_)) => "folder",
            Self::Lost(_) => "connection",
            Self::Store(_) => "store",
            Self::Interrupted | Self::Fault => "run",
        }
    }

    /// What to do about it.
    pub fn what_to_do(&self) -> String {
        let advice = match self {
            Self::Unreachable(error) | Self::Lost(error) => error.what_to_do(),
            Self::Login(error) => error.what_to_do(),
            Self::Config(error) => error.what_to_do(),
            Self::Store(_) | Self::Interrupted | Self::Fault => None,
        };
        advice.unwrap_or_else(|| remedy(self.stage()).to_owned())
    }

    pub fn state(&self) -> RunState {
        match self {
            Self::Config(_) | Self::Unreachable(_) | Self::Login(_) | Self::Store(_) => RunState::Failed,
            Self::Lost(_) | Self::Fault => RunState::CompletedWithErrors,
            Self::Interrupted => RunState::Interrupted,
        }
    }
}

impl From<CollectError> for RunError {
    /// For what goes wrong once the session stands.
    fn from(error: CollectError) -> Self {
        match error {
            CollectError::Source(error) => Self::Lost(error),
            CollectError::Store(error) => Self::Store(error),
            CollectError::Cancelled => Self::Interrupted,
            CollectError::Profile => Self::Fault,
        }
    }
}
