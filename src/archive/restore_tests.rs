//! Restoring: all of a backup, checked, or nothing; never over anything.

use std::{cell::Cell, fs, os::unix::fs::MetadataExt, path::Path};

use super::{
    backup_tests::{QUIET, Site, assert_is_backup, file},
    record::RECORD,
    staging::{NEW, OLD},
    test_bench::{Bench, Kept, assert_holds, seal_all},
    *,
};
use crate::config::Config;

#[actix::test]
async fn a_restore_is_complete_and_checked_or_nothing() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let mut kept = Kept::new();
    file(&bench, 0..30, &mut kept).await;
    seal_all(&bench);
    let backup = site.path("backup");
    back_up(&bench.store, &backup, QUIET).unwrap();
    let target = site.at(&site.path("restored"));
    let refused = |path: &Path, config: &Config, word: &str| {
        let error = restore(path, config, QUIET).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    refused(&backup, &site.config, "not empty");
    bench.close();
    refused(&backup, &site.config, "not empty");
    refused(&site.path("nothing"), &target, "is not a directory");
    refused(&backup, &site.at(&backup.join("data")), "overlaps");
    let empty = site.path("empty");
    fs::create_dir(&empty).unwrap();
    refused(&empty, &target, "no complete backup");
    assert!(!target.data_dir.exists());

    let mut cuts = 0;
    for allowed in 0.. {
        let asked = Cell::new(0);
        let go_on = || {
            asked.set(asked.get() + 1);
            asked.get() <= allowed
        };
        match restore(&backup, &target, Hooks::only(&go_on)) {
            Ok(done) => {
                assert!(done.messages == 30 && done.changed.is_empty(), "{done:?}");
                break;
            }
            Err(error) => assert!(matches!(error, StoreError::Interrupted), "{error}"),
        }
        let names = disk::other_names(&target.data_dir, &["lock"]).unwrap();
        assert!(names.is_empty(), "{names:?}");
        cuts += 1;
    }
    assert!(cuts > 5, "{cuts}");
    assert_eq!(
        disk::other_names(&target.data_dir, &["lock"]).unwrap(),
        ["catalog", "volumes"]
    );
    let links = fs::metadata(target.data_dir.join("volumes/000001/data.mdb"))
        .unwrap()
        .nlink();
    assert_eq!(links, 1, "what is restored is nobody else's");
    refused(&backup, &target, "not empty");
    // It is written to, and the backup is not.
    let restored = Bench::open(&target);
    let mut more = kept.clone();
    assert_holds(&restored.store, &kept);
    file(&restored, 30..40, &mut more).await;
    assert_holds(&restored.store, &more);
    restored.close();
    assert_is_backup(&site, &backup, &kept);

    // A restore that was cut off just before its end is finished, not lost.
    let cut = site.at(&site.path("cut"));
    restore(&backup, &cut, QUIET).unwrap();
    let new = cut.data_dir.join(NEW);
    fs::create_dir(&new).unwrap();
    fs::write(new.join(RECORD), "{}").unwrap();
    fs::rename(cut.data_dir.join("catalog"), new.join("catalog")).unwrap();
    assert!(Store::open(&cut).err().unwrap().to_string().contains("was interrupted"));
    refused(&backup, &cut, "an earlier restore");
    assert_holds(&Store::open(&cut).unwrap(), &kept);

    // A damaged sealed volume is told, and so is a catalog that is other than it was.
    let file = backup.join("volumes/000001/data.mdb");
    let whole = fs::read(&file).unwrap();
    let mut bytes = whole.clone();
    bytes[whole.len() / 2] ^= 1;
    fs::remove_file(&file).unwrap();
    fs::write(&file, bytes).unwrap();
    let done = restore(&backup, &site.at(&site.path("damaged")), QUIET).unwrap();
    assert!(
        done.damaged.len() == 1 && done.damaged[0].contains("000001"),
        "{done:?}"
    );
    let next = site.at(&site.path("next"));
    fs::write(&file, whole).unwrap();
    let user = Bench::open(&site.at(&backup));
    user.committer.folder("another").await.unwrap();
    user.close();
    let done = restore(&backup, &next, QUIET).unwrap();
    assert!(
        done.changed.len() == 1 && done.changed[0].contains("catalog"),
        "{done:?}"
    );
    assert_holds(&Store::open(&next).unwrap(), &kept);

    // A backup of a later version.
    let record = fs::read_to_string(backup.join(RECORD)).unwrap();
    let [known, later] = [SCHEMA, SCHEMA + 1].map(|schema| format!("\"schema\": {schema}"));
    assert!(record.contains(&known));
    fs::write(backup.join(RECORD), record.replace(&known, &later)).unwrap();
    refused(
        &backup,
        &site.at(&site.path("later")),
        &format!("schema {}", SCHEMA + 1),
    );
}

