//! The running appliance: commands through its socket, HTTP, users, and an end when asked.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt};

use crate::support::{
    PATIENCE,
    appliance::{Appliance, OUTCOMES, PROFILE, Profile, assert_adds_up, number, text},
    dovecot::Dovecot,
    generator::{Mailbox, Settings, company, user_tables},
    identity::sha256,
    proxy::Proxy,
    pull, wait_for,
};
use rustix::process::Signal;
use serde_json::Value;

fn appliance(profile: &Profile) -> Appliance {
    Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), profile)
}

fn to_jane(number: usize) -> String {
    format!("From: a@sender.example\nTo: jane@example.com\nSubject: number {number}\n\nhello {number}\n")
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}

/// What one run counts whoever ran it. Which of two copies of a message is filed and which is the duplicate is
/// decided by which is ready first, so only their sum is fixed, and the filings.
fn counts(run: &Value) -> Vec<(&'static str, u64)> {
    let filed = number(run, "archived") + number(run, "duplicates");
    let names = OUTCOMES
        .into_iter()
        .filter(|name| !["archived", "duplicates"].contains(name))
        .chain(["seen", "unknown", "filings", "deleted", "bytes"]);
    [("filed", filed)]
        .into_iter()
        .chain(names.map(|name| (name, number(run, name))))
        .collect()
}

