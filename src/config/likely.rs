//! Which of the known words was meant: other programs, and people, call the same things otherwise.

use super::error::nearest;

/// A word, and what others write for it.
const SYNONYMS: [(&str, &[&str]); 13] = [
    (
        "none",
        &["off", "no", "false", "never", "ignore", "insecure", "disabled", "skip"],
    ),
    ("never", &["off", "no", "false", "none", "disabled"]),
    (
        "system",
        &["on", "yes", "true", "full", "strict", "always", "default", "peer"],
    ),
    ("always", &["on", "yes", "true", "all", "every"]),
    ("archived", &["on", "yes", "true", "always", "after"]),
    ("auto", &["default", "automatic", "on", "yes", "true"]),
    ("catchall", &["catch-all", "catch_all", "@catchall", "keep"]),
    ("create", &["new", "add", "make"]),
    ("skip", &["ignore", "leave", "drop", "none", "never", "false"]),
    ("errors", &["error", "failure", "failures", "failed", "fail"]),
    ("human", &["text", "plain", "pretty", "console"]),
    ("headers", &["header", "to"]),
    ("client_credentials", &["client", "app", "application"]),
];
/// A key or a section, and what others call it.
const NAMES: [(&str, &[&str]); 15] = [
    ("username", &["user", "login", "account", "user_name", "userid"]),
    ("password", &["pass", "passwd", "pwd", "secret"]),
    (
        "host",
        &["hostname", "address", "ip", "servername", "host_name", "server_name"],
    ),
    (
        "access",
        &[
            "protocol",
            "type",
            "security",
            "encryption",
            "ssl",
            "starttls",
            "use_ssl",
            "method",
        ],
    ),
    ("schedule", &["interval", "cron", "every", "poll"]),
    ("mail", &["smtp", "email", "notify", "notifications", "smtp_server"]),
    ("server", &["imap", "pop3", "source", "connection", "mailserver"]),
    ("user", &["users", "person", "people"]),
    ("profile", &["profiles", "account", "mailbox"]),
    ("list", &["lists", "group", "groups"]),
    (
        "addresses",
        &[
            "address",
            "aliases",
            "alias",
            "email",
            "emails",
            "mail",
            "email_address",
            "email_addresses",
            "mails",
        ],
    ),
    ("log", &["logging", "logs"]),
    ("http", &["metrics", "web", "prometheus", "listen_address"]),
    (
        "data_dir",
        &["storage", "store", "path", "dir", "directory", "database", "datadir"],
    ),
    ("level", &["loglevel", "log_level", "verbosity"]),
];
/// The same, where a word means it in one section alone.
const IN_SECTION: [(&str, &str, &[&str]); 3] = [
    (
        "profile.server",
        "host",
        &["server", "imap_host", "pop3_host", "imap_server", "pop3_server"],
    ),
    ("mail", "host", &["server", "smtp_host", "smtp_server"]),
    ("user", "name", &["user", "username", "login", "id"]),
];
/// From here on two words are one, misspelt.
const MISSPELT: f64 = 0.85;

/// The known word that was meant, in quotes; several, where it may be any of them.
pub(super) fn likely(given: &str, known: &[&str]) -> Option<String> {
    let lower = given.trim().to_lowercase();
    let quoted = |word: &str| format!("{word:?}");
    let access = access(&lower, known);
    if !access.is_empty() {
        return Some(access.join(" or "));
    }
    let word = synonym(&lower, known).map(str::to_owned);
    word.or_else(|| nearest(&lower, known.iter().copied()))
        .map(|word| quoted(&word))
}

/// What others call otherwise; a key of this section, which has the `known` ones, before any other.
pub(super) fn other_name(section: &str, key: &str, known: &[&str]) -> Option<&'static str> {
    let here = IN_SECTION
        .iter()
        .find(|(of, _, others)| *of == section && others.contains(&key))
        .map(|(_, name, _)| *name);
    let names = || {
        NAMES
            .iter()
            .filter(|(_, others)| others.contains(&key))
            .map(|(name, _)| *name)
    };
    here.or_else(|| names().find(|name| known.contains(name)))
        .or_else(|| names().next())
}

