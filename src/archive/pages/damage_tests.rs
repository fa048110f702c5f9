//! Damaged environments have findings, or LMDB reads and writes them as if nothing were.

use std::os::unix::fs::FileExt;
use std::{
    env,
    fs::{self, OpenOptions},
    process::Command,
    sync::OnceLock,
    thread,
};

use proptest::prelude::*;
use rustix::time::{ClockId, clock_gettime};

use super::{
    tests::{Bench, Chance, Dump, assert_sound, open, read_by_heed, read_by_us},
    *,
};

/// A closed environment's file, to be damaged.
struct Patient {
    bench: Bench,
    bytes: Vec<u8>,
    pages: Pages,
    dump: Dump,
}

impl Patient {
    fn new() -> Self {
        let bench = Bench::closed();
        let (pages, dump) = read_by_us(&bench.file(), None);
        assert_sound(&pages);
        Self {
            bytes: fs::read(bench.file()).unwrap(),
            bench,
            pages,
            dump,
        }
    }

    /// Does something with the file while one bit of it is turned.
    fn with_flip<T>(&self, Flip { at, bit }: Flip, look: impl FnOnce(&Path) -> T) -> T {
        let file = OpenOptions::new().write(true).open(self.bench.file()).unwrap();
        file.write_all_at(&[self.bytes[at] ^ 1 << bit], at as u64).unwrap();
        let seen = look(&self.bench.file());
        file.write_all_at(&self.bytes[at..=at], at as u64).unwrap();
        seen
    }

    fn number(&self, at: usize, length: usize) -> usize {
        let mut number = [0; 8];
        number[..length].copy_from_slice(&self.bytes[at..at + length]);
        u64::from_le_bytes(number) as usize
    }
}

#[derive(Clone, Copy, Debug)]
struct Flip {
    at: usize,
    bit: usize,
}

/// Which bytes of a file are what, by a reading of it that has nothing in common with the check: every page that says
/// of itself what it is, and is in use, in a file that is known to be sound.
#[derive(Default)]
struct Anatomy {
    /// Not a bit of these can change without a finding.
    vital: Vec<usize>,
    /// Sizes of entries' keys and values: they can change within what is set aside for the entry, an odd byte or the
    /// rest of an overflow page.
    sizes: Vec<usize>,
    /// All of the entries' bytes before their keys, and the pages' before the entries.
    around: Vec<usize>,
    /// Keys and values.
    content: Vec<bool>,
    /// The branch and leaf pages, each with the root of its tree.
    pages: Vec<(usize, usize)>,
}

impl Anatomy {
    fn of(patient: &Patient) -> Self {
        let size = patient.pages.page_size as usize;
        let mut anatomy = Self {
            content: vec![false; patient.bytes.len()],
            ..Self::default()
        };
        let newest = (patient.pages.txnid % 2) as usize * size;
        // Own number, flags, magic, version, page size, transaction of both; of the newer, the trees' records.
        for meta in [0, size] {
            for range in [0..8, 10..12, 16..24, 40..45, 144..152] {
                anatomy.vital.extend(range.map(|at| meta + at));
            }
        }
        anatomy.vital.extend((46..136).map(|at| newest + at));
        for record in [40, 88] {
            let root = patient.number(newest + record + 40, 8);
            anatomy.tree(patient, root, root, record == 40);
        }
        anatomy
    }

