//! What stands where in a configuration, compared with what belongs there: sections, lists, text, numbers.

use toml_edit::{Item, TableLike, Value};

use super::{
    ConfigError,
    document::{Document, readable},
    hint::hint,
    schema::{FREE, Kind, Known, Schema, is_secret, join, parent},
    written::{fault, given},
};

/// What people write who do not want a certificate checked.
const NO_CHECK: [&str; 7] = ["false", "none", "off", "no", "never", "insecure", "ignore"];

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
