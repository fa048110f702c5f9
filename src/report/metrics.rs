//! The metrics. This module owns their names; label values are profiles, outcomes and the like, never
//! addresses.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use super::{Outcome, RunState};

pub const COPIES: &str = "dropkeep_copies_total";
pub const DELETED: &str = "dropkeep_deleted_copies_total";
pub const REOPENED: &str = "dropkeep_reopened_copies_total";
pub const UNREADABLE_REPORTS: &str = "dropkeep_unreadable_reports_total";
pub const FETCHED_BYTES: &str = "dropkeep_fetched_bytes_total";
pub const FILINGS: &str = "dropkeep_filings_total";
pub const COMMIT_SECONDS: &str = "dropkeep_commit_seconds";
pub const COMMIT_MESSAGES: &str = "dropkeep_commit_messages";
pub const INFLIGHT_BYTES: &str = "dropkeep_inflight_bytes";
pub const BACKPRESSURE_SECONDS: &str = "dropkeep_backpressure_seconds";
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
pub const VERIFY_EVERY: &str = "dropkeep_verify_every_seconds";
pub const BACKUP_LAST: &str = "dropkeep_backup_last_timestamp_seconds";
pub const VERIFY_ALL: &str = "dropkeep_verify_all_timestamp_seconds";
pub const VERIFY_OLDEST: &str = "dropkeep_verify_oldest_timestamp_seconds";
pub const VERIFY_DAMAGES: &str = "dropkeep_verify_damages";
pub const SEARCH_DOCUMENTS: &str = "dropkeep_search_documents";
pub const SEARCH_BYTES: &str = "dropkeep_search_index_bytes";
pub const SEARCH_BEHIND: &str = "dropkeep_search_behind_messages";
pub const SEARCH_BEHIND_SECONDS: &str = "dropkeep_search_behind_seconds";
pub const SEARCH_UNREAD: &str = "dropkeep_search_unread_messages";
pub const SEARCH_WORK: &str = "dropkeep_search_indexing_seconds";
pub const SEARCH_SECONDS: &str = "dropkeep_search_seconds";
pub const SEARCH_ATTACHMENTS: &str = "dropkeep_search_attachments_total";
pub const SEARCH_ERRORS: &str = "dropkeep_search_errors_total";
pub const DATA_FREE_BYTES: &str = "dropkeep_data_free_bytes";
pub const FREE_PAGES_BYTES: &str = "dropkeep_free_pages_bytes";
pub const CERTIFICATE_EXPIRY: &str = "dropkeep_certificate_expiry_timestamp_seconds";
pub const HTTP_CERTIFICATE_EXPIRY: &str = "dropkeep_http_certificate_expiry_timestamp_seconds";
pub const TOKEN_EXPIRY: &str = "dropkeep_token_expiry_timestamp_seconds";
pub const DIRECTORY_ERRORS: &str = "dropkeep_directory_errors_total";
pub const USERS_FILE_OK: &str = "dropkeep_directory_users_file_ok";
pub const NOTIFICATIONS: &str = "dropkeep_notifications_total";
pub const PANICS: &str = "dropkeep_panics_total";
pub const STAGE_SECONDS: &str = "dropkeep_stage_seconds";
pub const STAGE_BACKLOG: &str = "dropkeep_stage_backlog";
pub const ERRORS: &str = "dropkeep_errors_total";
pub const UNACCOUNTED_COPIES: &str = "dropkeep_unaccounted_copies";
pub const PROFILE_FAILURES: &str = "dropkeep_profile_failures";
pub const PROFILE_INTERVAL: &str = "dropkeep_profile_interval_seconds";
pub const PROFILE_NEXT_RUN: &str = "dropkeep_profile_next_run_timestamp_seconds";
pub const PROFILE_OPEN_COPIES: &str = "dropkeep_profile_open_copies";
pub const PROFILE_SINCE: &str = "dropkeep_profile_since_timestamp_seconds";
pub const PROFILE_STALL_TIMEOUT: &str = "dropkeep_profile_stall_timeout_seconds";
pub const RUN_SILENT: &str = "dropkeep_run_silent_seconds";
pub const ARCHIVE_VOLUMES: &str = "dropkeep_archive_volumes";
pub const DATA_SIZE_BYTES: &str = "dropkeep_data_size_bytes";
pub const READY: &str = "dropkeep_ready";
pub const STORE_MISSING: &str = "dropkeep_store_missing";
pub const START: &str = "dropkeep_start_timestamp_seconds";
pub const HTTP_REQUESTS: &str = "dropkeep_http_requests_total";
pub const LOGINS: &str = "dropkeep_logins_total";
pub const AUDIT_ENTRIES: &str = "dropkeep_audit_entries";
pub const AUDIT_INTACT: &str = "dropkeep_audit_intact";
pub const RELOADS: &str = "dropkeep_reloads_total";
pub const CONFIGURATION_OK: &str = "dropkeep_configuration_ok";
pub const BUILD_INFO: &str = "dropkeep_build_info";

