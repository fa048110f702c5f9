//! What stands where in a configuration, compared with what belongs there: sections, lists, text, numbers.

use toml_edit::{Item, TableLike, Value};

use super::{
    ConfigError,
    explain::hint,
    load::{Document, readable},
    schema::{FREE, Kind, Known, Schema, is_secret, join, parent},
};

/// Keys that take a word as well as a list of words.
const WORD_OR_LIST: [&str; 3] = ["mail.when", "webhook.when", "profile.notify.when"];
const WORD_OR_TABLE: &str = "profile.recipients.unknown";

/// What people write who do not want a certificate checked.
const NO_CHECK: [&str; 7] = ["false", "none", "off", "no", "never", "insecure", "ignore"];

/// What switches a key off, for those who write false.
const OFF: [(&[&str], &str); 3] = [
    (&["verify"], "none"),
    (
        &["when", "recheck", "compress", "pause", "quiet_hours", "journal"],
        "never",
    ),
    (&["schedule"], "manual"),
];

/// # Errors
/// A section is a value, a value of another type, or the other way round. What is not known is not looked at.
pub(super) fn check(document: &Document) -> Result<(), ConfigError> {
    Shape { document }.table(document.root(), &mut Vec::new(), "")
}

/// The first key that no section has, and where it belongs.
pub(super) fn unknown(document: &Document) -> Option<ConfigError> {
    Unknown { document }.table(document.root(), &mut Vec::new(), "")
}

struct Unknown<'d> {
    document: &'d Document<'d>,
}

impl Unknown<'_> {
    fn table(&self, table: &dyn TableLike, at: &mut Vec<String>, section: &str) -> Option<ConfigError> {
        for (key, item) in table.iter() {
            let path = join(section, key);
            at.push(key.to_owned());
            let Some(known) = Schema::get().known(&path) else {
                let known: Vec<&str> = Schema::get().below(section).map(|(key, _)| key).collect();
                let at: Vec<&str> = at.iter().map(String::as_str).collect();
                return Some(ConfigError::UnknownKey {
                    at: self.document.place(&at),
                    key: readable(&at),
                    hint: hint(section, key, &known, item.as_value()),
                });
            };
            if known.kind != Kind::Value && !FREE.contains(&path.as_str()) {
                for (index, table) in tables(item) {
                    let length = at.len();
                    at.extend(index.map(|index| index.to_string()));
                    if let Some(error) = self.table(table, at, &path) {
                        return Some(error);
                    }
                    at.truncate(length);
                }
            }
            at.pop();
        }
        None
    }
}

/// The tables of an item, with their numbers where it may have several.
fn tables(item: &Item) -> Vec<(Option<usize>, &dyn TableLike)> {
    match item {
        Item::ArrayOfTables(tables) => {
            let each = tables.iter().enumerate();
            each.map(|(index, table)| (Some(index), table as &dyn TableLike))
                .collect()
        }
        item => item.as_table_like().map(|table| (None, table)).into_iter().collect(),
    }
}

struct Shape<'d> {
    document: &'d Document<'d>,
}

