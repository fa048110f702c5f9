//! What is missing of a store is missed, and nothing is made anew in its place.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::{
    absence::Absence,
    backup_tests::{QUIET, Site, assert_is_backup, file},
    test_bench::{Bench, Kept, assert_holds, close_volume, seal_all},
    *,
};

/// A store of a sealed volume and the one that is written to, closed; with the number of the latter.
async fn closed(site: &Site) -> (Kept, u32) {
    let bench = Bench::open(&site.config);
    let mut kept = Kept::new();
    file(&bench, 0..20, &mut kept).await;
    seal_all(&bench);
    let counters = bench.store.reading(|txn| bench.store.catalog.counters(txn)).unwrap();
    bench.close();
    (kept, counters.volume)
}

fn missing(site: &Site) -> Absence {
    match Store::open(&site.config) {
        Err(StoreError::Missing { how, .. }) => how,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("nothing is missed"),
    }
}

#[actix::test]
async fn each_volume_must_be_there_and_be_the_one_that_was_written() {
    let site = Site::new();
    let other = Site::new();
    let (kept, current) = closed(&site).await;
    closed(&other).await;
    assert!(current > 1);
    let before = site.path("before");
    back_up(&Store::open_for_reading(&site.config).unwrap(), &before, QUIET).unwrap();
    let bench = Bench::open(&site.config);
    let mut later = kept;
    file(&bench, 20..22, &mut later).await;
    let now = bench.store.reading(|txn| bench.store.catalog.counters(txn)).unwrap();
    bench.close();
    let volume = |data: &Path, number: u32| data.join(format!("volumes/{number:06}/data.mdb"));
    for number in [1, now.volume] {
        let file = volume(&site.config.data_dir, number);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let whole = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(missing(&site), Absence::NotThere);
        fs::write(&file, "").unwrap();
        assert_eq!(missing(&site), Absence::Empty);
        fs::write(&file, &whole).unwrap();
        assert_holds(&Store::open(&site.config).unwrap(), &later);
    }
    let file = volume(&site.config.data_dir, now.volume);
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    fs::copy(volume(&other.config.data_dir, 1), &file).unwrap();
    assert_eq!(missing(&site), Absence::OfAnother);
    if now.volume == current {
        fs::remove_file(&file).unwrap();
        fs::copy(volume(&before, current), &file).unwrap();
        assert_eq!(missing(&site), Absence::Older);
    }
    fs::remove_file(&file).unwrap();
    fs::write(&file, &whole).unwrap();
    assert_holds(&Store::open(&site.config).unwrap(), &later);
}

#[actix::test]
async fn a_group_is_written_when_what_was_missing_is_back() {
    let site = Site::new();
    let (mut kept, current) = closed(&site).await;
    let bench = Bench::open(&site.config);
    let folder = |number| bench.store.volumes.folder(number);
    for gone in [
        folder(1),
        folder(current),
        site.config.data_dir.join("catalog"),
        site.config.data_dir.clone(),
    ] {
        let away = site.path("away");
        fs::rename(&gone, &away).unwrap();
        let refused = bench.committer.put_notified("x".into()).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Missing { .. }), "{refused}");
        assert!(bench.committer.is_open() && bench.store.trouble().is_some());
        fs::rename(&away, &gone).unwrap();
        bench.committer.put_notified("x".into()).await.unwrap();
        assert!(bench.store.trouble().is_none());
    }
    file(&bench, 30..33, &mut kept).await;
    assert_holds(&bench.store, &kept);
    bench.close();
    assert_holds(&Store::open(&site.config).unwrap(), &kept);
}

#[actix::test]
async fn a_volume_is_begun_only_where_the_catalog_has_nothing_in_it() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    bench.committer.put_notified("x".into()).await.unwrap();
    bench.close();
    // Nothing was written into it, so it may be begun again.
    fs::remove_dir_all(site.config.data_dir.join("volumes")).unwrap();
    let (kept, current) = closed(&site).await;
    let bench = Bench::open(&site.config);
    close_volume(&bench);
    bench.close();
    assert!(
        !site
            .config
            .data_dir
            .join(format!("volumes/{:06}", current + 1))
            .exists()
    );
    assert_holds(&Store::open(&site.config).unwrap(), &kept);
}

#[actix::test]
async fn a_backup_is_not_replaced_by_one_without_all_blocks() {
    let site = Site::new();
    let (kept, current) = closed(&site).await;
    let backup = site.path("backup");
    let back_up = || back_up(&Store::open_for_reading(&site.config).unwrap(), &backup, QUIET);
    back_up().unwrap();
    // As it is after a volume was made anew by hand, with the marks of this archive.
    let folder = site.config.data_dir.join(format!("volumes/{current:06}"));
    let id = Store::open_for_reading(&site.config).unwrap().catalog.id();
    fs::rename(&folder, site.path("away")).unwrap();
    assert!(matches!(back_up(), Err(StoreError::Missing { .. })));
    drop(volume::Volume::open(&folder, 1 << 20, volume::Mode::Writing, id).unwrap());
    let error = back_up().unwrap_err().to_string();
    assert!(
        error.contains("is missing, and 7 more") && error.contains("not replaced"),
        "{error}"
    );
    assert_is_backup(&site, &backup, &kept);
}

#[actix::test]
async fn an_older_catalog_deletes_nothing_of_what_newer_volumes_have() {
    let site = Site::new();
    let (mut kept, _) = closed(&site).await;
    let catalog = site.config.data_dir.join("catalog/data.mdb");
    let old = fs::read(&catalog).unwrap();
    let bench = Bench::open(&site.config);
    // Group by group, so that one ends a volume and others are behind it.
    for number in 20..40 {
        file(&bench, number..number + 1, &mut kept).await;
    }
    bench.close();
    let new = fs::read(&catalog).unwrap();
    fs::write(&catalog, &old).unwrap();
    for _ in 0..2 {
        let refused = Store::open(&site.config).err().map(|error| error.to_string());
        assert!(
            refused
                .as_ref()
                .is_some_and(|words| words.contains("newer than the catalog")),
            "{refused:?}"
        );
    }
    fs::write(&catalog, &new).unwrap();
    assert_holds(&Store::open(&site.config).unwrap(), &kept);
}

#[actix::test]
async fn who_only_reads_sweeps_nothing() {
    let site = Site::new();
    let (mut kept, _) = closed(&site).await;
    let catalog = site.config.data_dir.join("catalog/data.mdb");
    let old = fs::read(&catalog).unwrap();
    let bench = Bench::open(&site.config);
    file(&bench, 20..21, &mut kept).await;
    bench.close();
    let new = fs::read(&catalog).unwrap();
    // As after a crash between the volume and the catalog, or with an older catalog: nobody can tell.
    fs::write(&catalog, &old).unwrap();
    drop(Store::open_or(&site.config, Absent::Refused).unwrap());
    fs::write(&catalog, &new).unwrap();
    assert_holds(&Store::open(&site.config).unwrap(), &kept);
}

#[actix::test]
async fn a_full_volume_of_another_archive_is_noticed_when_the_store_is_opened() {
    let (site, other) = (Site::new(), Site::new());
    for site in [&site, &other] {
        let bench = Bench::open(&site.config);
        file(&bench, 0..20, &mut Kept::new()).await;
        bench.close();
    }
    let volume = |site: &Site| site.config.data_dir.join("volumes/000001/data.mdb");
    fs::copy(volume(&other), volume(&site)).unwrap();
    assert_eq!(missing(&site), Absence::OfAnother);
}
