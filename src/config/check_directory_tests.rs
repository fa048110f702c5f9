use std::path::Path;

use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dropkeep.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(&file)
}

fn refusal(text: &str) -> String {
    read(text).expect_err(text).to_string()
}

const JANE: &str = "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\", \"*@sub.example.com\"]\n";

#[test]
fn aliases_go_one_step() {
    let aliases = |lines: &str| format!("[domain_aliases]\n{lines}\n");
    let config = read(&aliases(
        "\"Example.net\" = \"example.com\"\n\"b.example\" = \"example.com\"",
    ))
    .unwrap();
    assert_eq!(config.domain_aliases["Example.net"].as_str(), "example.com");
    for (lines, line, words) in [
        ("\"a.example\" = \"A.example.\"", 2, "alias of itself"),
        (
            "\"x.example\" = \"y.example\"\n\"a.example\" = \"X.example\"",
            3,
            "write \"y.example\" here",
        ),
        (
            "\"a.example\" = \"x.example\"\n\"A.example\" = \"y.example\"",
            2,
            "twice",
        ),
        ("\"a.example\" = \"exam ple\"", 2, "\"exam ple\" is not a domain"),
        ("\"*.a.example\" = \"b.example\"", 2, "is not a domain"),
        (
            "example.net = \"example.com\"",
            2,
            "a domain in quotes, and so the one before it",
        ),
    ] {
        let shown = refusal(&aliases(lines));
        assert!(
            shown.contains(&format!("line {line}")) && shown.contains(words),
            "{shown}"
        );
    }
}

#[test]
fn lists_have_addresses_of_their_own() {
    let list = |address: &str, users: &str| format!("[[list]]\naddress = \"{address}\"\nusers = {users}\n");
    let good = list(
        "sales@example.com",
        "[\"jane\", \"who is added by a command\", \"@catchall\"]",
    );
    assert_eq!(read(&(JANE.to_owned() + &good)).unwrap().list[0].users.len(), 3);
    for (text, words) in [
        (list("sales", "[\"jane\"]"), "\"sales\" is not an address"),
        (list("*@example.com", "[\"jane\"]"), "is not an address"),
        (list("Jane@example.com", "[\"jane\"]"), "an address of \"jane\""),
        (list("sales@example.com", "[]"), "name the users who get this mail"),
        (list("sales@example.com", "[\"jane\", \"jane\"]"), "twice"),
        (good.clone() + &list("Sales@Example.com", "[\"jane\"]"), "two lists"),
    ] {
        let shown = refusal(&(JANE.to_owned() + &text));
        assert!(shown.contains("line ") && shown.contains(words), "{shown}");
    }
}

#[test]
fn a_star_in_an_address_is_a_pattern_or_refused() {
    let shown = refusal(&JANE.replace("*@sub", "j*@sub"));
    assert!(
        shown.contains("line 3") && shown.contains("a * stands only for"),
        "{shown}"
    );
}

#[test]
fn a_disabled_users_address_can_be_anothers() {
    let other = "[[user]]\nname = \"bob\"\naddresses = [\"jane@example.com\"]\n";
    assert!(read(&format!("{JANE}disabled = true\n{other}")).unwrap().user[0].disabled);
    assert!(refusal(&format!("{JANE}{other}")).contains("of both"));
}

/// A users file beside the configuration.
fn read_with(users: &str, text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dropkeep.toml");
    std::fs::write(folder.path().join("users.csv"), users).unwrap();
    std::fs::write(&file, format!("users_file = \"users.csv\"\n{text}")).unwrap();
    Config::load(&file)
}

#[test]
fn users_of_the_file_count_as_users_of_the_configuration() {
    let profile = "[[profile]]\nname = \"company\"\n[profile.server]\naccess = \"imap\"\nhost = \"x\"\nusername = \"x\"\n\
                   password = \"x\"\n[profile.recipients]\nunknown = { user = \"bob\" }\n";
    let config = read_with("bob,bob@example.com\n", &format!("{JANE}{profile}")).unwrap();
    let names: Vec<_> = config.users().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["jane", "bob"]);
    assert!(Path::new(config.users_file.as_ref().unwrap()).is_absolute());
    // What cannot be read keeps nobody from reading the archive.
    let config = read_with("bob,jane@example.com\n", &format!("{JANE}{profile}")).unwrap();
    let shown = config.file_users.error.as_ref().unwrap().to_string();
    assert!(shown.contains("users.csv, line 1: jane@example.com"), "{shown}");
    assert_eq!(config.users().count(), 1);
}
