//! Reading the configuration: TOML, then the environment, then what only a second look shows.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{
    Config, ConfigError, FileUsers, HttpTls, Profile, check, check_directory,
    document::{Document, PREFIX},
    error::Position,
    explain::explain,
    shape, users_file,
};
use crate::account::{absolute, run_as, why_unreadable};
use figment::{
    Figment,
    providers::{Env, Format, Toml},
};

impl Config {
    /// Reads the configuration of `file`, and makes the paths in it relative to the file.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, has an unknown key, a value of the wrong type, or
    /// contradicts itself (two profiles of one name, an address of two users, …). What is wrong with its
    /// users file stands in `file_users`: who only reads the archive needs none.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = text_of(&absolute(file)).map_err(|detail| ConfigError::Read {
            file: absolute(file),
            detail,
        })?;
        Self::read(&text, file, Env::prefixed(PREFIX).split("__"))
    }

    /// Reads a configuration that is in no file, and that nothing overrides.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    #[cfg(fuzzing)]
    #[doc(hidden)]
    pub fn of(text: &str) -> Result<Self, ConfigError> {
        Self::merge(text, Path::new("dropkeep.toml"), Figment::new())
    }

    pub(super) fn read(text: &str, file: &Path, env: Env) -> Result<Self, ConfigError> {
        if let Some(variable) = env
            .iter()
            .find(|(key, _)| ["profile", "user", "list", "domain_aliases"].contains(&first_part(key.as_str())))
        {
            return Err(ConfigError::Value {
                at: Position {
                    source: format!(
                        "variable {PREFIX}{}",
                        variable.0.as_str().to_uppercase().replace('.', "__")
                    ),
                    line: None,
                },
                key: first_part(variable.0.as_str()).to_owned(),
                detail: "profiles, users, lists and domain aliases stand only in the file".into(),
            });
        }
        Self::merge(text, file, Figment::from(env))
    }

    /// The file's `text`, with what overrides it.
    fn merge(text: &str, file: &Path, overrides: Figment) -> Result<Self, ConfigError> {
        let name = file.display().to_string();
        let document = Document::parse(text, &name)?.overridden_by(overrides.clone());
        let merged = Figment::new().merge(Toml::string(text)).merge(overrides);
        shape::check(&document)?;
        // A section that nobody knows is why another one is missing.
        let refused = |error| shape::unknown(&document).unwrap_or_else(|| explain(&document, error));
        let mut config: Config = merged.extract().map_err(refused)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        config.file = file.to_owned();
        config.make_paths_relative_to(folder);
        check_directory::check(&config, &document)?;
        config.read_users_file();
        check::check(&config, &document)?;
        Ok(config)
    }

    fn read_users_file(&mut self) {
        let Some(file) = &self.users_file else { return };
        self.file_users = users_file::read(file, &self.user, &self.list).unwrap_or_else(FileUsers::none);
    }

    fn make_paths_relative_to(&mut self, folder: &Path) {
        let join = |path: &mut PathBuf| *path = folder.join(&*path);
        join(&mut self.data_dir);
        self.users_file.as_mut().map(join);
        self.secrets.key_file.as_mut().map(join);
        self.http.token_file.as_mut().map(join);
        self.http.tls.iter_mut().flat_map(HttpTls::paths).for_each(join);
        if let Some(mail) = &mut self.mail {
            mail.password_file.as_mut().map(join);
            mail.tls.ca_file.as_mut().map(join);
        }
        if let Some(webhook) = &mut self.webhook {
            webhook.token_file.as_mut().map(join);
            webhook.ca_file.as_mut().map(join);
        }
        for profile in &mut self.profile {
            make_paths_relative_to(folder, profile);
        }
    }
}

pub(super) fn make_paths_relative_to(folder: &Path, profile: &mut Profile) {
    let join = |path: &mut PathBuf| *path = folder.join(&*path);
    let Profile { name, server, .. } = profile;
    server.profile.clone_from(name);
    server.password_file.as_mut().map(join);
    server.tls.ca_file.as_mut().map(join);
    if let Some(oauth2) = &mut server.oauth2 {
        oauth2.profile.clone_from(name);
        oauth2.client_secret_file.as_mut().map(join);
        oauth2.refresh_token_file.as_mut().map(join);
        oauth2.ca_file.as_mut().map(join);
    }
}

/// What a configuration file holds, or why it is of no use.
fn text_of(file: &Path) -> Result<String, String> {
    let bytes = std::fs::read(file).map_err(|error| {
        let why = why_unreadable(file, &error);
        match error.kind() {
            // The owner of its folder can read it, at least.
            io::ErrorKind::PermissionDenied => {
                let folder = file.parent().and_then(|folder| std::fs::metadata(folder).ok());
                format!("{why}; {}", run_as(folder.map_or(0, |folder| folder.uid())))
            }
            _ => why,
        }
    })?;
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("is text in UTF-16, as editors of Windows write it; save it as UTF-8".to_owned());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = memchr::memchr_iter(b'\n', valid).count() + 1;
        format!("is not UTF-8 (line {line}): save the file as UTF-8")
    })?;
    // As a full disk leaves it. All users would be retired by it.
    match text.trim_start_matches('\u{feff}').trim().is_empty() {
        true => Err(
            "is empty; write at least a [[profile]] into it, or key_file under [secrets] to set one up in the console"
                .to_owned(),
        ),
        false => Ok(text),
    }
}

fn first_part(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;

/// The keys that the deserializer knows where it meets one that it does not.
#[cfg(test)]
pub(super) fn known_keys(text: &str) -> Vec<&'static str> {
    let refused = Figment::new().merge(Toml::string(text)).extract::<Config>();
    let known = refused.err().map(|error| error.kind);
    let mut known = match known {
        Some(figment::error::Kind::UnknownField(_, known)) => known.to_vec(),
        other => panic!("{other:?}"),
    };
    known.sort_unstable();
    known
}
