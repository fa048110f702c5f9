//! What commands say of the configuration beside what they do: nothing of it stops them.

use super::output;
use crate::{
    config::{Config, nearest},
    route::Directory,
    token,
};

/// Names in lists that no user has; the lists go on without them.
pub fn of_lists(directory: &Directory) -> Vec<String> {
    let names: Vec<&str> = directory
        .iter()
        .filter(|(_, user)| !user.retired)
        .map(|(_, user)| user.name.as_str())
        .collect();
    let said = directory.absent().map(|(address, name)| {
        let hint = nearest(name, names.iter().copied());
        let hint = hint.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        format!("list {address}: no user is named {name:?}{hint}")
    });
    said.collect()
}

/// Says it on standard error.
pub fn warn(warnings: &[String]) {
    warnings
        .iter()
        .for_each(|warning| output::say(format!("warning: {warning}")));
}

/// Why the key of `[secrets]` cannot be used.
pub fn of_key(config: &Config) -> Option<String> {
    config.secrets.key_file.as_ref()?;
    token::key_fault(&config.secrets)
}
