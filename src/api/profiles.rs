//! How profiles and users that are not in the configuration file are set up: what is asked, and what is answered.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Spoken;
pub use crate::config::Origin;
use crate::said::{Said, Saying};

/// A profile as somebody writes it, with its secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Written {
    pub text: Spoken,
    #[serde(default)]
    pub form: Form,
}

/// In which form a profile is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As in the configuration file: one `[[profile]]`.
    #[default]
    Toml,
    /// The keys of the profile, as an object.
    Json,
}

/// What is to become of a profile. Where a changed one leaves out a secret, and its server is the same, the secret stays
/// as it was; one that is `null` (in JSON) is taken away.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileWish {
    Add(Written),
    Change(Written),
    Remove,
}

/// How a profile is set up.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProfileSetup {
    pub name: String,
    pub origin: Origin,
    /// Whether it is one of those that run: in the file as it was read last, or in the catalog.
    pub in_force: bool,
    /// Why it is not, or why it cannot log in.
    pub fault: Option<String>,
    /// Its keys as the configuration file has them, without its secrets.
    #[schema(value_type = Object)]
    pub profile: serde_json::Value,
    /// The keys of the secrets that are kept: `server.password`, say.
    pub secrets: Vec<String>,
    /// The same as the configuration file has it; with its secrets, where the owner asked for them.
    #[schema(ignore)]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub toml: Option<Spoken>,
}

/// What became of a profile or a user, or, of a preview, what would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedLine {
    pub name: String,
    pub change: ChangeKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Added,
    Changed,
    Removed,
    Unchanged,
}

impl ChangeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Unchanged => "unchanged",
        }
    }
}

/// A step of the test of a profile.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StepLine {
    pub step: String,
    pub ok: bool,
    pub detail: String,
    /// Which sentence that is, for whoever words it in another language.
    #[serde(default, skip_serializing_if = "Saying::is_plain")]
    #[schema(value_type = Object)]
    pub said: Saying,
    /// What to do about it, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_to_do: Option<String>,
    /// Which sentence that is.
    #[serde(default, skip_serializing_if = "Saying::is_plain")]
    #[schema(value_type = Object)]
    pub advised: Saying,
    /// How long it took.
    pub ms: u64,
}

impl StepLine {
    /// One that went well.
    pub fn done(step: &str, detail: Said, took: Duration) -> Self {
        let (detail, said) = detail.into_parts();
        Self {
            step: step.to_owned(),
            ok: true,
            detail,
            said,
            what_to_do: None,
            advised: Saying::default(),
            ms: took.as_millis() as u64,
        }
    }

    /// One that failed, and what to do about it.
    pub fn failed(step: &str, why: Said, advice: Said, took: Duration) -> Self {
        let (what_to_do, advised) = advice.into_parts();
        Self {
            ok: false,
            what_to_do: Some(what_to_do),
            advised,
            ..Self::done(step, why, took)
        }
    }

    /// What came of it.
    pub fn said(&self) -> Said {
        Said::kept(&self.detail, &self.said)
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<Said> {
        let said = self.what_to_do.as_ref();
        said.map(|said| Said::kept(said, &self.advised))
    }
}

/// A code by which somebody logs in for a profile.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceCodeLine {
    /// By which the endpoint is asked whether they have.
    pub code: Spoken,
    /// What they type, and the page where they do.
    pub typed: String,
    pub address: String,
    /// Seconds for which it counts.
    pub lasts: u64,
}
