//! What is written down in `dashboards/` and `docs/`.

use std::{
    collections::BTreeSet,
    io::{Write, stderr},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::monitoring::{
    expressions::{list, metrics},
    file, made, read,
    rules::named,
    support::listening::free_port,
};

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

/// The last value of a time is not the present one where nothing has answered since.
#[test]
fn what_is_shown_as_it_is_now_is_asked_for_now() {
    for (name, dashboard) in made::all() {
        for panel in list(&dashboard["panels"]) {
            let is_now = matches!(panel["type"].as_str(), Some("stat" | "bargauge" | "table"));
            for target in list(&panel["targets"]) {
                let place = format!("{name}: {}", panel["title"]);
                assert_eq!(target["instant"], is_now, "{place}");
                assert_eq!(target["range"], !is_now, "{place}");
            }
        }
        let answers = list(&dashboard["panels"])
            .iter()
            .filter(|panel| panel["title"] == "Answers")
            .count();
        assert_eq!(answers, 1, "{name} says whether the appliances answer");
    }
}

/// One Prometheus may watch several appliances, and they may have profiles of the same name.
#[test]
fn nothing_is_summed_up_over_appliances() {
    for (name, dashboard) in made::all() {
        let variables = list(&dashboard["templating"]["list"]);
        let instance = variables
            .iter()
            .find(|variable| variable["name"] == "instance")
            .expect("instance");
        assert_eq!(
            (&instance["multi"], &instance["includeAll"]),
            (&true.into(), &true.into()),
            "{name}"
        );
        for panel in list(&dashboard["panels"]) {
            for target in list(&panel["targets"]) {
                let expr = target["expr"].as_str().expect("an expression");
                let place = format!("{name}: {}: {expr}", panel["title"]);
                for metric in metrics(expr) {
                    // What only says which processes are dropkeep's selects nothing.
                    let all = expr.replace("and on (job, instance) dropkeep_build_info", "");
                    let of_shown = format!("{metric}{{instance=~\"$instance\"");
                    let named = words(&all).filter(|word| *word == metric).count();
                    assert_eq!(all.matches(&of_shown).count(), named, "{place}: {metric}");
                }
                for function in ["sum", "max", "min", "avg", "count"] {
                    let used = words(expr).filter(|word| *word == function).count();
                    assert_eq!(
                        expr.matches(&format!("{function} by (instance")).count(),
                        used,
                        "{place}"
                    );
                }
                let legend = target["legendFormat"].as_str().expect("a legend");
                assert!(
                    panel["type"] == "table" || legend.contains("{{instance}}"),
                    "{place}: {legend}"
                );
            }
            if panel["type"] == "table" {
                let order = &panel["transformations"][1]["options"]["indexByName"];
                assert!(order["instance"].is_number() && order["profile"].is_number(), "{name}");
            }
        }
    }
}

fn words(expr: &str) -> impl Iterator<Item = &str> {
    expr.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'))
}

/// Runs and errors are rare: a step of seconds would show nothing of them, and one that is not longer than a scrape
/// loses some.
#[test]
fn what_happens_seldom_has_a_step_that_shows_it() {
    let mut events = 0;
    for (name, dashboard) in made::all() {
        for panel in list(&dashboard["panels"]) {
            let place = format!("{name}: {}", panel["title"]);
            let counts = list(&panel["targets"])
                .iter()
                .any(|target| target["expr"].as_str().is_some_and(|expr| expr.contains("increase(")));
            if counts && panel["type"] == "timeseries" {
                let style = &panel["fieldConfig"]["defaults"]["custom"]["drawStyle"];
                let step = &panel["interval"];
                let of_a_day = panel["targets"].to_string().contains("[1d]");
                assert!(of_a_day || (step == "1m" && style == "bars"), "{place}: {step} {style}");
                events += 1;
            }
        }
    }
    assert!(events >= 7, "{events}");
}

#[test]
fn only_what_cannot_be_negative_begins_at_0() {
    let negative = ["Next run in", "Growth per day"];
    for (name, dashboard) in made::all() {
        for panel in list(&dashboard["panels"]) {
            if panel["type"] == "timeseries" {
                let title = panel["title"].as_str().expect("a title");
                let min = &panel["fieldConfig"]["defaults"]["min"];
                assert_eq!(min.is_null(), negative.contains(&title), "{name}: {title}: {min}");
            }
        }
    }
}

/// Whatever a variable of the environment names, only what the script made itself is removed.
#[test]
fn make_monitoring_removes_nothing_of_anybody_else() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let theirs = folder.path().join("data").join("letter");
    std::fs::create_dir(folder.path().join("data")).expect("their folder");
    std::fs::write(&theirs, "Dear Jane").expect("their file");
    let refused = Command::new(file("dashboards/monitoring.sh"))
        .env("LISTEN", format!("127.0.0.1:{}", free_port()))
        .env("DATA", folder.path())
        .env("MONITORING_DATA", folder.path())
        .output()
        .expect("the script");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("MONITORING_DATA"), "{said}");
    assert_eq!(std::fs::read_to_string(theirs).expect("their file"), "Dear Jane");
    let script = read("dashboards/monitoring.sh");
    assert!(!script.contains("{DATA"), "a name that others use, too");
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

/// Grafana's own types say what a dashboard is. Where npm is not, or reaches nothing, they cannot be fetched.
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
    let help = Command::new(crate::monitoring::DROPKEEP)
        .arg("--help")
        .output()
        .expect("--help");
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
