//! PromQL that more than one panel needs. `$__rate_interval` and `$profile` are Grafana's to fill in.

use super::panel::Panel;

/// The profiles that are shown.
pub const SHOWN: &str = r#"profile=~"$profile""#;

/// How much a counter grows per second, by a label.
pub fn rate(by: &str, series: &str) -> String {
    format!("sum by ({by}) (rate({series}[$__rate_interval]))")
}

/// How much a counter grew within one step of the graph, by a label.
pub fn increase(by: &str, series: &str) -> String {
    format!("sum by ({by}) (increase({series}[$__rate_interval]))")
}

/// The time that so large a part of what a histogram saw stayed below. `labels` select its series.
fn quantile(part: f64, histogram: &str, labels: &str) -> String {
    format!("histogram_quantile({part}, sum by (le) (rate({histogram}_bucket{{{labels}}}[$__rate_interval])))")
}

/// A panel's two lines of a histogram. What is shown has a gap while nothing happens.
pub fn times(panel: Panel, histogram: &str, labels: &str) -> Panel {
    panel
        .query(quantile(0.5, histogram, labels), "half within (p50)")
        .query(quantile(0.95, histogram, labels), "most within (p95)")
}

/// The share of time that a stage waited, of one who waits: where several do, it is more than all of it.
pub fn waited(stages: &str) -> String {
    rate(
        "stage",
        &format!(r#"dropkeep_backpressure_seconds_total{{stage=~"{stages}"}}"#),
    )
}

/// One value for each profile that is configured. The series of one that is not any more stay, as 0 in every state.
pub fn of_profiles(expr: &str) -> String {
    format!("{expr} and on (profile) (max by (profile) (dropkeep_profile_state{{{SHOWN}}}) > 0)")
}

/// A gauge of the profiles.
pub fn gauge(name: &str) -> String {
    format!("max by (profile) ({name}{{{SHOWN}}})")
}

/// What the exporter says of its own process. Every exporter has these names.
pub fn of_process(expr: &str) -> String {
    format!("{expr} and on (job, instance) dropkeep_build_info")
}
