//! No secret shows anywhere: not in what commands print, log and store, but in the file of the tokens, and encrypted
//! not there either.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    oauth::{
        Site,
        endpoint::{CLIENT_SECRET, FIRST},
    },
    support::{
        appliance::PROFILE,
        dovecot::MAILBOX,
        running::{Outcome, Running},
    },
};

/// Each secret there is, as it is, as a form has it, and as a login has it.
fn secrets(site: &Site) -> Vec<String> {
    let mut secrets: Vec<String> = [FIRST, CLIENT_SECRET, "wrong-secret"].map(str::to_owned).to_vec();
    secrets.extend(site.endpoint.state().given.clone());
    let as_form = |secret: &String| form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>();
    let as_login = |token: &String| STANDARD.encode(format!("user={MAILBOX}\x01auth=Bearer {token}\x01\x01"));
    let others: Vec<String> = secrets
        .iter()
        .flat_map(|secret| [as_form(secret), as_login(secret)])
        .collect();
    secrets.extend(others);
    secrets
}

fn holds(bytes: &[u8], secret: &str) -> bool {
    memchr::memmem::find(bytes, secret.as_bytes()).is_some()
}

/// The files below `folder` that hold a secret.
fn files_with(folder: &Path, secrets: &[String], found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_with(&path, secrets, found);
        } else if let Ok(bytes) = fs::read(&path)
            && secrets.iter().any(|secret| holds(&bytes, secret))
        {
            found.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
}

/// Runs a command that logs all it can.
fn logging(site: &Site, arguments: &[&str]) -> Outcome {
    let mut command = site.appliance.command(arguments);
    command.env("DROPKEEP_LOG", "trace").env("RUST_LOG", "trace");
    Running::start(command, arguments).wait()
}

/// Everything that can be said of tokens, and nothing of them in it.
fn says_nothing(site: &Site, commands: &[&[&str]]) -> String {
    let mut said = String::new();
    let mut run = || {
        for arguments in commands {
            let outcome = logging(site, arguments);
            said += &outcome.text();
            said += &outcome.stderr;
        }
    };
    run();
    site.endpoint.revoke();
    run();
    site.endpoint.state().refuses_all = true;
    run();
    // An endpoint that repeats what it was asked.
    site.set("client-secret", "wrong-secret");
    let encoded: String = form_urlencoded::byte_serialize(FIRST.as_bytes()).collect();
    site.endpoint
        .refuse("invalid_request", &format!("wrong-secret and {FIRST} and {encoded}"));
    site.endpoint.state().refuses_all = false;
    fs::remove_dir_all(site.appliance.data().join("tokens")).expect("the tokens");
    run();
    site.endpoint.state().answer = Some(format!("{FIRST} wrong-secret"));
    run();
    let secrets = secrets(site);
    for secret in &secrets {
        assert!(!holds(said.as_bytes(), secret), "{secret} in {said}");
    }
    site.endpoint.state().answer = None;
    site.set("client-secret", CLIENT_SECRET);
    for arguments in commands {
        logging(site, arguments).expect(0);
    }
    said
}

const LOOKING: [&[&str]; 2] = [&["test", PROFILE], &["archive", PROFILE, "--dry-run", "--json"]];
const RUNNING: [&[&str]; 2] = [&["archive", PROFILE, "--json"], &["protocols", "1", "--json"]];

#[test]
fn nothing_is_said_of_tokens_and_they_are_in_one_file_only() {
    let site = Site::new("imap");
    let said = says_nothing(&site, &LOOKING);
    assert!(said.contains("***"), "what the endpoint repeated is hidden");
    assert!(
        said.contains("DEBUG") || said.contains("TRACE") || said.contains("INFO"),
        "it was logged: {said}"
    );
    let mut found = Vec::new();
    files_with(
        site.appliance.data().parent().expect("a folder"),
        &secrets(&site),
        &mut found,
    );
    assert_eq!(found, ["company.json"]);
}

#[test]
fn an_encrypted_file_of_tokens_holds_none_that_can_be_read() {
    let site = Site::new("pop3");
    let key = site.secrets.path().join("key");
    fs::write(&key, [7; 32]).expect("a key");
    let top = format!("[secrets]\nkey_file = \"{}\"\n", key.display());
    site.configure(&top, &site.by_refresh_token());
    says_nothing(&site, &LOOKING);
    let mut found = Vec::new();
    files_with(
        site.appliance.data().parent().expect("a folder"),
        &secrets(&site),
        &mut found,
    );
    assert_eq!(found, [""; 0]);

    // The key is lost, or another.
    site.configure("", &site.by_refresh_token());
    let outcome = site.test(2);
    assert!(
        outcome.text().contains("company.json is encrypted"),
        "{}",
        outcome.text()
    );
    fs::write(&key, [8; 32]).expect("a key");
    site.configure(&top, &site.by_refresh_token());
    let outcome = site.test(2);
    assert!(
        outcome.text().contains(&key.display().to_string()),
        "{}",
        outcome.text()
    );
    fs::write(&key, "short").expect("a key");
    let outcome = site.test(2);
    assert!(outcome.text().contains("32 bytes"), "{}", outcome.text());
}

#[test]
fn systemds_credential_is_a_key_and_an_open_file_is_encrypted_with_it() {
    let site = Site::new("imap");
    site.test(0);
    assert!(site.token_file().contains(FIRST));
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("dropkeep-key"), "ab".repeat(32)).expect("a key");
    site.endpoint.revoke();
    let arguments = ["test", PROFILE];
    let mut command = site.appliance.command(&arguments);
    command.env("CREDENTIALS_DIRECTORY", folder.path());
    Running::start(command, &arguments).wait().expect(0);
    let file = site.token_file();
    assert!(file.contains("sealed") && !file.contains(FIRST), "{file}");
}

#[test]
fn runs_and_protocols_say_nothing_of_tokens() {
    for access in ["imap-ssl", "pop3"] {
        let site = Site::new(access);
        says_nothing(&site, &RUNNING);
        let mut found = Vec::new();
        files_with(
            site.appliance.data().parent().expect("a folder"),
            &secrets(&site),
            &mut found,
        );
        assert_eq!(found, ["company.json"]);
    }
}
