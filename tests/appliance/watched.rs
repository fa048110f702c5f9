//! What is seen of a running appliance, and what is changed of it without a restart: `status`, `reload`, health,
//! metrics.

use std::{net::TcpListener, time::Duration};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, number, text},
    dovecot::{Dovecot, PASSWORD},
    generator::{Mailbox, Settings, company, user_tables},
    running::Serving,
    wait_for,
};
use rustix::process::Signal;
use serde_json::Value;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const SOON: Duration = Duration::from_secs(30);

/// The company's users and profiles, with `keys` among each profile's own.
fn configuration(profiles: &[(&str, &Profile, &str)], users: &str) -> String {
    let profile = |(name, profile, keys): &(&str, &Profile, &str)| {
        let toml = profile.toml();
        let named = toml.replacen(
            &format!("name = \"{PROFILE}\""),
            &format!("name = \"{name}\"\n{keys}"),
            1,
        );
        assert!(named.contains(&format!("name = \"{name}\"")), "{named}");
        named
    };
    let profiles: String = profiles.iter().map(profile).collect();
    format!("{}{users}{profiles}", user_tables(&company()))
}

fn status(appliance: &Appliance, profile: &str) -> Value {
    let outcome = appliance.done(&["status", "--json", "--profile", profile]);
    outcome.lines().remove(0)
}

/// What `/metrics` says of a series, as it stands there before its value.
fn metric(serving: &Serving, series: &str) -> Option<f64> {
    let (code, page) = serving.get("/metrics");
    assert_eq!(code, 200);
    let value = page
        .lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.map(|value| value.parse().expect("a number"))
}

fn check(appliance: &Appliance) -> (i32, String) {
    let outcome = appliance.check(&[]);
    (outcome.code.expect("a code"), outcome.text())
}

/// A port at which nothing listens.
fn refusing() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

#[test]
fn a_configuration_is_read_anew_and_a_bad_one_is_refused() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(60)));
    let profile = Profile::new(&server, "imap");
    let appliance = Appliance::new(DROPKEEP, &configuration(&[(PROFILE, &profile, "")], ""));
    let serving = appliance.serve();
    appliance.done(&["archive", PROFILE]);
    let eve = "[[user]]\nname = \"eve\"\naddresses = [\"eve@new.example\"]\n";
    // A profile more, by a schedule; and a user more, whose mail has a place from now on.
    let both = [(PROFILE, &profile, ""), ("second", &profile, "schedule = \"every 1s\"")];
    appliance.configure(&configuration(&both, eve));
    serving.running.signal(Signal::HUP);
    let taken = || metric(&serving, "dropkeep_reloads_total{result=\"taken\"}") == Some(1.0);
    assert!(wait_for(SOON, taken), "the configuration is not taken");
    assert!(
        wait_for(SOON, || status(&appliance, "second")["last"].is_object()),
        "the new profile does not run"
    );
    server.deliver(["To: eve@new.example\nSubject: new\n\nnew\n"]);
    let list = || appliance.done(&["list", "--user", "eve", "--json"]).lines().len();
    assert!(wait_for(SOON, || list() == 1), "the new user gets no mail");

    // One that is refused changes nothing, and is seen.
    appliance.configure(&configuration(&[(PROFILE, &profile, "schedul = \"manual\"")], ""));
    let outcome = appliance.run(&["reload"]).expect(2);
    assert!(outcome.stderr.contains("did you mean `schedule`"), "{}", outcome.stderr);
    serving.running.signal(Signal::HUP);
    // By the command and by the signal, which would read the next configuration if it came later.
    let refused = || metric(&serving, "dropkeep_reloads_total{result=\"refused\"}") == Some(2.0);
    assert!(
        wait_for(SOON, refused),
        "it is not seen that the configuration is refused"
    );
    assert_eq!(metric(&serving, "dropkeep_configuration_ok"), Some(0.0));
    assert!(!serving.running.stderr().contains("panicked"));

    // Without the second profile, and with a key that counts only from the next start on.
    let text = configuration(&[(PROFILE, &profile, "stall_timeout = \"7m\"")], eve);
    appliance.configure(&format!(
        "{text}[limits]\ninflight = \"8 MiB\"\nmax_message_size = \"1 KiB\"\n"
    ));
    let reloaded = appliance.done(&["reload", "--json"]).json();
    assert_eq!(reloaded["removed"][0], "second", "{reloaded:#}");
    assert_eq!(reloaded["changed"][0], PROFILE, "{reloaded:#}");
    assert_eq!(reloaded["needs_restart"][0], "limits.inflight", "{reloaded:#}");
    assert_eq!(metric(&serving, "dropkeep_configuration_ok"), Some(1.0));
    let stall = format!("dropkeep_profile_stall_timeout_seconds{{profile=\"{PROFILE}\"}}");
    assert!(wait_for(SOON, || metric(&serving, &stall) == Some(420.0)));
    appliance.run(&["archive", "second"]).expect(2);
    let gone = || metric(&serving, "dropkeep_profile_interval_seconds{profile=\"second\"}") == Some(0.0);
    assert!(wait_for(SOON, gone));
    server.deliver([format!(
        "To: eve@new.example\nSubject: large\n\n{}\n",
        "x".repeat(3_000)
    )]);
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&run, "too_large"), 1, "the new limit holds: {run:#}");

    // Who leaves the configuration is retired.
    appliance.configure(&configuration(&[(PROFILE, &profile, "")], ""));
    appliance.done(&["reload"]);
    let users = appliance.done(&["users", "--json"]).lines();
    let eve = users.iter().find(|user| user["name"] == "eve").expect("eve");
    assert_eq!(eve["retired"], true);
    serving.stop().expect(0);
}

