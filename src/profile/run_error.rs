//! Why a run did not go through, and the exit code of it.

use super::collect_error::CollectError;
use crate::{
    api::Exit,
    archive::StoreError,
    config::ConfigError,
    report::{RunState, remedy},
    said::{Said, Say, error_as_said, said},
    source::SourceError,
    token::{Blame, LoginError},
};

/// Why a run did not go through, if it did not.
#[derive(Debug)]
pub enum RunError {
    Config(ConfigError),
    /// Before anything was looked at.
    Unreachable(SourceError),
    /// Before anything was looked at, too: the server refused us, or there is nothing to log in with.
    Login(LoginError),
    /// After the login: what was archived until then stays.
    Lost(SourceError),
    Store(StoreError),
    Interrupted,
    Fault,
}

error_as_said!(RunError);

impl Say for RunError {
    fn said(&self) -> Said {
        match self {
            Self::Config(error) => error.said(),
            Self::Unreachable(error) | Self::Lost(error) => error.said(),
            Self::Login(error) => error.said(),
            Self::Store(error) => error.said(),
            Self::Interrupted => said!(Interrupted, "interrupted"),
            Self::Fault => said!(ConnectionStopped, "the connection stopped; this is a bug in dropkeep"),
        }
    }
}

impl From<ConfigError> for RunError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<LoginError> for RunError {
    fn from(error: LoginError) -> Self {
        Self::Login(error)
    }
}

impl From<StoreError> for RunError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
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
    pub fn what_to_do(&self) -> Said {
        let advice = match self {
            Self::Unreachable(error) | Self::Lost(error) => error.what_to_do(),
            Self::Login(error) => error.what_to_do(),
            Self::Config(error) => error.what_to_do(),
            Self::Store(_) | Self::Interrupted | Self::Fault => None,
        };
        advice.unwrap_or_else(|| remedy(self.stage()))
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
