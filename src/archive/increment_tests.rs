//! A backup over another: it writes what is new and little else, and what was there lasts until it is whole.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    backup_tests::{QUIET, Site, assert_is_backup, file},
    original::Original,
    patch::PATCH,
    record::RECORD,
    staging::{NEW, Target},
    test_bench::{Bench, Kept, another_disk, assert_holds, noise, seal_all},
    *,
};
use crate::config::ByteSize;

/// Files so many messages of 200 kB.
async fn file_large(bench: &Bench, numbers: std::ops::Range<u32>, kept: &mut Kept) {
    for number in numbers {
        let bytes = format!("{number:04}: x\r\n\r\n{}", noise(number, 200_000));
        kept.insert(bench.file(&bytes, number, &[UserId(1)]).await.message, bytes);
    }
}

/// A page of the catalog is damaged.
#[actix::test]
async fn a_backup_of_damage_counted_until_it_was_given_up() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    file(&bench, 0..20, &mut kept).await;
    back_up(&bench.store, &backup, QUIET).unwrap();
    bench.close();
    let store = Store::open_for_reading(&site.config).unwrap();
    let catalog = site.config.data_dir.join("catalog/data.mdb");
    let mut bytes = fs::read(&catalog).unwrap();
    bytes[used_page(&catalog) * 4096] ^= 1;
    fs::write(&catalog, bytes).unwrap();
    let new = staging::begin(&backup).unwrap();
    let building = building::Building::new(&store, &backup, &new, QUIET).unwrap();
    assert!(matches!(building.build(), Err(StoreError::Damaged { .. })));
    assert!(!new.join(RECORD).exists());
    assert!(!staging::settle(&backup, Target::Backup).unwrap());
    assert_is_backup(&site, &backup, &kept);
}

/// On the same disk, after it was restored: a copy of its own gave way to a link to the archive's file.
#[actix::test]
async fn a_sound_copy_of_a_volume_gave_way_to_one_that_nobody_looked_at() {
    let mut site = Site::new();
    site.config.archive.volume_size = ByteSize::mib(8);
    let bench = Bench::open(&site.config);
    let (mut kept, (backup, own)) = (Kept::new(), (site.path("backup"), site.path("own")));
    file_large(&bench, 0..80, &mut kept).await;
    seal_all(&bench);
    let first = back_up(&bench.store, &backup, QUIET).unwrap();
    assert_eq!((first.linked, first.reused), (1, 0));
    let again = back_up(&bench.store, &backup, QUIET).unwrap();
    assert_eq!((again.linked, again.reused), (1, 0));
    copy(&backup, &own);
    let sealed = own.join("volumes/000001/data.mdb");
    let before = fs::metadata(&sealed).unwrap().ino();
    let done = back_up(&bench.store, &own, QUIET).unwrap();
    assert_eq!((done.linked, done.reused), (0, 1));
    assert_eq!(fs::metadata(&sealed).unwrap().ino(), before);
    bench.close();
}

/// On another disk, where nothing can be linked.
pub(super) fn elsewhere() -> (tempfile::TempDir, PathBuf) {
    let disk = another_disk();
    let backup = disk.path().join("backup");
    (disk, backup)
}

async fn a_second_backup_after_1_percent(volume_size: ByteSize) {
    let mut site = Site::new();
    site.config.archive.volume_size = volume_size;
    let bench = Bench::open(&site.config);
    let (mut kept, (_disk, backup)) = (Kept::new(), elsewhere());
    file_large(&bench, 0..300, &mut kept).await;
    seal_all(&bench);
    let first = back_up(&bench.store, &backup, QUIET).unwrap();
    assert!(first.copied_bytes > 30 << 20, "{first:?}");
    assert_eq!(first.copied_bytes, size(&backup), "what is said to be written was");
    file_large(&bench, 300..303, &mut kept).await;
    let second = back_up(&bench.store, &backup, QUIET).unwrap();
    assert!(
        second.copied_bytes < first.copied_bytes * 3 / 100,
        "{second:?} {first:?}"
    );
    assert_is_backup(&site, &backup, &kept);
    // With nothing new, next to nothing: the pages that a group writes anyhow.
    let third = back_up(&bench.store, &backup, QUIET).unwrap();
    assert!(third.copied_bytes < 1000, "{third:?}");
    assert_is_backup(&site, &backup, &kept);
    let restored = site.at(&site.path("restored"));
    let done = restore(&backup, &restored, QUIET).unwrap();
    assert!(done.changed.is_empty() && done.damaged.is_empty(), "{done:?}");
    assert_holds(&Store::open(&restored).unwrap(), &kept);
    bench.close();
}

