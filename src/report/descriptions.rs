//! What each metric is, for the readers of `/metrics`.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

use super::metrics::*;

const COUNTERS: [(&str, Unit, &str); 17] = [
    (
        HTTP_REQUESTS,
        Unit::Count,
        "Requests to the API, by their address and the status of the answer",
    ),
    (LOGINS, Unit::Count, "Log-ins, by what came of them"),
    (
        SEARCH_ATTACHMENTS,
        Unit::Count,
        "Attachments read for the search index, by their kind and what came of it",
    ),
    (
        SEARCH_ERRORS,
        Unit::Count,
        "Failures of the search index; it is tried again after each",
    ),
    (
        COPIES,
        Unit::Count,
        "Source copies with an outcome (copies, not recipients)",
    ),
    (
        DELETED,
        Unit::Count,
        "Copies deleted on the server after it was checked that they are archived",
    ),
    (
        REOPENED,
        Unit::Count,
        "Copies that count as new again because the server gave their names to other mail",
    ),
    (
        UNREADABLE_REPORTS,
        Unit::Count,
        "Journal reports that are trusted but could not be read, or only in part; they are filed for @catchall as well",
    ),
    (FETCHED_BYTES, Unit::Bytes, "Bytes of messages fetched"),
    (FILINGS, Unit::Count, "Messages newly filed in a user's archive"),
    (RUNS, Unit::Count, "Runs ended, by their state"),
    (SUPERVISOR_RESTARTS, Unit::Count, "Profiles started again, by cause"),
    (DIRECTORY_ERRORS, Unit::Count, "Changed users files that were refused"),
    (
        NOTIFICATIONS,
        Unit::Count,
        "Mails and webhook calls about runs, sent or given up",
    ),
    (
        PANICS,
        Unit::Count,
        "Panics, by what the thread does: faults of dropkeep or of a library, most of which it survives",
    ),
    (ERRORS, Unit::Count, "Errors in protocols, by stage"),
    (RELOADS, Unit::Count, "Reloads of the configuration, taken or refused"),
];

const GAUGES: [(&str, Unit, &str); 43] = [
    (AUDIT_ENTRIES, Unit::Count, "Entries of the audit log that are kept"),
    (
        AUDIT_INTACT,
        Unit::Count,
        "0 if an entry of the audit log is missing, or is not what was written",
    ),
    (SEARCH_DOCUMENTS, Unit::Count, "Messages that search finds"),
    (SEARCH_BYTES, Unit::Bytes, "Bytes of the search index on disk"),
    (
        SEARCH_BEHIND,
        Unit::Count,
        "Messages that search does not find yet, or not for all who have them",
    ),
    (
        SEARCH_BEHIND_SECONDS,
        Unit::Seconds,
        "For how long the first of them has waited; 0 if search finds everything",
    ),
    (
        SEARCH_UNREAD,
        Unit::Count,
        "Messages that could not be read for the search index: they are found by date, size and user only",
    ),
    (
        VERIFY_EVERY,
        Unit::Seconds,
        "Within which time the appliance verifies all of the archive; absent where it does not",
    ),
    (
        VERIFY_ALL,
        Unit::Seconds,
        "When all of the archive was verified last, since 1970 UTC; 0 where it was not yet",
    ),
    (
        BACKUP_LAST,
        Unit::Seconds,
        "When the last backup was complete that the archive knows of, since 1970 UTC; 0 where there was none",
    ),
    (
        VERIFY_OLDEST,
        Unit::Seconds,
        "When that part of the archive was verified which was not for longest, since 1970 UTC",
    ),
    (
        VERIFY_DAMAGES,
        Unit::Count,
        "Damages that the appliance found when it last verified a part of the archive",
    ),
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
    (RUN_PROGRESS, Unit::Count, "Copies with an outcome in the current run"),
    (RUN_EXPECTED, Unit::Count, "Copies that the current run expects"),
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
        "Bytes of the messages as received (raw) and on disk (stored)",
    ),
    (
        DATA_FREE_BYTES,
        Unit::Bytes,
        "Free bytes on the disk of the data directory",
    ),
    (
        FREE_PAGES_BYTES,
        Unit::Bytes,
        "Bytes of free pages in the catalog and in the volume that is written to",
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
        "0 if the users file has an error, so that the users of the earlier one stay in force; otherwise 1",
    ),
    (BUILD_INFO, Unit::Count, "1, with the version as a label"),
    (
        STAGE_BACKLOG,
        Unit::Count,
        "Copies that are in a stage now; for commit, orders that wait for the committer",
    ),
    (
        UNACCOUNTED_COPIES,
        Unit::Count,
        "Copies that were fetched, but have no outcome and are not on their way: always 0",
    ),
    (
        PROFILE_FAILURES,
        Unit::Count,
        "Runs that failed in a row; 0 if the last one did not fail",
    ),
    (
        PROFILE_INTERVAL,
        Unit::Seconds,
        "The longest time between two scheduled runs, including pauses; 0 without a schedule",
    ),
    (
        PROFILE_NEXT_RUN,
        Unit::Seconds,
        "When the next scheduled run starts, since 1970 UTC; 0 if there is none",
    ),
    (
        PROFILE_OPEN_COPIES,
        Unit::Count,
        "Copies on the server that the last run did not archive",
    ),
    (
        PROFILE_SINCE,
        Unit::Seconds,
        "Since when the appliance has this profile, since 1970 UTC: its start, or the reload that added it",
    ),
    (
        PROFILE_STALL_TIMEOUT,
        Unit::Seconds,
        "How long a run can make no progress before it is given up",
    ),
    (
        RUN_SILENT,
        Unit::Seconds,
        "How long the current run has made no progress; 0 without a run",
    ),
    (
        ARCHIVE_VOLUMES,
        Unit::Count,
        "Volumes that are written to (open), and full ones (sealed)",
    ),
    (DATA_SIZE_BYTES, Unit::Bytes, "Size of the disk of the data directory"),
    (READY, Unit::Count, "1 if mail can be archived, as /readyz says"),
    (
        STORE_MISSING,
        Unit::Count,
        "1 if a part of the archive is missing, such as a volume, so that nothing is written",
    ),
    (START, Unit::Seconds, "When the appliance started, since 1970 UTC"),
    (
        CONFIGURATION_OK,
        Unit::Count,
        "0 if the last reload was refused and the earlier configuration stays in force; otherwise 1",
    ),
];

const HISTOGRAMS: [(&str, Unit, &str); 7] = [
    (
        SEARCH_SECONDS,
        Unit::Seconds,
        "Time of a search, until its answer is there",
    ),
    (
        SEARCH_WORK,
        Unit::Seconds,
        "Time of a step of indexing: the messages of a group, or a commit",
    ),
    (BACKPRESSURE_SECONDS, Unit::Seconds, "Waits of a stage for the next one"),
    (COMMIT_SECONDS, Unit::Seconds, "Time of a group commit, including syncs"),
    (COMMIT_MESSAGES, Unit::Count, "Copies and changes in a group commit"),
    (RUN_SECONDS, Unit::Seconds, "Time of a run"),
    (
        STAGE_SECONDS,
        Unit::Seconds,
        "Time in a stage: a login, a window of copies fetched, a copy identified, routed and filed, deletion in a folder",
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
