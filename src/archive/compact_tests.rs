//! Compaction moves bytes under everybody's feet: nothing of a message changes, wherever it is cut off and whoever
//! reads or files meanwhile.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use super::{
    backup_tests::QUIET,
    compact::compact_what_is_worth,
    compaction_plan::{Plan, SMALL, Worth, plans},
    order::Tidying,
    rows::VolumeState,
    test_bench::{Bench, Kept, assert_holds, close_volume, config, noise, seal_all, tidy},
    *,
};
use crate::config::{ByteSize, Config};

/// What is worth the work in a test.
const WORTH: Worth = Worth {
    blocks: 8,
    bytes: 1 << 20,
};

fn compact_unless(bench: &Bench, go_on: &(dyn Fn() -> bool + Sync)) -> Compacted {
    let compact = || compact_what_is_worth(&bench.store, &bench.committer, WORTH, Hooks::only(go_on)).unwrap();
    // The committer is asked as a thread of its own asks it.
    std::thread::scope(|scope| scope.spawn(compact).join().unwrap())
}

/// What is planned for a volume.
fn plan(store: &Store, number: u32) -> Plan {
    plans(store, WORTH, QUIET)
        .unwrap()
        .volumes
        .remove(&number)
        .unwrap_or(Plan::Nothing)
}

fn compact_all(bench: &Bench) -> Compacted {
    compact_unless(bench, &|| true)
}

/// A message of its own identity: each third has a body that becomes a part.
fn message(number: u32) -> String {
    let body = if number.is_multiple_of(3) { 20_000 } else { 500 };
    format!("{number:04}: x\r\nSubject: {number}\r\n\r\n{}", noise(number, body))
}

/// Files each message in a group of its own.
pub(super) async fn trickle(bench: &Bench, numbers: std::ops::Range<u32>) -> Kept {
    let mut kept = Kept::new();
    for number in numbers {
        let bytes = message(number);
        kept.insert(bench.file(&bytes, number, &[UserId(1)]).await.message, bytes);
    }
    kept
}

/// Blocks of a volume, and the blocks in it that rows name.
fn blocks(store: &Store, volume: u32) -> (Vec<u64>, Vec<u64>) {
    let there = store.volumes.get(volume).unwrap().lengths(0, usize::MAX).unwrap();
    let mut named = Vec::new();
    store
        .reading(|txn| {
            let messages = store
                .catalog
                .messages
                .iter(txn)?
                .map(|row| row.map(|(_, message)| message.inline));
            let parts = store
                .catalog
                .parts
                .iter(txn)?
                .map(|row| row.map(|(_, part)| part.place));
            for place in messages.chain(parts) {
                let place = place?;
                let (mut block, mut end) = (place.block, place.offset + place.length);
                if place.volume != volume {
                    continue;
                }
                loop {
                    named.push(block);
                    let length = there.iter().find(|(number, _)| *number == block).unwrap().1;
                    if end <= length {
                        break;
                    }
                    (block, end) = (block + 1, end - length);
                }
            }
            Ok(())
        })
        .unwrap();
    named.sort_unstable();
    named.dedup();
    (there.into_iter().map(|(number, _)| number).collect(), named)
}

/// What another process has that reads in the store; LMDB lets none open it twice.
pub(super) fn reader(config: &Config) -> fs::File {
    let file = fs::File::open(config.data_dir.join("readers"));
    let file = file
        .or_else(|_| fs::File::create(config.data_dir.join("readers")))
        .unwrap();
    file.lock_shared().unwrap();
    file
}

fn current(store: &Store) -> u32 {
    store.reading(|txn| store.catalog.counters(txn)).unwrap().volume
}

#[actix::test]
async fn what_came_in_a_trickle_is_merged() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let kept = trickle(&bench, 0..90).await;
    let volume = bench.store.volumes.get(1).unwrap();
    let before = (volume.count().unwrap(), volume.used().unwrap());
    assert!(before.0 >= 90, "each in a block of its own: {before:?}");
    let done = compact_all(&bench);
    assert_eq!(
        (done.moved, done.blocks, done.left),
        (90 + 30, before.0, false),
        "messages and parts"
    );
    let after = (volume.count().unwrap(), volume.used().unwrap());
    assert!(after.0 <= 2 && after.1 < before.1 * 9 / 10, "{before:?} → {after:?}");
    assert_holds(&bench.store, &kept);
    assert_eq!(compact_all(&bench), Compacted::default(), "there is nothing left to do");
    drop(volume);
    bench.close();
    let bench = Bench::open(&config);
    assert_holds(&bench.store, &kept);
    // What is merged goes on as ever.
    let mut kept = kept;
    kept.extend(trickle(&bench, 90..110).await);
    compact_all(&bench);
    assert_holds(&bench.store, &kept);
    let (there, named) = blocks(&bench.store, 1);
    assert_eq!(there, named);
    bench.close();
}

