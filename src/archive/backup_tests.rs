//! Backups: complete whatever happens meanwhile, replaced in one step for whoever looks, and restored as they were.

use std::{
    cell::{Cell, RefCell},
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{
    record::RECORD,
    rows::VolumeState,
    staging::{NEW, OLD, Target},
    test_bench::{Bench, Kept, another_disk, assert_holds, config, noise, seal_all},
    *,
};
use crate::config::{ByteSize, Config};

pub(super) const QUIET: Hooks = Hooks {
    go_on: &|| true,
    expect: &|_| {},
    passed: &|_| {},
};

/// A store with small volumes, and where its backups go.
pub(super) struct Site {
    folder: tempfile::TempDir,
    pub config: Config,
}

impl Site {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&folder);
        config.archive.volume_size = ByteSize(150 << 10);
        Self { folder, config }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same configuration for another data directory.
    pub fn at(&self, path: &Path) -> Config {
        Config {
            data_dir: path.to_owned(),
            ..self.config.clone()
        }
    }
}

pub(super) async fn file(bench: &Bench, numbers: std::ops::Range<u32>, kept: &mut Kept) {
    for number in numbers {
        let bytes = format!("{number:04}: x\r\n\r\n{}", noise(number, 20_000));
        kept.insert(bench.file(&bytes, number, &[UserId(1)]).await.message, bytes);
    }
}

/// It opens as a data directory, for reading and for writing, with exactly these messages.
pub(super) fn assert_is_backup(site: &Site, path: &Path, kept: &Kept) {
    let record = Record::read(path).unwrap().unwrap();
    assert_eq!(record.messages, kept.len() as u64);
    assert_holds(&Store::open_for_reading(&site.at(path)).unwrap(), kept);
    let copy = site.path("opened");
    copy_folder(path, &copy);
    assert_holds(&Store::open(&site.at(&copy)).unwrap(), kept);
    fs::remove_dir_all(copy).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[actix::test]
async fn a_backup_is_what_was_committed_before_it_whatever_is_written_sealed_or_moved_meanwhile() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let mut kept = Kept::new();
    file(&bench, 0..30, &mut kept).await;
    seal_all(&bench);
    let before = bench.store.reading(|txn| bench.store.catalog.counters(txn)).unwrap();
    let backup = site.path("backup");
    let reader = fs::File::create(site.config.data_dir.join("readers")).unwrap();
    // What `Store::open_for_reading` holds, by which another process would make this backup.
    reader.lock_shared().unwrap();
    let times = Cell::new(0);
    let later = RefCell::new(kept.clone());
    let passed = |_| {
        times.set(times.get() + 1);
        if times.get() != 1 {
            return;
        }
        // Not even the catalog is copied to its end.
        std::thread::scope(|scope| {
            let busy = || {
                let mut later = kept.clone();
                let run = file(&bench, 30..60, &mut later);
                actix_rt::Runtime::new().unwrap().block_on(run);
                seal_full_volumes(&bench.store, &bench.committer, &|| true).unwrap();
                let worth = compaction_plan::Worth { blocks: 1, bytes: 0 };
                compact::compact_what_is_worth(&bench.store, &bench.committer, worth, QUIET).unwrap();
                later
            };
            *later.borrow_mut() = scope.spawn(busy).join().unwrap();
        });
    };
    let hooks = Hooks {
        passed: &passed,
        ..QUIET
    };
    let done = back_up(&bench.store, &backup, hooks).unwrap();
    drop(reader);
    let later = later.into_inner();
    let state = |number| {
        bench
            .store
            .reading(|txn| bench.store.catalog.volumes.get(txn, &number))
            .unwrap()
    };
    assert!(
        matches!(
            state(before.volume),
            Some(VolumeState::Emptied | VolumeState::Sealed(_))
        ),
        "what was written to is sealed or emptied by now"
    );
    assert!(later.len() == 60 && times.get() > 1);
    assert_eq!((done.messages, done.volumes), (30, u64::from(before.volume)));
    assert_eq!(
        (done.linked, done.copied, done.reused),
        (done.volumes - 1, 1, 0),
        "{done:?}"
    );
    assert_is_backup(&site, &backup, &kept);
    assert_holds(&bench.store, &later);
    bench.close();
    let modes = [
        ("", 0o700),
        (RECORD, 0o600),
        ("catalog", 0o700),
        ("catalog/data.mdb", 0o600),
    ];
    let volumes = [
        ("volumes", 0o700),
        ("volumes/000001", 0o700),
        ("volumes/000001/data.mdb", 0o400),
    ];
    for (name, mode) in modes.into_iter().chain(volumes) {
        let metadata = fs::metadata(backup.join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{name}");
    }
}

#[actix::test]
async fn a_second_backup_copies_little_and_the_first_lasts_until_it_is_there() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let mut kept = Kept::new();
    file(&bench, 0..40, &mut kept).await;
    seal_all(&bench);
    let backup = site.path("backup");
    let first = back_up(&bench.store, &backup, QUIET).unwrap();
    assert!(first.linked >= 2, "{first:?}");
    let former = kept.clone();
    file(&bench, 40..45, &mut kept).await;

    // Cut off at any point, it leaves the first.
    let mut cuts = 0;
    for allowed in 0.. {
        let asked = Cell::new(0);
        let go_on = || {
            asked.set(asked.get() + 1);
            asked.get() <= allowed
        };
        match back_up(&bench.store, &backup, Hooks::only(&go_on)) {
            Ok(_) => break,
            Err(error) => assert!(matches!(error, StoreError::Interrupted), "{error}"),
        }
        assert_eq!(Record::read(&backup).unwrap().unwrap().messages, former.len() as u64);
        assert!(!backup.join(NEW).exists() && !backup.join(OLD).exists());
        if cuts == 3 {
            assert_is_backup(&site, &backup, &former);
        }
        cuts += 1;
    }
    assert!(cuts > 5, "{cuts}");
    assert_is_backup(&site, &backup, &kept);

    bench.close();
}

