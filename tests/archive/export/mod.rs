//! `export`: what comes out is what went in, in whatever form, however often it was cut off, and whatever is damaged.

mod cut_off;
mod damaged;
mod out;

use crate::support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, number, text},
    dovecot::Dovecot,
    generator::{Mailbox, Settings, company, sized, user_tables},
    running::Outcome,
};
use out::{FORMATS, assert_holds};
use serde_json::Value;

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");

/// An archive, and where its exports go.
struct Site {
    server: Dovecot,
    appliance: Appliance,
    folder: tempfile::TempDir,
}

impl Site {
    /// The company's users, some more, and an archive of these messages.
    fn new<M: AsRef<[u8]>>(more_users: &str, messages: impl IntoIterator<Item = M>) -> Self {
        let server = Dovecot::with(messages);
        let text = user_tables(&company()) + more_users + &Profile::new(&server, "imap").toml();
        let site = Self {
            appliance: Appliance::new(DROPKEEP, &text),
            server,
            folder: tempfile::tempdir().unwrap(),
        };
        site.appliance.done(&["archive", PROFILE]);
        site
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn export(&self, name: &str, arguments: &[&str]) -> Outcome {
        let dir = self.dir(name);
        let command = ["export", dir.to_str().unwrap(), "--json"];
        self.appliance.run(&[&command, arguments].concat())
    }

    /// That an export has all there is.
    fn assert_complete(&self, name: &str, format: &str) -> u64 {
        let contents = out::read(&self.dir(name), format);
        let lists = self.appliance.lists();
        assert_holds(&contents, lists.iter().map(|(name, list)| (&**name, &**list)));
        lists.iter().map(|(_, list)| list.len() as u64).sum()
    }
}

fn counts(outcome: &Outcome) -> [u64; 3] {
    let result = outcome.json();
    ["exported", "skipped", "damaged"].map(|count| number(&result, count))
}

/// Subjects and users as nobody should have them.
fn strange_mail() -> (String, Vec<String>) {
    let users = [
        "../../etc",
        "a/b",
        "a_b",
        ".hidden",
        "Jane",
        "\u{1f600}",
        "jane@example.com",
        "dropkeep-export.json",
        "two words",
    ];
    let tables = users.iter().enumerate().map(|(number, name)| {
        let name = serde_json::to_string(name).unwrap();
        format!("[[user]]\nname = {name}\naddresses = [\"strange{number}@example.com\"]\n")
    });
    let long = "x".repeat(10_000);
    let subjects = [
        "../../../etc/passwd",
        "..",
        ".",
        "",
        "a/b\\c:d*e?f\"g<h>i|j",
        "=?utf-8?q?=F0=9F=98=80_Gr=C3=BC=C3=9Fe_=E2=80=AE_=1B[2J_=00?=",
        &long,
        "=?utf-8?b?5pel5pys6Kqe5pel5pys6Kqe5pel5pys6Kqe5pel5pys6Kqe5pel5pys6Kqe5pel5pys6Kqe5pel5pys6Kqe5pel5pys6Kqe?=",
        "\x1b]0;x\x07 \t trailing. ",
    ];
    let messages = subjects.iter().enumerate().map(|(number, subject)| {
        format!(
            "From: a@sender.example\nTo: strange{}@example.com\nSubject: {subject}\n\
             Date: Sat, 31 Jan 2026 23:59:59 +0000\n\nFrom {number}\n>From here\n>>From x\n> From\nfrom",
            number % users.len()
        )
    });
    (tables.collect(), messages.collect())
}

#[test]
fn every_format_gives_every_message_of_everyone_back_exactly() {
    let (users, strange) = strange_mail();
    let mailbox = Mailbox::new(Settings::messages(250)).chain(strange.into_iter().map(String::into_bytes));
    let site = Site::new(&users, mailbox.chain([sized(3_000_000, 1)]));
    let lists = site.appliance.lists();
    let ids = lists.iter().flat_map(|(_, list)| list).map(|entry| number(entry, "id"));
    let ids: BTreeSet<u64> = ids.collect();
    let raws: BTreeMap<_, _> = ids.into_iter().map(|id| (id, site.appliance.raw(id))).collect();
    for format in FORMATS {
        let exported = site.export(format, &["--format", format]).expect(0);
        let filings: u64 = lists.iter().map(|(_, list)| list.len() as u64).sum();
        assert_eq!(counts(&exported), [filings, 0, 0]);
        let contents = out::read(&site.dir(format), format);
        let marker = fs::read(site.dir(format).join("dropkeep-export.json")).unwrap();
        let marker: Value = serde_json::from_slice(&marker).unwrap();
        // Users are listed in the order of their ids, as their folders are.
        let mut folders: Vec<(u32, String)> = marker["folders"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(id, folder)| (id.parse().unwrap(), folder.as_str().unwrap().to_owned()))
            .collect();
        folders.sort();
        assert_eq!(folders.len(), lists.len());
        let by_folder = folders.iter().zip(&lists);
        assert_holds(
            &contents,
            by_folder.clone().map(|((_, folder), (_, list))| (&**folder, &**list)),
        );
        for ((_, folder), (name, _)) in by_folder {
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || " @.".contains(c)) && !name.starts_with('.');
            assert!(folder == name || !plain, "{name} is in {folder}");
            assert!(
                !folder.starts_with(['.', '-']) && !folder.contains(['/', '\\', '\0']),
                "{folder}"
            );
        }
        for (id, (bytes, line)) in contents.values().flatten() {
            assert!(bytes == &raws[id], "{line}");
            let name = text(line, "file");
            let safe = |c: char| c.is_alphanumeric() || "-_ .,=:@/+".contains(c);
            assert!(name.chars().all(safe), "{name:?}");
            assert!(
                name.split('/').all(|part| part.len() <= 200 && !part.starts_with('.')),
                "{name:?}"
            );
        }
    }
}

