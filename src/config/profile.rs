//! `[[profile]]`: which source is archived, when, and for whom its messages are.

use serde::Deserialize;

use super::{Hosts, Schedule, Server};

/// `[[profile]]`: a named, saved description of how one source is archived.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub name: String,
    #[serde(default)]
    pub schedule: Schedule,
    pub server: Server,
    #[serde(default)]
    pub folders: Folders,
    #[serde(default)]
    pub recipients: Recipients,
    #[serde(default)]
    pub delete: Delete,
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
    /// How many Received fields beyond the topmost one our own hops wrote above the envelope header.
    pub trusted_received: usize,
    /// What stands before the local part in envelope headers and is no part of it, as qmail's virtual domains have it.
    pub strip_prefix: Vec<String>,
    pub own_addresses: Vec<String>,
    pub senders: bool,
    pub plus_addressing: bool,
    pub local_domains: Vec<String>,
    pub unknown: Unknown,
    /// With `unknown = "create"`: the most users that one run creates.
    pub create_limit: u32,
}

impl Default for Recipients {
    fn default() -> Self {
        let headers = [
            "X-Envelope-To",
            "Envelope-To",
            "X-Original-To",
            "Delivered-To",
            "X-Delivered-To",
            "X-RCPT-TO",
        ];
        Self {
            steps: Use::Auto,
            journal: Journal::Never,
            journal_from: Vec::new(),
            envelope_headers: headers.map(String::from).to_vec(),
            trusted_received: 0,
            strip_prefix: Vec::new(),
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
    pub after: Option<super::Span>,
}