/// On another file system than the data directory.
#[actix::test]
async fn on_another_disk_a_sealed_volume_is_copied_once() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let mut kept = Kept::new();
    file(&bench, 0..40, &mut kept).await;
    seal_all(&bench);
    let disk = another_disk();
    let backup = disk.path().join("backup");
    let first = back_up(&bench.store, &backup, QUIET).unwrap();
    assert_eq!((first.linked, first.reused, first.copied), (0, 0, first.volumes));
    assert_is_backup(&site, &backup, &kept);
    let written = |path: &str| fs::metadata(backup.join(path)).unwrap().modified().unwrap();
    let sealed_at = written("volumes/000001/data.mdb");
    file(&bench, 40..42, &mut kept).await;
    let second = back_up(&bench.store, &backup, QUIET).unwrap();
    assert_eq!((second.linked, second.reused, second.copied), (0, first.volumes - 1, 1));
    assert!(second.copied_bytes < first.copied_bytes / 2, "{second:?} {first:?}");
    assert_eq!(written("volumes/000001/data.mdb"), sealed_at);
    assert_eq!(fs::metadata(backup.join("volumes/000001/data.mdb")).unwrap().nlink(), 1);
    assert_is_backup(&site, &backup, &kept);

    // What is cut short there, or has lost its manifest, is copied anew.
    fs::remove_file(backup.join("volumes/000001/manifest.json")).unwrap();
    let third = back_up(&bench.store, &backup, QUIET).unwrap();
    assert_eq!((third.reused, third.copied), (second.reused - 1, 2));
    assert_is_backup(&site, &backup, &kept);

    // What is damaged here does not get there.
    let sealed = bench.store.volumes.folder(1).join("data.mdb");
    let mut bytes = fs::read(&sealed).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&sealed).unwrap();
    fs::write(&sealed, bytes).unwrap();
    let fresh = disk.path().join("fresh");
    let error = back_up(&bench.store, &fresh, QUIET).unwrap_err().to_string();
    assert!(error.contains("000001") && error.contains("not as it was"), "{error}");
    assert!(Record::read(&fresh).unwrap().is_none() && !fresh.join(NEW).exists());
    back_up(&bench.store, &backup, QUIET).unwrap();
    assert_is_backup(&site, &backup, &kept);
    bench.close();
}

