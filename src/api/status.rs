//! How the profiles and the appliance stand.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    account::without_number,
    ids::RunId,
    report::{CopyError, Run, RunState, remedy},
    said::{Said, Saying},
};

/// A line of `status`: a profile.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProfileLine {
    pub profile: String,
    /// As the configuration has it; empty from an appliance that does not say it yet.
    #[serde(default)]
    pub schedule: String,
    /// The server announces new mail over a connection that waits for it.
    #[serde(default)]
    pub watching: bool,
    /// Since when the appliance knows it.
    pub since: Timestamp,
    /// `idle`, `running`, or `failing`: the last runs failed one after the other, or it is being started anew.
    pub state: String,
    /// The run that is going on, and how far it is.
    pub run: Option<RunId>,
    pub seen: u64,
    pub expected: u64,
    /// For how long that run has made no progress, and after how long it is given up.
    pub silent_seconds: u64,
    pub stall_timeout_seconds: u64,
    /// The runs that failed in a row; `null` where the last one did not.
    pub failing: Option<Failing>,
    /// The last run that asked the server.
    pub last: Option<LastRun>,
    pub last_success: Option<Timestamp>,
    pub next_run: Option<Timestamp>,
    /// The longest time between two runs by the schedule; `null` for those by hand.
    pub interval_seconds: Option<u64>,
    /// How far the archive is behind the source: copies that the last look at it left open; `null` before the first.
    pub open: Option<u64>,
}

/// The last line of `status`: the appliance and its archive.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApplianceLine {
    pub version: String,
    /// Whether it is `serve` that answers, which runs the schedules; without it, the command answers itself.
    pub serving: bool,
    pub since: Timestamp,
    /// Why mail cannot be archived; `null` where it can.
    pub not_ready: Option<String>,
    /// Why the configuration, as its file is now or was at the last reload, is refused; `null` where it is not.
    pub configuration_refused: Option<String>,
    /// Users who disappeared from the configuration or its users file, in words, until a protocol has said it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub users_retired: Option<Said>,
    /// Mail in the archive for users with new addresses, in words, until a protocol has said it or it is filed.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub not_filed: Vec<Said>,
    /// Users who are not retired, and those who are.
    pub users: u64,
    #[serde(default)]
    pub retired_users: u64,
    pub messages: u64,
    /// Bytes of the messages as they came, and on disk.
    pub raw_bytes: u64,
    pub stored_bytes: u64,
    /// What the appliance verified of the archive by itself; `null` where it does not.
    #[serde(default)]
    pub verified: Option<VerifiedLine>,
    /// The last backup; `null` where none was noted.
    #[serde(default)]
    pub backup: Option<BackupLine>,
    /// The search index; `null` from an appliance that does not say it yet.
    #[serde(default)]
    pub index: Option<IndexLine>,
    /// Bytes of the data directory's disk.
    pub free_bytes: Option<u64>,
    pub disk_bytes: Option<u64>,
    /// Fetched copies of which nobody knows what became; always 0.
    pub unaccounted_copies: i64,
}

/// How far an appliance has come that verifies its archive, a part each night.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerifiedLine {
    /// Within which time it verifies all of it.
    pub every_seconds: u64,
    /// When it verified a part last, and when all; `null` where it did not yet.
    pub last: Option<Timestamp>,
    pub all: Option<Timestamp>,
    /// When that part was verified which was not for longest; what never was counts from when the appliance began to.
    pub oldest: Option<Timestamp>,
    /// That should have been verified again by now.
    pub late: bool,
    /// Damages in what it verified last.
    pub damages: u64,
}

/// The last backup of the archive, as far as it knows: `backup` notes it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct BackupLine {
    /// What was committed then is in it, and when it was complete.
    pub taken_at: Timestamp,
    pub ended_at: Timestamp,
    /// Its folder.
    pub to: String,
    /// Messages in it, and their bytes as they came.
    pub messages: u64,
    pub bytes: u64,
    /// What was damaged in the archive, and so is in it.
    pub damaged: u64,
}

/// How the archive grew.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct GrowthLine {
    /// How many messages were archived before each of the times that were asked for.
    pub archived: Vec<u64>,
    /// How large it was, day by day, the oldest first.
    pub sizes: Vec<SizeLine>,
}

/// How large the archive was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SizeLine {
    pub at: Timestamp,
    pub messages: u64,
    /// Bytes as they came, and on disk.
    pub raw_bytes: u64,
    pub stored_bytes: u64,
}

/// How the search index stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IndexLine {
    /// `off`; `waiting`: nobody follows the archive at the moment; `building`: it is made anew; `following`; or
    /// `failing`: it could not go on, and tries again.
    pub state: String,
    /// Why it is made anew, or what failed; `null` otherwise.
    pub why: Option<String>,
    /// Messages that the archive has.
    pub messages: u64,
    /// Those of them that are found. Messages that are in nobody's archive, as journal reports, are not.
    pub documents: u64,
    /// Messages that are not found yet, or not for all who have them, and since when the first of them waits.
    pub behind: u64,
    pub behind_since: Option<Timestamp>,
    /// Bytes on disk.
    pub bytes: u64,
    /// Messages found by date, size and users alone, as they could not be read.
    pub unread: u64,
}

/// Runs that failed in a row: the source could not be reached, or was lost for good, or the run made no progress.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Failing {
    /// When the first of them ended.
    pub since: Timestamp,
    pub times: u32,
    /// Why the last one failed, and what to do about it.
    pub why: String,
    /// Which sentence that is, for whoever words it in another language.
    #[serde(default, skip_serializing_if = "Saying::is_plain")]
    #[schema(value_type = Object)]
    pub said: Saying,
    #[serde(default)]
    pub what_to_do: String,
    /// Which sentence that is.
    #[serde(default, skip_serializing_if = "Saying::is_plain")]
    #[schema(value_type = Object)]
    pub advised: Saying,
}

/// An error of a run, with its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct FirstError {
    pub why: String,
    pub what_to_do: String,
}

impl From<&CopyError> for FirstError {
    fn from(error: &CopyError) -> Self {
        let place = [&error.folder, &error.copy].into_iter().map(|part| part.trim());
        let place = place.filter(|part| !part.is_empty() && !error.error.contains(part));
        let place: String = place.map(|part| format!("{part}: ")).collect();
        Self {
            why: without_number(&format!("{place}{}", error.error)),
            what_to_do: match error.what_to_do.as_str() {
                "" => remedy(&error.stage).into(),
                said => said.to_owned(),
            },
        }
    }
}

/// A run that ended, in short.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct LastRun {
    pub run: RunId,
    pub state: RunState,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub seen: u64,
    pub archived: u64,
    pub failed: u64,
    /// Errors in its protocol.
    pub errors: u64,
    /// The first of them: one of the run or of a folder, where there is such a one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_error: Option<FirstError>,
}

impl From<&Run> for LastRun {
    fn from(run: &Run) -> Self {
        Self {
            run: run.run,
            state: run.state,
            started_at: run.started_at,
            finished_at: run.finished_at,
            seen: run.counts.seen,
            archived: run.counts.archived,
            failed: run.counts.failed,
            errors: run.errors.len() as u64 + run.errors_omitted,
            first_error: {
                let of_run = run.errors.iter().find(|error| error.copy.is_empty());
                of_run.or(run.errors.first()).map(FirstError::from)
            },
        }
    }
}

/// A test mail, or a call of the webhook.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct NoticeLine {
    /// `mail` or `webhook`.
    pub kind: String,
    /// Whom it was for.
    pub to: String,
    pub ok: bool,
    pub detail: String,
    pub ms: u64,
}
