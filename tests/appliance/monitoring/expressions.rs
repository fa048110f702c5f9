//! Every expression of the dashboards and the rules, and which of them must have data.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::monitoring::made;

/// What a panel asks.
pub struct Asked {
    /// The dashboard and the panel.
    pub place: String,
    /// With Grafana's variables filled in.
    pub expr: String,
    /// What its series are called by; the labels in it must be there.
    pub legend: String,
}

/// What every panel asks.
pub fn of_panels() -> Vec<Asked> {
    let mut asked = Vec::new();
    for (name, dashboard) in made::all() {
        for panel in list(&dashboard["panels"]) {
            for target in list(&panel["targets"]) {
                asked.push(Asked {
                    place: format!("{name}: {}", panel["title"].as_str().expect("a title")),
                    expr: filled_in(target["expr"].as_str().expect("an expression"), &panel["interval"]),
                    legend: target["legendFormat"].as_str().expect("a legend").to_owned(),
                });
            }
        }
    }
    asked
}

pub fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// As Grafana fills it in with a scrape every five seconds, and all profiles of all appliances.
fn filled_in(expr: &str, shortest: &Value) -> String {
    let rate_interval = match shortest.as_str() {
        None => "20s",
        Some("1m") => "65s",
        Some(other) => panic!("a shortest step of {other}"),
    };
    let filled = expr
        .replace("$__rate_interval", rate_interval)
        .replace("$instance", ".+")
        .replace("$profile", ".+");
    // What label_replace has found.
    let ours = filled.replace("\"$1 ", "");
    assert!(!ours.contains('$'), "a variable that nobody fills in: {expr}");
    filled
}

/// The labels in a legend such as `{{profile}}: seen`.
fn labels(legend: &str) -> Vec<&str> {
    let parts = legend.split("{{").skip(1);
    parts.filter_map(|part| part.split("}}").next()).collect()
}

/// Whether there is a series with a number.
fn has_data(series: &[Value]) -> bool {
    series.iter().any(|series| series["value"][1] != "NaN")
}

/// The names of dropkeep's and the process's metrics in an expression, and Prometheus's own.
pub fn metrics(expr: &str) -> BTreeSet<&str> {
    expr.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
        .filter(|word| word.starts_with("dropkeep_") || word.starts_with("process_") || *word == "up")
        .collect()
}

/// The queries for which there is no data, though there must be.
///
/// # Panics
/// Prometheus refuses an expression, or a legend names a label that its series do not have.
pub fn without_data(ask: impl Fn(&str) -> Result<Vec<Value>, String>, asked: &[Asked]) -> Vec<&Asked> {
    let is_empty = |Asked { place, expr, legend }: &&Asked| {
        let series = ask(expr).unwrap_or_else(|error| panic!("{place}: {error} in {expr}"));
        for (series, label) in series
            .iter()
            .flat_map(|series| labels(legend).into_iter().map(move |it| (series, it)))
        {
            assert!(
                !series["metric"][label].is_null(),
                "{place}: no label {label} in {expr}"
            );
        }
        !has_data(&series)
    };
    asked.iter().filter(is_empty).collect()
}

/// They, a line each.
pub fn told(asked: &[&Asked]) -> String {
    asked
        .iter()
        .map(|it| format!("  without data: {}: {}\n", it.place, it.expr))
        .collect()
}
