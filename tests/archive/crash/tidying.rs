//! What is done to a store beside archiving: sealing, compaction, backup, restore, and the upgrade of an older one.
//! Broken off at every step and done again, it comes to what it would have come to.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use dropkeep::{
    archive::{Committer, Store},
    config::Config,
    fault::Stage,
    report::Run,
};
use tempfile::TempDir;

use crate::crash::{
    DROPKEEP,
    held::{Held, KINDS, assert_ends_with, assert_whole, broken_off, copy, held, held_in, mailbox, points_of},
    points,
    support::{
        appliance::{Appliance, PROFILE, Profile, number},
        disks::another_disk,
        dovecot::Dovecot,
        generator::{company, company_of, user_tables},
        stores::thaw,
    },
};

/// Archives are copied for every case.
struct Room {
    appliance: Appliance,
    folder: TempDir,
}

impl Room {
    fn of(appliance: Appliance) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { appliance, folder }
    }

    /// A fresh copy of `from`, in place of an earlier one.
    fn copy(&self, from: &Path, name: &str) -> PathBuf {
        let to = self.fresh(name);
        copy(from, &to);
        to
    }

    /// A path at which there is nothing.
    fn fresh(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        if path.exists() {
            fs::remove_dir_all(&path).expect("an earlier copy goes");
        }
        path
    }

    /// A command over another data directory.
    fn command(&self, data: &Path, arguments: &[&str]) -> Command {
        let mut command = self.appliance.command(arguments);
        command.env("DROPKEEP__DATA_DIR", data);
        command
    }

    fn done(&self, data: &Path, arguments: &[&str]) -> serde_json::Value {
        let output = self.command(data, arguments).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"))
    }

    fn held(&self, data: &Path) -> Held {
        held_in(&self.appliance, data)
    }

    fn assert_whole(&self, data: &Path, what: &str) {
        assert_whole(self.command(data, &["verify", "--json"]), what);
    }

    /// Breaks `compact` off at each of these points, over copies of `data`.
    fn break_compaction_off(&self, data: &Path, points: &[(&str, Stage)], codes: &[i32]) {
        let expected = self.held(data);
        for (point, _) in points {
            for kind in KINDS {
                let what = format!("{point}:{kind}");
                let data = self.copy(data, "case");
                let outcome = broken_off(self.command(&data, &["compact", "--json"]), point, kind, 1);
                assert_ends_with(&outcome, codes, &what);
                self.done(&data, &["compact", "--json"]);
                let idle = self.done(&data, &["compact", "--json"]);
                assert_eq!(
                    (number(&idle, "moved"), idle["left"] == true),
                    (0, false),
                    "{what}: {idle:#}"
                );
                self.assert_whole(&data, &what);
                assert_eq!(self.held(&data), expected, "{what}");
            }
        }
    }
}

/// An archive in one volume of very many small blocks, as a slow source makes it.
fn trickled(server: &Dovecot) -> Appliance {
    let appliance = Appliance::new(DROPKEEP, &settings(server, "[limits]\ninflight = \"64 KiB\"\n"));
    appliance.done(&["archive", PROFILE]);
    appliance
}

fn settings(server: &Dovecot, more: &str) -> String {
    user_tables(&company_of(5)) + &Profile::new(server, "imap").toml() + more
}

#[test]
fn every_step_of_a_compaction_is_done_again() {
    let server = Dovecot::with(mailbox(900, 0));
    let room = Room::of(trickled(&server));
    let (removing, merging): (Vec<_>, Vec<_>) = points_of(&[Stage::Compact])
        .into_iter()
        .partition(|(point, _)| point.starts_with("volume-"));
    let data = room.copy(&room.appliance.data(), "merging");
    room.break_compaction_off(&data, &merging, &[4]);

    // Smaller volumes: what is there is full, so it is sealed, and then emptied.
    room.appliance
        .configure(&settings(&server, "[archive]\nvolume_size = \"1 MiB\"\n"));
    server.deliver(["To: jane@example.com\nSubject: the last\n\nx\n"]);
    room.appliance.done(&["archive", PROFILE]);
    assert!(
        room.appliance.data().join("volumes/000002").exists(),
        "the first volume is not full"
    );
    let data = room.copy(&room.appliance.data(), "removing");
    room.break_compaction_off(&data, &removing, &[4]);
    let emptied = room.copy(&data, "emptied");
    assert_eq!(number(&room.done(&emptied, &["compact", "--json"]), "volumes"), 1);
}

