//! `backup DIR`: a copy of the archive that opens as a data directory.

use std::path::PathBuf;

use indicatif::HumanBytes;

use super::{
    interruptible,
    output::{Output, grouped},
};
use crate::{
    archive::{BackedUp, back_up},
    config::Config,
    control::api::Failure,
};

pub fn run(config: Config, to: PathBuf, json: bool) -> Result<u8, Failure> {
    let path = to.clone();
    let done = interruptible::run("backup", move |watch| {
        let store = interruptible::open_for_reading(&config)?;
        back_up(&store, &path, watch)
    })?;
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
            took_seconds,
            ..
        } = done;
        output.line(format!(
            "{} holds {} messages ({}), as of {:.0}",
            to.display(),
            grouped(messages),
            HumanBytes(bytes),
            done.taken_at
        ));
        output.line(format!(
            "{volumes} volumes: {copied} copied, {linked} linked, {reused} there already; {} written in {took_seconds:.1} s",
            HumanBytes(copied_bytes)
        ));
    }
    output.finish();
    Ok(0)
}