    fn tree(&mut self, patient: &Patient, root: usize, page: usize, is_free_list: bool) {
        if page == usize::MAX {
            return;
        }
        let start = page * patient.pages.page_size as usize;
        let is_leaf = patient.number(start + 10, 2) == 2;
        let lower = patient.number(start + 12, 2);
        self.vital.extend((0..8).chain(10..lower).map(|at| start + at));
        self.around.extend(start..start + lower);
        self.pages.push((root, page));
        for (index, list) in (16..lower).step_by(2).enumerate() {
            let node = start + patient.number(start + list, 2);
            let key = node + 8..node + 8 + patient.number(node + 6, 2);
            self.around.extend(node..node + 8);
            self.sizes.extend(node + 6..node + 8);
            self.content[key.clone()].fill(true);
            if !is_leaf {
                self.vital.extend(node..node + 6);
                self.tree(patient, root, patient.number(node, 6), is_free_list);
                // The first key of a branch page is for nobody.
                assert!(index > 0 || key.is_empty());
                continue;
            }
            let length = patient.number(node, 4);
            self.vital.extend(node + 4..node + 6);
            match patient.number(node + 4, 2) {
                0 if is_free_list => {
                    self.vital.extend(node..node + 4);
                    self.list(patient, key.end, length);
                }
                0 => {
                    self.sizes.extend(node..node + 4);
                    self.content[key.end..key.end + length].fill(true);
                }
                1 => {
                    self.vital.extend(key.end..key.end + 8);
                    let start = patient.number(key.end, 8) * patient.pages.page_size as usize;
                    self.vital.extend((0..8).chain(10..16).map(|at| start + at));
                    if is_free_list {
                        self.vital.extend(node..node + 4);
                        self.list(patient, start + 16, length);
                    } else {
                        self.sizes.extend(node..node + 4);
                        self.content[start + 16..start + 16 + length].fill(true);
                    }
                }
                _ => {
                    self.vital.extend(node..node + 4);
                    self.vital.extend(key.end..key.end + 48);
                    let root = patient.number(key.end + 40, 8);
                    self.tree(patient, root, root, false);
                }
            }
        }
    }

    /// A list of free pages. Turning the one bit of its count makes it an empty one, which is not vital.
    fn list(&mut self, patient: &Patient, at: usize, length: usize) {
        let count = patient.number(at, 8);
        self.vital.extend((8..length.min(8 + count * 8)).map(|byte| at + byte));
        if !count.is_power_of_two() && count != 0 {
            self.vital.extend(at..at + 8);
        }
    }
}

#[test]
fn what_holds_the_structure_together_cannot_change_unnoticed() {
    let patient = Patient::new();
    let anatomy = Anatomy::of(&patient);
    let mut chance = Chance(3);
    let (mut found, mut is_before) = (0, 0);
    for at in anatomy.vital {
        // Two different bits of each byte.
        let (bit, other) = (chance.below(8), 1 + chance.below(7));
        for bit in [bit, (bit + other) % 8] {
            let pages = patient.with_flip(Flip { at, bit }, |file| check(file, None).unwrap());
            match pages.findings.is_empty() {
                false => found += 1,
                // The newer meta page may seem to be the older: that leaves the snapshot before, which is sound.
                true if pages.txnid + 1 == patient.pages.txnid => is_before += 1,
                true => panic!("nothing is found with bit {bit} of byte {at} turned"),
            }
        }
    }
    assert!(found > 5000 && is_before <= 8, "{found} found, {is_before} not");
}

/// Names the folder with what a child process is to read and write.
const DAMAGED: &str = "DROPKEEP_TEST_DAMAGED";

#[test]
fn lmdb_reads_and_writes_what_nothing_is_found_with() {
    if let Some(folder) = env::var_os(DAMAGED) {
        return read_and_write_all(Path::new(&folder));
    }
    let patient = Patient::new();
    let anatomy = Anatomy::of(&patient);
    let mut chance = Chance(4);
    let mut flips = Vec::new();
    for _ in 0..400 {
        let at = chance.below(patient.bytes.len());
        flips.push(at);
        // Most of a file is content: some more where there is none.
        flips.push(anatomy.sizes[chance.below(anatomy.sizes.len())]);
        flips.push(anatomy.around[chance.below(anatomy.around.len())]);
    }
    // All of the meta pages, but for what is found anyway.
    flips.extend((0..152).chain(4096..4096 + 152));
    let mut harmless = Vec::new();
    let (mut found, mut changed) = (0, 0);
    for at in flips {
        let flip = Flip {
            at,
            bit: chance.below(8),
        };
        let (pages, dump) = patient.with_flip(flip, |file| read_by_us(file, None));
        if !pages.findings.is_empty() {
            found += 1;
            continue;
        }
        harmless.push(format!("{} {}\n", flip.at, flip.bit));
        if dump != patient.dump {
            changed += 1;
            let is_size = anatomy.sizes.contains(&at);
            let is_before = pages.txnid + 1 == patient.pages.txnid;
            assert!(
                anatomy.content[at] || is_size || is_before,
                "{flip:?} changes what is read, and nothing is found"
            );
        }
    }
    assert!(
        found > 500 && changed > 50 && harmless.len() > changed + 200,
        "{found} {changed} {}",
        harmless.len()
    );
    // In a process of its own: what LMDB does with a damaged page may be the end of it.
    fs::write(patient.bench.folder.path().join("flips"), harmless.concat()).unwrap();
    let child = Command::new(env::current_exe().unwrap())
        .args([thread::current().name().unwrap(), "--exact", "--nocapture"])
        .env(DAMAGED, patient.bench.folder.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout) + String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{}: {output}", child.status);
    assert!(
        output.contains(&format!("{} files read and written", harmless.len())),
        "{output}"
    );
}

