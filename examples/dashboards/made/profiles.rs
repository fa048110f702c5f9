//! The profiles: whether each source is archived in time, and what keeps it from that.

use super::{
    dashboard::{Dashboard, Row},
    expressions::{PROFILES, answers, each_profile, events, gauge, grown, of, of_profiles, rate, until},
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

fn in_state(state: &str) -> String {
    let labels = format!(r#"{PROFILES}, state="{state}""#);
    each_profile(&of("dropkeep_profile_state", &labels))
}

/// 0, 1 or 2, as `STATES` says.
fn state() -> String {
    of_profiles(&format!("({} + 2 * {})", in_state("running"), in_state("failing")))
}

/// Seconds since the last success, or since the appliance knows the profile, whichever was later.
fn age() -> String {
    let since = of("dropkeep_profile_since_timestamp_seconds", PROFILES);
    let success = of("dropkeep_run_last_success_timestamp_seconds", PROFILES);
    let from = each_profile(&format!("{success} > {since} or {since}"));
    of_profiles(&format!("(time() - {from})"))
}

/// The same in schedules. As the alert does, this takes nothing for late whose run goes on and gets somewhere.
fn lateness() -> String {
    let schedules = of_profiles(&format!(
        "({} / ({} > 0))",
        age(),
        gauge("dropkeep_profile_interval_seconds")
    ));
    let gets_on = format!(
        "({} > 0 and on (instance, profile) {} <= 0.5)",
        in_state("running"),
        silence_ratio()
    );
    format!("clamp_max({schedules}, 1) and on (instance, profile) {gets_on} or {schedules}")
}

fn silence_ratio() -> String {
    let stall_timeout = of("dropkeep_profile_stall_timeout_seconds", PROFILES);
    each_profile(&format!(
        "{} / ({stall_timeout} > 0)",
        of("dropkeep_run_silent_seconds", PROFILES)
    ))
}

fn silence() -> String {
    of_profiles(&silence_ratio())
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
    let next = of_profiles(&until("dropkeep_profile_next_run_timestamp_seconds"));
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
                "A line for each profile of each appliance. The last success is counted from when the appliance knows the \
                 profile where that was later. Silence is for how long its run got nowhere, as a share of its stall_timeout; at 100 % \
                 the run is given up. No next run: it runs when asked, or is running.",
                columns,
            ),
            Panel::timeline(
                "State",
                "Idle, running, or failing: three runs in a row failed, or it is being restarted.",
            )
            .query(state(), "{{instance}}: {{profile}}")
            .words(&STATES)
            .width(20),
            answers().height(6),
        ],
    )
}

