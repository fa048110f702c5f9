//! Backups whose last patches wait beside their files: each is whole, whatever comes next.

use std::{fs, path::Path};

use super::{
    backup_tests::{QUIET, Site, assert_is_backup, file},
    increment_tests::{build_over, copy, elsewhere, in_many_groups, link_all},
    patch::PATCH,
    staging::Target,
    test_bench::{Bench, Kept, assert_holds, seal_all},
    *,
};

/// A backup after each of so many shares of mail, each of several groups.
async fn back_up_often(bench: &Bench, backup: &Path, shares: u32, kept: &mut Kept) {
    for share in 0..shares {
        in_many_groups(bench, share * 20..share * 20 + 20, kept).await;
        back_up(&bench.store, backup, QUIET).unwrap();
    }
}

/// It restores to exactly these messages, and is as it was recorded.
fn assert_restores(site: &Site, backup: &Path, kept: &Kept) {
    let restored = site.at(&site.path("restored"));
    let done = restore(backup, &restored, QUIET).unwrap();
    assert!(done.changed.is_empty() && done.damaged.is_empty(), "{done:?}");
    assert_holds(&Store::open(&restored).unwrap(), kept);
    fs::remove_dir_all(restored.data_dir).unwrap();
}

#[actix::test]
async fn each_backup_of_many_is_whole_and_writes_each_page_once() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, (_disk, backup)) = (Kept::new(), elsewhere());
    for share in 0..8 {
        in_many_groups(&bench, share * 15..share * 15 + 15, &mut kept).await;
        // What was written to is sealed now and then, with a patch that waits over it.
        if share % 3 == 2 {
            seal_all(&bench);
        }
        back_up(&bench.store, &backup, QUIET).unwrap();
        assert_eq!(backup.join("catalog").join(PATCH).exists(), share > 0);
        for sealed in fs::read_dir(backup.join("volumes")).unwrap().flatten() {
            let is_patched = sealed.path().join(PATCH).exists();
            assert!(!(is_patched && seal::is_sealed(&sealed.path())), "{sealed:?}");
        }
        assert_restores(&site, &backup, &kept);
        let copied = site.path("copied");
        copy(&backup, &copied);
        assert_is_backup(&site, &copied, &kept);
        assert!(
            !copied.join("catalog").join(PATCH).exists(),
            "whoever opened it has applied it"
        );
        assert_restores(&site, &copied, &kept);
        fs::remove_dir_all(copied).unwrap();
    }
    bench.close();
}

/// The catalog of such a backup cannot be looked into.
#[actix::test]
async fn a_backup_with_a_patch_is_known_by_its_record() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    back_up_often(&bench, &backup, 2, &mut kept).await;
    let earlier = site.path("earlier");
    copy(&backup, &earlier);
    in_many_groups(&bench, 40..45, &mut kept).await;
    back_up(&bench.store, &backup, QUIET).unwrap();
    let refused = |store: &Store| back_up(store, &backup, QUIET).unwrap_err().to_string();
    // An archive that was put back to where it was before, and has other mail since.
    let restored = site.at(&site.path("restored"));
    restore(&earlier, &restored, QUIET).unwrap();
    let other = Bench::open(&restored);
    file(&other, 60..70, &mut Kept::new()).await;
    let error = refused(&other.store);
    assert!(error.contains("not in this archive"), "{error}");
    other.close();
    let another = Bench::open(&site.at(&site.path("another")));
    file(&another, 0..60, &mut Kept::new()).await;
    let error = refused(&another.store);
    assert!(error.contains("of another archive"), "{error}");
    another.close();
    assert!(backup.join("catalog").join(PATCH).exists());
    back_up(&bench.store, &backup, QUIET).unwrap();
    assert_is_backup(&site, &backup, &kept);
    bench.close();
}

#[actix::test]
async fn a_linked_copy_of_a_backup_is_what_it_was_with_its_patch() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup, monday) = (Kept::new(), site.path("backup"), site.path("monday"));
    back_up_often(&bench, &backup, 2, &mut kept).await;
    link_all(&backup, &monday);
    let former = kept.clone();
    in_many_groups(&bench, 40..60, &mut kept).await;
    back_up(&bench.store, &backup, QUIET).unwrap();
    assert!(!backup.join("catalog").join(PATCH).exists(), "it was made anew");
    assert_restores(&site, &monday, &former);
    assert_is_backup(&site, &monday, &former);
    assert_restores(&site, &backup, &kept);
    assert_is_backup(&site, &backup, &kept);
    bench.close();
}

#[actix::test]
async fn a_damaged_patch_is_named_and_the_next_backup_is_whole() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    back_up_often(&bench, &backup, 2, &mut kept).await;
    // That of a volume, as without its catalog nothing is restored.
    let volumes = fs::read_dir(backup.join("volumes")).unwrap().flatten();
    let patch = volumes
        .map(|volume| volume.path().join(PATCH))
        .find(|patch| patch.exists());
    let patch = patch.expect("a volume that is written to");
    let mut bytes = fs::read(&patch).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&patch, bytes).unwrap();
    let restored = site.at(&site.path("restored"));
    let done = restore(&backup, &restored, QUIET).unwrap();
    let name = patch.display().to_string();
    assert!(done.damaged.iter().any(|damage| damage.contains(&name)), "{done:?}");
    let error = Store::open_for_reading(&site.at(&backup)).err().unwrap().to_string();
    assert!(error.contains(&name), "{error}");
    fs::remove_dir_all(restored.data_dir).unwrap();
    back_up(&bench.store, &backup, QUIET).unwrap();
    assert_restores(&site, &backup, &kept);
    bench.close();
}

