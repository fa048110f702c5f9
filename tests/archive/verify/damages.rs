//! Whole files that are missing, cut short or of another archive, and single blocks: each is named, with the
//! messages and users concerned.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::verify::{
    archive::{self, damages, open_volumes, verify, volume},
    dump,
    support::appliance::{Appliance, number},
};

/// A file that is put back as it was.
struct File {
    path: PathBuf,
    whole: Vec<u8>,
}

impl File {
    fn new(path: PathBuf) -> Self {
        let whole = fs::read(&path).expect("a file");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("permissions");
        Self { path, whole }
    }

    fn write(&self, bytes: &[u8]) {
        fs::write(&self.path, bytes).expect("a file");
    }

    /// With one bit flipped.
    fn flip(&self, at: usize) {
        let mut bytes = self.whole.clone();
        bytes[at] ^= 1;
        self.write(&bytes);
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.write(&self.whole);
    }
}

fn kinds(damages: &[Value]) -> BTreeSet<&str> {
    damages
        .iter()
        .map(|damage| damage["kind"].as_str().expect("a kind"))
        .collect()
}

fn details(damages: &[Value]) -> String {
    damages.iter().map(|damage| format!("{damage}\n")).collect()
}

/// Who has each message, as the lists say.
fn owners(appliance: &Appliance) -> BTreeMap<u64, BTreeSet<String>> {
    let mut owners: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for (user, list) in appliance.lists() {
        for line in list {
            owners.entry(number(&line, "id")).or_default().insert(user.clone());
        }
    }
    owners
}

/// The messages that are damaged; each is named with those who have it.
fn messages(damages: &[Value], owners: &BTreeMap<u64, BTreeSet<String>>) -> BTreeSet<u64> {
    let of_messages = damages.iter().filter(|damage| damage["kind"] == "message");
    let named = of_messages.map(|damage| {
        let id = number(damage, "id");
        let users = damage["user"]
            .as_str()
            .expect("users")
            .split(", ")
            .map(str::to_owned)
            .collect();
        assert_eq!(owners.get(&id), Some(&users), "{damage}");
        assert!(damage["volume"].is_u64(), "{damage}");
        id
    });
    named.collect()
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data.mdb")
}

/// Marks of readers that have ended. As long as there are any, LMDB uses no page again.
fn stale_readers(environment: &Path) -> usize {
    let mut options = heed::EnvOpenOptions::new();
    // SAFETY: nothing is read of it but the readers' marks.
    let env = unsafe { options.map_size(1 << 30).open(environment) };
    env.expect("an environment").clear_stale_readers().expect("readers")
}

#[test]
fn damaged_files_are_named_with_what_they_held() {
    let (_server, appliance) = archive::small();
    let owners = owners(&appliance);
    let open = *open_volumes(&appliance).last().expect("a volume that is written to");
    assert!(open > 1, "the first is sealed");
    let undamaged = dump::digest(&appliance.data()).expect("the undamaged archive is read");
    let both = [1, open].map(|number| (number, volume(&appliance, number)));

    for (number, folder) in &both {
        let file = File::new(data(folder));
        // Missing.
        fs::rename(folder, folder.with_file_name("aside")).expect("a rename");
        let found = damages(&appliance, &[]);
        let lost = messages(&found, &owners);
        fs::rename(folder.with_file_name("aside"), folder).expect("a rename");
        assert!(!lost.is_empty() && lost.len() < owners.len(), "{}", lost.len());
        assert!(details(&found).contains("is missing"), "{}", details(&found));
        if *number == 1 {
            assert!(kinds(&found).contains("volume"), "{}", details(&found));
        }

        // Foreign, and cut short to various lengths: in the middle of a page, of the file, of the meta pages.
        file.write(&vec![b'x'; file.whole.len()]);
        let found = damages(&appliance, &[]);
        assert_eq!(messages(&found, &owners), lost, "{}", details(&found));
        for length in [
            file.whole.len() - 1000,
            file.whole.len() / 2,
            3 * 4096,
            2 * 4096,
            5000,
            0,
        ] {
            file.write(&file.whole[..length]);
            if length == file.whole.len() - 1000 && verify(&appliance, &[]).0 == 0 {
                // The last page was a free one.
                assert_eq!(dump::digest(&appliance.data()).as_ref(), Some(&undamaged));
                continue;
            }
            let found = damages(&appliance, &[]);
            let named = messages(&found, &owners);
            assert!(
                named.is_subset(&lost) && found.iter().any(|damage| damage["volume"] == *number),
                "{length} bytes: {}",
                details(&found)
            );
            if length <= 3 * 4096 {
                assert_eq!(named, lost, "{length} bytes: {}", details(&found));
            }
        }
        // Of this archive, but another volume.
        let other = &both.iter().find(|(other, _)| other != number).expect("another").1;
        file.write(&fs::read(data(other)).expect("a file"));
        let found = damages(&appliance, &[]);
        assert_eq!(messages(&found, &owners), lost, "{}", details(&found));
        let found = damages(&appliance, &["--volume", &number.to_string()]);
        assert_eq!(messages(&found, &owners), lost, "{}", details(&found));
    }
    assert_eq!(verify(&appliance, &[]).0, 0, "all is undone");
}

