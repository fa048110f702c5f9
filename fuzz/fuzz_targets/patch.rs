//! Patches of a backup's files: what is none changes nothing, and what is one makes what it says, however often.

#![no_main]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use dropkeep::archive::fuzzing::{apply_patch, make_patch, seal_patch};
use dropkeep_fuzz::{Bounded, choices};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

/// Bytes of the file.
const LENGTH: usize = 20_000;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("dropkeep-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder of our own");
    folder
});

fuzz_target!(|input: &[u8]| {
    let (patch, file) = (FOLDER.join("patch"), FOLDER.join("file"));
    let before = vec![b'x'; LENGTH];
    fs::write(&file, &before).expect("room");
    let ([how, form], rest) = choices(input);
    match how % 3 {
        0 => fs::write(&patch, rest).expect("room"),
        1 => fs::write(&patch, seal_patch(form % 4, rest)).expect("room"),
        _ => return written(rest, before, &patch, &file),
    }
    // Where the system refuses to write so far out, it may have been applied in part.
    match apply_patch(&patch, &file) {
        Ok(false) => assert!(fs::read(&file).expect("the file") == before),
        Ok(true) => assert!(apply_patch(&patch, &file).expect("as before")),
        Err(_) => {}
    }
});

/// What we write ourselves.
fn written(input: &[u8], mut expected: Vec<u8>, patch: &Path, file: &Path) {
    let ([low, high], mut rest) = choices(input);
    let mut stretches = Vec::new();
    // Each stretch: its place, its length, bytes.
    while !rest.is_empty() {
        let ([low, high, length], bytes) = choices(rest);
        let (taken, others) = bytes.split_at(bytes.len().min(usize::from(length)));
        stretches.push((u64::from(u16::from_le_bytes([low, high])), taken));
        rest = others;
    }
    let length = usize::from(u16::from_le_bytes([low, high]));
    for (at, bytes) in &stretches {
        let at = *at as usize;
        expected.resize(expected.len().max(at + bytes.len()), 0);
        expected[at..at + bytes.len()].copy_from_slice(bytes);
    }
    expected.resize(length, 0);
    let _ = fs::remove_file(patch);
    make_patch(patch, &stretches, length as u64).expect("room");
    for _ in 0..2 {
        assert!(apply_patch(patch, file).expect("room"));
        assert!(fs::read(file).expect("the file") == expected);
    }
}