/// The states that `dropkeep_profile_state` tells apart; the one that holds is 1.
pub const PROFILE_STATES: [&str; 3] = ["idle", "running", "failing"];

/// The stages that `dropkeep_errors_total` tells apart; whatever else a protocol names counts as the last.
pub const ERROR_STAGES: [&str; 20] = [
    "config",
    "resolve",
    "connect",
    "tls",
    "greeting",
    "login",
    "token",
    "connection",
    "folder",
    "fetch",
    "read",
    "manifest",
    "format",
    "identify",
    "route",
    "size",
    "deletion",
    "store",
    "run",
    "other",
];

/// Who waits for whom, as `dropkeep_backpressure_seconds` tells apart: connections for bytes of the budget, copies
/// for a thread of the pool, copies for the router, the router for shares in deposits, whoever files for the committer.
pub const WAITS: [&str; 5] = ["budget", "identify", "route", "shares", "commit"];

/// What the threads do that `dropkeep_panics_total` tells apart.
pub const THREADS: [&str; 8] = [
    "main",
    "identify",
    "committer",
    "housekeeper",
    "actor",
    "blocking",
    "search",
    "other",
];

/// A profile is known from `since` on: its series begin. Times are in seconds since 1970 UTC.
pub fn profile_known(profile: &str, since: i64, last_success: Option<i64>) {
    gauge!(PROFILE_SINCE, "profile" => profile.to_owned()).set(since as f64);
    let profile = profile.to_owned();
    use Outcome::*;
    for outcome in [Archived, Duplicate, Skipped, Excluded, TooLarge, Vanished, Failed] {
        counter!(COPIES, "profile" => profile.clone(), "outcome" => outcome.as_str()).absolute(0);
    }
    counter!(FETCHED_BYTES, "profile" => profile.clone()).absolute(0);
    counter!(DELETED, "profile" => profile.clone()).absolute(0);
    counter!(REOPENED, "profile" => profile.clone()).absolute(0);
    counter!(UNREADABLE_REPORTS, "profile" => profile.clone()).absolute(0);
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
    for zero in [
        RUN_EXPECTED,
        PROFILE_FAILURES,
        PROFILE_NEXT_RUN,
        PROFILE_OPEN_COPIES,
        RUN_SILENT,
    ] {
        gauge!(zero, "profile" => profile.clone()).set(0.0);
    }
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

/// What is configured of a profile, in seconds.
pub fn profile_times(profile: &str, interval: Option<Duration>, stall_timeout: Duration) {
    let interval = interval.map_or(0.0, |interval| interval.as_secs_f64());
    gauge!(PROFILE_INTERVAL, "profile" => profile.to_owned()).set(interval);
    gauge!(PROFILE_STALL_TIMEOUT, "profile" => profile.to_owned()).set(stall_timeout.as_secs_f64());
}

/// The configuration has the profile no more: its series cannot end, and say that nothing is due.
pub fn profile_gone(profile: &str) {
    for state in PROFILE_STATES {
        gauge!(PROFILE_STATE, "profile" => profile.to_owned(), "state" => state).set(0.0);
    }
    let nothing = [
        RUN_PROGRESS,
        RUN_EXPECTED,
        RUN_SILENT,
        RUN_LAST_SUCCESS,
        PROFILE_FAILURES,
        PROFILE_INTERVAL,
        PROFILE_NEXT_RUN,
        PROFILE_OPEN_COPIES,
        PROFILE_SINCE,
        CERTIFICATE_EXPIRY,
        TOKEN_EXPIRY,
    ];
    for name in nothing {
        gauge!(name, "profile" => profile.to_owned()).set(0.0);
    }
}

/// When the next run begins, and for how long the one that goes on has made no progress.
pub fn profile_watched(profile: &str, next_run: Option<i64>, silent: Duration) {
    gauge!(PROFILE_NEXT_RUN, "profile" => profile.to_owned()).set(next_run.unwrap_or(0) as f64);
    gauge!(RUN_SILENT, "profile" => profile.to_owned()).set(silent.as_secs_f64());
}

pub fn profile_failures(profile: &str, in_a_row: u32) {
    gauge!(PROFILE_FAILURES, "profile" => profile.to_owned()).set(in_a_row);
}

/// What the last look at the source left to be archived.
pub fn open_copies(profile: &str, open: u64) {
    gauge!(PROFILE_OPEN_COPIES, "profile" => profile.to_owned()).set(open as f64);
}

/// A protocol has an error of this stage.
pub fn error(stage: &str) {
    let known = ERROR_STAGES.into_iter().find(|known| *known == stage);
    counter!(ERRORS, "stage" => known.unwrap_or("other")).increment(1);
}

/// Whether mail can be archived.
pub fn ready(ready: bool) {
    gauge!(READY).set(if ready { 1.0 } else { 0.0 });
}

/// Whether something of the store is not where it was.
pub fn store_missing(missing: bool) {
    gauge!(STORE_MISSING).set(if missing { 1.0 } else { 0.0 });
}

/// What comes of log-ins.
pub const LOGIN_OUTCOMES: [&str; 7] = ["done", "wrong", "needs_code", "wrong_code", "slowed", "busy", "failed"];

/// A request to the API was answered. `route` is the address with its names, as the document has it.
pub fn http_request(route: &'static str, code: u16) {
    counter!(HTTP_REQUESTS, "route" => route, "code" => code.to_string()).increment(1);
}

/// Somebody logged in, or tried to.
pub fn log_in(outcome: &'static str) {
    counter!(LOGINS, "outcome" => outcome).increment(1);
}

/// Entries of the audit log that are kept.
pub fn audit_entries(kept: u64) {
    gauge!(AUDIT_ENTRIES).set(kept as f64);
}

/// Whether each entry of the audit log was found to be the one behind the one before.
pub fn audit_intact(intact: bool) {
    gauge!(AUDIT_INTACT).set(if intact { 1.0 } else { 0.0 });
}

/// The configuration was read anew, and taken or refused.
pub fn reloaded(taken: bool) {
    let result = if taken { "taken" } else { "refused" };
    counter!(RELOADS, "result" => result).increment(1);
    gauge!(CONFIGURATION_OK).set(if taken { 1.0 } else { 0.0 });
}

/// What made the configuration refused was put right.
pub fn configuration_ok() {
    gauge!(CONFIGURATION_OK).set(1.0);
}

pub fn copies(profile: &str, outcome: Outcome, count: u64) {
    counter!(COPIES, "profile" => profile.to_owned(), "outcome" => outcome.as_str()).increment(count);
}

/// Copies that were done count as new.
pub fn reopened(profile: &str, count: u64) {
    if count > 0 {
        counter!(REOPENED, "profile" => profile.to_owned()).increment(count);
    }
}

/// A journal report is believed, and cannot be read whole.
pub fn unreadable_report(profile: &str) {
    counter!(UNREADABLE_REPORTS, "profile" => profile.to_owned()).increment(1);
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

pub fn http_certificate_expiry(not_after: i64) {
    gauge!(HTTP_CERTIFICATE_EXPIRY).set(not_after as f64);
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

/// Somebody waited for a stage.
pub fn backpressure(stage: &'static str, waited: Duration) {
    histogram!(BACKPRESSURE_SECONDS, "stage" => stage).record(waited);
}

pub fn archive_size(messages: u64, raw: u64) {
    gauge!(ARCHIVE_MESSAGES).set(messages as f64);
    gauge!(ARCHIVE_BYTES, "kind" => "raw").set(raw as f64);
}

/// The appliance verifies all of the archive within the time `every`: when it last did, when that was verified which is
/// next in turn, both in seconds since 1970 and 0 where never, and the damages that it knows of.
pub fn verified(every: Duration, all: i64, oldest: i64, damages: u64) {
    gauge!(VERIFY_EVERY).set(every.as_secs_f64());
    gauge!(VERIFY_ALL).set(all as f64);
    gauge!(VERIFY_OLDEST).set(oldest as f64);
    gauge!(VERIFY_DAMAGES).set(damages as f64);
}

/// When the last backup was complete that was noted, in seconds since 1970; 0 where none was.
pub fn backed_up(at: i64) {
    gauge!(BACKUP_LAST).set(at as f64);
}

/// How the search index stands: documents that are found, bytes on disk, messages that are not found yet, for how
/// long the first of them has waited, and messages that are found without their texts.
pub fn search(documents: u64, bytes: u64, behind: u64, behind_seconds: u64, unread: u64) {
    gauge!(SEARCH_DOCUMENTS).set(documents as f64);
    gauge!(SEARCH_BYTES).set(bytes as f64);
    gauge!(SEARCH_BEHIND).set(behind as f64);
    gauge!(SEARCH_BEHIND_SECONDS).set(behind_seconds as f64);
    gauge!(SEARCH_UNREAD).set(unread as f64);
    counter!(SEARCH_ERRORS).increment(0);
}

/// So many attachments of a kind were read for the search index since the start, with this outcome.
pub fn attachments_read(kind: &'static str, outcome: &'static str, count: u64) {
    if count > 0 {
        counter!(SEARCH_ATTACHMENTS, "kind" => kind, "outcome" => outcome).absolute(count);
    }
}

/// The search index was worked on for so long.
pub fn search_worked(took: Duration) {
    histogram!(SEARCH_WORK).record(took);
}

/// A search took so long until its answer was there.
pub fn searched(took: Duration) {
    histogram!(SEARCH_SECONDS).record(took);
}

/// The search index could not be brought up to date, and is tried again.
pub fn search_failed() {
    counter!(SEARCH_ERRORS).increment(1);
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

/// A report about runs was sent by `mail` or `webhook`, or given up.
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

/// Bytes that the archive takes, and those of its disk: free, and all.
pub fn disk(stored: u64, disk: Option<(u64, u64)>) {
    gauge!(ARCHIVE_BYTES, "kind" => "stored").set(stored as f64);
    if let Some((free, size)) = disk {
        gauge!(DATA_FREE_BYTES).set(free as f64);
        gauge!(DATA_SIZE_BYTES).set(size as f64);
    }
}

pub fn volumes(open: usize, sealed: usize) {
    gauge!(ARCHIVE_VOLUMES, "state" => "open").set(open as f64);
    gauge!(ARCHIVE_VOLUMES, "state" => "sealed").set(sealed as f64);
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
