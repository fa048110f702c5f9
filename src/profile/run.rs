//! One run, from the first connection to the protocol on disk. The profile actor starts it and
//! counts; this says what happens in which order.

use std::sync::Arc;

use actix::{Actor, Addr, ArbiterHandle};

use super::{
    collect::CollectError,
    connection::{Close, Collect, Connect, Connection, Entry, ListFolders, Task},
};
use crate::{
    archive::StoreError,
    config::ConfigError,
    report::{Run, RunState},
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
    #[error("the connection stopped; this is a fault of dropkeep")]
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
            Self::Lost(_) => "connection",
            Self::Store(_) => "store",
            Self::Interrupted | Self::Fault => "run",
        }
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
    let mut refused = Vec::new();
    let result = through_folders(Arc::new(task), import, network, &mut refused).await;
    (refused, result)
}

async fn through_folders(
    task: Arc<Task>,
    import: Option<Import>,
    network: &ArbiterHandle,
    refused: &mut Vec<FolderError>,
) -> Result<(), RunError> {
    let entry = match import {
        Some(import) => Entry::Files(import),
        // Before the connection: a server must not see half a login.
        None => Entry::Server(task.profile.server.secret()?),
    };
    let connection = Connection::new(task.clone());
    let connection: Addr<Connection> = Connection::start_in_arbiter(network, |_| connection);
    let connected = connection.send(Connect(entry)).await.map_err(|_| RunError::Fault)?;
    connected.map_err(|error| match error {
        CollectError::Source(error) => RunError::Unreachable(error),
        other => other.into(),
    })?;
    let folders = connection.send(ListFolders).await.map_err(|_| RunError::Fault)??;
    for folder in folders {
        let collect = Collect { folder: folder.clone() };
        match connection.send(collect).await.map_err(|_| RunError::Fault)? {
            Ok(_) => {}
            Err(CollectError::Source(error)) if error.disposition() == crate::source::Disposition::Report => {
                refused.push(FolderError { folder, error });
            }
            Err(error) => return Err(error.into()),
        }
    }
    // Its answer says nothing that counts: all is committed.
    let _ = connection.send(Close).await;
    Ok(())
}

/// The state in which a run ends. `refused`: some folder could not be archived.
pub fn final_state(run: &Run, refused: bool, result: &Result<(), RunError>) -> RunState {
    match result {
        Err(error) => error.state(),
        Ok(()) if run.failed > 0 || refused => RunState::CompletedWithErrors,
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
