//! What is missing of an archive is missed: a disk that is not mounted, a volume that is gone or another one, a data
//! directory that was mistyped. Nothing is made anew in its place, and when it is back, all is there.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::support::{
    PATIENCE,
    appliance::{Appliance, PROFILE, number},
    running::{Outcome, Serving},
    wait_for,
};

/// An archive that imports files; no server is there.
struct Site {
    appliance: Appliance,
}

impl Site {
    fn new() -> Self {
        let text = format!(
            "[[user]]\nname = \"jane\"\naddresses = [\"jane@example.com\"]\n[[profile]]\nname = \"{PROFILE}\"\n\
             [profile.server]\naccess = \"imap\"\nhost = \"127.0.0.1\"\nport = 1\nusername = \"all\"\npassword = \"x\"\n"
        );
        let appliance = Appliance::new(env!("CARGO_BIN_EXE_dropkeep"), &text);
        Self { appliance }
    }

    /// With so many messages in it.
    fn with(messages: usize) -> Self {
        let site = Self::new();
        for number in 0..messages {
            site.import(number, &[]).expect(0);
        }
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.appliance.config().with_file_name(name)
    }

    fn import(&self, number: usize, more: &[&str]) -> Outcome {
        let file = self.path(&format!("{number}.eml"));
        let text = format!("From: bob@example.com\nTo: jane@example.com\nSubject: {number}\n\nletter {number}\n");
        fs::write(&file, text).expect("a file");
        let file = file.display().to_string();
        let arguments = ["import", "--json", "--profile", PROFILE, &file];
        self.appliance.run(&[&arguments, more].concat())
    }

    fn messages(&self) -> usize {
        let listed = self.appliance.done(&["list", "--user", "jane", "--json"]).lines();
        for line in &listed {
            assert!(!self.appliance.raw(number(line, "id")).is_empty());
        }
        listed.len()
    }

    fn volume(&self) -> PathBuf {
        self.appliance.data().join("volumes/000001")
    }

    /// All that lies beside the configuration.
    fn tree(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.path(".")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                }
                found.push(entry.path());
            }
        }
        found.sort();
        found
    }
}

fn is_ready(serving: &Serving) -> bool {
    serving.get("/readyz").0 == 200
}

#[test]
fn a_command_that_reads_makes_no_archive_and_says_where_there_is_none() {
    let site = Site::new();
    let before = site.tree();
    let data = site.appliance.data().display().to_string();
    let backup = site.path("backup").display().to_string();
    let export = site.path("export").display().to_string();
    let commands: [&[&str]; 16] = [
        &["status"],
        &["status", "--json"],
        &["users"],
        &["users", "rename", "jane", "joan"],
        &["users", "retire", "jane"],
        &["list", "--user", "jane"],
        &["raw", "1"],
        &["show", "1"],
        &["explain", "1"],
        &["protocols"],
        &["verify"],
        &["compact"],
        &["compact", "--dry-run"],
        &["reroute", "--dry-run"],
        &["backup", &backup],
        &["export", &export],
    ];
    for command in commands {
        let outcome = site.appliance.run(command).expect(4);
        assert!(
            outcome.stderr.contains("there is no archive in") && outcome.stderr.contains(&data),
            "{command:?}: {}",
            outcome.stderr
        );
        assert_eq!(site.tree(), before, "{command:?} left something behind");
    }
    site.appliance.check(&[]).expect(2);
    site.appliance.run(&["status", "--alive"]).expect(1);
    assert_eq!(site.tree(), before);
}

#[test]
fn who_makes_an_archive_says_so_once() {
    let made = |outcome: &Outcome| outcome.stderr.contains("made a new archive in");
    let site = Site::new();
    assert!(made(&site.import(1, &[]).expect(0)));
    assert!(!made(&site.import(2, &[]).expect(0)));
    assert!(!made(&site.appliance.done(&["users"])));
    let backup = site.path("backup").display().to_string();
    site.appliance.done(&["backup", &backup]);
    fs::rename(site.appliance.data(), site.path("lost")).expect("it is gone");
    // What a restore puts in place is no new archive.
    assert!(!made(&site.appliance.done(&["restore", &backup])));
    assert_eq!(site.messages(), 2);

    let site = Site::new();
    let add = ["users", "add", "bob", "bob@example.com"];
    assert!(made(&site.appliance.done(&add)));
    let site = Site::new();
    let serving = site.appliance.serve();
    assert!(made(&serving.stop().expect(0)));
}

