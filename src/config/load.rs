//! Reading the configuration: TOML, then the environment, then what only a second look shows.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use toml_edit::{ImDocument, Item, Table, Value};

use super::{
    Config, ConfigError, FileUsers, HttpTls, Profile, check, directory, error::Place, explain::explain, shape, syntax,
    users_file,
};
use crate::account::{absolute, run_as, why_unreadable};

/// What the names of overriding variables begin with.
pub(super) const PREFIX: &str = "DROPKEEP__";

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
                at: Place {
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
        directory::check(&config, &document)?;
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
        for Profile { name, server, .. } in &mut self.profile {
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
        true => Err("is empty; write at least a [[profile]] into it".to_owned()),
        false => Ok(text),
    }
}

fn first_part(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
}

/// The file with its lines known, so that errors can name them.
pub(super) struct Document<'a> {
    name: &'a str,
    text: &'a str,
    parsed: ImDocument<&'a str>,
    /// What stands in the environment in place of the file.
    overrides: Figment,
}

impl<'a> Document<'a> {
    pub(super) fn parse(text: &'a str, name: &'a str) -> Result<Self, ConfigError> {
        match ImDocument::parse(text) {
            Ok(parsed) => Ok(Self {
                name,
                text,
                parsed,
                overrides: Figment::new(),
            }),
            // The parser's own rendering quotes the line, which may hold a password.
            Err(error) => {
                let (line, detail) = syntax::diagnose(text, error.span().map_or(0, |span| span.start), error.message());
                Err(ConfigError::Syntax {
                    at: Place {
                        source: name.into(),
                        line: Some(line),
                    },
                    detail,
                })
            }
        }
    }

    fn overridden_by(self, overrides: Figment) -> Self {
        Self { overrides, ..self }
    }

    /// An error about the key at `path`, such as `["profile", "0", "name"]`.
    pub(super) fn error(&self, path: &[&str], detail: impl Into<String>) -> ConfigError {
        ConfigError::Value {
            at: self.place(path),
            key: readable(path),
            detail: detail.into(),
        }
    }

    pub(super) fn place(&self, path: &[&str]) -> Place {
        if self.overrides.find_value(&path.join(".")).is_ok() {
            return Place {
                source: format!("variable {PREFIX}{}", path.join("__").to_uppercase()),
                line: None,
            };
        }
        Place {
            source: self.name.to_owned(),
            line: self.offset(path).map(|offset| line_at(self.text, offset)),
        }
    }

    /// The text at `path`.
    pub(super) fn text(&self, path: &[&str]) -> Option<&str> {
        let mut item = self.parsed.as_item();
        for part in path {
            item = step(item, part)?.0?;
        }
        item.as_str()
    }

    /// Where the last key of `path` stands, or as much of the path as there is.
    fn offset(&self, path: &[&str]) -> Option<usize> {
        let mut item = self.parsed.as_item();
        let mut offset = None;
        for part in path {
            let Some((next, at)) = step(item, part) else { break };
            offset = at.or(offset);
            match next {
                Some(next) => item = next,
                None => break,
            }
        }
        offset
    }

    pub(super) fn root(&self) -> &Table {
        self.parsed.as_table()
    }
}

/// One step down from `item`: what stands there, and where its key (or the element) begins.
fn step<'i>(item: &'i Item, part: &str) -> Option<(Option<&'i Item>, Option<usize>)> {
    if let Some(tables) = item.as_array_of_tables() {
        let table = tables.get(part.parse().ok()?)?;
        // The element is no `Item` of its own, so the rest of the path is found from its table.
        return Some((
            item.get(part.parse::<usize>().ok()?),
            table.span().map(|span| span.start),
        ));
    }
    if let Some(table) = item.as_table_like() {
        let (key, value) = table.get_key_value(part)?;
        return Some((Some(value), key.span().map(|span| span.start)));
    }
    let element = item.as_value().and_then(Value::as_array)?.get(part.parse().ok()?)?;
    Some((None, element.span().map(|span| span.start)))
}

fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// `profile.0.server.host` for people: elements are counted from one.
pub(super) fn readable(path: &[&str]) -> String {
    let mut key = String::new();
    for part in path {
        match part.parse::<usize>() {
            Ok(index) => key.push_str(&format!("[{}]", index + 1)),
            Err(_) if key.is_empty() => key.push_str(part),
            Err(_) => key.push_str(&format!(".{part}")),
        }
    }
    key
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