/// The renames that put a backup in place of another, done up to any point.
#[actix::test]
async fn a_crash_while_one_backup_replaces_another_leaves_what_is_finished_the_next_time() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let (mut kept, backup, later) = (Kept::new(), site.path("backup"), site.path("later"));
    file(&bench, 0..12, &mut kept).await;
    back_up(&bench.store, &backup, QUIET).unwrap();
    file(&bench, 12..24, &mut kept).await;
    back_up(&bench.store, &later, QUIET).unwrap();
    bench.close();
    let steps = [
        ("catalog", ".old/catalog"),
        ("volumes", ".old/volumes"),
        (".new/volumes", "volumes"),
        (".new/catalog", "catalog"),
        (".new/backup.json", RECORD),
    ];
    for done in 0..=steps.len() {
        let crashed = site.path("crashed");
        copy_folder(&backup, &crashed);
        copy_folder(&later, &crashed.join(NEW));
        fs::create_dir(crashed.join(OLD)).unwrap();
        for (from, to) in &steps[..done] {
            fs::rename(crashed.join(from), crashed.join(to)).unwrap();
        }
        // Whoever opens it as it is finds one of the two, or is told.
        match Store::open(&site.at(&crashed)) {
            Ok(store) => {
                let messages = store.totals().unwrap().0;
                assert_eq!(messages, if done == 0 { 12 } else { 24 }, "after {done} steps");
                let message = store.message(MessageId(messages)).unwrap().unwrap();
                Retrieval::new(&store).raw(MessageId(messages), &message).unwrap();
            }
            Err(error) => assert!(
                (1..4).contains(&done) && error.to_string().contains("was interrupted"),
                "after {done} steps: {error}"
            ),
        }
        // Restoring finishes it first.
        let restored = site.path("restored");
        let done = restore(&crashed, &site.at(&restored), QUIET).unwrap();
        assert_eq!(done.messages, 24);
        assert_is_backup(&site, &crashed, &kept);
        assert_holds(&Store::open(&site.at(&restored)).unwrap(), &kept);
        assert!(!crashed.join(NEW).exists() && !crashed.join(OLD).exists());
        for folder in [crashed, restored] {
            fs::remove_dir_all(folder).unwrap();
        }
    }
    // One that is not complete is removed, and the one before stays.
    copy_folder(&later, &backup.join(NEW));
    fs::remove_file(backup.join(NEW).join(RECORD)).unwrap();
    assert!(!staging::settle(&backup, Target::Backup).unwrap());
    kept.retain(|id, _| *id <= MessageId(12));
    assert_is_backup(&site, &backup, &kept);
}

