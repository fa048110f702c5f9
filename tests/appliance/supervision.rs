//! Runs that go wrong and go on: lost connections, stalled servers, profiles that fail and are tried again, new mail
//! that the server announces, hours in which nothing runs.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
    dovecot::{Dovecot, MAILBOX},
    generator::{Mailbox, Settings, company, user_tables},
    listening::{Listening, refusing},
    proxy::Proxy,
    pull::Client,
    running::Serving,
    wait_for,
};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(30);

/// The made-up company's users and a profile, `more` among the profile's own keys and `tables` behind it.
fn configure(appliance: &Appliance, profile: &Profile, more: &str, tables: &str) {
    let profile = profile
        .toml()
        .replacen("[profile.server]", &format!("{more}\n[profile.server]"), 1);
    appliance.configure(&format!("{}{profile}{tables}", user_tables(&company())));
}

fn appliance(profile: &Profile, more: &str, tables: &str) -> Appliance {
    let appliance = Appliance::for_company(env!("CARGO_BIN_EXE_dropkeep"), profile);
    configure(&appliance, profile, more, tables);
    appliance
}

fn archive(appliance: &Appliance, code: i32) -> Value {
    let run = appliance.run(&["archive", PROFILE, "--json"]).expect(code).json();
    assert_adds_up(&run);
    run
}

fn status(appliance: &Appliance) -> Value {
    appliance.done(&["status", "--json"]).lines().remove(0)
}

fn protocols(appliance: &Appliance) -> Vec<Value> {
    appliance.done(&["protocols", "--json"]).lines()
}

/// The connection is cut again and again, and the run goes on where it stood each time.
#[test]
fn a_run_whose_connections_are_cut_archives_everything_all_the_same() {
    for access in ["imap", "pop3"] {
        let server = Dovecot::start();
        let bytes = server.deliver(Mailbox::new(Settings::messages(1_000)));
        let proxy = Proxy::to(server.ports.of(access));
        let profile = Profile {
            port: proxy.port,
            ..Profile::new(&server, access)
        };
        let appliance = appliance(&profile, "", "");
        proxy.cut_after(bytes / 5);
        let running = appliance.start(&["archive", PROFILE, "--json"]);
        // Cut twice, and open again when it is.
        for part in [3, 0] {
            proxy.wait_until_cut();
            match part {
                0 => proxy.open(),
                part => proxy.cut_after(bytes / part),
            }
        }
        let run = running.wait().expect(0).json();
        assert_adds_up(&run);
        assert_eq!(text(&run, "state"), "completed", "{run:#}");
        assert_eq!(number(&run, "seen"), 1_000, "each copy has one outcome: {run:#}");
        let notices = run["notices"].to_string();
        assert!(notices.contains("re-established"), "{notices}");
        assert_eq!(number(&archive(&appliance, 0), "seen"), 0);
    }
}

#[test]
fn several_connections_share_the_work() {
    let server = Dovecot::start();
    server.deliver(Mailbox::new(Settings::messages(3_000)));
    for (folder, subject) in [("Sent", "a"), ("Projekte", "b"), ("Projekte.Süd", "c")] {
        let folder = if folder.is_ascii() {
            folder.to_owned()
        } else {
            "Projekte.S&APw-d".to_owned()
        };
        let messages = (0..40).map(|n| format!("To: jane@example.com\nSubject: {subject} {n}\n\nx\n"));
        server.deliver_to(MAILBOX, &folder, messages);
    }
    let profile = Profile::new(&server, "imap");
    let appliance = appliance(&profile, "connections = 4", "[profile.folders]\ninclude = [\"*\"]\n");
    let run = archive(&appliance, 0);
    assert_eq!(number(&run, "seen"), 3_120, "{run:#}");
    assert_eq!(number(&archive(&appliance, 0), "seen"), 0);
    let folders: std::collections::BTreeSet<String> = appliance
        .done(&["list", "--user", "jane", "--json"])
        .lines()
        .iter()
        .map(|line| text(line, "folder"))
        .collect();
    assert!(
        folders.contains("Projekte.Süd") || folders.contains("Projekte/Süd"),
        "{folders:?}"
    );
}

