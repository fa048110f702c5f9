//! What somebody has said so far of a profile that they set up: its keys as they typed them, right or wrong, and its
//! secrets apart from them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::api::{DeviceCodeLine, Failure, Form, ProfileSetup, Spoken, StepLine, Written};

pub const PASSWORD: &str = "server.password";
pub const CLIENT_SECRET: &str = "server.oauth2.client_secret";
pub const REFRESH_TOKEN: &str = "server.oauth2.refresh_token";

#[derive(Clone, Debug)]
pub struct Draft {
    /// The profile that is kept and is changed by it.
    pub like: Option<String>,
    /// Of that, the secrets that are kept, by their keys.
    pub kept: Vec<String>,
    /// Its keys without the secrets, as the configuration file has them. What was typed and is of another kind than the
    /// key takes stands as it was typed.
    pub keys: Value,
    /// It logs in with tokens; `keys` has how, also where it does not.
    pub by_token: bool,
    /// The secrets that were typed, by their keys.
    pub secrets: BTreeMap<&'static str, Spoken>,
    /// Somebody chose the name, and the rules for recipients; else both are proposed.
    pub is_named: bool,
    pub has_rules: bool,
    pub tested: Option<Tested>,
    pub rehearsed: Option<Rehearsed>,
    /// A code by which somebody logs in to get the refresh token.
    pub code: Option<DeviceCodeLine>,
    /// What was typed for users that can be made, by their addresses.
    pub to_make: BTreeMap<String, ToMake>,
    /// The users that were made last.
    pub made: Vec<String>,
}

/// A user that can be made of an address that nobody has.
#[derive(Clone, Debug)]
pub struct ToMake {
    pub name: String,
    pub is_wanted: bool,
    /// Why it was not possible.
    pub not_made: Option<Failure>,
}

/// How its test went.
#[derive(Clone, Debug, Default)]
pub struct Tested {
    pub steps: Vec<StepLine>,
    /// What was found, as `dropkeep test --json` prints it; or why there was no test.
    pub found: Value,
    pub failure: Option<Failure>,
    /// The server that was tested, and the rules that were tried.
    pub server: Value,
    pub recipients: Value,
    /// The rules with what is proposed.
    pub proposed: Value,
}

/// How its rehearsal went.
#[derive(Clone, Debug)]
pub struct Rehearsed {
    pub found: Value,
    pub failure: Option<Failure>,
    /// The profile that was rehearsed.
    pub keys: Value,
}

impl Draft {
    /// A profile of which nothing is said yet, with a name that none of these is.
    pub fn new(names: &[String]) -> Self {
        Self {
            like: None,
            kept: Vec::new(),
            keys: json!({
                "name": unlike("mail", names),
                "schedule": "every 15m",
                "server": {"access": "imap-ssl", "host": "", "username": ""},
            }),
            by_token: false,
            secrets: BTreeMap::new(),
            is_named: false,
            has_rules: false,
            tested: None,
            rehearsed: None,
            code: None,
            to_make: BTreeMap::new(),
            made: Vec::new(),
        }
    }

    /// The change of a profile that is kept.
    pub fn of(setup: ProfileSetup) -> Self {
        let by_token = setup.profile["server"]["oauth2"].is_object();
        Self {
            like: Some(setup.name),
            kept: setup.secrets,
            keys: setup.profile,
            by_token,
            is_named: true,
            has_rules: true,
            ..Self::new(&[])
        }
    }

    pub fn name(&self) -> &str {
        self.keys["name"].as_str().unwrap_or_default()
    }

    pub fn is_pop3(&self) -> bool {
        self.text("server.access").starts_with("pop3")
    }

    pub fn get(&self, key: &str) -> &Value {
        key.split('.').fold(&self.keys, |value, part| &value[part])
    }

    /// A value as a field shows it; empty where there is none.
    pub fn text(&self, key: &str) -> String {
        match self.get(key) {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }
    }