/// Whether it is a known word written otherwise, and not a name.
pub(super) fn is_misspelt(given: &str, known: &[&str]) -> bool {
    let lower = given.trim().to_lowercase();
    let near = |word: &&str| strsim::jaro_winkler(&lower, word) > MISSPELT;
    synonym(&lower, known).is_some() || known.iter().any(near)
}

fn synonym<'k>(lower: &str, known: &[&'k str]) -> Option<&'k str> {
    let (word, _) = SYNONYMS
        .iter()
        .find(|(word, others)| known.contains(word) && others.contains(&lower))?;
    known.iter().copied().find(|known| known == word)
}

/// The kinds of access that a word such as `imaps`, `starttls` or `SSL/TLS` can mean. One that speaks of TLS never
/// means an access without it.
fn access(lower: &str, known: &[&str]) -> Vec<String> {
    let families: Vec<&str> = known
        .iter()
        .copied()
        .filter(|family| known.contains(&format!("{family}-ssl").as_str()))
        .collect();
    let named: Vec<&str> = families
        .iter()
        .copied()
        .filter(|family| lower.starts_with(&family[..3]))
        .collect();
    let rest = match named.first() {
        Some(family) => lower[3..]
            .trim_start_matches(&family[3..])
            .trim_start_matches(|c: char| c.is_ascii_digit()),
        None => lower,
    };
    let has = |words: &[&str]| words.iter().any(|word| rest.contains(word));
    let endings: &[&str] = if has(&["starttls", "stls", "explicit", "upgrade"]) {
        &["-tls"]
    } else if has(&["ssl", "implicit"]) || rest == "s" {
        &["-ssl"]
    } else if has(&["tls", "encrypt"]) {
        &["-tls", "-ssl"]
    } else if !named.is_empty() && (rest.is_empty() || has(&["plain", "clear", "none", "insecure"])) {
        &[""]
    } else {
        return Vec::new();
    };
    let meant = if named.is_empty() { families } else { named };
    let each = meant
        .iter()
        .flat_map(|family| endings.iter().map(move |ending| format!("\"{family}{ending}\"")));
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESS: [&str; 6] = ["imap", "imap-tls", "imap-ssl", "pop3", "pop3-tls", "pop3-ssl"];

    #[test]
    fn imaps_was_taken_for_imap() {
        for (given, meant) in [
            ("imaps", "\"imap-ssl\""),
            ("IMAPS", "\"imap-ssl\""),
            ("imap4s", "\"imap-ssl\""),
            ("imap-sll", "\"imap-ssl\""),
            ("imap+ssl", "\"imap-ssl\""),
            ("IMAP-SSL", "\"imap-ssl\""),
            ("imap_tls", "\"imap-tls\" or \"imap-ssl\""),
            ("imap-starttls", "\"imap-tls\""),
            ("pop3s", "\"pop3-ssl\""),
            ("pops", "\"pop3-ssl\""),
            ("pop", "\"pop3\""),
            ("POP3", "\"pop3\""),
            ("imap4", "\"imap\""),
            ("ssl", "\"imap-ssl\" or \"pop3-ssl\""),
            ("SSL/TLS", "\"imap-ssl\" or \"pop3-ssl\""),
            ("starttls", "\"imap-tls\" or \"pop3-tls\""),
        ] {
            assert_eq!(likely(given, &ACCESS).as_deref(), Some(meant), "{given}");
        }
        let smtp = ["smtp", "smtp-tls", "smtp-ssl"];
        assert_eq!(likely("smtps", &smtp).as_deref(), Some("\"smtp-ssl\""));
        assert_eq!(likely("starttls", &smtp).as_deref(), Some("\"smtp-tls\""));
        assert_eq!(likely("tls", &smtp).as_deref(), Some("\"smtp-tls\" or \"smtp-ssl\""));
    }

    #[test]
    fn other_words_for_the_same_are_known() {
        let verify = ["system", "none", "pin"];
        assert_eq!(likely("off", &verify).as_deref(), Some("\"none\""));
        assert_eq!(likely("sytem", &verify).as_deref(), Some("\"system\""));
        assert_eq!(likely("xyz", &verify), None);
        assert!(is_misspelt("catch-all", &["catchall", "skip"]) && !is_misspelt("bob", &["catchall", "skip"]));
    }
}