/// The server takes three sessions, and others have two of them.
#[test]
fn a_server_with_too_few_connections_is_archived_over_fewer() {
    let server = Dovecot::start_with("protocol imap {\n mail_max_userip_connections = 3\n}");
    server.deliver(Mailbox::new(Settings::messages(3_000)));
    let _others = [(); 2].map(|()| {
        let mut other = Client::imap(server.ports.imap);
        other.command("EXAMINE INBOX");
        other
    });
    let profile = Profile::new(&server, "imap");
    let appliance = appliance(&profile, "connections = 6", "");
    let run = archive(&appliance, 0);
    assert_eq!((number(&run, "seen"), number(&run, "failed")), (3_000, 0), "{run:#}");
    assert!(run["notices"].to_string().contains("connections at once"), "{run:#}");
}

#[test]
fn new_mail_is_archived_within_seconds() {
    let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
    let appliance = appliance(&Profile::new(&server, "imap"), "schedule = \"continuous\"", "");
    let serving = appliance.serve();
    // Where nobody listened, it would be looked for once a minute.
    let seconds = Duration::from_secs(45);
    let listed = |count: usize| {
        wait_for(seconds, || {
            appliance.done(&["list", "--user", "jane", "--json"]).lines().len() >= count
        })
    };
    assert!(listed(1), "{}", serving.running.stderr());
    // The run that saw the first is over, and the server is listened to.
    for number in 2..5 {
        let delivered = Instant::now();
        server.deliver([format!("To: jane@example.com\nSubject: {number}\n\n{number}\n")]);
        assert!(listed(number), "{}", serving.running.stderr());
        assert!(delivered.elapsed() < seconds, "{:?}", delivered.elapsed());
    }
    serving.stop().expect(0);
}

/// A source that does not answer: the profile is tried again, shown as failing, and recovers by itself.
#[test]
fn a_profile_that_fails_says_since_when_and_why_and_the_others_go_on() {
    let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
    let nobody = refusing();
    let bad = Profile {
        port: nobody.port,
        ..Profile::new(&server, "imap")
    };
    let good = Profile::new(&server, "pop3").toml();
    let good =
        good.replacen(PROFILE, "other", 1)
            .replacen("[profile.server]", "schedule = \"every 1s\"\n[profile.server]", 1);
    let appliance = appliance(&bad, "schedule = \"every 1s\"", &good);
    let serving = appliance.serve();
    let began = Instant::now();
    let failed = wait_for(SOON, || status(&appliance)["failing"]["times"].as_u64().is_some());
    assert!(failed, "{}", serving.running.stderr());
    let standing = status(&appliance);
    assert!(text(&standing["failing"], "why").contains("refused"), "{standing:#}");
    assert!(standing["failing"]["since"].is_string());
    let others = wait_for(SOON, || {
        let runs = protocols(&appliance);
        runs.iter()
            .filter(|run| run["profile"] == "other" && run["state"] == "completed")
            .count()
            >= 3
    });
    assert!(
        others,
        "one profile's trouble touched another's: {}",
        serving.running.stderr()
    );
    let of_bad = protocols(&appliance)
        .iter()
        .filter(|run| run["profile"] == PROFILE)
        .count();
    // Half a minute after the first time, and a minute after the second.
    let most = 2 + began.elapsed().as_secs() / 60;
    assert!(of_bad as u64 <= most, "it is left alone for a while: {of_bad}");
    // By hand it is tried at once, unless the schedule does so just now.
    for _ in 0..3 {
        let tried = wait_for(SOON, || {
            let ended = appliance.run(&["archive", PROFILE]);
            if ended.code == Some(1) && ended.stderr.contains("is already going on") {
                return false;
            }
            ended.expect(3);
            true
        });
        assert!(tried);
    }
    assert_eq!(text(&status(&appliance), "state"), "failing");
    let (_, metrics) = serving.get("/metrics");
    assert!(
        metrics.contains(&format!(
            "dropkeep_profile_state{{profile=\"{PROFILE}\",state=\"failing\"}} 1"
        )),
        "{metrics}"
    );
    serving.stop().expect(0);
}

