//! What is asked of an appliance, and what it answers: JSON, a reply a line.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    account::without_number,
    archive::{Compacted, StoreError},
    config::ConfigError,
    formats::{Format, MboxFrom, MboxKind},
    message::Address,
    profile::{Exit, Failing, LastRun, StartError},
    report::{Backlog, Run, RunFilter},
};

/// A request. One of these is the body of `POST /v1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Run a profile now: progress while it lasts, then how it finished.
    Archive {
        profile: String,
    },
    /// Archive files: progress while it lasts, then how it finished.
    Import {
        /// By whose rules, as a run of it. It, or `user`, is given, or both.
        #[serde(default)]
        profile: Option<String>,
        /// For whom all of it is filed.
        #[serde(default)]
        user: Option<String>,
        /// Absolute, as this machine has them.
        paths: Vec<String>,
        format: Format,
        mbox: MboxKind,
        #[serde(default)]
        mbox_from: Option<MboxFrom>,
    },
    /// Read the configuration anew; what changed, then how much of the mail in the archive is for users with new addresses.
    Reload,
    /// End the run of a profile in good order.
    Interrupt {
        profile: String,
    },
    /// Protocols, newest first.
    Protocols {
        newest: Option<usize>,
        /// Which of them; all of them for a client that knows no filter.
        #[serde(default)]
        filter: RunFilter,
    },
    Protocol {
        run: u64,
    },
    /// How each profile stands.
    Status,
    Users,
    /// Add a user; then how much of the mail in the archive is for them, unless it is not to be counted.
    AddUser {
        name: String,
        addresses: Vec<String>,
        #[serde(default)]
        no_count: bool,
    },
    RenameUser {
        name: String,
        to: String,
    },
    RetireUser {
        name: String,
    },
    /// File anew what is in the archive, or in one user's; what is filed, then the run.
    Reroute {
        #[serde(default)]
        from: Option<String>,
        profile: Option<String>,
        dry_run: bool,
    },
    /// End the rerouting that is going on.
    InterruptReroute,
    /// Merge small blocks and remove what nothing needs; how it ended.
    Compact,
    /// End the compaction that a request asked for, where one is going on.
    InterruptCompaction,
    /// A user's messages, oldest first; those of all users, one after the other, where none is named.
    List {
        user: Option<String>,
        /// Only so many, the newest; of each user.
        newest: Option<usize>,
        /// Which of them; all of them for a client that knows no filter.
        #[serde(default)]
        filter: ListFilter,
    },
    /// A message's exact bytes.
    Raw {
        id: u64,
    },
    Show {
        id: u64,
        /// With the envelopes of the journal reports in which it came.
        journal: bool,
    },
}

impl Request {
    /// Whether the store alone can answer it; the others need the actors.
    pub fn only_reads(&self) -> bool {
        match self {
            Self::Protocols { .. }
            | Self::Protocol { .. }
            | Self::Users
            | Self::List { .. }
            | Self::Raw { .. }
            | Self::Show { .. } => true,
            Self::Status
            | Self::Reload
            | Self::Archive { .. }
            | Self::Import { .. }
            | Self::Interrupt { .. }
            | Self::AddUser { .. }
            | Self::RenameUser { .. }
            | Self::RetireUser { .. }
            | Self::Reroute { .. }
            | Self::InterruptReroute
            | Self::Compact
            | Self::InterruptCompaction => false,
        }
    }
}

/// Which messages are listed. Texts are found anywhere in what they are compared with, in whatever case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ListFilter {
    pub from: Option<String>,
    /// Found in To, Cc or Bcc.
    pub to: Option<String>,
    pub subject: Option<String>,
    /// By when they were sent; both included.
    pub since: Option<jiff::Timestamp>,
    pub until: Option<jiff::Timestamp>,
    /// At most this many lines.
    pub limit: Option<usize>,
}

/// One line of an answer. An answer ends with `Done` or `Failed`; one that ends otherwise was cut.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Progress {
        run: u64,
        done: u64,
        expected: u64,
        bytes: u64,
    },
    Finished {
        run: Arc<Run>,
        exit: i32,
    },
    Run(Box<Run>),
    Compacted(Box<CompactedLine>),
    Rerouted(Box<RerouteLine>),
    Profile(Box<ProfileLine>),
    Appliance(Box<ApplianceLine>),
    Reloaded(Reloaded),
    /// The user of this name was added.
    Added(String),
    Backlog(Box<Backlog>),
    User(UserLine),
    Entry(EntryLine),
    /// A stretch of a message's bytes, in base64.
    Bytes(String),
    Shown(Box<Shown>),
    Failed(Failure),
    Done,
}

/// How a compaction ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CompactedLine {
    #[serde(flatten)]
    pub done: Compacted,
    pub interrupted: bool,
    /// Bytes on disk, and how many of those are free pages of the catalog and of the volume written to.
    pub disk_before: u64,
    pub disk_after: u64,
    pub free_before: u64,
    pub free_after: u64,
}

/// A message that rerouting filed: for these users, who did not have it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RerouteLine {
    pub id: u64,
    pub users: Vec<String>,
}

/// What a configuration that was read anew changed: names of profiles, and keys that count from the next start on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reloaded {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
    pub needs_restart: Vec<String>,
    /// Profiles whose rules for recipients changed: they count for mail to come.
    #[serde(default)]
    pub rules_changed: Vec<String>,
    #[serde(default)]
    pub users: ChangedNames,
}

/// Users whom the configuration or its users file changed, the first of each kind by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedNames {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub retired: Vec<String>,
    /// More of each.
    pub added_omitted: u64,
    pub changed_omitted: u64,
    pub retired_omitted: u64,
}

