//! Commands beside each other, as people and cron start them: who answers whom, signals, and what reaches a terminal.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio, time::Duration};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
    dovecot::Dovecot,
    generator::{Mailbox, Settings, company, sized, user_tables},
    proxy::Proxy,
    wait_for,
};
use rustix::process::Signal;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const SOON: Duration = Duration::from_secs(30);

fn to_jane(number: usize) -> String {
    format!("From: a@sender.example\nTo: jane@example.com\nSubject: number {number}\n\nhello {number}\n")
}

/// A mailbox behind a wire that can be held.
fn site(count: usize) -> (Dovecot, Proxy, Appliance) {
    let server = Dovecot::with(Mailbox::new(Settings::messages(count)));
    let proxy = Proxy::to(server.ports.imap);
    let profile = Profile {
        port: proxy.port,
        ..Profile::new(&server, "imap")
    };
    let appliance = Appliance::for_company(DROPKEEP, &profile);
    (server, proxy, appliance)
}

#[test]
fn files_of_the_configuration_that_others_can_read_or_change_are_told_of() {
    let profile = format!(
        "[[profile]]\nname = \"{PROFILE}\"\n[profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = 1\n\
         username = \"all@example.com\"\npassword_file = \"secret\"\n"
    );
    let appliance = Appliance::new(DROPKEEP, &profile);
    let secret = appliance.config().with_file_name("secret");
    fs::write(&secret, "hunter2-geheim").expect("a secret");
    let open = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    let said = || {
        let commands: [&[&str]; 2] = [&["test", PROFILE], &["archive", PROFILE]];
        let mut said: Vec<String> = commands.map(|command| appliance.run(command).stderr).into();
        said.push(appliance.serve().stop().stderr);
        said
    };
    open(&secret, 0o644);
    open(&appliance.config(), 0o666);
    for stderr in said() {
        for words in [
            "the configuration ",
            ", mode 666): ",
            "have this account fetch",
            "run: chmod o-w ",
            "profile company: password_file ",
            ", mode 644): ",
            "other accounts may read it; run: chmod o= ",
        ] {
            assert!(stderr.contains(words), "no {words:?} in {stderr}");
        }
        assert!(!stderr.contains("geheim"), "{stderr}");
    }
    open(&secret, 0o600);
    open(&appliance.config(), 0o640);
    for stderr in said() {
        assert!(!stderr.contains("chmod"), "{stderr}");
    }
}

/// A second profile lived inside the process of the first, and was cut when that ended.
#[test]
fn a_command_that_is_done_does_not_end_the_runs_of_others() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(300)));
    let proxies = [Proxy::to(server.ports.imap), Proxy::to(server.ports.imap)];
    let profile = |name: &str, proxy: &Proxy| {
        let profile = Profile {
            port: proxy.port,
            ..Profile::new(&server, "imap")
        };
        profile
            .toml()
            .replacen(&format!("name = \"{PROFILE}\""), &format!("name = \"{name}\""), 1)
    };
    let text = user_tables(&company()) + &profile("fast", &proxies[0]) + &profile("slow", &proxies[1]);
    let appliance = Appliance::new(DROPKEEP, &text);
    for proxy in &proxies {
        proxy.hold_after(200_000);
    }
    let mut fast = appliance.start(&["archive", "fast", "--json"]);
    proxies[0].wait_until_held();
    let mut slow = appliance.start(&["archive", "slow", "--json"]);
    proxies[1].wait_until_held();
    proxies[0].open();
    let said = wait_for(SOON, || fast.stderr().contains("other commands"));
    assert!(said, "{}", fast.stderr());
    assert!(fast.is_running() && slow.is_running());
    // What comes meanwhile is answered.
    let run = appliance
        .done(&["protocols", "--newest", "2", "--json"])
        .lines()
        .remove(1);
    assert_eq!(
        (run["profile"].as_str(), run["state"].as_str()),
        (Some("fast"), Some("completed"))
    );
    proxies[1].open();
    for running in [fast, slow] {
        let run = running.wait().expect(0).json();
        assert_adds_up(&run);
        assert_eq!(number(&run, "seen"), 300);
    }
    assert!(!appliance.data().join("control.sock").exists());
    appliance.done(&["users"]);
}

