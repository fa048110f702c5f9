//! Volumes: filled, followed, swept, sealed; and what is refused of them.

use std::{fs, os::unix::fs::PermissionsExt};

use bytes::Bytes;

use super::{
    rows::VolumeState,
    test_bench::{Bench, Kept, assert_holds, close_volume, config, noise, seal_all},
    *,
};
use crate::config::{ByteSize, Config};

/// Bytes of a body that compresses to half of them.
const NOISE: usize = 128_000;

/// A group of so many blocks, from number `first` on.
fn group(first: u64, blocks: usize) -> layout::Layout {
    let mut group = layout::Layout::new(1, first);
    let bytes = Bytes::from(vec![b'x'; blocks * block::BLOCK_SIZE - 10]);
    group.add(vec![layout::Source::Bytes(bytes)]);
    group
}

#[actix::test]
async fn blocks_without_a_catalog_entry_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    bench.file("aaaa first", 1, &[UserId(1)]).await;
    // What a crash between the two commits leaves.
    bench
        .store
        .volumes
        .get(1)
        .unwrap()
        .put(&group(2, 2), block::LEVEL)
        .unwrap();
    bench.close();
    let bench = Bench::open(&config);
    let volume = bench.store.volumes.get(1).unwrap();
    for (number, there) in [(1, true), (2, false), (3, false)] {
        assert_eq!(
            volume.with_block(number, |block| block.is_some()).unwrap(),
            there,
            "block {number}"
        );
    }
    let next = bench.file("bbbb next", 2, &[UserId(1)]).await;
    let message = bench.store.message(next.message).unwrap().unwrap();
    assert_eq!(
        Retrieval::new(&bench.store).raw(next.message, &message).unwrap(),
        b"bbbb next"
    );
    bench.close();
}

/// A full disk left the blocks of a group that had no room for its rows, with which the volume is full; and the next group, in
/// another one, was cut off by a crash: blocks in both were taken for those of a catalog that is lost.
#[actix::test]
async fn what_a_full_disk_left_is_swept_before_the_next_group() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.archive.volume_size = ByteSize(100 << 10);
    let bench = Bench::open(&config);
    bench.file("aaaa first", 1, &[UserId(1)]).await;
    let store = &bench.store;
    let counters = store.reading(|txn| store.catalog.counters(txn)).unwrap();
    let put = |volume| {
        let volume = store.volumes.to_write(volume, false).unwrap();
        volume.put(&group(counters.block, 2), block::LEVEL).unwrap();
    };
    put(1);
    store.sweep_again();
    store.sweep_before_writing(&counters).unwrap();
    put(2);
    bench.close();
    let bench = Bench::open(&config);
    let next = bench.file("bbbb next", 2, &[UserId(1)]).await;
    let message = bench.store.message(next.message).unwrap().unwrap();
    assert_eq!(
        Retrieval::new(&bench.store).raw(next.message, &message).unwrap(),
        b"bbbb next"
    );
    bench.close();
}

/// A new catalog beside the volumes of a lost one would have them swept.
#[actix::test]
async fn volumes_whose_catalog_is_missing_are_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let filed = bench.file("aaaa first", 1, &[UserId(1)]).await;
    bench.close();
    let [catalog, aside] = ["catalog", "aside"].map(|name| config.data_dir.join(name));
    std::fs::rename(&catalog, folder.path().join("aside")).unwrap();
    assert!(matches!(Store::open(&config), Err(StoreError::Damaged { .. })));
    std::fs::rename(folder.path().join("aside"), &aside).unwrap();
    let _ = std::fs::remove_dir_all(&catalog);
    std::fs::rename(&aside, &catalog).unwrap();
    let bench = Bench::open(&config);
    let message = bench.store.message(filed.message).unwrap().unwrap();
    assert_eq!(
        Retrieval::new(&bench.store).raw(filed.message, &message).unwrap(),
        b"aaaa first"
    );
    bench.close();
}

#[actix::test]
async fn a_volume_newer_than_the_catalog_is_not_swept() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    bench.file("aaaa first", 1, &[UserId(1)]).await;
    let volume = bench.store.volumes.get(1).unwrap();
    volume.put(&group(2, 1), block::LEVEL).unwrap();
    volume.put(&group(3, 1), block::LEVEL).unwrap();
    drop(volume);
    bench.close();
    let error = Store::open(&config).err().unwrap();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[actix::test]
