//! What exactly is wrong with a key of a profile, for whoever asks for its value in a field and not in a file: the checks
//! say it as of a file. No secret is in it.

use serde_json::Value;

use crate::{
    api::{Code, Wrong},
    config::{Config, SPECIAL_USES, nearest},
};

/// The secrets, which are not named.
const SECRETS: [&str; 3] = [
    "server.password",
    "server.oauth2.client_secret",
    "server.oauth2.refresh_token",
];

/// What is wrong with the value at `key`, which the checks refuse; nothing where only their words say it.
pub fn of(key: &str, keys: &Value, was_kept: bool, config: &Config, users: &[String]) -> Option<Wrong> {
    if SECRETS.contains(&key) {
        let code = match at(keys, key) {
            Value::Null if was_kept => Code::SecretAgain,
            Value::Null => Code::SecretMissing,
            _ => Code::SecretText,
        };
        return Some(Wrong::new(code, &[]));
    }
    let value = text(at(keys, key));
    let is_empty = value.trim().is_empty();
    let about = |code| Some(Wrong::new(code, &[&value]));
    let missing_or = |missing, code| match is_empty {
        true => Some(Wrong::new(missing, &[])),
        false => about(code),
    };
    let list = key.split('[').next().unwrap_or_default();
    match list {
        "name" => missing_or(Code::ProfileNameMissing, Code::ProfileName),
        "schedule" => missing_or(Code::ScheduleMissing, Code::NoSchedule),
        "timezone" => about(Code::NoTimeZone),
        "pause" => about(Code::NoHours),
        "stall_timeout" | "server.timeout" => about(Code::NoDuration),
        "connections" => match text(at(keys, "server.access")).starts_with("pop3") && value.parse() != Ok(0) {
            true if value.parse::<u64>().is_ok() => Some(Wrong::new(Code::OneSession, &[])),
            _ => about(Code::Connections),
        },
        "delete.after" | "delete.move_to" if text(at(keys, "delete.when")) != "archived" => {
            Some(Wrong::new(Code::NothingIsDeleted, &[]))
        }
        "delete.after" => about(Code::NoDuration),
        "delete.move_to" => Some(Wrong::new(
            match text(at(keys, "server.access")).starts_with("pop3") {
                true => Code::NoFolderToMoveTo,
                false => Code::FolderToMoveTo,
            },
            &[],
        )),
        "server.host" => missing_or(Code::ServerMissing, Code::ServerName),
        "server.access" | "server.oauth2.grant" | "delete.when" | "recipients.envelope_at" => about(Code::NoChoice),
        "server.port" => about(Code::NoPort),
        "server.username" => missing_or(Code::MailboxUserMissing, Code::MailboxUser),
        "server.tls" if at(keys, "server.tls.pin").is_null() => Some(Wrong::new(Code::FingerprintMissing, &[])),
        "server.tls.pin" => about(Code::Fingerprint),
        "server.oauth2.token_endpoint" => missing_or(Code::EndpointMissing, Code::Endpoint),
        "server.oauth2.client_id" => Some(Wrong::new(Code::ClientIdMissing, &[])),
        "folders.include" | "folders.exclude" => {
            let entries = at(keys, list)
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            let is_known = |entry: &str| SPECIAL_USES.iter().any(|one| one.eq_ignore_ascii_case(entry));
            let mut odd = entries.filter(|entry| entry.starts_with('\\') && !is_known(entry));
            odd.next()
                .map(|odd| Wrong::new(Code::NoPurpose, &[&odd, &SPECIAL_USES.join(", ")]))
        }
        "recipients.local_domains" => about(Code::NoDomain),
        "recipients.own_addresses" => about(Code::NoAddress),
        "recipients.envelope_headers" => about(Code::NoHeaderField),
        "recipients.trusted_received" | "recipients.create_limit" => about(Code::NoWholeNumber),
        "recipients.strip_prefix" => Some(Wrong::new(Code::NoPrefix, &[])),
        "recipients.unwrap" => Some(Wrong::new(Code::NoUnwrap, &[&"{local}", &"{domain}"])),
        "recipients.journal" if value == "from" => Some(Wrong::new(Code::HostsMissing, &[])),
        "recipients.journal" => about(Code::NoChoice),
        "recipients.journal_from" => match text(at(keys, "recipients.journal")) == "from" {
            true => about(Code::NoHost),
            false => Some(Wrong::new(Code::HostsWithoutJournal, &[])),
        },
        "recipients.use" if value == "headers" => Some(Wrong::new(Code::JournalLeftOut, &[])),
        "recipients.use" => about(Code::NoChoice),
        "recipients.unknown" if value == "create" => Some(Wrong::new(Code::DomainsMissing, &[])),
        "recipients.unknown" => {
            let Some(user) = at(keys, "recipients.unknown.user").as_str() else {
                return about(Code::NoChoice);
            };
            if user.is_empty() {
                return Some(Wrong::new(Code::UserMissing, &[]));
            }
            let known = config.users().map(|user| user.name.as_str());
            let near = nearest(user, known.chain(users.iter().map(String::as_str)));
            Some(match near {
                Some(near) => Wrong::new(Code::NoUser, &[&user, &near]),
                None => Wrong::new(Code::NoUser, &[&user]),
            })
        }
        _ => None,
    }
}

/// The value at a key such as `recipients.local_domains[2]`, whose entries are counted from 1.
fn at<'k>(keys: &'k Value, key: &str) -> &'k Value {
    let (path, entry) = match key.split_once('[') {
        Some((path, entry)) => (path, entry.trim_end_matches(']').parse().ok()),
        None => (key, None),
    };
    let value = path.split('.').fold(keys, |value, part| &value[part]);
    match entry {
        Some(entry) => &value[usize::saturating_sub(entry, 1)],
        None => value,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[test]
fn a_secret_is_never_named_and_an_entry_of_a_list_is() {
    let keys = serde_json::json!({
        "server": {"password": "hunter2\0"}, "recipients": {"local_domains": ["example.com", "@b"]},
    });
    let wrong = |key, was_kept| of(key, &keys, was_kept, &Config::default(), &[]);
    assert_eq!(wrong("server.password", false), Some(Wrong::new(Code::SecretText, &[])));
    let again = wrong("server.oauth2.refresh_token", true);
    assert_eq!(again, Some(Wrong::new(Code::SecretAgain, &[])));
    let domain = wrong("recipients.local_domains[2]", false);
    assert_eq!(domain, Some(Wrong::new(Code::NoDomain, &[&"@b"])));
    assert_eq!(wrong("schedule", false), Some(Wrong::new(Code::ScheduleMissing, &[])));
    assert_eq!(wrong("something", false), None);
}
