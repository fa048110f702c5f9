//! A process of its own that writes an entry of the audit log: an export opens a damaged archive in other processes alone,
//! as LMDB can end the one that does.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use clap::Args;

use super::{
    ask::{ENDING, PATIENCE, join, owner, runtime},
    output::say,
};
use crate::{
    access::{Entry, Outcome, noted},
    api::{BackupLine, Exit, Failure, Request},
    archive::{Committer, Store, StoreError},
    config::Config,
    control::{AskError, Client},
    gate::{NotNoted, Notes},
    patience::Patience,
};

/// The hidden command.
pub const COMMAND: &str = "note";
/// Its exit code where the archive is too damaged.
const DAMAGED: u8 = 5;

#[derive(Args, Debug)]
pub struct Arguments {
    action: String,
    object: String,
}

/// The process that writes the entry.
pub fn run(config: &Config, arguments: &Arguments) -> Result<u8, Failure> {
    match note(config, &arguments.action, &arguments.object)? {
        None => Ok(0),
        Some(damage) => {
            say(&damage.error);
            Ok(DAMAGED)
        }
    }
}

/// Notes that an export begins.
///
/// # Errors
/// That is impossible for another reason than a damaged archive, so nothing may be exported.
pub fn export(config_file: &Path, object: &str) -> Result<(), Failure> {
    let failed = |error| {
        Failure::new(
            Exit::Errors,
            format!("cannot start the process that notes the export: {error}"),
        )
    };
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.arg("--config").arg(config_file);
    command
        .args([COMMAND, "--", "export", object])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let output = command.output().map_err(failed)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let said: Vec<_> = said
        .lines()
        .map(|line| line.strip_prefix("dropkeep: ").unwrap_or(line))
        .collect();
    let first = said.first().copied().unwrap_or("the process that notes it was ended");
    match output.status.code() {
        Some(0) => Ok(()),
        Some(code) if code != i32::from(DAMAGED) => Err(Failure::new(Exit::from(code), first)),
        _ => {
            say_not_noted("this export", &Failure::new(Exit::Store, first));
            Ok(())
        }
    }
}

/// Notes in the audit log what a command is about to do by itself. Of the archive only the catalog is opened for it. Gives
/// what is wrong where the archive is too damaged to be written to: then there is no other way to what is left of it.
///
/// # Errors
/// It cannot be noted, as the disk is full or read-only, say: nothing may be shown then.
pub fn note(config: &Config, action: &str, object: &str) -> Result<Option<Failure>, Failure> {
    put(
        config,
        &Request::Note {
            action: action.to_owned(),
            object: object.to_owned(),
        },
    )
}

/// Notes that a backup is complete: in the archive, which then knows how old it is, and in the audit log.
///
/// # Errors
/// It cannot be noted.
pub fn backed_up(config: &Config, backup: BackupLine) -> Result<(), Failure> {
    put(config, &Request::BackedUp(backup))?.map_or(Ok(()), Err)
}

fn put(config: &Config, request: &Request) -> Result<Option<Failure>, Failure> {
    let (patience, ending) = (Patience::of(PATIENCE), Patience::of(ENDING));
    let noted = runtime()?.block_on(async {
        loop {
            if let Some(mut client) = Client::connect(&config.data_dir).await {
                match client.ask_quickly(request, &mut |_| {}).await {
                    Err(AskError::NotTaken(_)) if ending.again().await => continue,
                    answered => return Ok(answered.map_err(Failure::from)),
                }
            }
            match Store::open_incomplete(config) {
                Ok(store) => return note_here(config, store, request).await.map(Ok),
                Err(StoreError::InUse { .. }) if patience.again().await => {}
                Err(error) => return Err(error),
            }
        }
    });
    match noted {
        Ok(noted) => noted.map(|()| None),
        Err(error @ (StoreError::Damaged { .. } | StoreError::Lmdb { .. })) => Ok(Some(NotNoted(error).into())),
        Err(error @ (StoreError::Full { .. } | StoreError::Io { .. } | StoreError::Closed { .. })) => {
            Err(NotNoted(error).into())
        }
        Err(error) => Err(error.into()),
    }
}

async fn note_here(config: &Config, store: Store, request: &Request) -> Result<(), StoreError> {
    let store = Arc::new(store);
    let entry = noted(&owner(&store), request);
    let (committer, thread) = Committer::start(store, config.limits.inflight.0)?;
    let result = match request {
        Request::BackedUp(backup) => write(&committer, entry, Some(backup)).await,
        _ => write(&committer, entry.map(|entry| entry.ended(Outcome::Begun, "")), None).await,
    };
    drop(committer);
    let joined = join(thread);
    result?;
    joined.map_err(|failure| StoreError::Closed { why: failure.error })
}

async fn write(committer: &Committer, entry: Option<Entry>, backup: Option<&BackupLine>) -> Result<(), StoreError> {
    if let Some(entry) = entry {
        let noted = Notes::new(committer.clone()).note(entry).await;
        noted.map_err(|NotNoted(error)| error)?;
    }
    match backup {
        Some(backup) => committer.put_backed_up(backup).await,
        None => Ok(()),
    }
}

/// Says that something is not in the audit log, and why it is done all the same.
pub fn say_not_noted(what: &str, why: &Failure) {
    say(format!(
        "{what} is not in the audit log, as the archive is damaged: {why}"
    ));
}
