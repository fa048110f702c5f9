//! The archive: what is kept, how it grows, the disk below it, and the process that keeps it.

use super::{
    dashboard::{Dashboard, Row},
    expressions::{answers, events, grown, of, of_process, rate, sum, times},
    panel::Panel,
};

const DAY: f64 = 86_400.0;
const GIB: f64 = 1_073_741_824.0;
pub fn dashboard() -> Dashboard {
    Dashboard {
        title: "dropkeep: the archive",
        description: "What is kept and how it grows, the disk that it lies on, and the process that keeps it.",
        by_profile: false,
        rows: vec![state(), kept(), verified(), search(), writing(), disk(), process()],
    }
}

fn yes(title: &'static str, description: &str, metric: &str) -> Panel {
    Panel::stat(title, description, "short")
        .query(of(metric, ""), "{{instance}}")
        .yes_or_no()
}

fn state() -> Row {
    Row::new(
        "State",
        [
            answers(),
            yes(
                "Ready",
                "What /readyz says: the store is open and takes writes, and mail is routed.",
                "dropkeep_ready",
            ),
            yes(
                "Configuration in force",
                "No: the file as it is now was refused, and the earlier one is in force.",
                "dropkeep_configuration_ok",
            ),
            yes(
                "Users file in force",
                "No: the users file as it is now is wrong, and the users are those of an earlier one.",
                "dropkeep_directory_users_file_ok",
            ),
            Panel::stat(
                "Panics",
                "Faults of dropkeep or of a library since the start, survived where they could be.",
                "short",
            )
            .query(sum("", "dropkeep_panics_total", ""), "{{instance}}")
            .steps(&[(1.0, "red")]),
            Panel::stat(
                "Notifications that failed",
                "In the last hour: nobody received what they say.",
                "short",
            )
            .query(
                grown("", "dropkeep_notifications_total", r#"result="failed""#, "1h"),
                "{{instance}}",
            )
            .decimals(0)
            .steps(&[(1.0, "red")]),
        ],
    )
}

fn kept() -> Row {
    let kind = |kind: &str| format!(r#"kind="{kind}""#);
    let bytes = |of: &str| sum("", "dropkeep_archive_bytes", &kind(of));
    let a_day = |series: &str| format!("sum by (instance) (deriv({series}[1h])) * 86400");
    let bytes_a_day = |bytes: &str| a_day(&of("dropkeep_archive_bytes", &kind(bytes)));
    Row::new(
        "What is kept",
        [
            Panel::stat("Messages", "Each is counted once, whoever has it.", "short")
                .query(sum("", "dropkeep_archive_messages", ""), "{{instance}}"),
            Panel::stat("Users", "Users with an archive, the retired included.", "short")
                .query(sum("", "dropkeep_archive_users", ""), "{{instance}}"),
            Panel::stat("Raw", "Bytes of the messages as they came.", "bytes").query(bytes("raw"), "{{instance}}"),
            Panel::stat("Stored", "Bytes that the archive takes on disk.", "bytes").query(bytes("stored"), "{{instance}}"),
            Panel::stat(
                "Stored of raw",
                "Bytes on disk over bytes as they came. A young archive has room that it uses first.",
                "percentunit",
            )
            .query(format!("{} / ({} > 0)", bytes("stored"), bytes("raw")), "{{instance}}")
            .decimals(0),
            Panel::stat(
                "Grew in a day",
                "By how many bytes on disk, in the last 24 hours.",
                "bytes",
            )
            .query(
                format!("sum by (instance) (delta({}[1d]))", of("dropkeep_archive_bytes", &kind("stored"))),
                "{{instance}}",
            ),
            Panel::graph("Messages and users", "Messages kept; users by the right axis.", "short")
                .query(sum("", "dropkeep_archive_messages", ""), "{{instance}}: messages")
                .query_in("short", sum("", "dropkeep_archive_users", ""), "{{instance}}: users"),
            Panel::graph(
                "Bytes",
                "Of the messages as they came (raw), and on disk (stored).",
                "bytes",
            )
            .query(sum("kind", "dropkeep_archive_bytes", ""), "{{instance}}: {{kind}}"),
            Panel::graph(
                "Growth per day",
                "At the pace of the last hour: bytes per day on disk and as they came; messages by the right axis. Below 0 where \
                 more was removed than came.",
                "bytes",
            )
            .query(bytes_a_day("stored"), "{{instance}}: stored")
            .query(bytes_a_day("raw"), "{{instance}}: raw")
            .query_in("short", a_day(&of("dropkeep_archive_messages", "")), "{{instance}}: messages")
            .below_zero(),
        ],
    )
}

fn verified() -> Row {
    let ago = |metric: &str| format!("time() - ({} > 0)", of(metric, ""));
    Row::new(
        "Verified",
        [
            Panel::stat(
                "Damages",
                "What the appliance found when it last verified a part of the archive. `dropkeep verify` names them.",
                "short",
            )
            .query(of("dropkeep_verify_damages", ""), "{{instance}}")
            .width(12)
            .steps(&[(1.0, "red")]),
            Panel::stat(
                "All verified",
                "How long ago the appliance had verified all of the archive, a part each night; until it has, since when it verifies.",
                "s",
            )
            .query(
                format!(
                    "time() - (({} > 0) or {})",
                    of("dropkeep_verify_all_timestamp_seconds", ""),
                    of("dropkeep_verify_oldest_timestamp_seconds", "")
                ),
                "{{instance}}",
            )
            .width(12),
            Panel::graph(
                "Not verified for",
                "That part of the archive which was not verified for longest, and within which time all of it is to be.",
                "s",
            )
            .query(ago("dropkeep_verify_oldest_timestamp_seconds"), "{{instance}}: not verified for")
            .query(of("dropkeep_verify_every_seconds", ""), "{{instance}}: archive.verify")
            .width(16),
            Panel::stat(
                "Backup",
                "How long ago the last backup was complete that the archive knows of; 0 if there was none.",
                "s",
            )
            .query(
                format!(
                    "(time() - {0}) * ({0} > bool 0)",
                    of("dropkeep_backup_last_timestamp_seconds", "")
                ),
                "{{instance}}",
            )
            .width(8)
            .height(8),
        ],
    )
}

fn search() -> Row {
    Row::new(
        "Search",
        [
            Panel::stat(
                "Not found yet",
                "For how long the first message has waited that search does not find yet; 0 if it finds everything.",
                "s",
            )
            .query(of("dropkeep_search_behind_seconds", ""), "{{instance}}")
            .steps(&[(60.0, "yellow"), (900.0, "red")])
            .height(8),
            Panel::graph(
                "Found",
                "Messages that search finds, and those of the archive; journal reports are in nobody's archive, and not found.",
                "short",
            )
            .query(of("dropkeep_search_documents", ""), "{{instance}}: found")
            .query(of("dropkeep_archive_messages", ""), "{{instance}}: archived")
            .width(10),
            Panel::graph("Behind", "Messages that search does not find yet, or not for all who have them.", "short")
                .query(of("dropkeep_search_behind_messages", ""), "{{instance}}")
                .width(10),
            Panel::graph("Index", "Bytes of the search index on disk.", "bytes")
                .query(of("dropkeep_search_index_bytes", ""), "{{instance}}"),
            times(
                Panel::graph(
                    "Time of a step",
                    "Indexing the messages of a group, or a commit of the index.",
                    "s",
                ),
                "dropkeep_search_indexing_seconds",
                "",
            ),
            times(
                Panel::graph("Time of a search", "Until its answer is there.", "s"),
                "dropkeep_search_seconds",
                "",
            ),
            Panel::graph(
                "Attachments",
                "Read for search, by what came of it; dropkeep search 'unread:*' lists those that could not be.",
                "short",
            )
            .query(sum("outcome", "dropkeep_search_attachments_total", ""), "{{instance}}: {{outcome}}"),
            Panel::graph(
                "Messages not read",
                "Messages that could not be read when they were indexed, since the start: search finds them by date, size and \
                 user only. dropkeep verify says why.",
                "short",
            )
            .query(of("dropkeep_search_unread_messages", ""), "{{instance}}"),
            Panel::graph("Failures", "Of the index; it is tried again after each.", "short")
                .query(of("dropkeep_search_errors_total", ""), "{{instance}}"),
        ],
    )
}

fn writing() -> Row {
    Row::new(
        "Writing",
        [
            times(
                Panel::graph("Time of a commit", "A group commit, its syncs included.", "s"),
                "dropkeep_commit_seconds",
                "",
            ),
            times(
                Panel::graph(
                    "Orders in a commit",
                    "How many are committed and synced together.",
                    "short",
                ),
                "dropkeep_commit_messages",
                "",
            ),
            Panel::graph(
                "Filings",
                "Messages newly filed in a user's archive, per second.",
                "cps",
            )
            .query(rate("", "dropkeep_filings_total", ""), "{{instance}}"),
        ],
    )
}

fn disk() -> Row {
    let free = || of("dropkeep_data_free_bytes", "");
    let size = || of("dropkeep_data_size_bytes", "");
    Row::new(
        "Disk",
        [
            Panel::bars(
                "Disk used",
                "Of the disk with the data directory, by all that is on it.",
                "percentunit",
                1.0,
            )
            .query(format!("1 - {} / ({} > 0)", free(), size()), "{{instance}}")
            .steps(&[(0.85, "orange"), (0.95, "red")]),
            Panel::graph(
                "Free disk",
                "Bytes left on the data directory's disk, and in four days at the pace of the last six hours.",
                "bytes",
            )
            .query(free(), "{{instance}}: free")
            .query(
                format!("clamp_min(predict_linear({}[6h], 4 * 86400), 0)", free()),
                "{{instance}}: in four days",
            )
            .steps(&[(f64::NEG_INFINITY, "red"), (GIB, "orange"), (5.0 * GIB, "green")]),
            Panel::graph(
                "Free pages",
                "Room within the catalog and the volume that is written to, which is used before they grow. \
                 `dropkeep compact` without an appliance makes the catalog smaller.",
                "bytes",
            )
            .query(sum("file", "dropkeep_free_pages_bytes", ""), "{{instance}}: {{file}}")
            .stacked(),
            Panel::stat(
                "Disk full in",
                "At the pace of the last six hours; ten years where it does not fill.",
                "s",
            )
            .query(
                format!(
                    "clamp({} / clamp_min(-deriv({}[6h]), 1e-3), 0, 10 * 365 * 86400)",
                    free(),
                    free()
                ),
                "{{instance}}",
            )
            .width(8)
            .steps(&[(f64::NEG_INFINITY, "red"), (4.0 * DAY, "orange"), (30.0 * DAY, "green")]),
            Panel::stat(
                "Volumes",
                "The one that is written to, and those that are sealed and never change again.",
                "short",
            )
            .query(sum("state", "dropkeep_archive_volumes", ""), "{{instance}}: {{state}}")
            .width(8),
            Panel::stat("Disk", "Size of the data directory's disk.", "bytes")
                .query(size(), "{{instance}}")
                .width(8),
        ],
    )
}

fn process() -> Row {
    let process = |metric: &str| of_process(&of(metric, ""));
    let processor = of_process(&rate("job", "process_cpu_seconds_total", ""));
    let left = format!("(1 - {} / {})", of("process_open_fds", ""), of("process_max_fds", ""));
    Row::new(
        "Process",
        [
            Panel::graph(
                "Memory",
                "Resident memory. It does not grow with the mailbox: 200 MB and twice the largest message are the bound.",
                "bytes",
            )
            .query(process("process_resident_memory_bytes"), "{{instance}}: resident"),
            Panel::graph("Processor", "Cores in use: 100 % is one.", "percentunit").query(processor, "{{instance}}"),
            Panel::graph("Open files and threads", "Files and sockets; their limit is the one of the service.", "short")
                .query(process("process_open_fds"), "{{instance}}: files")
                .query(process("process_threads"), "{{instance}}: threads"),
            Panel::events("Panics", "By what the thread does.")
                .query(events("thread", "dropkeep_panics_total", ""), "{{instance}}: {{thread}}"),
            Panel::events(
                "Configuration and users file",
                "Reloads of the configuration, and users files that could not be used.",
            )
            .query(events("result", "dropkeep_reloads_total", ""), "{{instance}}: configuration {{result}}")
            .query(events("", "dropkeep_directory_errors_total", ""), "{{instance}}: users file refused"),
            Panel::events("Notifications", "Sent and failed.")
                .query(events("kind, result", "dropkeep_notifications_total", ""), "{{instance}}: {{kind}} {{result}}"),
            Panel::events("Log-ins", "By what came of them.")
                .query(events("outcome", "dropkeep_logins_total", ""), "{{instance}}: {{outcome}}"),
            Panel::graph("Audit log", "Entries that are kept.", "short")
                .query(of("dropkeep_audit_entries", ""), "{{instance}}")
                .width(16),
            Panel::events("Requests to the API", "By their address, and the status of the answer.")
                .query(events("route, code", "dropkeep_http_requests_total", ""), "{{instance}}: {{code}} {{route}}")
                .width(24),
            Panel::stat("Version", "The program that runs.", "short")
                .query(of("dropkeep_build_info", ""), "{{instance}}: {{version}}")
                .width(8)
                .named(),
            Panel::stat("Up for", "Since the appliance was started.", "s")
                .query(format!("time() - {}", of("dropkeep_start_timestamp_seconds", "")), "{{instance}}")
                .width(8),
            Panel::stat("Files left to open", "Of the process's limit.", "percentunit")
                .query(of_process(&left), "{{instance}}")
                .width(8)
                .steps(&[(f64::NEG_INFINITY, "red"), (0.1, "orange"), (0.2, "green")]),
        ],
    )
}
