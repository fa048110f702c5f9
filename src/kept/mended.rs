//! A profile with another value in place of one that is wrong, so that it is seen what else is wrong with it. Pure.

use serde_json::{Value, json};

use crate::api::{Form, Spoken, Written};

/// What is surely right of a key that must be there; others are left out.
fn surely_right(key: &str) -> Option<&'static str> {
    Some(match key {
        "name" => "the name is wrong",
        "schedule" => "manual",
        "delete.when" => "archived",
        "server.access" => "imap-ssl",
        "server.host" => "localhost",
        "server.username" | "server.password" => "x",
        "server.oauth2.token_endpoint" => "https://localhost/",
        "server.oauth2.client_id" | "server.oauth2.client_secret" | "server.oauth2.refresh_token" => "x",
        "server.oauth2.grant" => "refresh_token",
        _ => return None,
    })
}

/// Keys that count only beside another one, and would be wrong without it.
fn beside(key: &str) -> &'static [(&'static str, Option<&'static str>)] {
    match key {
        "server.oauth2.grant" => &[("server.oauth2.refresh_token", Some("x"))],
        "recipients.journal" => &[("recipients.journal_from", None)],
        "recipients.unknown" => &[("recipients.create_limit", None)],
        _ => &[],
    }
}

/// The profile with the value of this key put right; `None` where that cannot be done.
pub fn mended(written: &Written, key: &str) -> Option<Written> {
    let Form::Json = written.form else { return None };
    let mut keys: Value = serde_json::from_str(written.text.reveal()).ok()?;
    // Of a list, all of it.
    let key = key.split('[').next().unwrap_or_default();
    let before = keys.clone();
    set(&mut keys, key, surely_right(key));
    for (other, value) in beside(key) {
        set(&mut keys, other, *value);
    }
    (keys != before).then(|| Written {
        text: Spoken::new(keys.to_string()),
        form: Form::Json,
    })
}

/// Sets a key, or takes it out. What stands where a table should be gives way to one.
fn set(keys: &mut Value, key: &str, value: Option<&str>) {
    let (tables, last) = key.rsplit_once('.').unwrap_or(("", key));
    let mut table = keys;
    for name in tables.split('.').filter(|name| !name.is_empty()) {
        if !table[name].is_object() {
            if value.is_none() {
                return;
            }
            table[name] = json!({});
        }
        table = &mut table[name];
    }
    match (value, table.as_object_mut()) {
        (Some(value), Some(table)) => drop(table.insert(last.to_owned(), value.into())),
        (None, Some(table)) => drop(table.remove(last)),
        (_, None) => {}
    }
}

#[test]
fn a_wrong_value_gives_way_to_one_that_is_right_or_to_none() {
    let written = |keys: Value| Written {
        text: Spoken::new(keys.to_string()),
        form: Form::Json,
    };
    let keys = |written: Option<Written>| written.map(|written| written.text.reveal().parse::<Value>().unwrap());
    let wrong = json!({"server": {"host": "", "port": "x"}, "folders": {"include": ["a", "b"]}, "recipients": {"journal": "x", "journal_from": ["y"]}});
    let of = |key: &str| keys(mended(&written(wrong.clone()), key)).unwrap();
    assert_eq!(of("server.host")["server"], json!({"host": "localhost", "port": "x"}));
    assert_eq!(of("server.port")["server"], json!({"host": ""}));
    assert_eq!(of("folders.include[1]")["folders"], json!({}));
    assert_eq!(of("recipients.journal")["recipients"], json!({}));
    assert_eq!(of("schedule")["schedule"], "manual");
    assert_eq!(
        of("server.oauth2.grant")["server"]["oauth2"],
        json!({"grant": "refresh_token", "refresh_token": "x"})
    );
    assert!(
        mended(&written(wrong.clone()), "server.tls.pin").is_none(),
        "nothing is changed"
    );
}
