//! The appliance: how it runs, is watched, and reports.

mod appliance;
mod harness;
mod http;
#[path = "../../examples/dashboards/made/mod.rs"]
mod made;
mod monitoring;
mod nightly;
mod notify;
mod protocols;
mod service;
mod status;
mod supervision;
#[path = "../support/mod.rs"]
mod support;
mod watched;
