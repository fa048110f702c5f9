//! A patch makes one file of another, whole or not at all, and takes nothing that is somebody else's.

use std::{
    cell::RefCell,
    fs,
    path::{Path, PathBuf},
};

use super::{
    backup_tests::QUIET,
    original::Original,
    patch::{Base, PATCH, apply, is_overtaken, is_possible, lay, make, undo},
    *,
};

/// Bytes that look like noise, others for each seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

const BASE: &str = disk::DATA_FILE;

struct Files {
    folder: tempfile::TempDir,
    /// Of the patch that was made last, and of the one that lies over the file.
    made: RefCell<String>,
    lying: RefCell<String>,
}

impl Files {
    fn new(before: &[u8], after: &[u8]) -> Self {
        let files = Self {
            folder: tempfile::tempdir().unwrap(),
            made: RefCell::default(),
            lying: RefCell::default(),
        };
        fs::write(files.path(BASE), before).unwrap();
        fs::write(files.path("original"), after).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn base(&self) -> Vec<u8> {
        fs::read(self.path(BASE)).unwrap()
    }

    fn make(&self, hooks: Hooks) -> Result<carry::Carried, StoreError> {
        let original = Original::at_rest(&self.path("original")).unwrap();
        let base = self.base_of().expect("a file that can be patched");
        let made = make(&original, None, &base, &self.path("new"), 0o600, hooks)?;
        self.made.replace(made.patch.clone().unwrap());
        Ok(made)
    }

    fn base_of(&self) -> Option<Base<'_>> {
        let lying = self.path(PATCH).exists().then(|| self.lying.borrow().clone());
        Base::of(self.folder.path(), Path::new(""), lying.as_deref(), true).unwrap()
    }

    /// What [`make`](Self::make) has made lies over the file from now on.
    fn lay(&self) {
        assert!(lay(&self.path("new"), &self.path(BASE)).unwrap());
        fs::rename(self.path("new"), self.path(PATCH)).unwrap();
        self.lying.replace(self.made.take());
    }

    /// What becomes of the file when what waits is applied, which it is not here.
    fn applied(&self) -> Vec<u8> {
        fs::copy(self.path(BASE), self.path("copy")).unwrap();
        apply(&self.path(PATCH), Some(&self.lying.borrow()), &self.path("copy")).unwrap();
        fs::read(self.path("copy")).unwrap()
    }

    fn apply(&self) -> Result<u64, StoreError> {
        apply(&self.path("new"), None, &self.path(BASE))
    }