#[test]
fn a_flipped_bit_in_a_block_is_named_with_its_messages_and_users() {
    let (_server, appliance) = archive::small();
    let owners = owners(&appliance);
    let open = *open_volumes(&appliance).last().expect("a volume that is written to");
    let whole = dump::digest(&appliance.data()).expect("the undamaged archive is read");
    for number in [1, open] {
        let file = File::new(data(&volume(&appliance, number)));
        let mut blocks_found = 0;
        // The header of a block as docs/decisions/blocks.md has it.
        let blocks: Vec<_> = memchr::memmem::find_iter(&file.whole, b"dkb\x01").collect();
        for at in blocks {
            file.flip(at + 40);
            if verify(&appliance, &[]).0 == 0 {
                // What a page held before it was freed.
                assert_eq!(dump::digest(&appliance.data()).as_ref(), Some(&whole));
                continue;
            }
            let found = damages(&appliance, &[]);
            let named = messages(&found, &owners);
            if named.is_empty() {
                // In a sealed file it makes no difference what is flipped.
                assert_eq!(
                    (number, kinds(&found)),
                    (1, BTreeSet::from(["volume"])),
                    "{}",
                    details(&found)
                );
                continue;
            }
            blocks_found += 1;
            assert!(kinds(&found).contains("block"), "{}", details(&found));
            assert!(
                details(&found).contains("does not match its checksum"),
                "{}",
                details(&found)
            );
            assert_eq!(
                number == 1,
                details(&found).contains("not the file that was sealed"),
                "{}",
                details(&found)
            );
            assert!(
                found
                    .iter()
                    .filter(|it| it["kind"] == "block")
                    .all(|it| it["volume"] == number)
            );
            // Of one user, and of one who has none of the messages.
            let concerned: BTreeSet<_> = named.iter().flat_map(|id| &owners[id]).collect();
            let everyone: BTreeSet<_> = owners.values().flatten().collect();
            if let Some(user) = concerned.first() {
                let of_user = damages(&appliance, &["--user", user]);
                assert!(messages_of(&of_user, user).is_subset(&named), "{}", details(&of_user));
                assert!(!messages_of(&of_user, user).is_empty(), "{}", details(&of_user));
            }
            if let Some(user) = everyone.difference(&concerned).next() {
                let (code, said) = verify(&appliance, &["--user", user]);
                assert_eq!(code, 0, "{user}: {said:#}");
            }
            let text = appliance.run(&["verify"]).expect(4).text();
            assert!(
                text.contains("What to do:") && (named.len() <= 10 || text.contains("--json names all")),
                "{text}"
            );
            // The block once, and once more with its messages.
            let volume = format!(" of volume {number:06}: it does not match its checksum");
            assert_eq!(text.matches(&volume).count(), 2, "{text}");
            let (own, other) = match number {
                1 => ("volume 000001, sealed: ", "whole backup"),
                _ => ("whole backup", "sealed: stop"),
            };
            assert!(text.contains(own) && !text.contains(other), "{text}");
        }
        assert!(blocks_found > 0, "no block of volume {number} was found");
    }
}

/// The first block in a volume's file, and where it stands how large that is: also in pages freed since.
fn places_of_block(file: &[u8]) -> (u64, Vec<usize>) {
    const LEAF: u16 = 2;
    const IN_OVERFLOW: u16 = 1;
    let u16_at = |at: usize| u16::from_le_bytes([file[at], file[at + 1]]);
    let mut places: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for page in (0..file.len()).step_by(4096) {
        let own = file[page..page + 8] == ((page / 4096) as u64).to_le_bytes();
        if !own || u16_at(page + 10) != LEAF {
            continue;
        }
        let nodes = usize::from(u16_at(page + 12)).saturating_sub(16) / 2;
        for node in (0..nodes).map(|node| page + usize::from(u16_at(page + 16 + 2 * node))) {
            // The value's size (4), flags (2), key size (2), key, number of the value's page.
            if u16_at(node + 4) == IN_OVERFLOW && u16_at(node + 6) == 8 {
                let key = file[node + 8..node + 16].try_into().expect("eight bytes");
                places.entry(u64::from_be_bytes(key)).or_default().push(node);
            }
        }
    }
    places.into_iter().next().expect("a block")
}

