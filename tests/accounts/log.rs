//! What the audit log says of commands.

use std::fs;

use crate::{
    site::{PASSWORD, Site},
    support::appliance::text,
};

fn entry(action: &str, object: &str, outcome: &str) -> [String; 4] {
    ["owner", action, object, outcome].map(str::to_owned)
}

#[test]
fn what_reads_mail_or_changes_something_is_noted() {
    for served in [false, true] {
        let site = Site::new();
        let serving = served.then(|| site.appliance.serve());
        let before = site.log().len();
        let out = site.path("out");
        let out = out.to_str().expect("a name");
        let backup = site.path("backup");
        let backup = backup.to_str().expect("a name");
        site.done(&["list", "--user", "jane", "--from", "x@"]);
        site.done(&["list", "--all"]);
        site.done(&["show", "1"]);
        site.done(&["raw", "2"]);
        site.run(&["raw", "999"]).expect(2);
        site.done(&["export", out, "--user", "jane"]);
        site.done(&["explain", "1"]);
        site.done(&["backup", backup]);
        site.done(&["users", "add", "joan", "joan@example.com", "--no-count"]);
        site.done(&["users", "retire", "joan"]);
        site.run(&["users", "retire", "nobody"]).expect(2);
        site.done(&["reroute", "--dry-run"]);
        site.run(&["archive"]).expect(3);
        // These say nothing of mail.
        site.done(&["users"]);
        site.done(&["protocols"]);
        site.done(&["status"]);
        site.done(&["accounts"]);
        site.done(&["verify"]);
        let log = site.log();
        let expected = [
            entry("list", "user jane, from \"x@\"", "done"),
            entry("list", "all archives", "done"),
            entry("show", "message 1", "done"),
            entry("raw", "message 2", "done"),
            entry("raw", "message 999", "failed"),
            entry("export", &format!("users jane, to {out}"), "begun"),
            entry("explain", "message 1", "begun"),
            entry("backup", backup, "begun"),
            entry("backup", backup, "done"),
            entry("user-add", "joan: joan@example.com", "begun"),
            entry("user-add", "joan: joan@example.com", "done"),
            entry("user-retire", "joan", "begun"),
            entry("user-retire", "joan", "done"),
            entry("user-retire", "nobody", "begun"),
            entry("user-retire", "nobody", "failed"),
            entry("reroute", "dry run", "begun"),
            entry("reroute", "dry run", "done"),
            entry("run", "profile company", "begun"),
        ];
        assert_eq!(log[before..][..expected.len()], expected, "served: {served}");
        assert_eq!(log.len(), before + expected.len() + 1, "{log:#?}");
        if let Some(serving) = serving {
            let (_, metrics) = serving.get("/metrics");
            let entries = format!("dropkeep_audit_entries {}", log.len());
            assert!(metrics.lines().any(|line| line == entries), "{entries}");
            assert!(metrics.contains("dropkeep_logins_total{outcome=\"wrong\"} 0"));
            serving.stop().expect(0);
        }
    }
}

#[test]
fn a_search_is_noted_with_its_words() {
    let site = Site::new();
    site.done(&["search", "topsecret", "--user", "jane"]);
    let log = site.log();
    assert_eq!(log.last(), Some(&entry("search", "topsecret; of user jane", "done")));
}

#[test]
fn neither_mail_nor_a_secret_stands_in_the_log() {
    let site = Site::new();
    site.add("jane", &["--role", "user"]);
    let short = site.typed(&["accounts", "password", "jane", "--password-stdin"], "hunter2\n");
    assert_eq!(short.status.code(), Some(2));
    site.typed(
        &["accounts", "password", "jane", "--password-stdin"],
        "hunter2hunter2\n",
    );
    let made = site
        .done(&["accounts", "applications", "jane", "--add", "phone", "--json"])
        .json();
    site.done(&["show", "1"]);
    site.done(&["raw", "1"]);
    let said = [&["audit"][..], &["audit", "--json"], &["audit", "--csv"]].map(|arguments| site.done(arguments).text());
    for text_of in &said {
        for secret in [
            PASSWORD,
            "hunter2",
            &text(&made, "application_password"),
            "topsecret",
            "letter 1",
        ] {
            assert!(!text_of.contains(secret), "{secret} in {text_of}");
        }
    }
    let catalog = fs::read(site.appliance.data().join("catalog/data.mdb")).expect("the catalog");
    for secret in [PASSWORD, "hunter2hunter2", &text(&made, "application_password")] {
        assert!(memchr::memmem::find(&catalog, secret.as_bytes()).is_none(), "{secret}");
    }
}

#[test]
fn entries_are_chosen_and_come_in_pages() {
    let site = Site::new();
    for _ in 0..3 {
        site.done(&["raw", "1"]);
        site.done(&["show", "2"]);
    }
    let numbers = |more: &[&str]| -> Vec<u64> {
        let lines = site.done(&[&["audit", "--json"], more].concat()).lines();
        lines
            .iter()
            .map(|line| line["number"].as_u64().expect("a number"))
            .collect()
    };
    let all = numbers(&[]);
    assert_eq!(all, (1..=all.len() as u64).collect::<Vec<_>>());
    let raw = numbers(&["--action", "raw"]);
    assert_eq!(raw.len(), 3);
    let first = numbers(&["--action", "raw", "--limit", "2"]);
    assert_eq!(first, raw[..2]);
    let after = first[1].to_string();
    assert_eq!(
        numbers(&["--action", "raw", "--after", &after, "--limit", "2"]),
        raw[2..]
    );
    assert_eq!(numbers(&["--account", "OWNER"]), all);
    assert!(numbers(&["--account", "jane"]).is_empty());
    assert!(numbers(&["--until", "2020-01-01"]).is_empty());
    assert_eq!(numbers(&["--since", "1d"]), all);
    site.run(&["audit", "--since", "2021-01-01", "--until", "2020-01-01"])
        .expect(2);
    let csv = site.done(&["audit", "--csv", "--action", "raw"]).text();
    assert!(
        csv.starts_with("number,at,account,address,action,object,outcome,detail,reason\n"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 4);
}

#[test]
fn an_entry_that_was_changed_on_disk_is_found() {
    let site = Site::new();
    for _ in 0..20 {
        site.done(&["raw", "1"]);
    }
    site.done(&["verify"]);
    let file = site.appliance.data().join("catalog/data.mdb");
    let mut bytes = fs::read(&file).expect("the catalog");
    let found: Vec<_> = memchr::memmem::find_iter(&bytes, b"message 1").collect();
    assert!(!found.is_empty());
    // In all copies of the page.
    for at in found {
        bytes[at + 8] = b'2';
    }
    fs::write(&file, bytes).expect("written");
    let audit = site.run(&["audit", "--json"]).expect(4);
    assert!(
        audit.stderr.contains("the audit log is damaged: entry"),
        "{}",
        audit.stderr
    );
    let verified = site.run(&["verify", "--json"]).expect(4).json();
    let kinds: Vec<_> = verified["damages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|damage| text(damage, "kind"))
        .collect();
    assert!(
        kinds.iter().all(|kind| kind == "audit") && !kinds.is_empty(),
        "{verified:#}"
    );
}
