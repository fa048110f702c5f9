//! A disk that is full: the run stops and says so, nothing acknowledged is lost, and it goes on when there is room.
//! Needs the right to mount; where that is missing the test is skipped, and says so.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{
    appliance::{Appliance, PROFILE, Profile, assert_adds_up, disk_usage, number},
    dovecot::Dovecot,
    generator::{Mailbox, Settings},
};

const DROPKEEP: &str = env!("CARGO_BIN_EXE_dropkeep");
const MESSAGES: usize = 1_500;
/// How many of them are archived while there is room, and bytes that are left after that.
const FIRST: usize = 300;
const ROOM: u64 = 256 << 10;

/// A disk in memory, unmounted when this goes.
struct Disk(PathBuf);

impl Disk {
    fn mount(path: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(path);
        match mount.output() {
            Ok(output) if output.status.success() => Some(Self(path.to_owned())),
            Ok(output) => {
                eprintln!("SKIPPED: cannot mount: {}", String::from_utf8_lossy(&output.stderr));
                None
            }
            Err(error) => {
                eprintln!("SKIPPED: no mount: {error}");
                None
            }
        }
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-o", &format!("remount,{options}")]).arg(&self.0);
        assert!(mount.status().unwrap().success(), "remount {options}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("--lazy").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("{} is still mounted", self.0.display());
        }
    }
}

#[test]
fn a_full_disk_stops_the_run_and_room_lets_it_go_on() {
    // What a disk has room for is filed before it is full only where that was a group of its own.
    let server = Dovecot::with(Mailbox::new(Settings::messages(FIRST)));
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    let Some(disk) = Disk::mount(&appliance.data(), "64m") else {
        return;
    };
    let filed = number(
        &appliance.done(&["archive", PROFILE, "--new", "--json"]).json(),
        "archived",
    );
    server.deliver(Mailbox::new(Settings::messages(MESSAGES)).skip(FIRST));
    let full = (disk_usage(&appliance.data()) + ROOM).next_multiple_of(4096);
    disk.remount(&format!("size={full}"));
    let first = appliance.run(&["archive", PROFILE, "--json"]).expect(4);
    assert!(first.stderr.contains("full"), "{}", first.stderr);
    // It fails the same way as long as there is no room.
    appliance.run(&["archive", PROFILE, "--json"]).expect(4);
    // Nor is anything shown then that cannot be noted.
    let list = appliance.run(&["list", "--all"]);
    if list.code != Some(0) {
        let list = list.expect(4);
        assert!(
            list.stdout.is_empty() && list.stderr.contains("audit log"),
            "{}",
            list.stderr
        );
    }

    disk.remount("size=64m");
    // What was acknowledged is there.
    let lists = appliance.lists();
    let kept: Vec<u64> = lists
        .iter()
        .flat_map(|(_, list)| list)
        .map(|line| number(line, "id"))
        .collect();
    assert!(kept.len() as u64 >= filed && filed > 0, "{} of {filed}", kept.len());
    for id in kept.iter().step_by(17) {
        assert!(!appliance.raw(*id).is_empty());
    }
    let run = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_adds_up(&run);
    assert_eq!(number(&run, "failed"), 0, "{run:#}");
    for (name, list) in lists {
        let after = appliance.done(&["list", "--user", &name, "--json"]).lines();
        assert!(list.iter().all(|line| after.contains(line)), "{name} lost something");
    }
    let again = appliance.done(&["archive", PROFILE, "--json"]).json();
    assert_eq!(number(&again, "seen"), 0, "{again:#}");
}

