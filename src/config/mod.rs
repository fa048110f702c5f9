//! The configuration: one TOML file, single keys overridden by `DROPKEEP__…` variables.
//!
//! Each section is a struct, and its `Default` is the only home of its defaults;
//! `config/dropkeep.toml` shows every key with its default, and a test holds it to that.

mod access;
mod check;
mod check_directory;
mod data_dir;
mod directory;
mod document;
mod endpoint;
mod error;
mod exclude;
mod explain;
mod exposed;
mod extract;
mod forms;
mod hint;
mod hosts;
mod hours;
mod http;
mod kept;
mod likely;
mod load;
mod log;
mod notify;
mod oauth2;
mod origin;
mod profile;
mod protocols;
mod schedule;
mod schema;
mod search;
mod secret_ways;
mod server;
mod shape;
#[cfg(test)]
mod shipped_tests;
mod syntax;
mod users_file;
mod users_file_error;
mod values;
mod verify_every;
mod web;
mod wrapping;
mod written;

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

pub use access::{Access as AccessSettings, Audit, Role};
pub use check::SPECIAL_USES;
pub use data_dir::data_dir_of;
pub use directory::{AliasTarget, List, User};
pub use endpoint::Endpoint;
pub use error::{ConfigError, nearest};
pub use exclude::{Exclude, HeaderPattern};
pub use exposed::{Exposed, Guarded};
pub use extract::Extract;
pub use hosts::Hosts;
pub use hours::DailyHours;
pub use http::{Http, HttpTls};
pub use kept::{profiles_of, toml_of};
pub use log::{Log, LogFormat, is_level};
pub use notify::{Mail, MailAccess, Mailbox, Notify, TimeOfDay, Webhook, When};
pub use oauth2::{Grant, OAuth2, Secrets};
pub use origin::Origin;
pub use profile::{
    Delete, DeleteWhen, ENVELOPE_HEADERS, Empty, EnvelopeAt, Folders, Journal, Profile, Recheck, Recipients, Unknown,
    Use,
};
pub use protocols::{Keep, Protocols};
pub use schedule::{CONTINUOUS_AT_MOST, Schedule, Zone};
pub use search::Search;
pub use server::{Access, Compress, Encryption, Family, Fingerprint, Server, Tls, Verify};
pub use users_file::{FileStamp, FileUsers, WrongLine, parse_users, read as read_users_file};
pub use users_file_error::{UsersFileError, UsersFileProblem};
pub use values::{ByteSize, Secret, Span};
pub use verify_every::VerifyEvery;
pub use web::Web;
pub use wrapping::Wrapping;

/// The name, in the data directory, of the socket on which an appliance answers commands.
pub const CONTROL_SOCKET: &str = "control.sock";

/// The name, in the data directory, of the folder with the tokens that endpoints gave out.
pub const TOKENS: &str = "tokens";

/// The name, in the data directory, of the folder with the search index.
pub const SEARCH: &str = "search";

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where it was read; empty where it is in no file.
    #[serde(skip)]
    pub file: PathBuf,
    /// The one directory that dropkeep writes to.
    pub data_dir: PathBuf,
    /// A CSV file with further users; it is read anew when it changes.
    pub users_file: Option<PathBuf>,
    #[serde(skip)]
    pub file_users: FileUsers,
    /// From a domain to the one in which its addresses are looked up.
    pub domain_aliases: BTreeMap<String, AliasTarget>,
    pub http: Http,
    pub web: Web,
    pub log: Log,
    pub limits: Limits,
    pub archive: Archive,
    pub protocols: Protocols,
    pub access: AccessSettings,
    pub audit: Audit,
    pub search: Search,
    /// Mail about runs, where it is asked for.
    pub mail: Option<Mail>,
    pub webhook: Option<Webhook>,
    pub secrets: Secrets,
    pub user: Vec<User>,
    pub list: Vec<List>,
    pub profile: Vec<Profile>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: PathBuf::new(),
            data_dir: "data".into(),
            users_file: None,
            file_users: FileUsers::default(),
            domain_aliases: BTreeMap::new(),
            http: Http::default(),
            web: Web::default(),
            log: Log::default(),
            limits: Limits::default(),
            archive: Archive::default(),
            protocols: Protocols::default(),
            access: AccessSettings::default(),
            audit: Audit::default(),
            search: Search::default(),
            mail: None,
            webhook: None,
            secrets: Secrets::default(),
            user: Vec::new(),
            list: Vec::new(),
            profile: Vec::new(),
        }
    }
}

/// `[limits]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of messages between the servers and the disk at any moment.
    pub inflight: ByteSize,
    /// A larger message is counted `too_large` and left on the server.
    pub max_message_size: ByteSize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            inflight: ByteSize::mib(64),
            max_message_size: ByteSize::mib(150),
        }
    }
}

/// `[archive]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Archive {
    /// How large a volume grows before the next one is begun.
    pub volume_size: ByteSize,
    /// When the appliance tidies up: what slow sources left in small blocks is merged.
    pub quiet_hours: DailyHours,
    /// Within which time the appliance verifies all of it, a part each night.
    pub verify: VerifyEvery,
}

impl Default for Archive {
    fn default() -> Self {
        Self {
            volume_size: ByteSize::mib(1 << 10),
            quiet_hours: DailyHours::daily(2, 5),
            verify: VerifyEvery::days(30),
        }
    }
}

impl Config {
    /// The users of the configuration and of its users file.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.user.iter().chain(&self.file_users.users)
    }

    /// # Errors
    /// The users file could not be used, so it is not known who the users are.
    pub fn require_users(&self) -> Result<(), ConfigError> {
        self.file_users.error.clone().map_or(Ok(()), |error| Err(error.into()))
    }

    /// The profile of this name.
    ///
    /// # Errors
    /// There is none; the nearest name is given.
    pub fn profile(&self, name: &str) -> Result<&Profile, ConfigError> {
        self.profile
            .iter()
            .find(|profile| profile.name == name)
            .ok_or_else(|| ConfigError::UnknownProfile {
                name: name.to_owned(),
                nearest: error::nearest(name, self.profile.iter().map(|profile| profile.name.as_str())),
            })
    }
}