#[test]
fn users_and_days_are_selected() {
    let site = Site::new("", Mailbox::new(Settings::messages(400)));
    let list = site.appliance.done(&["list", "--user", "jane", "--json"]).lines();
    let day = |entry: &Value| text(entry, "date")[..10].to_owned();
    // The last day counts to its end, and one message with it.
    let (first, last) = (day(&list[list.len() / 4]), day(&list[list.len() / 2]));
    let wanted: Vec<Value> = list
        .into_iter()
        .filter(|entry| (&*first..=&*last).contains(&&*day(entry)))
        .collect();
    assert!(wanted.len() > 2);
    let selected = ["--user", "jane", "--since", &first, "--until", &last];
    let exported = site.export("days", &selected).expect(0);
    assert_eq!(counts(&exported), [wanted.len() as u64, 0, 0]);
    assert_holds(&out::read(&site.dir("days"), "eml"), [("jane", &*wanted)]);
    let again = site.export("days", &selected).expect(0);
    assert_eq!(counts(&again), [0, wanted.len() as u64, 0]);
    let moment = text(&wanted[1], "date");
    let one: Vec<Value> = wanted
        .iter()
        .filter(|entry| text(entry, "date") == moment)
        .cloned()
        .collect();
    site.export("moment", &["--user", "jane", "--from", &moment, "--to", &moment])
        .expect(0);
    assert_holds(&out::read(&site.dir("moment"), "eml"), [("jane", &*one)]);

    let two = site
        .export("two", &["--user", "bob@nowhere", "--user", "jane"])
        .expect(2);
    assert!(two.stderr.contains("bob@nowhere"), "{}", two.stderr);
    assert!(!site.dir("two").exists(), "nothing is made for an error");
    let users = ["--user", "john", "--user", "jane", "--user", "john"];
    site.export("two", &users).expect(0);
    let names: Vec<_> = out::read(&site.dir("two"), "eml").into_keys().collect();
    assert_eq!(names, ["jane", "john"]);
    for bad in [
        ["--since", "yesterday"],
        ["--until", "2026-02-30"],
        ["--format", "pst"],
        ["--from", "2026-01-02"],
    ] {
        let outcome = site
            .export("bad", &[&bad[..], &["--to", "2026-01-01"]].concat())
            .expect(2);
        assert!(!site.dir("bad").exists() && !outcome.stderr.is_empty());
    }
}