/// Many short commands at once: each finds the one before as it ends.
#[test]
fn commands_that_meet_one_that_ends_are_answered_all_the_same() {
    let server = Dovecot::with((0..5).map(to_jane));
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    appliance.done(&["users", "add", "newcomer", "newcomer@example.com"]);
    for _ in 0..10 {
        let archive = appliance.start(&["archive", PROFILE]);
        let others: Vec<_> = (0..4).map(|_| appliance.start(&["users", "--json"])).collect();
        for other in others {
            other.wait().expect(0);
        }
        archive.wait().expect(0);
    }
}

#[test]
fn an_archive_command_gets_its_protocol_from_an_appliance_that_ends() {
    let (_server, proxy, appliance) = site(500);
    let serving = appliance.serve();
    proxy.hold_after(500_000);
    let archive = appliance.start(&["archive", PROFILE, "--json"]);
    proxy.wait_until_held();
    serving.stop().expect(0);
    let run = archive.wait().expect(130).json();
    assert_eq!(text(&run, "state"), "interrupted", "{run:#}");
}

#[test]
fn a_run_that_was_killed_is_not_said_to_be_running() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(500)));
    let proxy = Proxy::to(server.ports.imap);
    let profile = Profile {
        port: proxy.port,
        ..Profile::new(&server, "imap")
    };
    // What a run has done is counted by the window of a quarter of this.
    let limits = "[limits]\ninflight = \"1 MiB\"\n";
    let appliance = Appliance::new(DROPKEEP, &(user_tables(&company()) + &profile.toml() + limits));
    proxy.hold_after(1_800_000);
    let running = appliance.start(&["archive", PROFILE]);
    proxy.wait_until_held();
    let newest = || appliance.done(&["protocols", "--json"]).lines().remove(0);
    // As far as it has come, while it really runs.
    let counted = wait_for(SOON, || number(&newest(), "seen") > 0);
    assert!(counted, "{:#}", newest());
    assert_eq!(text(&newest(), "state"), "running");
    running.signal(Signal::KILL);
    running.wait();
    let run = newest();
    assert_eq!(text(&run, "state"), "interrupted", "{run:#}");
    assert!(run["finished_at"].is_null(), "{run:#}");
}

#[test]
fn a_command_told_to_end_interrupts_its_run_in_the_appliance() {
    for signal in [Signal::INT, Signal::TERM] {
        let (_server, proxy, appliance) = site(500);
        let serving = appliance.serve();
        proxy.hold_after(500_000);
        let archive = appliance.start(&["archive", PROFILE, "--json"]);
        proxy.wait_until_held();
        archive.signal(signal);
        let run = archive.wait().expect(130).json();
        assert_eq!(text(&run, "state"), "interrupted", "{run:#}");
        serving.stop().expect(0);
    }
}

