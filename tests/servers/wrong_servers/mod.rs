//! Servers that are not what the configuration says: what a person reads of each, word for word.

mod server;
mod table;

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, text},
    cases::side_by_side,
    dovecot::MAILBOX,
    tls::Authority,
};
use serde_json::Value;
use server::{Does, Server, Shows};
use table::{Row, TABLE};

/// Whether a text is as expected, where `…` stands for anything.
fn fits(text: &str, expected: &str) -> bool {
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || expected.ends_with('…')
}

struct Case {
    row: &'static Row,
    server: Server,
    appliance: Appliance,
    ca_file: tempfile::NamedTempFile,
}

const SECRET: &str = "geheim-hunter2";

impl Case {
    fn of(row: &'static Row) -> Self {
        let authority = Authority::new("A Known Authority");
        let ca_file = authority.own.file();
        let server = Server::start(row.does, &authority);
        let mut recipients = "local_domains = [\"example.com\"]\n".to_owned();
        if !row.folder.is_empty() {
            recipients += &format!("[profile.folders]\ninclude = [\"{}\"]\n", row.folder);
        }
        let profile = Profile {
            access: row.access.into(),
            host: "localhost".into(),
            port: server.port(),
            password: SECRET.into(),
            timeout: "6s".into(),
            tls: format!("{{ ca_file = \"{}\" }}", ca_file.path().display()),
            recipients,
        };
        let profile = profile.toml().replace(MAILBOX, "all@example.com");
        Self {
            row,
            server,
            appliance: Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &profile),
            ca_file,
        }
    }

    fn error(&self) -> String {
        self.row.error.replace("{port}", &self.server.port().to_string())
    }

    /// What is wrong with what `test` says, if anything.
    fn tested(&self) -> Vec<String> {
        let ended = self.appliance.run(&["test", "--json"]);
        let probe: Value = serde_json::from_slice(&ended.stdout).unwrap_or_default();
        let steps = probe["steps"].as_array().cloned().unwrap_or_default();
        let failed = steps
            .iter()
            .find(|step| step["ok"] == false)
            .cloned()
            .unwrap_or_default();
        let mut wrong = Vec::new();
        let code = if self.row.step == "folder" { 1 } else { 3 };
        if ended.code != Some(code) || failed["step"] != self.row.step {
            wrong.push(format!(
                "exit {:?}, step {}: {}",
                ended.code, failed["step"], ended.stderr
            ));
        }
        let detail = failed["detail"].as_str().unwrap_or_default();
        if !fits(detail, &self.error()) {
            wrong.push(format!("it says: {detail}"));
        }
        let advice = failed["what_to_do"].as_str().unwrap_or_default();
        if !advice.starts_with(self.row.what_to_do) {
            wrong.push(format!("what to do: {advice}"));
        }
        // Who is not the server that is meant gets no password.
        let sent = self.server.heard().contains(SECRET);
        if sent && !["login", "folder"].contains(&self.row.step) {
            wrong.push("the password was sent".into());
        }
        if (ended.text() + &ended.stderr).contains(SECRET) {
            wrong.push("the password is shown".into());
        }
        wrong
    }
}

#[test]
fn each_wrong_server_is_told_in_the_words_of_the_table() {
    // Some of them are silent, so several are tried at once.
    let tried = side_by_side(TABLE, 4, |row| {
        let wrong = Case::of(row).tested().into_iter();
        let told = wrong.map(|what| format!("{} {:?} {}\n    {what}", row.access, row.does, row.error));
        told.collect::<Vec<_>>()
    });
    let wrong = tried.concat();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The rows whose errors are looked at everywhere.
fn rows() -> impl Iterator<Item = &'static Row> {
    let wanted = |row: &&Row| match row.does {
        Does::Tls(Shows::SelfSigned, ..) => row.access == "imap",
        Does::Greets(..) => row.access == "imap-ssl" && row.error.contains("IMAP in clear text"),
        Does::Web => row.access == "imap",
        _ => false,
    };
    let refused = |row: &&Row| row.step == "login" && row.error.contains("Authentication failed");
    let folder = |row: &&Row| row.folder == "archive";
    TABLE
        .iter()
        .filter(move |row| wanted(row) || refused(row) || folder(row))
}

#[test]
fn archive_protocols_status_and_the_dry_run_say_the_same() {
    for row in rows() {
        let case = Case::of(row);
        let error = case.error();
        let code = if row.step == "folder" { 1 } else { 3 };
        let run = case.appliance.run(&["archive", "--json"]).expect(code);
        let said = &run.json()["errors"][0];
        assert_eq!(
            (text(said, "stage"), text(said, "error")),
            (row.step.into(), error.clone()),
            "{said:#}"
        );
        assert!(text(said, "what_to_do").starts_with(row.what_to_do), "{said:#}");
        if code == 3 {
            assert!(run.stderr.contains(&error), "{}", run.stderr);
        }
        for command in [&["protocols", "1"][..], &["test"], &["archive", "--dry-run"]] {
            let ended = case.appliance.run(command);
            let (text, advice) = (ended.text(), format!("what to do: {}", row.what_to_do));
            assert!(text.contains(&error) && text.contains(&advice), "{command:?} {text}");
        }
        let dry = case.appliance.run(&["archive", PROFILE, "--dry-run", "--json"]).json();
        assert!(
            text(&dry["errors"][0], "what_to_do").starts_with(row.what_to_do),
            "{dry:#}"
        );
        if code == 3 {
            let status = case.appliance.run(&["status", "--json"]).lines().remove(0);
            let failing = &status["failing"];
            assert_eq!(text(failing, "why"), error);
            assert!(text(failing, "what_to_do").starts_with(row.what_to_do), "{failing:#}");
            let said = case.appliance.run(&["status"]).text();
            assert!(said.contains(&format!("what to do: {}", row.what_to_do)), "{said}");
        }
    }
}