/// The child process: reads each damaged file with LMDB as it is read without, and writes to it.
fn read_and_write_all(folder: &Path) {
    let bytes = fs::read(folder.join("data.mdb")).unwrap();
    let flips = fs::read_to_string(folder.join("flips")).unwrap();
    for flip in flips.lines() {
        let (at, bit) = flip.split_once(' ').unwrap();
        let (at, bit): (usize, usize) = (at.parse().unwrap(), bit.parse().unwrap());
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << bit;
        let mut bench = Bench {
            env: None,
            folder: tempfile::tempdir().unwrap(),
            chance: Chance(at as u64),
        };
        fs::write(bench.file(), bytes).unwrap();
        let dump = read_by_us(&bench.file(), None).1;
        bench.env = Some(open(bench.folder.path()));
        let env = bench.env().clone();
        assert!(
            read_by_heed(&env, &env.read_txn().unwrap()) == dump,
            "{flip} is read otherwise"
        );
        bench.commit(10);
        bench.commit(10);
        drop(env);
        bench.close();
        let (pages, _) = read_by_us(&bench.file(), None);
        assert!(pages.findings.is_empty(), "{flip}, after writing: {:?}", pages.findings);
    }
    println!("{} files read and written", flips.lines().count());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_the_bytes_are_the_check_ends(
        damage in prop::collection::vec(
            (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..200usize, any::<Option<u8>>()), 1..20,
        ),
        words in prop::collection::vec((any::<prop::sample::Index>(), 1..=8usize, any::<u64>(), 0..64u32), 0..6),
    ) {
        static PATIENT: OnceLock<(Patient, Vec<usize>)> = OnceLock::new();
        let (patient, around) = PATIENT.get_or_init(|| {
            let patient = Patient::new();
            let mut around = Anatomy::of(&patient).around;
            around.extend((0..152).chain(4096..4096 + 152));
            (patient, around)
        });
        let mut bytes = patient.bytes.clone();
        // Numbers of any length where numbers are.
        for (at, length, number, shift) in words {
            let at = *at.get(around);
            bytes[at..at + length].copy_from_slice(&(number >> shift).to_le_bytes()[..length]);
        }
        for (to, from, length, fill) in damage {
            // Stretches are overwritten by others of the same file, which look right, or by one byte.
            let (to, from) = (to.index(bytes.len() - length), from.index(bytes.len() - length));
            match fill {
                Some(byte) => bytes[to..to + length].fill(byte),
                None => bytes.copy_within(from..from + length, to),
            }
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        let (pages, _) = read_by_us(file.path(), None);
        prop_assert!(pages.findings.len() <= MOST_FINDINGS);
    }

    #[test]
    fn a_page_in_the_place_of_another_is_noticed(to in any::<prop::sample::Index>(), from in any::<prop::sample::Index>()) {
        static PATIENT: OnceLock<(Patient, Vec<(usize, usize)>)> = OnceLock::new();
        let (patient, pages) = PATIENT.get_or_init(|| {
            let patient = Patient::new();
            let pages = Anatomy::of(&patient).pages;
            (patient, pages)
        });
        let ((to_root, to), (from_root, from)) = (*to.get(pages), *from.get(pages));
        prop_assume!(to != from);
        let (to, from) = (to * 4096, from * 4096);
        // With its number put right, a page may do in the place of one of another tree.
        for has_right_number in [false, to_root == from_root] {
            let mut bytes = patient.bytes.clone();
            bytes.copy_within(from..from + 4096, to);
            if has_right_number {
                bytes[to..to + 8].copy_from_slice(&patient.bytes[to..to + 8]);
            }
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), bytes).unwrap();
            prop_assert!(!check(file.path(), None).unwrap().findings.is_empty());
        }
    }
}

