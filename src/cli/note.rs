//! A process of its own that writes an entry of the audit log: an export opens a damaged archive in other processes alone,
//! as LMDB can end the one that does.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use clap::Args;

use super::{ask, output::say};
use crate::{
    api::{Exit, Failure},
    config::Config,
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
    match ask::note(config, &arguments.action, &arguments.object)? {
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
            ask::say_not_noted("this export", &Failure::new(Exit::Store, first));
            Ok(())
        }
    }
}
