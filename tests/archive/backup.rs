//! Backup, restore and compaction, as an administrator uses them: beside a running appliance, again and again, and
//! after the worst has happened.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, number, text},
    disks::another_disk,
    dovecot::Dovecot,
    generator::{self, Mailbox, Settings},
    identity::sha256,
    proxy::Proxy,
    running::{Outcome, Running},
    wait_for,
};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

const MESSAGES: usize = 2_000;

/// Messages that compress little, to fill volumes.
const NOISY: u32 = 60;

/// Lines of hexadecimal noise, others for each number.
fn noise(number: u32) -> Vec<u8> {
    let line = |n: u32| format!("!{}\n", blake3::hash(&[number.to_le_bytes(), n.to_le_bytes()].concat()));
    let lines: String = (0..2000).map(line).collect();
    format!("To: jane@example.com\nSubject: noise {number}\n\n{lines}").into_bytes()
}

/// A mailbox behind a wire that can be held, an archive of it in small volumes, and room for backups.
struct Site {
    server: Dovecot,
    proxy: Proxy,
    appliance: Appliance,
    /// Bytes that one undisturbed run receives, at least.
    bytes: u64,
    room: TempDir,
}

impl Site {
    fn new(messages: usize) -> Self {
        let server = Dovecot::start();
        let mailbox = Mailbox::new(Settings::messages(messages)).chain((0..NOISY).map(noise));
        let bytes = server.deliver(mailbox);
        let proxy = Proxy::to(server.ports.of("imap"));
        let profile = Profile {
            port: proxy.port,
            ..Profile::new(&server, "imap")
        };
        let users = generator::user_tables(&generator::company());
        // A small budget makes small groups, however fast the machine is: volumes end between groups.
        let text = format!(
            "archive.volume_size = \"1 MiB\"\nlimits.inflight = \"1 MiB\"\n{users}{}",
            profile.toml()
        );
        Self {
            appliance: Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &text),
            server,
            proxy,
            bytes,
            room: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    /// Starts a command that takes a folder.
    fn start(&self, command: &str, folder: &Path) -> Running {
        self.appliance
            .start(&[command, "--json", &folder.display().to_string()])
    }

    fn backup(&self, folder: &Path) -> Value {
        self.start("backup", folder).wait().expect(0).json()
    }

    /// Runs a command on another data directory.
    fn at(&self, data: &Path, arguments: &[&str]) -> Outcome {
        let mut command = self.appliance.command(arguments);
        command.env("DROPKEEP__DATA_DIR", data);
        Running::start(command, arguments).wait()
    }

    /// By user, what `list` says of the messages in a data directory.
    fn lists_at(&self, data: &Path) -> BTreeMap<String, Vec<Value>> {
        let users = self.at(data, &["users", "--json"]).expect(0).lines();
        let list = |user: &Value| {
            let name = text(user, "name");
            let list = self.at(data, &["list", "--json", "--user", &name]).expect(0).lines();
            (name, list)
        };
        users.iter().map(list).collect()
    }

    fn lists(&self) -> BTreeMap<String, Vec<Value>> {
        self.lists_at(&self.appliance.data())
    }

    /// Some messages of a data directory come back byte for byte.
    fn assert_reads(&self, data: &Path, lists: &BTreeMap<String, Vec<Value>>) {
        let lines: BTreeMap<_, _> = lists
            .values()
            .flatten()
            .map(|line| (number(line, "id"), line))
            .collect();
        assert!(!lines.is_empty());
        for (id, line) in lines.iter().step_by(lines.len().div_ceil(20)) {
            let raw = self.at(data, &["raw", &id.to_string()]).expect(0).stdout;
            assert_eq!(sha256(&raw), text(line, "sha256"), "message {id}");
        }
        let verified = self.at(data, &["verify", "--json"]).expect(0).json();
        assert_eq!(verified["ok"], true, "{verified:#}");
        assert_eq!(number(&verified, "messages") as usize, lines.len());
    }

    /// Volumes of a data directory that have a manifest.
    fn sealed(&self, data: &Path) -> usize {
        let volumes = fs::read_dir(data.join("volumes")).into_iter().flatten().flatten();
        volumes
            .filter(|volume| volume.path().join("manifest.json").exists())
            .count()
    }

    /// Archives everything, and has the full volumes sealed.
    fn archive_and_seal(&self) {
        self.appliance.done(&["archive", PROFILE]);
        let serving = self.appliance.serve();
        let volumes = fs::read_dir(self.appliance.data().join("volumes"))
            .expect("volumes")
            .count();
        assert!(volumes > 2, "{volumes} volumes");
        let sealed = wait_for(Duration::from_secs(60), || {
            self.sealed(&self.appliance.data()) == volumes - 1
        });
        assert!(sealed, "the full ones of {volumes} volumes are sealed");
        serving.stop().expect(0);
    }
}

fn messages(lists: &BTreeMap<String, Vec<Value>>) -> usize {
    let ids: std::collections::BTreeSet<_> = lists.values().flatten().map(|line| number(line, "id")).collect();
    ids.len()
}

#[test]
fn a_backup_beside_a_run_holds_what_was_committed_before_it() {
    let site = Site::new(MESSAGES);
    let serving = site.appliance.serve();
    site.proxy.hold_after(site.bytes * 6 / 10);
    let run = site.appliance.start(&["archive", PROFILE, "--json"]);
    site.proxy.wait_until_held();
    let committed = wait_for(Duration::from_secs(60), || messages(&site.lists()) > MESSAGES / 10);
    assert!(committed, "what is fetched is committed");
    let before = site.lists();
    let backup = site.path("backup");
    let backing_up = site.start("backup", &backup);
    site.proxy.open();
    let done = backing_up.wait().expect(0).json();
    let run = run.wait().expect(0).json();
    assert_eq!(text(&run, "state"), "completed", "{run:#}");
    assert!(number(&done, "messages") as usize >= messages(&before), "{done:#}");

    let lists = site.lists_at(&backup);
    assert_eq!(lists.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for (user, list) in &before {
        let missing = list.iter().filter(|line| !lists[user].contains(line)).count();
        assert_eq!(missing, 0, "of {user}");
    }
    assert_eq!(messages(&lists) as u64, number(&done, "messages"));
    for user in site.at(&backup, &["users", "--json"]).expect(0).lines() {
        assert_eq!(lists[&text(&user, "name")].len() as u64, number(&user, "messages"));
    }
    site.assert_reads(&backup, &lists);
    // The run in it is one that was cut off.
    let runs = site.at(&backup, &["protocols", "--json"]).expect(0).lines();
    assert!(
        ["interrupted", "completed"].contains(&text(&runs[0], "state").as_str()),
        "{runs:?}"
    );

    // The next one has it all, and the appliance is none the wiser.
    let done = site.backup(&backup);
    let lists = site.lists();
    assert_eq!(site.lists_at(&backup), lists);
    assert_eq!(number(&done, "messages") as usize, messages(&lists));
    serving.stop().expect(0);
}

#[test]
fn a_second_backup_is_small_and_a_restored_archive_goes_on_where_it_was() {
    let site = Site::new(MESSAGES);
    site.archive_and_seal();
    let lists = site.lists();
    let (backup, restored) = (site.path("backup"), site.path("restored"));
    let first = site.backup(&backup);
    let sealed = site.sealed(&site.appliance.data()) as u64;
    assert_eq!(
        number(&first, "linked") + number(&first, "copied"),
        sealed + 1,
        "{first:#}"
    );
    site.server.deliver(["To: jane@example.com\n\none more\n"]);
    site.appliance.done(&["archive", PROFILE]);
    let second = site.backup(&backup);
    assert_eq!(
        number(&second, "linked") + number(&second, "reused"),
        sealed,
        "{second:#}"
    );
    assert_eq!(
        (number(&second, "copied"), number(&second, "messages")),
        (1, number(&first, "messages") + 1)
    );

    // On another disk, what is sealed is copied, once.
    let disk = another_disk();
    let distant = disk.path().join("backup");
    let copies = [site.backup(&distant), site.backup(&distant)];
    assert_eq!(
        [&copies[0], &copies[1]].map(|copy| number(copy, "copied")),
        [sealed + 1, 1],
        "{copies:#?}"
    );
    assert_eq!(number(&copies[1], "reused"), sealed);
    let stored = number(&copies[0], "copied_bytes");
    assert!(number(&copies[1], "copied_bytes") < stored / 50, "{copies:#?}");

    // Everything is lost but the backup.
    let after = site.lists();
    assert_eq!(messages(&after), messages(&lists) + 1);
    fs::rename(site.appliance.data(), site.path("lost")).expect("it is gone");
    let done = site.start("restore", &distant).wait().expect(0).json();
    assert_eq!(number(&done, "messages"), number(&second, "messages"));
    assert_eq!(done["changed"], serde_json::json!([]));
    assert_eq!(site.lists(), after);
    site.assert_reads(&site.appliance.data(), &after);
    let run = site.appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&run, "seen"), 0, "{run:#}");
    site.server.deliver(["To: jane@example.com\n\nand another\n"]);
    let run = site.appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&run, "archived"), 1, "{run:#}");
    assert_eq!(site.lists_at(&distant), after, "the backup is as it was");
    site.assert_reads(&distant, &after);

    // Nothing is restored over anything, nor anything but a backup.
    let refused = |folder: &Path, data: &Path, word: &str| {
        let outcome = site.at(data, &["restore", &folder.display().to_string()]).expect(2);
        assert!(outcome.stderr.contains(word), "{}", outcome.stderr);
    };
    refused(&distant, &site.appliance.data(), "not empty");
    refused(&site.path("lost"), &restored, "no complete backup");
    refused(&site.path("nowhere"), &restored, "backup");
    refused(&distant, &distant, "overlaps");
    let serving = site.appliance.serve();
    refused(&distant, &site.appliance.data(), "not empty");
    serving.stop().expect(0);
    fs::create_dir(&restored).expect("an empty folder");
    fs::create_dir(restored.join("lost+found")).expect("of a disk of its own");
    site.at(&restored, &["restore", &backup.display().to_string()])
        .expect(0);
    assert_eq!(site.lists_at(&restored), after);
    let serving = site.appliance.serve();
    let outcome = site.at(
        &site.path("third"),
        &["backup", &site.appliance.data().display().to_string()],
    );
    assert_eq!(
        outcome.code,
        Some(4),
        "there is no archive to back up: {}",
        outcome.stderr
    );
    serving.stop().expect(0);
}