/// A run goes on by the configuration with which it began.
#[test]
fn a_run_that_goes_on_is_not_broken_off_by_a_configuration() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(3_000)));
    let profile = Profile::new(&server, "imap");
    let appliance = Appliance::new(DROPKEEP, &configuration(&[(PROFILE, &profile, "")], ""));
    let serving = appliance.serve();
    let running = appliance.start(&["archive", PROFILE, "--json"]);
    assert!(wait_for(SOON, || status(&appliance, PROFILE)["run"].is_number()));
    for connections in [2, 3, 1] {
        let keys = format!("connections = {connections}");
        appliance.configure(&configuration(&[(PROFILE, &profile, &keys)], ""));
        appliance.done(&["reload"]);
    }
    let run = running.wait().expect(0).json();
    assert_eq!(number(&run, "archived") + number(&run, "duplicates"), 3_000, "{run:#}");
    let again = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&again, "seen"), 0);
    assert_eq!(metric(&serving, "dropkeep_unaccounted_copies"), Some(0.0));
    serving.stop().expect(0);
}

#[test]
fn status_and_its_check_say_how_profiles_stand() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(50)));
    let good = Profile::new(&server, "imap");
    let bad = Profile {
        port: refusing(),
        ..Profile::new(&server, "imap")
    };
    let profiles = [
        (PROFILE, &good, "schedule = \"every 1h\""),
        ("refused", &bad, "schedule = \"manual\""),
    ];
    let appliance = Appliance::new(DROPKEEP, &configuration(&profiles, ""));
    let (code, line) = check(&appliance);
    assert_eq!(code, 2, "{line}");
    assert!(line.contains("no appliance is running"), "{line}");

    let serving = appliance.serve();
    assert!(wait_for(SOON, || status(&appliance, PROFILE)["last"].is_object()));
    let stands = status(&appliance, PROFILE);
    assert_eq!(text(&stands["last"], "state"), "completed", "{stands:#}");
    assert_eq!(
        (number(&stands, "open"), number(&stands, "interval_seconds")),
        (0, 3_600)
    );
    assert!(
        stands["next_run"].is_string() && stands["failing"].is_null(),
        "{stands:#}"
    );
    let (code, line) = check(&appliance);
    assert_eq!((code, line.starts_with("DROPKEEP OK")), (0, true), "{line}");

    appliance.run(&["archive", "refused"]).expect(3);
    let stands = status(&appliance, "refused");
    assert_eq!(number(&stands["failing"], "times"), 1, "{stands:#}");
    let (code, line) = check(&appliance);
    assert_eq!((code, line.contains("refused failed once")), (1, true), "{line}");
    let failures = metric(&serving, "dropkeep_profile_failures{profile=\"refused\"}");
    assert_eq!(failures, Some(1.0));
    for _ in 0..2 {
        appliance.run(&["archive", "refused"]).expect(3);
    }
    let (code, line) = check(&appliance);
    assert_eq!(code, 2, "{line}");

    let said = appliance.done(&["status"]).text();
    for part in [
        "failing",
        "failed 3 times",
        "last run",
        "next run in",
        "messages of",
        "serving since",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    let appliance_line = appliance.done(&["status", "--json"]).lines().pop().expect("a line");
    let archived = number(&status(&appliance, PROFILE)["last"], "archived");
    assert_eq!(number(&appliance_line, "messages"), archived, "{appliance_line:#}");
    assert_eq!(appliance_line["not_ready"], Value::Null);
    serving.stop().expect(0);

    // Last runs are known after a restart.
    let serving = appliance.serve();
    let stands = status(&appliance, PROFILE);
    assert!(
        stands["last"].is_object() && stands["last_success"].is_string(),
        "{stands:#}"
    );
    serving.stop().expect(0);
    std::fs::write(appliance.config(), "nonsense").expect("it is written");
    let (code, line) = check(&appliance);
    assert_eq!((code, line.starts_with("DROPKEEP UNKNOWN")), (3, true), "{line}");
}

