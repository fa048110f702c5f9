//! `import PATH…`: old mail from files, for one user or by a profile's rules. It is a run.

use std::path::PathBuf;

use clap::Args;

use super::{archive, given::New};
use crate::{
    api::{Failure, Format, MboxFrom, MboxKind, Request},
    archive::{Absent, Store, StoreError},
    config::Config,
    message::CATCHALL,
    reading::no_user,
    report::IMPORT,
};

#[derive(Args, Debug)]
pub struct Arguments {
    /// File all of it for this user, whatever addresses it contains.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// File each message for the people it names, by the rules of this profile; with --user, also for that user.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// What the files are; `auto` detects it.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// How the mboxes quote lines of a message that begin with `From `; `auto` detects it.
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    mbox: MboxKind,
    /// How to read a line in an mbox that may begin a message or be text. Without this, the message around it is an
    /// error.
    #[arg(long, value_enum, ignore_case = true, value_name = "LOOSE|STRICT")]
    mbox_from: Option<MboxFrom>,
    /// Files and folders; folders with all that is below them.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    new: New,
}

pub fn run(config: Config, arguments: Arguments, json: bool) -> Result<u8, Failure> {
    let Arguments {
        user,
        profile,
        format,
        mbox,
        mbox_from,
        paths,
        new,
    } = arguments;
    match &profile {
        Some(name) => drop(config.profile(name)?),
        None if user.is_none() => return Err(whose(&config)),
        None => {}
    }
    if let Some(name) = &user {
        known_if_new(&config, name)?;
    }
    let interrupted = profile.clone().unwrap_or_else(|| IMPORT.to_owned());
    let request = Request::Import {
        profile,
        user,
        paths: paths.into_iter().map(absolute).collect::<Result<_, _>>()?,
        format,
        mbox,
        mbox_from,
    };
    let absent = Absent::made(new.new);
    let interrupt = Request::Interrupt { profile: interrupted };
    archive::one_run(config, absent, request, interrupt, json, &mut |_| {})
}

/// Where there is no archive yet, a mistyped name does not make one.
fn known_if_new(config: &Config, name: &str) -> Result<(), Failure> {
    config.require_users()?;
    let is_known = || config.users().any(|user| user.name == name);
    match Store::open_for_reading(config) {
        Err(StoreError::None { .. } | StoreError::NotMade { .. }) if name != CATCHALL && !is_known() => {
            Err(no_user(name, config.users().map(|user| user.name.as_str())))
        }
        _ => Ok(()),
    }
}

/// Neither a user nor a profile is given.
fn whose(config: &Config) -> Failure {
    let names: Vec<_> = config.profile.iter().map(|profile| profile.name.as_str()).collect();
    let known = match names.as_slice() {
        [] => String::new(),
        names => format!(" (the profiles: {})", names.join(", ")),
    };
    Failure::usage(format!(
        "whose mail is it? --user NAME files all of it for one user; --profile NAME files each message for those whom it \
         names, by that profile's rules{known}"
    ))
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
