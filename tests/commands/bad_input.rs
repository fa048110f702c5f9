//! Wrong configurations and wrong commands: exit 2, with what to put right. Passwords never show.

use std::fs;

use crate::support::{
    appliance::{Appliance, PROFILE, Profile},
    dovecot::PASSWORD,
    listening::listen,
    running::Outcome,
};

const SECRET: &str = "s3cret-W0rd";

/// A profile whose server nobody asks.
fn profile() -> Profile {
    Profile {
        access: "imap".into(),
        host: "127.0.0.1".into(),
        port: 9,
        password: PASSWORD.into(),
        timeout: "2s".into(),
        tls: "{ verify = \"none\" }".into(),
        recipients: String::new(),
    }
}

const LIMITS: &str = "[limits]\ninflight = \"64 MiB\"\nmax_message_size = \"150 MiB\"\n";
const USERS: &str = "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n\
                     [[user]]\nname = \"john\"\naddresses = [\"john@example.com\"]\n";

fn valid() -> String {
    format!("{LIMITS}{USERS}{}", profile().toml())
}

fn appliance(text: &str) -> Appliance {
    Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), text)
}

/// The file as it is, with one piece of it replaced; then `users` must fail with exit 2, naming the
/// file, the line on which `wrong` stands, and all of `said`.
fn refused(right: &str, wrong: &str, said: &[&str]) {
    let text = valid();
    assert!(text.contains(right), "{right} is not in the valid configuration");
    let appliance = appliance(&text.replacen(right, wrong, 1));
    let outcome = appliance.run(&["users"]).expect(2);
    let file = fs::read_to_string(appliance.config()).expect("the configuration");
    let line = file.lines().position(|line| line.contains(wrong)).expect("the line") + 1;
    assert_names(&outcome, &["dropkeep.toml"]);
    assert!(
        outcome.stderr.contains(&format!("line {line}")) || outcome.stderr.contains(&format!(":{line}")),
        "{wrong}: line {line} is not named in {}",
        outcome.stderr
    );
    assert_names(&outcome, said);
    assert_hides(&outcome, PASSWORD);
    assert_hides(&outcome, SECRET);
    assert!(
        !appliance.data().exists(),
        "{wrong}: nothing is made before the configuration is read"
    );
}

fn assert_names(outcome: &Outcome, said: &[&str]) {
    for word in said {
        assert!(
            outcome.stderr.contains(word),
            "dropkeep {}: {word:?} is not in {}",
            outcome.arguments,
            outcome.stderr
        );
    }
}

fn assert_hides(outcome: &Outcome, secret: &str) {
    assert!(
        !outcome.stderr.contains(secret),
        "a password is shown: {}",
        outcome.stderr
    );
    assert!(
        !outcome.text().contains(secret),
        "a password is shown: {}",
        outcome.text()
    );
}

#[test]
fn the_valid_configuration_is_taken() {
    appliance(&valid()).done(&["users", "add", "newcomer", "newcomer@example.com"]);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    refused("inflight =", "infligth =", &["infligth", "inflight"]);
    refused("addresses =", "adresses =", &["adresses", "addresses"]);
    refused("timeout =", "timeuot =", &["timeuot", "timeout"]);
    refused(
        "[profile.recipients]",
        "[profile.recipient]",
        &["recipient", "recipients"],
    );
    refused("[[user]]", "[[usr]]", &["usr", "user"]);
}

#[test]
fn a_wrong_type_or_value_is_named() {
    refused("port = 9", "port = \"ninety\"", &["port"]);
    refused("port = 9", "port = 70000", &["port"]);
    refused("inflight = \"64 MiB\"", "inflight = true", &["inflight"]);
    refused("150 MiB", "150 parsecs", &["max_message_size"]);
    refused("access = \"imap\"", "access = \"imap-tsl\"", &["access", "imap-tls"]);
    refused("timeout = \"2s\"", "timeout = \"soon\"", &["timeout"]);
    refused(
        "addresses = [\"jane@example.com\"]",
        "addresses = [\"jane\"]",
        &["jane", "address"],
    );
}

#[test]
fn names_and_addresses_given_twice_are_refused() {
    refused("name = \"john\"", "name = \"jane\" # again", &["jane"]);
    refused(
        "\"john@example.com\"",
        "\"john@example.com\", \"JANE@Example.COM\"",
        &["jane", "john"],
    );
    let twice = format!("{}\n{}", valid(), profile().toml());
    let outcome = appliance(&twice).run(&["users"]).expect(2);
    assert_names(&outcome, &["dropkeep.toml", PROFILE]);
    assert_hides(&outcome, PASSWORD);
}