async fn a_full_volume_is_followed_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.archive.volume_size = crate::config::ByteSize(100 << 10);
    let bench = Bench::open(&config);
    let mut filed = Vec::new();
    for uid in 0..4 {
        let bytes = format!("{uid}aaa: x\n\n{}", noise(uid, NOISE));
        filed.push((bench.file(&bytes, uid, &[UserId(1)]).await.message, bytes));
    }
    let mut retrieval = Retrieval::new(&bench.store);
    let mut volumes = Vec::new();
    for (id, bytes) in &filed {
        let message = bench.store.message(*id).unwrap().unwrap();
        assert_eq!(retrieval.raw(*id, &message).unwrap(), bytes.as_bytes());
        let part = bench.store.part(&message.parts[0].digest).unwrap().unwrap();
        volumes.push(part.place.volume);
    }
    // A volume that has grown beyond the size is followed by the next: hexadecimal noise halves.
    assert_eq!(volumes, [1, 1, 2, 2]);
    bench.close();
}

/// Three messages in volumes so small that each has one of its own, the first two sealed.
async fn sealed(config: &mut Config) -> (Bench, Kept) {
    config.archive.volume_size = ByteSize(16 << 10);
    let bench = Bench::open(config);
    let mut kept = Kept::new();
    for uid in 0..3 {
        file(&bench, uid, &mut kept).await;
    }
    seal_all(&bench);
    (bench, kept)
}

/// Files a message that compresses little.
async fn file(bench: &Bench, uid: u32, kept: &mut Kept) {
    let bytes = format!("{uid}aaa: x\n\n{}", noise(uid, NOISE));
    kept.insert(bench.file(&bytes, uid, &[UserId(1)]).await.message, bytes);
}

#[actix::test]
async fn a_sealed_volume_is_measured_and_read_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    let (bench, mut kept) = sealed(&mut config).await;
    assert_holds(&bench.store, &kept);
    let volumes = bench.store.volumes.numbers().unwrap();
    assert!(volumes.len() >= 3, "{volumes:?}");
    for number in &volumes[..2] {
        let folder = bench.store.volumes.folder(*number);
        let file = folder.join(disk::DATA_FILE);
        let state = bench
            .store
            .reading(|txn| bench.store.catalog.volumes.get(txn, number))
            .unwrap();
        let seal = seal::manifest(&folder).unwrap();
        assert_eq!(
            state,
            Some(VolumeState::Sealed(seal.clone())),
            "the catalog knows what the manifest says"
        );
        let (bytes, blake3) = seal::digest(&file, &|| true).unwrap().unwrap();
        assert_eq!((seal.bytes, seal.blake3), (bytes, blake3));
        assert_eq!(seal.blocks, bench.store.volumes.get(*number).unwrap().count().unwrap());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o400);
    }
    bench.close();
    // Opened again as sealed, nothing about the file changes.
    let before = fs::read(folder.path().join("data/volumes/000001/data.mdb")).unwrap();
    let bench = Bench::open(&config);
    assert_holds(&bench.store, &kept);
    let later = bench.file("dddd later", 9, &[UserId(1)]).await.message;
    bench.close();
    assert!(before == fs::read(folder.path().join("data/volumes/000001/data.mdb")).unwrap());
    let reading = Store::open_for_reading(&config).unwrap();
    kept.insert(later, "dddd later".into());
    assert_holds(&reading, &kept);
}

#[actix::test]
async fn a_volume_that_a_crash_left_half_sealed_is_sealed_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.archive.volume_size = ByteSize(16 << 10);
    let bench = Bench::open(&config);
    for uid in 0..3 {
        bench
            .file(&format!("{uid}aaa {}", "x".repeat(100_000)), uid, &[UserId(1)])
            .await;
    }
    close_volume(&bench);
    // The manifest is written, and the catalog does not know of it yet.
    let sealed = sealing::seal(&bench.store.volumes, 1, &|| true).unwrap().unwrap();
    bench.close();
    let bench = Bench::open(&config);
    let (store, committer) = (bench.store.clone(), bench.committer.clone());
    std::thread::spawn(move || seal_full_volumes(&store, &committer, &|| true))
        .join()
        .unwrap()
        .unwrap();
    let state = bench
        .store
        .reading(|txn| bench.store.catalog.volumes.get(txn, &1))
        .unwrap();
    assert_eq!(state, Some(VolumeState::Sealed(sealed)));
    bench.close();
}

