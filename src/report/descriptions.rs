//! What each metric is, for who reads `/metrics`.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use super::metrics::*;

const COUNTERS: [(&str, Unit, &str); 13] = [
    (
        COPIES,
        Unit::Count,
        "Source copies given an outcome (copies, not recipients)",
    ),
    (
        DELETED,
        Unit::Count,
        "Copies deleted on the server after they were seen to be archived",
    ),
    (
        REOPENED,
        Unit::Count,
        "Copies that count as new again, as the server gave their names to other mail",
    ),
    (
        UNREADABLE_REPORTS,
        Unit::Count,
        "Journal reports that are believed and cannot be read, or not whole: filed for @catchall too",
    ),
    (FETCHED_BYTES, Unit::Bytes, "Bytes of messages fetched"),
    (FILINGS, Unit::Count, "Messages newly filed in a user's archive"),
    (RUNS, Unit::Count, "Runs ended, by their state"),
    (SUPERVISOR_RESTARTS, Unit::Count, "Profiles started anew, by cause"),
    (
        DIRECTORY_ERRORS,
        Unit::Count,
        "Users files that changed and could not be used",
    ),
    (
        NOTIFICATIONS,
        Unit::Count,
        "Mails and calls of the webhook about runs, sent or given up",
    ),
    (
        PANICS,
        Unit::Count,
        "Panics, by what the thread does: faults of dropkeep or of a library, survived where they could be",
    ),
    (ERRORS, Unit::Count, "Errors that protocols have, by stage"),
    (
        RELOADS,
        Unit::Count,
        "Configurations read anew, by whether they were taken",
    ),
];

const GAUGES: [(&str, Unit, &str); 31] = [
    (
        INFLIGHT_BYTES,
        Unit::Bytes,
        "Bytes of the budget in use between servers and disk",
    ),
    (
        RUN_LAST_SUCCESS,
        Unit::Seconds,
        "When a run last ended as completed, since 1970 UTC",
    ),
    (
        RUN_PROGRESS,
        Unit::Count,
        "Copies that the run going on has given an outcome",
    ),
    (
        RUN_EXPECTED,
        Unit::Count,
        "Copies that the run going on expects to look at",
    ),
    (
        PROFILE_STATE,
        Unit::Count,
        "1 for the state a profile is in, 0 for the others",
    ),
    (CONNECTIONS, Unit::Count, "Authenticated sessions open"),
    (ARCHIVE_MESSAGES, Unit::Count, "Messages kept"),
    (ARCHIVE_USERS, Unit::Count, "Users"),
    (
        ARCHIVE_BYTES,
        Unit::Bytes,
        "Bytes of the messages as they came (raw) and on disk (stored)",
    ),
    (DATA_FREE_BYTES, Unit::Bytes, "Bytes left on the data directory's disk"),
    (
        FREE_PAGES_BYTES,
        Unit::Bytes,
        "Bytes of free pages within the catalog and the volume that is written to",
    ),
    (
        CERTIFICATE_EXPIRY,
        Unit::Seconds,
        "When the server's certificate expires, since 1970 UTC",
    ),
    (
        HTTP_CERTIFICATE_EXPIRY,
        Unit::Seconds,
        "When the certificate that this page is served with expires, since 1970 UTC",
    ),
    (
        TOKEN_EXPIRY,
        Unit::Seconds,
        "When the access token last used expires, since 1970 UTC",
    ),
    (
        USERS_FILE_OK,
        Unit::Count,
        "1 where the users are those of the users file, 0 where it is wrong and they are those of an earlier one",
    ),
    (BUILD_INFO, Unit::Count, "1, with the version as a label"),
    (
        STAGE_BACKLOG,
        Unit::Count,
        "Copies in a stage of the journey at this moment; for commit, orders that wait for the committer",
    ),
    (
        UNACCOUNTED_COPIES,
        Unit::Count,
        "Copies that were fetched, have no outcome, and are not on their way: always 0",
    ),
    (
        PROFILE_FAILURES,
        Unit::Count,
        "Runs that failed in a row; 0 where the last one did not",
    ),
    (
        PROFILE_INTERVAL,
        Unit::Seconds,
        "The longest time between two runs by the schedule, pauses included; 0 where there is none",
    ),
    (
        PROFILE_NEXT_RUN,
        Unit::Seconds,
        "When the schedule begins the next run, since 1970 UTC; 0 where it begins none",
    ),
    (
        PROFILE_OPEN_COPIES,
        Unit::Count,
        "Copies that the last look at the source left to be archived: what is behind",
    ),
    (
        PROFILE_SINCE,
        Unit::Seconds,
        "Since when the appliance knows the profile, since 1970 UTC: its start, or the reload that brought it",
    ),
    (
        PROFILE_STALL_TIMEOUT,
        Unit::Seconds,
        "After how long without progress a run is given up",
    ),
    (
        RUN_SILENT,
        Unit::Seconds,
        "For how long the run going on has made no progress; 0 without one",
    ),
    (
        ARCHIVE_VOLUMES,
        Unit::Count,
        "Volumes, those that are written to (open) and those that are complete (sealed)",
    ),
    (DATA_SIZE_BYTES, Unit::Bytes, "Size of the data directory's disk"),
    (READY, Unit::Count, "1 where mail can be archived, as /readyz says"),
    (
        STORE_MISSING,
        Unit::Count,
        "1 where something of the archive is not where it was, such as a volume, so that nothing is written",
    ),
    (START, Unit::Seconds, "When the appliance started, since 1970 UTC"),
    (
        CONFIGURATION_OK,
        Unit::Count,
        "1 where the configuration is that of its file, 0 where that was refused and an earlier one is in force",
    ),
];

const HISTOGRAMS: [(&str, Unit, &str); 5] = [
    (
        BACKPRESSURE_SECONDS,
        Unit::Seconds,
        "Waits of a stage for the next: how many, and how long",
    ),
    (
        COMMIT_SECONDS,
        Unit::Seconds,
        "Time of one group commit, syncs included",
    ),
    (COMMIT_MESSAGES, Unit::Count, "Orders in one group commit"),
    (RUN_SECONDS, Unit::Seconds, "Time of a run"),
    (
        STAGE_SECONDS,
        Unit::Seconds,
        "Time in a stage of the journey: a log-in, a window fetched, a copy identified, routed and filed, a folder deleted from",
    ),
];

/// Tells the recorder of all of them.
pub(super) fn describe() {
    for (name, unit, text) in COUNTERS {
        describe_counter!(name, unit, text);
    }
    for (name, unit, text) in GAUGES {
        describe_gauge!(name, unit, text);
    }
    for (name, unit, text) in HISTOGRAMS {
        describe_histogram!(name, unit, text);
    }
}