#[test]
fn a_backup_that_is_killed_leaves_the_one_before_and_the_next_one_works() {
    let site = Site::new(1_000);
    site.archive_and_seal();
    let before = site.lists();
    // On another disk, where it has something to do.
    let disk = another_disk();
    let backup = disk.path().join("backup");
    site.backup(&backup);
    site.server.deliver(["To: jane@example.com\n\none more\n"]);
    site.appliance.done(&["archive", PROFILE]);
    let mut killed = 0;
    for stage in [
        "",
        "catalog",
        "catalog/data.mdb",
        "volumes",
        "volumes/000001",
        "volumes/000002/data.mdb",
        "backup.json",
    ] {
        // What is sealed is copied anew each time; where the one before was killed late, it is on its way to its place.
        for entry in fs::read_dir(backup.join("volumes")).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path().join("manifest.json"));
        }
        let mut running = site.start("backup", &backup);
        let new = backup.join(".new").join(stage);
        while running.is_running() && !new.exists() {
            std::thread::yield_now();
        }
        running.signal(Signal::KILL);
        let outcome = running.wait();
        if outcome.code.is_some() {
            outcome.expect(0);
            continue;
        }
        killed += 1;
        if backup.join("catalog/data.mdb").exists() {
            let data = site.path("opened");
            copy_folder(&backup, &data);
            assert!(messages(&site.lists_at(&data)) >= messages(&before));
            fs::remove_dir_all(data).expect("removed");
        } else {
            assert!(
                backup.join(".new/backup.json").exists(),
                "it is on its way to its place"
            );
            let (kept, restored) = (site.path("kept"), site.path("restored"));
            copy_folder(&backup, &kept);
            site.at(&restored, &["restore", &kept.display().to_string()]).expect(0);
            assert!(messages(&site.lists_at(&restored)) >= messages(&before));
            for folder in [kept, restored] {
                fs::remove_dir_all(folder).expect("removed");
            }
        }
    }
    assert!(killed > 1, "it was killed {killed} times");
    site.backup(&backup);
    let after = site.lists();
    assert_eq!(site.lists_at(&backup), after);
    site.assert_reads(&backup, &after);
    let left: Vec<_> = [".new", ".old"]
        .into_iter()
        .filter(|name| backup.join(name).exists())
        .collect();
    assert!(left.is_empty(), "{left:?}");

    // Asked to end, it ends, and leaves nothing.
    let mut running = site.start("backup", &backup);
    while running.is_running() && !backup.join(".new").exists() {
        std::thread::yield_now();
    }
    running.signal(Signal::INT);
    let outcome = running.wait();
    assert!(
        matches!(outcome.code, Some(0 | 130)),
        "{:?} {}",
        outcome.code,
        outcome.stderr
    );
    assert!(!backup.join(".new").exists());
    assert_eq!(site.lists_at(&backup), after);
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let to = to.join(entry.file_name());
        match entry.file_type().expect("its type").is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).expect("a copy")),
        }
    }
}

