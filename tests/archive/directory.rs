//! For whom an address is: lists, domain aliases, patterns, disabled users, and a users file that changes while an
//! appliance runs, on mail of a real server.

use std::{fs, time::Duration};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, number, text},
    dovecot::Dovecot,
    wait_for,
};
use serde_json::Value;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const SOON: Duration = Duration::from_secs(30);

const DIRECTORY: &str = r#"
[domain_aliases]
"example.net" = "example.com"

[[list]]
address = "sales@example.com"
users = ["jane", "bob", "old", "added"]
"#;

const USERS: &str = "name,addresses\n# The staff\njane,jane@example.com\nbob,bob@example.com,*@*.shop.example.com\n\
                     old,old@example.com,!disabled\n";

fn to(address: &str) -> String {
    format!("From: a@sender.example\nTo: {address}\nSubject: for {address}\n\nhello\n")
}

/// An appliance with a users file.
fn appliance(server: &Dovecot, users: &str) -> Appliance {
    let appliance = Appliance::new(DROPKEEP, "");
    write_users(&appliance, users);
    let profile = Profile::new(server, "imap").toml();
    appliance.configure(&format!("users_file = \"users.csv\"\n{DIRECTORY}{profile}"));
    appliance
}

fn write_users(appliance: &Appliance, users: &str) {
    fs::write(appliance.config().with_file_name("users.csv"), users).expect("the users file");
}

/// To whom a run filed how many; those who got none are left out.
fn filed(run: &Value) -> Vec<(String, u64)> {
    assert_adds_up(run);
    let users = run["users"].as_object().expect("users").iter();
    users
        .map(|(name, counts)| (name.clone(), number(counts, "archived")))
        .collect()
}

fn expect(run: &Value, users: &[(&str, u64)]) {
    let mut users: Vec<_> = users.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    users.sort();
    assert_eq!(filed(run), users, "{run:#}");
}

fn archive(appliance: &Appliance) -> Value {
    appliance.done(&["archive", PROFILE, "--json"]).json()
}

fn names(appliance: &Appliance, retired: bool) -> Vec<String> {
    let users = appliance.done(&["users", "--json"]).lines();
    let chosen = users.iter().filter(|user| user["retired"] == retired);
    chosen.map(|user| text(user, "name")).collect()
}

fn metric(page: &str, name: &str) -> Option<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.map(|value| value.parse().expect("a number"))
}