/// Bytes of the store's files in a folder.
fn size(store: &Path) -> u64 {
    let mut files = vec![store.join("catalog/data.mdb")];
    let volumes = fs::read_dir(store.join("volumes")).unwrap().flatten();
    files.extend(volumes.map(|volume| volume.path().join("data.mdb")));
    files.iter().map(|file| fs::metadata(file).unwrap().len()).sum()
}

#[actix::test]
async fn a_second_backup_writes_3_percent_where_no_volume_is_full() {
    a_second_backup_after_1_percent(ByteSize::mib(1024)).await;
}

#[actix::test]
async fn a_second_backup_writes_3_percent_where_most_volumes_are_full() {
    a_second_backup_after_1_percent(ByteSize::mib(4)).await;
}

/// A volume that was written to when the backup before was made is sealed by now.
#[actix::test]
async fn what_is_new_in_a_volume_that_was_sealed_since_is_all_that_is_written_of_it() {
    let mut site = Site::new();
    site.config.archive.volume_size = ByteSize::mib(8);
    let bench = Bench::open(&site.config);
    let (mut kept, (_disk, backup)) = (Kept::new(), elsewhere());
    file_large(&bench, 0..70, &mut kept).await;
    let first = back_up(&bench.store, &backup, QUIET).unwrap();
    assert_eq!((first.volumes, first.copied), (1, 1));
    file_large(&bench, 70..80, &mut kept).await;
    seal_all(&bench);
    let second = back_up(&bench.store, &backup, QUIET).unwrap();
    assert_eq!((second.volumes, second.copied, second.reused), (2, 2, 0));
    assert!(second.copied_bytes < first.copied_bytes / 2, "{second:?} {first:?}");
    let sealed = backup.join("volumes/000001");
    assert!(seal::is_sealed(&sealed));
    assert_eq!(fs::metadata(sealed.join("data.mdb")).unwrap().mode() & 0o777, 0o400);
    assert_is_backup(&site, &backup, &kept);
    let third = back_up(&bench.store, &backup, QUIET).unwrap();
    assert_eq!((third.copied, third.reused), (1, 1));
    assert_is_backup(&site, &backup, &kept);
    bench.close();
}

#[actix::test]
async fn a_backup_that_shares_its_files_with_another_leaves_that_as_it_is() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup, monday) = (Kept::new(), site.path("backup"), site.path("monday"));
    file(&bench, 0..20, &mut kept).await;
    back_up(&bench.store, &backup, QUIET).unwrap();
    link_all(&backup, &monday);
    let former = kept.clone();
    file(&bench, 20..40, &mut kept).await;
    back_up(&bench.store, &backup, QUIET).unwrap();
    assert_is_backup(&site, &monday, &former);
    assert_is_backup(&site, &backup, &kept);
    bench.close();
}

