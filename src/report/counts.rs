//! What copies are counted by.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a run found of one copy. Each copy that it looks at has exactly one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Archived,
    Duplicate,
    Skipped,
    Excluded,
    TooLarge,
    Vanished,
    Failed,
}

impl Outcome {
    /// The word for it in counts and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Archived => "archived",
            Self::Duplicate => "duplicates",
            Self::Skipped => "skipped",
            Self::Excluded => "excluded",
            Self::TooLarge => "too_large",
            Self::Vanished => "vanished",
            Self::Failed => "failed",
        }
    }
}

/// Copies that were looked at, and what became of them. They add up: seen = archived + duplicates + skipped + excluded
/// + too_large + vanished + failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    pub seen: u64,
    pub archived: u64,
    pub duplicates: u64,
    pub skipped: u64,
    pub excluded: u64,
    pub too_large: u64,
    pub vanished: u64,
    pub failed: u64,
    /// Copies without a known address, also counted above.
    pub unknown: u64,
    pub filings: u64,
    pub deleted: u64,
    /// Copies that were done and counted as new, as the server gave their names to other mail.
    #[serde(default)]
    pub reopened: u64,
    /// Bytes fetched.
    pub bytes: u64,
}

impl Counts {
    /// Counts a copy by its outcome.
    pub fn count(&mut self, outcome: Outcome) {
        self.seen += 1;
        *match outcome {
            Outcome::Archived => &mut self.archived,
            Outcome::Duplicate => &mut self.duplicates,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Excluded => &mut self.excluded,
            Outcome::TooLarge => &mut self.too_large,
            Outcome::Vanished => &mut self.vanished,
            Outcome::Failed => &mut self.failed,
        } += 1;
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in [
            (&mut self.seen, other.seen),
            (&mut self.archived, other.archived),
            (&mut self.duplicates, other.duplicates),
            (&mut self.skipped, other.skipped),
            (&mut self.excluded, other.excluded),
            (&mut self.too_large, other.too_large),
            (&mut self.vanished, other.vanished),
            (&mut self.failed, other.failed),
            (&mut self.unknown, other.unknown),
            (&mut self.filings, other.filings),
            (&mut self.deleted, other.deleted),
            (&mut self.reopened, other.reopened),
            (&mut self.bytes, other.bytes),
        ] {
            *sum = sum.saturating_add(count);
        }
    }

    /// Copies of which it is known for whom they are, or that nobody has their addresses.
    pub fn judged(&self) -> u64 {
        self.seen - self.excluded - self.too_large - self.failed
    }
}

/// Copies that were journal reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ReportCounts {
    /// Their messages were archived for whom the report names.
    #[serde(rename = "journal_reports")]
    pub believed: u64,
    /// The profile does not believe them.
    #[serde(rename = "untrusted_reports")]
    pub untrusted: u64,
    /// The profile believes them, and they cannot be read, or not whole: filed for `@catchall` too.
    #[serde(rename = "unreadable_reports")]
    pub unreadable: u64,
}

/// Copies of one user.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct UserCounts {
    pub archived: u64,
    pub duplicates: u64,
}
