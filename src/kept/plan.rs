//! What somebody wants to change of the profiles that are kept: checked, and ready to be written.

use serde_json::Value;

use super::{
    mended::mended,
    merge::{keys_of, one, users},
    sealing::Sealer,
    secrets::{self, Secrets},
    wrong,
};
use crate::{
    api::{ChangeKind, Code, Failure, Form, ProfileWish, Spoken, Written, Wrong},
    archive::{LONGEST_PROFILE_NAME, Store, StoreError, StoredProfile},
    clock,
    config::{Config, ConfigError, Origin, Profile, profiles_of, toml_of},
};

/// Values that are said to be wrong of one profile.
const MOST_WRONG: usize = 20;

/// A change that can be written.
#[derive(Debug)]
pub struct Planned {
    pub name: String,
    pub change: ChangeKind,
    /// `None` where it is kept no longer.
    pub row: Option<StoredProfile>,
}

/// Who asks: an account knows no files of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByOwner(pub bool);

/// The change of one profile.
///
/// # Errors
/// What is wished cannot be granted; the failure names the key that is wrong.
pub fn plan(config: &Config, store: &Store, name: &str, wish: &ProfileWish, by: ByOwner) -> Result<Planned, Failure> {
    let before = kept(store, name)?;
    let (written, change) = match wish {
        ProfileWish::Add(written) => (written, ChangeKind::Added),
        ProfileWish::Change(written) => (written, ChangeKind::Changed),
        ProfileWish::Remove => {
            before.ok_or_else(|| none(config, store, name))?;
            return Ok(Planned {
                name: name.to_owned(),
                change: ChangeKind::Removed,
                row: None,
            });
        }
    };
    let (keys, text) = keys_and_text(config, written)?;
    match change {
        ChangeKind::Added => require_new(config, before.is_some(), name)?,
        _ if before.is_none() => return Err(none(config, store, name)),
        _ => {}
    }
    if keys["name"].as_str().is_some_and(|given| given != name) {
        let error = format!("`name` must be {name:?}: a profile keeps its name, as its protocols go by it");
        return Err(Failure::of_key("name", error).for_that(Wrong::new(Code::ProfileKeepsName, &[&name])));
    }
    let form = written.form;
    let planned = Checking { config, store, by }.checked(name, keys, text, form, before.as_ref())?;
    Ok(Planned {
        name: name.to_owned(),
        change,
        row: Some(planned.1),
    })
}

/// What is wrong with a profile that could not be kept as it is written: as a change of the profile `like`, or as a new one.
/// Each failure names the key that is wrong. Behind the first one are those that would be there once it is put right.
pub fn check(config: &Config, store: &Store, like: Option<&str>, mut written: Written, by: ByOwner) -> Vec<Failure> {
    let mut wrong: Vec<Failure> = Vec::new();
    while let Err(failure) = check_once(config, store, like, written.clone(), by) {
        let mended = failure.key.as_deref().and_then(|key| mended(&written, key));
        let is_new = wrong.iter().all(|known| known.key != failure.key);
        if is_new {
            wrong.push(failure);
        }
        match mended.filter(|_| is_new && wrong.len() < MOST_WRONG) {
            Some(mended) => written = mended,
            None => break,
        }
    }
    wrong
}

fn check_once(
    config: &Config,
    store: &Store,
    like: Option<&str>,
    written: Written,
    by: ByOwner,
) -> Result<(), Failure> {
    let planned = match like {
        Some(name) => plan(config, store, name, &ProfileWish::Change(written), by),
        None => {
            let (keys, _) = keys_and_text(config, &written)?;
            let name = keys["name"].as_str().unwrap_or_default();
            plan(config, store, name, &ProfileWish::Add(written), by)
        }
    };
    planned.map(drop)
}

/// The profiles of a configuration file, all of which are to be kept. With `replace`, those that are kept already are
/// changed; otherwise none of them may be.
///
/// # Errors
/// One of them is wrong, is there, or is in the configuration file: then none of them is kept.
pub fn import(
    config: &Config,
    store: &Store,
    toml: &Spoken,
    replace: bool,
    by: ByOwner,
) -> Result<Vec<Planned>, Failure> {
    let text = toml.reveal();
    // What is wrong is said with its line in the file.
    let read = config.read_profiles(text, "the file", &users(store, ["\"user\""].into_iter())?)?;
    if read.is_empty() {
        return Err(Failure::usage(
            "there is no [[profile]] in the file: nothing is imported",
        ));
    }
    let written = profiles_of(text).unwrap_or_default();
    let mut planned = Vec::with_capacity(read.len());
    for (profile, keys) in read.iter().zip(written) {
        let name = profile.name.as_str();
        let before = kept(store, name)?;
        require_new(config, before.is_some() && !replace, name)?;
        let change = match before {
            Some(_) => ChangeKind::Changed,
            None => ChangeKind::Added,
        };
        let text = toml_of(&keys);
        let row = Checking { config, store, by }
            .checked(name, keys, text, Form::Json, before.as_ref())?
            .1;
        planned.push(Planned {
            name: name.to_owned(),
            change,
            row: Some(row),
        });
    }
    Ok(planned)
}

