//! The journey: each stage's pace, time, backlog and waits, so that the one that holds the others up is seen.

use super::{
    dashboard::{Dashboard, Row},
    expressions::{increase, rate, times, waited},
    panel::Panel,
};

const BAD: (f64, &str) = (1.0, "red");

pub fn dashboard() -> Dashboard {
    Dashboard {
        title: "dropkeep: the journey",
        description: "What happens to mail on its way from the servers to the disk, stage by stage. A stage that is slower \
                      than the others has a backlog, and those before it wait.",
        by_profile: false,
        rows: vec![now(), whole(), fetch(), identify(), route(), file(), commit(), delete()],
    }
}

fn now() -> Row {
    Row::new(
        "Now",
        [
            Panel::stat("Copies", "Source copies that are given an outcome, per second.", "cps")
                .query("sum(rate(dropkeep_copies_total[$__rate_interval]))", "copies")
                .decimals(1),
            Panel::stat("Fetched", "Bytes of messages that are fetched, per second.", "binBps")
                .query("sum(rate(dropkeep_fetched_bytes_total[$__rate_interval]))", "fetched"),
            Panel::stat(
                "In flight",
                "Bytes of the budget (limits.inflight) in use between servers and disk. At its limit the servers wait.",
                "bytes",
            )
            .query("sum(dropkeep_inflight_bytes)", "in flight"),
            Panel::stat("Open connections", "Sessions at the servers that are logged in.", "short")
                .query("sum(dropkeep_connections)", "connections"),
            Panel::stat(
                "Unaccounted copies",
                "Copies that were fetched, have no outcome, and are not on their way. Anything but 0 is a fault of dropkeep.",
                "short",
            )
            .query("sum(dropkeep_unaccounted_copies)", "unaccounted")
            .steps(&[BAD]),
            Panel::stat(
                "Errors in an hour",
                "Errors that the protocols of the last hour name; `dropkeep protocols` shows them.",
                "short",
            )
            .query("sum(increase(dropkeep_errors_total[1h]))", "errors")
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
                .query(rate("outcome", "dropkeep_copies_total"), "{{outcome}}")
                .stacked(),
            Panel::graph(
                "Errors by stage",
                "Errors that protocols name, by the stage in which they happened: how many in each step of the graph.",
                "short",
            )
            .query(increase("stage", "dropkeep_errors_total"), "{{stage}}")
            .stacked(),
            Panel::graph(
                "In flight",
                "Bytes of the budget in use between servers and disk.",
                "bytes",
            )
            .query("sum by (instance) (dropkeep_inflight_bytes)", "{{instance}}"),
            Panel::graph("Backlog by stage", "Copies in each stage at this moment (commit: orders).", "short")
                .query("sum by (stage) (dropkeep_stage_backlog)", "{{stage}}")
                .width(12)
                .stacked(),
            Panel::graph(
                "Waits by stage",
                "The share of time in which one waits for the next: for bytes of the budget, shares in deposits, a thread of \
                 the pool, the router, the committer. Several who wait at once make more than 100 %.",
                "percentunit",
            )
            .query(waited(".+"), "{{stage}}")
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
    let expr = format!(r#"sum by (instance) (dropkeep_stage_backlog{{stage="{stage}"}})"#);
    Panel::graph("Backlog", description, "short").query(expr, "{{instance}}")
}

fn passed(description: &str, stage: &str) -> Panel {
    let series = format!(r#"dropkeep_stage_seconds_count{{stage="{stage}"}}"#);
    Panel::graph("Rate", description, "cps").query(rate("instance", &series), "{{instance}}")
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
            .query(rate("profile", "dropkeep_fetched_bytes_total"), "{{profile}}"),
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
                r#"histogram_quantile(0.95, sum by (le) (rate(dropkeep_stage_seconds_bucket{stage="connect"}[$__rate_interval])))"#,
                "to connect (p95)",
            ),
            backlog("Copies that are being fetched.", "fetch"),
            Panel::graph(
                "Back-pressure",
                "The share of time in which connections wait for bytes of the budget (limits.inflight): what comes behind them \
                 is slower than the servers.",
                "percentunit",
            )
            .query(waited("budget"), "wait for {{stage}}"),
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
            .query(waited("identify"), "wait to {{stage}}"),
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
            .query(waited("route|shares"), "wait for {{stage}}"),
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
                r#"sum(rate(dropkeep_stage_seconds_count{stage="file"}[$__rate_interval]))"#,
                "copies",
            )
            .query("sum(rate(dropkeep_filings_total[$__rate_interval]))", "filings"),
            stage_times("From the decision to the acknowledgement, the commit included.", "file"),
            backlog("Copies at the archives of their users, until they are acknowledged.", "file"),
            Panel::graph(
                "Back-pressure",
                "The share of time in which archives wait for room in the committer's queue: the disk is slower than what \
                 comes.",
                "percentunit",
            )
            .query(waited("commit"), "wait to {{stage}}"),
        ],
    )
}

fn commit() -> Row {
    stage(
        "Commit",
        [
            Panel::graph("Rate", "Orders committed, and group commits, per second.", "cps")
                .query("sum(rate(dropkeep_commit_messages_sum[$__rate_interval]))", "orders")
                .query("sum(rate(dropkeep_commit_seconds_count[$__rate_interval]))", "commits"),
            times(
                Panel::graph("Time", "How long a group commit takes, its syncs included.", "s"),
                "dropkeep_commit_seconds",
                "",
            ),
            backlog("Orders that wait for the next commit or are in one.", "commit"),
            Panel::graph(
                "Back-pressure",
                "The share of time in which the one thread that writes is at it. At 100 % the disk sets the pace, and all \
                 stages before it wait.",
                "percentunit",
            )
            .query(rate("instance", "dropkeep_commit_seconds_sum"), "busy: {{instance}}"),
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
            .query(rate("profile", "dropkeep_deleted_copies_total"), "{{profile}}"),
            stage_times("How long the second pass over a folder takes.", "delete"),
            backlog("Copies that are due and not deleted yet.", "delete"),
            Panel::graph(
                "Back-pressure",
                "The share of time that goes into second passes: what runs spend on deleting.",
                "percentunit",
            )
            .query(
                rate("instance", r#"dropkeep_stage_seconds_sum{stage="delete"}"#),
                "busy: {{instance}}",
            ),
        ],
    )
}