#[test]
fn a_block_over_which_lmdb_crashes_is_named_and_the_rest_is_read() {
    let (_server, appliance) = archive::small();
    let owners = owners(&appliance);
    let open = *open_volumes(&appliance).last().expect("a volume that is written to");
    let folder = volume(&appliance, open);
    let file = File::new(data(&folder));
    let (block, places) = places_of_block(&file.whole);
    let mut bytes = file.whole.clone();
    for at in places {
        // Inside the map, and far beyond the end of the file.
        bytes[at..at + 4].copy_from_slice(&0x7000_0000u32.to_le_bytes());
    }
    file.write(&bytes);
    let (code, said) = verify(&appliance, &[]);
    let found = said["damages"].as_array().expect("damages");
    assert_eq!(code, 4);
    assert_eq!(
        kinds(found),
        BTreeSet::from(["crash", "message", "pages"]),
        "{}",
        details(found)
    );
    let crashes: Vec<_> = found.iter().filter(|damage| damage["kind"] == "crash").collect();
    assert!(crashes.iter().all(|crash| crash["volume"] == open), "{crashes:?}");
    let name = format!("block {block} of volume {open:06} crashed the process that reads the archive (SIGBUS)");
    assert!(details(found).contains(&name), "{}", details(found));
    let lost = messages(found, &owners);
    assert!(!lost.is_empty());
    assert_eq!(number(&said, "messages"), (owners.len() - lost.len()) as u64);
    // What ended leaves nothing behind that keeps an appliance's pages in use.
    for environment in [&appliance.data().join("catalog"), &folder] {
        assert_eq!(stale_readers(environment), 0, "{}", environment.display());
    }
}

fn messages_of(damages: &[Value], user: &str) -> BTreeSet<u64> {
    assert!(
        damages.iter().all(|damage| damage["user"] == user),
        "{}",
        details(damages)
    );
    damages.iter().map(|damage| number(damage, "id")).collect()
}

#[test]
fn what_a_manifest_says_must_be_so() {
    let (_server, appliance) = archive::small();
    let folder = volume(&appliance, 1);
    let file = File::new(folder.join("manifest.json"));
    let text = String::from_utf8(file.whole.clone()).expect("text");
    for (from, to) in [
        ("\"blocks\": ", "\"blocks\": 1"),
        ("\"bytes\": ", "\"bytes\": 1"),
        ("{", "["),
    ] {
        file.write(text.replacen(from, to, 1).as_bytes());
        let found = damages(&appliance, &[]);
        assert!(kinds(&found).contains("volume"), "{}", details(&found));
    }
    fs::remove_file(&file.path).expect("a file less");
    let found = damages(&appliance, &[]);
    assert!(
        details(&found).contains("its manifest is missing"),
        "{}",
        details(&found)
    );
}

#[test]
fn without_its_catalog_an_archive_is_damaged_and_its_blocks_are_still_looked_at() {
    let (_server, appliance) = archive::small();
    let open = *open_volumes(&appliance).last().expect("a volume that is written to");
    let catalog = File::new(appliance.data().join("catalog/data.mdb"));
    let block = File::new(data(&volume(&appliance, open)));
    // Every block in the file: some of them are what a page held before it was freed.
    let mut flipped = block.whole.clone();
    for at in memchr::memmem::find_iter(&block.whole, b"dkb\x01") {
        flipped[at + 40] ^= 1;
    }
    block.write(&flipped);
    let noise: Vec<u8> = (0..catalog.whole.len()).map(|at| ((at * 31) >> 3) as u8).collect();
    for bytes in [
        &catalog.whole[..0],
        &catalog.whole[..5000],
        &catalog.whole[..8192],
        &noise,
    ] {
        catalog.write(bytes);
        let found = damages(&appliance, &[]);
        let kinds = kinds(&found);
        assert!(
            kinds.contains("catalog") || kinds.contains("crash"),
            "{}",
            details(&found)
        );
        assert!(kinds.contains("block"), "{}", details(&found));
    }
    fs::remove_file(&catalog.path).expect("a file less");
    let found = damages(&appliance, &[]);
    assert_eq!(
        kinds(&found),
        BTreeSet::from(["block", "catalog"]),
        "{}",
        details(&found)
    );
    // Cut in the middle it may open, and ends the process that reads: that is passed, and said.
    for part in [2, 3, 5] {
        catalog.write(&catalog.whole[..catalog.whole.len() / part / 4096 * 4096]);
        let found = damages(&appliance, &[]);
        assert!(found.len() > 1, "{}", details(&found));
    }
    // Of a newer schema.
    let mut newer = catalog.whole.clone();
    let places: Vec<_> = memchr::memmem::find_iter(&newer, b"schema\0\0\0")
        .map(|at| at + 9)
        .collect();
    places.into_iter().for_each(|at| newer[at] = 77);
    catalog.write(&newer);
    let found = damages(&appliance, &[]);
    assert!(details(&found).contains("schema 77"), "{}", details(&found));
}
