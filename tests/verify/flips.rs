//! Single flipped bits: each is found, or provably harmless.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    os::unix::fs::{FileExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
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

/// Where to flip: anywhere, or in the header of a page, where most of what LMDB trusts stands.
fn place(numbers: &mut Numbers, length: u64) -> u64 {
    match numbers.below(10) {
        0..4 => numbers.below(length),
        // A page's header and the beginning of its table of nodes.
        4..7 => (numbers.below(length.div_ceil(PAGE)) * PAGE + numbers.below(24)).min(length - 1),
        // The upper end of a page, where its first nodes stand.
        7..9 => (numbers.below(length.div_ceil(PAGE)) * PAGE + PAGE - 1 - numbers.below(400)).min(length - 1),
        // The meta pages.
        _ => (numbers.below(2) * PAGE + numbers.below(200)).min(length - 1),
    }
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
        let length = File::open(file)
            .and_then(|file| file.metadata())
            .expect("a length")
            .len();
        let (at, bit) = (place(&mut numbers, length), numbers.below(8) as u8);
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