/// What does not end by the first Ctrl-C: here an answer that nobody takes.
#[test]
fn a_second_ctrl_c_ends_a_command_at_once() {
    let server = Dovecot::with([sized(4_000_000, 1)]);
    let proxy = Proxy::to(server.ports.imap);
    let profile = Profile {
        port: proxy.port,
        ..Profile::new(&server, "imap")
    };
    let appliance = Appliance::for_company(DROPKEEP, &profile);
    appliance.done(&["archive", PROFILE]);
    server.deliver(Mailbox::new(Settings::messages(300)));
    proxy.hold_after(200_000);
    let mut archive = appliance.start(&["archive", PROFILE]);
    proxy.wait_until_held();
    let mut stalled = appliance
        .command(&["raw", "1"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("raw");
    // Once bytes come, the answer is under way.
    let mut first = [0; 1];
    std::io::Read::read_exact(stalled.stdout.as_mut().expect("its output"), &mut first).expect("a byte");
    archive.signal(Signal::INT);
    let said = wait_for(SOON, || archive.stderr().contains("other commands"));
    assert!(said && archive.is_running(), "{}", archive.stderr());
    archive.signal(Signal::INT);
    archive.wait().expect(130);
    let _ = stalled.kill();
    let _ = stalled.wait();
}

fn steers_a_terminal(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[test]
fn mail_does_not_steer_the_terminal() {
    let hostile = "From: =?utf-8?q?=C2=9B31m=E2=80=AEeve?= <eve@sender.example>\n\
                   To: jane@example.com, =?utf-8?q?=1B]0;owned=07?= <x@sender.example>\n\
                   Subject: =?utf-8?q?=1B[2J=C2=9Bred=E2=80=AE?=\n\
                   Message-ID: <\x1b[31m@sender.example>\n\
                   MIME-Version: 1.0\n\
                   Content-Type: multipart/mixed; boundary=b\n\n\
                   --b\nContent-Type: te\x1b[31mxt/pl\u{9b}ain\n\nhi \x1b[31m there \u{202e}\u{9b}1m\rover\n\
                   --b\nContent-Type: application/x-\u{202e}pdf; name=\"\x1b]0;x\x07\u{202e}fdp.exe\"\n\
                   Content-Disposition: attachment; filename=\"\x1b]0;x\x07\u{202e}fdp.exe\"\n\nx\n--b--\n";
    let server = Dovecot::with([hostile]);
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    appliance.done(&["archive", PROFILE]);
    for command in [
        vec!["list", "--user", "jane"],
        vec!["show", "1"],
        vec!["protocols", "1"],
        vec!["users"],
        vec!["list", "--user", "jane", "--json"],
        vec!["show", "1", "--json"],
        vec!["protocols", "1", "--json"],
    ] {
        let outcome = appliance.done(&command);
        let said = outcome.text() + &outcome.stderr;
        let bad: String = said.chars().filter(|c| steers_a_terminal(*c)).collect();
        assert!(bad.is_empty(), "{command:?}: {bad:?} in {said:?}");
    }
    for name in ["\x1b[31m", "\u{9b}31m", "\u{202e}"] {
        for command in [
            vec!["list", "--user", name],
            vec!["archive", name],
            vec!["users", "retire", name],
        ] {
            let outcome = appliance.run(&command).expect(2);
            assert!(!outcome.stderr.contains(steers_a_terminal), "{:?}", outcome.stderr);
        }
    }
    // The bytes themselves are untouched.
    assert!(String::from_utf8_lossy(&appliance.raw(1)).contains("\x1b[31m"));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let server = Dovecot::with((0..2_000).map(to_jane));
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    appliance.done(&["archive", PROFILE]);
    let mut list = appliance
        .command(&["list", "--user", "jane"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("list");
    drop(list.stdout.take());
    let ended = wait_for(SOON, || matches!(list.try_wait(), Ok(Some(_))));
    let _ = list.kill();
    let output = list.wait_with_output().expect("its end");
    assert!(ended && output.status.success(), "{:?}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn to_ask_for_none_was_answered_as_if_there_were_none() {
    let server = Dovecot::with([to_jane(1)]);
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    appliance.done(&["archive", PROFILE]);
    for command in [
        vec!["list", "--user", "jane", "--newest", "0"],
        vec!["list", "--user", "jane", "--limit", "0", "--json"],
        vec!["protocols", "--newest", "0", "--json"],
    ] {
        let refused = appliance.run(&command).expect(2);
        assert!(refused.stderr.contains("write a number from 1"), "{}", refused.stderr);
    }
    for (command, words) in [
        ("show", "is not a message id"),
        ("raw", "is not a message id"),
        ("protocols", "is not the number of a run"),
    ] {
        let refused = appliance.run(&[command, "abc"]).expect(2);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    for id in ["0", "18446744073709551615"] {
        for command in ["protocols", "raw", "show"] {
            let outcome = appliance.run(&[command, id]).expect(2);
            assert!(outcome.stderr.contains(id), "{}", outcome.stderr);
        }
    }
}

/// The commands of README's table, each variant by itself.
fn commands_of_the_readme() -> Vec<String> {
    let readme = include_str!("../../README.md");
    let table = readme
        .lines()
        .skip_while(|line| *line != "| command | does |")
        .skip(2)
        .take_while(|line| line.starts_with("| `"));
    let commands = table.flat_map(|line| {
        let cell = line.split(" | ").next().unwrap_or_default();
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    commands.collect()
}

#[test]
fn the_readme_names_the_commands_there_are() {
    let server = Dovecot::with([to_jane(1)]);
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    let commands = commands_of_the_readme();
    let word = |command: &str| command.split(' ').next().unwrap_or_default().to_owned();
    let help = appliance.done(&["--help"]).text();
    for command in &commands {
        let command = word(command);
        let named = help
            .lines()
            .any(|line| line.trim_start().starts_with(&format!("{command} ")));
        assert!(named, "{command} in\n{help}");
        let usage = appliance.done(&[command.as_str(), "--help"]).text();
        assert!(usage.contains(&format!("dropkeep {command}")), "{usage}");
    }
    let listed = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    for line in listed {
        let command = word(line.trim_start());
        assert!(
            command == "help" || commands.iter().any(|known| word(known) == command),
            "{command} is missing in README"
        );
    }

    // Each does what its line says; users change last, in the order of the table.
    let newest = ["--newest", "1"];
    let mut done = 0;
    appliance.done(&["archive", PROFILE]);
    let file = appliance.config().with_file_name("message.eml");
    std::fs::write(&file, to_jane(2)).expect("a file");
    let table = appliance.config().with_file_name("users.csv");
    std::fs::write(&table, "joiner,joiner@example.com\n").expect("a table");
    // A directory for the export, and another for the backup and for what is restored from it.
    let [exported, backup] = ["exported", "backup"].map(|name| appliance.config().with_file_name(name));
    for command in &commands {
        let mut arguments = Vec::new();
        let mut required = None;
        for argument in command.split(' ') {
            if argument.starts_with('[') {
                required.get_or_insert(arguments.len());
            }
            arguments.extend(match argument.trim_matches(['[', ']']) {
                "--newest" => vec![newest[0]],
                "N" => vec![newest[1]],
                "PROFILE" => vec![PROFILE],
                "RUN" | "ID" | "ID…" => vec!["1"],
                "FILE" => vec![table.to_str().expect("a name")],
                "PATH…" | "FILE…" => vec![file.to_str().expect("a name")],
                "DIR" if command.starts_with("export ") => vec![exported.to_str().expect("a name")],
                "DIR" => vec![backup.to_str().expect("a name")],
                "USER" => vec!["jane"],
                "QUERY" => vec!["*"],
                "SHELL" => vec!["bash"],
                "NAME" if command.contains(" retire ") => vec!["renamed"],
                "NAME" => vec!["newcomer"],
                "TO" => vec!["renamed"],
                "ADDRESS…" => vec!["newcomer@example.com", "new.comer@example.com"],
                word => vec![word],
            });
        }
        if arguments[0] == "restore" {
            // Nothing is restored over an archive that is there.
            std::fs::remove_dir_all(appliance.data()).expect("the data directory");
        }
        if arguments[0] == "serve" {
            appliance.serve().stop().expect(0);
        } else if arguments[0] == "reload" {
            let outcome = appliance.run(&arguments).expect(1);
            assert!(outcome.stderr.contains("no appliance is running"), "{}", outcome.stderr);
        } else if arguments == ["status", "--check"] {
            // Nobody serves at this moment.
            let outcome = appliance.run(&arguments).expect(2);
            assert!(outcome.stdout.starts_with(b"DROPKEEP CRITICAL"), "{}", outcome.text());
        } else if arguments[0] == "notify" {
            // Nobody is told here; tests/notify has those who are.
            let outcome = appliance.run(&arguments).expect(2);
            assert!(outcome.stderr.contains("[mail]"), "{}", outcome.stderr);
        } else {
            let outcome = appliance.done(&arguments);
            assert!(!outcome.stdout.is_empty(), "{command}");
        }
        if let Some(required) = required {
            // A directory is for exports with the same options.
            let _ = std::fs::remove_dir_all(&exported);
            appliance.done(&arguments[..required]);
        }
        done += 1;
    }
    assert!(done >= 10, "{commands:?}");
    let users = appliance.done(&["users", "--json"]).lines();
    let renamed = users.iter().find(|user| user["name"] == "renamed").expect("the user");
    assert_eq!(renamed["retired"], true);
}