/// Every copy that was fetched is found again in the stages' figures.
#[test]
fn the_stages_of_a_run_are_measured_and_nothing_is_unaccounted_for() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(400)));
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    let serving = appliance.serve();
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    let count = |stage: &str| metric(&serving, &format!("dropkeep_stage_seconds_count{{stage=\"{stage}\"}}"));
    for stage in ["identify", "route", "file"] {
        assert_eq!(count(stage), Some(number(&run, "seen") as f64), "{stage}");
    }
    assert!(count("connect") >= Some(1.0) && count("fetch") >= Some(1.0));
    for stage in ["fetch", "identify", "route", "file", "commit", "delete"] {
        let backlog = metric(&serving, &format!("dropkeep_stage_backlog{{stage=\"{stage}\"}}"));
        assert_eq!(backlog, Some(0.0), "{stage}");
    }
    assert_eq!(metric(&serving, "dropkeep_unaccounted_copies"), Some(0.0));
    assert_eq!(metric(&serving, "dropkeep_ready"), Some(1.0));
    assert!(metric(&serving, "process_resident_memory_bytes") > Some(1e6));
    serving.stop().expect(0);
}

/// The supervisor took up its configuration between asking its profile for a run and that run's beginning, or between
/// its end and the answer; so the run was nobody's, and whoever waited for it was told that it was given up.
#[test]
fn a_run_about_to_begin_or_just_ended_is_not_lost_over_a_configuration() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(5)));
    let profile = Profile::new(&server, "imap");
    let appliance = Appliance::new(DROPKEEP, &configuration(&[(PROFILE, &profile, "")], ""));
    let serving = appliance.serve();
    for round in 0..12 {
        let keys = format!("connections = {}", 1 + round % 2);
        appliance.configure(&configuration(&[(PROFILE, &profile, &keys)], ""));
        let running = appliance.start(&["archive", PROFILE, "--json"]);
        appliance.done(&["reload"]);
        let run = running.wait().expect(0).json();
        assert_eq!(text(&run, "state"), "completed", "{run:#}");
        let last = status(&appliance, PROFILE);
        assert_eq!(last["last"]["run"], run["run"], "{last:#}");
    }
    serving.stop().expect(0);
}

/// The lines of the log among what the appliance said, which are JSON as nobody is at a terminal.
fn log(serving: &Serving) -> Vec<Value> {
    let said = serving.running.stderr();
    let lines = said.lines().filter(|line| line.starts_with('{'));
    // The last one may be half there.
    lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn the_log_is_json_with_run_profile_and_copy_and_without_secrets() {
    let server = Dovecot::with([
        "To: jane@example.com\nSubject: small\n\nx\n".to_owned(),
        format!("To: jane@example.com\nSubject: large\n\n{}\n", "x".repeat(5_000)),
    ]);
    let profile = Profile::new(&server, "imap");
    let text = configuration(&[(PROFILE, &profile, "")], "");
    let appliance = Appliance::new(DROPKEEP, &format!("{text}[limits]\nmax_message_size = \"1 KiB\"\n"));
    let mut command = appliance.command(&["serve"]);
    command.env("DROPKEEP_LOG", "trace");
    let serving = appliance.serve_as(command);
    appliance.done(&["archive", PROFILE]);
    let of_the_run = |log: &[Value]| -> Vec<Value> {
        let lines = log.iter().filter(|line| line["run"] == 1 && line["profile"] == PROFILE);
        lines.cloned().collect()
    };
    assert!(wait_for(SOON, || of_the_run(&log(&serving)).len() >= 3));
    let lines = of_the_run(&log(&serving));
    let copy = lines
        .iter()
        .find(|line| line["copy"] == "UID 2")
        .expect("the copy that is too large");
    assert_eq!(
        (text_of(copy, "stage"), text_of(copy, "folder")),
        ("size", "INBOX"),
        "{copy:#}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line["message"] == "run ends" && line["archived"] == 1)
    );
    let said = serving.running.stderr();
    let encoded = base64(PASSWORD);
    assert!(!said.contains(PASSWORD) && !said.contains(&encoded), "{said}");
    serving.stop().expect(0);
}

fn text_of<'v>(line: &'v Value, field: &str) -> &'v str {
    line[field].as_str().unwrap_or_else(|| panic!("no {field} in {line:#}"))
}

