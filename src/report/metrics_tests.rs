//! The dashboards and the documents name only metrics that there are.

use std::{collections::BTreeSet, fs, path::Path};

/// The names that this module owns, read from its source: what is used is what is there.
fn owned() -> BTreeSet<String> {
    names(include_str!("metrics.rs"))
}

fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("dropkeep_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn dashboards_name_only_metrics_that_exist() {
    let owned = owned();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/grafana");
    let mut named = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        named.extend(names(&text));
    }
    assert!(named.len() > 10, "the dashboards name metrics");
    for name in named {
        let base = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|suffix| name.strip_suffix(suffix))
            .unwrap_or(&name);
        assert!(owned.contains(base), "{name} is no metric of dropkeep");
    }
}