fn runs() -> Row {
    let progress = of_profiles(&format!(
        "clamp_max({}, 1)",
        each_profile(&format!(
            "{} / ({} > 0)",
            of("dropkeep_run_progress_copies", PROFILES),
            of("dropkeep_run_expected_copies", PROFILES)
        ))
    ));
    let of_runs = |by: &str, of: &str| grown(by, &format!("dropkeep_run_seconds_{of}"), PROFILES, "1d");
    let mean = format!("{} / {}", of_runs("profile", "sum"), of_runs("profile", "count"));
    let most = format!("histogram_quantile(0.95, {})", of_runs("profile, le", "bucket"));
    Row::new(
        "Runs",
        [
            Panel::bars(
                "Last success, in schedules",
                "The time since the last success (or since the appliance knows the profile, where that was later) over the \
                 longest time between two runs by the schedule. From 2 on it is too late; while a run goes on that gets \
                 somewhere it is 1 at most. Profiles without a schedule are not here.",
                "short",
                3.0,
            )
            .query(lateness(), "{{instance}}: {{profile}}")
            .decimals(1)
            .steps(&[(1.0, "yellow"), (2.0, "red")]),
            Panel::bars(
                "Progress of the run",
                "Copies seen of those that the run expects; of the last run where none is going on. Nothing is shown where \
                 none was expected.",
                "percentunit",
                1.0,
            )
            .query(progress, "{{instance}}: {{profile}}"),
            Panel::graph("Seen of expected", "Copies that the run has seen, and that it expects.", "short")
                .query(of_profiles(&gauge("dropkeep_run_progress_copies")), "{{instance}}: {{profile}} seen")
                .query(of_profiles(&gauge("dropkeep_run_expected_copies")), "{{instance}}: {{profile}} expected"),
            Panel::graph(
                "Since the last success",
                "Or since the appliance knows the profile (its start, or the reload that added it), where that was later.",
                "s",
            )
            .query(age(), "{{instance}}: {{profile}}"),
            Panel::events("Runs by state", "Runs that ended, by how.").query(
                events("profile, state", "dropkeep_runs_total", PROFILES),
                "{{instance}}: {{profile}} {{state}}",
            ),
            Panel::graph(
                "Time of a run",
                "Of the runs that ended in the day before: their mean, and what nearly all (p95) took less than.",
                "s",
            )
            .query(mean, "{{instance}}: {{profile}} mean")
            .query(most, "{{instance}}: {{profile}} p95"),
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
            .query(
                of_profiles(&gauge("dropkeep_profile_open_copies")),
                "{{instance}}: {{profile}}",
            ),
            Panel::graph(
                "Copies by outcome",
                "Source copies given an outcome, per second.",
                "cps",
            )
            .query(
                rate("outcome", "dropkeep_copies_total", PROFILES),
                "{{instance}}: {{outcome}}",
            )
            .stacked(),
            Panel::graph("Fetched", "Bytes of messages fetched per second.", "binBps").query(
                rate("profile", "dropkeep_fetched_bytes_total", PROFILES),
                "{{instance}}: {{profile}}",
            ),
            Panel::graph("Connections", "Sessions at the server that are logged in.", "short")
                .query(of_profiles(&gauge("dropkeep_connections")), "{{instance}}: {{profile}}"),
            Panel::graph(
                "Deleted",
                "Copies deleted on the server per second, after they were seen to be archived.",
                "cps",
            )
            .query(
                rate("profile", "dropkeep_deleted_copies_total", PROFILES),
                "{{instance}}: {{profile}}",
            ),
            Panel::graph(
                "Next run in",
                "Time until the next run by the schedule; below 0 it is overdue. Manual profiles are not here.",
                "s",
            )
            .query(
                of_profiles(&until("dropkeep_profile_next_run_timestamp_seconds")),
                "{{instance}}: {{profile}}",
            )
            .below_zero(),
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
            .query(silence(), "{{instance}}: {{profile}}")
            .steps(&[(0.5, "orange"), (1.0, "red")]),
            Panel::graph(
                "Failures in a row",
                "Runs that failed since the last that did not.",
                "short",
            )
            .query(
                of_profiles(&gauge("dropkeep_profile_failures")),
                "{{instance}}: {{profile}}",
            )
            .steps(&FAILURES),
            Panel::events(
                "Restarts by cause",
                "Profiles started anew, and runs that are tried again (error).",
            )
            .query(
                events("profile, cause", "dropkeep_supervisor_restarts_total", PROFILES),
                "{{instance}}: {{profile}} {{cause}}",
            ),
        ],
    )
}

/// What expires of each profile and of each appliance, called by what it is.
fn expiring() -> String {
    let of_each = |metric: &str, what: &str| {
        format!(
            r#"label_replace({}, "what", "$1 {what}", "profile", "(.*)")"#,
            of_profiles(&until(metric))
        )
    };
    let http = of("dropkeep_http_certificate_expiry_timestamp_seconds", "");
    [
        of_each("dropkeep_certificate_expiry_timestamp_seconds", "certificate"),
        of_each("dropkeep_token_expiry_timestamp_seconds", "access token"),
        format!(r#"label_replace({http} - time(), "what", "HTTP certificate", "", "")"#),
    ]
    .join(" or ")
}

fn expiry() -> Row {
    Row::new(
        "What expires",
        [Panel::bars(
            "Certificates and tokens expire in",
            "The certificate that the server of a profile showed last, and the access token that was used last: it is renewed \
             before a run needs it, and below 0 it expired since the last run. HTTP: the certificate that metrics and health \
             are served with. What has none is not here. A bar is of 90 days, of an access token of an hour.",
            "s",
            90.0 * DAY,
        )
        .query(expiring(), "{{instance}}: {{what}}")
        .width(24)
        .steps(&EXPIRY)
        .otherwise(
            "/ access token$/",
            3600.0,
            &[(f64::NEG_INFINITY, "yellow"), (0.0, "green")],
        )],
    )
}
