//! The dashboards: `journey` follows the mail from stage to stage, `profiles` the sources, `archive` what is kept and the
//! process that keeps it. `panel` and `dashboard` know Grafana's JSON; `expressions` is PromQL that several share.

mod archive;
mod dashboard;
mod expressions;
mod journey;
mod panel;
mod profiles;

use serde_json::Value;

/// Each file's name, and what is in it.
pub fn all() -> [(&'static str, Value); 3] {
    [
        ("journey.json", journey::dashboard().json()),
        ("profiles.json", profiles::dashboard().json()),
        ("archive.json", archive::dashboard().json()),
    ]
}

/// The text of a file.
pub fn text(dashboard: &Value) -> String {
    format!("{dashboard:#}\n")
}
