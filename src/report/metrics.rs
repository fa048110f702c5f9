//! The metrics. This module owns their names; label values are profiles, outcomes and the like, never
//! addresses.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::{Outcome, RunState};

pub const COPIES: &str = "dropkeep_copies_total";
pub const DELETED: &str = "dropkeep_deleted_copies_total";
pub const FETCHED_BYTES: &str = "dropkeep_fetched_bytes_total";
pub const FILINGS: &str = "dropkeep_filings_total";
pub const COMMIT_SECONDS: &str = "dropkeep_commit_seconds";
pub const COMMIT_MESSAGES: &str = "dropkeep_commit_messages";
pub const INFLIGHT_BYTES: &str = "dropkeep_inflight_bytes";
pub const BACKPRESSURE_SECONDS: &str = "dropkeep_backpressure_seconds_total";
pub const RUN_SECONDS: &str = "dropkeep_run_seconds";
pub const RUNS: &str = "dropkeep_runs_total";
pub const RUN_LAST_SUCCESS: &str = "dropkeep_run_last_success_timestamp_seconds";
pub const RUN_PROGRESS: &str = "dropkeep_run_progress_copies";
pub const RUN_EXPECTED: &str = "dropkeep_run_expected_copies";
pub const PROFILE_STATE: &str = "dropkeep_profile_state";
pub const CONNECTIONS: &str = "dropkeep_connections";
pub const SUPERVISOR_RESTARTS: &str = "dropkeep_supervisor_restarts_total";
pub const ARCHIVE_MESSAGES: &str = "dropkeep_archive_messages";
pub const ARCHIVE_USERS: &str = "dropkeep_archive_users";
pub const ARCHIVE_BYTES: &str = "dropkeep_archive_bytes";
pub const DATA_FREE_BYTES: &str = "dropkeep_data_free_bytes";
pub const FREE_PAGES_BYTES: &str = "dropkeep_free_pages_bytes";
pub const CERTIFICATE_EXPIRY: &str = "dropkeep_certificate_expiry_timestamp_seconds";
pub const TOKEN_EXPIRY: &str = "dropkeep_token_expiry_timestamp_seconds";
pub const DIRECTORY_ERRORS: &str = "dropkeep_directory_errors_total";
pub const USERS_FILE_OK: &str = "dropkeep_directory_users_file_ok";
pub const NOTIFICATIONS: &str = "dropkeep_notifications_total";
pub const PANICS: &str = "dropkeep_panics_total";
pub const BUILD_INFO: &str = "dropkeep_build_info";

/// The states that `dropkeep_profile_state` tells apart; the one that holds is 1.
pub const PROFILE_STATES: [&str; 3] = ["idle", "running", "failing"];

/// What the threads do that `dropkeep_panics_total` tells apart.
pub const THREADS: [&str; 7] = [
    "main",
    "identify",
    "committer",
    "housekeeper",
    "actor",
    "blocking",
    "other",
];

/// Installs the recorder; what is counted before is lost.
///
/// # Errors
/// A recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
    const MESSAGES: [f64; 10] = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 2000.0, 3000.0, 4096.0];
    const RUN: [f64; 10] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 43200.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(COMMIT_SECONDS.into()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(COMMIT_MESSAGES.into()), &MESSAGES)?
        .set_buckets_for_metric(Matcher::Full(RUN_SECONDS.into()), &RUN)?
        .install_recorder()?;
    describe();
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    // Named before anything happens, so that a rate over them is 0 and not absent.
    counter!(FILINGS).absolute(0);
    counter!(DIRECTORY_ERRORS).absolute(0);
    for kind in ["mail", "webhook"] {
        for result in ["sent", "failed"] {
            counter!(NOTIFICATIONS, "kind" => kind, "result" => result).absolute(0);
        }
    }
    for thread in THREADS {
        counter!(PANICS, "thread" => thread).absolute(0);
    }
    gauge!(INFLIGHT_BYTES).set(0.0);
    gauge!(BACKPRESSURE_SECONDS, "stage" => "budget").set(0.0);
    Ok(handle)
}

