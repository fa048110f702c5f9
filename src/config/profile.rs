//! `[[profile]]`: which source is archived, when, and for whom its messages are.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use super::{
    DailyHours, Exclude, Family, Hosts, Notify, Origin, Schedule, Server, Span, Wrapping, Zone, values::from_text,
};
use crate::said::{Said, said};

/// `[[profile]]`: a named, saved description of how one source is archived.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    #[serde(skip)]
    pub origin: Origin,
    pub name: String,
    #[serde(default)]
    pub schedule: Schedule,
    /// In which `schedule` and `pause` are read; the machine's own where none is given.
    #[serde(default)]
    pub timezone: Zone,
    /// Hours of the day in which no run of the schedule goes on.
    #[serde(default)]
    pub pause: DailyHours,
    /// A run that makes no progress for this long is given up, and its profile started anew.
    #[serde(default = "default_stall_timeout")]
    pub stall_timeout: Span,
    /// Sessions of one run at once, over IMAP. POP3 has one.
    #[serde(default = "default_connections")]
    pub connections: u32,
    /// How often the headers of copies that are done are compared with what was archived, at most.
    #[serde(default)]
    pub recheck: Recheck,
    /// What becomes of messages that come empty, or as a server's words in place of one.
    #[serde(default)]
    pub empty: Empty,
    pub server: Server,
    #[serde(default)]
    pub folders: Folders,
    #[serde(default)]
    pub exclude: Exclude,
    #[serde(default)]
    pub recipients: Recipients,
    #[serde(default)]
    pub delete: Delete,
    #[serde(default)]
    pub notify: Notify,
}

impl Profile {
    /// A profile with the defaults of everything else.
    pub fn new(name: &str, server: Server) -> Self {
        Self {
            origin: Origin::File,
            name: name.to_owned(),
            schedule: Schedule::default(),
            timezone: Zone::default(),
            pause: DailyHours::default(),
            stall_timeout: default_stall_timeout(),
            connections: default_connections(),
            recheck: Recheck::default(),
            empty: Empty::default(),
            server,
            folders: Folders::default(),
            exclude: Exclude::default(),
            recipients: Recipients::default(),
            delete: Delete::default(),
            notify: Notify::default(),
        }
    }

    /// Which parts of it have no effect.
    pub(super) fn remark(&self) -> Option<String> {
        let folders = &self.folders;
        let key = match folders.include.as_slice() {
            [inbox] if inbox.eq_ignore_ascii_case("INBOX") && folders.exclude.is_empty() => return None,
            [inbox] if inbox.eq_ignore_ascii_case("INBOX") => "exclude",
            _ => "include",
        };
        let is_pop3 = self.server.access.family() == Family::Pop3;
        is_pop3.then(|| {
            format!(
                "profile {}: over POP3 there is only INBOX: take {key} out of [profile.folders]",
                self.name
            )
        })
    }

    /// The longest time between two runs of the schedule; `None` where there is none.
    pub fn interval(&self, now: Timestamp) -> Option<Duration> {
        let interval = self.schedule.interval(&self.timezone, now)?;
        Some(interval.saturating_add(self.pause.length()))
    }
}

fn default_stall_timeout() -> Span {
    Span(Duration::from_secs(600))
}

fn default_connections() -> u32 {
    1
}

/// How often the headers of copies that are done are compared with what was archived under their names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recheck {
    Every(Span),
    Never,
}

impl Default for Recheck {
    fn default() -> Self {
        Self::Every(Span(Duration::from_secs(30 * 86_400)))
    }
}

impl<'de> Deserialize<'de> for Recheck {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(
            deserializer,
            "a duration such as \"30d\", or \"never\"",
            |text| match text {
                "never" => Some(Self::Never),
                _ => Span::parse(text).map(Self::Every),
            },
        )
    }
}

/// What becomes of a message that comes empty twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Empty {
    /// It has failed, and is tried again in the next run.
    #[default]
    Retry,
    /// It is archived as it comes.
    Archive,
}

/// `[profile.folders]`: IMAP patterns (`*` any characters, `%` any but the hierarchy
/// delimiter; RFC 9051, 6.3.9), or special uses such as `\Junk` (RFC 6154). POP3 has one folder, INBOX.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Folders {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    /// Only folders that the account is subscribed to, and INBOX.
    pub subscribed: bool,
}