#[test]
fn a_users_file_that_changes_while_the_appliance_runs() {
    let server = Dovecot::with(
        [
            "Sales+x@example.net",
            "jane@example.net",
            "x@a.shop.example.com",
            "old@example.com",
        ]
        .map(to),
    );
    let appliance = appliance(&server, USERS);
    let serving = appliance.serve();
    let run = archive(&appliance);
    expect(&run, &[("jane", 2), ("bob", 2), ("@catchall", 1)]);
    assert_eq!(run["unknown_addresses"]["old@example.com"], 1, "{run:#}");
    assert_eq!(names(&appliance, true), ["old"]);
    let refused = appliance.run(&["users", "retire", "jane"]).expect(2);
    assert!(refused.stderr.contains("users_file"), "{}", refused.stderr);

    // Somebody comes, somebody goes, a pattern changes hands; the mail right after it goes by the new file.
    write_users(
        &appliance,
        "jane,jane@example.com,*@*.shop.example.com\neve,eve@example.com;e@example.com\n",
    );
    server.deliver(
        [
            "sales@example.com",
            "e@example.com",
            "y@a.shop.example.com",
            "bob@example.com",
        ]
        .map(to),
    );
    let run = archive(&appliance);
    expect(&run, &[("jane", 2), ("eve", 1), ("@catchall", 1)]);
    let gone = "user \"bob\" is no longer in users.csv and is retired: nothing more is filed for this user";
    assert_eq!(run["notices"][0], gone, "{run:#}");
    assert_eq!(run["unknown_addresses_retired"]["bob@example.com"], "bob", "{run:#}");
    let words = appliance.done(&["protocols", &number(&run, "run").to_string()]).text();
    assert!(
        words.contains("bob@example.com belongs to bob, who is retired (1 message)"),
        "{words}"
    );
    assert_eq!(names(&appliance, true), ["bob", "old"]);
    // Without a run it is noticed as well.
    write_users(
        &appliance,
        "jane,jane@example.com\neve,eve@example.com\nlate,late@example.com\n",
    );
    let noticed = wait_for(SOON, || names(&appliance, false).contains(&"late".to_owned()));
    assert!(noticed, "{}", serving.running.stderr());
    assert_eq!(
        metric(&serving.get("/metrics").1, "dropkeep_directory_users_file_ok"),
        Some(1.0)
    );

    // A bad line changes nothing, and every run says so.
    let before = names(&appliance, false);
    write_users(&appliance, "jane,jane@example.com\nlate,jane@example.com\n");
    for n in 0..2 {
        server.deliver([to("eve@example.com"), to(&format!("nobody{n}@example.com"))]);
        let run = archive(&appliance);
        assert_eq!(text(&run, "state"), "completed");
        let notices = run["notices"].as_array().expect("notices");
        let notice = notices.iter().find_map(Value::as_str).unwrap_or_default();
        assert!(notice.contains("users.csv, line 2: jane@example.com"), "{run:#}");
        assert!(filed(&run).iter().any(|(name, _)| name == "eve") || n > 0, "{run:#}");
    }
    assert_eq!(names(&appliance, false), before);
    let page = serving.get("/metrics").1;
    assert_eq!(metric(&page, "dropkeep_directory_errors_total"), Some(1.0));
    assert_eq!(metric(&page, "dropkeep_directory_users_file_ok"), Some(0.0));
    assert!(
        serving.running.stderr().contains("line 2"),
        "{}",
        serving.running.stderr()
    );

    // Put right, it counts, and no run says anything more.
    write_users(&appliance, "jane,jane@example.com,late@example.com\n");
    server.deliver([to("late@example.com")]);
    let run = archive(&appliance);
    expect(&run, &[("jane", 1)]);
    let gone = "2 users are no longer in users.csv and are retired: eve, late; nothing more is filed for them";
    assert_eq!(run["notices"], serde_json::json!([gone]), "{run:#}");
    assert!(serving.running.stderr().contains(gone), "{}", serving.running.stderr());
    server.deliver([to("jane@example.com")]);
    let run = archive(&appliance);
    assert_eq!(run["notices"], serde_json::json!([]), "it is said once: {run:#}");
    assert_eq!(
        metric(&serving.get("/metrics").1, "dropkeep_directory_users_file_ok"),
        Some(1.0)
    );
    serving.stop().expect(0);
}

#[test]
fn a_cut_off_users_file_retired_users_in_silence() {
    let server = Dovecot::with([to("jane@example.com")]);
    let appliance = appliance(&server, USERS);
    archive(&appliance);
    let serving = appliance.serve();
    write_users(&appliance, "bob,bob@example.com\n");
    let gone = "user \"jane\" is no longer in users.csv and is retired";
    assert!(
        wait_for(SOON, || appliance.done(&["status"]).text().contains(gone)),
        "{}",
        appliance.done(&["status"]).text()
    );
    let checked = appliance.check(&[]).expect(1);
    assert!(
        checked.text().contains("DROPKEEP WARNING") && checked.text().contains(gone),
        "{}",
        checked.text()
    );
    assert!(
        appliance
            .done(&["status"])
            .text()
            .contains("1 user (2 more are retired)")
    );
    serving.stop().expect(0);
    // It outlives the appliance, until a protocol has said it.
    let run = archive(&appliance);
    assert!(run["notices"].to_string().contains("no longer in users.csv"), "{run:#}");
    assert_eq!(archive(&appliance)["notices"], serde_json::json!([]));
}

