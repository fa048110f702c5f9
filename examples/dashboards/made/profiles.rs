//! The profiles: whether each source is archived in time, and what keeps it from that.

use super::{
    dashboard::{Dashboard, Row},
    expressions::{SHOWN, gauge, increase, of_profiles, rate},
    panel::{Column, Panel, Step, Word},
};

const STATES: [Word; 3] = [(0, "idle", "green"), (1, "running", "blue"), (2, "failing", "red")];
const DAY: f64 = 86_400.0;
const EXPIRY: [Step; 4] = [
    (f64::NEG_INFINITY, "red"),
    (2.0 * DAY, "orange"),
    (14.0 * DAY, "yellow"),
    (30.0 * DAY, "green"),
];
const FAILURES: [Step; 2] = [(1.0, "yellow"), (3.0, "red")];

pub fn dashboard() -> Dashboard {
    Dashboard {
        title: "dropkeep: profiles",
        description: "Each source that is archived: whether it is in time, how far its run is, and what went wrong.",
        by_profile: true,
        rows: vec![now(), runs(), sources(), trouble(), expiry()],
    }
}

/// 0, 1 or 2, as `STATES` says.
fn state() -> String {
    let of = |state: &str| format!(r#"max by (profile) (dropkeep_profile_state{{{SHOWN}, state="{state}"}})"#);
    of_profiles(&format!("({} + 2 * {})", of("running"), of("failing")))
}

/// Seconds since the last success; where there was none, since the start.
fn age() -> String {
    of_profiles(&format!(
        "(time() - max by (profile) (dropkeep_run_last_success_timestamp_seconds{{{SHOWN}}} > 0 or 0 * \
         dropkeep_profile_interval_seconds{{{SHOWN}}} + on (job, instance) group_left dropkeep_start_timestamp_seconds))"
    ))
}

fn silence() -> String {
    let ratio = format!(
        "max by (profile) (dropkeep_run_silent_seconds{{{SHOWN}}} / (dropkeep_profile_stall_timeout_seconds{{{SHOWN}}} > 0))"
    );
    of_profiles(&ratio)
}

fn column(title: &'static str, expr: String, unit: &'static str) -> Column {
    Column {
        title,
        expr,
        unit,
        steps: Vec::new(),
        words: Vec::new(),
    }
}

fn now() -> Row {
    let of = |name: &str| of_profiles(&gauge(name));
    let next = of_profiles(&format!(
        "(max by (profile) (dropkeep_profile_next_run_timestamp_seconds{{{SHOWN}}} > 0) - time())"
    ));
    let columns = vec![
        Column {
            words: STATES.to_vec(),
            steps: vec![(1.0, "blue"), (2.0, "red")],
            ..column("State", state(), "short")
        },
        column("Since the last success", age(), "s"),
        column("Next run in", next, "s"),
        column("Seen", of("dropkeep_run_progress_copies"), "short"),
        column("Expected", of("dropkeep_run_expected_copies"), "short"),
        Column {
            steps: vec![(1.0, "yellow")],
            ..column("Open copies", of("dropkeep_profile_open_copies"), "short")
        },
        column("Connections", of("dropkeep_connections"), "short"),
        Column {
            steps: vec![(0.5, "orange"), (1.0, "red")],
            ..column("Silence", silence(), "percentunit")
        },
        Column {
            steps: FAILURES.to_vec(),
            ..column("Failures in a row", of("dropkeep_profile_failures"), "short")
        },
    ];
    Row::new(
        "Now",
        [
            Panel::table(
                "Profiles",
                "A line for each profile. Silence is for how long its run got nowhere, as a share of its stall_timeout; at 100 % \
                 the run is given up. No next run: it runs when asked, or is running.",
                columns,
            ),
            Panel::timeline(
                "State",
                "Idle, running, or failing: three runs in a row failed, or it is being restarted.",
            )
            .query(state(), "{{profile}}")
            .words(&STATES),
        ],
    )
}

fn runs() -> Row {
    let progress = of_profiles(&format!(
        "clamp_max(max by (profile) (dropkeep_run_progress_copies{{{SHOWN}}} / \
         (dropkeep_run_expected_copies{{{SHOWN}}} > 0)), 1)"
    ));
    let lateness = of_profiles(&format!(
        "({} / (max by (profile) (dropkeep_profile_interval_seconds{{{SHOWN}}}) > 0))",
        age()
    ));
    let taken = |part: f64| {
        let buckets = rate("profile, le", &format!("dropkeep_run_seconds_bucket{{{SHOWN}}}"));
        format!("histogram_quantile({part}, {buckets})")
    };
    Row::new(
        "Runs",
        [
            Panel::bars(
                "Last success, in schedules",
                "The time since the last success (or since the start, where there was none) over the longest time between two \
                 runs by the schedule. From 2 on it is too late. Profiles without a schedule are not here.",
                "short",
                3.0,
            )
            .query(lateness, "{{profile}}")
            .decimals(1)
            .steps(&[(1.0, "yellow"), (2.0, "red")]),
            Panel::bars(
                "Progress of the run",
                "Copies seen of those that the run expects; of the last run where none is going on. Nothing is shown where \
                 none was expected.",
                "percentunit",
                1.0,
            )
            .query(progress, "{{profile}}"),
            Panel::graph("Seen of expected", "Copies that the run has seen, and that it expects.", "short")
                .query(of_profiles(&gauge("dropkeep_run_progress_copies")), "{{profile}}: seen")
                .query(of_profiles(&gauge("dropkeep_run_expected_copies")), "{{profile}}: expected"),
            Panel::graph("Since the last success", "Where there was none, since the start.", "s")
                .query(age(), "{{profile}}"),
            Panel::graph("Runs by state", "Runs that ended in each step of the graph.", "short")
                .query(increase("state", &format!("dropkeep_runs_total{{{SHOWN}}}")), "{{state}}")
                .stacked(),
            Panel::graph("Time of a run", "Half of the runs took less (p50), and nearly all (p95).", "s")
                .query(taken(0.5), "{{profile}} p50")
                .query(taken(0.95), "{{profile}} p95"),
        ],
    )
}

fn sources() -> Row {
    Row::new(
        "Sources",
        [
            Panel::graph(
                "Open copies",
                "What the last look at the source left open, failed copies included: how far the archive is behind.",
                "short",
            )
            .query(of_profiles(&gauge("dropkeep_profile_open_copies")), "{{profile}}"),
            Panel::graph(
                "Copies by outcome",
                "Source copies given an outcome, per second.",
                "cps",
            )
            .query(
                rate("outcome", &format!("dropkeep_copies_total{{{SHOWN}}}")),
                "{{outcome}}",
            )
            .stacked(),
            Panel::graph("Fetched", "Bytes of messages fetched per second.", "binBps").query(
                rate("profile", &format!("dropkeep_fetched_bytes_total{{{SHOWN}}}")),
                "{{profile}}",
            ),
            Panel::graph("Connections", "Sessions at the server that are logged in.", "short")
                .query(of_profiles(&gauge("dropkeep_connections")), "{{profile}}"),
            Panel::graph(
                "Deleted",
                "Copies deleted on the server per second, after they were seen to be archived.",
                "cps",
            )
            .query(
                rate("profile", &format!("dropkeep_deleted_copies_total{{{SHOWN}}}")),
                "{{profile}}",
            ),
            Panel::graph(
                "Next run in",
                "Time until the next run by the schedule. Manual profiles are not here.",
                "s",
            )
            .query(
                of_profiles(&format!(
                    "(max by (profile) (dropkeep_profile_next_run_timestamp_seconds{{{SHOWN}}} > 0) - time())"
                )),
                "{{profile}}",
            ),
        ],
    )
}

fn trouble() -> Row {
    Row::new(
        "Trouble",
        [
            Panel::graph(
                "Silence against stall_timeout",
                "For how long the run got nowhere, as a share of its stall_timeout. At 100 % it is given up.",
                "percentunit",
            )
            .query(silence(), "{{profile}}")
            .steps(&[(0.5, "orange"), (1.0, "red")]),
            Panel::graph(
                "Failures in a row",
                "Runs that failed since the last that did not.",
                "short",
            )
            .query(of_profiles(&gauge("dropkeep_profile_failures")), "{{profile}}")
            .steps(&FAILURES),
            Panel::graph(
                "Restarts by cause",
                "Profiles started anew, and runs that are tried again (error), in each step of the graph.",
                "short",
            )
            .query(
                increase(
                    "profile, cause",
                    &format!("dropkeep_supervisor_restarts_total{{{SHOWN}}}"),
                ),
                "{{profile}}: {{cause}}",
            )
            .stacked(),
        ],
    )
}

fn expiry() -> Row {
    let left = |name: &str| of_profiles(&format!("(max by (profile) ({name}{{{SHOWN}}} > 0) - time())"));
    Row::new(
        "What expires",
        [
            Panel::bars(
                "Certificate expires in",
                "Of the certificate that the server showed last. Profiles without TLS are not here.",
                "s",
                90.0 * DAY,
            )
            .query(left("dropkeep_certificate_expiry_timestamp_seconds"), "{{profile}}")
            .width(12)
            .height(6)
            .steps(&EXPIRY),
            Panel::bars(
                "Access token expires in",
                "Of the token that was used last; it is renewed before a run needs it. Below 0 it expired since the last run. \
                 Profiles with passwords are not here.",
                "s",
                3600.0,
            )
            .query(left("dropkeep_token_expiry_timestamp_seconds"), "{{profile}}")
            .width(12)
            .height(6)
            .steps(&[(f64::NEG_INFINITY, "yellow"), (0.0, "green")]),
        ],
    )
}