#[test]
fn a_run_inside_the_appliance_is_the_run_that_a_command_makes() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(300)));
    let alone = appliance(&Profile::new(&server, "imap"));
    let inside = appliance(&Profile::new(&server, "imap"));
    let serving = inside.serve();
    let runs = [&alone, &inside].map(|appliance| appliance.done(&["archive", PROFILE, "--json"]).json());
    runs.iter().for_each(assert_adds_up);
    assert_eq!(counts(&runs[0]), counts(&runs[1]));
    assert_eq!(keys(&runs[0]), keys(&runs[1]));
    assert_eq!(runs[0]["users"], runs[1]["users"]);
    let words = "run profile state started_at finished_at seen archived duplicates skipped excluded too_large \
                 vanished failed unknown filings deleted bytes users errors";
    let words: BTreeSet<_> = words.split_whitespace().collect();
    assert!(words.is_subset(&keys(&runs[0])), "{:#}", runs[0]);

    // Every other command gives the same, too.
    let subjects = |appliance: &Appliance| {
        let lists = appliance.lists().into_iter();
        lists
            .map(|(user, list)| {
                let mut subjects: Vec<_> = list.iter().map(|line| text(line, "subject").to_owned()).collect();
                subjects.sort_unstable();
                (user, subjects)
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(subjects(&alone), subjects(&inside));
    let messages = |appliance: &Appliance| {
        let users = appliance.done(&["users", "--json"]).lines();
        users
            .iter()
            .map(|user| (text(user, "name").to_owned(), number(user, "messages")))
            .collect::<Vec<_>>()
    };
    assert_eq!(messages(&alone), messages(&inside));
    let first = |appliance: &Appliance| appliance.done(&["list", "--user", "jane", "--json"]).lines().remove(0);
    let (left, right) = (first(&alone), first(&inside));
    assert_eq!(
        keys(&left),
        "id user date archived_at from to subject size folder sha256 why"
            .split(' ')
            .collect()
    );
    assert_eq!(left["subject"], right["subject"]);
    assert_eq!(sha256(&inside.raw(number(&right, "id"))), text(&right, "sha256"));
    let show = |appliance: &Appliance, line: &Value| {
        let id = number(line, "id").to_string();
        appliance.done(&["show", &id, "--json"]).json()
    };
    assert_eq!(keys(&show(&alone, &left)), keys(&show(&inside, &right)));
    for name in ["headers", "parts", "users"] {
        assert!(!show(&inside, &right)[name].is_null(), "show has {name}");
    }

    // The outcome of a failed command passes through the socket as well.
    for (command, code) in [
        (vec!["archive", "nothing"], 2),
        (vec!["raw", "99999"], 2),
        (vec!["list", "--user", "?"], 2),
    ] {
        inside.run(&command).expect(code);
    }
    assert_eq!(serving.stop().expect(0).code, Some(0));
    assert_eq!(
        subjects(&alone),
        subjects(&inside),
        "after it ended, commands open the store themselves"
    );
}

/// The value of a metric, summed over what `labels` leave open.
fn metric(page: &str, name: &str, labels: &[&str]) -> Option<f64> {
    let values: Vec<f64> = page
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .map(|line| line.rsplit(' ').next().expect("a value").parse().expect("a number"))
        .collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

#[test]
fn http_serves_metrics_and_health_and_no_mail() {
    let server = Dovecot::with((0..50).map(to_jane));
    let appliance = appliance(&Profile::new(&server, "imap"));
    let serving = appliance.serve();
    for page in ["/healthz", "/readyz"] {
        assert_eq!(serving.get(page).0, 200, "{page}");
    }
    appliance.done(&["archive", PROFILE]);
    let (status, page) = serving.get("/metrics");
    assert_eq!(status, 200);
    let profile = "profile=\"company\"";
    for (name, labels, value) in [
        ("dropkeep_copies_total", vec![profile, "outcome=\"archived\""], 50.0),
        ("dropkeep_filings_total", vec![], 50.0),
        ("dropkeep_runs_total", vec![profile, "state=\"completed\""], 1.0),
        ("dropkeep_run_seconds_count", vec![profile], 1.0),
        ("dropkeep_archive_messages", vec![], 50.0),
        ("dropkeep_inflight_bytes", vec![], 0.0),
        ("dropkeep_build_info", vec!["version="], 1.0),
    ] {
        assert_eq!(
            metric(&page, name, &labels),
            Some(value),
            "{name} {labels:?} in\n{page}"
        );
    }
    for name in [
        "dropkeep_commit_seconds_bucket",
        "dropkeep_fetched_bytes_total",
        "dropkeep_run_last_success_timestamp_seconds",
    ] {
        assert!(
            metric(&page, name, &[]).is_some_and(|value| value > 0.0),
            "{name} in\n{page}"
        );
    }
    assert!(!page.contains("@example.com"), "metrics name nobody's addresses");
    for page in ["/users", "/api/users", "/raw/1", "/list"] {
        assert_eq!(serving.get(page).0, 404, "{page}: TCP serves no mail");
    }
    serving.stop().expect(0);
}

#[test]
fn two_runs_of_one_profile_do_not_go_on_at_once() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(500)));
    let proxy = Proxy::to(server.ports.imap);
    let appliance = appliance(&Profile {
        port: proxy.port,
        ..Profile::new(&server, "imap")
    });
    let serving = appliance.serve();
    proxy.hold_after(500_000);
    let first = appliance.start(&["archive", PROFILE, "--json"]);
    proxy.wait_until_held();
    let second = appliance.run(&["archive", PROFILE, "--json"]).expect(1);
    assert!(second.stderr.contains(PROFILE), "{}", second.stderr);
    // Everything else goes on meanwhile.
    appliance.done(&["users", "--json"]);
    assert_eq!(serving.get("/healthz").0, 200);
    proxy.open();
    assert_eq!(number(&first.wait().expect(0).json(), "seen"), 500);
    serving.stop().expect(0);
}

#[test]
fn an_appliance_told_to_end_in_a_run_commits_what_it_has() {
    let server = Dovecot::start();
    let bytes = server.deliver(Mailbox::new(Settings::messages(1_000)));
    let proxy = Proxy::to(server.ports.imap);
    let appliance = appliance(&Profile {
        port: proxy.port,
        ..Profile::new(&server, "imap")
    });
    let serving = appliance.serve();
    proxy.hold_after(bytes * 6 / 10);
    let archive = appliance.start(&["archive", PROFILE, "--json"]);
    proxy.wait_until_read();
    serving.running.signal(Signal::TERM);
    serving.running.wait().expect(0);
    assert_ne!(archive.wait().code, Some(0), "the run did not complete");
    let run = appliance.done(&["protocols", "--json"]).lines().remove(0);
    assert_eq!(text(&run, "state"), "interrupted", "{run:#}");
    assert!(number(&run, "archived") > 250, "{run:#}");
    proxy.open();
    let rest = appliance.done(&["archive", PROFILE, "--json"]).json();
    let done = |run: &Value| number(run, "archived") + number(run, "duplicates");
    assert_eq!(done(&run) + done(&rest), 1_000, "{run:#}\n{rest:#}");
}