/// A profile that is not kept, as it would be; the secrets that it leaves out are those of the profile `like`.
///
/// # Errors
/// It is wrong.
pub fn read(
    config: &Config,
    store: &Store,
    like: Option<&str>,
    written: &Written,
    by: ByOwner,
) -> Result<Profile, Failure> {
    let (keys, text) = keys_and_text(config, written)?;
    let before = like.map(|name| kept(store, name)).transpose()?.flatten();
    // Its name says whose secrets they are.
    let name = like.or(keys["name"].as_str()).unwrap_or_default().to_owned();
    let (keys, form) = (keys, written.form);
    Ok(Checking { config, store, by }
        .profile(&name, keys, text, form, before.as_ref())?
        .0)
}

/// The profile of this name that is kept.
fn kept(store: &Store, name: &str) -> Result<Option<StoredProfile>, StoreError> {
    let kept = store.profiles()?.into_iter().find(|(kept, _)| kept == name);
    Ok(kept.map(|(_, stored)| stored))
}

fn require_new(config: &Config, is_kept: bool, name: &str) -> Result<(), Failure> {
    let place = match is_kept {
        true => "is kept already",
        false if is_in_file(config, name) => "is in the configuration file",
        false => return Ok(()),
    };
    Err(Failure {
        key: Some("name".to_owned()),
        ..Failure::conflict(format!("a profile {name:?} {place}")).for_that(Wrong::new(Code::ProfileExists, &[&name]))
    })
}

fn is_in_file(config: &Config, name: &str) -> bool {
    let mut in_file = config.profile.iter().filter(|profile| profile.origin == Origin::File);
    in_file.any(|profile| profile.name == name)
}

/// Why there is no profile of this name to change.
fn none(config: &Config, store: &Store, name: &str) -> Failure {
    if is_in_file(config, name) {
        let file = std::path::absolute(&config.file).unwrap_or_else(|_| config.file.clone());
        return Failure::conflict(format!(
            "profile {name:?} is in the configuration file: change it in {}, and run `dropkeep reload`",
            file.display()
        ));
    }
    let kept = store.profiles().unwrap_or_default();
    let nearest = crate::config::nearest(name, kept.iter().map(|(name, _)| name.as_str()));
    let hint = nearest
        .map(|near| format!("; did you mean {near:?}?"))
        .unwrap_or_default();
    Failure::unknown(format!(
        "no profile that is kept in the catalog is named {name:?}{hint}"
    ))
}

/// The keys of what somebody wrote, and the same as TOML.
fn keys_and_text(config: &Config, written: &Written) -> Result<(Value, String), Failure> {
    let text = written.text.reveal();
    match written.form {
        Form::Json => {
            let keys: Value =
                serde_json::from_str(text).map_err(|_| Failure::usage("the profile is no JSON object"))?;
            if !keys.is_object() {
                return Err(Failure::usage("the profile is no JSON object"));
            }
            let text = toml_of(&keys);
            Ok((keys, text))
        }
        Form::Toml => {
            let profiles = profiles_of(text).unwrap_or_default();
            let [keys] = &profiles[..] else {
                // Why is said with its line.
                return Err(one(config, text, &[])
                    .err()
                    .unwrap_or(ConfigError::NotOneProfile)
                    .into());
            };
            Ok((keys.clone(), text.to_owned()))
        }
    }
}

/// What a profile is checked against.
struct Checking<'c> {
    config: &'c Config,
    store: &'c Store,
    by: ByOwner,
}

