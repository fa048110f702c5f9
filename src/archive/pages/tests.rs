//! Sound environments have no findings, whatever was done to them and whoever writes meanwhile.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use heed::{
    CompactionOption, Database, Env, EnvFlags, EnvOpenOptions, RoTxn, WithoutTls,
    types::{Bytes, Str},
};
use tempfile::TempDir;

use super::*;

type Db = Database<Bytes, Bytes>;
/// (database, key) → value.
pub(super) type Dump = BTreeMap<(String, Vec<u8>), Vec<u8>>;

/// Numbers that look random and are the same each time.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % end as u64) as usize
    }

    fn bytes(&mut self, least: usize, end: usize) -> Vec<u8> {
        let length = least + self.below(end - least);
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

/// An environment in a directory of its own.
pub(super) struct Bench {
    pub(super) env: Option<Env<WithoutTls>>,
    pub(super) folder: TempDir,
    pub(super) chance: Chance,
}

/// The databases, and the lengths of their keys and values, from and up to.
const TABLES: [(&str, usize, usize, usize, usize); 4] = [
    ("blocks", 8, 9, 0, 30_000),
    ("long", 300, 512, 0, 20),
    ("mixed", 1, 40, 0, 3000),
    ("small", 1, 24, 0, 60),
];

pub(super) fn open(folder: &Path) -> Env<WithoutTls> {
    // SAFETY: the folder is the test's own, the environment opened once, and no crash is to be outlived.
    let env = unsafe {
        EnvOpenOptions::new()
            .read_txn_without_tls()
            .map_size(1 << 30)
            .max_dbs(16)
            .flags(EnvFlags::NO_SYNC)
            .open(folder)
    };
    env.unwrap()
}

impl Bench {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            env: Some(open(folder.path())),
            folder,
            chance: Chance(seed),
        }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("data.mdb")
    }

    pub(super) fn env(&self) -> &Env<WithoutTls> {
        self.env.as_ref().unwrap()
    }

    /// A transaction that puts, overwrites and deletes some entries of each database.
    pub(super) fn commit(&mut self, changes: usize) {
        let env = self.env().clone();
        let mut txn = env.write_txn().unwrap();
        for (name, key_least, key_end, value_least, value_end) in TABLES {
            let db: Db = env.create_database(&mut txn, Some(name)).unwrap();
            let changes = if name == "blocks" { changes.div_ceil(8) } else { changes };
            for _ in 0..changes {
                let key = self.chance.bytes(key_least, key_end);
                let value = self.chance.bytes(value_least, value_end);
                match self.chance.below(10) {
                    0..5 => db.put(&mut txn, &key, &value).unwrap(),
                    // What lies behind a key, whichever comes next: overwritten by another length, or gone.
                    kind => {
                        let next = db.get_greater_than_or_equal_to(&txn, &key).unwrap();
                        let Some(key) = next.map(|(key, _)| key.to_vec()) else {
                            continue;
                        };
                        match kind {
                            5..7 => db.put(&mut txn, &key, &value).unwrap(),
                            _ => assert!(db.delete(&mut txn, &key).unwrap()),
                        }
                    }
                }
            }
        }
        match self.chance.below(20) {
            // A value that is put and deleted: pages that are free and never written.
            0 => {
                let db: Db = env.create_database(&mut txn, Some("blocks")).unwrap();
                db.put(&mut txn, b"passing", &vec![1; 400_000]).unwrap();
                db.delete(&mut txn, b"passing").unwrap();
            }
            // One that becomes shorter in the transaction that put it, and keeps its pages.
            1 => {
                let db: Db = env.create_database(&mut txn, Some("blocks")).unwrap();
                db.put(&mut txn, b"shortened", &vec![1; 40_000]).unwrap();
                db.put(&mut txn, b"shortened", b"short").unwrap();
            }
            2 => {
                let db: Db = env.create_database(&mut txn, Some("small")).unwrap();
                db.clear(&mut txn).unwrap();
            }
            _ => {}
        }
        txn.commit().unwrap();
    }

    /// Closes the environment, so that its file is at rest.
    pub(super) fn close(&mut self) {
        if let Some(env) = self.env.take() {
            env.prepare_for_closing().wait();
        }
    }

    /// A small environment with large lists of free pages, closed.
    pub(super) fn closed() -> Self {
        let mut bench = Self::new(7);
        for _ in 0..5 {
            bench.commit(50);
        }
        // While a snapshot is read, what is freed cannot be used again.
        let reader = bench.env().clone().static_read_txn().unwrap();
        for _ in 0..3 {
            bench.commit(4);
        }
        let env = bench.env().clone();
        let mut txn = env.write_txn().unwrap();
        let db: Db = env.create_database(&mut txn, Some("passing")).unwrap();
        db.put(&mut txn, b"large", &vec![3; 1_200_000]).unwrap();
        txn.commit().unwrap();
        let mut txn = env.write_txn().unwrap();
        db.clear(&mut txn).unwrap();
        txn.commit().unwrap();
        drop(reader);
        drop(env);
        bench.close();
        bench
    }
}

