//! The archive: what is kept, how it grows, the disk below it, and the process that keeps it.

use super::{
    dashboard::{Dashboard, Row},
    expressions::{increase, of_process, times},
    panel::{Panel, Step, Word},
};

const DAY: f64 = 86_400.0;
const GIB: f64 = 1_073_741_824.0;
/// What should be 1.
const SHOULD_BE: [Step; 2] = [(f64::NEG_INFINITY, "red"), (1.0, "green")];
const YES_OR_NO: [Word; 2] = [(0, "no", "red"), (1, "yes", "green")];

pub fn dashboard() -> Dashboard {
    Dashboard {
        title: "dropkeep: the archive",
        description: "What is kept and how it grows, the disk that it lies on, and the process that keeps it.",
        by_profile: false,
        rows: vec![state(), kept(), writing(), disk(), process()],
    }
}

fn yes(title: &'static str, description: &str, metric: &str) -> Panel {
    Panel::stat(title, description, "short")
        .query(metric, "{{instance}}")
        .steps(&SHOULD_BE)
        .words(&YES_OR_NO)
}

fn state() -> Row {
    Row::new(
        "State",
        [
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
            .query("sum(dropkeep_panics_total)", "panics")
            .steps(&[(1.0, "red")]),
            Panel::stat(
                "Notifications that failed",
                "In the last hour: nobody was told of what they say.",
                "short",
            )
            .query(
                r#"sum(increase(dropkeep_notifications_total{result="failed"}[1h]))"#,
                "failed",
            )
            .decimals(0)
            .steps(&[(1.0, "red")]),
            Panel::stat("Up for", "Since the appliance was started.", "s")
                .query("time() - dropkeep_start_timestamp_seconds", "{{instance}}"),
        ],
    )
}

