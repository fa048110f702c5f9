//! What is wrong with an archive.

use serde::{Deserialize, Serialize};

use crate::archive::rows::MessageId;

/// What is damaged. In JSON the name in small letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The catalog as a whole: it cannot be opened.
    Catalog,
    /// The pages of an environment's file do not hang together.
    Pages,
    /// Reading it ends the process that reads.
    Crash,
    /// A volume as a whole: missing, foreign, or not the file that was sealed.
    Volume,
    /// A block cannot be read.
    Block,
    /// A message cannot be given back as it came, or its row is missing.
    Message,
    /// The bytes of a part are not those of its digest, or its row is damaged.
    Part,
    /// Identity digests, and the numbers that stand for them.
    Identity,
    /// The table by which equal bytes are found.
    Bytes,
    /// The table of who has what.
    Held,
    Filing,
    /// The journal reports in which messages came.
    Journal,
    /// Addresses that copies were for, and that nobody had.
    Unclaimed,
    User,
    /// What the archives are said to hold.
    Usage,
    Source,
    Folder,
    Copy,
    /// How folders looked when they were last listed.
    Sighting,
    /// The rows of lists.
    List,
    Run,
    /// What each group changed.
    Ledger,
    /// Who logs in, and their sessions.
    Account,
    /// Who did what.
    Audit,
    /// The catalog's counters.
    Counter,
    /// What could not be looked at.
    Unchecked,
}

impl Kind {
    /// The word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Pages => "pages",
            Self::Crash => "crash",
            Self::Volume => "volume",
            Self::Block => "block",
            Self::Message => "message",
            Self::Part => "part",
            Self::Identity => "identity",
            Self::Bytes => "bytes",
            Self::Held => "held",
            Self::Filing => "filing",
            Self::Journal => "journal",
            Self::Unclaimed => "unclaimed",
            Self::User => "user",
            Self::Usage => "usage",
            Self::Source => "source",
            Self::Folder => "folder",
            Self::Copy => "copy",
            Self::Sighting => "sighting",
            Self::List => "list",
            Self::Run => "run",
            Self::Ledger => "ledger",
            Self::Account => "account",
            Self::Audit => "audit",
            Self::Counter => "counter",
            Self::Unchecked => "unchecked",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    pub kind: Kind,
    /// The message concerned.
    pub id: Option<MessageId>,
    /// The names of the users concerned, with commas between them.
    pub user: Option<String>,
    /// The volume concerned.
    pub volume: Option<u32>,
    pub detail: String,
}

impl Damage {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            id: None,
            user: None,
            volume: None,
            detail: detail.into(),
        }
    }

    pub fn message(self, id: MessageId) -> Self {
        Self { id: Some(id), ..self }
    }

    pub fn volume(self, volume: u32) -> Self {
        Self {
            volume: Some(volume),
            ..self
        }
    }

    pub fn user(self, user: Option<String>) -> Self {
        Self { user, ..self }
    }
}
