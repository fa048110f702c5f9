//! A patch makes one file of another, whole or not at all, and takes nothing that is somebody else's.

use std::{fs, path::PathBuf};

use super::{
    backup_tests::QUIET,
    original::Original,
    patch::{PATCH, apply, is_overtaken, is_possible, make, undo},
    *,
};

/// Bytes that look like noise, others for each seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new(before: &[u8], after: &[u8]) -> Self {
        let files = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(files.path("base"), before).unwrap();
        fs::write(files.path("original"), after).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn base(&self) -> Vec<u8> {
        fs::read(self.path("base")).unwrap()
    }

    fn make(&self, hooks: Hooks) -> Result<carry::Carried, StoreError> {
        let original = Original::at_rest(&self.path("original")).unwrap();
        let (base, patch) = (self.path("base"), self.path(PATCH));
        make(&original, None, &base, &patch, 0o600, self.folder.path(), hooks)
    }

    fn apply(&self) -> Result<u64, StoreError> {
        apply(&self.path(PATCH), &self.path("base"))
    }

    fn undo(&self) {
        undo(&self.path(PATCH), &self.path("base")).unwrap();
    }
}

/// A file and what becomes of it: pages changed here and there, grown, cut short, or all other.
fn cases() -> Vec<(Vec<u8>, Vec<u8>)> {
    let long = noise(1, 3 << 20);
    let changed = |at: &[usize], length: usize| {
        let mut bytes = long.clone();
        at.iter().for_each(|at| bytes[*at] ^= 1);
        bytes.extend(noise(2, 2 << 20));
        bytes.truncate(length);
        bytes
    };
    let last = (3 << 20) - 1;
    vec![
        (long.clone(), long.clone()),
        (long.clone(), changed(&[0, 4095, 4096, 1 << 20, last], 3 << 20)),
        (long.clone(), changed(&[(1 << 20) - 1, 1 << 20], (4 << 20) + 777)),
        (long.clone(), changed(&[5000], 5 << 20)),
        (long.clone(), changed(&[9000], 20_000)),
        (long[..10_000].to_vec(), changed(&[], 2 << 20)),
        (long.clone(), noise(3, 1 << 20)),
        (noise(4, 8192), Vec::new()),
    ]
}

#[test]
fn the_file_is_as_it_was_until_the_patch_is_applied_and_then_as_it_is_to_be() {
    for (number, (before, after)) in cases().into_iter().enumerate() {
        let files = Files::new(&before, &after);
        let made = files.make(QUIET).unwrap();
        assert_eq!(made.file.bytes, after.len() as u64, "case {number}");
        assert_eq!(made.file.blake3, blake3::hash(&after).to_hex().to_string());
        assert!(
            files.base().starts_with(&before),
            "case {number}: nothing that was there changed"
        );
        // Given up, and begun again.
        files.undo();
        assert!(files.base() == before, "case {number}");
        fs::remove_file(files.path(PATCH)).unwrap();
        files.make(QUIET).unwrap();
        for time in ["once", "again"] {
            files.apply().unwrap();
            assert!(files.base() == after, "case {number}, applied {time}");
        }
    }
}

#[test]
fn a_few_pages_of_many_are_a_small_patch() {
    let (before, after) = cases().swap_remove(3);
    let files = Files::new(&before, &after);
    let written = files.make(QUIET).unwrap().written + files.apply().unwrap();
    let new = (after.len() - before.len()) as u64;
    // The page is written twice, what is new at the end once.
    assert!(
        written > new + 2 * 4096 && written < new + 2 * 4096 + 500,
        "{written} {new}"
    );
}

#[test]
fn broken_off_anywhere_it_is_undone() {
    let (before, after) = cases().swap_remove(2);
    let mut cuts = 0;
    for allowed in 0.. {
        let files = Files::new(&before, &after);
        let asked = std::cell::Cell::new(0);
        let go_on = || asked.replace(asked.get() + 1) < allowed;
        let made = files.make(Hooks::only(&go_on));
        if made.is_ok() {
            break;
        }
        assert!(matches!(made.err(), Some(StoreError::Interrupted)));
        assert!(files.apply().is_err(), "it is not whole");
        files.undo();
        assert!(files.base() == before);
        cuts += 1;
    }
    assert!(cuts > 4, "{cuts}");
    // A crash can leave less than its beginning.
    let files = Files::new(&before, &after);
    files.make(QUIET).unwrap();
    let patch = fs::read(files.path(PATCH)).unwrap();
    files.undo();
    for length in [0, 7, 40, 51] {
        fs::write(files.path(PATCH), &patch[..length]).unwrap();
        assert!(files.apply().is_err());
        files.undo();
        assert!(files.base() == before, "{length}");
    }
}

#[test]
fn a_patch_with_a_flipped_bit_does_nothing_wrong() {
    let (before, after) = cases().swap_remove(1);
    let files = Files::new(&before, &after);
    files.make(QUIET).unwrap();
    let patch = fs::read(files.path(PATCH)).unwrap();
    let mut refused = 0;
    for at in (0..52).chain((52..patch.len()).step_by(97)) {
        let mut flipped = patch.clone();
        flipped[at] ^= 1;
        fs::write(files.path(PATCH), flipped).unwrap();
        match files.apply() {
            Err(_) => refused += 1,
            // A bit that zstd does not look at.
            Ok(_) => assert!(files.base() == after, "flipped at {at}"),
        }
        if files.base() != before {
            assert!(files.base() == after, "flipped at {at}");
            fs::write(files.path("base"), &before).unwrap();
        }
    }
    assert!(refused > 52, "{refused}");
}

#[test]
fn what_somebody_wrote_since_is_not_cut_off() {
    let (before, after) = cases().swap_remove(2);
    let files = Files::new(&before, &after);
    files.make(QUIET).unwrap();
    let is_overtaken = || is_overtaken(&files.path(PATCH), &files.path("base")).unwrap();
    assert!(!is_overtaken());
    let mut used = files.base();
    used[4100] ^= 1;
    fs::write(files.path("base"), &used).unwrap();
    assert!(is_overtaken());
    files.undo();
    assert!(files.base() == used);
}

#[test]
fn a_file_that_has_another_name_too_is_nobodys_to_change() {
    let files = Files::new(&noise(1, 8192), b"after");
    assert!(is_possible(&files.path("base")));
    fs::hard_link(files.path("base"), files.path("link")).unwrap();
    assert!(!is_possible(&files.path("base")));
    std::os::unix::fs::symlink(files.path("original"), files.path("symlink")).unwrap();
    assert!(!is_possible(&files.path("symlink")));
    fs::write(files.path("short"), noise(1, 8191)).unwrap();
    assert!(!is_possible(&files.path("short")));
    assert!(!is_possible(&files.path("nothing")));
}