fn describe() {
    describe_counter!(
        COPIES,
        Unit::Count,
        "Source copies given an outcome (copies, not recipients)"
    );
    describe_counter!(
        DELETED,
        Unit::Count,
        "Copies deleted on the server after they were seen to be archived"
    );
    describe_counter!(FETCHED_BYTES, Unit::Bytes, "Bytes of messages fetched");
    describe_counter!(FILINGS, Unit::Count, "Messages newly filed in a user's archive");
    describe_histogram!(
        COMMIT_SECONDS,
        Unit::Seconds,
        "Time of one group commit, syncs included"
    );
    describe_histogram!(COMMIT_MESSAGES, Unit::Count, "Orders in one group commit");
    describe_gauge!(
        INFLIGHT_BYTES,
        Unit::Bytes,
        "Bytes of the budget in use between servers and disk"
    );
    describe_gauge!(
        BACKPRESSURE_SECONDS,
        Unit::Seconds,
        "Time that a stage waited for the next"
    );
    describe_histogram!(RUN_SECONDS, Unit::Seconds, "Time of a run");
    describe_counter!(RUNS, Unit::Count, "Runs ended, by their state");
    describe_gauge!(
        RUN_LAST_SUCCESS,
        Unit::Seconds,
        "When a run last ended as completed, since 1970 UTC"
    );
    describe_gauge!(
        RUN_PROGRESS,
        Unit::Count,
        "Copies that the run going on has given an outcome"
    );
    describe_gauge!(
        RUN_EXPECTED,
        Unit::Count,
        "Copies that the run going on expects to look at"
    );
    describe_gauge!(PROFILE_STATE, "1 for the state a profile is in, 0 for the others");
    describe_gauge!(CONNECTIONS, Unit::Count, "Authenticated sessions open");
    describe_counter!(SUPERVISOR_RESTARTS, Unit::Count, "Profiles started anew, by cause");
    describe_gauge!(ARCHIVE_MESSAGES, Unit::Count, "Messages kept");
    describe_gauge!(ARCHIVE_USERS, Unit::Count, "Users");
    describe_gauge!(
        ARCHIVE_BYTES,
        Unit::Bytes,
        "Bytes of the messages as they came (raw) and on disk (stored)"
    );
    describe_gauge!(DATA_FREE_BYTES, Unit::Bytes, "Bytes left on the data directory's disk");
    describe_gauge!(
        FREE_PAGES_BYTES,
        Unit::Bytes,
        "Bytes of free pages within the catalog and the volume that is written to"
    );
    describe_gauge!(
        CERTIFICATE_EXPIRY,
        Unit::Seconds,
        "When the server's certificate expires, since 1970 UTC"
    );
    describe_gauge!(
        TOKEN_EXPIRY,
        Unit::Seconds,
        "When the access token last used expires, since 1970 UTC"
    );
    describe_counter!(
        DIRECTORY_ERRORS,
        Unit::Count,
        "Users files that changed and could not be used"
    );
    describe_gauge!(
        USERS_FILE_OK,
        "1 where the users are those of the users file, 0 where it is wrong and they are those of an earlier one"
    );
    describe_counter!(
        NOTIFICATIONS,
        Unit::Count,
        "Mails and calls of the webhook about runs, sent or given up"
    );
    describe_counter!(
        PANICS,
        Unit::Count,
        "Panics, by what the thread does: faults of dropkeep or of a library, survived where they could be"
    );
    describe_gauge!(BUILD_INFO, "1, with the version as a label");
}

/// A profile is known: its series begin.
pub fn profile_known(profile: &str, last_success: Option<i64>) {
    let profile = profile.to_owned();
    use Outcome::*;
    for outcome in [Archived, Duplicate, Skipped, Excluded, TooLarge, Vanished, Failed] {
        counter!(COPIES, "profile" => profile.clone(), "outcome" => outcome.as_str()).absolute(0);
    }
    counter!(FETCHED_BYTES, "profile" => profile.clone()).absolute(0);
    counter!(DELETED, "profile" => profile.clone()).absolute(0);
    for state in [
        RunState::Completed,
        RunState::CompletedWithErrors,
        RunState::Failed,
        RunState::Interrupted,
    ] {
        counter!(RUNS, "profile" => profile.clone(), "state" => state.as_str()).absolute(0);
    }
    for cause in ["panic", "stall", "closed", "error"] {
        counter!(SUPERVISOR_RESTARTS, "profile" => profile.clone(), "cause" => cause).absolute(0);
    }
    gauge!(CONNECTIONS, "profile" => profile.clone()).set(0.0);
    gauge!(RUN_PROGRESS, "profile" => profile.clone()).set(0.0);
    gauge!(RUN_EXPECTED, "profile" => profile.clone()).set(0.0);
    profile_state(&profile, "idle");
    if let Some(time) = last_success {
        gauge!(RUN_LAST_SUCCESS, "profile" => profile).set(time as f64);
    }
}

pub fn profile_state(profile: &str, state: &str) {
    for known in PROFILE_STATES {
        let value = if known == state { 1.0 } else { 0.0 };
        gauge!(PROFILE_STATE, "profile" => profile.to_owned(), "state" => known).set(value);
    }
}