/// A server that sends a byte now and then is never silent, and gets nowhere.
#[test]
fn a_run_that_makes_no_progress_is_given_up() {
    let server = Dovecot::start();
    let slow = Listening::trickling(Duration::from_millis(200));
    let profile = Profile {
        port: slow.port,
        ..Profile::new(&server, "imap")
    };
    let appliance = appliance(&profile, "stall_timeout = \"3s\"", "");
    let serving = appliance.serve();
    let outcome = appliance.run(&["archive", PROFILE, "--json"]).expect(1);
    assert!(outcome.took < Duration::from_secs(20), "{:?}", outcome.took);
    let run = protocols(&appliance).remove(0);
    assert_eq!(text(&run, "state"), "failed", "{run:#}");
    assert!(run["errors"].to_string().contains("stall_timeout"), "{run:#}");
    let (_, metrics) = serving.get("/metrics");
    let restarts = format!("dropkeep_supervisor_restarts_total{{profile=\"{PROFILE}\",cause=\"stall\"}} 1");
    assert!(metrics.contains(&restarts), "{metrics}");
    // The fresh profile runs again.
    let again = wait_for(SOON, || {
        appliance.run(&["archive", PROFILE, "--json"]).code == Some(1) && protocols(&appliance).len() > 1
    });
    assert!(again);
    serving.stop().expect(0);
}

/// Whoever asked for a run that was given up, or whose profile died, was answered while its protocol was still being
/// stored, and found it running. Here the store takes two seconds for that.
#[test]
fn a_run_that_was_given_up_was_answered_before_its_protocol_was_stored() {
    let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
    let slow = Listening::trickling(Duration::from_millis(200));
    for (what, fault) in [("stall_timeout", ""), ("stopped (panic)", "counting:panic,")] {
        let good = Profile::new(&server, "imap");
        let profile = match what {
            "stall_timeout" => Profile {
                port: slow.port,
                ..good
            },
            _ => good,
        };
        let appliance = appliance(&profile, "stall_timeout = \"3s\"", "");
        let mut command = appliance.command(&["serve"]);
        command.env("DROPKEEP_FAULT", format!("{fault}protocol-storing:slow"));
        let serving = appliance.serve_as(command);
        appliance.run(&["archive", PROFILE, "--json"]).expect(1);
        let run = protocols(&appliance).remove(0);
        assert_eq!(text(&run, "state"), "failed", "{run:#}");
        assert!(run["errors"].to_string().contains(what), "{run:#}");
        assert!(serving.stop().expect(0).stderr.contains("protocol-storing is reached"));
    }
}

#[test]
fn in_the_hours_of_the_pause_nothing_runs_but_by_hand() {
    let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
    let now = jiff::Zoned::now().time();
    let at = |hours: i64| {
        (now + jiff::SignedDuration::from_hours(hours))
            .strftime("%H:%M")
            .to_string()
    };
    let (before, after) = (at(-1), at(1));
    let running = |pause: &str| {
        let more = format!("schedule = \"every 1s\"\npause = \"{pause}\"");
        let appliance = appliance(&Profile::new(&server, "imap"), &more, "");
        let serving = appliance.serve();
        (appliance, serving)
    };
    let (paused, serving) = running(&format!("{before}-{after}"));
    let (other, others) = running(&format!("{after}-{before}"));
    let ran = wait_for(SOON, || protocols(&other).len() >= 3);
    assert!(ran, "outside the pause it runs: {}", others.running.stderr());
    assert_eq!(protocols(&paused).len(), 0, "{}", serving.running.stderr());
    let run = archive(&paused, 0);
    assert_eq!(number(&run, "seen"), 1);
    serving.stop().expect(0);
    others.stop().expect(0);
}