#[actix::test]
async fn cut_off_at_any_point_it_loses_nothing_and_is_finished_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    // Sealed volumes with small blocks, and one that is written to.
    config.archive.volume_size = ByteSize(150 << 10);
    let bench = Bench::open(&config);
    let kept = trickle(&bench, 0..120).await;
    seal_all(&bench);
    assert!(current(&bench.store) > 2);
    bench.close();
    let mut cuts = 0;
    for allowed in 0.. {
        let bench = Bench::open(&config);
        assert_holds(&bench.store, &kept);
        let asked = AtomicUsize::new(0);
        let done = compact_unless(&bench, &|| asked.fetch_add(1, Ordering::Relaxed) < allowed);
        assert_holds(&bench.store, &kept);
        let finished = asked.load(Ordering::Relaxed) <= allowed;
        assert_eq!(done.left, !finished, "{done:?}");
        bench.close();
        if finished {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 5, "it was cut off {cuts} times");
    let bench = Bench::open(&config);
    assert_holds(&bench.store, &kept);
    for number in bench.store.volumes.numbers().unwrap() {
        let (there, named) = blocks(&bench.store, number);
        assert_eq!(there, named, "nothing is left over in volume {number}");
    }
    bench.close();
}

/// A reader keeps blocks from being deleted; to the next process it is as if a crash had come between.
#[actix::test]
async fn after_a_crash_between_moving_and_deleting_the_old_blocks_go_later() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let kept = trickle(&bench, 0..40).await;
    let reader = reader(&config);
    let rows: Vec<_> = kept
        .keys()
        .map(|id| (*id, bench.store.message(*id).unwrap().unwrap()))
        .collect();
    let done = compact_all(&bench);
    assert!(done.moved > 40 && done.blocks == 0 && done.left, "{done:?}");
    for (id, message) in &rows {
        let volume = bench.store.volumes.get(1).unwrap();
        let is_there = volume.with_block(message.inline.block, |block| block.is_some());
        assert!(is_there.unwrap(), "message {id} is still where the reader saw it");
    }
    assert_holds(&bench.store, &kept);
    bench.close();
    let bench = Bench::open(&config);
    assert!(compact_all(&bench).left, "it still reads");
    drop(reader);
    let done = compact_all(&bench);
    assert!(done.moved == 0 && done.blocks >= 40 && !done.left, "{done:?}");
    let (there, named) = blocks(&bench.store, 1);
    assert_eq!(there, named);
    assert_holds(&bench.store, &kept);
    bench.close();
}

#[actix::test]
async fn mail_is_filed_and_read_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.archive.volume_size = ByteSize(150 << 10);
    let bench = Bench::open(&config);
    let mut kept = trickle(&bench, 0..60).await;
    seal_all(&bench);
    // Rows as a listing has them at hand: read long before their bytes are.
    let rows: Vec<_> = kept
        .keys()
        .map(|id| (*id, bench.store.message(*id).unwrap().unwrap()))
        .collect();
    let (all_filed, stop) = (AtomicBool::new(false), AtomicBool::new(false));
    let (read, compacted) = std::thread::scope(|scope| {
        let read = || {
            let mut reads = 0;
            while !stop.load(Ordering::Relaxed) {
                for (id, message) in &rows {
                    let raw = Retrieval::new(&bench.store).raw(*id, message).unwrap();
                    assert!(raw == kept[id].as_bytes(), "message {id}");
                    reads += 1;
                }
            }
            reads
        };
        let readers = [scope.spawn(read), scope.spawn(read)];
        let compacting = scope.spawn(|| {
            let mut total = Compacted::default();
            // On a busy machine all may be filed before a volume is empty.
            let last = Instant::now() + Duration::from_secs(60);
            while !all_filed.load(Ordering::Relaxed) || total.volumes == 0 && Instant::now() < last {
                seal_full_volumes(&bench.store, &bench.committer, &|| true).unwrap();
                let done = compact_what_is_worth(&bench.store, &bench.committer, WORTH, QUIET).unwrap();
                total.moved += done.moved;
                total.blocks += done.blocks;
                total.volumes += done.volumes;
            }
            total
        });
        let filed = scope.spawn(|| actix_rt::Runtime::new().unwrap().block_on(trickle(&bench, 60..260)));
        let filed = filed.join();
        all_filed.store(true, Ordering::Relaxed);
        let compacted = compacting.join();
        stop.store(true, Ordering::Relaxed);
        let reads: u64 = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
        let compacted = compacted.unwrap();
        (reads, (compacted, filed.unwrap()))
    });
    let (compacted, filed) = compacted;
    kept.extend(filed);
    assert!(
        read > 100 && compacted.moved > 60 && compacted.blocks > 0 && compacted.volumes > 0,
        "{read} {compacted:?}"
    );
    assert_holds(&bench.store, &kept);
    bench.close();
    let bench = Bench::open(&config);
    assert_holds(&bench.store, &kept);
    bench.close();
}