/// Patterns that name no folder at all were told as a connection that was lost.
#[test]
fn patterns_that_leave_no_folder_are_told_as_such() {
    let row = TABLE.iter().find(|row| row.folder == "archive").expect("a row");
    for (patterns, words) in [
        ("include = []", "no folder is left: include is empty"),
        (
            "include = [\"*\"]\nexclude = [\"*\"]",
            "no folder is left: exclude = [\"*\"] leaves out all that include names",
        ),
    ] {
        let case = Case::of(row);
        let config = std::fs::read_to_string(case.appliance.config()).expect("the configuration");
        let config = config.replace("include = [\"archive\"]", patterns);
        std::fs::write(case.appliance.config(), config).expect("it is written");
        let said = case.appliance.run(&["archive", "--json"]).expect(1).json()["errors"][0].clone();
        assert_eq!(
            [text(&said, "stage"), text(&said, "error"), text(&said, "what_to_do")],
            ["folder", words, "Correct [profile.folders]."]
        );
        let tested = case.appliance.run(&["test"]).expect(1).text();
        assert!(
            tested.contains(words) && tested.contains("Correct [profile.folders]."),
            "{tested}"
        );
    }
}

/// Who runs a profile by hand was told that it is tried again by itself.
#[test]
fn who_runs_by_hand_is_told_to_run_it_again() {
    let appliance = appliance_of("localhost");
    for command in [&["test"][..], &["archive"], &["archive", "--dry-run"]] {
        let said = appliance.run(command).expect(3).text();
        assert!(
            said.contains("Run it again afterwards.") && !said.contains("by itself"),
            "{command:?} {said}"
        );
    }
}

#[test]
fn a_ca_file_that_is_not_there_is_told_without_an_error_number() {
    let row = TABLE
        .iter()
        .find(|row| row.access == "imap-ssl" && row.step == "greeting");
    let case = Case::of(row.expect("a row"));
    let config = std::fs::read_to_string(case.appliance.config()).expect("the configuration");
    let config = config.replace(&*case.ca_file.path().to_string_lossy(), "nope.pem");
    std::fs::write(case.appliance.config(), config).expect("it is written");
    for command in [&["test"][..], &["archive"], &["archive", "--dry-run"]] {
        let ended = case.appliance.run(command).expect(2);
        let said = ended.text() + &ended.stderr;
        assert!(
            said.contains("nope.pem does not exist") && !said.contains("os error"),
            "{said}"
        );
    }
}

#[test]
fn a_host_that_there_is_not_is_named() {
    let said = appliance_of("no-such-host.invalid").run(&["test"]).expect(3).text();
    assert!(said.contains("no-such-host.invalid"), "{said}");
    assert!(said.contains("what to do: Check server.host"), "{said}");
}

fn toml(name: &str, host: &str) -> String {
    format!(
        "[[profile]]\nname = \"{name}\"\n[profile.server]\naccess = \"imap\"\nhost = \"{host}\"\nport = 1\nusername = \
         \"all@example.com\"\npassword = \"{SECRET}\"\ntimeout = \"5s\"\n"
    )
}

fn appliance_of(host: &str) -> Appliance {
    Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &toml(PROFILE, host))
}

#[test]
fn without_a_name_the_only_profile_is_meant_and_several_are_listed() {
    let appliance = appliance_of("localhost");
    for command in [&["test"][..], &["archive"], &["archive", "--dry-run"]] {
        let said = appliance.run(command).expect(3);
        assert!(
            said.text().contains("localhost refused the connection on port 1"),
            "{}",
            said.text()
        );
    }
    let file = appliance.data().with_file_name("one.eml");
    std::fs::write(&file, "To: jane@example.com\n\nx\n").expect("a file");
    appliance.done(&["explain", &file.display().to_string()]);
    appliance.configure(&(toml("first", "localhost") + &toml("second", "localhost")));
    for command in [&["test"][..], &["archive"], &["archive", "--dry-run"]] {
        let said = appliance.run(command).expect(2).stderr;
        assert_eq!(said, "dropkeep: which profile? There are first, second\n");
    }
    let said = appliance
        .run(&["explain", &file.display().to_string()])
        .expect(2)
        .stderr;
    assert!(said.contains("(the profiles: first, second)"), "{said}");
    appliance.configure("");
    let said = appliance.run(&["archive"]).expect(2).stderr;
    assert!(said.contains("the configuration has no profile"), "{said}");
}
