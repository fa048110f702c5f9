//! The journey: each stage's pace, time, backlog and waits, so that the one that holds the others up is seen.

use super::{
    dashboard::{Dashboard, Row},
    expressions::{answers, events, grown, quantile, rate, sum, times, waited},
    panel::Panel,
};

const BAD: (f64, &str) = (1.0, "red");

pub fn dashboard() -> Dashboard {
    Dashboard {
        title: "dropkeep: the journey",
        description: "What happens to mail on its way from the servers to the disk, stage by stage. A stage that is slower \
                      than the others has a backlog, and those before it wait. Lines of times have gaps while nothing \
                      happens.",
        by_profile: false,
        rows: vec![now(), whole(), fetch(), identify(), route(), file(), commit(), delete()],
    }
}

fn now() -> Row {
    Row::new(
        "Now",
        [
            answers(),
            Panel::stat("Copies", "Source copies that are given an outcome, per second.", "cps")
                .query(rate("", "dropkeep_copies_total", ""), "{{instance}}")
                .decimals(1),
            Panel::stat("Fetched", "Bytes of messages that are fetched, per second.", "binBps")
                .query(rate("", "dropkeep_fetched_bytes_total", ""), "{{instance}}"),
            Panel::stat("Open connections", "Sessions at the servers that are logged in.", "short")
                .query(sum("", "dropkeep_connections", ""), "{{instance}}"),
            Panel::stat(
                "Unaccounted copies",
                "Copies that were fetched, have no outcome, and are not on their way. Anything but 0 is a fault of dropkeep.",
                "short",
            )
            .query(sum("", "dropkeep_unaccounted_copies", ""), "{{instance}}")
            .steps(&[BAD]),
            Panel::stat(
                "Errors in an hour",
                "Errors that the protocols of the last hour name; `dropkeep protocols` shows them.",
                "short",
            )
            .query(grown("", "dropkeep_errors_total", "", "1h"), "{{instance}}")
            .decimals(0)
            .steps(&[BAD]),
        ],
    )
}

fn whole() -> Row {
    Row::new(
        "The whole way",
        [
            Panel::graph("Copies by outcome", "Source copies that are given an outcome, per second.", "cps")
                .query(rate("outcome", "dropkeep_copies_total", ""), "{{instance}}: {{outcome}}")
                .stacked(),
            Panel::events(
                "Errors by stage",
                "Errors that protocols name, by the stage in which they happened.",
            )
            .query(events("stage", "dropkeep_errors_total", ""), "{{instance}}: {{stage}}"),
            Panel::graph(
                "In flight",
                "Bytes of the budget (limits.inflight) in use between servers and disk. At its limit the servers wait.",
                "bytes",
            )
            .query(sum("", "dropkeep_inflight_bytes", ""), "{{instance}}"),
            Panel::graph("Backlog by stage", "Copies in each stage at this moment (commit: orders).", "short")
                .query(sum("stage", "dropkeep_stage_backlog", ""), "{{instance}}: {{stage}}")
                .width(12)
                .stacked(),
            Panel::graph(
                "Waits by stage",
                "The share of time in which one waits for the next: for bytes of the budget, shares in deposits, a thread of \
                 the pool, the router, the committer. Several who wait at once make more than 100 %.",
                "percentunit",
            )
            .query(waited(".+"), "{{instance}}: {{stage}}")
            .width(12),
        ],
    )
}

/// A stage's row is of four panels.
fn stage(title: &'static str, panels: [Panel; 4]) -> Row {
    Row::new(title, panels.map(|panel| panel.width(6).height(7)))
}