#[test]
fn where_the_last_archive_is_not_none_is_begun_unasked() {
    let site = Site::with(3);
    let data = site.appliance.data();
    // The disk is not mounted: nothing there, or the empty folder on which it is mounted otherwise.
    fs::rename(&data, site.path("disk")).expect("unmounted");
    for folder in [false, true] {
        if folder {
            fs::create_dir(&data).expect("a folder");
        }
        let refused = site.import(4, &[]).expect(4);
        let before = site.tree();
        assert!(
            refused.stderr.contains("there was one; mount its disk"),
            "{}",
            refused.stderr
        );
        for command in [
            &["serve"][..],
            &["archive", PROFILE],
            &["users", "add", "bob", "bob@example.com"],
        ] {
            let refused = site.appliance.run(command).expect(4);
            assert!(refused.stderr.contains("--new"), "{}", refused.stderr);
        }
        assert_eq!(site.tree(), before);
    }
    fs::remove_dir(&data).expect("it is empty");
    fs::rename(site.path("disk"), &data).expect("mounted");
    assert_eq!(site.messages(), 3);
    site.import(4, &[]).expect(0);

    // Elsewhere, by a name mistyped.
    let there = site.path("dta");
    let run = |arguments: &[&str]| {
        let mut command = site.appliance.command(arguments);
        command.env("DROPKEEP__DATA_DIR", &there).output().expect("dropkeep")
    };
    let add = ["users", "add", "bob", "bob@example.com"];
    let refused = run(&add);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        refused.status.code() == Some(4) && said.contains(data.to_str().expect("a name")),
        "{said}"
    );
    assert!(!there.exists());
    assert!(run(&[&add[..], &["--new"]].concat()).status.success());
    assert!(there.join("catalog").exists());
}

#[test]
fn what_is_missing_of_an_archive_that_is_opened_is_named_and_nothing_is_written() {
    let site = Site::with(3);
    let (data, volume) = (site.appliance.data(), site.volume());
    let file = volume.join("data.mdb");
    let whole = fs::read(&file).expect("the volume");
    let stranger = Site::with(1);
    let foreign = fs::read(stranger.volume().join("data.mdb")).expect("another volume");
    let backup = site.path("backup").display().to_string();
    site.appliance.done(&["backup", &backup]);
    let hurt: [(&str, &dyn Fn()); 6] = [
        ("all volumes", &|| {
            fs::rename(data.join("volumes"), data.join("gone")).expect("gone")
        }),
        ("the volume", &|| {
            fs::rename(&volume, volume.with_extension("away")).expect("gone")
        }),
        ("its file", &|| fs::remove_file(&file).expect("gone")),
        ("all bytes", &|| fs::write(&file, "").expect("empty")),
        ("half of it", &|| {
            fs::write(&file, &whole[..whole.len() / 2]).expect("short")
        }),
        ("another's", &|| fs::write(&file, &foreign).expect("foreign")),
    ];
    for (what, hurt) in hurt {
        hurt();
        let refused = site.import(4, &[]).expect(4);
        assert!(refused.stderr.contains("000001"), "{what}: {}", refused.stderr);
        for command in [&["serve"][..], &["archive", PROFILE], &["users"], &["status"]] {
            let refused = site.appliance.run(command).expect(4);
            assert!(
                refused.stderr.contains("000001"),
                "{what}, {command:?}: {}",
                refused.stderr
            );
        }
        assert!(
            !site.appliance.run(&["users", "--json"]).lines().is_empty(),
            "{what}: it can be read"
        );
        let verified = site.appliance.run(&["verify", "--json"]).expect(4).json();
        assert_eq!(verified["ok"], false, "{what}: {verified:#}");
        site.appliance.run(&["backup", &backup]).expect(4);
        let mut verify = site.appliance.command(&["verify"]);
        assert!(
            verify
                .env("DROPKEEP__DATA_DIR", &backup)
                .output()
                .expect("verify")
                .status
                .success(),
            "{what}"
        );
        // It comes back.
        let _ = fs::rename(data.join("gone"), data.join("volumes"));
        let _ = fs::remove_dir_all(&volume).and_then(|()| fs::rename(volume.with_extension("away"), &volume));
        fs::create_dir_all(&volume).expect("its folder");
        fs::write(&file, &whole).expect("the volume");
        assert_eq!(site.messages(), 3, "{what}");
    }
    site.import(5, &[]).expect(0);
    assert_eq!(site.messages(), 4);
    site.appliance.done(&["verify"]);
}

