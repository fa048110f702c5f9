//! A Prometheus of a test's own, with the rules and the configuration of `dashboards/`.

use std::{fs, net::TcpStream, process::Command, time::Duration};

use serde_json::Value;
use tempfile::TempDir;

use crate::monitoring::{
    file, read,
    support::{
        listening::free_port,
        running::{self, Running},
        wait_for,
    },
};

/// How long it may take to start.
const START: Duration = Duration::from_secs(60);
/// Ports are chosen before they are bound, so another process can take one in between.
const ATTEMPTS: u32 = 5;

/// How long it waits between two scrapes, as dashboards/prometheus.yml says.
pub const SCRAPE: Duration = Duration::from_secs(5);

/// A running Prometheus. Dropping it kills it.
pub struct Prometheus {
    address: String,
    _running: Running,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one that scrapes this address.
    pub fn watching(target: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dropkeep-prometheus-")
            .tempdir()
            .expect("a temporary folder");
        let shipped = read("dashboards/prometheus.yml");
        let rules = file("dashboards/rules").display().to_string();
        let config = shipped
            .replace("127.0.0.1:8080", target)
            .replace("rules/*.yml", &format!("{rules}/*.yml"));
        assert!(config.contains(target) && config.contains(&rules), "{shipped}");
        assert!(config.contains("scrape_interval: 5s"), "{shipped}");
        let config_file = folder.path().join("prometheus.yml");
        fs::write(&config_file, config).expect("its configuration");
        for _ in 0..ATTEMPTS {
            let address = format!("127.0.0.1:{}", free_port());
            let mut command = Command::new("prometheus");
            command
                .arg(format!("--config.file={}", config_file.display()))
                .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
                .arg(format!("--web.listen-address={address}"));
            let name = "prometheus (tests/install-tools.sh monitoring installs it)";
            let mut running = Running::start(command, &[name]);
            let is_ready = || TcpStream::connect(&address).is_ok() && running::get(&address, "/-/ready").0 == 200;
            let waited = wait_for(START, || !running.is_running() || is_ready());
            if waited && running.is_running() {
                return Self {
                    address,
                    _running: running,
                    _folder: folder,
                };
            }
            let said = running.stderr();
            assert!(
                said.contains("address already in use"),
                "Prometheus did not start:\n{said}"
            );
        }
        panic!("no free port for Prometheus");
    }

    /// The series that an expression has now; an error is one that Prometheus has with it.
    pub fn query(&self, expression: &str) -> Result<Vec<Value>, String> {
        query(&self.address, expression)
    }

    /// The alerts that fire.
    pub fn firing(&self) -> Vec<Value> {
        let answer = get(&self.address, "/api/v1/alerts").expect("alerts");
        let alerts = answer["alerts"].as_array().expect("a list of alerts").clone();
        alerts.into_iter().filter(|alert| alert["state"] == "firing").collect()
    }

    /// The rules as Prometheus has them, of all groups.
    pub fn rules(&self) -> Vec<Value> {
        let answer = get(&self.address, "/api/v1/rules").expect("rules");
        let groups = answer["groups"].as_array().expect("groups");
        groups
            .iter()
            .flat_map(|group| group["rules"].as_array().expect("rules").clone())
            .collect()
    }
}

pub fn query(address: &str, expression: &str) -> Result<Vec<Value>, String> {
    let encoded: String = form_urlencoded::byte_serialize(expression.as_bytes()).collect();
    let data = get(address, &format!("/api/v1/query?query={encoded}"))?;
    data["result"].as_array().cloned().ok_or_else(|| format!("{data}"))
}

fn get(address: &str, path: &str) -> Result<Value, String> {
    let (_, body) = running::get(address, path);
    let answer: Value = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
    match answer["status"] == "success" {
        true => Ok(answer["data"].clone()),
        false => Err(answer["error"].to_string()),
    }
}
