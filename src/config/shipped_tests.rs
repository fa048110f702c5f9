//! The shipped configuration: it changes nothing, each of its lines is one that can be used, and it has every key.

use super::{
    Config,
    schema::{FREE, Kind, SHIPPED, Schema, entry, header, join, parent},
};

/// What a profile's section needs beside what is tried.
const PROFILE: &str = "[[profile]]\nname = \"company\"\n[profile.server]\naccess = \"imap-ssl\"\n\
                       host = \"mail.example.com\"\nusername = \"all@example.com\"\npassword_file = \"secret\"\n";

fn read(text: &str) -> Result<Config, String> {
    let file = std::path::Path::new("/etc/dropkeep/dropkeep.toml");
    let env = figment::providers::Env::prefixed("DROPKEEP_TEST_NO_SUCH__");
    Config::read(text, file, env).map_err(|error| error.to_string())
}

/// The lines of configuration that are commented out, with their sections.
fn lines() -> Vec<(String, String)> {
    let mut section = String::new();
    let mut lines = Vec::new();
    for line in SHIPPED.lines() {
        let bare = line.trim_start_matches('#').trim();
        if let Some((name, _)) = header(bare) {
            section = name.to_owned();
        } else if bare.starts_with('"') && section == "domain_aliases" || entry(bare).is_some() {
            lines.push((section.clone(), bare.to_owned()));
        }
    }
    lines
}

fn key(line: &str) -> &str {
    line.split('=').next().unwrap_or_default().trim()
}

#[test]
fn as_it_is_it_changes_nothing() {
    assert_eq!(read(SHIPPED), read("# nothing\n"));
    let set = SHIPPED.lines().find(|line| !line.is_empty() && !line.starts_with('#'));
    assert_eq!(
        set, None,
        "a section that is not commented out takes what is written behind it"
    );
}

/// A table with what it needs, and one line more; the line of the same key is gone, and others that exclude it.
fn with(section: &str, line: &str) -> String {
    let header = match Schema::get().known(section).map(|known| &known.kind) {
        Some(Kind::Sections) => format!("[[{section}]]\n"),
        _ if section.is_empty() => String::new(),
        _ => format!("[{section}]\n"),
    };
    let needs: &[&str] = match section {
        "mail" => &[
            "host = \"h\"",
            "from = \"a@example.com\"",
            "to = [\"b@example.com\"]",
            "username = \"u\"",
            "password_file = \"p\"",
        ],
        "webhook" => &["url = \"https://hooks.example.com/\""],
        "user" => &["name = \"jane\"", "addresses = [\"jane@example.com\"]"],
        "list" => &["address = \"sales@example.com\"", "users = [\"jane\"]"],
        "profile.server.oauth2" => &[
            "token_endpoint = \"https://login.example.com/\"",
            "client_id = \"a\"",
            "refresh_token_file = \"r\"",
        ],
        "profile.delete" => &["when = \"archived\""],
        _ => &[],
    };
    let needs: Vec<&str> = needs.iter().copied().filter(|need| key(need) != key(line)).collect();
    let table = format!("{header}{}\n{line}\n", needs.join("\n"));
    let profile = |without: &str| -> String {
        let lines = PROFILE.lines().filter(|line| key(line) != without);
        lines.map(|line| format!("{line}\n")).collect()
    };
    match section {
        "profile" => PROFILE
            .replacen("name = \"company\"\n", &format!("name = \"c\"\n{line}\n"), 1)
            .replacen(if key(line) == "name" { "name = \"c\"\n" } else { "\0" }, "", 1),
        "profile.server" => profile(key(line)) + line + "\n",
        "profile.server.oauth2" => profile("password_file") + &table,
        "profile.notify" => with("mail", "") + PROFILE + &table,
        _ if section.starts_with("profile.") => PROFILE.to_owned() + &table,
        "list" => with("user", "") + &table,
        _ => table,
    }
}

#[test]
fn each_line_of_it_can_be_used() {
    let lines = lines();
    assert!(lines.len() > 90, "{}", lines.len());
    for (section, line) in lines {
        let text = with(&section, &line);
        let read = read(&text);
        assert!(read.is_ok(), "{read:?}\n{text}");
    }
}

/// Those that are no example, which are marked in the shipped file by more than one space in front.
#[test]
fn what_it_shows_as_a_default_is_one() {
    // What a person must give, and what the text above it calls an example.
    let examples = [
        "users_file",
        "user",
        "list",
        "domain_aliases",
        "profile.name",
        "profile.server.access",
        "profile.server.host",
        "profile.server.port",
        "profile.server.username",
        "profile.server.password_file",
        "profile.server.tls",
        "profile.recipients.own_addresses",
        "profile.recipients.local_domains",
    ];
    let mut section = String::new();
    for line in SHIPPED.lines().filter_map(|line| line.strip_prefix("# ")) {
        if let Some((name, _)) = header(line) {
            section = name.to_owned();
            continue;
        }
        let Some((key, _)) = entry(line).filter(|_| !line.starts_with(' ')) else {
            continue;
        };
        let path = join(&section, key);
        if examples.iter().any(|example| path == *example || section == *example) {
            continue;
        }
        let unset = match section.as_str() {
            "" => String::new(),
            _ if section.starts_with("profile") => PROFILE.to_owned(),
            _ => String::new(),
        };
        assert_eq!(
            read(&with(&section, line).replace("name = \"c\"", "name = \"company\"")),
            read(&unset),
            "{line}"
        );
    }
}

/// By what the deserializer says that it knows.
#[test]
fn it_has_every_key_there_is() {
    let schema = Schema::get();
    let sections: Vec<&str> = schema.sections().filter(|path| !FREE.contains(path)).collect();
    for section in [""].into_iter().chain(sections) {
        let mut known: Vec<&str> = schema.below(section).map(|(key, _)| key).collect();
        known.sort_unstable();
        let text = match (schema.known(section).map(|known| &known.kind), section) {
            (Some(Kind::Inline), _) => {
                let (outer, table) = parent(section);
                with(outer, &format!("{table} = {{ zzzzzz = 1 }}"))
            }
            _ => with(section, "zzzzzz = 1"),
        };
        assert_eq!(super::load::known_keys(&text), known, "[{section}]\n{text}");
    }
}

/// What README shows is written behind what is there.
#[test]
fn the_example_of_the_readme_can_be_written_behind_it() {
    let readme = include_str!("../../README.md");
    let example = readme
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let example = example.expect("an example of TOML in README.md");
    assert!(example.contains("[[profile]]"), "{example}");
    let installed = SHIPPED.replacen("# data_dir = \"data\"\n", "data_dir = \"/var/lib/dropkeep\"\n", 1);
    for shipped in [SHIPPED, &installed] {
        let config = read(&format!("{shipped}\n{example}")).expect("a configuration");
        assert_eq!(config.profile.len(), 1);
    }
    // And the other way round.
    assert!(read(&format!("{example}\n{SHIPPED}")).is_ok());
}
