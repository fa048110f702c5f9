//! LMDB's pages, damaged anyhow: reading them ends, and ends well.

#![no_main]

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::LazyLock,
};

use dropkeep::archive::fuzzing::{check_pages, make_catalog};
use dropkeep_fuzz::{Bounded, choices};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Bounded = Bounded::new();

/// An empty catalog, and a file of its bytes that is damaged and mended again.
struct Whole {
    bytes: Vec<u8>,
    path: PathBuf,
    file: File,
}

static WHOLE: LazyLock<Whole> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("dropkeep-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder of our own");
    make_catalog(&folder).expect("an empty catalog");
    let bytes = fs::read(folder.join("data.mdb")).expect("its bytes");
    fs::remove_dir_all(&folder).expect("it is not needed any more");
    let path = folder.with_extension("mdb");
    fs::write(&path, &bytes).expect("a file of our own");
    let file = File::options().write(true).open(&path).expect("the file just written");
    let (findings, entries) = check_pages(&path).expect("it can be read");
    assert!(findings == 0 && entries > 0);
    Whole { bytes, path, file }
});

fuzz_target!(|input: &[u8]| {
    let whole = &*WHOLE;
    let pages = whole.bytes.len() >> 12;
    let mut damaged = Vec::new();
    let mut rest = input;
    // Each damage: page, place in the page, length, bytes.
    while !rest.is_empty() {
        let ([page, low, high, length], bytes) = choices(rest);
        let place = (usize::from(page) % pages) << 12 | usize::from(u16::from_le_bytes([low, high]) & 0xfff);
        let taken = bytes.len().min(usize::from(length & 15)).min(whole.bytes.len() - place);
        whole.file.write_all_at(&bytes[..taken], place as u64).expect("room");
        damaged.push((place, taken));
        rest = &bytes[taken..];
    }
    let (findings, entries) = check_pages(&whole.path).expect("it can be read");
    assert!(findings > 0 || entries < 10_000);
    for (place, taken) in damaged {
        whole
            .file
            .write_all_at(&whole.bytes[place..place + taken], place as u64)
            .expect("room");
    }
});
