//! The dashboards, the rules and the documents name only metrics that there are, and `docs/metrics.md` names each.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::{ERROR_STAGES, PROFILE_STATES, THREADS, WAITS};

/// Names that others own: metrics-process those of the process.
const ELSEWHERE: [&str; 7] = [
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];

/// The names that this module owns, read from its source: what is used is what is there.
fn owned() -> BTreeSet<String> {
    let mut owned = names(include_str!("metrics.rs"));
    owned.extend(ELSEWHERE.map(str::to_owned));
    owned
}

fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    words
        .filter(|word| word.starts_with("dropkeep_") || word.starts_with("process_"))
        .map(|word| word.trim_end_matches(':').to_owned())
        // A package's file is called by name and version.
        .filter(|word| word != "dropkeep_")
        .collect()
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The texts of a folder's files, but for pictures, and of those in the folders within.
fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(texts(&path)),
            false if path.extension().is_some_and(|ending| ending == "png") => {}
            false => found.push((path.clone(), fs::read_to_string(path).unwrap())),
        }
    }
    found
}

#[test]
fn dashboards_rules_and_documents_name_only_metrics_that_exist() {
    let owned = owned();
    let mut named = BTreeSet::new();
    for (path, text) in [texts(&project("dashboards")), texts(&project("docs"))].concat() {
        for name in names(&text) {
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))
                .filter(|base| owned.contains(*base))
                .unwrap_or(&name);
            assert!(
                owned.contains(base),
                "{}: {name} is no metric of dropkeep",
                path.display()
            );
            named.insert(base.to_owned());
        }
    }
    assert_eq!(named, owned, "each is named somewhere");
}

#[test]
fn the_table_of_metrics_has_each_of_them_and_its_label_values() {
    let table = fs::read_to_string(project("docs/metrics.md")).unwrap();
    let row = |name: &str| {
        let found = table
            .lines()
            .find(|line| line.starts_with("| ") && line.contains(&format!("`{name}`")));
        found.unwrap_or_else(|| panic!("docs/metrics.md has no row for {name}"))
    };
    for name in owned() {
        row(&name);
    }
    let values: [(&str, &[&str]); 3] = [
        (super::ERRORS, &ERROR_STAGES),
        (super::BACKPRESSURE_SECONDS, &WAITS),
        (super::PROFILE_STATE, &PROFILE_STATES),
    ];
    for (name, values) in values {
        for value in values {
            assert!(row(name).contains(&format!("`{value}`")), "{name}: {value}");
        }
    }
    for thread in THREADS {
        assert!(row(super::PANICS).contains(&format!("`{thread}`")), "{thread}");
    }
}

/// A metric that is on no dashboard and in no rule is one that nobody sees.
#[test]
fn each_metric_is_on_a_dashboard_or_in_a_rule() {
    const FOR_OTHERS: [&str; 2] = ["process_start_time_seconds", "process_virtual_memory_bytes"];
    let used: String = texts(&project("dashboards"))
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    for name in owned().iter().filter(|name| !FOR_OTHERS.contains(&name.as_str())) {
        assert!(used.contains(name.as_str()), "{name}");
    }
}
