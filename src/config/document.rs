//! The configuration file with the places of its keys, so that errors can name them.

use figment::Figment;
use toml_edit::{ImDocument, Item, Table, Value};

use super::{
    error::{ConfigError, Position},
    syntax,
};

/// What the names of overriding variables begin with.
pub(super) const PREFIX: &str = "DROPKEEP__";

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
                    at: Position {
                        source: name.into(),
                        line: Some(line),
                    },
                    detail,
                })
            }
        }
    }

    pub(super) fn overridden_by(self, overrides: Figment) -> Self {
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

    pub(super) fn place(&self, path: &[&str]) -> Position {
        if self.overrides.find_value(&path.join(".")).is_ok() {
            return Position {
                source: format!("variable {PREFIX}{}", path.join("__").to_uppercase()),
                line: None,
            };
        }
        Position {
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