impl Checking<'_> {
    /// A profile as it would run, and its keys and secrets.
    fn profile(
        &self,
        name: &str,
        mut keys: Value,
        mut text: String,
        form: Form,
        before: Option<&StoredProfile>,
    ) -> Result<(Profile, Value, Secrets), Failure> {
        let mut in_words = form == Form::Json;
        let known = before
            .map(|stored| keys_of(name, stored))
            .transpose()
            .map_err(Failure::usage)?;
        if let (Some(stored), Some(known)) = (before, &known) {
            let stays: Vec<_> = stored
                .secrets
                .iter()
                .map(|secret| secret.place.as_str())
                .filter(|place| secrets::stays(known, &keys, place))
                .collect();
            if !stays.is_empty() {
                let opened = Sealer::new(&self.config.secrets).open(name, stored);
                let opened = opened
                    .map_err(|why| Failure::of_key(stays[0], format!("`{}` has to be given again: {why}", stays[0])))?;
                for place in stays {
                    if let Some(Some(secret)) = opened.get(place) {
                        secrets::put(&mut keys, place, secret);
                    }
                }
                text = toml_of(&keys);
                in_words = true;
            }
        }
        let users = users(self.store, ["\"user\""].into_iter())?;
        let was_kept = known.is_some();
        let profile = one(self.config, &text, &users).map_err(|error| {
            let failure = refused(error, in_words, was_kept);
            let key = failure.key.as_deref();
            let wrong = key.and_then(|key| wrong::of(key, &keys, was_kept, self.config, &users));
            failure.for_that(wrong)
        })?;
        self.refuse_files(&keys, known.as_ref())?;
        refuse_query(&keys)?;
        let secrets = secrets::take(&mut keys);
        Ok((profile, keys, secrets))
    }

    fn checked(
        &self,
        name: &str,
        keys: Value,
        text: String,
        form: Form,
        before: Option<&StoredProfile>,
    ) -> Result<(Profile, StoredProfile), Failure> {
        let (profile, keys, secrets) = self.profile(name, keys, text, form, before)?;
        if name.len() > LONGEST_PROFILE_NAME {
            let error = format!("`name` must not be longer than {LONGEST_PROFILE_NAME} bytes");
            return Err(Failure::of_key("name", error).for_that(Wrong::new(Code::ProfileName, &[&name])));
        }
        let sealed = Sealer::new(&self.config.secrets).seal(name, &secrets);
        let secrets = sealed.map_err(|(place, why)| Failure::of_key(&place, format!("`{place}`: {why}")))?;
        let stored = StoredProfile {
            keys: keys.to_string(),
            secrets,
            changed: clock::now().as_second(),
        };
        Ok((profile, stored))
    }

    /// Whoever is not on the machine names no file or variable of it: the first line of any file would be sent to a
    /// server of their choice. What was named on the machine may stay, with its server.
    fn refuse_files(&self, keys: &Value, before: Option<&Value>) -> Result<(), Failure> {
        if self.by.0 {
            return Ok(());
        }
        let named_before = before.map(secrets::of_the_machine).unwrap_or_default();
        let same = |path: &[&str]| {
            let at = |profile: &Value| path.iter().fold(profile.clone(), |value, key| value[*key].clone());
            before.is_some_and(|before| at(before) == at(keys))
        };
        let same_server =
            same(&["server", "host"]) && same(&["server", "port"]) && same(&["server", "oauth2", "token_endpoint"]);
        for (key, value) in secrets::of_the_machine(keys) {
            if !same_server || named_before.get(&key) != Some(&value) {
                let error = format!(
                    "`{key}` names a file or a variable of the machine: only commands on the machine can; give the value itself"
                );
                return Err(Failure::of_key(&key, error));
            }
        }
        Ok(())
    }
}

/// The address of a token endpoint is shown, so that no secret may be in it.
fn refuse_query(keys: &Value) -> Result<(), Failure> {
    const KEY: &str = "server.oauth2.token_endpoint";
    let endpoint = keys["server"]["oauth2"]["token_endpoint"].as_str();
    match endpoint.is_some_and(|endpoint| endpoint.contains('?')) {
        true => Err(Failure::of_key(
            KEY,
            format!("`{KEY}` must have nothing behind a question mark here: write it below parameters"),
        )
        .for_that(Wrong::new(Code::Endpoint, &[&endpoint.unwrap_or_default()]))),
        false => Ok(()),
    }
}

/// Without lines, where whoever asked wrote none.
fn refused(error: ConfigError, in_words: bool, was_kept: bool) -> Failure {
    let about = error.of_profile();
    let failure = Failure::from(error);
    let Some((key, words)) = about else { return failure };
    // A secret that is missing is one that did not stay.
    let is_secret = [
        "server.password",
        "server.oauth2.client_secret",
        "server.oauth2.refresh_token",
    ]
    .contains(&&*key);
    let words = match was_kept && is_secret && words.contains("is missing") {
        true => format!("{words}. The one before is kept for the same server and token endpoint alone: give it again"),
        false if in_words => words,
        false => failure.error,
    };
    Failure::of_key(&key, words)
}