#[actix::test]
async fn what_is_no_backup_of_this_archive_is_left_alone() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let mut kept = Kept::new();
    file(&bench, 0..3, &mut kept).await;
    let refused = |path: &Path, word: &str| {
        let error = back_up(&bench.store, path, QUIET).unwrap_err();
        assert!(matches!(error, StoreError::Refused { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    };
    let data = &site.config.data_dir;
    refused(data, "overlaps");
    refused(&data.join("backup"), "overlaps");
    refused(site.folder.path(), "overlaps");
    std::os::unix::fs::symlink(data, site.path("link")).unwrap();
    refused(&site.path("link/backup"), "overlaps");
    assert!(!data.join("backup").exists());

    let other = site.path("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("holiday.jpg"), "mine").unwrap();
    refused(&other, "holiday.jpg");
    assert_eq!(fs::read_dir(&other).unwrap().count(), 1);
    fs::write(site.path("file"), "mine").unwrap();
    refused(&site.path("file"), "directory");

    // Another archive's data directory, and its backup.
    let another = site.at(&site.path("another"));
    let stranger = Bench::open(&another);
    file(&stranger, 50..52, &mut Kept::new()).await;
    let backup = site.path("backup of another");
    back_up(&stranger.store, &backup, QUIET).unwrap();
    stranger.close();
    refused(&another.data_dir, "is a data directory");
    refused(&backup, "not in this archive");
    assert_eq!(Record::read(&backup).unwrap().unwrap().messages, 2);

    // A backup that was archived into since.
    let used = site.path("used");
    back_up(&bench.store, &used, QUIET).unwrap();
    let user = Bench::open(&site.at(&used));
    file(&user, 60..61, &mut Kept::new()).await;
    refused(&used, "in use by process");
    user.close();
    refused(&used, "not in this archive");

    // One that is being read.
    let read = site.path("read");
    back_up(&bench.store, &read, QUIET).unwrap();
    let reader = Store::open_for_reading(&site.at(&read)).unwrap();
    refused(&read, "being read");
    drop(reader);
    back_up(&bench.store, &read, QUIET).unwrap();
    assert_is_backup(&site, &read, &kept);
    bench.close();
}

#[actix::test]
async fn a_backup_with_damage_replaces_none_that_may_be_whole() {
    let site = Site::new();
    let bench = Bench::open(&site.config);
    let mut kept = Kept::new();
    file(&bench, 0..20, &mut kept).await;
    seal_all(&bench);
    let backup = site.path("backup");
    back_up(&bench.store, &backup, QUIET).unwrap();
    let number = bench
        .store
        .reading(|txn| bench.store.catalog.counters(txn))
        .unwrap()
        .volume;
    let (current, sealed) = (bench.store.volumes.folder(number), bench.store.volumes.folder(1));
    let block = bench
        .store
        .volumes
        .get(number)
        .unwrap()
        .stored(0, u64::MAX, 1)
        .unwrap()
        .remove(0)
        .1;
    bench.close();
    let flip = |folder: &Path, at: usize| {
        let file = folder.join("data.mdb");
        let mut bytes = fs::read(&file).unwrap();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
    };
    let at = memchr::memmem::find(&fs::read(current.join("data.mdb")).unwrap(), &block[..29]).unwrap() + 40;
    flip(&current, at);
    let store = Store::open_for_reading(&site.config).unwrap();
    let error = back_up(&store, &backup, QUIET).unwrap_err().to_string();
    assert!(error.contains("damaged") && error.contains("checksum"), "{error}");
    assert_is_backup(&site, &backup, &kept);
    // Where there is none, all that can be read is worth having.
    let other = site.path("other");
    let done = back_up(&store, &other, QUIET).unwrap();
    assert!(
        done.damaged.len() == 1 && done.damaged[0].contains("checksum"),
        "{:?}",
        done.damaged
    );
    let copy = Store::open_for_reading(&site.at(&other)).unwrap();
    let readable = |id: &MessageId| {
        Retrieval::new(&copy)
            .raw(*id, &copy.message(*id).unwrap().unwrap())
            .is_ok()
    };
    let whole = kept.iter().filter(|(id, _)| readable(id)).count();
    assert!((1..kept.len()).contains(&whole), "{whole} of {}", kept.len());
    drop(copy);
    drop(store);
    flip(&current, at);

    // Of a sealed volume that is linked, the length is looked at.
    let file = sealed.join("data.mdb");
    let cut = fs::read(&file).unwrap();
    // A file of its own: the backup's is the same one.
    fs::remove_file(&file).unwrap();
    fs::write(&file, &cut[..cut.len() - 4096]).unwrap();
    let store = Store::open_for_reading(&site.config).unwrap();
    let error = back_up(&store, &backup, QUIET).unwrap_err().to_string();
    assert!(error.contains("000001") && error.contains("sealed"), "{error}");
    assert_is_backup(&site, &backup, &kept);
}