/// The count of the mail for its users, which begins with it, and its end waited for each other.
#[test]
fn an_appliance_told_to_end_as_soon_as_it_is_ready_ends() {
    for _ in 0..20 {
        let appliance = Appliance::new(
            env!("CARGO_BIN_EXE_dropkeep"),
            "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n",
        );
        appliance.serve().stop().expect(0);
    }
}

#[test]
fn users_are_added_renamed_and_retired() {
    let server = Dovecot::with((0..3).map(|n| to_jane(n).replace("jane@", "newcomer@")));
    let appliance = appliance(&Profile::new(&server, "imap"));
    let user = |name: &str| {
        let users = appliance.done(&["users", "--json"]).lines();
        users.into_iter().find(|user| user["name"] == name)
    };
    appliance.done(&[
        "users",
        "add",
        "newcomer",
        "newcomer@example.com",
        "new.comer@example.com",
    ]);
    assert_eq!(
        keys(&user("jane").expect("jane")),
        "name addresses managed retired messages bytes".split(' ').collect()
    );
    assert_eq!(user("jane").expect("jane")["managed"], true);
    let added = user("newcomer").expect("the new user");
    assert_eq!(
        (added["managed"].clone(), added["retired"].clone()),
        (false.into(), false.into())
    );
    assert_eq!(added["addresses"].as_array().map(Vec::len), Some(2));
    appliance.done(&["archive", PROFILE]);
    assert_eq!(number(&user("newcomer").expect("the new user"), "messages"), 3);

    // Names and addresses that are taken, and users whom the configuration manages.
    for command in [
        vec!["users", "add", "jane", "other@example.com"],
        vec!["users", "add", "newcomer", "other@example.com"],
        vec!["users", "add", "other", "jane@example.com"],
        vec!["users", "add", "other", "no-address"],
        vec!["users", "add", "@catchall", "other@example.com"],
        vec!["users", "rename", "jane", "joan"],
        vec!["users", "rename", "nobody-of-that-name", "joan"],
        vec!["users", "rename", "newcomer", "john"],
        vec!["users", "retire", "jane"],
        vec!["users", "retire", "@catchall"],
    ] {
        appliance.run(&command).expect(2);
    }

    appliance.done(&["users", "rename", "newcomer", "regular"]);
    assert!(user("newcomer").is_none());
    assert_eq!(number(&user("regular").expect("renamed"), "messages"), 3);

    appliance.done(&["users", "retire", "regular"]);
    assert_eq!(user("regular").expect("retired")["retired"], true);
    server.deliver([to_jane(9).replace("jane@", "newcomer@")]);
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(
        number(&run["users"]["@catchall"], "archived"),
        1,
        "no new filings: {run:#}"
    );
    assert_eq!(
        appliance.done(&["list", "--user", "regular", "--json"]).lines().len(),
        3,
        "the archive stays"
    );
}

#[test]
fn a_user_who_leaves_the_configuration_is_retired() {
    let server = Dovecot::with([to_jane(1)]);
    let profile = Profile::new(&server, "imap");
    let appliance = appliance(&profile);
    appliance.done(&["archive", PROFILE]);
    let without_jane: Vec<_> = company().into_iter().filter(|person| person.name != "jane").collect();
    appliance.configure(&(user_tables(&without_jane) + &profile.toml()));
    server.deliver([to_jane(2)]);
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&run["users"]["@catchall"], "archived"), 1, "{run:#}");
    let users = appliance.done(&["users", "--json"]).lines();
    let jane = users.iter().find(|user| user["name"] == "jane").expect("jane");
    assert_eq!((jane["retired"].clone(), number(jane, "messages")), (true.into(), 1));
    // And back again.
    appliance.configure(&(user_tables(&company()) + &profile.toml()));
    server.deliver([to_jane(3)]);
    appliance.done(&["archive", PROFILE]);
    assert_eq!(appliance.done(&["list", "--user", "jane", "--json"]).lines().len(), 2);
}

