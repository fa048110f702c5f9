//! `[access]` and `[audit]`: who logs in by what, and how long it is kept who did what.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Keep, Span};

/// What somebody who logs in may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads the archives given to it.
    User,
    /// Reads all archives.
    Auditor,
    /// Runs dropkeep. Reads no mail but that of the archives given to it.
    Administrator,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::User, Self::Auditor, Self::Administrator];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `[access]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Access {
    /// Roles that must have one-time codes.
    pub require_totp: Vec<Role>,
    /// A session that is not used for so long ends.
    pub session_idle: Span,
    /// So long after its log-in a session ends in any case.
    pub session_lasts: Span,
    /// An auditor says why before each look at mail.
    pub auditor_needs_reason: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            require_totp: Vec::new(),
            session_idle: Span(Duration::from_secs(30 * 60)),
            session_lasts: Span(Duration::from_secs(12 * 3600)),
            auditor_needs_reason: false,
        }
    }
}

/// `[audit]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// How long an entry of the audit log is kept.
    pub keep: Keep,
}

impl Default for Audit {
    fn default() -> Self {
        Self { keep: Keep::Forever }
    }
}
