//! One run, from the first connection to the protocol on disk. The profile actor starts it and
//! counts; this module has the order of things.

use actix::{Addr, ArbiterHandle};

use super::{
    collect::CollectError,
    connection::{Close, Connection, Task},
    fleet::Fleet,
};
use crate::{
    archive::StoreError,
    config::ConfigError,
    report::{ALTERED, DELETION, Run, RunState, remedy},
    source::{Import, SourceError},
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

/// How a run ends for whoever asked for it: the command's exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    Done = 0,
    Errors = 1,
    Usage = 2,
    Source = 3,
    Store = 4,
    Interrupted = 130,
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

/// A folder that could not be archived; the others went on.
#[derive(Debug)]
pub struct FolderError {
    pub folder: String,
    pub error: SourceError,
}

/// Goes through the source, or through the files of an import. What became of the copies the profile has been told; this
/// gives the rest.
pub async fn go(
    task: Task,
    import: Option<Import>,
    network: &ArbiterHandle,
) -> (Vec<FolderError>, Result<(), RunError>) {
    let fleet = Fleet::new(task, network.clone());
    let result = through(&fleet, import).await;
    (fleet.take_refused(), result)
}

async fn through(fleet: &Fleet, import: Option<Import>) -> Result<(), RunError> {
    let from_server = import.is_none();
    let first = fleet.launch(import).await?;
    let mut connection = fleet.collect_all(Some(first)).await?;
    if !from_server || !fleet.deletes() {
        close(connection).await;
        return Ok(());
    }
    let mut folders = fleet.folders();
    for _ in 0..ROUNDS {
        folders = fleet.delete(folders, connection.take()).await?;
        if folders.is_empty() {
            break;
        }
        // Under names that were done there is mail that is not archived yet.
        fleet.survey(folders.clone());
        connection = fleet.collect_all(None).await?;
    }
    close(connection).await;
    Ok(())
}

/// So often other mail than what was archived may be found under its names, before the rest is left to the next run.
const ROUNDS: u32 = 3;

async fn close(connection: Option<Addr<Connection>>) {
    if let Some(connection) = connection {
        // Its answer says nothing that counts: all is committed.
        let _ = connection.send(Close).await;
    }
}

/// The state in which a run ends. `refused`: some folder could not be archived.
pub fn final_state(run: &Run, refused: bool, result: &Result<(), RunError>) -> RunState {
    let told = run
        .errors
        .iter()
        .any(|error| [DELETION, ALTERED].contains(&&*error.stage));
    match result {
        Err(error) => error.state(),
        Ok(()) if run.failed > 0 || refused || told => RunState::CompletedWithErrors,
        Ok(()) => RunState::Completed,
    }
}

/// The exit code for whoever asked for the run.
pub fn exit(state: RunState, result: &Result<(), RunError>) -> Exit {
    match (result, state) {
        (Err(error), _) => error.exit(),
        (Ok(()), RunState::Completed) => Exit::Done,
        (Ok(()), _) => Exit::Errors,
    }
}
