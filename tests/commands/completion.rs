//! Completion in bash: what a person is offered who presses Tab.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use crate::support::wait_for;

const CONFIG: &str = r#"
[[user]]
name = "jane"
addresses = ["jane@example.com"]
[[user]]
name = "Jo Doe"
addresses = ["jo@example.com"]
[[profile]]
name = "company"
[profile.server]
access = "imap-ssl"
host = "mail.example.com"
username = "all@example.com"
password = "secret"
[[profile]]
name = "branch"
[profile.server]
access = "pop3-ssl"
host = "mail.example.com"
username = "branch@example.com"
password = "secret"
"#;

/// What is offered behind `line`, of which `word` is what readline takes for the word that is begun.
fn offered(folder: &Path, line: &str, word: &str) -> Vec<String> {
    let script = "source <(dropkeep completions bash)\n\
        COMP_LINE=$1 COMP_POINT=${#1}\n\
        _dropkeep dropkeep \"$2\" ''\n\
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let program = Path::new(env!("CARGO_BIN_EXE_dropkeep")).parent().expect("its folder");
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", script, "bash", line, word]);
    let output = command.env("PATH", path).current_dir(folder).output().expect("bash");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

fn configured(text: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("config")).expect("a folder");
    fs::write(folder.path().join("config/dropkeep.toml"), text).expect("a configuration");
    folder
}

#[test]
fn profiles_and_users_are_offered_where_one_is_to_be_named() {
    let folder = configured(CONFIG);
    let offered = |line: &str, word: &str| offered(folder.path(), line, word);
    assert!(offered("dropkeep arch", "arch").contains(&"archive".to_owned()));
    for line in [
        "dropkeep test ",
        "dropkeep archive ",
        "dropkeep --json protocols --profile ",
    ] {
        let names = offered(line, "");
        assert!(
            names.contains(&"company".to_owned()) && names.contains(&"branch".to_owned()),
            "{line}: {names:?}"
        );
    }
    assert_eq!(offered("dropkeep test c", "c"), ["company"]);
    assert_eq!(offered("dropkeep protocols --profile=c", "c"), ["company"]);
    assert_eq!(offered("dropkeep protocols --state r", "r"), ["running"]);
    // As the shell takes it.
    assert_eq!(offered("dropkeep list --user j", "j"), ["jane"]);
    assert_eq!(offered("dropkeep list --user J", "J"), ["Jo\\ Doe"]);
    assert_eq!(offered("dropkeep list --user Jo\\ D", "Jo\\ D"), ["Jo\\ Doe"]);
}

#[test]
fn users_that_only_the_archive_knows_are_offered_while_an_appliance_has_it_open() {
    let folder = configured(&format!("{CONFIG}\n[http]\nlisten = \"127.0.0.1:0\"\n"));
    let dropkeep = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dropkeep"));
        command.current_dir(folder.path());
        command
    };
    let added = dropkeep()
        .args(["users", "add", "bob@home", "bob@example.com"])
        .output();
    assert!(added.expect("dropkeep").status.success());
    let mut serving = dropkeep().arg("serve").stderr(Stdio::null()).spawn().expect("dropkeep");
    let socket = folder.path().join("config/data/control.sock");
    let serves = wait_for(Duration::from_secs(30), || socket.exists());
    let bob = offered(folder.path(), "dropkeep list --user b", "b");
    // Readline ends a word at @, and leaves what is before it where it is.
    let behind = offered(folder.path(), "dropkeep users retire bob@h", "h");
    let everybody = offered(folder.path(), "dropkeep export --user @", "");
    let to_retire = offered(folder.path(), "dropkeep users retire @", "");
    let to_import_for = offered(folder.path(), "dropkeep import --user @", "");
    serving.kill().and_then(|()| serving.wait()).expect("its end");
    assert!(serves);
    assert_eq!(bob, ["bob@home"]);
    assert_eq!(behind, ["home"]);
    assert_eq!(everybody, ["catchall"]);
    assert!(
        to_retire.is_empty() && to_import_for.is_empty(),
        "{to_retire:?} {to_import_for:?}"
    );
}

#[test]
fn a_configuration_that_cannot_be_read_or_is_wrong_neither_hangs_nor_says_anything() {
    let folder = configured(&CONFIG.replace("pop3-ssl", "pop4"));
    assert_eq!(
        offered(folder.path(), "dropkeep test b", "b"),
        ["branch"],
        "the names are right"
    );
    let folder = configured("[[profile]\nname = broken");
    assert_eq!(offered(folder.path(), "dropkeep test b", "b"), Vec::<String>::new());
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let line = format!("dropkeep --config {} test b", pipe.display());
    assert_eq!(offered(folder.path(), &line, "b"), Vec::<String>::new());
}