#[test]
fn every_step_of_sealing_is_done_again() {
    let server = Dovecot::with(mailbox(20, 40));
    let appliance = points::appliance(&server);
    appliance.done(&["archive", PROFILE]);
    let room = Room::of(appliance);
    let data = room.copy(&room.appliance.data(), "full");
    let is_sealed = |data: &Path| data.join("volumes/000001/manifest.json").exists();
    assert!(data.join("volumes/000002").exists() && !is_sealed(&data));
    // The housekeeper may be the one who is broken off; whoever asks then seals.
    room.break_compaction_off(&data, &points_of(&[Stage::Seal]), &[0, 4]);
    assert!(is_sealed(&room.folder.path().join("case")));
}

#[test]
fn every_step_of_shrinking_the_catalog_is_done_again() {
    let server = Dovecot::with(mailbox(30, 0));
    let appliance = points::appliance(&server);
    appliance.done(&["archive", PROFILE]);
    leave_free_pages(&appliance);
    let room = Room::of(appliance);
    let data = room.copy(&room.appliance.data(), "free");
    // It is done in the command itself, before anything else is.
    for (point, _) in points_of(&[Stage::Shrink]) {
        room.break_compaction_off(&data, &[(point, Stage::Shrink)], &[1, 4]);
    }
    let shrunk = room.copy(&data, "shrunk");
    assert!(number(&room.done(&shrunk, &["compact", "--json"]), "catalog_given_back") > 1 << 20);
}

