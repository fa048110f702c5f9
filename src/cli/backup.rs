//! `backup DIR`: a copy of the archive that opens as a data directory.

use std::{io::Write, path::PathBuf};

use super::{
    interruptible, note,
    output::{Output, counted, harmless, say},
};
use crate::{
    account::absolute,
    api::{Exit, Failure},
    archive::{BackedUp, back_up},
    clock,
    config::{ByteSize, Config},
};

/// What is said of a backup with secrets.
const NEEDS_KEY: &str = "the catalog keeps secrets of profiles, encrypted; their key (key_file under [secrets], or the credential \
                         dropkeep-key) is not in the backup, and a restore needs it: keep a copy elsewhere";

pub fn run(config: Config, to: PathBuf, json: bool) -> Result<u8, Failure> {
    // A copy that is needed is made all the same: it shows nothing to anybody.
    let not_noted = note::note(&config, "backup", &to.display().to_string()).unwrap_or_else(Some);
    let (path, here) = (to.clone(), config.clone());
    let done = interruptible::run("backup", interruptible::BYTES, move |hooks| {
        let store = interruptible::open_for_reading(&config)?;
        back_up(&store, &path, hooks)
    })?;
    if let Some(failure) = not_noted {
        say(format!("this backup is not in the audit log: {failure}"));
    }
    let to_remember = done.as_last(&absolute(&to), clock::now());
    if let Err(failure) = note::backed_up(&here, to_remember) {
        say(format!("the archive does not know of this backup: {failure}"));
    }
    let damaged = done.damaged.clone();
    let mut output = Output::new();
    if json {
        output.json(&done);
    } else {
        let BackedUp {
            messages,
            bytes,
            volumes,
            linked,
            reused,
            copied,
            copied_bytes,
            read_bytes,
            bytes_per_second,
            took_seconds,
            ..
        } = done;
        output.line(format!(
            "backup in {}: {} ({}), as of {:.0}",
            to.display(),
            counted(messages, "message"),
            ByteSize(bytes),
            done.taken_at
        ));
        output.line(format!(
            "volumes: {volumes} ({copied} copied, {linked} linked, {reused} unchanged); {} written in {took_seconds:.1} s ({} looked at, \
             {} a second)",
            ByteSize(copied_bytes),
            ByteSize(read_bytes),
            ByteSize(bytes_per_second)
        ));
        if done.encrypted_secrets > 0 {
            output.line(NEEDS_KEY);
        }
    }
    output.finish();
    for damaged in &damaged {
        // Standard error may be closed; the JSON says it too.
        let _ = writeln!(
            std::io::stderr(),
            "dropkeep: damaged in the archive, and so in this backup: {}. Everything else was copied; run `dropkeep verify` to \
             see which messages are affected",
            harmless(damaged)
        );
    }
    Ok(if damaged.is_empty() { 0 } else { Exit::Store as u8 })
}