#[test]
fn findings_are_words_and_bounded() {
    let patient = Patient::new();
    let record = (patient.pages.txnid % 2) as usize * 4096 + 88;
    let root = patient.number(record + 40, 8);
    let pages = patient.with_flip(
        Flip {
            at: root * 4096,
            bit: 7,
        },
        |file| check(file, None).unwrap(),
    );
    let said: Vec<String> = pages.findings.iter().map(Finding::to_string).collect();
    assert_eq!(
        said,
        [format!("page {root} (main): it says that it is page {}", root ^ 128)]
    );
    let tree: Arc<str> = "main".into();
    let mut report = Report::default();
    for page in 0..MOST_FINDINGS as u64 + 5 {
        report.add(&tree, page, "it is no good");
    }
    let pages = report.into_pages();
    assert_eq!((pages.findings.len(), pages.more_findings), (MOST_FINDINGS, 5));
}

fn time(milliseconds: u64) -> Budget {
    Budget {
        time: Duration::from_millis(milliseconds),
        pages: u64::MAX,
    }
}

#[test]
fn a_glance_finds_what_a_check_finds() {
    let patient = Patient::new();
    let long = time(60_000);
    assert!(glance(&patient.bench.file(), long).unwrap().findings.is_empty());
    let anatomy = Anatomy::of(&patient);
    for at in anatomy.vital.into_iter().step_by(61) {
        patient.with_flip(Flip { at, bit: 3 }, |file| {
            assert!(!glance(file, long).unwrap().findings.is_empty(), "byte {at}");
            assert!(glance(file, time(0)).is_ok());
        });
    }
}

/// A new file, with so many of these values in each table.
fn filled(folder: &Path, tables: &[&str], count: u64, value: &[u8]) -> PathBuf {
    let mut options = heed::EnvOpenOptions::new();
    let options = options.map_size(4 << 30).max_dbs(8);
    // SAFETY: nobody else has the file.
    let env = unsafe { options.flags(heed::EnvFlags::NO_SYNC).open(folder) }.unwrap();
    for name in tables {
        let mut txn = env.write_txn().unwrap();
        let table: heed::Database<heed::types::Bytes, heed::types::Bytes> =
            env.create_database(&mut txn, Some(name)).unwrap();
        for number in 0..count {
            let key = blake3::hash(&number.to_be_bytes());
            table.put(&mut txn, key.as_bytes(), value).unwrap();
        }
        txn.commit().unwrap();
    }
    folder.join("data.mdb")
}

/// Each leaf leads to some dozens of them, which did not count: the newest of ten million messages took 65 ms to list.
#[test]
fn large_values_count_in_a_glance_as_pages() {
    let folder = tempfile::tempdir().unwrap();
    let file = filled(folder.path(), &["a"], 20_000, &[7; 3000]);
    let few = Budget {
        pages: 256,
        ..time(60_000)
    };
    let seen = glance(&file, few).unwrap().used;
    // Each is a page here, and the last leaf is looked at as a whole.
    assert!((200..400).contains(&seen), "{seen} pages");
}

/// Makes a file of half a gigabyte. What counts is the time of the processor, as a busy machine may let it wait; a budget may
/// be exceeded by half a second.
#[test]
fn a_glance_at_a_large_file_ends_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let file = filled(folder.path(), &["a", "b", "c", "d"], 600_000, &[7; 60]);
    for budget in [100, 500, 60_000] {
        let spent = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
        let began = spent();
        let pages = glance(&file, time(budget)).unwrap();
        let (took, seen) = (spent() - began, pages.used);
        let length = fs::metadata(&file).unwrap().len();
        println!(
            "{length} bytes, {budget} ms: took {took:?}, {seen} pages of {}",
            pages.last_page
        );
        assert!(took < Duration::from_millis(budget + 500));
    }
    let few = Budget {
        pages: 1000,
        ..time(60_000)
    };
    let seen = glance(&file, few).unwrap().used;
    assert!((900..1100).contains(&seen), "{seen} pages");
}