#[test]
fn a_command_that_reads_swallowed_the_notice_about_a_new_users_mail() {
    let server = Dovecot::with([to("carol@example.com"), to("jane@example.com")]);
    let appliance = appliance(&server, USERS);
    archive(&appliance);
    write_users(&appliance, &format!("{USERS}carol,carol@example.com\n"));
    for command in [
        &["users"][..],
        &["list", "--user", "jane"],
        &["status"],
        &["reroute", "--dry-run"],
    ] {
        appliance.done(command);
    }
    let status = appliance.done(&["status"]).text();
    assert!(status.contains("new addresses of carol"), "{status}");
    let run = archive(&appliance);
    assert!(run["notices"].to_string().contains("1 is for carol"), "{run:#}");
    assert_eq!(archive(&appliance)["notices"], serde_json::json!([]), "it is said once");
    assert!(!appliance.done(&["status"]).text().contains("carol"));

    let more = "eve,jane@example.com\njane,j@example.com\nbob,bob@example.com\ncarol,carol@example.com\n";
    write_users(&appliance, more);
    appliance.done(&["users"]);
    appliance.done(&["reroute"]);
    let run = archive(&appliance);
    assert!(
        !run["notices"].to_string().contains("not filed yet"),
        "it was filed: {run:#}"
    );
}

