use super::*;
use crate::config::{DeleteWhen, Profile, Unknown};

const PROFILE: &str = r#"
[[profile]]
name = "company"
[profile.server]
access = "imap-ssl"
host = "mail.example.com"
username = "all@example.com"
password = "hunter2"
"#;

fn read(text: &str) -> Result<Config, ConfigError> {
    // No variable of the machine begins like this.
    Config::read(
        text,
        Path::new("/etc/dropkeep/dropkeep.toml"),
        Env::prefixed("DROPKEEP_TEST_NO_SUCH__").split("__"),
    )
}

fn refusal(text: &str) -> String {
    let error = read(text).expect_err(text);
    let shown = format!("{error}");
    assert!(
        !shown.contains("hunter2") && !format!("{error:?}").contains("hunter2"),
        "a password shows: {shown}"
    );
    shown
}

#[test]
fn defaults_are_those_of_the_sections() {
    assert_eq!(
        read("").unwrap(),
        Config {
            data_dir: "/etc/dropkeep/data".into(),
            ..Config::default()
        }
    );
    let config = read(PROFILE).unwrap();
    let profile: &Profile = config.profile("company").unwrap();
    assert_eq!((profile.server.port(), profile.server.timeout().as_secs()), (993, 60));
    assert_eq!(profile.server.secret().unwrap().reveal(), "hunter2");
    assert_eq!(profile.delete.when, DeleteWhen::Never);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest() {
    let shown = refusal(&format!("{PROFILE}tiemout = \"5s\"\n"));
    assert!(shown.contains("/etc/dropkeep/dropkeep.toml, line 9"), "{shown}");
    assert!(
        shown.contains("profile[1].server.tiemout") && shown.contains("did you mean `timeout`"),
        "{shown}"
    );
    let shown = refusal("[htpt]\nlisten = \"x\"\n");
    assert!(
        shown.contains("line 1") && shown.contains("did you mean `http`"),
        "{shown}"
    );
    let shown = refusal(&PROFILE.replace("[profile.server]", "tls = { verfy = \"none\" }\n[profile.server]"));
    assert!(shown.contains("line 4"), "{shown}");
}

#[test]
fn a_wrong_type_is_named_with_its_line() {
    let shown = refusal("[limits]\ninflight = \"much\"\n");
    assert!(
        shown.contains("line 2") && shown.contains("limits.inflight") && shown.contains("64 MiB"),
        "{shown}"
    );
    let shown = refusal(&PROFILE.replace("imap-ssl", "imap-sll"));
    assert!(
        shown.contains("line 5") && shown.contains("did you mean \"imap-ssl\""),
        "{shown}"
    );
    let shown = refusal(&PROFILE.replace("host = \"mail.example.com\"\n", ""));
    assert!(
        shown.contains("profile[1].server.host") && shown.contains("is missing"),
        "{shown}"
    );
}

#[test]
fn a_password_of_the_wrong_type_is_not_shown() {
    for wrong in [
        "4711471147",
        "true",
        "[\"hunter2\"]",
        "{ a = \"hunter2\" }",
        "1.25",
        "1979-05-27",
    ] {
        let shown = refusal(&PROFILE.replace("\"hunter2\"", wrong));
        assert!(shown.contains("password") && shown.contains("line 8"), "{shown}");
        assert!(
            !shown.contains("4711471147") && !shown.contains("1.25") && !shown.contains("1979"),
            "{shown}"
        );
    }
}

#[test]
fn a_password_in_a_broken_line_is_not_shown() {
    let shown = refusal(&PROFILE.replace("\"hunter2\"", "\"hunter2"));
    assert!(shown.contains("line 8"), "{shown}");
    refusal(&PROFILE.replace("\"hunter2\"", "hunter2"));
    refusal(&PROFILE.replace("\"hunter2\"", "\"hunter2\"\npassword = \"hunter2\""));
}

#[test]
fn names_and_addresses_stand_once() {
    let shown = refusal(&format!("{PROFILE}{PROFILE}"));
    assert!(shown.contains("line 11") && shown.contains("two profiles"), "{shown}");
    let user = |name, address| format!("[[user]]\nname = {name:?}\naddresses = [{address:?}]\n");
    let shown = refusal(&(user("jane", "a@example.com") + &user("jane", "b@example.com")));
    assert!(shown.contains("line 5") && shown.contains("two users"), "{shown}");
    let shown = refusal(&(user("jane", "a@example.com") + &user("bob", "A@Example.com")));
    assert!(
        shown.contains("line 6") && shown.contains("\"jane\"") && shown.contains("\"bob\""),
        "{shown}"
    );
    assert!(refusal(&user("@catchall", "a@example.com")).contains("built in"));
    assert!(refusal(&user("jane", "nobody")).contains("not an address"));
}

#[test]
fn contradictions_are_refused() {
    let with = |more: &str| format!("{PROFILE}{more}\n");
    for (more, word) in [
        ("password_file = \"secret\"", "one of password"),
        ("tls = { verify = \"pin\" }", "needs a pin"),
        ("[profile.recipients]\nunknown = \"create\"", "local_domains"),
        ("[profile.recipients]\nunknown = { user = \"jnae\" }", "jnae"),
        ("[profile.recipients]\njournal = \"from\"", "journal"),
        (
            "[profile.recipients]\njournal_from = [\"*.example.com\"]",
            "journal_from",
        ),
        (
            "[profile.recipients]\nenvelope_headers = [\"Delivered-To:\"]",
            "envelope_headers",
        ),
        (
            "[profile.recipients]\njournal = \"always\"\nuse = \"headers\"",
            "journal report",
        ),
        ("[profile.recipients]\nstrip_prefix = [\"\"]", "strip_prefix"),
        ("[profile.delete]\nafter = \"30d\"", "counts only with when"),
        (
            "[profile.delete]\nwhen = \"archived\"\nmove_to = \"inbox\"",
            "not archived",
        ),
        ("[profile.exclude]\nheaders = [\"two words: x\"]", "header field"),
    ] {
        let shown = refusal(&with(more));
        assert!(shown.contains(word), "{shown}");
    }
    let config = read(&with("[profile.recipients]\nunknown = \"skip\"")).unwrap();
    assert_eq!(config.profile[0].recipients.unknown, Unknown::Skip);
}

#[test]
fn sizes_that_cannot_work_are_refused() {
    for (text, key) in [
        ("[archive]\nvolume_size = 0\n", "archive.volume_size"),
        ("[archive]\nvolume_size = \"18446744 TB\"\n", "archive.volume_size"),
        ("[limits]\nmax_message_size = \"5 GiB\"\n", "limits.max_message_size"),
        ("[limits]\ninflight = 1\n", "limits.inflight"),
    ] {
        let shown = refusal(text);
        assert!(shown.contains("line 2") && shown.contains(key), "{shown}");
    }
}

#[test]
fn single_keys_are_overridden_by_the_environment() {
    let with = |name: &str, value: &str| {
        let provider = figment::providers::Serialized::default(name, value);
        Config::merge(
            "[http]\nlisten = \"a:1\"\n",
            Path::new("x.toml"),
            Figment::from(provider),
        )
    };
    assert_eq!(with("http.listen", "b:2").unwrap().http.listen, "b:2");
    assert!(
        with("http.listne", "b:2")
            .unwrap_err()
            .to_string()
            .contains("did you mean `listen`")
    );
}

/// The sample shows every key with its default.
#[test]
fn the_sample_configuration_shows_the_defaults() {
    let sample = include_str!("../../config/dropkeep.toml");
    assert_eq!(read(sample).unwrap(), read("").unwrap(), "as it is, it changes nothing");
    // What is commented out is configuration: keys, tables, and prose that ends in a full stop or a colon.
    let mut seen = std::collections::HashSet::new();
    let is_key = |line: &str| {
        let name = line.split(" =").next().unwrap_or_default();
        line.contains(" = ") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let configuration: String = sample
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line))
        .filter(|line| {
            line.starts_with('[') || (is_key(line) && seen.insert(line.split(" =").next().map(str::to_owned)))
        })
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        // `name` is both a user's and a profile's.
        .replace("[[profile]]\n", "[[profile]]\nname = \"company\"\n");
    let shown = read(&configuration).expect(&configuration);
    let plain = read(
        "users_file = \"users.csv\"\n\
         [[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\", \"j.doe@example.com\"]\n\
         [[list]]\naddress = \"sales@example.com\"\nusers = [\"jane\"]\n\
         [[profile]]\nname = \"company\"\n\
         [profile.server]\naccess = \"imap-ssl\"\nhost = \"mail.example.com\"\nport = 993\n\
         username = \"all@example.com\"\npassword_file = \"secret\"\n\
         [profile.recipients]\nown_addresses = [\"all@example.com\"]\nlocal_domains = [\"example.com\"]\n",
    );
    assert_eq!(shown, plain.unwrap());
}

#[test]
fn a_display_name_was_taken_for_a_part_of_an_address() {
    let user = |address: &str| format!("[[user]]\nname = \"bob\"\naddresses = [{address:?}]\n");
    assert!(refusal(&user("Bob <bob@example.com>")).contains("not an address"));
    assert!(refusal(&user("bob smith@example.com")).contains("not an address"));
    let own = "[profile.recipients]\nown_addresses = [\"All <all@example.com>\"]\n";
    assert!(refusal(&format!("{PROFILE}{own}")).contains("not an address"));
    let domains = "[profile.recipients]\nlocal_domains = [\"exam ple.com\"]\n";
    assert!(refusal(&format!("{PROFILE}{domains}")).contains("not a domain"));
}
