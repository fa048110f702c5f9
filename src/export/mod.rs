//! Getting the archives out: every message of the selected users, byte for byte, as files that other programs read.
//!
//! What is done is noted in a manifest per user, only once it is on disk; so an export that was interrupted, at
//! whatever point, is gone on with by starting it again, and a complete one takes in what is new.
//!
//! LMDB reads through a map of its files, and a damaged page can crash the process. So two processes share the work:
//! [`worker`] reads and writes, and says where it is; [`watch`] starts it, and where it dies over a message names that
//! message and starts another one behind it. [`words`] is what they say to each other. `destination` is the folder that
//! is exported to, `folder` how what is in it is opened without following anything, `manifest` what is done in it,
//! `files` how messages become files.

mod avoided;
mod destination;
mod error;
mod files;
mod folder;
mod manifest;
mod selection;
pub mod watch;
pub mod words;
pub mod worker;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

pub use error::ExportError;
pub use selection::{Selection, first_second, last_second};

use crate::archive::MessageId;

/// As which files messages are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A file per message, in folders by user, year and month.
    #[default]
    Eml,
    /// A file per user, in the mbox variant mboxrd.
    Mbox,
    /// A Maildir per user.
    Maildir,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eml => "eml",
            Self::Mbox => "mbox",
            Self::Maildir => "maildir",
        }
    }
}

/// What could not be exported.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Damage {
    pub kind: DamageKind,
    /// The message; `None` where it is not known which.
    pub id: Option<MessageId>,
    /// Whose archive it was to come from.
    pub user: String,
    /// The volume in which the message begins.
    pub volume: Option<u32>,
    pub detail: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DamageKind {
    /// Its bytes cannot be read, or are not those archived.
    Message,
    /// Reading it ends the process.
    Crash,
    /// A user's list of messages cannot be read to its end.
    Catalog,
}