/// Moves something out of the way of an appliance that runs, and back.
fn while_it_is_away(path: impl Fn(&Site) -> PathBuf, said: &str) {
    let site = Site::with(2);
    let serving = site.appliance.serve();
    site.import(3, &[]).expect(0);
    assert!(wait_for(PATIENCE, || is_ready(&serving)));
    let path = path(&site);
    let away = path.with_extension("away");
    fs::rename(&path, &away).expect("away");
    assert!(
        wait_for(PATIENCE, || !is_ready(&serving)),
        "{} is not missed",
        path.display()
    );
    assert!(serving.get("/readyz").1.contains(said), "{}", serving.get("/readyz").1);
    assert!(serving.get("/metrics").1.contains("\ndropkeep_store_missing 1\n"));
    // Where the socket went too, nobody can ask.
    if site.appliance.data().exists() {
        let refused = site.import(4, &[]).expect(4);
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
        let check = site.appliance.check(&[]).expect(2).text();
        assert!(
            check.contains(path.file_name().expect("a name").to_str().expect("a name")),
            "{check}"
        );
    }
    fs::rename(&away, &path).expect("back");
    assert!(
        wait_for(PATIENCE, || is_ready(&serving)),
        "{}",
        serving.get("/readyz").1
    );
    site.import(4, &[]).expect(0);
    assert_eq!(site.messages(), 4);
    serving.stop().expect(0);
    site.appliance.done(&["verify"]);
}

#[test]
fn a_volume_that_goes_away_under_an_appliance_is_missed_until_it_is_back() {
    while_it_is_away(Site::volume, "volume 000001 is missing");
}

#[test]
fn volumes_that_go_away_under_an_appliance_are_missed_until_they_are_back() {
    while_it_is_away(|site| site.appliance.data().join("volumes"), "volume 000001 is missing");
}

#[test]
fn a_catalog_that_goes_away_under_an_appliance_is_missed_until_it_is_back() {
    while_it_is_away(|site| site.appliance.data().join("catalog"), "the catalog is missing");
}

#[test]
fn a_data_directory_that_goes_away_under_an_appliance_is_missed_until_it_is_back() {
    while_it_is_away(|site| site.appliance.data(), "the data directory is missing");
}

#[test]
fn whoever_deletes_a_lock_under_an_appliance_ends_writing_and_lets_nobody_in() {
    for lock in ["lock", "catalog/lock.mdb", "volumes/000001/lock.mdb"] {
        let site = Site::with(1);
        let serving = site.appliance.serve();
        site.import(2, &[]).expect(0);
        fs::remove_file(site.appliance.data().join(lock)).expect("a lock");
        assert!(wait_for(PATIENCE, || !is_ready(&serving)), "{lock}");
        let refused = site.import(3, &[]).expect(4);
        assert!(refused.stderr.contains("the lock file"), "{}", refused.stderr);
        // A process that does not find the socket must not get in beside it either.
        fs::rename(site.appliance.data().join("control.sock"), site.path("aside")).expect("the socket");
        let refused = site.import(3, &[]).expect(4);
        assert!(refused.stderr.contains("in use by process"), "{}", refused.stderr);
        fs::rename(site.path("aside"), site.appliance.data().join("control.sock")).expect("the socket");
        serving.stop().expect(0);
        site.import(3, &[]).expect(0);
        assert_eq!(site.messages(), 3);
    }
}

#[test]
fn a_lock_that_is_a_link_is_refused_and_what_it_leads_to_stays() {
    let site = Site::with(1);
    let precious = site.path("precious");
    fs::write(&precious, "mine").expect("a file");
    for lock in ["lock", "catalog/lock.mdb", "volumes/000001/lock.mdb"] {
        let lock = site.appliance.data().join(lock);
        let _ = fs::remove_file(&lock);
        symlink(&precious, &lock).expect("a link");
        let refused = site.import(2, &[]).expect(4);
        assert!(refused.stderr.contains("is a link"), "{}", refused.stderr);
        assert_eq!(fs::read_to_string(&precious).expect("it is there"), "mine");
        fs::remove_file(&lock).expect("a link");
    }
    site.import(2, &[]).expect(0);
}

/// The folder of a disk that has nothing on it may be that of the wrong disk.
#[test]
fn an_empty_disk_gets_an_archive_only_when_asked() {
    let site = Site::new();
    let data = site.appliance.data();
    fs::create_dir(&data).expect("a folder");
    let mount = |arguments: &[&str], path: &Path| {
        let done = std::process::Command::new(arguments[0])
            .args(&arguments[1..])
            .arg(path)
            .output();
        done.is_ok_and(|done| done.status.success())
    };
    if !mount(&["mount", "-t", "tmpfs", "tmpfs"], &data) {
        return eprintln!("SKIPPED: cannot mount");
    }
    let refused = site.import(1, &[]);
    let made = site.import(1, &["--new"]);
    let again = site.import(2, &[]);
    assert!(
        mount(&["umount", "--lazy"], &data),
        "{} is still mounted",
        data.display()
    );
    assert!(refused.expect(4).stderr.contains("empty disk"));
    assert!(made.expect(0).stderr.contains("made a new archive"));
    again.expect(0);
    // Without the disk, its folder is no place for another one.
    site.import(3, &[]).expect(4);
}
