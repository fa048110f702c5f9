//! Scripts in Python that read mail independently of dropkeep.

use std::{ffi::OsStr, process::Command};

use serde::de::DeserializeOwned;

/// What a script of `tests/` prints: an object of JSON a line.
pub fn lines<T: DeserializeOwned>(script: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Vec<T> {
    let output = Command::new("python3")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/").to_owned() + script)
        .args(arguments)
        .output()
        .expect("python3 is not installed; tests/install-tools.sh installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("ASCII");
    lines
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}