fn stage_times(description: &str, stage: &str) -> Panel {
    let panel = Panel::graph("Time", description, "s");
    times(panel, "dropkeep_stage_seconds", &format!(r#"stage="{stage}""#))
}

fn backlog(description: &str, stage: &str) -> Panel {
    let expr = sum("", "dropkeep_stage_backlog", &format!(r#"stage="{stage}""#));
    Panel::graph("Backlog", description, "short").query(expr, "{{instance}}")
}

fn passed(description: &str, stage: &str) -> Panel {
    let expr = rate("", "dropkeep_stage_seconds_count", &format!(r#"stage="{stage}""#));
    Panel::graph("Rate", description, "cps").query(expr, "{{instance}}")
}

fn fetch() -> Row {
    stage(
        "Fetch",
        [
            Panel::graph(
                "Rate",
                "Bytes of messages fetched per second, by profile.",
                "binBps",
            )
            .query(rate("profile", "dropkeep_fetched_bytes_total", ""), "{{instance}}: {{profile}}"),
            times(
                Panel::graph(
                    "Time",
                    "How long it takes to fetch one window of copies; and to connect and log in.",
                    "s",
                ),
                "dropkeep_stage_seconds",
                r#"stage="fetch""#,
            )
            .query(
                quantile(0.95, "dropkeep_stage_seconds", r#"stage="connect""#),
                "{{instance}}: to connect (p95)",
            ),
            backlog("Copies that are being fetched.", "fetch"),
            Panel::graph(
                "Back-pressure",
                "The share of time in which connections wait for bytes of the budget (limits.inflight): what comes behind them \
                 is slower than the servers.",
                "percentunit",
            )
            .query(waited("budget"), "{{instance}}: wait for {{stage}}"),
        ],
    )
}

fn identify() -> Row {
    stage(
        "Identify",
        [
            passed("Copies identified per second: digests, date, recipients.", "identify"),
            stage_times(
                "How long one copy takes on the CPU pool, the wait for a thread included.",
                "identify",
            ),
            backlog("Copies on the CPU pool or waiting for it.", "identify"),
            Panel::graph(
                "Back-pressure",
                "The share of time in which copies wait for a thread of the pool: the processors are busy.",
                "percentunit",
            )
            .query(waited("identify"), "{{instance}}: wait to {{stage}}"),
        ],
    )
}

fn route() -> Row {
    stage(
        "Route",
        [
            passed("Copies for which it was decided, per second, for whom they are.", "route"),
            stage_times(
                "From the connection's sending to the router's decision, the wait in its mailbox included.",
                "route",
            ),
            backlog("Copies at the router or on their way to it.", "route"),
            Panel::graph(
                "Back-pressure",
                "The share of time in which copies wait in the router's mailbox (route), and in which the router waits until \
                 fewer shares of users are on their way (shares): mail to thousands.",
                "percentunit",
            )
            .query(waited("route|shares"), "{{instance}}: wait for {{stage}}"),
        ],
    )
}

fn file() -> Row {
    stage(
        "File",
        [
            Panel::graph(
                "Rate",
                "Copies acknowledged per second, and messages newly filed in a user's archive. A message for three is filed \
                 three times; a duplicate is not.",
                "cps",
            )
            .query(
                rate("", "dropkeep_stage_seconds_count", r#"stage="file""#),
                "{{instance}}: copies",
            )
            .query(rate("", "dropkeep_filings_total", ""), "{{instance}}: filings"),
            stage_times("From the decision to the acknowledgement, the commit included.", "file"),
            backlog("Copies at the archives of their users, until they are acknowledged.", "file"),
            Panel::graph(
                "Back-pressure",
                "The share of time in which archives wait for room in the committer's queue: the disk is slower than what \
                 comes.",
                "percentunit",
            )
            .query(waited("commit"), "{{instance}}: wait to {{stage}}"),
        ],
    )
}

fn commit() -> Row {
    stage(
        "Commit",
        [
            Panel::graph("Rate", "Orders committed, and group commits, per second.", "cps")
                .query(rate("", "dropkeep_commit_messages_sum", ""), "{{instance}}: orders")
                .query(rate("", "dropkeep_commit_seconds_count", ""), "{{instance}}: commits"),
            times(
                Panel::graph("Time", "How long a group commit takes, its syncs included.", "s"),
                "dropkeep_commit_seconds",
                "",
            ),
            backlog("Orders sent to the committer and not answered yet: they wait for the next commit or are in one.", "commit"),
            Panel::graph(
                "Back-pressure",
                "The share of time in which the one thread that writes is at it. At 100 % the disk sets the pace, and all \
                 stages before it wait.",
                "percentunit",
            )
            .query(rate("", "dropkeep_commit_seconds_sum", ""), "{{instance}}: busy"),
        ],
    )
}

fn delete() -> Row {
    stage(
        "Delete",
        [
            Panel::graph(
                "Rate",
                "Copies deleted on the servers per second, by profile. 0 where no profile deletes.",
                "cps",
            )
            .query(
                rate("profile", "dropkeep_deleted_copies_total", ""),
                "{{instance}}: {{profile}}",
            ),
            stage_times("How long the second pass over a folder takes.", "delete"),
            backlog("Copies that are due and not deleted yet.", "delete"),
            Panel::graph(
                "Back-pressure",
                "The share of time that goes into second passes: what runs spend on deleting.",
                "percentunit",
            )
            .query(
                rate("", "dropkeep_stage_seconds_sum", r#"stage="delete""#),
                "{{instance}}: busy",
            ),
        ],
    )
}
