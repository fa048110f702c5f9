//! What was meant by a key that nobody knows.

use toml_edit::Value;

use super::{
    error::nearest,
    likely::{likely, other_name},
    schema::{Kind, Schema, is_secret, join, may_be_secret},
    written::as_written,
};

/// Where a key belongs, or which one was meant. `value` is what it has, where it is no section.
pub(super) fn hint(section: &str, key: &str, known: &[&str], value: Option<&Value>) -> String {
    let given = key;
    let key = key.to_lowercase().replace('-', "_");
    if let Some(hint) = for_tls(section, &key, value) {
        return format!("; {hint}");
    }
    let meant = |key: &str| match known.contains(&key) {
        true => Some(format!("did you mean `{key}`?")),
        false => Schema::get().home(section, key),
    };
    let near = |near: &String| strsim::jaro_winkler(&key, near) > 0.8;
    let other = other_name(section, &key, known);
    let here = other.filter(|name| known.contains(name));
    let hint = here
        .map(|name| write(section, given, name, value))
        // `[[users]]` is no list's key `users`.
        .or_else(|| value.is_none().then(|| meant(other?)).flatten())
        .or_else(|| meant(&key))
        .or_else(|| {
            nearest(&key, known.iter().copied())
                .filter(near)
                .and_then(|near| meant(&near))
        })
        .or_else(|| meant(other?));
    hint.map(|hint| format!("; {hint}")).unwrap_or_default()
}

/// What to write under the name that dropkeep has for it.
fn write(section: &str, given: &str, name: &str, value: Option<&Value>) -> String {
    let path = join(section, name);
    let schema = Schema::get();
    let is_section = schema
        .known(&path)
        .is_some_and(|known| matches!(known.kind, Kind::Section | Kind::Sections));
    if is_section && let Some(write) = schema.home(section, name) {
        return write;
    }
    let Some(value) = value.filter(|_| !is_secret(&path) && !may_be_secret(given)) else {
        return format!("did you mean `{name}`?");
    };
    if name != "access" {
        return format!("write {name} = {}", as_written(value, &path));
    }
    let known: &[&str] = match section {
        "mail" => &["smtp", "smtp-tls", "smtp-ssl"],
        _ => &["imap", "imap-tls", "imap-ssl", "pop3", "pop3-tls", "pop3-ssl"],
    };
    let word = value.as_str().unwrap_or(given).replace("use_", "");
    let access = likely(&word, known).unwrap_or_else(|| format!("{:?}", known[2]));
    format!("write access = {access}")
}

/// What switches the checking of certificates off, and the keys of tls, where no table is around them.
fn for_tls(section: &str, key: &str, value: Option<&Value>) -> Option<String> {
    let on = value?.as_bool()?;
    let without = match key {
        "insecure" | "skip_verify" | "tls_skip_verify" | "insecure_skip_verify" | "no_verify" => on,
        "verify" | "verify_ssl" | "ssl_verify" | "verify_tls" | "tls_verify" | "verify_certificate"
        | "check_certificate" => !on,
        _ => return None,
    };
    let verify = if without { "none" } else { "system" };
    ["profile.server", "mail"]
        .contains(&section)
        .then(|| format!("write tls = {{ verify = {verify:?} }}"))
}