/// A protocol that grows and shrinks again leaves free pages.
fn leave_free_pages(appliance: &Appliance) {
    let config = Config::load(&appliance.config()).expect("a configuration");
    let store = Arc::new(Store::open(&config).expect("a store"));
    let (number, json) = store.runs(None, 1).expect("the runs").remove(0);
    let run: Run = serde_json::from_str(&json).expect("a protocol");
    let (committer, thread) = Committer::start(store, 64 << 20).expect("a committer");
    for notices in [vec!["x".repeat(4 << 20)], Vec::new()] {
        let run = Run {
            run: number,
            notices,
            ..run.clone()
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(committer.put_protocol(Arc::new(run))).expect("stored");
    }
    drop(committer);
    thread.join().expect("the committer ends");
}

/// Archives the mail in shares, with a backup to `folder` after each.
fn back_up_in_shares(room: &Room, server: &Dovecot, mail: &[Vec<u8>], shares: usize, folder: &Path) {
    for share in mail.chunks(mail.len().div_ceil(shares)) {
        server.deliver(share);
        room.appliance.done(&["archive", PROFILE]);
        room.done(&room.appliance.data(), &["backup", "--json", folder.to_str().unwrap()]);
    }
}

#[test]
fn every_step_of_a_backup_leaves_the_one_before_or_the_new_one() {
    let all = mailbox(60, 40);
    let (first, second) = all.split_at(all.len() * 2 / 3);
    let server = Dovecot::start();
    let room = Room::of(points::appliance(&server));
    let archived = room.appliance.data();
    let earlier = room.fresh("earlier");
    // Its last patches wait beside its files.
    back_up_in_shares(&room, &server, first, 2, &earlier);
    assert!(earlier.join("catalog/patch").exists());
    let before = room.held(&archived);
    server.deliver(second);
    room.appliance.done(&["archive", PROFILE]);
    // What is full is sealed, and linked to.
    room.appliance.done(&["compact"]);
    let now = room.held(&archived);
    assert_ne!(before, now);
    // A patch is applied where a volume was sealed since and cannot be linked to.
    let mut points: Vec<_> = points_of(&[Stage::Backup])
        .into_iter()
        .map(|(point, _)| (point, 1, point == "patch-applied"))
        .collect();
    // After the catalog comes a volume, and of the renames each is one.
    points.extend(["patch-begun", "patch-made", "patch-moved"].map(|point| (point, 2, true)));
    points.extend(["staging-old-moved", "staging-new-moved"].map(|point| (point, 2, true)));
    // On another disk, where nothing is linked.
    let elsewhere = another_disk();
    for (point, nth, is_elsewhere) in points {
        for kind in KINDS {
            let what = format!("{point}:{kind}:{nth}");
            let backup = match is_elsewhere {
                false => room.copy(&earlier, "backup"),
                true => elsewhere.path().join(format!("{point} {kind}")),
            };
            if is_elsewhere {
                copy(&earlier, &backup);
            }
            let words = ["backup", "--json", backup.to_str().unwrap()];
            let outcome = broken_off(room.command(&archived, &words), point, kind, nth);
            assert_ends_with(&outcome, &[4], &what);
            // Whoever lost the archive now has one of the two.
            let target = room.fresh("restored");
            let kept = room.copy(&backup, "kept");
            // To look at it may put the files before together, and takes nothing away.
            let looked = room.command(&kept, &["verify", "--json"]).output().expect("verify");
            assert!(matches!(looked.status.code(), Some(0 | 4)), "{what}: {looked:?}");
            room.done(&target, &["restore", "--json", kept.to_str().unwrap()]);
            let restored = room.held(&target);
            assert!(restored == before || restored == now, "{what}: neither is restored");
            room.done(&archived, &words);
            let target = room.fresh("restored");
            room.done(&target, &["restore", "--json", backup.to_str().unwrap()]);
            assert_eq!(room.held(&target), now, "{what}");
            room.assert_whole(&target, &what);
            room.assert_whole(&backup, &what);
            // There may be no room for all of them there.
            if is_elsewhere {
                fs::remove_dir_all(&backup).expect("it is removed");
            }
        }
    }
}

#[test]
fn every_step_of_a_restore_is_done_again() {
    let server = Dovecot::start();
    let room = Room::of(points::appliance(&server));
    let backup = room.fresh("backup");
    back_up_in_shares(&room, &server, &mailbox(20, 40), 2, &backup);
    // What is full is sealed.
    room.appliance.done(&["compact"]);
    room.done(&room.appliance.data(), &["backup", "--json", backup.to_str().unwrap()]);
    assert!(backup.join("catalog/patch").exists());
    let expected = held(&room.appliance);
    let mut points: Vec<_> = points_of(&[Stage::Restore])
        .into_iter()
        .map(|(point, _)| (point, 1))
        .collect();
    // What it has in common with a backup; of the renames each.
    points.extend([
        ("seal-writing", 1),
        ("backup-recording", 1),
        ("staging-new-moved", 1),
        ("staging-new-moved", 2),
    ]);
    points.push(("restore-copied", 2));
    for (point, nth) in points {
        for kind in KINDS {
            let what = format!("{point}:{kind}:{nth}");
            let target = room.fresh("target");
            let restore = || room.command(&target, &["restore", "--json", backup.to_str().unwrap()]);
            let outcome = broken_off(restore(), point, kind, nth);
            assert_ends_with(&outcome, &[4], &what);
            let again = restore().output().expect("restore");
            let said = String::from_utf8_lossy(&again.stderr).into_owned();
            // All was in place but for the last rename, or for tidying up behind it.
            let is_there = ["cut off over just before its end", "is not empty"]
                .iter()
                .any(|words| said.contains(words));
            assert!(again.status.success() || is_there, "{what}: {said}");
            assert_eq!(room.held(&target), expected, "{what}");
            room.assert_whole(&target, &what);
        }
    }
}

/// What waits beside the files of a backup is put in place by whoever opens it, whatever comes between.
#[test]
fn every_step_of_using_a_backup_is_done_again() {
    let server = Dovecot::start();
    let room = Room::of(points::appliance(&server));
    let backup = room.fresh("backup");
    back_up_in_shares(&room, &server, &mailbox(40, 40), 2, &backup);
    let expected = held(&room.appliance);
    for (point, _) in points_of(&[Stage::Use]) {
        for kind in KINDS {
            // There are two of them, and one record.
            for nth in 1..=if point == "waiting-recorded" { 1 } else { 2 } {
                let what = format!("{point}:{kind}:{nth}");
                let (used, over) = (room.copy(&backup, "used"), room.fresh("over"));
                let outcome = broken_off(room.command(&used, &["users", "--json"]), point, kind, nth);
                assert_ends_with(&outcome, &[4], &what);
                // The next backup may come first.
                let interrupted = room.copy(&used, "interrupted");
                room.done(
                    &room.appliance.data(),
                    &["backup", "--json", interrupted.to_str().unwrap()],
                );
                room.done(&over, &["restore", "--json", interrupted.to_str().unwrap()]);
                for data in [&used, &interrupted, &over] {
                    assert_eq!(room.held(data), expected, "{what}");
                    room.assert_whole(data, &what);
                    // Whoever writes removes what is applied.
                    room.done(data, &["compact", "--json"]);
                    assert!(!data.join("catalog/patch").exists(), "{what}");
                }
            }
        }
    }
}

#[test]
fn every_step_of_an_upgrade_from_schema_1_is_done_again() {
    break_upgrade_off(1, 3);
}

#[test]
fn every_step_of_an_upgrade_from_schema_3_is_done_again() {
    break_upgrade_off(3, 1);
}

#[test]
fn packing_a_store_of_schema_4_is_done_again() {
    break_upgrade_off(4, 0);
}

#[test]
fn packing_the_copies_of_a_store_of_schema_6_is_done_again() {
    break_upgrade_off(6, 0);
}

/// Breaks the upgrade from a schema off, which takes so many steps before its rows are packed.
fn break_upgrade_off(schema: u32, steps: u64) {
    let appliance = Appliance::new(DROPKEEP, &user_tables(&company()));
    thaw(&appliance, schema);
    let room = Room::of(appliance);
    let old = room.copy(&room.appliance.data(), "old");
    let upgraded = room.copy(&old, "upgraded");
    let users = |data: &Path| room.command(data, &["users", "--json"]);
    assert!(users(&upgraded).status().expect("it runs").success());
    let expected = room.held(&upgraded);
    let times = |point| if point == "upgrade-stepped" { steps } else { 1 };
    let points = points_of(&[Stage::Upgrade]).into_iter().map(|(point, _)| point);
    for (point, nth) in points.flat_map(|point| (1..=times(point)).map(move |nth| (point, nth))) {
        for kind in KINDS {
            let what = format!("{point}:{kind}:{nth}");
            let data = room.copy(&old, "case");
            let outcome = broken_off(users(&data), point, kind, nth);
            assert_ends_with(&outcome, &[4], &what);
            assert!(users(&data).status().expect("it runs").success(), "{what}");
            assert_eq!(room.held(&data), expected, "{what}");
            room.assert_whole(&data, &what);
        }
    }
}

#[test]
fn every_step_of_making_rows_of_lists_is_done_again() {
    let appliance = Appliance::new(DROPKEEP, &user_tables(&company()));
    thaw(&appliance, 3);
    let room = Room::of(appliance);
    let old = room.appliance.data();
    let upgraded = room.command(&old, &["users", "--json"]).status();
    assert!(upgraded.expect("it runs").success());
    let lists = |data: &Path| {
        let listed = room
            .command(data, &["list", "--all", "--json"])
            .output()
            .expect("it runs");
        assert!(listed.status.success());
        String::from_utf8(listed.stdout).expect("JSON")
    };
    let expected = lists(&old);
    // Where the housekeeper came first, the command itself goes on.
    room.break_compaction_off(&old, &points_of(&[Stage::Lists]), &[0, 4]);
    let made = room.copy(&old, "made");
    room.done(&made, &["compact", "--json"]);
    assert_eq!(lists(&made), expected);
}