fn base64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    STANDARD.encode(text)
}

/// How much there is of the log is changed by a signal, and by the configuration.
#[test]
fn the_level_of_the_log_is_changed_while_the_appliance_runs() {
    let server = Dovecot::start();
    let profile = Profile::new(&server, "imap");
    let text = configuration(&[(PROFILE, &profile, "")], "");
    let appliance = Appliance::new(DROPKEEP, &text);
    let serving = appliance.serve();
    let said = |words: &str| {
        log(&serving)
            .iter()
            .any(|line| line["message"].as_str().is_some_and(|it| it.contains(words)))
    };
    serving.running.signal(Signal::USR1);
    assert!(wait_for(SOON, || said("another level")));
    serving.running.signal(Signal::USR1);
    assert!(wait_for(SOON, || log(&serving)
        .iter()
        .filter(|line| line["level"] == "WARN")
        .count()
        == 2));
    let begun = |log: &[Value]| log.iter().filter(|line| line["message"] == "run begins").count();
    appliance.done(&["archive", PROFILE]);
    assert!(wait_for(SOON, || begun(&log(&serving)) == 1));
    appliance.configure(&format!("{text}[log]\nlevel = \"warn\"\nformat = \"human\"\n"));
    let reloaded = appliance.done(&["reload", "--json"]).json();
    assert_eq!(reloaded["needs_restart"][0], "log.format", "{reloaded:#}");
    appliance.done(&["archive", PROFILE]);
    appliance.configure(&text);
    appliance.done(&["reload"]);
    appliance.done(&["archive", PROFILE]);
    assert!(
        wait_for(SOON, || begun(&log(&serving)) == 2),
        "one of three was not to be logged"
    );
    assert_eq!(begun(&log(&serving)), 2);
    serving.stop().expect(0);
}

/// A user whom the configuration brings got the number of one whom mail had made and who was not on disk yet: whoever's
/// mail came with that one was filed for the other.
#[test]
fn users_that_a_reload_brings_and_those_that_mail_makes_are_not_mixed_up() {
    let server = Dovecot::start();
    let profile = Profile {
        recipients:
            "local_domains = [\"made.example\"]\nunknown = \"create\"\ncreate_limit = 100000\nsenders = false\n".into(),
        ..Profile::new(&server, "imap")
    };
    let appliance = Appliance::new(DROPKEEP, &configuration(&[(PROFILE, &profile, "")], ""));
    let serving = appliance.serve();
    let made = |number: usize| format!("To: made{number}@made.example\nSubject: made{number}\n\nmade{number}\n");
    server.deliver((0..2_000).map(made));
    let running = appliance.start(&["archive", PROFILE, "--json"]);
    let mut users = String::new();
    for number in 0..6 {
        users.push_str(&format!(
            "[[user]]\nname = \"brought{number}\"\naddresses = [\"brought{number}@example.org\"]\n"
        ));
        appliance.configure(&configuration(&[(PROFILE, &profile, "")], &users));
        appliance.done(&["reload"]);
    }
    let run = running.wait().expect(0).json();
    assert_eq!(number(&run, "archived"), 2_000, "{run:#}");
    let users = appliance.done(&["users", "--json"]).lines();
    for user in &users {
        let name = text(user, "name");
        if name.starts_with("brought") {
            assert_eq!(number(user, "messages"), 0, "{user:#}");
            assert_eq!(user["addresses"][0], format!("{name}@example.org"), "{user:#}");
        } else if name.contains("@made.example") {
            assert_eq!(
                (number(user, "messages"), &user["addresses"][0]),
                (1, &user["name"]),
                "{user:#}"
            );
        }
    }
    assert_eq!(
        users
            .iter()
            .filter(|user| text(user, "name").contains("@made.example"))
            .count(),
        2_000
    );
    serving.stop().expect(0);
}
