//! What is answered: a reply is one line of JSON.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AccountLine, ApplianceLine, ApplicationLine, AuditEnd, AuditLine, ChangedLine, DeviceCodeLine, Exit, Failure,
    FoundLine, GrowthLine, HitLine, IndexLine, Made, NoticeLine, Origin, ProfileLine, ProfileSetup, SessionLine, Shown,
    ShownJournal, ShownPart, Spoken, StepLine, VerificationLine,
};
use crate::{
    ids::{MessageId, RunId},
    message::Address,
    report::{Backlog, Run},
};

/// One line of an answer. An answer ends with `Done` or `Failed`; one that ends otherwise was cut.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Progress {
        run: RunId,
        done: u64,
        expected: u64,
        bytes: u64,
    },
    Finished {
        run: Arc<Run>,
        exit: Exit,
    },
    Run(Box<Run>),
    /// How far a compaction is: rows looked at, and how many will be, as far as that is known.
    Compacting {
        done: u64,
        expected: u64,
    },
    Compacted(Box<CompactedLine>),
    /// How far a verification is: bytes of mail read back, of how many.
    Verifying {
        done: u64,
        expected: u64,
    },
    Verified(Box<VerificationLine>),
    /// How far the search index is: documents that are in it, and messages.
    Indexing {
        done: u64,
        expected: u64,
    },
    Index(Box<IndexLine>),
    Rerouted(Box<RerouteLine>),
    Profile(Box<ProfileLine>),
    Appliance(Box<ApplianceLine>),
    Reloaded(Reloaded),
    /// The user of this name was added.
    Added(String),
    Backlog(Box<Backlog>),
    User(UserLine),
    AddressList(AddressListLine),
    /// An address that is ignored.
    Ignored(String),
    Entry(EntryLine),
    /// A message that was found; behind all of them comes how many there are.
    Hit(Box<HitLine>),
    Found(Box<FoundLine>),
    /// How a file of a message is called, by its date, its subject and its id.
    FileName(String),
    /// A stretch of a message's bytes, in base64.
    Bytes(String),
    Shown(Box<Shown>),
    Part(ShownPart),
    Journal(Box<ShownJournal>),
    /// What to ask for as `after` to get the next page; nothing where there is none.
    Next(Option<String>),
    Account(AccountLine),
    Session(SessionLine),
    Application(ApplicationLine),
    Made(Made),
    Setup(Box<ProfileSetup>),
    /// What became of a profile or a user; of a preview, what would.
    Changed(ChangedLine),
    Step(StepLine),
    /// What the test of a profile found, as `test --json` prints it.
    Tested(Box<serde_json::Value>),
    /// How a test mail went, or a call of the webhook.
    Noticed(NoticeLine),
    /// A code that somebody types, to log in for a profile.
    Code(DeviceCodeLine),
    /// The refresh token that they got by it; none as long as they have not logged in.
    LoggedIn(Option<Spoken>),
    /// How far a rehearsal is: copies looked at, and how many there are as far as is known.
    Rehearsing {
        done: u64,
        expected: u64,
        /// For whom those are that were looked at, the most frequent first.
        #[serde(default)]
        users: Vec<(String, u64)>,
    },
    /// What a rehearsal counted, as `archive --dry-run --json` prints it.
    Rehearsed(Box<serde_json::Value>),
    Audited(Box<AuditLine>),
    AuditEnd(AuditEnd),
    Growth(Box<GrowthLine>),
    /// What else is wrong with a profile, beside what its check fails over.
    AlsoWrong(Failure),
    Failed(Failure),
    Done,
}

/// How a compaction ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CompactedLine {
    /// Messages and parts whose bytes lie elsewhere now, and how many bytes they have as they came.
    pub moved: u64,
    pub bytes: u64,
    /// Blocks deleted from the volume that is written to, and volumes removed.
    pub blocks: u64,
    pub volumes: u64,
    /// Something is left for the next time: somebody read meanwhile, it was interrupted, or mail is damaged.
    pub left: bool,
    /// Damaged mail was met, and stays where it is.
    pub damaged: bool,
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
    pub id: MessageId,
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

/// A line of `users`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserLine {
    pub name: String,
    #[schema(value_type = Vec<String>)]
    pub addresses: Vec<Address>,
    pub managed: bool,
    pub retired: bool,
    pub messages: u64,
    pub bytes: u64,
}

impl UserLine {
    /// Whether commands and pages change who it is: it is not built in, not retired, and not of the configuration.
    pub fn can_be_changed(&self) -> bool {
        !self.managed && !self.retired && !self.name.starts_with('@')
    }
}

/// A list: an address whose mail several users get.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AddressListLine {
    #[schema(value_type = String)]
    pub address: Address,
    /// The names of the users.
    pub users: Vec<String>,
    pub origin: Origin,
    /// It is not where it is kept and its address is somebody's in the configuration.
    pub in_force: bool,
}

/// A line of `list`: a message in a user's archive.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EntryLine {
    pub id: MessageId,
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