#[test]
fn protocols_are_kept_newest_first_and_one_is_shown_in_full() {
    let server = Dovecot::with([to_jane(1)]);
    let appliance = appliance(&Profile::new(&server, "pop3"));
    let first = appliance.done(&["archive", PROFILE, "--json"]).json();
    server.deliver([to_jane(2)]);
    let second = appliance.done(&["archive", PROFILE, "--json"]).json();
    let protocols = appliance.done(&["protocols", "--json"]).lines();
    let runs: Vec<_> = protocols.iter().map(|run| number(run, "run")).collect();
    assert_eq!(runs, [number(&second, "run"), number(&first, "run")]);
    let in_full = appliance
        .done(&["protocols", &number(&first, "run").to_string(), "--json"])
        .json();
    assert_eq!(in_full, first, "a protocol is what the run said");
    for time in ["started_at", "finished_at"] {
        let written = text(&first, time);
        assert!(
            written.ends_with('Z') && written.parse::<jiff::Timestamp>().is_ok(),
            "{time}: {written}"
        );
    }
    // For people, too.
    assert!(appliance.done(&["protocols"]).text().contains(PROFILE));
    let newest = appliance
        .done(&["list", "--user", "jane", "--newest", "1", "--json"])
        .lines();
    assert_eq!(newest.len(), 1);
}

#[test]
fn test_connects_looks_and_stores_nothing() {
    let server =
        Dovecot::with((0..5).map(|n| format!("Delivered-To: jane@example.com\nReceived: x; y\n{}", to_jane(n))));
    for access in ["imap", "imap-tls", "imap-ssl", "pop3", "pop3-tls", "pop3-ssl"] {
        let appliance = appliance(&Profile::new(&server, access));
        let test = appliance.done(&["test", PROFILE, "--json"]).json();
        assert_eq!(
            (test["ok"].clone(), text(&test, "profile")),
            (true.into(), PROFILE.into()),
            "{access}: {test:#}"
        );
        assert!(
            test["steps"]
                .as_array()
                .is_some_and(|steps| steps.iter().all(|step| step["ok"] == true)),
            "{test:#}"
        );
        assert_eq!(test["tls"].is_object(), access.len() > 4, "{access}: {test:#}");
        assert_eq!(test["folders"][0]["name"], "INBOX", "{access}: {test:#}");
        assert_eq!(test["folders"][0]["messages"], 5, "{access}: {test:#}");
        assert_eq!(test["envelope_headers"]["Delivered-To"], 5, "{access}: {test:#}");
        assert!(
            !test["capabilities"].as_array().expect("capabilities").is_empty(),
            "{access}: {test:#}"
        );
        assert!(
            !appliance.data().exists(),
            "{access}: a test is no run, and makes no archive"
        );
    }
}

#[test]
fn nobody_else_on_the_machine_reads_mail() {
    let server = Dovecot::with([to_jane(1)]);
    let appliance = appliance(&Profile::new(&server, "imap"));
    let serving = appliance.serve();
    let mode = |path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(appliance.data()), 0o700);
    assert_eq!(mode(appliance.data().join("control.sock")), 0o600);
    serving.stop().expect(0);
}

#[test]
fn the_appliance_keeps_the_schedule() {
    let server = Dovecot::with([to_jane(1)]);
    let profile = Profile::new(&server, "imap");
    let scheduled = profile
        .toml()
        .replacen("[profile.server]", "schedule = \"every 1s\"\n[profile.server]", 1);
    let appliance = Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &(user_tables(&company()) + &scheduled));
    let serving = appliance.serve();
    for expected in [1, 2] {
        let came = || appliance.done(&["list", "--user", "jane", "--json"]).lines().len() == expected;
        assert!(
            wait_for(PATIENCE, came),
            "no run without being asked\n{}",
            serving.running.stderr()
        );
        server.deliver([to_jane(2)]);
    }
    serving.stop().expect(0);
}

/// While nothing is to be deleted, an IMAP mailbox is only looked at. (RETR marks a message as seen
/// in Dovecot, so POP3 cannot be held to that.)
#[test]
fn a_mailbox_is_left_as_it_was() {
    let server = Dovecot::with((0..20).map(to_jane));
    let before = pull::messages(&server, "imap");
    appliance(&Profile::new(&server, "imap")).done(&["archive", PROFILE]);
    assert_eq!(server.flags_set(), 0, "nothing is marked as seen");
    appliance(&Profile::new(&server, "pop3")).done(&["archive", PROFILE]);
    assert_eq!(pull::messages(&server, "imap"), before);
}