#[test]
fn what_came_in_a_trickle_is_compacted_by_command() {
    let server = Dovecot::start();
    // Nothing is done by itself, at whatever hour this runs.
    let archive = "[archive]\nquiet_hours = \"never\"\nverify = \"never\"\n";
    let users = generator::user_tables(&generator::company());
    let configuration = users + &Profile::new(&server, "imap").toml() + archive;
    let appliance = Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &configuration);
    let trickle = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let body = "it is all the same to me\n".repeat(20);
            server.deliver([format!("To: jane@example.com\nSubject: {number}\n\n{number} {body}")]);
            appliance.done(&["archive", PROFILE]);
        }
    };
    let serving = appliance.serve();
    trickle(0..66);
    let before = appliance.lists();
    let plan = || {
        let survey = appliance.done(&["compact", "--dry-run", "--json"]).json();
        let volume = &survey["volumes"][0];
        (
            text(volume, "plan"),
            number(volume, "blocks"),
            number(volume, "small_blocks"),
        )
    };
    assert_eq!(plan(), ("merge".into(), 66, 66));
    let done = appliance.done(&["compact", "--json"]).json();
    assert_eq!((number(&done, "moved"), number(&done, "blocks")), (66, 66), "{done:#}");
    assert_eq!(
        (done["left"].as_bool(), done["interrupted"].as_bool()),
        (Some(false), Some(false))
    );
    assert!(number(&done, "free_after") > number(&done, "free_before"), "{done:#}");
    assert_eq!(plan(), ("nothing".into(), 1, 1));
    assert_eq!(appliance.lists(), before);
    assert_eq!(appliance.done(&["verify", "--json"]).json()["ok"], true);
    let (_, page) = serving.get("/metrics");
    for file in ["catalog", "volume"] {
        let name = format!("dropkeep_free_pages_bytes{{file=\"{file}\"}}");
        let measured = wait_for(Duration::from_secs(30), || serving.get("/metrics").1.contains(&name));
        assert!(measured, "{name} is measured: {page}");
    }
    serving.stop().expect(0);

    // Without an appliance, and with nothing to do.
    trickle(66..70);
    let before = appliance.lists();
    let done = appliance.done(&["compact", "--json"]).json();
    assert_eq!(
        (number(&done, "moved"), done["left"].as_bool()),
        (0, Some(false)),
        "{done:#}"
    );
    let said = appliance.done(&["compact"]).text();
    assert!(said.contains("on disk"), "{said}");
    assert!(
        appliance
            .done(&["compact", "--dry-run"])
            .text()
            .contains("nothing to do")
    );
    assert_eq!(appliance.lists(), before);
    for (_, list) in &before {
        for line in list.iter().step_by(10) {
            assert_eq!(sha256(&appliance.raw(number(line, "id"))), text(line, "sha256"));
        }
    }
}
