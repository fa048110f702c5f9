//! The command line: one file a command. Text and JSON go to standard output, logs and
//! progress to standard error.

mod addresses;
mod archive;
mod ask;
mod backup;
mod compact;
mod explain;
mod export;
mod import;
mod interruptible;
mod list;
mod manual;
mod notify;
mod output;
mod protocols;
mod protocols_csv;
mod raw;
mod rehearse;
mod reload;
mod reroute;
mod restore;
mod serve;
pub mod service;
mod show;
mod status;
mod test;
mod users;
mod verify;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::{
    archive::{
        be_sparing,
        verify::{READER, reader},
    },
    config::{Config, LogFormat},
    control::api::Failure,
    panics::{self, survived},
    profile::Exit,
    report::Logs,
};

/// What commands log that tell what they do themselves: only what goes wrong.
const QUIET: &str = "error";

/// Archives multidrop mailboxes: files each message once and for good into the archive of each person
/// it belongs to.
#[derive(Parser, Debug)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    /// The configuration file; otherwise config/dropkeep.toml where there is one, or else /etc/dropkeep/dropkeep.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON on standard output.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the appliance: schedules, control socket, metrics and health over HTTP.
    Serve {
        #[command(flatten)]
        new: New,
    },
    /// Test a profile: connect, log in, look, and propose rules that fit its mail. Stores nothing.
    Test {
        /// The profile's name.
        profile: String,
    },
    /// Run a profile now.
    Archive {
        /// The profile's name.
        profile: String,
        /// Only say for whom the messages of the whole source would be, by their headers. Stores nothing.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        new: New,
    },
    /// Archive mail files under a profile's rules: messages (EML), mboxes, Maildirs, folders of them.
    Import {
        /// The profile's name.
        #[arg(long)]
        profile: String,
        #[command(flatten)]
        files: import::Files,
    },
    /// For whom a message would be, or is, and why: each address in it, where it stands, whether it counts, whose it
    /// is. Files nothing.
    Explain(explain::Arguments),
    /// The protocols of runs, newest first; one in full.
    Protocols(protocols::Arguments),
    /// Try how runs are told of: by mail, and by a webhook.
    Notify(notify::Arguments),
    /// How each profile stands (idle, running, or failing, since when and why), and the appliance.
    Status(status::Arguments),
    /// Have the running appliance read its configuration anew, as SIGHUP does. One that is refused changes nothing. Counts the
    /// messages in the archive that are for users with new addresses.
    Reload,
    /// The users and their archives.
    Users {
        #[command(subcommand)]
        change: Option<UsersCommand>,
    },
    /// The messages of a user, oldest first.
    List {
        /// The user's name.
        #[arg(long)]
        user: String,
        /// Only the newest so many.
        #[arg(long, value_name = "N")]
        newest: Option<usize>,
    },
    /// File what is in the archive for users who were added, or by rules that were changed, since. Nobody loses a message.
    Reroute(reroute::Arguments),
    /// A message's exact bytes, on standard output.
    Raw {
        /// The message's id, as `list` gives it.
        id: u64,
    },
    /// Copy the archive, as it is at this moment, to a directory; a backup that is there is replaced.
    Backup {
        /// The directory: empty, new, or with a backup of this archive.
        #[arg(value_name = "DIR")]
        to: PathBuf,
    },
    /// Put a backup in place as the data directory, which must be empty or new.
    Restore {
        /// The directory with the backup.
        #[arg(value_name = "DIR")]
        from: PathBuf,
    },
    /// Merge small blocks and give free room back.
    Compact {
        /// Only say what room there is, and what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// A readable view of a message.
    Show {
        /// The message's id, as `list` gives it.
        id: u64,
        /// With the envelopes of the journal reports in which it came.
        #[arg(long)]
        journal: bool,
    },
    /// Read everything back, recompute every digest, follow every reference.
    Verify(verify::Arguments),
    /// What `verify` runs in a process of its own.
    #[command(name = READER, hide = true)]
    VerifyReader,
    /// Write the archives as files that other programs read, byte for byte. Started again, it goes on where it was.
    Export(export::Arguments),
    /// Print what completes commands and options in a shell.
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
    /// Whether it does without knowing who the users are now.
    fn only_reads(&self) -> bool {
        match self {
            Self::Test { .. }
            | Self::Protocols(_)
            | Self::Notify(_)
            | Self::Status(_)
            | Self::Reload
            | Self::Users { change: None }
            | Self::List { .. }
            | Self::Raw { .. }
            | Self::Backup { .. }
            | Self::Restore { .. }
            | Self::Show { .. }
            | Self::Verify(_) => true,
            // The process that does the work says nothing of it again.
            Self::Export(arguments) => !arguments.is_worker(),
            Self::Serve { .. }
            | Self::Archive { .. }
            | Self::Import { .. }
            | Self::Users { change: Some(_) }
            | Self::Explain(_)
            | Self::Reroute(_)
            | Self::Compact { .. }
            | Self::VerifyReader
            | Self::Completions { .. }
            | Self::Manual { .. } => false,
        }
    }
}