#[actix::test]
async fn a_volume_that_is_cut_short_missing_or_foreign_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    let (bench, kept) = sealed(&mut config).await;
    bench.close();
    let file = folder.path().join("data/volumes/000001/data.mdb");
    let whole = fs::read(&file).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let damage: [&dyn Fn(); 3] = [
        &|| fs::write(&file, &whole[..whole.len() - 4096]).unwrap(),
        &|| fs::write(&file, vec![b'x'; whole.len()]).unwrap(),
        &|| fs::remove_file(&file).unwrap(),
    ];
    for damage in damage {
        damage();
        let missing = presence::length(&file).ok() != Some(whole.len() as u64);
        match Store::open(&config) {
            Err(StoreError::Missing { what, .. }) => assert!(missing && what == "volume 000001", "{what}"),
            opened => assert!(opened.is_ok() && !missing),
        }
        let store = Store::open_for_reading(&config).unwrap();
        let (id, (last, bytes)) = (*kept.keys().next().unwrap(), kept.last_key_value().unwrap());
        let message = store.message(id).unwrap().unwrap();
        let error = Retrieval::new(&store)
            .raw(id, &message)
            .map(|raw| raw.len())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("volumes/000001") && error.contains("from a backup"),
            "{error}"
        );
        let message = store.message(*last).unwrap().unwrap();
        assert!(Retrieval::new(&store).raw(*last, &message).unwrap() == bytes.as_bytes());
        fs::write(&file, &whole).unwrap();
    }
    assert_holds(&Store::open_for_reading(&config).unwrap(), &kept);
}

#[actix::test]
async fn a_large_message_with_parts_comes_back_exactly() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let file: Vec<u8> = (0..5_000_000u64)
        .map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect();
    let text = STANDARD.encode(&file);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let message = |number: u32| {
        let body = lines.join("\r\n");
        format!(
            "{number}aaa: 1\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello {number}\r\n--b\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n{body}\r\n--b--\r\n"
        )
    };
    let mut kept = Kept::new();
    for number in 0..4 {
        let bytes = message(number);
        kept.insert(bench.file(&bytes, number, &[UserId(1)]).await.message, bytes);
    }
    assert_holds(&bench.store, &kept);
    let stored = bench.store.volumes.disk_size();
    assert!(stored < 6_000_000, "the file is stored once, and decoded: {stored}");
    bench.close();
    assert_holds(&Store::open_for_reading(&config).unwrap(), &kept);
}

#[actix::test]
async fn a_volume_that_is_written_to_and_cut_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let mut kept = Kept::new();
    for uid in 0..3 {
        file(&bench, uid, &mut kept).await;
    }
    bench.close();
    for name in ["catalog", "volumes/000001"] {
        let file = config.data_dir.join(name).join(disk::DATA_FILE);
        let whole = fs::read(&file).unwrap();
        fs::write(&file, &whole[..whole.len() / 8192 * 4096]).unwrap();
        let error = Store::open(&config).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("truncated"), "{error}");
        fs::write(&file, &whole).unwrap();
    }
    assert_eq!(Bench::open(&config).list(UserId(1)).len(), 3);
}

#[actix::test]
async fn a_flipped_bit_in_a_page_size_crashed_whoever_opened_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    bench.file("aaaa: x", 1, &[UserId(1)]).await;
    bench.close();
    for name in ["catalog", "volumes/000001"] {
        let file = config.data_dir.join(name).join(disk::DATA_FILE);
        let whole = fs::read(&file).unwrap();
        // The sizes of pages stand at byte 40 of each meta page.
        for (at, bit) in (0..32).flat_map(|bit| [(40, bit), (4096 + 40, bit)]) {
            let mut flipped = whole.clone();
            flipped[at + bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &flipped).unwrap();
            let error = Store::open(&config).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
        fs::write(&file, &whole).unwrap();
    }
    assert_eq!(Bench::open(&config).list(UserId(1)).len(), 1);
}