#[test]
fn a_data_directory_that_is_read_only_is_named_and_its_mail_is_exported_from_a_copy() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(50)));
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    let Some(disk) = Disk::mount(&appliance.data(), "64m") else {
        return;
    };
    appliance.done(&["archive", PROFILE, "--new"]);
    disk.remount("ro");
    let refused = appliance.run(&["archive", PROFILE, "--json"]).expect(4);
    let path = appliance.data().display().to_string();
    assert!(
        refused.stderr.contains(&path) && refused.stderr.contains("ead-only"),
        "{}",
        refused.stderr
    );
    let out = appliance.config().with_file_name("out");
    let export = ["export", out.to_str().unwrap(), "--json"];
    let refused = appliance.run(&export).expect(4);
    assert!(refused.stderr.contains("ead-only"), "{}", refused.stderr);
    assert!(!out.exists());
    // What is read in a copy is noted there.
    let copy = appliance.config().with_file_name("copy");
    let copied = Command::new("cp").arg("-a").arg(appliance.data()).arg(&copy).status();
    assert!(copied.unwrap().success());
    let mut command = appliance.command(&export);
    let output = command.env("DROPKEEP__DATA_DIR", &copy).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let exported: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(number(&exported, "exported") >= 50, "{exported:#}");
    disk.remount("rw");
    appliance.done(&["archive", PROFILE]);
}

#[test]
fn a_backup_that_finds_no_room_leaves_the_one_before() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(200)));
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup");
    let Some(disk) = Disk::mount(&backup, "4m") else {
        return;
    };
    appliance.done(&["archive", PROFILE]);
    let back_up = || appliance.run(&["backup", "--json", &backup.display().to_string()]);
    let first = back_up().expect(0).json();
    let used = disk_usage(&backup);
    server.deliver(Mailbox::new(Settings::messages(300)).skip(200));
    appliance.done(&["archive", PROFILE]);
    // There is room for a part of it, and for hardly anything.
    for room in [used / 2, 64 << 10] {
        disk.remount(&format!("size={}", (used + room).next_multiple_of(4096)));
        let refused = back_up().expect(4);
        assert!(refused.stderr.contains("full"), "{}", refused.stderr);
        assert!(!backup.join(".new").exists());
    }
    let mut listed = appliance.command(&["list", "--user", "@catchall", "--json"]);
    listed.env("DROPKEEP__DATA_DIR", &backup);
    assert!(listed.output().unwrap().status.success(), "the backup before opens");
    let record = fs::read_to_string(backup.join("backup.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(number(&record, "messages"), number(&first, "messages"));
    disk.remount("size=64m");
    let second = back_up().expect(0).json();
    assert!(number(&second, "messages") > number(&first, "messages"));

    // Neither is anything half restored.
    fs::remove_dir_all(appliance.data()).unwrap();
    let Some(small) = Disk::mount(&appliance.data(), "500k") else {
        return;
    };
    let restore = || appliance.run(&["restore", "--json", &backup.display().to_string()]);
    let refused = restore().expect(4);
    assert!(refused.stderr.contains("full"), "{}", refused.stderr);
    let names: Vec<_> = fs::read_dir(appliance.data())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    assert_eq!(names, ["lock"]);
    small.remount("size=64m");
    restore().expect(0);
    drop((disk, small));
}

#[test]
fn an_export_to_a_full_disk_goes_on_when_there_is_room() {
    let server = Dovecot::with(Mailbox::new(Settings::messages(MESSAGES)));
    let appliance = Appliance::for_company(DROPKEEP, &Profile::new(&server, "imap"));
    appliance.done(&["archive", PROFILE]);
    let total: usize = appliance.lists().iter().map(|(_, list)| list.len()).sum();
    for format in ["eml", "mbox", "maildir"] {
        let mounted = appliance.config().with_file_name(format);
        let Some(disk) = Disk::mount(&mounted, "4m") else {
            return;
        };
        let dir = mounted.join("out");
        let export = ["export", dir.to_str().unwrap(), "--format", format, "--json"];
        let first = appliance.run(&export).expect(4);
        assert!(
            first.stderr.contains("full") && first.stderr.contains("to continue"),
            "{}",
            first.stderr
        );
        let exported = number(&first.json(), "exported");
        assert_eq!(first.json()["finished"], false);
        disk.remount("size=128m");
        let second = appliance.done(&export).json();
        assert_eq!(number(&second, "skipped"), exported, "{second:#}");
        assert_eq!(exported + number(&second, "exported"), total as u64, "{second:#}");
        assert_eq!(number(&appliance.done(&export).json(), "exported"), 0);
    }
}