#[test]
fn a_password_is_never_shown_whatever_is_wrong_with_it() {
    let right = format!("password = \"{PASSWORD}\"");
    for wrong in [
        // A wrong type; the digits of a number are a password too.
        format!("password = [\"{SECRET}\"]"),
        format!("password = {{ is = \"{SECRET}\" }}"),
        "password = 31415926535".into(),
        "password = 1979-05-27".into(),
        // Lines that are not TOML.
        format!("password = \"{SECRET}"),
        format!("password = {SECRET}"),
        format!("password = \"{SECRET}\" {SECRET}"),
        format!("password \"{SECRET}\""),
        // A key that is unknown, or there twice.
        format!("pasword = \"{SECRET}\""),
        format!("{right}\npassword = \"{SECRET}\""),
    ] {
        let appliance = appliance(&valid().replacen(&right, &wrong, 1));
        let outcome = appliance.run(&["users"]).expect(2);
        assert_names(&outcome, &["dropkeep.toml"]);
        for secret in [SECRET, PASSWORD, "31415926535", "1979-05-27"] {
            assert_hides(&outcome, secret);
        }
    }
}

#[test]
fn a_password_that_cannot_be_had_is_said_before_the_server_is_asked() {
    let right = format!("password = \"{PASSWORD}\"");
    for (wrong, said) in [
        ("password_file = \"no-such-file\"", "no-such-file"),
        ("password_env = \"DROPKEEP_TEST_NO_SUCH\"", "DROPKEEP_TEST_NO_SUCH"),
    ] {
        let outcome = appliance(&valid().replacen(&right, wrong, 1))
            .run(&["archive", PROFILE])
            .expect(2);
        assert_names(&outcome, &[said]);
    }
}

#[test]
fn a_variable_that_overrides_wrongly_is_refused_too() {
    let appliance = appliance(&valid());
    let mut command = appliance.command(&["users"]);
    command.env("DROPKEEP__LIMITS__INFLIGHT", "a lot");
    let output = command.output().expect("dropkeep");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.to_lowercase().contains("inflight"), "{stderr}");
}

#[test]
fn a_configuration_that_is_not_there_or_no_text_is_named() {
    let appliance = appliance("");
    fs::write(appliance.config(), b"data_dir = \"\xff\xfe\"\n").expect("the configuration");
    assert_names(&appliance.run(&["users"]).expect(2), &["dropkeep.toml"]);
    fs::remove_file(appliance.config()).expect("remove");
    assert_names(&appliance.run(&["users"]).expect(2), &["dropkeep.toml"]);
}

#[test]
fn what_a_command_names_must_exist() {
    let appliance = appliance(&valid());
    for command in ["archive", "test"] {
        let outcome = appliance.run(&[command, "compnay"]).expect(2);
        assert_names(&outcome, &["compnay", "company"]);
    }
    appliance.done(&["users", "add", "newcomer", "newcomer@example.com"]);
    assert_names(&appliance.run(&["list", "--user", "jnae"]).expect(2), &["jnae", "jane"]);
    for command in [["raw", "4711"], ["show", "4711"], ["protocols", "4711"]] {
        assert_names(&appliance.run(&command).expect(2), &["4711"]);
    }
    for command in [vec!["frobnicate"], vec!["raw", "one"], vec!["list", "--nowhere"]] {
        appliance.run(&command).expect(2);
    }
}

#[test]
fn the_configuration_may_stand_after_the_command() {
    let appliance = appliance(&valid());
    appliance.done(&["users", "add", "newcomer", "newcomer@example.com"]);
    let config = appliance.config();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_dropkeep"))
        .args(["users", "--json", "--config"])
        .arg(config)
        .output()
        .expect("dropkeep");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn a_port_in_use_is_a_matter_of_configuration() {
    let (_taken, port) = listen();
    let address = format!("127.0.0.1:{port}");
    let appliance = appliance(&valid());
    let text = fs::read_to_string(appliance.config()).expect("the configuration");
    fs::write(appliance.config(), text.replace("127.0.0.1:0", &address)).expect("the configuration");
    assert_names(&appliance.run(&["serve"]).expect(2), &[&address]);
}