#[test]
fn a_folder_that_is_no_backup_lost_what_was_named_like_the_remains_of_one() {
    let site = Site::new();
    let maildir = site.path("maildir");
    for name in [".old/cur", ".new/cur"] {
        fs::create_dir_all(maildir.join(name)).unwrap();
        fs::write(maildir.join(name).join("mail"), "Subject: x\n\n").unwrap();
    }
    let error = restore(&maildir, &site.at(&site.path("restored")), QUIET).unwrap_err();
    assert!(error.to_string().contains("no complete backup"), "{error}");
    let store = Store::open(&site.config).unwrap();
    assert!(back_up(&store, &maildir, QUIET).is_err());
    for name in [".old/cur/mail", ".new/cur/mail"] {
        assert!(maildir.join(name).exists(), "{name}");
    }
    assert!(!maildir.join("backup.json").exists());
}

#[actix::test]
async fn a_damaged_block_in_the_volume_that_is_written_to_passed_as_a_mere_change() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let mut kept = Kept::new();
    file(&bench, 0..30, &mut kept).await;
    bench.committer.folder("another").await.unwrap();
    let backup = site.path("backup");
    back_up(&bench.store, &backup, QUIET).unwrap();
    bench.close();
    let file = backup.join("volumes/000001/data.mdb");
    let mut bytes = fs::read(&file).unwrap();
    let block = memchr::memmem::find(&bytes, b"dkb\x01").unwrap();
    bytes[block + 40] ^= 1;
    fs::write(&file, bytes).unwrap();
    let done = restore(&backup, &site.at(&site.path("restored")), QUIET).unwrap();
    assert!(done.changed.is_empty() && done.damaged.len() == 1, "{done:?}");
    assert!(
        done.damaged[0].starts_with("block ") && done.damaged[0].contains("000001"),
        "{done:?}"
    );

    // Nor is a row of the catalog that does not match its checksum a mere change.
    let file = backup.join("catalog/data.mdb");
    let mut bytes = fs::read(&file).unwrap();
    let name = memchr::memmem::find_iter(&bytes, b"another").collect::<Vec<_>>();
    assert!(!name.is_empty());
    name.into_iter().for_each(|at| bytes[at] ^= 1);
    fs::write(&file, bytes).unwrap();
    let done = restore(&backup, &site.at(&site.path("again")), QUIET).unwrap();
    assert!(done.changed.is_empty() && done.damaged.len() == 2, "{done:?}");
}

/// A volume, or what says what is in it: nothing was restored of the others.
#[actix::test]
async fn a_restore_ended_at_a_volume_that_is_missing() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    file(&bench, 0..30, &mut Kept::new()).await;
    seal_all(&bench);
    let backup = site.path("backup");
    let volumes = back_up(&bench.store, &backup, QUIET).unwrap().volumes;
    bench.close();
    let folders = ["000001", "000002"].map(|name| backup.join("volumes").join(name));
    fs::remove_file(folders[0].join("data.mdb")).unwrap();
    fs::write(folders[1].join("manifest.json"), "{").unwrap();
    let target = site.at(&site.path("restored"));
    let done = restore(&backup, &target, QUIET).unwrap();
    let named = |name: &str| done.damaged.iter().any(|damage| damage.contains(name));
    assert!(named("000001/data.mdb") && named("000002/manifest.json"), "{done:?}");
    let restored = fs::read_dir(target.data_dir.join("volumes")).unwrap().count();
    assert_eq!(restored as u64, volumes - 1);
}

/// It would take the only catalog away.
#[actix::test]
async fn what_was_moved_away_is_not_removed_where_nothing_takes_its_place() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let mut kept = Kept::new();
    file(&bench, 0..5, &mut kept).await;
    let backup = site.path("backup");
    back_up(&bench.store, &backup, QUIET).unwrap();
    fs::create_dir(backup.join(OLD)).unwrap();
    fs::rename(backup.join("catalog"), backup.join(OLD).join("catalog")).unwrap();
    let target = site.at(&site.path("restored"));
    let error = restore(&backup, &target, QUIET).unwrap_err().to_string();
    assert!(error.contains("move what is in") && error.contains(".old"), "{error}");
    assert!(back_up(&bench.store, &backup, QUIET).is_err());
    bench.close();
    fs::rename(backup.join(OLD).join("catalog"), backup.join("catalog")).unwrap();
    assert_is_backup(&site, &backup, &kept);
}