pub(super) fn read_by_heed(env: &Env<WithoutTls>, txn: &RoTxn<'_, WithoutTls>) -> Dump {
    let main: Database<Str, Bytes> = env.open_database(txn, None).unwrap().unwrap();
    let mut dump = Dump::new();
    for name in main.iter(txn).unwrap() {
        let name = name.unwrap().0;
        let db: Db = env.open_database(txn, Some(name)).unwrap().unwrap();
        for entry in db.iter(txn).unwrap() {
            let (key, value) = entry.unwrap();
            dump.insert((name.into(), key.into()), value.into());
        }
    }
    dump
}

pub(super) fn read_by_us(file: &Path, txnid: Option<u64>) -> (Pages, Dump) {
    let bytes = fs::read(file).unwrap();
    let mut dump = Dump::new();
    let pages = visit(file, txnid, |entry| {
        let value = entry.value.at as usize..entry.value.at as usize + entry.value.length as usize;
        assert_eq!(&bytes[entry.key_at as usize..][..entry.key.len()], entry.key);
        dump.insert((entry.tree.into(), entry.key.into()), bytes[value].into());
    });
    (pages.unwrap(), dump)
}

#[track_caller]
pub(super) fn assert_sound(pages: &Pages) {
    let findings: Vec<String> = pages.findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty() && pages.more_findings == 0, "{findings:#?}");
}

/// Checks the newest snapshot and compares all of it with what heed says.
#[track_caller]
fn assert_as_heed(bench: &Bench) -> Pages {
    let env = bench.env();
    let txn = env.read_txn().unwrap();
    let (pages, dump) = read_by_us(&bench.file(), Some(txn.id() as u64));
    assert_sound(&pages);
    assert_eq!(pages.lost, 0);
    assert_eq!(pages.txnid, txn.id() as u64);
    assert_eq!(pages.last_page, env.info().last_page_number as u64);
    assert_eq!(
        pages.used_bytes() + pages.free_bytes(),
        (pages.last_page + 1) * pages.page_size
    );
    assert!(dump == read_by_heed(env, &txn));
    for tree in &pages.trees[2..] {
        let db: Db = env.open_database(&txn, Some(&tree.name)).unwrap().unwrap();
        let stat = db.stat(&txn).unwrap();
        let of_heed = [stat.entries, stat.branch_pages, stat.leaf_pages, stat.overflow_pages].map(|n| n as u64);
        assert_eq!(
            of_heed,
            [tree.entries, tree.branch_pages, tree.leaf_pages, tree.overflow_pages]
        );
        assert_eq!(u64::from(stat.page_size), pages.page_size);
    }
    let free_list = &pages.trees[0];
    let own = 2 + free_list.branch_pages + free_list.leaf_pages + free_list.overflow_pages;
    drop(txn);
    assert_eq!(
        env.non_free_pages_size().unwrap(),
        pages.used_bytes() - own * pages.page_size
    );
    pages
}

#[test]
fn a_sound_environment_has_no_findings_after_any_commit() {
    let mut most_free = 0;
    let (mut deepest, mut is_list_large) = (0, false);
    for seed in 0..6 {
        let mut bench = Bench::new(seed);
        assert_as_heed(&bench);
        let mut reader = None;
        for round in 0..40 {
            let changes = 1 + bench.chance.below(80);
            bench.commit(changes);
            let pages = assert_as_heed(&bench);
            most_free = most_free.max(pages.free);
            deepest = deepest.max(pages.trees.iter().map(|tree| tree.branch_pages).max().unwrap());
            is_list_large |= pages.trees[0].overflow_pages > 0;
            // Now and then, somebody reads for long.
            match round % 10 {
                3 => reader = Some(bench.env().clone().static_read_txn().unwrap()),
                8 => reader = None,
                _ => {}
            }
        }
        drop(reader);
        // Copies of it, as they are made for backups, are sound too.
        for option in [CompactionOption::Enabled, CompactionOption::Disabled] {
            let copy = bench.folder.path().join("copy");
            bench.env().copy_to_path(&copy, option).unwrap();
            let (pages, dump) = read_by_us(&copy, None);
            assert_sound(&pages);
            assert!(dump == read_by_us(&bench.file(), None).1);
        }
    }
    assert!(
        most_free > 200 && deepest > 5 && is_list_large,
        "the environments are too simple to tell much"
    );
}

