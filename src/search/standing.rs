//! How the index stands, and as what it is told.

use jiff::Timestamp;

use super::following::Behind;
use crate::api::IndexLine;

/// How the index stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub stage: Stage,
    /// Why it is made anew, or what failed; empty otherwise.
    pub why: String,
    /// Documents that are found, and those that wait for a commit.
    pub documents: u64,
    pub pending: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// The last group of the ledger that is found.
    pub group: u64,
    /// What is not found yet.
    pub behind: Behind,
    /// Messages that the archive has.
    pub messages: u64,
    /// Documents without texts, as their messages could not be read, since the worker began.
    pub unread: u64,
}

/// As it is told.
impl From<Standing> for IndexLine {
    fn from(standing: Standing) -> Self {
        Self {
            state: standing.stage.as_str().to_owned(),
            why: Some(standing.why).filter(|why| !why.is_empty()),
            messages: standing.messages,
            documents: standing.documents,
            behind: standing.behind.messages,
            behind_since: standing
                .behind
                .since
                .and_then(|since| Timestamp::from_second(since).ok()),
            bytes: standing.bytes,
            unread: standing.unread,
        }
    }
}

/// What the worker is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// The configuration wants no index.
    Off,
    /// Nobody follows the archive at the moment.
    #[default]
    Waiting,
    /// The index is made anew.
    Building,
    Following,
    /// It could not go on, and tries again.
    Failing,
}

impl Stage {
    pub const ALL: [Self; 5] = [Self::Off, Self::Waiting, Self::Building, Self::Following, Self::Failing];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Waiting => "waiting",
            Self::Building => "building",
            Self::Following => "following",
            Self::Failing => "failing",
        }
    }
}