#[actix::test]
async fn backups_made_while_mail_is_filed_are_each_of_one_moment() {
    let mut site = Site::new();
    site.config.archive.volume_size = ByteSize::mib(2);
    let bench = Bench::open(&site.config);
    let backup = site.path("backup");
    let mut kept = Kept::new();
    file(&bench, 0..5, &mut kept).await;
    let stop = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        let filing = scope.spawn(|| {
            let mut kept = Kept::new();
            actix_rt::Runtime::new().unwrap().block_on(async {
                for number in 5..1000 {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    file(&bench, number..number + 1, &mut kept).await;
                    seal_full_volumes(&bench.store, &bench.committer, &|| false).unwrap();
                }
            });
            kept
        });
        let mut made = Vec::new();
        for number in 0..6 {
            let done = back_up(&bench.store, &backup, QUIET).unwrap();
            let copied = site.path(&format!("copy {number}"));
            copy(&backup, &copied);
            made.push((copied, done.messages));
        }
        stop.store(true, Ordering::Relaxed);
        kept.extend(filing.join().unwrap());
        made
    });
    assert!(made[5].1 > made[0].1, "mail was filed meanwhile: {made:?}");
    for (copy, messages) in made {
        let then: Kept = kept
            .iter()
            .take(messages as usize)
            .map(|(id, bytes)| (*id, bytes.clone()))
            .collect();
        assert_is_backup(&site, &copy, &then);
        let pages = pages::check(&copy.join("catalog/data.mdb"), None).unwrap();
        assert!(pages.findings.is_empty(), "{:?}", pages.findings);
    }
    bench.close();
}

/// The next backup would have been put over what was archived into the one before.
#[actix::test]
async fn a_backup_that_was_archived_into_after_a_crash_keeps_its_mail() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    for share in [0..5, 5..10] {
        file(&bench, share, &mut kept).await;
        back_up(&bench.store, &backup, QUIET).unwrap();
    }
    assert!(backup.join("catalog").join(PATCH).exists());
    let mut used = kept.clone();
    file(&bench, 10..20, &mut kept).await;
    // As it is when the next one is whole, and not yet begun to be put in place.
    let later = site.path("later");
    copy(&backup, &later);
    let new = build_over(&bench, &later);
    assert!(new.join("catalog").join(PATCH).exists() && new.join(RECORD).exists());
    let crashed = site.path("crashed");
    copy(&later, &crashed);
    // Finished, it is the new one.
    assert!(staging::settle(&later, Target::Backup).unwrap());
    assert_is_backup(&site, &later, &kept);
    // Used as a data directory, it is not finished, and loses nothing.
    let user = Bench::open(&site.at(&crashed));
    assert_holds(&user.store, &used);
    file(&user, 50..60, &mut used).await;
    user.close();
    assert!(!staging::settle(&crashed, Target::Backup).unwrap());
    assert!(!crashed.join(NEW).exists());
    assert_holds(&Store::open(&site.at(&crashed)).unwrap(), &used);
    let error = back_up(&bench.store, &crashed, QUIET).unwrap_err().to_string();
    assert!(error.contains("not in this archive"), "{error}");
    bench.close();
}

/// Makes a new backup up to where it is whole, and not yet begun to be put in place; gives its folder.
pub(super) fn build_over(bench: &Bench, backup: &Path) -> PathBuf {
    let new = staging::begin(backup).unwrap();
    let building = building::Building::new(&bench.store, backup, &new, QUIET);
    building.unwrap().build().unwrap();
    new
}

/// Which frees many pages.
pub(super) async fn in_many_groups(bench: &Bench, numbers: std::ops::Range<u32>, kept: &mut Kept) {
    for number in numbers {
        file(bench, number..number + 1, kept).await;
    }
}

/// The number of a page that is in use.
fn used_page(file: &Path) -> usize {
    let used = pages::check(file, None).unwrap().used_pages;
    used.iter().find(|page| *page > 1).unwrap() as usize
}

