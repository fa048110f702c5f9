//! What types cannot say: names that are given twice, keys that contradict each other.

use std::collections::HashMap;

use super::{
    ByteSize, Config, ConfigError, DeleteWhen, Family, Grant, Journal, Notify, OAuth2, Profile, Server, Tls, Unknown,
    Use, Verify,
    document::Document,
    error::nearest,
    forms::{domain_fault, field_name_fault, host_fault, username_fault},
};
use crate::message::{self, Address, CATCHALL, EntryError};

/// Sessions that one profile may open at once. Providers allow 4 (Courier) to 20.
const MOST_CONNECTIONS: u32 = 16;
/// What folders are for (RFC 6154; `\\Important` RFC 8457).
pub const SPECIAL_USES: [&str; 8] = [
    "\\All",
    "\\Archive",
    "\\Drafts",
    "\\Flagged",
    "\\Important",
    "\\Junk",
    "\\Sent",
    "\\Trash",
];
const NO_PORT: &str = "0 does not fit; write a number from 1 to 65535, without quotes";

pub(super) fn check(config: &Config, document: &Document) -> Result<(), ConfigError> {
    check_sizes(config, document)?;
    if let Some(detail) = config.log.fault() {
        return Err(document.error(&["log", "level"], detail));
    }
    if let Some((key, detail)) = config.web.fault() {
        return Err(document.error(&["web", key], detail));
    }
    if let Some((key, detail)) = config.http.fault() {
        return Err(document.error(&["http", key], detail));
    }
    check_notify(config, document)?;
    check_profiles(config, document)
}

fn check_sizes(config: &Config, document: &Document) -> Result<(), ConfigError> {
    let kib = |n: u64| ByteSize(n << 10);
    // Address space is set aside for a volume, and a message is one value in it.
    let sizes = [
        (
            ["archive", "volume_size"],
            config.archive.volume_size,
            kib(1 << 10),
            kib(4 << 30),
        ),
        (
            ["limits", "max_message_size"],
            config.limits.max_message_size,
            kib(1),
            kib(2 << 20),
        ),
        (["limits", "inflight"], config.limits.inflight, kib(64), kib(1 << 30)),
    ];
    for (key, size, least, most) in sizes {
        if size < least || size > most {
            return Err(document.error(&key, format!("{size} is not between {least} and {most}")));
        }
    }
    Ok(())
}

fn check_profiles(config: &Config, document: &Document) -> Result<(), ConfigError> {
    let mut names = HashMap::new();
    for (index, profile) in config.profile.iter().enumerate() {
        let index = index.to_string();
        let at = ["profile", &index, "name"];
        check_name(&profile.name, &at, document)?;
        if names.insert(profile.name.as_str(), ()).is_some() {
            return Err(document.error(&at, format!("two profiles are named {:?}", profile.name)));
        }
        check_server(&profile.server, &index, document)?;
        check_recipients(config, profile, &index, document)?;
        check_engine(profile, &index, document)?;
        check_delete(profile, &index, document)?;
    }
    Ok(())
}

fn check_name(name: &str, at: &[&str], document: &Document) -> Result<(), ConfigError> {
    message::check_name(name).map_err(|detail| document.error(at, detail))
}

fn check_server(server: &Server, index: &str, document: &Document) -> Result<(), ConfigError> {
    let at = |key| ["profile", index, "server", key];
    if let Some(detail) = host_fault(&server.host) {
        return Err(document.error(&at("host"), detail));
    }
    if server.port() == 0 {
        return Err(document.error(&at("port"), NO_PORT));
    }
    if let Some(detail) = username_fault(&server.username) {
        return Err(document.error(&at("username"), detail));
    }
    let password = server.password_ways();
    match &server.oauth2 {
        Some(_) if password.given() > 0 => {
            let detail = "log in with a password or with oauth2: one of them must go";
            return Err(document.error(&at("password"), detail));
        }
        Some(oauth2) => check_oauth2(oauth2, index, document)?,
        None => {
            if let Some(detail) = password.fault(false) {
                return Err(document.error(&at("password"), detail));
            }
        }
    }
    check_tls(&server.tls, &at("tls"), document)
}

