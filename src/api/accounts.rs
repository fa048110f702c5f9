//! Accounts and the audit log: what is asked of them, and what is answered.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::config::Role;

/// A secret on its way from or to a person. It crosses the control socket as it is, and is printed nowhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spoken(String);

impl Spoken {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What is to become of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountWish {
    Add {
        role: Role,
        /// Users whose archives are given to it.
        archives: Vec<String>,
        password: Spoken,
    },
    /// `current` is the password so far: whoever changes their own has to know it.
    Password {
        password: Spoken,
        #[serde(default)]
        current: Option<Spoken>,
    },
    Disable,
    Enable,
    Remove,
    Role(Role),
    /// The archive of this user.
    Give(String),
    Take(String),
    /// Begin one-time codes: answered by the secret. They are asked for once they are confirmed.
    Totp,
    /// Answered by recovery codes.
    ConfirmTotp {
        code: Spoken,
    },
    TotpOff,
    /// A password for a program, by the name that it is to have: answered by the password.
    AddApplication(String),
    RemoveApplication(String),
    /// One session, as `sessions` lists it, or all.
    EndSessions(Option<String>),
}

/// A line of `accounts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountLine {
    pub name: String,
    pub role: Role,
    /// The users whose archives were given to it, by name.
    pub archives: Vec<String>,
    pub disabled: bool,
    /// Whether one-time codes are asked for.
    pub totp: bool,
}

/// A secret that was made, which is shown this once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    Totp {
        secret: Spoken,
        /// The same as apps read it from a QR code.
        address: Spoken,
    },
    RecoveryCodes(Vec<Spoken>),
    ApplicationPassword(Spoken),
}

/// A line of `accounts sessions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionLine {
    pub session: String,
    pub account: String,
    pub began: jiff::Timestamp,
    /// When it was used last, to within a minute.
    pub seen: jiff::Timestamp,
    pub address: String,
}

/// A line of `accounts applications`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApplicationLine {
    pub account: String,
    pub name: String,
    pub made: jiff::Timestamp,
    pub used: Option<jiff::Timestamp>,
}

/// Which entries of the audit log are wanted, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AuditFilter {
    /// Both included.
    pub since: Option<jiff::Timestamp>,
    pub until: Option<jiff::Timestamp>,
    pub account: Option<String>,
    pub action: Option<String>,
    /// The newest come first.
    #[serde(default)]
    pub newest_first: bool,
    /// Entries behind this one, for the next page.
    pub after: Option<u64>,
    pub limit: Option<usize>,
    /// Check the chain of the whole log, too.
    pub check: bool,
}

/// A line of `audit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditLine {
    /// From 1 on, without a gap.
    pub number: u64,
    pub at: jiff::Timestamp,
    pub account: String,
    pub address: String,
    pub action: String,
    pub object: String,
    pub outcome: String,
    /// Why it was refused or failed, and why the account did it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl AuditLine {
    /// What the columns of a table of them are called.
    pub const COLUMNS: [&str; 9] = [
        "number", "at", "account", "address", "action", "object", "outcome", "detail", "reason",
    ];
}

/// What comes behind the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEnd {
    /// Behind which entry the next page begins, where there may be more.
    pub next: Option<u64>,
    /// Entries whose chain was checked, and what is wrong with it.
    pub checked: u64,
    pub damages: Vec<String>,
}