/// Whoever opens the catalog puts it together first.
#[actix::test]
async fn the_catalog_of_a_backup_is_shrunk_with_its_patch_applied() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    back_up_often(&bench, &backup, 2, &mut kept).await;
    shrink_catalog(&site.at(&backup), QUIET).unwrap();
    assert!(!backup.join("catalog").join(PATCH).exists());
    assert_is_backup(&site, &backup, &kept);
    bench.close();
}

/// Both have the same files under two names each.
#[actix::test]
async fn whoever_opened_a_linked_copy_of_a_backup_wrote_into_the_backup() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup, monday) = (Kept::new(), site.path("backup"), site.path("monday"));
    back_up_often(&bench, &backup, 2, &mut kept).await;
    bench.close();
    link_all(&backup, &monday);
    let mut more = kept.clone();
    let used = Bench::open(&site.at(&backup));
    in_many_groups(&used, 60..70, &mut more).await;
    used.close();
    assert_restores(&site, &monday, &kept);
    assert_is_backup(&site, &monday, &kept);
    assert_holds(&Store::open(&site.at(&backup)).unwrap(), &more);
}

/// As where a copy leaves out what it does not know, or was cut off.
#[actix::test]
async fn a_backup_that_lost_its_patches_was_the_one_before_in_silence() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    back_up_often(&bench, &backup, 2, &mut kept).await;
    for name in patch::within(&backup).unwrap() {
        fs::remove_file(backup.join(name).join(PATCH)).unwrap();
    }
    let error = Store::open_for_reading(&site.at(&backup)).err().unwrap().to_string();
    assert!(
        error.contains("catalog/patch") && error.contains("not whole"),
        "{error}"
    );
    let restored = site.at(&site.path("restored"));
    let done = restore(&backup, &restored, QUIET).unwrap();
    assert!(
        done.damaged.iter().any(|damage| damage.contains("catalog/patch")),
        "{done:?}"
    );
    fs::remove_dir_all(restored.data_dir).unwrap();
    back_up(&bench.store, &backup, QUIET).unwrap();
    assert_restores(&site, &backup, &kept);
    assert_is_backup(&site, &backup, &kept);
    bench.close();
}

/// Copied over, with nothing removed.
#[actix::test]
async fn a_patch_of_the_day_before_was_applied_to_what_took_the_place_of_its_file() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, (_disk, backup)) = (Kept::new(), elsewhere());
    back_up_often(&bench, &backup, 2, &mut kept).await;
    let mirror = site.path("mirror");
    copy(&backup, &mirror);
    assert!(mirror.join("volumes/000001").join(PATCH).exists());
    seal_all(&bench);
    // Its catalog is made anew, too.
    link_all(&backup, &backup.with_extension("other"));
    back_up(&bench.store, &backup, QUIET).unwrap();
    copy(&backup.join("."), &mirror);
    assert!(
        ["catalog", "volumes/000001"]
            .iter()
            .all(|name| mirror.join(name).join(PATCH).exists())
    );
    assert_restores(&site, &mirror, &kept);
    assert_is_backup(&site, &mirror, &kept);
    back_up(&bench.store, &mirror, QUIET).unwrap();
    assert_restores(&site, &mirror, &kept);
    bench.close();
}

#[actix::test]
async fn a_file_without_the_patch_over_it_was_taken_for_an_archive() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup, part) = (Kept::new(), site.path("backup"), site.path("part"));
    back_up_often(&bench, &backup, 2, &mut kept).await;
    bench.close();
    copy(&backup, &part);
    fs::remove_file(part.join("backup.json")).unwrap();
    for opened in [
        Store::open(&site.at(&part)).map(drop),
        Store::open_for_reading(&site.at(&part)).map(drop),
    ] {
        let error = opened.unwrap_err().to_string();
        assert!(error.contains("no backup.json"), "{error}");
    }
    fs::copy(backup.join("backup.json"), part.join("backup.json")).unwrap();
    assert_is_backup(&site, &part, &kept);
    // It says so no more once they are applied.
    fs::remove_file(part.join("backup.json")).unwrap();
    assert_holds(&Store::open(&site.at(&part)).unwrap(), &kept);
}

/// There is no patch by which one could see it, as its files could not be written to.
#[actix::test]
async fn what_was_archived_in_a_backup_was_lost_to_one_that_was_broken_off_over_it() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    back_up_often(&bench, &backup, 2, &mut kept).await;
    link_all(&backup, &site.path("monday"));
    in_many_groups(&bench, 40..45, &mut Kept::new()).await;
    let new = build_over(&bench, &backup);
    assert!(new.join("catalog/data.mdb").exists());
    bench.close();
    let used = Bench::open(&site.at(&backup));
    in_many_groups(&used, 60..70, &mut kept).await;
    used.close();
    assert!(!staging::settle(&backup, Target::Backup).unwrap());
    assert_holds(&Store::open(&site.at(&backup)).unwrap(), &kept);
}

#[actix::test]
async fn a_damaged_patch_of_a_backup_that_was_broken_off_kept_the_one_before_from_being_restored() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    back_up_often(&bench, &backup, 2, &mut kept).await;
    in_many_groups(&bench, 40..45, &mut Kept::new()).await;
    let patch = build_over(&bench, &backup).join("catalog").join(PATCH);
    let mut bytes = fs::read(&patch).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&patch, bytes).unwrap();
    assert_restores(&site, &backup, &kept);
    bench.close();
}