#[test]
fn only_a_directory_of_the_same_export_is_gone_on_with() {
    let site = Site::new("", Mailbox::new(Settings::messages(50)));
    let other = Site::new("", [sized(500, 7), sized(500, 8)]);
    let total = counts(&site.export("out", &[]).expect(0))[0];
    for arguments in [
        ["--format", "mbox"],
        ["--user", "jane"],
        ["--from", "2001-01-01"],
        ["--to", "2001-01-01"],
    ] {
        let refused = site.export("out", &arguments).expect(2);
        assert!(
            refused.stderr.contains("is an export of all users as eml"),
            "{}",
            refused.stderr
        );
    }
    // The same messages by number, and others in truth.
    let dir = site.dir("out");
    let refused = other.appliance.run(&["export", dir.to_str().unwrap()]).expect(2);
    assert!(refused.stderr.contains("another archive"), "{}", refused.stderr);
    assert_eq!(counts(&site.export("out", &[]).expect(0)), [0, total, 0]);
    site.assert_complete("out", "eml");

    let foreign = site.dir("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("letter.txt"), "dear").unwrap();
    let refused = site.export("foreign", &[]).expect(2);
    assert!(
        refused.stderr.contains("do not belong to an export"),
        "{}",
        refused.stderr
    );
    assert_eq!(fs::read_dir(&foreign).unwrap().count(), 1);
    let inside = site.appliance.data().join("export");
    let refused = site.appliance.run(&["export", inside.to_str().unwrap()]).expect(2);
    assert!(refused.stderr.contains("data directory") && !inside.exists());

    let empty = Appliance::for_company(DROPKEEP, &Profile::new(&site.server, "imap"));
    let dir = site.dir("empty");
    let refused = empty.run(&["export", dir.to_str().unwrap()]).expect(4);
    assert!(
        refused.stderr.contains("no archive") && !dir.exists(),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_second_export_takes_in_what_is_new_beside_a_running_appliance() {
    let site = Site::new("", Mailbox::new(Settings::messages(300)));
    let first: Vec<u64> = FORMATS
        .iter()
        .map(|format| counts(&site.export(format, &["--format", format]).expect(0))[0])
        .collect();
    let serving = site.appliance.serve();
    // Of all dates, so that they stand between those that are there; and somebody new, and somebody renamed.
    let more = Settings {
        seed: 7,
        ..Settings::messages(200)
    };
    site.server.deliver(Mailbox::new(more));
    let newcomer = b"From: a@sender.example\nTo: new@example.com\nSubject: hello\n\nhello\n";
    site.appliance.done(&["users", "add", "newcomer", "new@example.com"]);
    site.server.deliver([newcomer]);
    let run = site.appliance.done(&["archive", PROFILE, "--json"]).json();
    let new = number(&run, "filings");
    assert!(new > 200, "{run:#}");
    for (format, before) in FORMATS.iter().zip(first) {
        let second = site.export(format, &["--format", format]).expect(0);
        assert_eq!(counts(&second), [new, before, 0], "{format}");
        assert_eq!(site.assert_complete(format, format), new + before);
    }
    site.appliance.done(&["users", "rename", "newcomer", "somebody"]);
    let again = site.export("eml", &[]).expect(0);
    assert_eq!(counts(&again)[0], 0, "who is renamed keeps the folder");
    serving.stop().expect(0);
}