/// A line of `status`: a profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProfileLine {
    pub profile: String,
    /// As the configuration has it; empty from an appliance that does not say it yet.
    #[serde(default)]
    pub schedule: String,
    /// The server announces new mail over a connection that waits for it.
    #[serde(default)]
    pub watching: bool,
    /// Since when the appliance knows it.
    pub since: jiff::Timestamp,
    /// `idle`, `running`, or `failing`: the last runs failed one after the other, or it is being started anew.
    pub state: String,
    /// The run that is going on, and how far it is.
    pub run: Option<u64>,
    pub seen: u64,
    pub expected: u64,
    /// For how long that run has made no progress, and after how long it is given up.
    pub silent_seconds: u64,
    pub stall_timeout_seconds: u64,
    /// The runs that failed in a row; `null` where the last one did not.
    pub failing: Option<Failing>,
    /// The last run that asked the server.
    pub last: Option<LastRun>,
    pub last_success: Option<jiff::Timestamp>,
    pub next_run: Option<jiff::Timestamp>,
    /// The longest time between two runs by the schedule; `null` for those by hand.
    pub interval_seconds: Option<u64>,
    /// How far the archive is behind the source: copies that the last look at it left open; `null` before the first.
    pub open: Option<u64>,
}

/// The last line of `status`: the appliance and its archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ApplianceLine {
    pub version: String,
    /// Whether it is `serve` that answers, which runs the schedules; without it, the command answers itself.
    pub serving: bool,
    pub since: jiff::Timestamp,
    /// Why mail cannot be archived; `null` where it can.
    pub not_ready: Option<String>,
    /// Why the configuration, as its file is now or was at the last reload, is refused; `null` where it is not.
    pub configuration_refused: Option<String>,
    /// Users who disappeared from the configuration or its users file, in words, until a protocol has said it.
    #[serde(default)]
    pub users_retired: Option<String>,
    /// Mail in the archive for users with new addresses, in words, until a protocol has said it or it is filed.
    #[serde(default)]
    pub not_filed: Vec<String>,
    /// Users who are not retired, and those who are.
    pub users: u64,
    #[serde(default)]
    pub retired_users: u64,
    pub messages: u64,
    /// Bytes of the messages as they came, and on disk.
    pub raw_bytes: u64,
    pub stored_bytes: u64,
    /// Bytes of the data directory's disk.
    pub free_bytes: Option<u64>,
    pub disk_bytes: Option<u64>,
    /// Fetched copies of which nobody knows what became; always 0.
    pub unaccounted_copies: i64,
}

/// A line of `users`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserLine {
    pub name: String,
    pub addresses: Vec<Address>,
    pub managed: bool,
    pub retired: bool,
    pub messages: u64,
    pub bytes: u64,
}

/// A line of `list`: a message in a user's archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EntryLine {
    pub id: u64,
    pub user: String,
    /// When it was sent, as it says itself, and when it was archived.
    pub date: jiff::Timestamp,
    pub archived_at: jiff::Timestamp,
    pub from: String,
    pub to: String,
    pub subject: String,
    /// Bytes.
    pub size: u64,
    pub folder: String,
    pub sha256: String,
    /// Why the user has it: the header that decided, `unknown`, or `import --user`.
    pub why: String,
}

/// `show`: a readable view of a message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shown {
    pub id: u64,
    /// When it was sent, as it says itself, and when it was archived.
    pub date: jiff::Timestamp,
    pub archived_at: jiff::Timestamp,
    pub size: u64,
    pub sha256: String,
    pub from: String,
    pub to: String,
    pub cc: String,
    pub subject: String,
    pub headers: Vec<ShownHeader>,
    pub parts: Vec<ShownPart>,
    pub users: Vec<ShownUser>,
    /// The journal reports in which it came, the first 100.
    pub journals: Vec<ShownJournal>,
    /// What could not be understood, and what is not shown.
    pub notes: Vec<String>,
    /// The beginning of the text.
    pub text: String,
    /// There is more of it.
    #[serde(default)]
    pub text_is_cut: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownHeader {
    pub name: String,
    pub value: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownPart {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: Option<String>,
    /// Bytes, decoded.
    pub size: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownUser {
    pub user: String,
    pub folder: String,
    pub why: String,
    pub archived_at: jiff::Timestamp,
    pub run: u64,
}

/// A journal report: `raw` gives its bytes by its id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ShownJournal {
    pub id: u64,
    pub archived_at: jiff::Timestamp,
    pub run: u64,
    pub size: u64,
    pub sha256: String,
    /// The envelope, a line an address, where it was asked for; of a very long one the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope: Option<String>,
}

/// Why a request failed, and with which code a command ends for it.
#[derive(thiserror::Error, Clone, Debug, Serialize, Deserialize)]
#[error("{error}")]
pub struct Failure {
    pub error: String,
    pub exit: i32,
}

impl Failure {
    pub fn new(exit: Exit, error: impl ToString) -> Self {
        Self {
            error: without_number(&error.to_string()),
            exit: exit as i32,
        }
    }

    pub fn usage(error: impl ToString) -> Self {
        Self::new(Exit::Usage, error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::User { .. } | StoreError::Refused { .. } | StoreError::Account { .. } => Self::usage(error),
            StoreError::Interrupted => Self::new(Exit::Interrupted, error),
            StoreError::Damaged { ref detail } if !detail.contains("restore") => {
                let what_to_do = "what to do: Run dropkeep verify, and restore the volume from a backup.";
                Self::new(Exit::Store, format!("{error}; {what_to_do}"))
            }
            _ => Self::new(Exit::Store, error),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Busy(_) | StartError::Restarting(_) | StartError::Stopped(_) => Self::new(Exit::Errors, error),
            StartError::Store(error) => error.into(),
        }
    }
}