fn check_tls(tls: &Tls, at: &[&str], document: &Document) -> Result<(), ConfigError> {
    match (tls.verify, tls.pin) {
        (Verify::Pin, None) => Err(document.error(at, "verify = \"pin\" needs a pin = \"sha256:…\"")),
        (Verify::System | Verify::None, Some(_)) => Err(document.error(at, "a pin counts only with verify = \"pin\"")),
        _ => Ok(()),
    }
}

fn check_notify(config: &Config, document: &Document) -> Result<(), ConfigError> {
    if let Some(mail) = &config.mail {
        let at = |key| ["mail", key];
        if let Some(detail) = host_fault(&mail.host) {
            return Err(document.error(&at("host"), detail));
        }
        if mail.port() == 0 {
            return Err(document.error(&at("port"), NO_PORT));
        }
        if let Some(detail) = mail.username.as_deref().and_then(username_fault) {
            return Err(document.error(&at("username"), detail));
        }
        if mail.to.is_empty() {
            return Err(document.error(&at("to"), "must name somebody: to = [\"admin@example.com\"]"));
        }
        let password = mail.password_ways();
        match &mail.username {
            Some(_) => {
                if let Some(detail) = password.fault(false) {
                    return Err(document.error(&at("password"), detail));
                }
            }
            None if password.given() > 0 => {
                return Err(document.error(&at("password"), "counts only with a username"));
            }
            None => {}
        }
        check_tls(&mail.tls, &at("tls"), document)?;
    }
    if let Some(webhook) = &config.webhook {
        let at = |key| ["webhook", key];
        if webhook.when.daily {
            return Err(document.error(&at("when"), "\"daily\" is for mail alone"));
        }
        if let Some(detail) = webhook.token_ways().fault(true) {
            return Err(document.error(&at("token"), detail));
        }
    }
    for (index, profile) in config.profile.iter().enumerate() {
        let index = index.to_string();
        let at = |key| ["profile", &index, "notify", key];
        let to = profile.notify.to.as_ref();
        if to.is_some_and(Vec::is_empty) {
            return Err(document.error(&at("to"), "must name somebody; when = \"never\" sends nothing"));
        }
        if config.mail.is_none() && profile.notify != Notify::default() {
            let key = if to.is_some() { "to" } else { "when" };
            return Err(document.error(&at(key), "counts only where [mail] says how mail is sent"));
        }
    }
    Ok(())
}

fn check_oauth2(oauth2: &OAuth2, index: &str, document: &Document) -> Result<(), ConfigError> {
    let at = |key| ["profile", index, "server", "oauth2", key];
    if oauth2.client_id.trim().is_empty() {
        return Err(document.error(&at("client_id"), "must be the id of the registered application"));
    }
    let by_right = oauth2.grant == Grant::ClientCredentials;
    if let Some(detail) = oauth2.client_secret_ways().fault(!by_right) {
        return Err(document.error(&at("client_secret"), detail));
    }
    let refresh_token = oauth2.refresh_token_ways();
    if by_right && refresh_token.given() > 0 {
        return Err(document.error(&at("refresh_token"), "counts only with grant = \"refresh_token\""));
    }
    if let Some(detail) = refresh_token.fault(by_right) {
        return Err(document.error(&at("refresh_token"), detail));
    }
    let own = ["grant_type", "client_id", "client_secret", "refresh_token", "scope"];
    match oauth2.parameters.keys().find(|name| own.contains(&name.as_str())) {
        Some(name) => {
            let at = ["profile", index, "server", "oauth2", "parameters", name];
            Err(document.error(&at, "has a key of its own beside parameters, or follows from grant"))
        }
        None => Ok(()),
    }
}