#[actix::test]
async fn an_emptied_sealed_volume_goes_once_nobody_reads_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.archive.volume_size = ByteSize(150 << 10);
    let bench = Bench::open(&config);
    let kept = trickle(&bench, 0..60).await;
    seal_all(&bench);
    let sealed = bench.store.volumes.folder(1);
    assert!(seal::is_sealed(&sealed));
    let reader = reader(&config);
    let message = bench.store.message(MessageId(1)).unwrap().unwrap();
    let done = compact_all(&bench);
    assert!(done.left && done.volumes == 0, "{done:?}");
    let state = |store: &Store| store.reading(|txn| store.catalog.volumes.get(txn, &1)).unwrap();
    assert_eq!(state(&bench.store), Some(VolumeState::Emptied));
    // A row that was read before still finds its bytes where they were.
    assert_eq!(message.inline.volume, 1);
    let stored = Retrieval::new(&bench.store)
        .stored(MessageId(1), &message.inline)
        .unwrap();
    assert!(kept[&MessageId(1)].as_bytes().starts_with(&stored));
    drop(reader);
    // A crash in the middle of removing it.
    bench.close();
    fs::set_permissions(sealed.join("data.mdb"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(sealed.join("data.mdb")).unwrap();
    let bench = Bench::open(&config);
    assert!(compact_all(&bench).volumes >= 1);
    assert!(!sealed.exists());
    assert_holds(&bench.store, &kept);
    // A seal that was being made when the volume was emptied comes too late.
    let seal = rows::Seal {
        blocks: 1,
        bytes: 1,
        blake3: String::new(),
    };
    tidy(&bench, Tidying::Sealed(1, seal));
    assert_eq!(state(&bench.store), Some(VolumeState::Emptied));
    bench.close();
}

/// What is large ends in a block that may be small. It stays where it is: moved, it would end in such a block again,
/// and leave all its full ones behind.
#[actix::test]
async fn what_goes_on_in_a_small_block_is_not_moved_over_and_over() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Bench::open(&config(&folder));
    let mut kept = Kept::new();
    for number in 0..12 {
        let bytes = format!("{number:04}: large\n\n{}", noise(number, block::BLOCK_SIZE + 30_000));
        kept.insert(bench.file(&bytes, number, &[UserId(1)]).await.message, bytes);
    }
    let places = |store: &Store| {
        let parts = store.reading(|txn| store.catalog.parts.iter(txn)?.collect::<heed::Result<Vec<_>>>());
        parts.unwrap()
    };
    let large = places(&bench.store);
    let volume = bench.store.volumes.get(1).unwrap();
    let lengths = volume.lengths(0, usize::MAX).unwrap();
    assert!(
        lengths.iter().filter(|(_, length)| *length < SMALL).count() >= 12,
        "{lengths:?}"
    );
    assert_eq!(plan(&bench.store, 1), Plan::Nothing);
    kept.extend(trickle(&bench, 100..140).await);
    let done = compact_all(&bench);
    assert!(done.moved > 40 && done.bytes < 2 << 20, "{done:?}");
    let after = places(&bench.store);
    assert!(
        large.iter().all(|row| after.contains(row)),
        "the large ones are where they were"
    );
    let (there, named) = blocks(&bench.store, 1);
    assert_eq!(there, named, "no block is left that nothing needs");
    assert_eq!(compact_all(&bench), Compacted::default());

    // With all of its volume, it moves.
    close_volume(&bench);
    let mostly_free = Worth { blocks: 1, bytes: 0 };
    seal_all(&bench);
    let done = std::thread::scope(|scope| {
        let compact = || compact_what_is_worth(&bench.store, &bench.committer, mostly_free, QUIET).unwrap();
        scope.spawn(compact).join().unwrap()
    });
    assert_holds(&bench.store, &kept);
    drop(volume);
    let numbers = bench.store.volumes.numbers().unwrap();
    assert_eq!(done.volumes, u64::from(numbers == [2]), "{done:?} {numbers:?}");
    bench.close();
}

