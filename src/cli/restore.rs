//! `restore DIR`: a backup becomes the data directory.

use std::{io::Write, path::PathBuf};

use indicatif::HumanBytes;

use super::{
    ask, interruptible,
    output::{Output, grouped, harmless},
};
use crate::{archive::restore, config::Config, control::api::Failure, profile::Exit};

pub fn run(config: Config, from: PathBuf, json: bool) -> Result<u8, Failure> {
    let target = config.data_dir.clone();
    let done = interruptible::run("restore", move |watch| restore(&from, &config, watch))?;
    ask::say_new(&target);
    for file in &done.changed {
        // Standard error may be closed; the JSON says it too.
        let _ = writeln!(
            std::io::stderr(),
            "dropkeep: {} is not as the backup left it: it was opened as a data directory since, or is damaged; run \
             `dropkeep verify`",
            harmless(file)
        );
    }
    let mut output = Output::new();
    if json {
        output.json(&done);
    } else {
        output.line(format!(
            "{} holds {} messages ({}) in {} volumes, as of {:.0}; {} written in {:.1} s",
            target.display(),
            grouped(done.messages),
            HumanBytes(done.bytes),
            done.volumes,
            done.taken_at,
            HumanBytes(done.copied_bytes),
            done.took_seconds
        ));
    }
    output.finish();
    for file in &done.damaged {
        let _ = writeln!(
            std::io::stderr(),
            "dropkeep: {} is damaged; it is in place as it was found. `dropkeep verify` tells what is lost, and \
             `dropkeep export` goes round it",
            harmless(file)
        );
    }
    Ok(if done.damaged.is_empty() { 0 } else { Exit::Store as u8 })
}
