//! `restore DIR`: a backup becomes the data directory.

use std::{io::Write, path::PathBuf};

use super::{
    interruptible,
    output::{Output, counted, harmless},
};
use crate::{
    api::{Exit, Failure},
    archive::restore,
    config::{ByteSize, Config},
};

/// What is said of a backup with secrets.
const NEEDS_KEY: &str = "the catalog keeps secrets of profiles, encrypted; put the key that they were encrypted with where key_file \
                         under [secrets] says, or give each profile its secrets again (dropkeep profiles change)";

pub fn run(config: Config, from: PathBuf, json: bool) -> Result<u8, Failure> {
    let target = config.data_dir.clone();
    let done = interruptible::run("restore", interruptible::BYTES, move |hooks| {
        restore(&from, &config, hooks)
    })?;
    for file in &done.changed {
        // Standard error may be closed; the JSON says it too.
        let _ = writeln!(
            std::io::stderr(),
            "dropkeep: {} has changed since the backup was made: the backup was used as a data directory, or the file is \
             damaged. Run `dropkeep verify`",
            harmless(file)
        );
    }
    let mut output = Output::new();
    if json {
        output.json(&done);
    } else {
        output.line(format!(
            "restored to {}: {} ({}), as of {:.0}; volumes: {}; {} written in {:.1} s ({} a second)",
            target.display(),
            counted(done.messages, "message"),
            ByteSize(done.bytes),
            done.taken_at,
            done.volumes,
            ByteSize(done.copied_bytes),
            done.took_seconds,
            ByteSize(done.bytes_per_second)
        ));
        if done.encrypted_secrets > 0 {
            output.line(NEEDS_KEY);
        }
    }
    output.finish();
    for file in &done.damaged {
        let _ = writeln!(
            std::io::stderr(),
            "dropkeep: damaged in the backup, and restored as it is: {}. `dropkeep verify` lists the messages affected; \
             `dropkeep export` writes all the others",
            harmless(file)
        );
    }
    Ok(if done.damaged.is_empty() { 0 } else { Exit::Store as u8 })
}