/// For a command that makes an archive where there is none.
#[derive(clap::Args, Clone, Copy, Debug)]
struct New {
    /// Begin a new archive also where another one should be: the last one of this configuration, or a disk that is empty or not
    /// mounted.
    #[arg(long)]
    new: bool,
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
        /// Do not count the messages in the archive that are for the user. For scripts that add many users to a large archive.
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

/// Runs the command line; the exit code is the process's.
pub fn run() -> ExitCode {
    be_sparing();
    let cli = Cli::parse();
    panics::report();
    // A process that is watched by another ends as a panic ends it: that is told from an error.
    let watched = match &cli.command {
        Command::VerifyReader => true,
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
            // Standard error may be closed; the exit code says it too.
            let _ = writeln!(std::io::stderr(), "dropkeep: {}", output::harmless(&failure.error));
            ExitCode::from(u8::try_from(failure.exit).unwrap_or(1))
        }
    }
}

/// Says which files of the configuration are open to other accounts: in the log, or on standard error.
fn warn_of_exposed(config: &Config, in_log: bool) {
    for exposed in config.exposed() {
        match (in_log, exposed.grave) {
            (true, true) => tracing::error!("{exposed}"),
            (true, false) => tracing::warn!("{exposed}"),
            (false, grave) => {
                let word = if grave { "WARNING" } else { "warning" };
                let said = format!("{word}: {exposed}");
                let _ = writeln!(std::io::stderr(), "dropkeep: {}", output::harmless(&said));
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
        Command::Completions { shell } => return Ok(manual::completions(*shell)),
        Command::Manual { dir } => return manual::write(dir),
        _ => {}
    }
    let config_file = cli.config.unwrap_or_else(usual_config);
    let config = match (Config::load(&config_file), &cli.command) {
        (Ok(config), _) => config,
        (Err(error), Command::Status(arguments)) if arguments.check => return Ok(status::say_unknown(&error.into())),
        (Err(error), _) => return Err(error.into()),
    };
    let logs = match cli.command {
        Command::Serve { .. } => Logs::begin(&config.log.level, config.log.format),
        _ => Logs::begin(QUIET, LogFormat::Human),
    };
    let json = cli.json;
    // The others end over it, or ask an appliance that says it in its protocols.
    if cli.command.only_reads()
        && let Err(error) = config.require_users()
    {
        let said = format!("{error}; until then, the users are as they were before");
        let _ = writeln!(std::io::stderr(), "dropkeep: {}", output::harmless(&said));
    }
    if matches!(
        cli.command,
        Command::Serve { .. } | Command::Test { .. } | Command::Archive { .. }
    ) {
        warn_of_exposed(&config, matches!(cli.command, Command::Serve { .. }));
    }
    match cli.command {
        Command::Serve { new } => serve::run(config, new.new, &logs),
        Command::Test { profile } => test::run(&config, &profile, json),
        Command::Archive {
            profile,
            dry_run: true,
            new: _,
        } => rehearse::run(&config, &profile, json),
        Command::Archive {
            profile,
            dry_run: false,
            new,
        } => archive::run(config, profile, new.new, json),
        Command::Import { profile, files } => import::run(config, profile, files, json),
        Command::Explain(arguments) => explain::run(&config, &arguments, json),
        Command::Protocols(arguments) => protocols::run(config, arguments, json),
        Command::Notify(arguments) => notify::run(&config, arguments, json),
        Command::Status(arguments) => status::run(config, &arguments, json),
        Command::Reload => reload::run(&config, json),
        Command::Users { change } => users::run(config, change, json),
        Command::List { user, newest } => list::run(config, user, newest, json),
        Command::Reroute(arguments) => reroute::run(config, arguments, json),
        Command::Raw { id } => raw::run(config, id),
        Command::Show { id, journal } => show::run(config, id, journal, json),
        Command::Backup { to } => backup::run(config, to, json),
        Command::Restore { from } => restore::run(config, from, json),
        Command::Compact { dry_run } => compact::run(config, dry_run, json),
        Command::Verify(arguments) => verify::run(&config, &arguments.into(), json),
        Command::Export(arguments) => export::run(&config, &config_file, arguments, json),
        Command::VerifyReader | Command::Completions { .. } | Command::Manual { .. } => Ok(0),
    }
}

/// The configuration that is meant where none is named: that of a folder with the project in it, or else the machine's.
fn usual_config() -> PathBuf {
    let here = Path::new("config/dropkeep.toml");
    // Who may not look into the folder is told so, and not that there is no file.
    let installed = Path::new("/etc/dropkeep");
    match !here.exists() && installed.exists() {
        true => installed.join("dropkeep.toml"),
        false => here.to_owned(),
    }
}
