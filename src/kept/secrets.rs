//! Which keys of a profile are secrets: they are taken out of it, and put back. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::Secret;

/// The keys that are secrets, as paths in a profile.
const PLACES: [&[&str]; 3] = [
    &["server", "password"],
    &["server", "oauth2", "client_secret"],
    &["server", "oauth2", "refresh_token"],
];
/// A table of which each value may be one.
const TABLE: [&str; 3] = ["server", "oauth2", "parameters"];

/// Where a secret is: `server.password`, `server.oauth2.parameters.NAME`.
pub type Place = String;

/// The secrets of a profile, by their places. `None`: the profile says that there is none.
pub type Secrets = BTreeMap<Place, Option<Secret>>;

/// Takes the secrets out of a profile.
pub fn take(profile: &mut Value) -> Secrets {
    let mut taken = Secrets::new();
    for path in PLACES {
        if let Some(value) =
            table(profile, &path[..path.len() - 1]).and_then(|table| table.remove(path[path.len() - 1]))
        {
            taken.insert(path.join("."), of_value(value));
        }
    }
    let outer = &TABLE[..TABLE.len() - 1];
    if let Some(Value::Object(parameters)) = table(profile, outer).and_then(|table| table.remove(TABLE[2])) {
        for (name, value) in parameters {
            taken.insert(format!("{}.{name}", TABLE.join(".")), of_value(value));
        }
    }
    taken
}

fn of_value(value: Value) -> Option<Secret> {
    match value {
        Value::String(text) => Some(Secret::new(text)),
        _ => None,
    }
}

/// Puts a secret into a profile, where the table is in which it belongs.
pub fn put(profile: &mut Value, place: &str, secret: &Secret) {
    let value = Value::from(secret.reveal());
    let parameters = TABLE.join(".");
    if let Some(name) = place.strip_prefix(&parameters).and_then(|name| name.strip_prefix('.')) {
        if let Some(oauth2) = table(profile, &TABLE[..2]) {
            let parameters = oauth2.entry(TABLE[2]).or_insert_with(|| Map::new().into());
            if let Some(parameters) = parameters.as_object_mut() {
                parameters.insert(name.to_owned(), value);
            }
        }
        return;
    }
    let Some(path) = PLACES.into_iter().find(|path| path.join(".") == place) else {
        return;
    };
    if let Some(table) = table(profile, &path[..path.len() - 1]) {
        table.insert(path[path.len() - 1].to_owned(), value);
    }
}

/// Whether a changed profile leaves the secret at `place` as it was: it says nothing of it, and there is still a table
/// for it. With another server, or another token endpoint, nothing stays as it was: whoever may change a profile and not
/// see its secrets would have them sent to a server of their own.
pub fn stays(before: &Value, after: &Value, place: &str) -> bool {
    let parts: Vec<&str> = place.splitn(4, '.').collect();
    let (server, oauth2) = (&after["server"], &after["server"]["oauth2"]);
    let says = |table: &Value, key: &str| {
        ["", "_file", "_env"]
            .iter()
            .any(|ending| table.get(format!("{key}{ending}")).is_some())
    };
    let same = |keys: &[&[&str]]| keys.iter().all(|path| at(before, path) == at(after, path));
    match parts.as_slice() {
        ["server", "password"] => {
            !oauth2.is_object() && !says(server, "password") && same(&[&["server", "host"], &["server", "port"]])
        }
        ["server", "oauth2", "parameters", _] => {
            oauth2.is_object() && oauth2.get("parameters").is_none() && same(&[&ENDPOINT])
        }
        ["server", "oauth2", key] => {
            let is_of_another_grant = *key == "refresh_token" && oauth2["grant"] == "client_credentials";
            oauth2.is_object() && !is_of_another_grant && !says(oauth2, key) && same(&[&ENDPOINT])
        }
        _ => false,
    }
}

const ENDPOINT: [&str; 3] = ["server", "oauth2", "token_endpoint"];

fn at<'v>(profile: &'v Value, path: &[&str]) -> &'v Value {
    path.iter().fold(profile, |value, key| &value[*key])
}

fn table<'v>(profile: &'v mut Value, path: &[&str]) -> Option<&'v mut Map<String, Value>> {
    let value = path.iter().try_fold(profile, |value, key| value.get_mut(*key));
    value?.as_object_mut()
}

/// The keys by which a profile reads a file or a variable of the machine, with what they say.
pub fn of_the_machine(profile: &Value) -> BTreeMap<String, &Value> {
    let server = &profile["server"];
    let tables = [
        ("server", server),
        ("server.tls", &server["tls"]),
        ("server.oauth2", &server["oauth2"]),
    ];
    let mut found = BTreeMap::new();
    for (path, table) in tables {
        for (key, value) in table.as_object().into_iter().flatten() {
            if (key.ends_with("_file") || key.ends_with("_env")) && !value.is_null() {
                found.insert(format!("{path}.{key}"), value);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn profile() -> Value {
        json!({
            "name": "company",
            "server": {
                "host": "mail.example.com",
                "oauth2": {
                    "client_secret": "one", "refresh_token": null, "grant": "refresh_token",
                    "parameters": {"a.b": "two"},
                },
                "password": "three",
            },
        })
    }

    #[test]
    fn secrets_come_out_and_go_back() {
        let (before, mut bare) = (profile(), profile());
        let taken = take(&mut bare);
        let places: Vec<_> = taken.keys().map(String::as_str).collect();
        assert_eq!(
            places,
            [
                "server.oauth2.client_secret",
                "server.oauth2.parameters.a.b",
                "server.oauth2.refresh_token",
                "server.password"
            ]
        );
        let shown = bare.to_string();
        for secret in ["one", "two", "three"] {
            assert!(!shown.contains(&format!("{secret:?}")), "{shown}");
        }
        assert!(taken["server.oauth2.refresh_token"].is_none());
        for (place, secret) in &taken {
            if let Some(secret) = secret {
                put(&mut bare, place, secret);
            }
        }
        let mut expected = before;
        expected["server"]["oauth2"]
            .as_object_mut()
            .unwrap()
            .remove("refresh_token");
        assert_eq!(bare, expected);
    }

    #[test]
    fn a_secret_stays_with_its_server() {
        let before = json!({"server": {"host": "a", "password": "x"}});
        let after = |server: Value| json!({ "server": server });
        let stays = |server: Value| stays(&before, &after(server), "server.password");
        assert!(stays(json!({"host": "a", "username": "other"})));
        assert!(!stays(json!({"host": "b"})), "another server");
        assert!(!stays(json!({"host": "a", "port": 1})), "another server");
        assert!(!stays(json!({"host": "a", "password_file": "x"})));
        assert!(!stays(json!({"host": "a", "password": null})), "taken away");
        assert!(!stays(json!({"host": "a", "oauth2": {}})));
    }

    #[test]
    fn files_and_variables_are_found_wherever_they_stand() {
        let profile = json!({"server": {
            "password_env": "X", "tls": {"ca_file": "a"}, "oauth2": {"client_secret_file": "b", "ca_file": null},
        }});
        let found = of_the_machine(&profile);
        let found: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(
            found,
            [
                "server.oauth2.client_secret_file",
                "server.password_env",
                "server.tls.ca_file"
            ]
        );
    }
}
