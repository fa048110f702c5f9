//! What Prometheus and Grafana see: the files in `dashboards/`, and a real Prometheus that evaluates every expression
//! in them against a running appliance.
//!
//! `files` looks at what is written down, `rules` has promtool look at the rules, `panels` asks each panel's queries of
//! a busy appliance, `alarms` breaks sources and waits for the alerts, `demo` is `make monitoring-check`.

mod alarms;
mod demo;
mod expressions;
mod files;
mod panels;
mod prometheus;
mod rules;

use crate::made;
use crate::support;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

/// A file of this project.
fn file(path: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