fn kept() -> Row {
    let bytes = |kind: &str| format!(r#"sum(dropkeep_archive_bytes{{kind="{kind}"}})"#);
    let a_day = |series: &str| format!("sum(deriv({series}[1h])) * 86400");
    Row::new(
        "What is kept",
        [
            Panel::stat("Messages", "Each is counted once, whoever has it.", "short")
                .query("sum(dropkeep_archive_messages)", "messages"),
            Panel::stat("Users", "Users with an archive, the retired included.", "short")
                .query("sum(dropkeep_archive_users)", "users"),
            Panel::stat("Raw", "Bytes of the messages as they came.", "bytes").query(bytes("raw"), "raw"),
            Panel::stat("Stored", "Bytes that the archive takes on disk.", "bytes").query(bytes("stored"), "stored"),
            Panel::stat(
                "Stored of raw",
                "Bytes on disk over bytes as they came. A young archive has room that it uses first.",
                "percentunit",
            )
            .query(format!("{} / ({} > 0)", bytes("stored"), bytes("raw")), "ratio")
            .decimals(0),
            Panel::stat(
                "Grew in a day",
                "By how many bytes on disk, in the last 24 hours.",
                "bytes",
            )
            .query(r#"sum(delta(dropkeep_archive_bytes{kind="stored"}[1d]))"#, "stored"),
            Panel::graph("Messages and users", "Messages kept; users by the right axis.", "short")
                .query("sum(dropkeep_archive_messages)", "messages")
                .query_in("short", "sum(dropkeep_archive_users)", "users"),
            Panel::graph(
                "Bytes",
                "Of the messages as they came (raw), and on disk (stored).",
                "bytes",
            )
            .query("sum by (kind) (dropkeep_archive_bytes)", "{{kind}}"),
            Panel::graph(
                "Growth per day",
                "At the pace of the last hour: bytes per day on disk and as they came; messages by the right axis.",
                "bytes",
            )
            .query(a_day(r#"dropkeep_archive_bytes{kind="stored"}"#), "stored")
            .query(a_day(r#"dropkeep_archive_bytes{kind="raw"}"#), "raw")
            .query_in("short", a_day("dropkeep_archive_messages"), "messages"),
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
            .query("sum(rate(dropkeep_filings_total[$__rate_interval]))", "filings"),
        ],
    )
}

fn disk() -> Row {
    Row::new(
        "Disk",
        [
            Panel::bars("Disk used", "Of the disk with the data directory, by all that is on it.", "percentunit", 1.0)
                .query("1 - dropkeep_data_free_bytes / (dropkeep_data_size_bytes > 0)", "{{instance}}")
                .steps(&[(0.85, "orange"), (0.95, "red")]),
            Panel::graph(
                "Free disk",
                "Bytes left on the data directory's disk, and in four days at the pace of the last six hours.",
                "bytes",
            )
            .query("dropkeep_data_free_bytes", "free: {{instance}}")
            .query(
                "clamp_min(predict_linear(dropkeep_data_free_bytes[6h], 4 * 86400), 0)",
                "in four days: {{instance}}",
            )
            .steps(&[(f64::NEG_INFINITY, "red"), (GIB, "orange"), (5.0 * GIB, "green")]),
            Panel::graph(
                "Free pages",
                "Room within the catalog and the volume that is written to, which is used before they grow. \
                 `dropkeep compact` without an appliance makes the catalog smaller.",
                "bytes",
            )
            .query("sum by (file) (dropkeep_free_pages_bytes)", "{{file}}")
            .stacked(),
            Panel::stat(
                "Disk full in",
                "At the pace of the last six hours; ten years where it does not fill.",
                "s",
            )
            .query(
                "clamp(dropkeep_data_free_bytes / clamp_min(-deriv(dropkeep_data_free_bytes[6h]), 1e-3), 0, 10 * 365 * 86400)",
                "{{instance}}",
            )
            .width(8)
            .steps(&[(f64::NEG_INFINITY, "red"), (4.0 * DAY, "orange"), (30.0 * DAY, "green")]),
            Panel::stat("Volumes", "The one that is written to, and those that are sealed and never change again.", "short")
                .query("sum by (state) (dropkeep_archive_volumes)", "{{state}}")
                .width(8),
            Panel::stat("Disk", "Size of the data directory's disk.", "bytes")
                .query("dropkeep_data_size_bytes", "{{instance}}")
                .width(8),
        ],
    )
}

fn process() -> Row {
    Row::new(
        "Process",
        [
            Panel::graph(
                "Memory",
                "Resident memory. It does not grow with the mailbox: 200 MB and twice the largest message are the bound.",
                "bytes",
            )
            .query(of_process("process_resident_memory_bytes"), "resident: {{instance}}"),
            Panel::graph("Processor", "Cores in use: 100 % is one.", "percentunit")
                .query(of_process("rate(process_cpu_seconds_total[$__rate_interval])"), "{{instance}}"),
            Panel::graph("Open files and threads", "Files and sockets; their limit is the one of the service.", "short")
                .query(of_process("process_open_fds"), "files: {{instance}}")
                .query(of_process("process_threads"), "threads: {{instance}}"),
            Panel::graph("Panics", "By what the thread does, in each step of the graph.", "short")
                .query(increase("thread", "dropkeep_panics_total"), "{{thread}}")
                .stacked(),
            Panel::graph(
                "Configuration and users file",
                "Reloads of the configuration, and users files that could not be used, in each step of the graph.",
                "short",
            )
            .query(increase("result", "dropkeep_reloads_total"), "configuration {{result}}")
            .query("sum(increase(dropkeep_directory_errors_total[$__rate_interval]))", "users file refused"),
            Panel::graph("Notifications", "Sent and failed, in each step of the graph.", "short")
                .query(increase("kind, result", "dropkeep_notifications_total"), "{{kind}} {{result}}"),
            Panel::stat("Version", "The program that runs.", "short")
                .query("dropkeep_build_info", "{{instance}}: {{version}}")
                .width(8)
                .named(),
            Panel::stat("Files left to open", "Of the process's limit.", "percentunit")
                .query(of_process("(1 - process_open_fds / process_max_fds)"), "{{instance}}")
                .width(8)
                .steps(&[(f64::NEG_INFINITY, "red"), (0.1, "orange"), (0.2, "green")]),
            Panel::stat("HTTP certificate expires in", "Where metrics and health are served over TLS; empty elsewhere.", "s")
                .query("dropkeep_http_certificate_expiry_timestamp_seconds - time()", "{{instance}}")
                .width(8)
                .steps(&[(f64::NEG_INFINITY, "red"), (2.0 * DAY, "orange"), (14.0 * DAY, "green")]),
        ],
    )
}
