//! Each query of each panel, and each rule, asked of a real Prometheus that watches a busy appliance.

use std::time::{Duration, Instant};

use crate::monitoring::{
    DROPKEEP,
    expressions::{Asked, metrics, of_panels, told, without_data},
    prometheus::Prometheus,
    rules::has_nothing_against,
    support::{PATIENCE, office::Office, wait_for},
};

/// Within which every panel must show something: a minute, and three where the machine has much else to do.
const SOON: Duration = Duration::from_secs(180);

/// Metrics of rules that an appliance need not have, and why.
const NEED_NOT_BE: [(&str, &str); 4] = [
    (
        "dropkeep_token_expiry_timestamp_seconds",
        "the profiles log in with passwords",
    ),
    (
        "dropkeep_http_certificate_expiry_timestamp_seconds",
        "metrics are served without TLS",
    ),
    (
        "dropkeep_run_last_success_timestamp_seconds",
        "before the first success",
    ),
    (
        "dropkeep_verify_all_timestamp_seconds",
        "all of the archive is verified within days",
    ),
];

#[test]
fn every_panel_and_every_rule_has_data_within_a_minute() {
    let (office, _) = Office::with(DROPKEEP, 500);
    let serving = office.appliance.serve();
    let _open = office.open();
    let prometheus = Prometheus::watching(&serving.address);
    let started = Instant::now();
    let asked = of_panels();
    assert!(asked.len() > 80, "{} queries", asked.len());
    let mut empty = Vec::new();
    let all = wait_for(SOON, || {
        std::thread::sleep(Duration::from_millis(200));
        // At first there may be no index.
        office.appliance.run(&["search", "*", "--count"]);
        empty = without_data(|expr| prometheus.query(expr), &asked);
        empty.is_empty()
    });
    assert!(all, "{}{}", told(&empty), serving.running.stderr());
    println!(
        "{} queries of panels have data after {:.1} s",
        asked.len(),
        started.elapsed().as_secs_f64()
    );
    rules_have_data(&prometheus);
    let (status, page) = serving.get("/metrics");
    assert!(
        status == 200 && page.contains("dropkeep_backpressure_seconds_sum"),
        "{page}"
    );
    has_nothing_against(&page);
    let firing = prometheus.firing();
    // What is on the disk of the machine on which this runs is not known.
    let firing: Vec<_> = firing
        .iter()
        .filter(|alert| {
            !alert["labels"]["alertname"]
                .as_str()
                .unwrap_or_default()
                .contains("Disk")
        })
        .collect();
    assert!(firing.is_empty(), "where all is well no alert fires: {firing:#?}");
    serving.stop().expect(0);
    says_that_it_does_not_answer(&prometheus, &asked);
}

/// Where nothing answers any more, the past is not shown as the present.
fn says_that_it_does_not_answer(prometheus: &Prometheus, asked: &[Asked]) {
    let of = |title: &str| {
        let panel = asked
            .iter()
            .find(|asked| asked.place == format!("archive.json: {title}"));
        prometheus.query(&panel.expect("the panel").expr).expect("its series")
    };
    let gone = wait_for(PATIENCE, || {
        std::thread::sleep(Duration::from_millis(200));
        let answers = of("Answers");
        answers.len() == 1 && answers[0]["value"][1] == "0" && of("Ready").is_empty() && of("Messages").is_empty()
    });
    assert!(gone, "{:?} {:?}", of("Answers"), of("Ready"));
}

fn rules_have_data(prometheus: &Prometheus) {
    let rules = prometheus.rules();
    assert!(rules.len() > 25, "{}", rules.len());
    for rule in &rules {
        let (name, expr) = (&rule["name"], rule["query"].as_str().expect("an expression"));
        assert_eq!(rule["health"], "ok", "{name}: {rule:#}");
        let series = prometheus
            .query(expr)
            .unwrap_or_else(|error| panic!("{name}: {error} in {expr}"));
        if rule["type"] == "recording" {
            assert!(!series.is_empty(), "{name} records nothing: {expr}");
        }
        // An alert has no series where all is well, but what it looks at has.
        for metric in metrics(expr) {
            let there = prometheus.query(metric).expect("a metric");
            let need_not = NEED_NOT_BE.iter().any(|(known, _)| *known == metric);
            assert!(need_not || !there.is_empty(), "{name}: there is no {metric}");
        }
    }
}
