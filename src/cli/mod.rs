//! The command line: one file a command. Text and JSON go to standard output, logs and
//! progress to standard error.

mod accounts;
mod archive;
mod ask;
mod audit;
mod backup;
mod below_counts;
mod columns;
mod compact;
mod completion;
mod config_page;
mod explain;
mod export;
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

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    api::{Exit, Failure},
    archive::{
        MessageId, allow_many_files, be_sparing, require_reachable,
        verify::{READER, reader},
    },
    config::{Config, ConfigError, LogFormat, Profile},
    extract::COMMAND as READS_ATTACHMENTS,
    panics::{self, survived},
    report::Logs,
    version,
};

/// What commands log that tell what they do themselves: only what goes wrong.
const QUIET: &str = "error";

/// Archives multidrop mailboxes: keeps every message, unchanged, and files it for each person it belongs to.
#[derive(Parser, Debug)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    /// The configuration file [default: config/dropkeep.toml if it exists, or else /etc/dropkeep/dropkeep.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the appliance: archive on schedule, answer the other commands, serve metrics and health over HTTP.
    Serve {
        #[command(flatten)]
        new: New,
    },
    /// Test a profile: connect, log in, look, and propose rules that fit its mail. Stores nothing.
    Test {
        /// The profile's name; not needed if there is only one.
        profile: Option<String>,
    },
    /// Run a profile now.
    ///
    /// Where an appliance is running, the run takes place inside it; otherwise in this process.
    Archive {
        /// The profile's name; not needed if there is only one.
        profile: Option<String>,
        /// Only say for whom the messages of the whole source would be, by their headers. Stores nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        new: New,
    },
    /// Archive old mail from files: messages (EML), mboxes, Maildirs, and folders of them.
    ///
    /// Say whose mail it is: --user files all of it for one user, whatever stands in it; --profile files each message
    /// for those whom it names, by that profile's rules. With both, the user gets all of it, and the others what names
    /// them. Importing the same files again stores nothing twice.
    Import(import::Arguments),
    /// Show for whom a message is, or would be, and why: each address in it, where it stands, whether it counts, and
    /// whose it is. Files nothing.
    Explain(explain::Arguments),
    /// The protocols of runs, newest first; one in full.
    Protocols(protocols::Arguments),
    /// Test the mail and the webhook that report runs.
    Notify(notify::Arguments),
    /// Show how each profile and the appliance are doing.
    Status(status::Arguments),
    /// Make the running appliance read its configuration again, as SIGHUP does. A configuration with errors changes
    /// nothing. Counts the messages in the archive that are for users with new addresses.
    Reload,
    /// Show or change the users.
    Users {
        #[command(subcommand)]
        change: Option<UsersCommand>,
    },
    /// Show or change who logs in: accounts with their roles, and whose archives they may read.
    Accounts(accounts::Arguments),
    /// Show who did what, and check that nothing of it was changed or removed.
    Audit(audit::Arguments),
    /// List the messages of a user, or of all, oldest first: all of them, or those that match.
    ///
    /// On a terminal, long values are cut to fit its width; elsewhere they are whole. --json has all of a message's
    /// values. A filter by text reads the header of each message of that user and time.
    List(list::Arguments),
    /// Find messages by their words, addresses, dates and more. A message that several users have is one result.
    ///
    /// The language is described in docs/search.md. --json prints one object per message, and a last one with how many
    /// there are, what comes next, and counts.
    Search(search::Arguments),
    /// File mail that is already in the archive for users who were added, or by rules that were changed, since then.
    /// Nobody loses a message.
    Reroute(reroute::Arguments),
    /// Print a message, byte for byte as it was received, on standard output.
    Raw {
        /// The message's id, as `list` shows it.
        #[arg(value_parser = numbers::message_id)]
        id: MessageId,
    },
    /// Copy the archive to a directory. A backup that is already there is replaced.
    Backup {
        /// An empty or new directory, or one with a backup of this archive.
        #[arg(value_name = "DIR")]
        to: PathBuf,
    },
    /// Copy a backup to the data directory, which must be empty or new.
    Restore {
        /// The directory with the backup.
        #[arg(value_name = "DIR")]
        from: PathBuf,
    },
    /// Merge small blocks and give free space back to the disk.
    Compact {
        /// Only show how much is free and what would be done; change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Show how the search index stands, or make it anew. An index that is missing or damaged is made anew by itself.
    Index {
        #[command(subcommand)]
        change: Option<IndexCommand>,
    },
    /// Show a message: its header, who has it and why, its parts, and its text.
    Show {
        /// The message's id, as `list` shows it.
        #[arg(value_parser = numbers::message_id)]
        id: MessageId,
        /// Also show the envelopes of the journal reports in which it came.
        #[arg(long)]
        journal: bool,
    },
    /// Read the archive back and check every message, digest and reference. Changes nothing.
    Verify(verify::Arguments),
    /// What `verify` runs in a process of its own.
    #[command(name = READER, hide = true)]
    VerifyReader,
    /// What reads attachments for the index, in a process of its own.
    #[command(name = READS_ATTACHMENTS, hide = true)]
    Extract(read_attachments::Arguments),
    /// What `export` runs to note that it begins.
    #[command(name = note::COMMAND, hide = true)]
    Note(note::Arguments),
    /// Write messages as files that other programs can read. Started again, it continues where it stopped.
    Export(export::Arguments),
    /// Print the completion script for a shell: commands, options, profiles and users.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the man pages.
    #[command(hide = true)]
    Manual {
        /// The directory for them, which is there.
        dir: PathBuf,
    },
}