/// What a damaged list takes for free may be in use.
#[actix::test]
async fn a_backup_with_a_damaged_page_is_written_to_by_patches_alone_and_is_whole_again() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    in_many_groups(&bench, 0..40, &mut kept).await;
    back_up(&bench.store, &backup, QUIET).unwrap();
    in_many_groups(&bench, 40..80, &mut kept).await;
    let catalog = backup.join("catalog/data.mdb");
    let mut before = fs::read(&catalog).unwrap();
    before[used_page(&catalog) * 4096] ^= 1;
    fs::write(&catalog, &before).unwrap();
    build_over(&bench, &backup);
    assert!(fs::read(&catalog).unwrap().starts_with(&before));
    assert!(staging::settle(&backup, Target::Backup).unwrap());
    let restored = site.at(&site.path("restored"));
    let done = restore(&backup, &restored, QUIET).unwrap();
    assert!(done.changed.is_empty() && done.damaged.is_empty(), "{done:?}");
    assert_holds(&Store::open(&restored).unwrap(), &kept);
    bench.close();
}

/// What is free in a file of the backup before is written to at once, and not by the patch. A backup that was broken off
/// then leaves the one before as good as it was.
#[actix::test]
async fn free_pages_are_written_once_and_nobody_misses_what_was_there() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    in_many_groups(&bench, 0..40, &mut kept).await;
    back_up(&bench.store, &backup, QUIET).unwrap();
    let former = kept.clone();
    in_many_groups(&bench, 40..80, &mut kept).await;
    let catalog = backup.join("catalog/data.mdb");
    let (before, checked) = (fs::read(&catalog).unwrap(), Original::at_rest(&catalog).unwrap());
    let free = checked.check().unwrap().unread_units(4096);
    let new = build_over(&bench, &backup);
    fs::remove_file(new.join(RECORD)).unwrap();
    let after = fs::read(&catalog).unwrap();
    let pages = before.chunks(4096).zip(after.chunks(4096)).enumerate();
    let changed: Vec<_> = pages.filter(|(_, (before, after))| before != after).collect();
    assert!(changed.len() > 5, "{}", changed.len());
    assert!(changed.iter().all(|(page, _)| free.contains(*page as u64)));
    // Whether it is given up first or not.
    for name in ["as it is", "given up"] {
        let restored = site.at(&site.path(name));
        let done = restore(&backup, &restored, QUIET).unwrap();
        assert!(done.changed.is_empty() && done.damaged.is_empty(), "{name}: {done:?}");
        assert_holds(&Store::open(&restored).unwrap(), &former);
        staging::abandon(&backup).unwrap();
    }
    back_up(&bench.store, &backup, QUIET).unwrap();
    let restored = site.at(&site.path("second"));
    let done = restore(&backup, &restored, QUIET).unwrap();
    assert!(done.changed.is_empty() && done.damaged.is_empty(), "{done:?}");
    assert_holds(&Store::open(&restored).unwrap(), &kept);
    bench.close();
}

pub(super) fn copy(from: &Path, to: &Path) {
    cp("-a", from, to);
}

/// Under the same files' further names.
pub(super) fn link_all(from: &Path, to: &Path) {
    cp("-al", from, to);
}

fn cp(how: &str, from: &Path, to: &Path) {
    let copied = Command::new("cp").arg(how).args([from, to]).status();
    assert!(copied.unwrap().success());
}

/// A damaged page of the catalog took the place of the sound one.
#[actix::test]
async fn a_catalog_with_a_damaged_page_replaces_no_backup() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup) = (Kept::new(), site.path("backup"));
    file(&bench, 0..20, &mut kept).await;
    back_up(&bench.store, &backup, QUIET).unwrap();
    bench.close();
    let catalog = site.config.data_dir.join("catalog/data.mdb");
    let store = Store::open_for_reading(&site.config).unwrap();
    let mut bytes = fs::read(&catalog).unwrap();
    // The numbers of pages are at their beginnings.
    bytes[used_page(&catalog) * 4096] ^= 1;
    fs::write(&catalog, bytes).unwrap();
    let error = back_up(&store, &backup, QUIET).unwrap_err().to_string();
    assert!(error.contains("not replaced") && error.contains("data.mdb"), "{error}");
    assert_is_backup(&site, &backup, &kept);
}
