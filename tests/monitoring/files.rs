//! What is written down in `dashboards/` and `docs/`.

use std::{
    collections::BTreeSet,
    io::{Write, stderr},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{expressions::list, file, made, read, rules::named};

/// At 1280 pixels a column is about 50 wide: numbers take four of them, lines six.
const NARROWEST: [(&str, u64); 5] = [
    ("stat", 4),
    ("timeseries", 6),
    ("bargauge", 6),
    ("state-timeline", 12),
    ("table", 24),
];

#[test]
fn the_dashboards_are_what_the_program_makes() {
    for (name, dashboard) in made::all() {
        let there = read(&format!("dashboards/grafana/{name}"));
        assert!(
            there == made::text(&dashboard),
            "{name}: `make dashboards` makes it anew"
        );
    }
    let files = std::fs::read_dir(file("dashboards/grafana")).expect("the folder");
    let files = files.flatten().filter(|entry| entry.path().is_file()).count();
    assert_eq!(files, made::all().len(), "there are no others");
}

#[test]
fn panels_are_described_have_a_unit_and_lie_beside_each_other() {
    for (name, dashboard) in made::all() {
        let panels = list(&dashboard["panels"]);
        let (mut ids, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for panel in &panels {
            let place = format!("{name}: {}", panel["title"]);
            assert!(ids.insert(panel["id"].to_string()), "{place}");
            let at = |key: &str| panel["gridPos"][key].as_u64().expect("a number");
            let (x, y, width, height) = (at("x"), at("y"), at("w"), at("h"));
            assert!(x + width <= 24, "{place} is out of the grid");
            for cell in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
                assert!(taken.insert(cell), "{place} lies upon another");
            }
            let kind = panel["type"].as_str().expect("a type");
            if kind == "row" {
                continue;
            }
            let narrowest = NARROWEST
                .iter()
                .find(|(known, _)| *known == kind)
                .expect("a known kind");
            assert!(width >= narrowest.1, "{place} is too narrow");
            assert!(
                panel["description"].as_str().is_some_and(|text| text.len() > 20),
                "{place}"
            );
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{place}");
            assert!(!list(&panel["targets"]).is_empty(), "{place}");
        }
        // Each line of panels is filled.
        let lowest = taken.iter().map(|(_, y)| *y).max().unwrap_or_default();
        for y in 0..=lowest {
            let cells = taken.iter().filter(|(_, there)| *there == y).count();
            assert_eq!(cells, 24, "{name}: line {y}");
        }
    }
}

#[test]
fn the_dashboards_can_be_imported_anywhere() {
    for (name, dashboard) in made::all() {
        assert_eq!(dashboard["uid"], Value::Null, "{name}");
        assert_eq!(dashboard["id"], Value::Null, "{name}");
        assert_eq!(dashboard["schemaVersion"], 39, "{name}");
        let mut sources = Vec::new();
        data_sources(&dashboard, &mut sources);
        assert!(!sources.is_empty());
        for source in sources {
            assert_eq!(source["uid"], "${datasource}", "{name}");
        }
    }
}

fn data_sources(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key == "datasource" {
                    found.push(value.clone());
                }
                data_sources(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| data_sources(item, found)),
        _ => {}
    }
}

/// Grafana's own types say what a dashboard is. Where npm is not, or reaches nothing, they cannot be had.
#[test]
fn the_dashboards_are_as_grafanas_types_say() {
    let check = Command::new(file("dashboards/check/run.sh"))
        .stdin(Stdio::null())
        .output()
        .expect("the check");
    let said = String::from_utf8_lossy(&check.stdout).into_owned() + &String::from_utf8_lossy(&check.stderr);
    match check.status.code() {
        Some(0) => {}
        // Not `eprintln!`, which nobody reads where tests pass.
        Some(77) => drop(writeln!(stderr(), "SKIPPED: {said}")),
        _ => panic!("{said}"),
    }
}

#[test]
fn each_alert_has_a_severity_and_a_place_in_the_runbook() {
    let rules = read("dashboards/rules/alerts.yml");
    let runbook = read("docs/alerts.md");
    let headings: BTreeSet<_> = runbook.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let alerts = named(&rules, "alert");
    for alert in &alerts {
        assert!(
            headings.contains(alert.as_str()),
            "docs/alerts.md has nothing on {alert}"
        );
        let rule = rules.split(&format!("- alert: {alert}\n")).nth(1).expect("the rule");
        let rule = rule.split("- alert: ").next().unwrap_or_default();
        assert!(
            rule.contains(&format!("runbook: docs/alerts.md#{}\n", alert.to_lowercase())),
            "{alert}"
        );
        for part in ["summary: ", "description: ", "severity: "] {
            assert!(rule.contains(part), "{alert} has no {part}");
        }
    }
    for heading in headings {
        assert!(alerts.contains(heading), "there is no alert {heading}");
    }
}

/// Commands that the runbook names are those of the program.
#[test]
fn the_runbook_names_commands_that_there_are() {
    let help = Command::new(crate::DROPKEEP).arg("--help").output().expect("--help");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let known: BTreeSet<_> = help.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let runbook = read("docs/alerts.md");
    let mut named = 0;
    for part in runbook.split("`dropkeep ").skip(1) {
        let command = part
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default();
        if !command.is_empty() {
            assert!(known.contains(command), "`dropkeep {command}` in docs/alerts.md");
            named += 1;
        }
    }
    assert!(named > 20);
}
