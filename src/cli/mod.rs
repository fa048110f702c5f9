//! The command line: one file a command. Text and JSON go to standard output, logs and
//! progress to standard error.

mod accounts;
mod archive;
mod ask;
mod audit;
mod backup;
mod below_counts;
mod columns;
mod commands;
mod compact;
mod completion;
mod config_page;
mod explain;
mod export;
mod given;
mod import;
mod index;
mod interruptible;
mod list;
mod manual;
mod mistaken;
mod note;
mod notify;
mod numbers;
mod output;
mod owner;
mod profiles;
mod progress;
mod protocols;
mod protocols_csv;
mod raw;
mod read_attachments;
mod rehearse;
mod reload;
mod remarks;
mod reroute;
mod restore;
mod search;
mod secret_input;
mod serve;
pub mod service;
mod show;
mod status;
mod table;
mod test;
mod users;
mod verify;
mod verify_search;

use std::{io, path::PathBuf, process::ExitCode};

use clap::{CommandFactory, FromArgMatches};

use self::commands::{Cli, Command};
use crate::{
    api::{Exit, Failure},
    archive::{allow_many_files, be_sparing, require_reachable, verify::reader},
    config::{Config, ConfigError, LogFormat},
    kept,
    panics::{self, survived},
    report::Logs,
    version,
};

/// What commands log that tell what they do themselves: only what goes wrong.
const QUIET: &str = "error";

/// Runs the command line of this `version`; the exit code is the process's.
pub fn run(version: &'static str) -> ExitCode {
    version::set(version);
    be_sparing();
    allow_many_files();
    completion::answer();
    let arguments = search::with_minus_words(std::env::args_os());
    let parsed = Cli::command().version(version).try_get_matches_from(arguments);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => match mistaken::answer(&error) {
            None => error.exit(),
            Some(answer) => {
                output::say(answer);
                return ExitCode::from(Exit::Usage as u8);
            }
        },
    };
    let target = cli.command.target();
    panics::report();
    // A process that is watched by another ends as a panic ends it: that is told from an error.
    let watched = match &cli.command {
        Command::VerifyReader | Command::Extract(_) => true,
        Command::Export(arguments) => arguments.is_worker(),
        _ => false,
    };
    let done = match watched {
        true => dispatch(cli),
        false => survived("the command", || dispatch(cli))
            .unwrap_or_else(|panicked| Err(Failure::new(Exit::Errors, panicked))),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            output::say(&failure.error);
            if let Some(advice) = owner::advice(&failure.error, target.as_deref()) {
                output::say(advice);
            }
            ExitCode::from(failure.exit as u8)
        }
    }
}

/// Says which files of the configuration are open to other accounts, and what is odd about secrets: in the log, or on
/// standard error.
fn warn_of_files(config: &Config, in_log: bool) {
    let exposed = config
        .exposed()
        .into_iter()
        .map(|exposed| (exposed.grave, exposed.to_string()));
    let remarks = config.remarks(in_log).into_iter().chain(remarks::of_key(config));
    for (grave, said) in exposed.chain(remarks.map(|remark| (false, remark))) {
        match (in_log, grave) {
            (true, true) => tracing::error!("{said}"),
            (true, false) => tracing::warn!("{said}"),
            (false, grave) => {
                let word = if grave { "WARNING" } else { "warning" };
                output::say(format!("{word}: {said}"));
            }
        }
    }
}

