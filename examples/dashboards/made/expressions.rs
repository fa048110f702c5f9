//! PromQL that more than one panel needs. `$__rate_interval`, `$instance` and `$profile` are Grafana's to fill in.
//!
//! One Prometheus may watch several appliances, which may have profiles of the same name: whatever is asked is asked of
//! the appliances that are shown, and none of it is summed up over them.

use super::panel::Panel;

/// Labels that select the profiles that are shown.
pub const PROFILES: &str = r#"profile=~"$profile""#;

/// A metric of the appliances that are shown. `labels` select some of its series.
pub fn of(metric: &str, labels: &str) -> String {
    let comma = if labels.is_empty() { "" } else { ", " };
    format!(r#"{metric}{{instance=~"$instance"{comma}{labels}}}"#)
}

/// The series of each appliance together, or of each of its values of more labels.
fn by(function: &str, more: &str, expr: &str) -> String {
    let comma = if more.is_empty() { "" } else { ", " };
    format!("{function} by (instance{comma}{more}) ({expr})")
}

/// A gauge, summed up by labels.
pub fn sum(more: &str, metric: &str, labels: &str) -> String {
    by("sum", more, &of(metric, labels))
}

/// How much a counter grows per second, by labels.
pub fn rate(more: &str, metric: &str, labels: &str) -> String {
    by("sum", more, &format!("rate({}[$__rate_interval])", of(metric, labels)))
}

/// How much a counter grew within this time, by labels.
pub fn grown(more: &str, metric: &str, labels: &str, within: &str) -> String {
    by("sum", more, &format!("increase({}[{within}])", of(metric, labels)))
}

/// How often something happened within a step of the graph, by labels. The interval is a scrape longer than a step, so that
/// nothing falls between two steps. What Prometheus makes of it is not always whole.
pub fn events(more: &str, metric: &str, labels: &str) -> String {
    format!("round({})", grown(more, metric, labels, "$__rate_interval"))
}

/// The time that so large a part of what a histogram saw stayed below.
pub fn quantile(part: f64, histogram: &str, labels: &str) -> String {
    let buckets = rate("le", &format!("{histogram}_bucket"), labels);
    format!("histogram_quantile({part}, {buckets})")
}

/// A panel's two lines of a histogram. What is shown has a gap while nothing happens.
pub fn times(panel: Panel, histogram: &str, labels: &str) -> Panel {
    panel
        .query(quantile(0.5, histogram, labels), "{{instance}}: half within (p50)")
        .query(quantile(0.95, histogram, labels), "{{instance}}: most within (p95)")
}

/// The share of time that a stage waited, of one who waits: where several do, it is more than all of it.
pub fn waited(stages: &str) -> String {
    rate(
        "stage",
        "dropkeep_backpressure_seconds_sum",
        &format!(r#"stage=~"{stages}""#),
    )
}

/// One value for each profile of each appliance.
pub fn each_profile(expr: &str) -> String {
    by("max", "profile", expr)
}

/// A gauge of the profiles.
pub fn gauge(metric: &str) -> String {
    each_profile(&of(metric, PROFILES))
}

/// Of profiles that are configured. The series of one that is not any more stay, as 0 in every state.
pub fn of_profiles(expr: &str) -> String {
    format!(
        "{expr} and on (instance, profile) ({} > 0)",
        gauge("dropkeep_profile_state")
    )
}

/// Seconds until a time that profiles have. Who has none, has 0.
pub fn until(metric: &str) -> String {
    format!("({} - time())", each_profile(&format!("{} > 0", of(metric, PROFILES))))
}

/// What the exporter says of its own process. Every exporter has these names.
pub fn of_process(expr: &str) -> String {
    format!("{expr} and on (job, instance) dropkeep_build_info")
}

/// Whether Prometheus gets metrics, of whatever was a dropkeep in the last thirty days and is still asked.
pub fn answers() -> Panel {
    let known = format!("last_over_time({}[30d])", of("dropkeep_build_info", ""));
    Panel::stat(
        "Answers",
        "No: Prometheus gets no metrics, so the appliance does not run, or is not reached. Then the others have no data.",
        "short",
    )
    .query(
        format!("{} and on (job, instance) {known}", of("up", "")),
        "{{instance}}",
    )
    .yes_or_no()
}