impl Shape<'_> {
    /// `at` is the path as the document has it, `path` the one of the schema.
    fn table(&self, table: &dyn TableLike, at: &mut Vec<String>, path: &str) -> Result<(), ConfigError> {
        for (key, item) in table.iter() {
            let path = join(path, key);
            let Some(known) = Schema::get().known(&path) else {
                continue;
            };
            at.push(key.to_owned());
            self.item(item, known, at, &path)?;
            at.pop();
        }
        Ok(())
    }

    fn item(&self, item: &Item, known: &Known, at: &mut Vec<String>, path: &str) -> Result<(), ConfigError> {
        match (&known.kind, item) {
            (Kind::Sections, Item::ArrayOfTables(tables)) => {
                self.each(tables.iter().map(|table| table as &dyn TableLike), at, path)
            }
            (Kind::Sections, Item::Value(Value::Array(list))) if list.iter().all(Value::is_inline_table) => {
                let tables = list.iter().filter_map(Value::as_inline_table);
                self.each(tables.map(|table| table as &dyn TableLike), at, path)
            }
            (Kind::Sections, Item::Table(table)) if table.is_implicit() => self.wrong(
                at,
                format!("write [[{path}]] on a line before the sections that belong to it"),
            ),
            (Kind::Sections, Item::Table(_)) => self.wrong(
                at,
                format!("write [[{path}]], with two brackets on each side, for each {path}"),
            ),
            (Kind::Section | Kind::Inline, item) if item.is_table_like() => match item.as_table_like() {
                Some(table) => self.table(table, at, path),
                None => Ok(()),
            },
            (Kind::Section | Kind::Inline, Item::ArrayOfTables(_)) => self.wrong(
                at,
                format!("write [{path}], with one bracket on each side: there is one alone"),
            ),
            (Kind::Section | Kind::Sections | Kind::Inline, item) => {
                if let Some(detail) = self.tls(item, at, path) {
                    return self.wrong(at, detail);
                }
                let written = Schema::get().written(path).unwrap_or_default();
                let given = item
                    .as_value()
                    .filter(|_| !is_secret(path))
                    .map_or("this".to_owned(), given);
                self.wrong(at, format!("{given} does not fit; write {written}"))
            }
            (Kind::Value, Item::Value(value)) => match fault(value, &known.example, path) {
                Some(fault) => self.wrong(at, fault),
                None => Ok(()),
            },
            (Kind::Value, _) => {
                let key = parent(path).1;
                self.wrong(at, format!("is no section; write {key} = {}", known.example))
            }
        }
    }

    /// What to write for `tls = true` and the like, of a server.
    fn tls(&self, item: &Item, at: &[String], path: &str) -> Option<String> {
        let ending = if path == "mail.tls" { "smtp-tls" } else { "imap" };
        let (section, _) = parent(path);
        if !["profile.server", "mail"].contains(&section) || parent(path).1 != "tls" {
            return None;
        }
        let value = item.as_value()?;
        let word = match value {
            Value::Boolean(on) => on.value().to_string(),
            Value::String(word) => word.value().trim().to_lowercase(),
            _ => {
                return Some(format!(
                    "{} does not fit; write tls = {{ verify = \"system\" }}",
                    given(value)
                ));
            }
        };
        if word == "system" || NO_CHECK.contains(&word.as_str()) {
            let verify = if word == "system" { "system" } else { "none" };
            return Some(format!(
                "{} does not fit; write tls = {{ verify = {verify:?} }}",
                given(value)
            ));
        }
        if word == "pin" || word.starts_with("sha256:") {
            return Some(format!(
                "{} does not fit; write tls = {{ verify = \"pin\", pin = \"sha256:…\" }}",
                given(value)
            ));
        }
        if [".pem", ".crt", ".cer"].iter().any(|ending| word.ends_with(ending)) {
            let given = given(value);
            return Some(format!("{given} does not fit; write tls = {{ ca_file = {given} }}"));
        }
        let mut access: Vec<&str> = at.iter().map(String::as_str).collect();
        access.pop();
        access.push("access");
        let access = self.document.text(&access).unwrap_or(ending);
        let family = access.split('-').next().unwrap_or(ending);
        let remedy = match access.contains('-') {
            true => format!("keep access = {access:?} and leave tls out"),
            false if word.contains("starttls") => format!("write access = \"{family}-tls\" and leave tls out"),
            false => format!("write access = \"{family}-ssl\" and leave tls out"),
        };
        Some(format!(
            "tls says how the certificate is checked; encryption comes with the access: {remedy}"
        ))
    }

    fn each<'t>(
        &self,
        tables: impl Iterator<Item = &'t dyn TableLike>,
        at: &mut Vec<String>,
        path: &str,
    ) -> Result<(), ConfigError> {
        for (index, table) in tables.enumerate() {
            at.push(index.to_string());
            self.table(table, at, path)?;
            at.pop();
        }
        Ok(())
    }

    fn wrong(&self, at: &[String], detail: String) -> Result<(), ConfigError> {
        let at: Vec<&str> = at.iter().map(String::as_str).collect();
        Err(self.document.error(&at, detail))
    }
}

