//! How profiles are set up: those of the file and those that are kept, as they are shown and given away.

use serde_json::Value;

use super::{
    merge::{NotInForce, keys_of},
    sealing::Sealer,
    secrets,
};
use crate::{
    api::{Failure, Origin, ProfileSetup, Spoken},
    archive::StoredProfile,
    config::{Config, toml_of},
};

/// What a text has in place of a secret that is not shown.
const HIDDEN: &str = "***";

/// How profiles are set up: those of the file in its order, then those that are `kept`, by name. `with_secrets`: their TOML
/// has them.
///
/// # Errors
/// Secrets are asked for, and cannot be decrypted.
pub fn setups(
    config: &Config,
    left_out: &[NotInForce],
    kept: Vec<(String, StoredProfile)>,
    only: Option<&str>,
    with_secrets: bool,
) -> Result<Vec<ProfileSetup>, Failure> {
    let is_wanted = |name: &str| only.is_none_or(|only| only == name);
    let mut setups = Vec::new();
    for profile in config
        .profile
        .iter()
        .filter(|profile| profile.origin == Origin::File && is_wanted(&profile.name))
    {
        let written = config.written_profile(&profile.name);
        let fault = written
            .is_none()
            .then(|| "the configuration file has changed: run `dropkeep reload`".to_owned());
        let mut keys = written.unwrap_or_else(|| serde_json::json!({ "name": profile.name }));
        let full = keys.clone();
        let secrets = taken(&mut keys);
        hide_query(&mut keys);
        let toml = match with_secrets {
            true => toml_of(&full),
            false => hidden(&keys, &secrets),
        };
        setups.push(ProfileSetup {
            name: profile.name.clone(),
            origin: Origin::File,
            in_force: true,
            fault,
            profile: keys,
            secrets,
            toml: Some(Spoken::new(toml)),
        });
    }
    let sealer = Sealer::new(&config.secrets);
    for (name, stored) in kept.into_iter().filter(|(name, _)| is_wanted(name)) {
        let mut keys = keys_of(&name, &stored).map_err(Failure::usage)?;
        // One from before, whose keys had a secret where now is none, say.
        taken(&mut keys);
        let places: Vec<_> = stored.secrets.iter().map(|secret| secret.place.clone()).collect();
        let opened = sealer.open(&name, &stored);
        let toml = match with_secrets {
            true => {
                let opened = opened
                    .as_ref()
                    .map_err(|why| Failure::usage(format!("profile {name:?}: {why}")))?;
                let mut full = keys.clone();
                for (place, secret) in opened {
                    if let Some(secret) = secret {
                        secrets::put(&mut full, place, secret);
                    }
                }
                toml_of(&full)
            }
            false => hidden(&keys, &places),
        };
        let why = left_out.iter().find(|one| one.name == name).map(|one| one.why.clone());
        setups.push(ProfileSetup {
            in_force: why.is_none(),
            fault: why.or(opened
                .err()
                .map(|why| format!("its secrets cannot be decrypted: {why}"))),
            name,
            origin: Origin::Catalog,
            profile: keys,
            secrets: places,
            toml: Some(Spoken::new(toml)),
        });
    }
    Ok(setups)
}

fn taken(keys: &mut Value) -> Vec<String> {
    let taken = secrets::take(keys).into_iter();
    taken.filter_map(|(place, secret)| secret.map(|_| place)).collect()
}

/// The query of a token endpoint in the file may be a secret.
fn hide_query(keys: &mut Value) {
    if let Some(Value::String(endpoint)) = keys.pointer_mut("/server/oauth2/token_endpoint")
        && let Some(at) = endpoint.find('?')
    {
        endpoint.truncate(at);
    }
}

/// As TOML, with a mark where secrets are.
fn hidden(keys: &Value, places: &[String]) -> String {
    let mut marked = keys.clone();
    let hidden = crate::config::Secret::new(HIDDEN);
    places
        .iter()
        .for_each(|place| secrets::put(&mut marked, place, &hidden));
    toml_of(&marked)
}