impl Command {
    /// The folder that it writes to, apart from the archive.
    fn target(&self) -> Option<PathBuf> {
        match self {
            Self::Backup { to } => Some(to.clone()),
            Self::Export(arguments) => Some(arguments.dir().to_owned()),
            _ => None,
        }
    }

    /// Whether it does without knowing who the users are now.
    fn only_reads(&self) -> bool {
        match self {
            Self::Test { .. }
            | Self::Protocols(_)
            | Self::Notify(_)
            | Self::Users { change: None }
            | Self::List(_)
            | Self::Audit(_)
            | Self::Search(_)
            | Self::Raw { .. }
            | Self::Backup { .. }
            | Self::Restore { .. }
            | Self::Show { .. }
            | Self::Verify(_) => true,
            // The process that does the work says nothing of it again.
            Self::Export(arguments) => !arguments.is_worker(),
            // What they say is about the configuration, too.
            Self::Status(_) | Self::Reload => false,
            Self::Serve { .. }
            | Self::Archive { .. }
            | Self::Import(_)
            | Self::Users { change: Some(_) }
            | Self::Accounts(_)
            | Self::Explain(_)
            | Self::Reroute(_)
            | Self::Compact { .. }
            | Self::Index { .. }
            | Self::VerifyReader
            | Self::Note(_)
            | Self::Extract(_)
            | Self::Completions { .. }
            | Self::Manual { .. } => false,
        }
    }
}

/// For a command that makes an archive where there is none.
#[derive(clap::Args, Clone, Copy, Debug)]
struct New {
    /// Make a new archive, even if this configuration had an archive before.
    #[arg(long)]
    new: bool,
}

#[derive(Subcommand, Debug)]
enum IndexCommand {
    /// Make the search index anew from the archive. Until that is done, search finds only a part.
    Rebuild,
}

#[derive(Subcommand, Debug)]
enum UsersCommand {
    /// Add a user with addresses.
    Add {
        /// The user's name, which nobody else has.
        name: String,
        /// Addresses, or patterns such as *@sub.example.com, which are nobody's yet.
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<String>,
        /// Do not count the messages in the archive that are for the user. For scripts that add many users to a large
        /// archive.
        #[arg(long)]
        no_count: bool,
        #[command(flatten)]
        new: New,
    },
    /// Give a user another name; the archive stays.
    Rename {
        /// The name so far.
        name: String,
        /// The new one.
        to: String,
    },
    /// File nothing more for a user; the archive stays.
    Retire {
        /// The user's name.
        name: String,
    },
}

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
    let key = (!in_log).then(|| remarks::of_key(config)).flatten();
    let remarks = config.remarks(in_log).into_iter().chain(key);
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
    let config = match (loaded, &cli.command) {
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

/// The profile of this name; where none is named, the only one.
fn only_profile<'c>(config: &'c Config, name: Option<&str>) -> Result<&'c Profile, Failure> {
    match (name, config.profile.as_slice()) {
        (Some(name), _) => Ok(config.profile(name)?),
        (None, [only]) => Ok(only),
        (None, []) => Err(Failure::usage(
            "the configuration has no profile: write one ([[profile]] and [profile.server])",
        )),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|profile| profile.name.as_str()).collect();
            Err(Failure::usage(format!("which profile? There are {}", names.join(", "))))
        }
    }
}

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
