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
            file: "/etc/dropkeep/dropkeep.toml".into(),
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
    assert!(
        shown.contains("line 4") && shown.contains("belongs below [profile.server]"),
        "{shown}"
    );
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
    assert!(shown.contains("host is missing in [profile.server]"), "{shown}");
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

/// The server's table with oauth2 in place of the password, and its own keys.
fn with_oauth2(keys: &str) -> String {
    let server = PROFILE.replace("password = \"hunter2\"\n", "");
    format!(
        "{server}[profile.server.oauth2]\ntoken_endpoint = \"https://login.example.com/token\"\nclient_id = \"a\"\n{keys}\n"
    )
}

#[test]
fn tokens_are_asked_for_by_keys_that_fit_together() {
    let oauth2 = |keys: &str| {
        read(&with_oauth2(keys)).unwrap().profile[0]
            .server
            .oauth2
            .clone()
            .unwrap()
    };
    let public = oauth2("refresh_token = \"hunter2\"");
    assert_eq!(public.grant.as_str(), "refresh_token");
    assert_eq!(public.client_secret().unwrap(), None);
    assert_eq!(public.first_refresh_token().unwrap().unwrap().reveal(), "hunter2");
    let by_right = oauth2("grant = \"client_credentials\"\nclient_secret = \"hunter2\"\nparameters = { a = \"b\" }");
    assert_eq!(by_right.client_secret().unwrap().unwrap().reveal(), "hunter2");
    assert_eq!(by_right.first_refresh_token().unwrap(), None);

    for (keys, key, word) in [
        ("", "refresh_token", "refresh_token_file or refresh_token_env"),
        (
            "refresh_token = \"a\"\nrefresh_token_env = \"B\"",
            "refresh_token",
            "one of",
        ),
        (
            "refresh_token = \"a\"\nclient_secret = \"a\"\nclient_secret_file = \"b\"",
            "client_secret",
            "one of",
        ),
        ("grant = \"client_credentials\"", "client_secret", "is missing"),
        (
            "grant = \"client_credentials\"\nclient_secret = \"a\"\nrefresh_token = \"hunter2\"",
            "refresh_token",
            "counts only with grant",
        ),
        ("grant = \"refresh_tokn\"", "grant", "did you mean \"refresh_token\""),
        (
            "refresh_token = \"a\"\nparameters = { scope = \"hunter2\" }",
            "parameters.scope",
            "beside parameters",
        ),
        (
            "refresh_token = \"a\"\nparameters = { a = 4711 }",
            "parameters.a",
            "must be text",
        ),
        ("refresh_token = 4711", "refresh_token", "must be text"),
        (
            "refresh_tokn = \"hunter2\"",
            "refresh_tokn",
            "did you mean `refresh_token`",
        ),
    ] {
        let shown = refusal(&with_oauth2(keys));
        assert!(
            (shown.contains(&format!("profile[1].server.oauth2.{key}`"))
                || shown.contains(&format!("{key} is missing in [profile.server.oauth2]")))
                && shown.contains(word),
            "{keys}: {shown}"
        );
        assert!(shown.contains(", line ") && !shown.contains("4711"), "{shown}");
    }
    let shown = refusal(&with_oauth2("").replace("https://", "http://"));
    assert!(
        shown.contains("oauth2.token_endpoint") && shown.contains("must begin with https://"),
        "{shown}"
    );
    let both = with_oauth2("refresh_token = \"a\"").replace("[profile.server.oauth2]", "password = \"hunter2\"\n$0");
    let shown = refusal(&both.replace("$0", "[profile.server.oauth2]"));
    assert!(
        shown.contains("server.password`") && shown.contains("with oauth2"),
        "{shown}"
    );
    assert!(
        read(&with_oauth2("refresh_token = \"a\"")).unwrap().profile[0]
            .server
            .secret()
            .is_err()
    );
}

#[test]
fn files_of_secrets_are_relative_to_the_configuration() {
    let keys = "refresh_token_file = \"none\"\nclient_secret_file = \"no-secret\"\nca_file = \"ca.pem\"";
    let config = read(&format!("[secrets]\nkey_file = \"key\"\n{}", with_oauth2(keys))).unwrap();
    let oauth2 = config.profile[0].server.oauth2.as_ref().unwrap();
    assert_eq!(config.secrets.key_file.as_deref(), Some(Path::new("/etc/dropkeep/key")));
    assert_eq!(oauth2.ca_file.as_deref(), Some(Path::new("/etc/dropkeep/ca.pem")));
    let shown = oauth2.first_refresh_token().unwrap_err().to_string();
    assert!(shown.contains("refresh_token_file /etc/dropkeep/none"), "{shown}");
    let shown = oauth2.client_secret().unwrap_err().to_string();
    assert!(shown.contains("client_secret_file /etc/dropkeep/no-secret"), "{shown}");
}

#[test]
fn what_the_environment_says_wrong_is_not_looked_for_in_the_file() {
    let text = "[http]\nlisten = \"127.0.0.1:1\"\n";
    let over = |listen: &str| {
        let over = Figment::from(figment::providers::Serialized::default("http.listen", listen));
        Config::merge(text, Path::new("x.toml"), over).map_err(|error| error.to_string())
    };
    let shown = over("0.0.0.0:1").unwrap_err();
    assert!(
        shown.starts_with("variable DROPKEEP__HTTP__LISTEN: `http.listen`: other machines reach 0.0.0.0:1"),
        "{shown}"
    );
    assert!(over("127.0.0.1:2").is_ok());
    let shown = refusal(&text.replace("127.0.0.1", "0.0.0.0"));
    assert!(shown.contains("dropkeep.toml, line 2: `http.listen`"), "{shown}");
}

#[test]
fn who_is_told_of_runs_must_be_reachable() {
    let mail = "[mail]\nhost = \"h\"\nfrom = \"a@example.com\"\nto = [\"b@example.com\"]\n";
    for (text, word) in [
        (mail.replace("\"b@example.com\"", ""), "must name somebody"),
        (mail.replace("b@example.com", "nobody"), "a mail address"),
        (format!("{mail}password = \"hunter2\"\n"), "only with a username"),
        (format!("{mail}username = \"a\"\n"), "password is missing in [mail]"),
        (format!("{mail}when = \"sometimes\"\n"), "sometimes"),
        (format!("{mail}digest_at = \"25:00\"\n"), "a time of the day"),
        (format!("{mail}tls = {{ verify = \"pin\" }}\n"), "needs a pin"),
        (
            "[webhook]\nurl = \"http://example.com/\"\n".into(),
            "must begin with https://",
        ),
        (
            "[webhook]\nurl = \"https://u:hunter2@example.com/\"\n".into(),
            "no user name",
        ),
        (
            "[webhook]\nurl = \"https://h/\"\nwhen = \"daily\"\n".into(),
            "for mail alone",
        ),
        (
            format!("{PROFILE}[profile.notify]\nwhen = \"daily\"\n"),
            "only where [mail]",
        ),
        ("[protocols]\nkeep = \"1h\"\n".into(), "a day or longer"),
    ] {
        let shown = refusal(&text);
        assert!(shown.contains(word) && shown.contains("dropkeep.toml"), "{shown}");
    }
    let config = read("[protocols]\nkeep = \"forever\"\nkeep_idle = \"forever\"\n").unwrap();
    assert_eq!(config.protocols.keep, crate::config::Keep::Forever);
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
