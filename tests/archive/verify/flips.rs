//! Single flipped bits: each is found, or provably harmless.

use std::{
    fs::{self, OpenOptions, Permissions},
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::verify::{
    archive::{self, verify},
    dump,
    support::generator::SEED,
};

/// How many bits are flipped, unless the variable says otherwise.
const FLIPS: u64 = 520;
const COUNT: &str = "DROPKEEP_TEST_FLIPS";
/// Another seed, where a failure is looked into.
const SEED_IS: &str = "DROPKEEP_TEST_SEED";
const PAGE: u64 = 4096;
/// A verification of this archive takes milliseconds, one that starts many processes some seconds.
const LONGEST: Duration = Duration::from_secs(60);

/// The same row of numbers for the same seed (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// Flips one bit of a file in place.
fn flip(file: &Path, at: u64, bit: u8) {
    let mut byte = [0];
    let file = OpenOptions::new().read(true).write(true).open(file).expect("the file");
    file.read_exact_at(&mut byte, at).expect("a byte");
    byte[0] ^= 1 << bit;
    file.write_all_at(&byte, at).expect("a byte");
}

/// The files of an archive in which a bit can be flipped: half of all flips are to be in the catalog.
fn files(data: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut volumes: Vec<_> = fs::read_dir(data.join("volumes"))
        .expect("volumes")
        .map(|folder| folder.expect("a folder").path())
        .collect();
    volumes.sort();
    for folder in volumes {
        files.extend(
            ["data.mdb", "manifest.json"]
                .map(|name| folder.join(name))
                .into_iter()
                .filter(|file| file.exists()),
        );
    }
    files
}

/// The pages of a file that have a header: not the inside of large values.
fn headed(bytes: &[u8]) -> Vec<u64> {
    let begins = |(number, page): &(usize, &[u8])| {
        let own = page.get(..8).is_some_and(|own| own == (*number as u64).to_le_bytes());
        own && matches!(page.get(10..12), Some([1 | 2 | 4 | 8, 0]))
    };
    let pages = bytes.chunks(PAGE as usize).enumerate();
    pages.filter(begins).map(|(number, _)| number as u64).collect()
}

/// Where to flip: anywhere, or where most of what LMDB trusts stands.
fn place(numbers: &mut Numbers, bytes: &[u8]) -> u64 {
    let headed = headed(bytes);
    let last = bytes.len() as u64 - 1;
    let mut page = || match headed.len() {
        0 => 0,
        count => headed[numbers.below(count as u64) as usize] * PAGE,
    };
    let page = page();
    let at = match numbers.below(10) {
        0..4 => numbers.below(last + 1),
        // A page's header and the beginning of its table of nodes.
        4..7 => page + numbers.below(24),
        // The upper end of a page, where its first nodes stand.
        7..9 => page + PAGE - 1 - numbers.below(400),
        // The meta pages.
        _ => numbers.below(2) * PAGE + numbers.below(200),
    };
    at.min(last)
}

#[test]
fn every_flipped_bit_is_found_or_harmless() {
    let setting = |name, default| {
        std::env::var(name)
            .ok()
            .map_or(default, |text| text.parse().expect("a number"))
    };
    let (count, seed) = (setting(COUNT, FLIPS), setting(SEED_IS, SEED));
    println!("{count} flips with the seed {seed}");
    let (_server, appliance) = archive::small();
    let data = appliance.data();
    let (code, said) = verify(&appliance, &[]);
    assert_eq!(code, 0, "{said:#}");
    let whole = dump::digest(&data).expect("the undamaged archive is read");

    let catalog = data.join("catalog/data.mdb");
    let volumes = files(&data);
    // What is sealed is read-only, and root may write to it all the same.
    for file in &volumes {
        fs::set_permissions(file, Permissions::from_mode(0o600)).expect("permissions");
    }
    let mut numbers = Numbers(seed);
    let (mut harmless, mut crashes, mut slowest) = (0, 0, Duration::ZERO);
    let mut wrong = Vec::new();
    for number in 0..count {
        let file = match number % 2 {
            0 => &catalog,
            _ => &volumes[numbers.below(volumes.len() as u64) as usize],
        };
        let bytes = fs::read(file).expect("the file");
        let (at, bit) = (place(&mut numbers, &bytes), numbers.below(8) as u8);
        flip(file, at, bit);
        let started = Instant::now();
        let outcome = appliance.run(&["verify", "--json"]);
        slowest = slowest.max(started.elapsed());
        let what = format!("bit {bit} of byte {at} of {} (flip {number})", file.display());
        match outcome.code {
            Some(4) => {
                let said = outcome.json();
                let damages = said["damages"].as_array().expect("damages");
                assert!(!damages.is_empty(), "{what}");
                crashes += u64::from(damages.iter().any(|damage| damage["kind"] == "crash"));
            }
            Some(0) if dump::digest(&data).as_ref() == Some(&whole) => harmless += 1,
            code => wrong.push(format!("{what}: exit {code:?}\n{}{}", outcome.text(), outcome.stderr)),
        }
        assert!(started.elapsed() < LONGEST, "{what}: {:?}", started.elapsed());
        flip(file, at, bit);
    }
    println!(
        "{harmless} of {count} were harmless, {crashes} ended a process; the slowest verification took {slowest:?}"
    );
    assert!(
        wrong.is_empty(),
        "{} were not found:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let (code, said) = verify(&appliance, &[]);
    assert_eq!(code, 0, "all are undone: {said:#}");
    assert!(
        harmless < count * 3 / 4,
        "so many harmless ones prove little: {harmless}"
    );
}

/// Pages full of noise, and pages in each other's place: what a disk does that loses writes or puts them elsewhere.
#[test]
fn pages_that_are_noise_or_another_page_are_found() {
    const PAGES: u64 = 60;
    let (_server, appliance) = archive::small();
    let data = appliance.data();
    let whole = dump::digest(&data).expect("the undamaged archive is read");
    let mut files = files(&data);
    files.retain(|file| file.ends_with("data.mdb"));
    files.push(data.join("catalog/data.mdb"));
    for file in &files {
        fs::set_permissions(file, Permissions::from_mode(0o600)).expect("permissions");
    }
    let mut numbers = Numbers(SEED);
    let mut found = 0;
    for number in 0..PAGES {
        let file = &files[number as usize % files.len()];
        let bytes = fs::read(file).expect("the file");
        let headed = headed(&bytes);
        let mut page = || headed[numbers.below(headed.len() as u64) as usize] as usize * PAGE as usize;
        let (page, other) = (page(), page());
        let size = PAGE as usize;
        let mut damaged = bytes.clone();
        if number % 4 < 2 {
            damaged[page..page + size].fill_with(|| numbers.next() as u8);
        } else {
            damaged.copy_within(other..other + size, page);
        }
        fs::write(file, &damaged).expect("the file");
        let outcome = appliance.run(&["verify", "--json"]);
        let what = format!(
            "page {} of {} (number {number}): {}",
            page / size,
            file.display(),
            outcome.text()
        );
        match outcome.code {
            Some(4) => found += 1,
            code => assert!(
                code == Some(0) && dump::digest(&data).as_ref() == Some(&whole),
                "{code:?} {what}"
            ),
        }
        assert!(outcome.took < LONGEST, "{what}");
        fs::write(file, &bytes).expect("the file");
    }
    println!("{found} of {PAGES} were found, the others harmless");
    assert!(found > PAGES / 2);
}