    /// A list, an entry a line; what is not a list as it is.
    pub fn lines(&self, key: &str) -> String {
        match self.get(key) {
            Value::Array(list) => {
                let lines = list
                    .iter()
                    .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned));
                lines.collect::<Vec<_>>().join("\n")
            }
            _ => self.text(key),
        }
    }

    /// Sets a key; `Null` takes it out, and tables that hold nothing more.
    pub fn set(&mut self, key: &str, value: Value) {
        let (table, last) = key.rsplit_once('.').unwrap_or(("", key));
        if value.is_null() {
            if let Some(table) = table_at(&mut self.keys, table, false) {
                table.remove(last);
                if table.is_empty() && key.contains('.') {
                    self.set(key.rsplit_once('.').map_or("", |(table, _)| table), Value::Null);
                }
            }
        } else if let Some(table) = table_at(&mut self.keys, table, true) {
            table.insert(last.to_owned(), value);
        }
    }

    /// Sets a text; none where it is empty.
    pub fn set_text(&mut self, key: &str, text: &str) {
        let value = if text.is_empty() { Value::Null } else { text.into() };
        self.set(key, value);
    }

    /// Sets a number; what is none stays as it was typed, so that it is said what is wrong with it.
    pub fn set_number(&mut self, key: &str, text: &str) {
        match text.parse::<u64>() {
            Ok(number) => self.set(key, number.into()),
            Err(_) => self.set_text(key, text),
        }
    }

    /// Sets a list of what stands on lines of its own, or between commas; none where there is nothing.
    pub fn set_lines(&mut self, key: &str, text: &str) {
        let entries = text.split(['\n', ',']).map(str::trim).filter(|entry| !entry.is_empty());
        let entries: Vec<Value> = entries.map(Value::from).collect();
        self.set(
            key,
            if entries.is_empty() {
                Value::Null
            } else {
                entries.into()
            },
        );
    }

    /// Takes a secret that was typed; an empty field leaves the one before.
    pub fn set_secret(&mut self, key: &'static str, typed: &str) -> bool {
        let says = !typed.is_empty();
        if says {
            self.secrets.insert(key, Spoken::new(typed));
        }
        says
    }

    /// Whether a secret was typed or is kept.
    pub fn has_secret(&self, key: &str) -> bool {
        self.secrets.contains_key(key) || self.kept.iter().any(|kept| kept == key)
    }

    /// The keys as they would be kept, without secrets.
    pub fn wanted(&self) -> Value {
        let mut keys = self.keys.clone();
        if let Some(server) = keys["server"].as_object_mut().filter(|_| !self.by_token) {
            server.remove("oauth2");
        }
        keys
    }

    /// The profile as it would be kept, with its secrets.
    pub fn written(&self) -> Written {
        let mut keys = self.wanted();
        for (key, secret) in &self.secrets {
            let counts = match *key {
                PASSWORD => !self.by_token,
                REFRESH_TOKEN => self.by_token && self.text("server.oauth2.grant") != "client_credentials",
                _ => self.by_token,
            };
            let (table, last) = key.rsplit_once('.').unwrap_or(("", key));
            if counts && let Some(table) = table_at(&mut keys, table, true) {
                table.insert(last.to_owned(), secret.reveal().into());
            }
        }
        Written {
            text: Spoken::new(keys.to_string()),
            form: Form::Json,
        }
    }

    /// What a test of it needs: when it runs and what becomes of mail later is no part of that, nor is its name.
    pub fn written_for_test(&self) -> Written {
        let mut draft = self.clone();
        let needed = |key: &String| ["server", "folders", "recipients"].contains(&key.as_str());
        if let Some(keys) = draft.keys.as_object_mut() {
            keys.retain(|key, _| needed(key));
            keys.insert("name".to_owned(), self.like.as_deref().unwrap_or("mail").into());
        }
        draft.written()
    }

    /// The profile with something in place of a refresh token that is still to come.
    pub fn written_before_log_in(&self) -> Written {
        let mut draft = self.clone();
        draft.set_secret(REFRESH_TOKEN, "still to come");
        draft.written()
    }

    /// The test, where it was one of the server as it is now.
    pub fn current_test(&self) -> Option<&Tested> {
        self.tested
            .as_ref()
            .filter(|tested| tested.server == self.wanted()["server"])
    }

    /// Keeps how a test went. What it proposes is taken over where nobody has chosen rules.
    pub fn keep_test(&mut self, mut tested: Tested) {
        tested.server = self.wanted()["server"].clone();
        tested.recipients = self.keys["recipients"].clone();
        let mut proposed = self.clone();
        for (key, list) in tested.found["proposal"]["keys"].as_object().into_iter().flatten() {
            proposed.set(&format!("recipients.{key}"), list.clone());
        }
        tested.proposed = proposed.keys["recipients"].take();
        if !self.has_rules {
            self.take_proposal(&tested);
        }
        self.tested = Some(tested);
    }

    /// Takes the rules over that a test proposes.
    pub fn take_proposal(&mut self, tested: &Tested) {
        self.set("recipients", tested.proposed.clone());
    }

    /// The users that could not be made, with their addresses and why.
    pub fn not_made(&self) -> impl Iterator<Item = (&str, &Failure)> {
        let made = self.to_make.iter();
        made.filter_map(|(address, one)| Some((address.as_str(), one.not_made.as_ref()?)))
    }

    /// What the rules as they are now make of the newest messages; `Null` where nobody has tried them.
    pub fn tried(&self) -> &Value {
        match self.current_test() {
            Some(tested) if tested.recipients == self.keys["recipients"] => &tested.found["tried"],
            Some(tested) if tested.proposed == self.keys["recipients"] => &tested.found["proposal_tried"],
            _ => &Value::Null,
        }
    }
}

