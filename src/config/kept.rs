//! Profiles that stand in no file: read by the rules of the file, in the words of the file.

use std::path::Path;

use figment::{
    Figment,
    providers::{Format, Toml},
};
use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, ImDocument, InlineTable, Item, Table, TableLike};

use super::{
    Config, ConfigError, Origin, Profile, User, check,
    document::Document,
    explain::explain,
    load::make_paths_relative_to,
    schema::{Kind, Schema, join},
    shape,
};

impl Config {
    /// Reads the profiles of a text that is a configuration file with nothing but profiles, as if they stood in this
    /// one. `from` is what errors call the text; `users` are the names of those who are not in this configuration.
    ///
    /// # Errors
    /// As those of a file.
    pub fn read_profiles(&self, text: &str, from: &str, users: &[String]) -> Result<Vec<Profile>, ConfigError> {
        let document = Document::parse(text, from)?;
        if let Some((key, _)) = document.root().iter().find(|(key, _)| *key != PROFILE) {
            return Err(ConfigError::UnknownKey {
                at: document.place(&[key]),
                key: key.to_owned(),
                hint: ": only [[profile]] and its sections stand here".to_owned(),
            });
        }
        shape::check(&document)?;
        let refused = |error| shape::unknown(&document).unwrap_or_else(|| explain(&document, error));
        let read: Self = Figment::from(Toml::string(text)).extract().map_err(refused)?;
        let named = users.iter().map(|name| User {
            name: name.clone(),
            addresses: Vec::new(),
            disabled: false,
        });
        let mut read = Self {
            file: self.file.clone(),
            mail: self.mail.clone(),
            user: self.users().cloned().chain(named).collect(),
            profile: read.profile,
            ..Self::default()
        };
        let folder = self.file.parent().unwrap_or(Path::new(""));
        read.profile
            .iter_mut()
            .for_each(|profile| make_paths_relative_to(folder, profile));
        check::check(&read, &document)?;
        for profile in &mut read.profile {
            profile.origin = Origin::Catalog;
        }
        Ok(read.profile)
    }

    /// The profile of this name as the file has it; `None` where it has none, or is not read.
    pub fn written_profile(&self, name: &str) -> Option<Value> {
        let text = std::fs::read_to_string(&self.file).ok()?;
        let document = ImDocument::parse(text.as_str()).ok()?;
        profiles_in(document.get(PROFILE))
            .into_iter()
            .find(|profile| profile["name"] == name)
    }
}

impl Profile {
    /// Notes why its secrets cannot be decrypted; whoever needs them is told.
    pub fn cannot_log_in(&mut self, why: &str) {
        self.server.sealed = Some(why.to_owned());
        if let Some(oauth2) = &mut self.server.oauth2 {
            oauth2.sealed = Some(why.to_owned());
        }
    }
}

const PROFILE: &str = "profile";

/// The profiles of a text; `None` of one that is not TOML, or has anything else in it.
pub fn profiles_of(text: &str) -> Option<Vec<Value>> {
    let document = ImDocument::parse(text).ok()?;
    if document.iter().any(|(key, _)| key != PROFILE) {
        return None;
    }
    Some(profiles_in(document.get(PROFILE)))
}

fn profiles_in(item: Option<&Item>) -> Vec<Value> {
    match item.map(json_of) {
        Some(Value::Array(profiles)) => profiles,
        _ => Vec::new(),
    }
}

/// A profile as the configuration file has it.
pub fn toml_of(profile: &Value) -> String {
    let mut document = DocumentMut::new();
    let mut tables = toml_edit::ArrayOfTables::new();
    if let Some(keys) = profile.as_object() {
        tables.push(table_of(keys, PROFILE));
    }
    document.insert(PROFILE, Item::ArrayOfTables(tables));
    document.to_string()
}

fn table_of(keys: &Map<String, Value>, path: &str) -> Table {
    let mut table = Table::new();
    // The name comes first, for people.
    let (first, rest): (Vec<_>, Vec<_>) = keys.iter().partition(|(key, _)| *key == "name");
    for (key, value) in first.into_iter().chain(rest) {
        let path = join(path, key);
        let is_section = Schema::get()
            .known(&path)
            .is_some_and(|known| known.kind == Kind::Section);
        match value {
            Value::Object(keys) if is_section => _ = table.insert(key, Item::Table(table_of(keys, &path))),
            value => {
                if let Some(value) = value_of(value) {
                    table.insert(key, Item::Value(value));
                }
            }
        }
    }
    table
}

/// `None` of what TOML cannot say: then it is as if it were not there.
fn value_of(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(values) => Array::from_iter(values.iter().filter_map(value_of)).into(),
        Value::Object(keys) => {
            let mut table = InlineTable::new();
            for (key, value) in keys {
                if let Some(value) = value_of(value) {
                    table.insert(key, value);
                }
            }
            table.into()
        }
    })
}

fn json_of(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => json_of_value(value),
        Item::Table(table) => json_of_table(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| json_of_table(table)).collect(),
    }
}

fn json_of_table(table: &dyn TableLike) -> Value {
    let keys = table.iter().map(|(key, item)| (key.to_owned(), json_of(item)));
    Value::Object(keys.collect())
}

fn json_of_value(value: &toml_edit::Value) -> Value {
    use toml_edit::Value as Toml;
    match value {
        Toml::String(text) => text.value().as_str().into(),
        Toml::Integer(number) => (*number.value()).into(),
        Toml::Float(number) => (*number.value()).into(),
        Toml::Boolean(value) => (*value.value()).into(),
        Toml::Datetime(time) => time.value().to_string().into(),
        Toml::Array(values) => values.iter().map(json_of_value).collect(),
        Toml::InlineTable(table) => json_of_table(table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
[[profile]]
schedule = "every 15m"
name = "company" # a remark
[profile.server]
access = "imap-ssl"
host = "mail.example.com"
port = 1993
username = "all@example.com"
password = "hunter2"
tls = { verify = "none" }
[profile.recipients]
own_addresses = ["all@example.com"]
unknown = { user = "jane" }
"#;

    fn jane() -> Vec<String> {
        vec!["jane".to_owned()]
    }

    #[test]
    fn a_profile_is_the_same_in_either_form() {
        let config = Config::default();
        let [read] = &config.read_profiles(TEXT, "here", &jane()).unwrap()[..] else {
            panic!("one profile")
        };
        let [json] = &profiles_of(TEXT).unwrap()[..] else {
            panic!("one profile")
        };
        let again = config.read_profiles(&toml_of(json), "here", &jane()).unwrap();
        assert_eq!(*read, again[0]);
        assert_eq!(profiles_of(&toml_of(json)).unwrap(), std::slice::from_ref(json));
        assert_eq!(read.origin, Origin::Catalog);
    }

    #[test]
    fn what_is_wrong_is_said_as_of_a_file() {
        let said = |text: &str, users: &[String]| {
            let error = Config::default().read_profiles(text, "here", users).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(!said.contains("hunter2"), "{said}");
            error.to_string()
        };
        let misspelt = TEXT.replace("port", "prot");
        assert_eq!(
            said(&misspelt, &jane()),
            "here, line 8: unknown key `profile[1].server.prot`; did you mean `port`?"
        );
        assert!(said(TEXT, &[]).contains("no [[user]] is named \"jane\""));
        assert!(said(&format!("data_dir = \"x\"\n{TEXT}"), &jane()).contains("only [[profile]]"));
        let twice = format!("{TEXT}{TEXT}");
        assert!(said(&twice, &jane()).contains("two profiles are named"));
    }
}
