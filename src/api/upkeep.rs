//! The upkeep of the store, which takes a while: what it is, and how a verification ended.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::MessageId;

/// What may be going on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upkeep {
    Verification,
    Compaction,
    /// The search index is brought up to date, or made anew.
    Index,
}

impl Upkeep {
    /// What it is called in the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verify",
            Self::Compaction => "compact",
            Self::Index => "index",
        }
    }
}

/// How a verification ended that the appliance was asked for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerificationLine {
    pub begun_at: Timestamp,
    pub ended_at: Timestamp,
    /// The share of the archive that was looked at; `null` where it was all.
    pub percent: Option<f64>,
    pub state: Verification,
    /// Why it failed.
    pub why: Option<String>,
    /// Messages read back, and their bytes as they came.
    pub messages: u64,
    pub bytes: u64,
    /// How much is damaged, and the first of it.
    pub damages: u64,
    pub found: Vec<DamageLine>,
    /// What is worth knowing and no damage.
    pub notes: Vec<String>,
    pub what_to_do: Vec<String>,
}

/// How a verification ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Nothing is damaged of what was looked at.
    Intact,
    Damaged,
    /// It was ended before its end.
    Interrupted,
    /// Nothing could be verified.
    Failed,
}

/// Something that is damaged.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DamageLine {
    /// As `verify` names it.
    pub kind: String,
    /// The message, the names of the users with commas between them, and the volume.
    pub id: Option<MessageId>,
    pub user: Option<String>,
    pub volume: Option<u32>,
    pub detail: String,
}
