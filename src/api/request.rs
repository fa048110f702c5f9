//! What can be asked.

use serde::{Deserialize, Serialize};

use super::{
    AccountWish, AuditFilter, BackupLine, Format, MboxFrom, MboxKind, ProfileWish, Searched, Spoken, Taken, Upkeep,
    Written,
};
use crate::{
    ids::{MessageId, RunId},
    report::RunFilter,
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
    /// Read the configuration anew; what changed, then how much of the mail in the archive is for users with new
    /// addresses.
    Reload,
    /// Send a test mail to everyone who gets mail about runs, and call the webhook with a made-up run.
    TestNotices,
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
        /// Those of runs before this one.
        #[serde(default)]
        before: Option<RunId>,
    },
    Protocol {
        run: RunId,
    },
    /// How far a run is, again and again until it ends; then its protocol.
    Watch {
        run: RunId,
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
    /// Give a user who is not in the configuration other addresses.
    ChangeUser {
        name: String,
        addresses: Vec<String>,
    },
    /// Give one more address to a user who is not in the configuration, or to a new one; what became of them.
    Assign {
        address: String,
        user: String,
        /// The user is added by it.
        is_new: bool,
    },
    /// The lists, of the configuration and of the catalog.
    AddressLists,
    /// Have several users get the mail to an address that nobody has, as a list that is kept; with no user, that list goes.
    ChangeList {
        address: String,
        users: Vec<String>,
    },
    /// Report an address that nobody has no more, or report it again. Mail to it goes where it went.
    Ignore {
        address: String,
        ignored: bool,
    },
    /// The addresses that are ignored.
    Ignored,
    /// Add and change users as a table says, a line each: a name, and addresses. All of it, or nothing. What becomes of
    /// each, and then how much of the mail in the archive is for new addresses.
    ImportUsers {
        csv: String,
        /// Only say what would become of them.
        dry_run: bool,
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
        /// Only the messages that this query finds.
        #[serde(default)]
        query: Option<String>,
    },
    /// How far the rerouting is that is going on, again and again until it ends; then its run. Of one that has ended, its
    /// run alone; nothing where there was none since the start.
    WatchReroute,
    /// End the rerouting that is going on.
    InterruptReroute,
    /// Merge small blocks and remove what nothing needs; how it ended.
    Compact,
    /// End the compaction that a request asked for, where one is going on.
    InterruptCompaction,
    /// Read the archive back, and say what is damaged: how far it is, then how it ended. All of it, or a random share.
    Verify {
        /// More than 0, and at most 100.
        #[serde(default)]
        percent: Option<f64>,
    },
    /// End the verification that a request asked for, where one is going on.
    InterruptVerification,
    /// How far this is, again and again until it ends; then how it ended. Of what has ended, that alone; nothing where
    /// there was none, for a compaction none since the start.
    WatchUpkeep {
        upkeep: Upkeep,
    },
    /// How the search index stands.
    Index,
    /// Make the search index anew; how far it is, then how it stands.
    RebuildIndex,
    /// Whoever waits for the search index waits no longer.
    InterruptIndex,
    /// A user's messages, oldest first; those of all users, one after the other, where none is named.
    List {
        user: Option<String>,
        /// Only so many, the newest; of each user.
        newest: Option<usize>,
        /// Which of them; all of them for a client that knows no filter.
        #[serde(default)]
        filter: ListFilter,
    },
    /// A page of a user's messages, newest first, and behind which place the next one begins.
    Page {
        user: String,
        /// Those behind this place, as the page before said it.
        after: Option<String>,
        limit: usize,
    },
    /// The messages that a query finds.
    Search(Searched),
    /// A message's exact bytes.
    Raw {
        id: MessageId,
        /// First how a file of it is called.
        #[serde(default)]
        named: bool,
    },
    Show {
        id: MessageId,
        /// With the envelopes of the journal reports in which it came.
        journal: bool,
        /// With all of its text, and with its page made safe.
        #[serde(default)]
        full: bool,
        /// With its images that this page shows.
        #[serde(default)]
        images: bool,
    },
    /// What a part of a message holds, decoded; parts are numbered from 1 on as `show` lists them.
    Part {
        id: MessageId,
        part: usize,
    },
    /// Several messages as one file.
    Take(Taken),
    /// The journal reports in which a message came, with their envelopes.
    Journals {
        id: MessageId,
    },
    /// Who logs in.
    Accounts,
    Account {
        name: String,
    },
    /// Change an account, or add one.
    ChangeAccount {
        name: String,
        wish: AccountWish,
    },
    /// The sessions of an account, or of all.
    Sessions {
        account: Option<String>,
    },
    /// The application passwords of an account.
    Applications {
        account: String,
    },
    /// How profiles are set up: all, or the one of this name. With their secrets for the owner alone.
    Profiles {
        name: Option<String>,
        #[serde(default)]
        secrets: bool,
    },
    /// Add, change or remove a profile that is kept in the catalog.
    ChangeProfile {
        name: String,
        wish: ProfileWish,
    },
    /// Keep the profiles of a configuration file in the catalog. All of them, or none.
    ImportProfiles {
        toml: Spoken,
        /// Those that are kept already are changed.
        replace: bool,
        /// Only say what would become of them.
        dry_run: bool,
    },
    /// Test a profile, or how one would do that is not kept yet: its steps as they are made, then what was found.
    TestProfile {
        /// The one that is tested, or of which the secrets are that `profile` leaves out.
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        profile: Option<Written>,
    },
    /// Whether a profile could be kept as it is written; what is wrong with it otherwise. Nothing is changed, and no server
    /// is asked.
    CheckProfile {
        /// The one that is kept and would be changed; none where it would be added.
        #[serde(default)]
        name: Option<String>,
        profile: Written,
    },
    /// Have somebody log in for a profile by a code that they type into a page of its token endpoint (RFC 8628).
    LogInByCode {
        /// As for a test.
        #[serde(default)]
        name: Option<String>,
        /// With anything for the refresh token that is still to come.
        profile: Written,
        /// The code of the endpoint, where one was asked for: whether they have logged in.
        #[serde(default)]
        code: Option<Spoken>,
    },
    /// What a run of a profile would do, or of one that is not kept yet, over the whole source: how far it is, then what was
    /// counted. Ends when nobody reads the replies any more.
    Rehearse {
        /// As for a test.
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        profile: Option<Written>,
    },
    /// The audit log.
    Audit(AuditFilter),
    /// How the archive grew: how many messages were archived before each of these times, and its sizes day by day.
    Growth {
        before: Vec<jiff::Timestamp>,
    },
    /// Note that the archive was backed up.
    BackedUp(BackupLine),
    /// Note in the audit log what a command of the owner is about to do by itself.
    Note {
        action: String,
        object: String,
    },
}

