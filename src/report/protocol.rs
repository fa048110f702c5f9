//! The protocol: the report of a run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    NotJudged,
    counts::{Counts, ReportCounts, UserCounts},
    remedy::{ALTERED, SIZE, remedy},
    unknown::UnknownAddresses,
};
use crate::{
    account::without_number,
    ids::{MessageId, RunId},
    said::{Code, Said, Say, Saying, said},
};

/// Errors of single copies that a protocol lists, and those of copies that are too large; the rest is counted.
/// What went wrong with a folder or the whole run is always listed.
const MOST_ERRORS: usize = 1000;
const MOST_TOO_LARGE: usize = 200;
/// Deleted copies that a protocol lists.
const MOST_DELETED: usize = 1000;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    #[default]
    Running,
    Completed,
    CompletedWithErrors,
    Failed,
    Interrupted,
}

impl RunState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::CompletedWithErrors => "completed_with_errors",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One thing that went wrong, or that the administrator should know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CopyError {
    pub folder: String,
    /// The copy as its server names it; empty where it is no matter of one copy.
    pub copy: String,
    pub stage: String,
    pub error: String,
    /// Which sentence that is, for whoever words it in another language.
    #[serde(default, skip_serializing_if = "Saying::is_plain")]
    #[schema(value_type = Object)]
    pub said: Saying,
    /// What to do about it, with the first of those errors of which the same is to be done.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub what_to_do: String,
    /// Which sentence that is.
    #[serde(default, skip_serializing_if = "Saying::is_plain")]
    #[schema(value_type = Object)]
    pub advised: Saying,
}

impl CopyError {
    pub fn new(folder: impl Into<String>, copy: impl ToString, stage: &str, error: impl Say) -> Self {
        let (error, said) = error.said().into_parts();
        Self {
            folder: folder.into(),
            copy: copy.to_string(),
            stage: stage.to_owned(),
            error,
            said,
            what_to_do: String::new(),
            advised: Saying::default(),
        }
    }

    /// With what to do about it, where more is known than its stage says.
    pub fn with_advice(self, what_to_do: Option<Said>) -> Self {
        let (what_to_do, advised) = what_to_do.unwrap_or_default().into_parts();
        Self {
            what_to_do,
            advised,
            ..self
        }
    }

    /// What went wrong.
    pub fn said(&self) -> Said {
        Said::kept(&self.error, &self.said)
    }

    /// What to do about it, where that is said with it.
    pub fn advice(&self) -> Option<Said> {
        (!self.what_to_do.is_empty()).then(|| Said::kept(&self.what_to_do, &self.advised))
    }

    /// What to do about it, as for what nobody runs again but who reads it.
    pub fn by_hand(self) -> Self {
        let advice = self.advice().map(Said::by_hand);
        self.with_advice(advice)
    }

    /// Adds what to do about it by its stage, unless it says so itself; not where one of those `before` says the same.
    pub fn advise(&mut self, before: &[Self]) {
        if self.what_to_do.is_empty() {
            let advice = match self.said.code {
                Code::ArchiveDamaged => said!(DoVerify, "Run dropkeep verify, and restore the volume from a backup."),
                _ => remedy(&self.stage),
            };
            (self.what_to_do, self.advised) = advice.into_parts();
        }
        if before.iter().any(|known| known.what_to_do == self.what_to_do) {
            (self.what_to_do, self.advised) = Default::default();
        }
    }
}

/// A copy that was deleted on its server, or moved there to the folder for it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct DeletedCopy {
    pub folder: String,
    /// As the server named it.
    pub copy: String,
    /// As which message it is kept.
    pub message: MessageId,
}

/// What the runs have for a profile's name that import mail for one user, by no profile's rules.
pub const IMPORT: &str = "@import";
/// What the runs have for one that file anew what is in the archive.
pub const REROUTE: &str = "@reroute";

/// A run's protocol.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Run {
    pub run: RunId,
    pub profile: String,
    /// The files and folders of an import, as they were named; empty for a run that fetched from the server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub import: Vec<String>,
    /// The user for whom all of an import was filed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import_user: Option<String>,
    pub state: RunState,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    #[serde(flatten)]
    pub counts: Counts,
    pub users: BTreeMap<String, UserCounts>,
    pub errors: Vec<CopyError>,
    /// Errors beyond those listed.
    #[serde(default)]
    pub errors_omitted: u64,
    /// Addresses of ours that no user has, and how many messages named them.
    #[serde(flatten)]
    #[schema(ignore)]
    pub unknown_addresses: UnknownAddresses,
    /// What the administrator should know though nothing went wrong.
    #[serde(default)]
    pub notices: Vec<String>,
    /// Which sentences those are, in the same order, for whoever words them in another language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub notices_said: Vec<Saying>,
    #[serde(flatten)]
    pub reports: ReportCounts,
    /// Users that the run created.
    #[serde(default)]
    pub created_users: Vec<String>,
    /// Addresses for which no user was made, as `create_limit` was reached; of very many, about.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub users_not_created: u64,
    /// Of the skipped: what a rerouting did not judge.
    #[serde(default, skip_serializing_if = "NotJudged::is_empty")]
    pub not_judged: NotJudged,
    /// Of the skipped: messages that a rerouting leaves with a retired user alone, though an address in them is
    /// somebody else's now; by the retired user.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub kept_by: BTreeMap<String, u64>,
    /// A rerouting that only said what it would file.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dry_run: bool,
    /// Copies that are deleted; the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deleted_copies: Vec<DeletedCopy>,
}