/// A volume with one block that others fit into many times over: alike mail, which merged takes hardly any room.
async fn mostly_free(config: &Config) -> (Bench, Kept) {
    let bench = Bench::open(config);
    let same = noise(0, 14_000);
    let mut kept = Kept::new();
    for number in 0..300 {
        let bytes = format!("{number:04}: alike\n\n{same}");
        kept.insert(bench.file(&bytes, number, &[UserId(1)]).await.message, bytes);
    }
    compact_all(&bench);
    let volume = bench.store.volumes.get(1).unwrap();
    let (free, used) = (volume.free().unwrap(), volume.used().unwrap());
    assert!(free > WORTH.bytes && free > 2 * used, "{free} {used}");
    assert_eq!(plan(&bench.store, 1), Plan::Empty { rotate: true });
    (bench, kept)
}

#[actix::test]
async fn a_volume_that_is_mostly_free_gives_its_room_back() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let (bench, kept) = mostly_free(&config).await;
    let before = bench.store.volumes.disk_size();
    let done = compact_all(&bench);
    assert_eq!((done.moved, done.volumes, done.left), (300, 1, false));
    assert_eq!(bench.store.volumes.numbers().unwrap(), [2]);
    assert!(bench.store.volumes.disk_size() < before / 4);
    assert_holds(&bench.store, &kept);
    assert_eq!(compact_all(&bench), Compacted::default());
    bench.close();
    let bench = Bench::open(&config);
    assert_holds(&bench.store, &kept);
    bench.close();
}

#[actix::test]
async fn a_volume_that_was_left_half_empty_is_emptied_though_it_was_sealed_since() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let (bench, mut kept) = mostly_free(&config).await;
    // Nothing more is written into it, and then comes the end.
    let asked = AtomicUsize::new(0);
    let done = compact_unless(&bench, &|| asked.fetch_add(1, Ordering::Relaxed) < 2);
    assert!(done.left && current(&bench.store) == 2, "{done:?}");
    bench.close();
    let bench = Bench::open(&config);
    kept.extend(trickle(&bench, 400..402).await);
    seal_all(&bench);
    assert!(seal::is_sealed(&bench.store.volumes.folder(1)));
    let done = compact_all(&bench);
    assert_eq!((done.moved, done.volumes, done.left), (300, 1, false));
    assert_holds(&bench.store, &kept);
    bench.close();
}

#[actix::test]
async fn what_is_damaged_stays_and_all_else_moves() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let bench = Bench::open(&config);
    let kept = trickle(&bench, 0..30).await;
    let damaged = bench.store.message(MessageId(4)).unwrap().unwrap().inline;
    let stored = bench.store.volumes.get(1).unwrap();
    let block = stored.stored(damaged.block, damaged.block + 1, 1).unwrap().remove(0).1;
    drop(stored);
    bench.close();
    let file = config.data_dir.join("volumes/000001/data.mdb");
    let mut bytes = fs::read(&file).unwrap();
    let at = memchr::memmem::find(&bytes, &block[..29]).unwrap();
    bytes[at + 40] ^= 1;
    fs::write(&file, bytes).unwrap();

    let bench = Bench::open(&config);
    let done = compact_all(&bench);
    assert!(done.moved >= 38 && done.blocks >= 29 && done.left, "{done:?}");
    let (there, named) = blocks(&bench.store, 1);
    assert_eq!(there, named);
    assert!(there.contains(&damaged.block));
    for (id, bytes) in &kept {
        let message = bench.store.message(*id).unwrap().unwrap();
        match Retrieval::new(&bench.store).raw(*id, &message) {
            Ok(raw) => assert!(raw == bytes.as_bytes() && *id != MessageId(4)),
            Err(error) => assert!(
                *id == MessageId(4) && matches!(error, StoreError::Damaged { .. }),
                "{error}"
            ),
        }
    }
    bench.close();
}

#[actix::test]
async fn blocks_of_a_sealed_volume_are_not_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(&folder);
    config.archive.volume_size = ByteSize(150 << 10);
    let bench = Bench::open(&config);
    let kept = trickle(&bench, 0..60).await;
    seal_all(&bench);
    let (there, _) = blocks(&bench.store, 1);
    let before = seal::digest(&config.data_dir.join("volumes/000001/data.mdb"), &|| true).unwrap();
    tidy(&bench, Tidying::DropBlocks(1, there));
    let after = seal::digest(&config.data_dir.join("volumes/000001/data.mdb"), &|| true).unwrap();
    assert_eq!(before, after);
    assert_holds(&bench.store, &kept);
    bench.close();
}