#[test]
fn a_snapshot_is_checked_while_others_are_written() {
    let mut bench = Bench::new(1);
    bench.commit(100);
    let (env, file, is_over) = (bench.env().clone(), bench.file(), AtomicBool::new(false));
    let (mut checked, mut superseded) = (0, 0);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !is_over.load(Relaxed) {
                bench.commit(3);
            }
        });
        let deadline = Instant::now() + Duration::from_secs(60);
        while (checked < 200 || superseded == 0) && Instant::now() < deadline {
            let txn = env.read_txn().unwrap();
            // Once, long enough for another commit.
            while checked > 100 && superseded == 0 && env.info().last_txn_id == txn.id() {
                thread::yield_now();
            }
            match check(&file, Some(txn.id() as u64)) {
                Ok(pages) => {
                    assert_sound(&pages);
                    assert_eq!(pages.lost, 0);
                    checked += 1;
                }
                Err(CheckError::Superseded { txnid, .. }) => {
                    assert_eq!(txnid, txn.id() as u64);
                    superseded += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        is_over.store(true, Relaxed);
        writer.join().unwrap();
    });
    assert!(
        checked >= 200 && superseded > 0,
        "{checked} checked, {superseded} superseded"
    );
}

#[test]
fn what_was_allocated_and_freed_at_once_need_not_be_in_the_file() {
    let mut bench = Bench::new(2);
    for _ in 0..5 {
        bench.commit(10);
    }
    let env = bench.env().clone();
    let mut txn = env.write_txn().unwrap();
    let db: Db = env.create_database(&mut txn, Some("blocks")).unwrap();
    db.put(&mut txn, b"passing", &vec![1; 4_000_000]).unwrap();
    db.delete(&mut txn, b"passing").unwrap();
    txn.commit().unwrap();
    let pages = assert_as_heed(&bench);
    let length = fs::metadata(bench.file()).unwrap().len();
    assert!(length < pages.last_page * pages.page_size, "the file is not short");
    // Less than that is too little.
    drop(env);
    bench.close();
    let file = OpenOptions::new().write(true).open(bench.file()).unwrap();
    for length in [length / 2, 2 * pages.page_size, pages.page_size, 10, 0] {
        file.set_len(length).unwrap();
        let (pages, _) = read_by_us(&bench.file(), None);
        assert!(!pages.findings.is_empty(), "{length} bytes are enough");
    }
}

#[test]
fn a_crash_before_the_meta_page_is_written_costs_no_page() {
    let mut bench = Bench::new(3);
    bench.commit(200);
    for _ in 0..20 {
        let (before, (_, dump)) = (fs::read(bench.file()).unwrap(), read_by_us(&bench.file(), None));
        bench.commit(30);
        let mut bytes = fs::read(bench.file()).unwrap();
        // Of the other pages, any may have reached the disk.
        bytes[..2 * 4096].copy_from_slice(&before[..2 * 4096]);
        for at in (2 * 4096..before.len()).step_by(4096) {
            if bench.chance.below(2) == 0 {
                bytes[at..at + 4096].copy_from_slice(&before[at..at + 4096]);
            }
        }
        let crashed = bench.folder.path().join("crashed");
        fs::write(&crashed, bytes).unwrap();
        let (pages, after) = read_by_us(&crashed, None);
        assert_sound(&pages);
        assert_eq!(pages.lost, 0);
        assert!(after == dump);
    }
}

#[test]
fn what_is_no_environment_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.mdb");
    assert!(matches!(check(&file, None), Err(CheckError::Io { .. })));
    for bytes in [
        vec![],
        vec![0; 100],
        vec![0; 100_000],
        b"From MAILER-DAEMON ".repeat(5000),
    ] {
        fs::write(&file, bytes).unwrap();
        let pages = check(&file, None).unwrap();
        assert!(!pages.findings.is_empty() && pages.page_size == 0, "{pages:?}");
    }
}
