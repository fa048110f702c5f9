//! Sources that hang, refuse or slow down, and how soon that is seen: by `dropkeep status`, by what the dashboards ask,
//! and by a firing alert at Prometheus.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::monitoring::{
    DROPKEEP,
    expressions::of_panels,
    prometheus::{Prometheus, SCRAPE},
    support::{
        appliance::{Appliance, PROFILE, Profile},
        dovecot::Dovecot,
        generator::{company, user_tables},
        listening::{Listening, free_port, refusing},
        proxy::Proxy,
        wait_for,
    },
};

/// What hangs is due after half of it, a look, a scrape and a rule: some ten seconds before the limit, which a machine
/// with much else to do may need.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

fn profile(server: &Dovecot, name: &str, port: u16) -> String {
    let profile = Profile {
        port,
        ..Profile::new(server, "imap")
    };
    let more = format!(
        "schedule = \"every 1m\"\nstall_timeout = \"{}s\"\n",
        STALL_TIMEOUT.as_secs()
    );
    let toml = profile.toml().replacen(PROFILE, name, 1);
    toml.replacen("[profile.server]", &format!("{more}[profile.server]"), 1)
}

/// When something was first seen of a profile.
#[derive(Default)]
struct Seen {
    status: Option<Duration>,
    dashboard: Option<Duration>,
    alert: Option<(Duration, String)>,
}

impl Seen {
    fn all(&self) -> Option<[Duration; 3]> {
        Some([self.status?, self.dashboard?, self.alert.as_ref()?.0])
    }
}

/// Whether a line of `status --json` reports trouble: failures, or half of the patience with silence is gone.
fn in_trouble(line: &Value) -> bool {
    let seconds = |key: &str| line[key].as_f64().unwrap_or_default();
    !line["failing"].is_null() || seconds("silent_seconds") * 2.0 >= STALL_TIMEOUT.as_secs_f64()
}

#[test]
fn sources_that_hang_refuse_or_slow_down_are_seen_within_stall_timeout_and_a_scrape() {
    let dovecot =
        Dovecot::with((0..50).map(|n| format!("To: jane@example.com\nSubject: {n}\n\n{}\n", "x".repeat(5_000))));
    let proxy = Proxy::to(dovecot.ports.imap);
    proxy.hold_after(100_000);
    let hanging = Listening::hanging("", || {});
    let slow = Listening::trickling(Duration::from_secs(1));
    let nobody = refusing();
    let ports = [
        ("hanging", hanging.port),
        ("slow", slow.port),
        ("refusing", nobody.port),
        ("held-midway", proxy.port),
    ];
    let mut text = user_tables(&company()) + &profile(&dovecot, "healthy", dovecot.ports.imap);
    for (name, port) in ports {
        text.push_str(&profile(&dovecot, name, port));
    }
    let appliance = Appliance::new(DROPKEEP, &text);

    // Prometheus is there first, as it is in life.
    let address = format!("127.0.0.1:{}", free_port());
    let prometheus = Prometheus::watching(&address);
    let looks = wait_for(SCRAPE * 6, || {
        prometheus.query("up == 0").is_ok_and(|up| !up.is_empty())
    });
    assert!(looks, "Prometheus does not look for the appliance");
    let mut command = appliance.command(&["serve"]);
    command.env("DROPKEEP__HTTP__LISTEN", &address);
    let serving = appliance.serve_as(command);
    let began = Instant::now();

    let panels: Vec<_> = of_panels()
        .into_iter()
        .filter(|asked| {
            let titles = [
                "profiles.json: Silence against stall_timeout",
                "profiles.json: Failures in a row",
            ];
            titles.contains(&asked.place.as_str())
        })
        .collect();
    assert_eq!(panels.len(), 2);
    let limits = [0.5, 0.0];

    let mut seen: BTreeMap<&str, Seen> = ports.iter().map(|(name, _)| (*name, Seen::default())).collect();
    let all = wait_for(STALL_TIMEOUT * 3, || {
        thread::sleep(Duration::from_millis(100));
        let lines = appliance.done(&["status", "--json"]).lines();
        let now = began.elapsed();
        for line in lines.iter().filter(|line| in_trouble(line)) {
            if let Some(seen) = line["profile"].as_str().and_then(|name| seen.get_mut(name)) {
                seen.status.get_or_insert(now);
            }
        }
        for (panel, limit) in panels.iter().zip(limits) {
            let series = prometheus
                .query(&format!("({}) > {limit}", panel.expr))
                .expect("a panel");
            for series in series {
                if let Some(seen) = series["metric"]["profile"].as_str().and_then(|name| seen.get_mut(name)) {
                    seen.dashboard.get_or_insert(began.elapsed());
                }
            }
        }
        for alert in prometheus.firing() {
            let name = alert["labels"]["alertname"].to_string();
            if let Some(seen) = alert["labels"]["profile"].as_str().and_then(|name| seen.get_mut(name)) {
                seen.alert.get_or_insert((began.elapsed(), name));
            }
        }
        seen.values().all(|seen| seen.all().is_some())
    });
    let limit = STALL_TIMEOUT + SCRAPE;
    for (
        name,
        Seen {
            status,
            dashboard,
            alert,
        },
    ) in &seen
    {
        println!("{name}: status {status:.1?}, dashboard {dashboard:.1?}, alert {alert:.1?} of {limit:?}");
    }
    assert!(all, "{}", serving.running.stderr());
    for (name, seen) in &seen {
        for time in seen.all().into_iter().flatten() {
            assert!(time <= limit, "{name}: {time:?}");
        }
    }

    // What hung is given up, and an alert says that as well. Nobody complains of the one that is well.
    let stalled = wait_for(STALL_TIMEOUT * 3, || {
        thread::sleep(Duration::from_millis(200));
        let firing = prometheus.firing();
        ["hanging", "slow", "held-midway"].iter().all(|name| {
            firing.iter().any(|alert| {
                alert["labels"]["profile"] == *name && alert["labels"]["alertname"] == "DropkeepRunStalled"
            })
        })
    });
    assert!(stalled, "{:#?}\n{}", prometheus.firing(), serving.running.stderr());
    let firing = prometheus.firing();
    assert!(
        firing.iter().all(|alert| alert["labels"]["profile"] != "healthy"),
        "{firing:#?}"
    );
    for alert in &firing {
        assert!(!alert["annotations"].to_string().contains("<error"), "{alert:#}");
    }
    serving.stop().expect(0);
}