pub fn copies(profile: &str, outcome: Outcome, count: u64) {
    counter!(COPIES, "profile" => profile.to_owned(), "outcome" => outcome.as_str()).increment(count);
}

/// Copies were deleted on the server.
pub fn deleted(profile: &str, count: u64) {
    if count > 0 {
        counter!(DELETED, "profile" => profile.to_owned()).increment(count);
    }
}

pub fn fetched(profile: &str, bytes: u64) {
    counter!(FETCHED_BYTES, "profile" => profile.to_owned()).increment(bytes);
}

pub fn progress(profile: &str, done: u64, expected: u64) {
    gauge!(RUN_PROGRESS, "profile" => profile.to_owned()).set(done as f64);
    gauge!(RUN_EXPECTED, "profile" => profile.to_owned()).set(expected as f64);
}

/// So many sessions more, or fewer.
pub fn connection(profile: &str, more: f64) {
    gauge!(CONNECTIONS, "profile" => profile.to_owned()).increment(more);
}

pub fn certificate_expiry(profile: &str, not_after: i64) {
    gauge!(CERTIFICATE_EXPIRY, "profile" => profile.to_owned()).set(not_after as f64);
}

pub fn token_expiry(profile: &str, expires_at: i64) {
    gauge!(TOKEN_EXPIRY, "profile" => profile.to_owned()).set(expires_at as f64);
}

/// A run ended. `fetched_at`: when, in seconds since 1970 UTC, where it was one that fetches from the server: an import
/// says nothing of how old the last success is.
pub fn run_ended(profile: &str, state: RunState, took: Duration, fetched_at: Option<i64>) {
    counter!(RUNS, "profile" => profile.to_owned(), "state" => state.as_str()).increment(1);
    histogram!(RUN_SECONDS, "profile" => profile.to_owned()).record(took);
    if let (RunState::Completed, Some(time)) = (state, fetched_at) {
        gauge!(RUN_LAST_SUCCESS, "profile" => profile.to_owned()).set(time as f64);
    }
}

pub fn supervisor_restart(profile: &str, cause: &'static str) {
    counter!(SUPERVISOR_RESTARTS, "profile" => profile.to_owned(), "cause" => cause).increment(1);
}

pub fn committed(took: Duration, orders: usize, filings: u64) {
    histogram!(COMMIT_SECONDS).record(took);
    histogram!(COMMIT_MESSAGES).record(orders as f64);
    counter!(FILINGS).increment(filings);
}

pub fn inflight(bytes: u64) {
    gauge!(INFLIGHT_BYTES).set(bytes as f64);
}

/// A gauge that only grows: counters of this recorder are whole numbers, and waits are short.
pub fn backpressure(stage: &'static str, waited: Duration) {
    gauge!(BACKPRESSURE_SECONDS, "stage" => stage).increment(waited.as_secs_f64());
}

pub fn archive_size(messages: u64, raw: u64) {
    gauge!(ARCHIVE_MESSAGES).set(messages as f64);
    gauge!(ARCHIVE_BYTES, "kind" => "raw").set(raw as f64);
}

pub fn users(count: usize) {
    gauge!(ARCHIVE_USERS).set(count as f64);
}

/// Whether the users are those of the users file as it is now.
pub fn users_file(ok: bool) {
    gauge!(USERS_FILE_OK).set(if ok { 1.0 } else { 0.0 });
}

/// A thread that does this panicked.
pub fn panicked(thread: &'static str) {
    counter!(PANICS, "thread" => thread).increment(1);
}

/// Something was told of runs, by `mail` or `webhook`, or given up.
pub fn notified(kind: &'static str, ok: bool) {
    let result = if ok { "sent" } else { "failed" };
    counter!(NOTIFICATIONS, "kind" => kind, "result" => result).increment(1);
}

/// A users file changed and could not be used.
pub fn users_file_refused() {
    counter!(DIRECTORY_ERRORS).increment(1);
}

/// Bytes of free pages within two files, which are used before the files grow.
pub fn free_pages(catalog: u64, volume: u64) {
    gauge!(FREE_PAGES_BYTES, "file" => "catalog").set(catalog as f64);
    gauge!(FREE_PAGES_BYTES, "file" => "volume").set(volume as f64);
}

pub fn disk(stored: u64, free: Option<u64>) {
    gauge!(ARCHIVE_BYTES, "kind" => "stored").set(stored as f64);
    if let Some(free) = free {
        gauge!(DATA_FREE_BYTES).set(free as f64);
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