fn dispatch(cli: Cli) -> Result<u8, Failure> {
    match &cli.command {
        Command::VerifyReader => {
            Logs::begin(QUIET, LogFormat::Human);
            return reader().map(|()| 0).map_err(|error| Failure::new(Exit::Errors, error));
        }
        Command::Extract(arguments) => {
            return read_attachments::run(arguments)
                .map(|()| 0)
                .map_err(|error| Failure::new(Exit::Errors, error));
        }
        Command::Completions { shell } => return Ok(completion::print(*shell)),
        Command::Manual { dir } => return manual::write(dir),
        _ => {}
    }
    let is_given = cli.config.is_some();
    let (config_file, loaded) = match cli.config.map_or_else(usual_config, Ok) {
        Ok(file) => {
            let loaded = Config::load(&file);
            (file, loaded)
        }
        // An appliance may run whose configuration is gone since.
        Err(error) => (PathBuf::from(INSTALLED), Err(error)),
    };
    let mut config = match (loaded, &cli.command) {
        (Ok(config), _) => config,
        (Err(error), Command::Status(arguments)) => {
            return status::run_refused(&config_file, error.into(), arguments, cli.json);
        }
        (Err(error), Command::Reload) => return reload::run_refused(&config_file, error.into(), cli.json),
        (Err(error), _) => return Err(error.into()),
    };
    owner::become_owner(&config_file, is_given, &config.data_dir)?;
    let logs = match cli.command {
        Command::Serve { .. } => Logs::begin(&config.log.level, config.log.format),
        _ => Logs::begin(QUIET, LogFormat::Human),
    };
    if let Some(account) = owner::for_root() {
        tracing::debug!("started by root; runs as {account}, the owner of the archive");
    }
    let json = cli.json;
    // The others end over it, or ask an appliance that says it in its protocols.
    if cli.command.only_reads()
        && let Err(error) = config.require_users()
    {
        output::say(format!("{error}; until then, the users are as they were before"));
    }
    if matches!(
        cli.command,
        Command::Serve { .. }
            | Command::Test { .. }
            | Command::Archive { .. }
            | Command::Import { .. }
            | Command::Notify(_)
            | Command::Reload
    ) {
        warn_of_files(&config, matches!(cli.command, Command::Serve { .. }));
    }
    // `status` asks by itself: to a monitoring plugin this is no failure of the appliance.
    if !matches!(
        cli.command,
        Command::Test { .. } | Command::Notify(_) | Command::Status(_)
    ) {
        require_reachable(&config.data_dir)?;
    }
    if cli.command.names_profiles() {
        kept::merge_from(&mut config);
    }
    match cli.command {
        Command::Serve { new } => serve::run(config, new.new, &logs),
        Command::Test { profile } => test::run(&config, profile.as_deref(), json),
        Command::Archive {
            profile,
            dry_run: true,
            new: _,
        } => rehearse::run(&config, profile.as_deref(), json),
        Command::Archive {
            profile,
            dry_run: false,
            new,
        } => archive::run(config, profile.as_deref(), new.new, json),
        Command::Import(arguments) => import::run(config, arguments, json),
        Command::Explain(arguments) => explain::run(&config, &arguments, json),
        Command::Protocols(arguments) => protocols::run(config, arguments, json),
        Command::Notify(arguments) => notify::run(&config, arguments, json),
        Command::Status(arguments) => status::run(config, &arguments, json),
        Command::Reload => reload::run(&config, json),
        Command::Users { change } => users::run(config, change, json),
        Command::Profiles(arguments) => profiles::run(config, arguments, json),
        Command::Accounts(arguments) => accounts::run(config, arguments, json),
        Command::Audit(arguments) => audit::run(&config, arguments, json),
        Command::List(arguments) => list::run(config, arguments, json),
        Command::Search(arguments) => search::run(&config, arguments, json),
        Command::Reroute(arguments) => reroute::run(config, arguments, json),
        Command::Raw { id } => raw::run(config, id),
        Command::Show { id, journal } => show::run(config, id, journal, json),
        Command::Backup { to } => backup::run(config, to, json),
        Command::Restore { from } => restore::run(config, from, json),
        Command::Compact { dry_run } => compact::run(config, dry_run, json),
        Command::Index { change } => index::run(config, change.is_some(), json),
        Command::Verify(arguments) if arguments.is_of_search() => verify_search::run(&config, json),
        Command::Verify(arguments) => verify::run(&config, &arguments.into(), json),
        Command::Note(arguments) => note::run(&config, &arguments),
        Command::Export(arguments) => export::run(&config, &config_file, arguments, json),
        Command::VerifyReader | Command::Extract(_) | Command::Completions { .. } | Command::Manual { .. } => Ok(0),
    }
}

const INSTALLED: &str = "/etc/dropkeep/dropkeep.toml";

/// The configuration that is meant where none is named: that of a folder with the project in it, or else the machine's.
fn usual_config() -> Result<PathBuf, ConfigError> {
    let [here, installed] = ["config/dropkeep.toml", INSTALLED].map(PathBuf::from);
    if here.exists() {
        return Ok(here);
    }
    match installed.try_exists() {
        Ok(true) => Ok(installed),
        // Who may not look into the folder is told so, and not that there is no file.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(installed),
        _ => Err(ConfigError::None),
    }
}