    fn undo(&self) {
        undo(&self.path("new"), &self.path(BASE)).unwrap();
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
        fs::remove_file(files.path("new")).unwrap();
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
    let patch = fs::read(files.path("new")).unwrap();
    files.undo();
    for length in [0, 7, 40, 51] {
        fs::write(files.path("new"), &patch[..length]).unwrap();
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
    let patch = fs::read(files.path("new")).unwrap();
    let mut refused = 0;
    for at in (0..52).chain((52..patch.len()).step_by(97)) {
        let mut flipped = patch.clone();
        flipped[at] ^= 1;
        fs::write(files.path("new"), flipped).unwrap();
        match files.apply() {
            Err(_) => refused += 1,
            // A bit that zstd does not look at.
            Ok(_) => assert!(files.base() == after, "flipped at {at}"),
        }
        if files.base() != before {
            assert!(files.base() == after, "flipped at {at}");
            fs::write(files.path(BASE), &before).unwrap();
        }
    }
    assert!(refused > 52, "{refused}");
}

#[test]
fn what_somebody_wrote_since_is_not_cut_off() {
    let (before, after) = cases().swap_remove(2);
    let files = Files::new(&before, &after);
    files.make(QUIET).unwrap();
    let is_overtaken = || is_overtaken(&files.path("new"), &files.path(BASE)).unwrap();
    assert!(!is_overtaken());
    let mut used = files.base();
    used[4100] ^= 1;
    fs::write(files.path(BASE), &used).unwrap();
    assert!(is_overtaken());
    files.undo();
    assert!(files.base() == used);
}

/// LMDB writes pages before it says so at the file's beginning, and a crash may come between: the patch was applied over
/// what it took for its own.
#[test]
fn what_a_transaction_that_was_cut_off_wrote_behind_the_end_is_noticed() {
    let (before, after) = cases().swap_remove(2);
    let files = Files::new(&before, &after);
    files.make(QUIET).unwrap();
    let is_overtaken = || is_overtaken(&files.path("new"), &files.path(BASE)).unwrap();
    let whole = files.base();
    for at in [before.len(), after.len() - 1] {
        let mut used = whole.clone();
        used[at] ^= 1;
        fs::write(files.path(BASE), used).unwrap();
        assert!(is_overtaken(), "{at}");
    }
    fs::write(files.path(BASE), &whole[..whole.len() - 1]).unwrap();
    assert!(is_overtaken());
    fs::write(files.path(BASE), whole).unwrap();
    assert!(!is_overtaken());
}

/// Each page was written into the patch and then to its place.
#[test]
fn what_a_patch_lies_over_is_written_to_at_once_and_the_patch_before_still_makes_what_it_made() {
    for (number, (before, after)) in cases().into_iter().enumerate() {
        let files = Files::new(&before, &after);
        let mut expected = vec![before];
        for (seed, next) in [
            after,
            noise(5, 3 << 20),
            noise(6, 40_000),
            noise(6, 40_000),
            noise(7, 2 << 20),
        ]
        .into_iter()
        .enumerate()
        {
            let what = format!("case {number}, {seed}");
            fs::write(files.path("original"), &next).unwrap();
            let Some(_) = files.base_of() else {
                // There is too little of it to tell whether somebody wrote to it.
                assert!(files.base().len() < 8192, "{what}");
                break;
            };
            let former = expected.last().unwrap();
            let is_former = || match files.path(PATCH).exists() {
                true => files.applied() == *former,
                false => files.base().starts_with(former),
            };
            files.make(QUIET).unwrap();
            assert!(is_former(), "{what}, while the next one is made");
            files.undo();
            assert!(is_former(), "{what}, when it is given up");
            fs::remove_file(files.path("new")).unwrap();
            files.make(QUIET).unwrap();
            files.lay();
            assert!(files.applied() == next, "{what}");
            expected.push(next);
        }
    }
}

#[test]
fn a_page_that_changes_each_time_is_written_once_each_time() {
    let long = noise(1, 1 << 20);
    let files = Files::new(&long, &[]);
    for time in 0..6 {
        let mut next = long.clone();
        next[..8].fill(time);
        next[100_000..500_000].fill(time);
        fs::write(files.path("original"), &next).unwrap();
        let written = files.make(QUIET).unwrap().written;
        // By turns: in the patch they pack well, beneath the one before they are not packed.
        match time % 2 {
            0 => assert!(written < 20_000, "{time}: {written}"),
            _ => assert!((400_000..420_000).contains(&written), "{time}: {written}"),
        }
        files.lay();
        assert!(files.applied() == next);
    }
}

#[test]
fn what_a_damaged_patch_lies_over_is_not_gone_by() {
    let (before, after) = cases().swap_remove(1);
    let files = Files::new(&before, &after);
    files.make(QUIET).unwrap();
    files.lay();
    assert!(files.base_of().is_some());
    let patch = fs::read(files.path(PATCH)).unwrap();
    for at in [0, 7, 20, patch.len() / 2, patch.len() - 40] {
        let mut flipped = patch.clone();
        flipped[at] ^= 1;
        fs::write(files.path(PATCH), flipped).unwrap();
        assert!(files.base_of().is_none(), "flipped at {at}");
    }
    fs::write(files.path(PATCH), &patch[..patch.len() - 40]).unwrap();
    assert!(files.base_of().is_none());
    fs::write(files.path(PATCH), patch).unwrap();
    assert!(files.base_of().is_some());
    // Somebody wrote to the file without applying it.
    let mut used = files.base();
    used[4100] ^= 1;
    fs::write(files.path(BASE), used).unwrap();
    assert!(files.base_of().is_none());
}

#[test]
fn a_patch_that_an_earlier_version_left_is_applied() {
    let (before, after) = cases().swap_remove(1);
    let files = Files::new(&before, &after);
    files.make(QUIET).unwrap();
    let patch = fs::read(files.path("new")).unwrap();
    let (header, packed) = patch.split_at(52);
    let mut header = header.to_vec();
    header[7] = 1;
    let mut body = zstd::decode_all(packed).unwrap();
    // Without the list of what nobody reads, and its length.
    let changed = roaring::RoaringTreemap::from_iter([0, 1, 256, 767]);
    body.truncate(body.len() - 32 - changed.serialized_size() - 4);
    let digest = blake3::hash(&[&header[..], &body].concat());
    body.extend(digest.as_bytes());
    let former = [header, zstd::encode_all(&body[..], 3).unwrap()].concat();
    fs::write(files.path("new"), former).unwrap();
    files.apply().unwrap();
    assert!(files.base() == after);
}

#[test]
fn a_file_that_has_another_name_too_is_nobodys_to_change() {
    let files = Files::new(&noise(1, 8192), b"after");
    assert!(is_possible(&files.path(BASE)));
    fs::hard_link(files.path(BASE), files.path("link")).unwrap();
    assert!(!is_possible(&files.path(BASE)));
    std::os::unix::fs::symlink(files.path("original"), files.path("symlink")).unwrap();
    assert!(!is_possible(&files.path("symlink")));
    fs::write(files.path("short"), noise(1, 8191)).unwrap();
    assert!(!is_possible(&files.path("short")));
    assert!(!is_possible(&files.path("nothing")));
}
