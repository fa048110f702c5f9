//! How the values of keys are written: whether one fits where the example stands, and what to write in its place.

use toml_edit::Value;

use super::schema::{Schema, is_secret, parent};

/// Keys that take a word as well as a list of words.
pub(super) const WORD_OR_LIST: [&str; 3] = ["mail.when", "webhook.when", "profile.notify.when"];
pub(super) const WORD_OR_TABLE: &str = "profile.recipients.unknown";

/// What switches a key off, for those who write false.
const OFF: [(&[&str], &str); 3] = [
    (&["verify"], "none"),
    (
        &["when", "recheck", "compress", "pause", "quiet_hours", "journal"],
        "never",
    ),
    (&["schedule"], "manual"),
];

/// What is wrong with a value where one like the example belongs.
pub(super) fn fault(value: &Value, example: &Value, path: &str) -> Option<String> {
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
pub(super) fn fitting(value: &Value, example: &Value, key: &str) -> String {
    let meant = match (value, example) {
        (Value::Boolean(on), Value::String(_)) if !on.value() => {
            // Of two keys of this name, one takes a time.
            let key = if key == "verify" && is_duration(example) {
                "recheck"
            } else {
                key
            };
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
pub(super) fn given(value: &Value) -> String {
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