impl Run {
    pub fn begin(profile: &str, now: Timestamp) -> Self {
        Self {
            profile: profile.to_owned(),
            started_at: timestamp(now),
            ..Self::default()
        }
    }

    pub fn error(&mut self, folder: &str, copy: impl ToString, stage: &str, error: impl Say) {
        self.add_error(CopyError::new(folder, copy, stage, error));
    }

    pub fn add_error(&mut self, mut error: CopyError) {
        let stage = error.stage.as_str();
        let most = if stage == SIZE { MOST_TOO_LARGE } else { MOST_ERRORS };
        // Those that are many do not hide the others.
        let kind = |stage: &str| [SIZE, ALTERED].iter().position(|known| *known == stage);
        let of_its_kind = || {
            let same = self.errors.iter().filter(|error| kind(&error.stage) == kind(stage));
            same.count()
        };
        if !error.copy.is_empty() && self.errors.len() >= most && of_its_kind() >= most {
            self.errors_omitted += 1;
            return;
        }
        error.error = without_number(&error.error);
        error.advise(&self.errors);
        self.errors.push(error);
    }

    pub fn deleted(&mut self, copy: DeletedCopy) {
        self.counts.deleted += 1;
        if self.deleted_copies.len() < MOST_DELETED {
            self.deleted_copies.push(copy);
        }
    }

    /// Says a thing once.
    pub fn notice(&mut self, notice: impl Into<Said>) {
        let (notice, said) = notice.into().into_parts();
        if !self.notices.contains(&notice) {
            // Of an earlier version there may be fewer.
            self.notices_said.resize(self.notices.len(), Saying::default());
            self.notices.push(notice);
            self.notices_said.push(said);
        }
    }

    /// The notices, each with which sentence it is, where that is known.
    pub fn noticed(&self) -> Vec<Said> {
        let said = self
            .notices_said
            .iter()
            .cloned()
            .chain(std::iter::repeat(Saying::default()));
        let notices = self.notices.iter().zip(said);
        notices.map(|(notice, said)| Said::kept(notice, &said)).collect()
    }

    /// Whether the run found nothing to do, and has nothing to say. Copies that each run leaves where they are are
    /// nothing.
    pub fn is_idle(&self) -> bool {
        self.state == RunState::Completed
            && self.counts.seen == self.counts.skipped + self.counts.excluded
            && self.counts.deleted == 0
            && self.import.is_empty()
            && self.errors.is_empty()
            && self.notices.is_empty()
    }

    /// The protocol of a run whose process ended without finishing it. Its counts are lost, what it
    /// archived is not.
    pub fn abandoned(mut self) -> Self {
        self.state = RunState::Interrupted;
        self.error(
            "",
            "",
            "run",
            said!(
                ProcessEnded,
                "the process ended before the run did; what it archived is kept, its counts are lost"
            ),
        );
        self
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Whole seconds: what is stored and shown.
pub fn timestamp(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_errors_of_copies_do_not_hide_what_ended_the_run() {
        let mut run = Run::begin("company", Timestamp::UNIX_EPOCH);
        for number in 0..3000 {
            run.error("INBOX", format!("UID {number}"), SIZE, "too large");
            run.error("INBOX", format!("UID {number}"), "fetch", "refused");
        }
        run.error("Sent", "", "folder", "no such folder");
        let of = |stage: &str| run.errors.iter().filter(|error| error.stage == stage).count();
        assert_eq!((of(SIZE), of("fetch"), of("folder")), (MOST_TOO_LARGE, MOST_ERRORS, 1));
        assert_eq!(run.errors_omitted as usize, 6000 - MOST_TOO_LARGE - MOST_ERRORS);
        // Each kind once.
        let advised = run.errors.iter().filter(|error| !error.what_to_do.is_empty());
        let advised: Vec<&str> = advised.map(|error| &*error.stage).collect();
        assert_eq!(advised, [SIZE, "fetch", "folder"]);
    }
}