/// What is wrong with a value where one like the example belongs.
fn fault(value: &Value, example: &Value, path: &str) -> Option<String> {
    let names_file = ["_file", "_dir", "_env"].iter().any(|ending| path.ends_with(ending));
    if names_file && value.as_str().is_some_and(|name| name.trim().is_empty()) {
        let key = parent(path).1;
        return Some(format!("is empty; write {key} = {example}, or take it out"));
    }
    let fits = match (value, example) {
        (Value::Array(list), Value::Array(_)) => {
            return list.iter().find(|one| !one.is_str()).map(|one| {
                format!(
                    "{} in the list does not fit; write a list of texts in quotes: {example}",
                    given(one)
                )
            });
        }
        (Value::String(_), Value::String(_)) => true,
        (Value::Integer(_), Value::String(_)) => is_size(example),
        (Value::String(_) | Value::Array(_), _) if WORD_OR_LIST.contains(&path) => true,
        (Value::InlineTable(_), _) => path == WORD_OR_TABLE,
        (Value::Integer(_), Value::Integer(_)) | (Value::Boolean(_), Value::Boolean(_)) => true,
        _ => false,
    };
    if fits {
        return None;
    }
    if is_secret(path) {
        return Some("must be text in quotes (the value is not shown)".to_owned());
    }
    let (how, fitting) = (how(path, example), fitting(value, example, parent(path).1));
    Some(format!("{} does not fit; write {how}: {fitting}", given(value)))
}

/// A value as it is written under the key at `path`: as it was given where that fits.
pub(super) fn as_written(value: &Value, path: &str) -> String {
    let Some(known) = Schema::get().known(path) else {
        return String::new();
    };
    match fault(value, &known.example, path) {
        None => value.clone().decorated("", "").to_string(),
        Some(_) => fitting(value, &known.example, parent(path).1),
    }
}

/// How a value is written that is like the example.
pub(super) fn how(path: &str, example: &Value) -> &'static str {
    match example {
        Value::Integer(_) if path == "profile.connections" => "a number from 1 to 16, without quotes",
        Value::Integer(_) if parent(path).1 == "port" => "a number from 1 to 65535, without quotes",
        Value::Integer(_) => "a whole number from 0, without quotes",
        Value::Boolean(_) => "true or false, without quotes",
        Value::Array(_) => "a list",
        _ if is_size(example) => "a size in quotes",
        _ if is_duration(example) => "a duration in quotes",
        _ => "text in quotes",
    }
}

fn is_size(example: &Value) -> bool {
    example.as_str().is_some_and(|text| text.ends_with("iB"))
}

fn is_duration(example: &Value) -> bool {
    let text = example.as_str().unwrap_or_default();
    text.starts_with(|c: char| c.is_ascii_digit()) && text.ends_with(['s', 'm', 'h', 'd', 'y']) && text.len() < 5
}

/// What was meant, where that can be told; else the example.
fn fitting(value: &Value, example: &Value, key: &str) -> String {
    let meant = match (value, example) {
        (Value::Boolean(on), Value::String(_)) if !on.value() => {
            let off = OFF.iter().find(|(keys, _)| keys.contains(&key));
            off.map(|(_, word)| format!("{word:?}"))
        }
        (Value::Integer(minutes), _) if key == "schedule" => Some(format!("\"every {}m\"", minutes.value())),
        (Value::Integer(number), Value::String(text)) if is_duration(example) && *number.value() > 0 => {
            let unit = text.value().trim_start_matches(|c: char| c.is_ascii_digit());
            Some(format!("\"{}{unit}\"", number.value()))
        }
        (Value::String(text), Value::Integer(_)) => text.value().trim().parse::<u64>().ok().map(|n| n.to_string()),
        (Value::String(text), Value::Boolean(_)) => match text.value().to_lowercase().as_str() {
            "true" | "yes" | "on" => Some("true".to_owned()),
            "false" | "no" | "off" => Some("false".to_owned()),
            _ => None,
        },
        (Value::String(text), Value::Array(_)) => {
            let parts = text.value().split([',', ';']).map(|part| format!("{:?}", part.trim()));
            Some(format!("[{}]", parts.collect::<Vec<_>>().join(", ")))
        }
        _ => None,
    };
    meant.unwrap_or_else(|| example.to_string())
}

/// A value as it was given, if it is short.
fn given(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.value()),
        Value::Array(_) => "a list".to_owned(),
        Value::InlineTable(_) => "a table".to_owned(),
        Value::Datetime(date) => format!("the date or time {}", date.value()),
        other => {
            let mut other = other.clone();
            other.decor_mut().clear();
            other.to_string()
        }
    }
}
