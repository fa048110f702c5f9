//! `import --profile P PATH…`: mail files are archived, as a run of a profile.

use std::path::PathBuf;

use clap::Args;

use super::{New, archive};
use crate::{
    archive::Absent,
    config::Config,
    control::api::{Failure, Request},
    formats::{Format, MboxFrom, MboxKind},
};

/// Which files, and how they are read.
#[derive(Args, Debug)]
pub struct Files {
    /// What the files are.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Which kind of mbox they are: how `From ` lines in messages are quoted.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    mbox: MboxKind,
    /// Whether a line in an mbox that may stand before a message, and may be text, does: in doubt, the message that it is in
    /// is an error.
    #[arg(long, value_enum, ignore_case = true, value_name = "LOOSE|STRICT")]
    mbox_from: Option<MboxFrom>,
    /// Files and folders; folders with all that is below them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    new: New,
}

pub fn run(config: Config, profile: String, files: Files, json: bool) -> Result<u8, Failure> {
    config.profile(&profile)?;
    let Files {
        format,
        mbox,
        mbox_from,
        paths,
        new,
    } = files;
    let request = Request::Import {
        profile: profile.clone(),
        paths: paths.into_iter().map(absolute).collect::<Result<_, _>>()?,
        format,
        mbox,
        mbox_from,
    };
    let absent = Absent::made(new.new);
    archive::one_run(
        config,
        absent,
        request,
        Request::Interrupt { profile },
        json,
        &mut |_| {},
    )
}

/// The path as an appliance understands it that was started elsewhere.
fn absolute(path: PathBuf) -> Result<String, Failure> {
    let shown = path.display().to_string();
    let absolute = std::path::absolute(path).map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
    absolute.into_os_string().into_string().map_err(|_| {
        Failure::usage(format!(
            "{shown}: a name that is not UTF-8 cannot be handed on; import the folder it is in"
        ))
    })
}
