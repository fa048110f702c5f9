//! promtool's own checks of the rules, and its tests of them, of which each alert has both kinds.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use crate::monitoring::{file, read};

const TESTS: &str = "dashboards/rules/tests";

fn promtool(arguments: &[&str]) -> std::process::Child {
    Command::new("promtool")
        .args(arguments)
        .current_dir(file(""))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("promtool (tests/install-tools.sh monitoring installs it)")
}

fn passes(arguments: &[&str]) {
    done(promtool(arguments), arguments);
}

fn done(child: std::process::Child, arguments: &[&str]) {
    let output = child.wait_with_output().expect("promtool");
    assert!(
        output.status.success(),
        "promtool {arguments:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// promtool has no word against a page of metrics: names, kinds and units are as Prometheus wants them.
pub fn has_nothing_against(page: &str) {
    let mut check = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("promtool (tests/install-tools.sh monitoring installs it)");
    let mut input = check.stdin.take().expect("its input");
    std::io::Write::write_all(&mut input, page.as_bytes()).expect("the page");
    drop(input);
    let output = check.wait_with_output().expect("promtool");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        output.status.success() && said.is_empty(),
        "promtool check metrics: {said}"
    );
}

/// The files of a folder with this ending, in order.
fn files(folder: &str) -> Vec<String> {
    let names = fs::read_dir(file(folder)).expect(folder).flatten();
    let mut names: Vec<_> = names
        .map(|entry| format!("{folder}/{}", entry.file_name().to_string_lossy()))
        .filter(|name| name.ends_with(".yml"))
        .collect();
    names.sort();
    names
}

#[test]
fn promtool_finds_nothing_wrong_with_the_rules_and_the_configuration() {
    for rules in files("dashboards/rules") {
        passes(&["check", "rules", "--lint=all", "--lint-fatal", &rules]);
    }
    passes(&["check", "config", "dashboards/prometheus.yml"]);
}

#[test]
fn each_alert_fires_when_it_should_and_not_otherwise() {
    let tests = files(TESTS);
    // Side by side: each takes seconds.
    let running: Vec<_> = tests.iter().map(|test| promtool(&["test", "rules", test])).collect();
    for (running, test) in running.into_iter().zip(&tests) {
        done(running, &["test", "rules", test]);
    }
}

/// The names behind `key` in a file of rules.
pub fn named(text: &str, key: &str) -> BTreeSet<String> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("- "));
    let named = lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    named.map(|name| name.trim().to_owned()).collect()
}

#[test]
fn each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() {
    let alerts = named(&read("dashboards/rules/alerts.yml"), "alert");
    assert!(alerts.len() > 20, "{alerts:?}");
    let mut tested: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    for test in files(TESTS) {
        let mut alert = String::new();
        for line in read(&test).lines().map(str::trim) {
            if let Some(name) = line.strip_prefix("alertname: ") {
                name.clone_into(&mut alert);
            }
            let (fires, quiet) = tested.entry(alert.clone()).or_default();
            *fires |= line == "exp_alerts:";
            *quiet |= line == "exp_alerts: []";
        }
    }
    for alert in &alerts {
        assert_eq!(tested.get(alert), Some(&(true, true)), "{alert}: fires, and does not");
    }
}