impl Request {
    /// Whether the store alone can answer it; the others need the actors.
    pub fn only_reads(&self) -> bool {
        match self {
            Self::Protocols { .. }
            | Self::Protocol { .. }
            | Self::Users
            | Self::Ignored
            | Self::List { .. }
            | Self::Page { .. }
            | Self::Search(_)
            | Self::Raw { .. }
            | Self::Show { .. }
            | Self::Part { .. }
            | Self::Take(_)
            | Self::Journals { .. }
            | Self::Accounts
            | Self::Account { .. }
            | Self::Applications { .. }
            | Self::Growth { .. }
            | Self::Audit(_) => true,
            Self::Status
            | Self::Watch { .. }
            | Self::Reload
            | Self::Archive { .. }
            | Self::Import { .. }
            | Self::TestNotices
            | Self::Interrupt { .. }
            | Self::AddUser { .. }
            | Self::ChangeUser { .. }
            | Self::Assign { .. }
            | Self::Ignore { .. }
            | Self::AddressLists
            | Self::ChangeList { .. }
            | Self::WatchReroute
            | Self::ImportUsers { .. }
            | Self::RenameUser { .. }
            | Self::RetireUser { .. }
            | Self::Reroute { .. }
            | Self::InterruptReroute
            | Self::Compact
            | Self::InterruptCompaction
            | Self::Verify { .. }
            | Self::InterruptVerification
            | Self::WatchUpkeep { .. }
            | Self::Index
            | Self::RebuildIndex
            | Self::InterruptIndex
            | Self::Profiles { .. }
            | Self::ChangeProfile { .. }
            | Self::ImportProfiles { .. }
            | Self::TestProfile { .. }
            | Self::CheckProfile { .. }
            | Self::LogInByCode { .. }
            | Self::Rehearse { .. }
            | Self::ChangeAccount { .. }
            | Self::Sessions { .. }
            | Self::BackedUp(_)
            | Self::Note { .. } => false,
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