#[test]
fn reload_right_after_a_change_of_the_users_file_said_that_nothing_changed() {
    let server = Dovecot::with([to("carol@example.com"), to("jane@example.com")]);
    let appliance = appliance(&server, USERS);
    archive(&appliance);
    let serving = appliance.serve();
    write_users(
        &appliance,
        "jane,jane@example.com,j@example.com\ncarol,carol@example.com\n",
    );
    let said = appliance.done(&["reload"]).text();
    for line in [
        "1 user added: carol",
        "1 user changed: jane",
        "1 user retired: bob",
        "1 is for carol",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let said = appliance.done(&["reload"]).text();
    assert_eq!(
        said,
        "the configuration was read again; no profile and no user changed\n"
    );

    // Refused, and put right without another reload.
    write_users(&appliance, "jane,jane\n");
    appliance.run(&["reload"]).expect(2);
    appliance.check(&[]).expect(1);
    write_users(
        &appliance,
        "jane,jane@example.com,j@example.com\ncarol,carol@example.com\n",
    );
    archive(&appliance);
    assert!(!appliance.check(&[]).text().contains("refused"));
    assert!(!appliance.done(&["status"]).text().contains("refused"));

    // Other rules are for mail to come.
    let configuration = fs::read_to_string(appliance.config()).expect("the configuration");
    let section = "[profile.recipients]\n";
    let changed = configuration.replace(section, &format!("{section}senders = false\n"));
    fs::write(appliance.config(), changed).expect("written");
    let said = appliance.done(&["reload"]).text();
    assert!(
        said.contains("dropkeep reroute --dry-run shows what they would file"),
        "{said}"
    );
    serving.stop().expect(0);
}

#[test]
fn a_user_of_the_file_could_not_be_renamed_without_a_second_archive() {
    let server = Dovecot::with([to("jane@example.com")]);
    let appliance = appliance(&server, USERS);
    archive(&appliance);
    let serving = appliance.serve();
    let refused = appliance.run(&["users", "rename", "jane", "Jane Doe"]).expect(2);
    assert!(
        refused.stderr.contains("first change the name there to \"Jane Doe\""),
        "{}",
        refused.stderr
    );
    write_users(&appliance, &USERS.replace("jane,", "Jane Doe,"));
    appliance.done(&["reload"]);
    let said = appliance.done(&["users", "rename", "jane", "Jane Doe"]).text();
    assert_eq!(
        said,
        "user \"jane\" is now named \"Jane Doe\"; the archive is the same\n"
    );
    server.deliver([to("jane+again@example.com")]);
    let run = archive(&appliance);
    expect(&run, &[("Jane Doe", 1)]);
    assert_eq!(run["notices"], serde_json::json!([]), "{run:#}");
    let of = |name: &str| appliance.done(&["list", "--user", name, "--json"]).lines().len();
    assert_eq!((of("Jane Doe"), of("jane@example.com"), of("jane")), (2, 2, 0));
    serving.stop().expect(0);
    assert_eq!(names(&appliance, false), ["@catchall", "Jane Doe", "bob"]);
    let said = appliance.done(&["users", "add", "eve", "eve@example.com"]).text();
    assert!(said.starts_with("user \"eve\" was added\n"), "{said}");
    let said = appliance.done(&["users", "retire", "eve"]).text();
    assert!(said.starts_with("user \"eve\" was retired"), "{said}");
}

#[test]
fn with_a_bad_users_file_the_archive_is_read_and_nothing_is_filed() {
    let server = Dovecot::with([to("jane@example.com")]);
    let appliance = appliance(&server, USERS);
    archive(&appliance);
    let before = names(&appliance, false);
    write_users(&appliance, &USERS.replace("bob@example.com", "bob"));
    let words = "users.csv, line 4: \"bob\" is not an address";
    for command in [
        vec!["list", "--user", "jane", "--json"],
        vec!["users", "--json"],
        vec!["protocols", "--json"],
        vec!["raw", "1"],
        vec!["verify"],
    ] {
        let outcome = appliance.done(&command);
        assert_eq!(
            outcome.stderr.matches(words).count(),
            1,
            "{command:?}: {}",
            outcome.stderr
        );
    }
    for command in [
        vec!["archive", PROFILE],
        vec!["serve"],
        vec!["users", "add", "x", "x@example.com"],
    ] {
        let outcome = appliance.run(&command).expect(2);
        assert!(outcome.stderr.contains(words), "{command:?}: {}", outcome.stderr);
    }
    assert_eq!(names(&appliance, false), before, "nobody was retired for it");
    write_users(&appliance, USERS);
    archive(&appliance);
}

#[test]
fn users_of_commands_have_patterns_and_stand_in_lists() {
    let server = Dovecot::start();
    let appliance = appliance(&server, USERS);
    appliance.done(&["users", "add", "added", "*@office.example.com", "added@example.com"]);
    for (address, words) in [
        ("a*@office.example.com", "a * stands only for"),
        ("*@Office.example.com", "\"added\""),
        ("sales@example.com", "the address of a list"),
    ] {
        let refused = appliance.run(&["users", "add", "other", address]).expect(2);
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    server.deliver(["sales@example.com", "x@office.example.com", "x@a.office.example.com"].map(to));
    expect(
        &archive(&appliance),
        &[("jane", 1), ("bob", 1), ("added", 2), ("@catchall", 1)],
    );
}

/// The mailbox's own address on every message kept the true recipients from being looked for.
#[test]
fn an_address_on_every_message_that_nobody_has_is_named_once_with_what_to_write() {
    for (unknown, outcome) in [("catchall", "archived"), ("skip", "skipped")] {
        let message = |n| {
            format!(
                "Delivered-To: box@hoster.example\nReceived: x; y\n{}",
                to(&format!("u{n}@example.com"))
            )
        };
        let server = Dovecot::with((0..25).map(message));
        let mut profile = Profile::new(&server, "imap");
        profile.recipients += &format!("unknown = \"{unknown}\"\n");
        let run = archive(&Appliance::new(DROPKEEP, &profile.toml()));
        assert_eq!(number(&run, outcome), 25, "{run:#}");
        let notices = run["notices"].as_array().expect("notices");
        assert_eq!(notices.len(), 1, "{run:#}");
        let notice = notices[0].as_str().expect("a notice");
        for words in ["box@hoster.example\"]", "[profile.recipients]", "25 of 25", PROFILE] {
            assert!(notice.contains(words), "{notice}");
        }
    }
}

/// The first message made a user for it, so it was no longer unknown.
#[test]
fn the_mailboxs_own_address_got_a_user_and_was_named_no_more() {
    let message = |n: usize| {
        format!(
            "Delivered-To: box@example.com\nReceived: x; y\n{}",
            to(&format!("u{n}@example.com"))
        )
    };
    let server = Dovecot::with((0..25).map(message));
    let mut profile = Profile::new(&server, "imap");
    profile.recipients += "unknown = \"create\"\n";
    let run = archive(&Appliance::new(DROPKEEP, &profile.toml()));
    assert_eq!(run["created_users"], serde_json::json!(["box@example.com"]), "{run:#}");
    let notice = run["notices"][0].as_str().expect("a notice");
    assert!(
        notice.contains("box@example.com\"]") && notice.contains("25 of 25"),
        "{notice}"
    );
}