impl Folders {
    /// Why these patterns name no folder.
    pub fn why_none(&self) -> Said {
        let quoted: Vec<_> = self.exclude.iter().map(|pattern| format!("{pattern:?}")).collect();
        let exclude = format!("exclude = [{}]", quoted.join(", "));
        match (self.include.is_empty(), self.exclude.is_empty(), self.subscribed) {
            (true, ..) => said!(IncludeIsEmpty, "include is empty"),
            (_, false, false) => said!(ExcludeLeavesNone, "{0} leaves out all that include names", exclude),
            (_, true, _) => said!(
                SubscribedLeavesNone,
                "subscribed = true leaves out all that include names"
            ),
            (_, false, true) => said!(
                BothLeaveNone,
                "{0} and subscribed = true leave out all that include names",
                exclude
            ),
        }
    }
}

impl Default for Folders {
    fn default() -> Self {
        Self {
            include: vec!["INBOX".into()],
            exclude: Vec::new(),
            subscribed: false,
        }
    }
}

/// Which steps of finding a message's recipients are taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// The first step that yields an address.
    #[default]
    Auto,
    /// Journal reports, envelope headers and Received only.
    Envelope,
    /// The header's To, Cc, Bcc and Resent- fields only.
    Headers,
    /// The union of every step that is trusted.
    All,
}

/// Where in a header our own server writes the envelope.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvelopeAt {
    /// Above the Received fields that are not ours.
    #[default]
    Top,
    /// As the last field of all.
    End,
}

/// Which journal reports are believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Journal {
    #[default]
    Never,
    From,
    Always,
}

/// What happens to a message none of whose addresses is known.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// Filed for the built-in user `@catchall`.
    #[default]
    Catchall,
    /// A user is created for each of its addresses in `local_domains`.
    Create,
    /// Left on the server, and counted.
    Skip,
    /// Filed for this user.
    User(String),
}

/// `[profile.recipients]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipients {
    #[serde(rename = "use")]
    pub steps: Use,
    pub journal: Journal,
    /// With `journal = "from"`: whose reports are believed, by the name or the address that our own server saw:
    /// `mail.example.com`, `*.example.com`, `192.0.2.0/24`.
    pub journal_from: Vec<Hosts>,
    pub envelope_headers: Vec<String>,
    pub envelope_at: EnvelopeAt,
    /// How many Received fields beyond the topmost one our own hops wrote.
    pub trusted_received: usize,
    /// What stands before the local part in envelope headers and is no part of it, as qmail's virtual domains have it.
    pub strip_prefix: Vec<String>,
    /// Addresses in envelope headers and Received that hold the one meant.
    pub unwrap: Vec<Wrapping>,
    pub own_addresses: Vec<String>,
    pub senders: bool,
    pub plus_addressing: bool,
    pub local_domains: Vec<String>,
    pub unknown: Unknown,
    /// With `unknown = "create"`: the most users that one run creates.
    pub create_limit: u32,
}

/// Fields of the header in which servers write who got a message.
pub const ENVELOPE_HEADERS: [&str; 6] = [
    "X-Envelope-To",
    "Envelope-To",
    "X-Original-To",
    "Delivered-To",
    "X-Delivered-To",
    "X-RCPT-TO",
];

impl Default for Recipients {
    fn default() -> Self {
        Self {
            steps: Use::Auto,
            journal: Journal::Never,
            journal_from: Vec::new(),
            envelope_headers: ENVELOPE_HEADERS.map(String::from).to_vec(),
            envelope_at: EnvelopeAt::Top,
            trusted_received: 0,
            strip_prefix: Vec::new(),
            unwrap: Vec::new(),
            own_addresses: Vec::new(),
            senders: true,
            plus_addressing: true,
            local_domains: Vec::new(),
            unknown: Unknown::Catchall,
            create_limit: 100,
        }
    }
}

/// When a copy is deleted on the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeleteWhen {
    #[default]
    Never,
    Archived,
}

/// `[profile.delete]`.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delete {
    pub when: DeleteWhen,
    /// How long a copy stays after it was archived, by our clock.
    pub after: Option<Span>,
    /// IMAP: a folder to which copies are moved, in place of being deleted.
    pub move_to: Option<String>,
}

impl Delete {
    /// What was archived then or before is due now; in seconds since 1970 UTC.
    pub fn due_before(&self, now: Timestamp) -> i64 {
        let after = self.after.map_or(0, |after| after.0.as_secs());
        now.as_second().saturating_sub(i64::try_from(after).unwrap_or(i64::MAX))
    }
}