/// Five hundred of them took 80 MB.
#[test]
fn each_profile_that_waited_had_a_thread() {
    let server = Dovecot::with(["To: jane@example.com\nSubject: first\n\nx\n"]);
    let profile = Profile::new(&server, "imap");
    let more: String = (0..20)
        .map(|nth| profile.toml().replacen(PROFILE, &format!("{PROFILE} {nth}"), 1))
        .collect();
    let arbiters = |serving: &Serving| {
        let tasks = fs::read_dir(format!("/proc/{}/task", serving.running.id())).unwrap();
        let names = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default());
        names.filter(|name| name.starts_with("actix-rt")).count()
    };
    let few = appliance(&profile, "", "");
    let few = few.serve();
    let appliance = appliance(&profile, "", &more);
    let serving = appliance.serve();
    let as_few = || wait_for(SOON, || arbiters(&serving) == arbiters(&few));
    assert!(as_few(), "{} and {}", arbiters(&serving), arbiters(&few));
    archive(&appliance, 0);
    assert!(as_few(), "{} and {}", arbiters(&serving), arbiters(&few));
    few.stop().expect(0);
    serving.stop().expect(0);
}

#[test]
fn what_is_excluded_stays_and_is_counted() {
    let server = Dovecot::with([
        "To: jane@example.com\nSubject: kept\n\nx\n".to_owned(),
        "To: jane@example.com\nX-Spam-Flag: YES\nSubject: spam\n\nx\n".to_owned(),
        format!("To: jane@example.com\nSubject: large\n\n{}\n", "x".repeat(30_000)),
        "Date: Mon, 1 Jan 2001 00:00:00 +0000\nTo: jane@example.com\nSubject: old\n\nx\n".to_owned(),
    ]);
    for access in ["imap", "pop3"] {
        let older = if access == "pop3" { "older_than = \"10y\"\n" } else { "" };
        let flags = if access == "imap" {
            "flags = [\"\\\\Flagged\"]\n"
        } else {
            ""
        };
        let flagged = if access == "imap" { server.flag(1) as u64 } else { 0 };
        let tables =
            format!("[profile.exclude]\nlarger_than = \"20 KiB\"\nheaders = [\"X-Spam-Flag: yes\"]\n{older}{flags}");
        let appliance = appliance(&Profile::new(&server, access), "", &tables);
        let run = archive(&appliance, 0);
        let excluded = 2 + u64::from(!older.is_empty()) + flagged;
        assert_eq!(
            (number(&run, "seen"), number(&run, "excluded")),
            (4, excluded),
            "{access}: {run:#}"
        );
        let dry = appliance.done(&["archive", PROFILE, "--dry-run", "--json"]).json();
        assert_eq!(
            (number(&dry, "seen"), number(&dry, "excluded")),
            (4, excluded),
            "{access}: {dry:#}"
        );
        // Judged again each time; what the rules no longer exclude is archived.
        let again = archive(&appliance, 0);
        assert_eq!(
            (number(&again, "seen"), number(&again, "excluded")),
            (excluded, excluded)
        );
        configure(&appliance, &Profile::new(&server, access), "", "");
        assert_eq!(number(&archive(&appliance, 0), "seen"), excluded);
    }
}

#[test]
fn special_folders_are_left_out_by_what_they_are_for() {
    let server = Dovecot::start_with(
        "namespace inbox {\n inbox = yes\n mailbox Junk {\n special_use = \\Junk\n }\n mailbox Trash {\n special_use = \\Trash\n }\n}",
    );
    let deliver = |folder: &str| {
        let message = format!("To: jane@example.com\nSubject: {folder}\n\n{folder}\n");
        server.deliver_to(MAILBOX, folder, [message]);
    };
    ["INBOX", "Junk", "Trash", "Sent"].into_iter().for_each(deliver);
    let tables = "[profile.folders]\ninclude = [\"*\"]\nexclude = [\"\\\\Junk\", \"\\\\trash\"]\n";
    let appliance = appliance(&Profile::new(&server, "imap"), "", tables);
    let run = archive(&appliance, 0);
    assert_eq!(number(&run, "seen"), 2, "{run:#}");
}
