//! Which commands there are, and what they take.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use super::{
    accounts, audit, explain, export, given::New, import, list, note, notify, numbers, profiles, protocols,
    read_attachments, reroute, search, status, users, verify,
};
use crate::{
    archive::{MessageId, verify::READER},
    extract::COMMAND as READS_ATTACHMENTS,
};

/// Archives multidrop mailboxes: keeps every message, unchanged, and files it for each person it belongs to.
#[derive(Parser, Debug)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// The configuration file [default: config/dropkeep.toml if it exists, or else /etc/dropkeep/dropkeep.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
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
        change: Option<users::Command>,
    },
    /// Show how profiles are set up, or change those that are kept in the catalog, beside those of the configuration file.
    Profiles(profiles::Arguments),
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
    pub fn target(&self) -> Option<PathBuf> {
        match self {
            Self::Backup { to } => Some(to.clone()),
            Self::Export(arguments) => Some(arguments.dir().to_owned()),
            _ => None,
        }
    }

    /// Whether it goes by the profiles that the catalog keeps, too, without asking whoever does.
    pub fn names_profiles(&self) -> bool {
        matches!(
            self,
            Self::Test { .. }
                | Self::Archive { .. }
                | Self::Import(_)
                | Self::Explain(_)
                | Self::Protocols(_)
                | Self::Status(_)
                | Self::Reroute(_)
        )
    }

    /// Whether it does without knowing who the users are now.
    pub fn only_reads(&self) -> bool {
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
            | Self::Profiles(_)
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

#[derive(Subcommand, Debug)]
pub enum IndexCommand {
    /// Make the search index anew from the archive. Until that is done, search finds only a part.
    Rebuild,
}
