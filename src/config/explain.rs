//! What the deserializer found wrong, in words that say what to write.

use figment::{
    Source,
    error::{Actual, Error as FigmentError, Kind as Wrong},
};

use super::{
    ConfigError,
    document::{Document, PREFIX, readable},
    error::Position,
    hint::hint,
    likely::{is_misspelt, likely},
    schema::{Schema, is_secret, join},
    written::how,
};

/// What the deserializer says that it expected, and how that is written.
const TYPES: [(&str, &str); 7] = [
    ("u16", "a number from 1 to 65535, without quotes"),
    ("u32", "a whole number from 0, without quotes"),
    ("u64", "a whole number from 0, without quotes"),
    ("usize", "a whole number from 0, without quotes"),
    ("a boolean", "true or false, without quotes"),
    ("a string", "text in quotes"),
    ("a sequence", "a list: [\"…\"]"),
];

/// An error of the deserializer's as one of the configuration's, with the line of its key.
pub(super) fn explain(document: &Document, error: FigmentError) -> ConfigError {
    let from_env = error.metadata.as_ref().is_some_and(|metadata| {
        !matches!(metadata.source, Some(Source::File(_)) | None) || metadata.name.contains("environment")
    });
    let at: Vec<&str> = error.path.iter().map(String::as_str).collect();
    let value = |at: &[&str], detail: String| ConfigError::Value {
        at: place(document, at, from_env),
        key: readable(at),
        detail,
    };
    match &error.kind {
        Wrong::UnknownField(key, known) => {
            let mut at = at;
            if at.last() != Some(&key.as_str()) {
                at.push(key);
            }
            let section = known_path(&at[..at.len() - 1]);
            ConfigError::UnknownKey {
                at: place(document, &at, from_env),
                key: readable(&at),
                hint: hint(&section, key, known, None),
            }
        }
        Wrong::MissingField(key) => {
            let mut missing = at.clone();
            missing.push(key);
            let written = Schema::get().written(&known_path(&missing));
            let hint = written.map(|written| format!("; write {written}")).unwrap_or_default();
            ConfigError::Value {
                at: place(document, &at, from_env),
                key: readable(&missing),
                detail: format!("is missing{hint}"),
            }
        }
        Wrong::UnknownVariant(given, known) => value(&at, no_such_word(given, known)),
        Wrong::InvalidType(actual, expected) | Wrong::InvalidValue(actual, expected) => {
            let path = known_path(&at);
            if is_secret(&path) {
                return value(&at, "must be text in quotes (the value is not shown)".to_owned());
            }
            let written = TYPES
                .iter()
                .find(|(name, _)| name == expected)
                .map(|(_, written)| *written);
            let schema = Schema::get().known(&path).map(|known| how(&path, &known.example));
            let written = schema
                .filter(|_| expected.contains("enum ") || path == "profile.connections")
                .or(written)
                .unwrap_or(expected);
            value(&at, format!("{} does not fit; write {written}", shown(actual)))
        }
        Wrong::Message(words) => value(&at, words.clone()),
        kind => value(&at, kind.to_string()),
    }
}

fn place(document: &Document, at: &[&str], from_env: bool) -> Position {
    match from_env {
        true => Position {
            source: format!("variable {PREFIX}{}", at.join("__").to_uppercase()),
            line: None,
        },
        false => document.place(at),
    }
}

/// The path of the schema: without numbers.
fn known_path(at: &[&str]) -> String {
    let names = at.iter().filter(|part| part.parse::<usize>().is_err());
    names.fold(String::new(), |path, part| join(&path, part))
}

fn no_such_word(given: &str, known: &[&str]) -> String {
    let meant = likely(given, known).map(|meant| format!("; did you mean {meant}?"));
    if given.to_lowercase().starts_with("smtp") && known.contains(&"imap-ssl") {
        return "smtp only sends mail; write \"imap-ssl\" or \"pop3-ssl\"".to_owned();
    }
    // The one enumeration that takes a name as well.
    if known.contains(&"user") {
        let words = "\"catchall\", \"create\", \"skip\" and { user = \"NAME\" }";
        let user = format!("; to file for the user {given}, write {{ user = {given:?} }}");
        let hint = meant.filter(|_| is_misspelt(given, known)).unwrap_or(user);
        return format!("{given:?} is none of {words}{hint}");
    }
    match known {
        [one, other] if !is_misspelt(given, known) => {
            format!("{given:?} is not known here; write {one:?} or {other:?}")
        }
        _ => format!("{given:?} is none of {}{}", known.join(", "), meant.unwrap_or_default()),
    }
}

fn shown(actual: &Actual) -> String {
    match actual {
        Actual::Bool(value) => value.to_string(),
        Actual::Unsigned(value) => value.to_string(),
        Actual::Signed(value) => value.to_string(),
        Actual::Float(value) => value.to_string(),
        Actual::Char(value) => format!("{value:?}"),
        Actual::Str(value) => format!("{value:?}"),
        Actual::Seq => "a list".to_owned(),
        Actual::Map => "a table".to_owned(),
        other => other.to_string(),
    }
}
