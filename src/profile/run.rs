//! One run, from the first connection to the protocol on disk. The profile actor starts it and
//! counts; this module has the order of things.

use actix::{Addr, ArbiterHandle};

use super::{
    connection::{Close, Connection},
    fleet::Fleet,
    jobs::FolderError,
    run_error::RunError,
    task::Task,
};
use crate::{
    api::Exit,
    report::{ALTERED, DELETION, Run, RunState},
    source::Import,
};

/// Goes through the source, or through the files of an import. What became of the copies the profile has been told;
/// this gives the rest.
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
        fleet.list(folders.clone());
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
        Ok(()) if run.counts.failed > 0 || refused || told => RunState::CompletedWithErrors,
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