fn check_recipients(config: &Config, profile: &Profile, index: &str, document: &Document) -> Result<(), ConfigError> {
    let at = |key| ["profile", index, "recipients", key];
    let recipients = &profile.recipients;
    type Fault = fn(&str) -> Option<String>;
    let lists: [(&str, &[String], Fault); 3] = [
        ("own_addresses", &recipients.own_addresses, |text| {
            let fault = || EntryError::NoAddress(text.to_owned()).to_string();
            Address::parse_strict(text).is_none().then(fault)
        }),
        ("local_domains", &recipients.local_domains, domain_fault),
        ("envelope_headers", &recipients.envelope_headers, field_name_fault),
    ];
    for (key, list, fault) in lists {
        let wrong = |(position, text): (usize, &String)| Some((position, fault(text)?));
        if let Some((position, detail)) = list.iter().enumerate().find_map(wrong) {
            let position = position.to_string();
            return Err(document.error(&["profile", index, "recipients", key, &position], detail));
        }
    }
    if recipients.journal == Journal::From && recipients.journal_from.is_empty() {
        let detail = "\"from\" needs journal_from, the hosts whose reports are believed";
        return Err(document.error(&at("journal"), detail));
    }
    if recipients.journal != Journal::From && !recipients.journal_from.is_empty() {
        return Err(document.error(&at("journal_from"), "counts only with journal = \"from\""));
    }
    if recipients.journal != Journal::Never && recipients.steps == Use::Headers {
        let detail = "\"headers\" leaves out whom a journal report names; take \"auto\", or journal = \"never\"";
        return Err(document.error(&at("use"), detail));
    }
    if recipients
        .strip_prefix
        .iter()
        .any(|prefix| prefix.is_empty() || prefix.contains('@'))
    {
        return Err(document.error(
            &at("strip_prefix"),
            "must be what stands before a local part, such as \"example.com-\"",
        ));
    }
    match &recipients.unknown {
        Unknown::Create if recipients.local_domains.is_empty() => Err(document.error(
            &at("unknown"),
            "\"create\" needs local_domains, to know which addresses are yours",
        )),
        // Where the users file could not be read, its names are not known.
        Unknown::User(name)
            if name != CATCHALL
                && config.file_users.error.is_none()
                && !config.users().any(|user| user.name == *name) =>
        {
            let hint = nearest(name, config.users().map(|user| user.name.as_str()));
            let hint = hint.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default();
            Err(document.error(&at("unknown"), format!("no [[user]] is named {name:?}{hint}")))
        }
        _ => Ok(()),
    }
}

fn check_engine(profile: &Profile, index: &str, document: &Document) -> Result<(), ConfigError> {
    let at = |key| ["profile", index, key];
    if !(1..=MOST_CONNECTIONS).contains(&profile.connections) {
        let detail = format!("{} is not between 1 and {MOST_CONNECTIONS}", profile.connections);
        return Err(document.error(&at("connections"), detail));
    }
    if profile.connections > 1 && profile.server.access.family() == Family::Pop3 {
        return Err(document.error(&at("connections"), "POP3 has one: its server locks the mailbox"));
    }
    for (key, patterns) in [
        ("include", &profile.folders.include),
        ("exclude", &profile.folders.exclude),
    ] {
        let odd = |pattern: &&String| {
            pattern.starts_with('\\') && !SPECIAL_USES.iter().any(|one| one.eq_ignore_ascii_case(pattern))
        };
        if let Some(pattern) = patterns.iter().find(odd) {
            let detail = format!("\"{pattern}\" is none of {}", SPECIAL_USES.join(", "));
            return Err(document.error(&["profile", index, "folders", key], detail));
        }
    }
    if !profile.exclude.flags.is_empty() && profile.server.access.family() == Family::Pop3 {
        let at = ["profile", index, "exclude", "flags"];
        return Err(document.error(&at, "POP3 has no flags"));
    }
    Ok(())
}

fn check_delete(profile: &Profile, index: &str, document: &Document) -> Result<(), ConfigError> {
    let delete = &profile.delete;
    let at = |key| ["profile", index, "delete", key];
    if delete.when == DeleteWhen::Never {
        let given = [("after", delete.after.is_some()), ("move_to", delete.move_to.is_some())];
        if let Some((key, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(document.error(&at(key), "counts only with when = \"archived\""));
        }
    }
    match &delete.move_to {
        Some(_) if profile.server.access.family() == Family::Pop3 => {
            Err(document.error(&at("move_to"), "POP3 has no folders to move to"))
        }
        Some(folder) if folder.is_empty() || folder.eq_ignore_ascii_case("INBOX") => {
            Err(document.error(&at("move_to"), "must name a folder that is not archived"))
        }
        _ => Ok(()),
    }
}
