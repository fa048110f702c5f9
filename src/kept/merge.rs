//! The configuration that is in force: that of the file, with the profiles that the catalog keeps. Where both have a name,
//! the file's counts.

use serde_json::Value;

use super::{lists, sealing::Sealer, secrets};
use crate::{
    archive::{Store, StoreError, StoredProfile},
    config::{Config, ConfigError, Origin, Profile, Secret, toml_of},
};

/// A profile that is kept, and does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotInForce {
    pub name: String,
    pub why: String,
}

/// What stands in place of a secret that cannot be decrypted; nobody gets to see or send it.
const PLACEHOLDER: &str = "sealed";

/// Makes the profiles and lists of `config` those of its file and those that `store` keeps. Gives the profiles that are left out; one whose
/// secrets cannot be decrypted stays, and its runs say so.
///
/// # Errors
/// The catalog cannot be read.
pub fn merge(config: &mut Config, store: &Store) -> Result<Vec<NotInForce>, StoreError> {
    lists::merge(config, store)?;
    let kept = store.profiles()?;
    config.profile.retain(|profile| profile.origin == Origin::File);
    if kept.is_empty() {
        return Ok(Vec::new());
    }
    let users = users(store, kept.iter().map(|(_, stored)| stored.keys.as_str()))?;
    let sealer = Sealer::new(&config.secrets);
    let mut left_out = Vec::new();
    for (name, stored) in &kept {
        match with_secrets(config, name, stored, &users, &sealer) {
            Ok(profile) => config.profile.push(profile),
            Err(why) => left_out.push(NotInForce {
                name: name.clone(),
                why,
            }),
        }
    }
    for NotInForce { name, why } in &left_out {
        tracing::warn!(profile = name, %why, "a profile that is kept in the catalog is not in force");
    }
    Ok(left_out)
}

/// The same for a command, which reads the catalog beside whoever writes it. Where there is none to be read, the command
/// itself says so.
pub fn merge_from(config: &mut Config) {
    if !Store::is_there(config) {
        return;
    }
    let merged = Store::open_for_reading(config).and_then(|store| merge(config, &store));
    if let Err(error) = merged {
        tracing::debug!(%error, "profiles that are kept in the catalog are not known");
    }
}

/// A profile that is kept, as it runs.
fn with_secrets(
    config: &Config,
    name: &str,
    stored: &StoredProfile,
    users: &[String],
    sealer: &Sealer,
) -> Result<Profile, String> {
    if config.profile.iter().any(|profile| profile.name == name) {
        return Err("the configuration file has a profile of this name, and that one counts".to_owned());
    }
    let mut keys = keys_of(name, stored)?;
    let opened = sealer.open(name, stored);
    for secret in &stored.secrets {
        let placeholder = Secret::new(PLACEHOLDER);
        let opened = opened
            .as_ref()
            .ok()
            .and_then(|opened| opened.get(&secret.place)?.as_ref());
        secrets::put(&mut keys, &secret.place, opened.unwrap_or(&placeholder));
    }
    let mut profile = one(config, &toml_of(&keys), users).map_err(|error| match error.of_profile() {
        Some((_, words)) => words,
        None => error.to_string(),
    })?;
    if let Err(why) = opened {
        profile.cannot_log_in(&why);
    }
    Ok(profile)
}

/// The keys of a profile that is kept.
///
/// # Errors
/// They cannot be read.
pub fn keys_of(name: &str, stored: &StoredProfile) -> Result<Value, String> {
    let keys = serde_json::from_str(&stored.keys);
    keys.map_err(|error| format!("what is kept of profile {name:?} cannot be read: {error}"))
}

/// The one profile of a text.
///
/// # Errors
/// It is wrong; there is not one.
pub fn one(config: &Config, text: &str, users: &[String]) -> Result<Profile, ConfigError> {
    let mut read = config.read_profiles(text, "the profile", users)?;
    match (read.pop(), read.is_empty()) {
        (Some(profile), true) => Ok(profile),
        _ => Err(ConfigError::NotOneProfile),
    }
}

/// The names of the store's users, where a profile may name one.
pub fn users<'k>(store: &Store, mut keys: impl Iterator<Item = &'k str>) -> Result<Vec<String>, StoreError> {
    if !keys.any(|keys| keys.contains("\"user\"")) {
        return Ok(Vec::new());
    }
    let users = store.users()?.into_iter();
    let there = users.filter(|(_, user, _)| !user.retired);
    Ok(there.map(|(_, user, _)| user.name).collect())
}