fn table_at<'k>(keys: &'k mut Value, path: &str, makes: bool) -> Option<&'k mut Map<String, Value>> {
    let mut table = keys;
    for part in path.split('.').filter(|part| !part.is_empty()) {
        if makes && !table[part].is_object() {
            table[part] = Value::Object(Map::new());
        }
        table = table.get_mut(part)?;
    }
    table.as_object_mut()
}

/// A name that none of these is.
pub fn unlike(name: &str, names: &[String]) -> String {
    let is_free = |name: &String| !names.contains(name);
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(is_free)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_kept_as_it_was_and_secrets_apart() {
        let mut draft = Draft::new(&["mail".into(), "mail-2".into()]);
        assert_eq!(draft.name(), "mail-3");
        draft.set_text("server.host", "mail.example.com");
        draft.set_number("server.port", "99x");
        draft.set_text("server.oauth2.client_id", "id");
        draft.set_lines("recipients.own_addresses", " a@example.com,\r\nb@example.com \n\n");
        assert!(draft.set_secret(PASSWORD, "hunter2") && !draft.set_secret(PASSWORD, ""));
        draft.set_secret(REFRESH_TOKEN, "hunter3");
        assert_eq!(draft.text("server.port"), "99x");
        assert_eq!(draft.lines("recipients.own_addresses"), "a@example.com\nb@example.com");
        assert!(!format!("{draft:?}").contains("hunter"));
        let written = |draft: &Draft| serde_json::from_str::<Value>(draft.written().text.reveal()).unwrap();
        let by_password = written(&draft);
        assert_eq!(
            (&by_password["server"]["password"], &by_password["server"]["oauth2"]),
            (&json!("hunter2"), &Value::Null)
        );
        draft.by_token = true;
        let by_token = written(&draft);
        assert_eq!(
            (&by_token["server"]["password"], &by_token["server"]["oauth2"]),
            (&Value::Null, &json!({"client_id": "id", "refresh_token": "hunter3"}))
        );
        draft.set_text("server.oauth2.grant", "client_credentials");
        assert_eq!(written(&draft)["server"]["oauth2"]["refresh_token"], Value::Null);
        draft.set_lines("recipients.own_addresses", "");
        assert_eq!(draft.keys["recipients"], Value::Null, "an empty table goes");
    }

    #[test]
    fn proposed_rules_are_taken_over_as_long_as_nobody_has_chosen_others() {
        let mut draft = Draft::new(&[]);
        let found = json!({"proposal": {"keys": {"local_domains": ["example.com"]}}, "tried": 1, "proposal_tried": 2});
        let tested = Tested {
            found,
            ..Tested::default()
        };
        draft.keep_test(tested.clone());
        assert_eq!(draft.lines("recipients.local_domains"), "example.com");
        assert_eq!(draft.tried(), 2);
        draft.has_rules = true;
        draft.set_lines("recipients.local_domains", "example.net");
        assert_eq!(draft.tried(), &Value::Null, "nobody has tried these");
        draft.keep_test(tested);
        assert_eq!(
            (draft.lines("recipients.local_domains").as_str(), draft.tried()),
            ("example.net", &json!(1))
        );
        draft.set_text("server.host", "another");
        assert!(draft.current_test().is_none());
    }
}
