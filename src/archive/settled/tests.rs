//! A settled table beside a map: whatever is put, deleted and moved on, both have the same rows.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::{Bound, RangeBounds},
};

use heed::{Database, EnvOpenOptions, WithoutTls, types::Bytes};
use proptest::{
    collection::{btree_set, vec},
    prelude::*,
};

use super::{
    Became, Direction, Packing, Settled, TakingOver,
    chunk::{MOST, unpack},
    fresh,
    packing::{put_difference, put_number, take_bytes, take_difference, take_number},
};

/// Rows of numbers and texts; texts are long, so that few rows are a chunk.
struct Texts;

type Row = (u64, String);

impl Packing for Texts {
    type Key = u64;
    type Value = String;
    const NAME: &'static str = "texts";
    const FRESH: u64 = 100;
    const LEVELS: &'static [u64] = &[10, u64::MAX];
    const SEALS_KEYS: bool = true;

    fn put(before: Option<&Row>, (key, text): &Row, bytes: &mut Vec<u8>) {
        put_difference(before.map_or(0, |before| before.0), *key, bytes);
        put_number(text.len() as u64, bytes);
        bytes.extend(text.as_bytes());
    }

    fn take(before: Option<&Row>, bytes: &mut &[u8]) -> Option<Row> {
        let key = take_difference(before.map_or(0, |before| before.0), bytes)?;
        let length = take_number(bytes)?.try_into().ok()?;
        Some((key, String::from_utf8(take_bytes(length, bytes)?.to_vec()).ok()?))
    }
}

struct Place {
    env: heed::Env<WithoutTls>,
    table: Settled<Texts>,
    _folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = EnvOpenOptions::new().read_txn_without_tls();
        options.map_size(1 << 28).max_dbs(8);
        // SAFETY: nobody else opens it.
        let env = unsafe { options.open(folder.path()) }.unwrap();
        let mut txn = env.write_txn().unwrap();
        let places = env.create_database(&mut txn, Some("meta")).unwrap();
        let table = Settled::open(places, |name| env.create_database(&mut txn, Some(name))).unwrap();
        txn.commit().unwrap();
        Self {
            env,
            table,
            _folder: folder,
        }
    }

    fn change<T>(&self, change: impl FnOnce(&Settled<Texts>, &mut heed::RwTxn) -> T) -> T {
        let mut txn = self.env.write_txn().unwrap();
        let changed = change(&self.table, &mut txn);
        txn.commit().unwrap();
        changed
    }

    /// All of it, down and up, is as in the map; chunks are of a page at most, and in order.
    fn assert_is(&self, map: &BTreeMap<u64, String>) {
        let txn = self.env.read_txn().unwrap();
        let pairs = |(key, text): (&u64, &String)| (*key, text.clone());
        let up: Vec<Row> = self.table.range(&txn, &(..)).unwrap().map(Result::unwrap).collect();
        assert!(up.iter().map(|(key, text)| (key, text)).eq(map.iter()));
        let down: Vec<Row> = self
            .table
            .rows(&txn, &(..), Direction::Down)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert!(down.into_iter().eq(map.iter().rev().map(pairs)));
        let mut checked = self.table.checked_range(&txn, &(..)).unwrap();
        let mut seen = 0;
        while let Some(found) = checked.next_found() {
            found.unwrap().1.unwrap();
            seen += 1;
        }
        assert_eq!(seen, map.len());
        for level in &self.table.levels {
            for chunk in level.iter(&txn).unwrap() {
                let (key, chunk) = chunk.unwrap();
                let rows = unpack::<Texts>(key, chunk).unwrap();
                assert!(chunk.len() <= MOST || rows.len() == 1);
            }
        }
    }

    fn get(&self, key: u64) -> heed::Result<Option<String>> {
        self.table.get(&self.env.read_txn().unwrap(), &key)
    }

    fn level(&self, level: usize) -> Database<Bytes, Bytes> {
        self.table.levels[level]
    }

    /// Changes a chunk of a level.
    fn change_chunk(&self, level: usize, which: usize, change: impl FnOnce(&mut Vec<u8>)) -> u64 {
        self.change(|_, txn| {
            let (key, chunk) = self.level(level).iter(txn).unwrap().nth(which).unwrap().unwrap();
            let (key, mut chunk) = (key.to_vec(), chunk.to_vec());
            change(&mut chunk);
            self.level(level).put(txn, &key, &chunk).unwrap();
            u64::from_be_bytes(key.try_into().unwrap())
        })
    }
}

fn text(key: u64, length: usize) -> String {
    let mut text = key.to_string();
    while text.len() < length {
        text += "+";
    }
    text
}

#[derive(Debug, Clone)]
enum Step {
    Put(u64, usize),
    Delete(u64),
    DeleteAll(BTreeSet<u64>),
    PutTogether(BTreeSet<u64>, usize),
    /// From a level, so many of its rows or chunks.
    Sweep(usize, u64),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || prop_oneof![0..400u64, 390..410u64, Just(u64::MAX)];
    prop_oneof![
        12 => (key(), prop_oneof![9 => 1..700usize, 1 => 4000..9000usize]).prop_map(|(key, length)| Step::Put(key, length)),
        2 => key().prop_map(Step::Delete),
        2 => btree_set(key(), 0..150).prop_map(Step::DeleteAll),
        2 => (btree_set(key(), 0..150), 1..700usize).prop_map(|(keys, length)| Step::PutTogether(keys, length)),
        2 => (0..2usize, 1..60u64).prop_map(|(level, many)| Step::Sweep(level, many)),
        1 => Just(Step::Settle),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_settled_table_is_a_map(steps in vec(step(), 1..200), bounds in vec((0..420u64, 0..420u64), 8)) {
        let (place, mut map) = (Place::new(), BTreeMap::new());
        for step in steps {
            place.change(|table, txn| match step {
                Step::Put(key, length) => {
                    table.put(txn, &key, &text(key, length)).unwrap();
                    map.insert(key, text(key, length));
                }
                Step::Delete(key) => assert_eq!(table.delete(txn, &key).unwrap(), map.remove(&key).is_some()),
                Step::DeleteAll(keys) => {
                    let before = map.len();
                    map.retain(|key, _| !keys.contains(key));
                    let keys: Vec<u64> = keys.into_iter().collect();
                    assert_eq!(table.delete_all(txn, &keys).unwrap(), map.len() < before);
                }
                Step::PutTogether(keys, length) => {
                    let rows: Vec<Row> = keys.into_iter().map(|key| (key, text(key, length))).collect();
                    map.extend(rows.iter().cloned());
                    table.put_together(txn, rows).unwrap();
                }
                Step::Sweep(level, many) => table.sweep(txn, level, many).unwrap(),
                Step::Settle => table.settle(txn).unwrap(),
            });
        }
        place.assert_is(&map);
        let txn = place.env.read_txn().unwrap();
        for key in (0..420).chain([u64::MAX]) {
            prop_assert_eq!(place.table.get(&txn, &key).unwrap(), map.get(&key).cloned());
        }
        for (low, high) in bounds {
            for bounds in [
                (Bound::Included(low), Bound::Included(high)),
                (Bound::Excluded(low), Bound::Excluded(high)),
                (Bound::Unbounded, Bound::Excluded(high)),
                (Bound::Excluded(low), Bound::Unbounded),
            ] {
                let up: Vec<u64> = place.table.range(&txn, &bounds).unwrap().map(|row| row.unwrap().0).collect();
                let down: Vec<u64> = place.table.rows(&txn, &bounds, Direction::Down).unwrap().map(|row| row.unwrap().0).collect();
                prop_assert!(down.iter().rev().eq(up.iter()));
                let within: Vec<u64> = map.keys().copied().filter(|key| bounds.contains(key)).collect();
                prop_assert_eq!(up, within);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_chunk_are_read_as_none(bytes in vec(any::<u8>(), 0..100)) {
        let sealed = super::chunk::seal(bytes);
        let _ = unpack::<Texts>(&[0; 8], &sealed);
    }
}

/// A chunk that is not full takes in the beginning of the next one where both are woven anew.
#[test]
fn keys_that_moved_into_the_chunk_that_was_read_last_were_passed_over() {
    let before: Vec<u64> = scattered(6_000).collect();
    let sorted = BTreeSet::from_iter(before.clone());
    for most in [1, 70, 300] {
        let place = Place::new();
        let put = |keys: &[u64]| {
            place.change(|table, txn| {
                for key in keys {
                    table.put(txn, key, &text(*key, 40)).unwrap();
                }
                table.sweep(txn, 0, keys.len() as u64).unwrap();
            });
        };
        before.chunks(200).for_each(put);
        let (mut read, mut reached) = (BTreeSet::new(), None);
        loop {
            let txn = place.env.read_txn().unwrap();
            let (some, next) = place.table.keys(&txn, reached, most).unwrap();
            drop(txn);
            // In the chunk where it stopped, and in the next one.
            if let Some(last) = some.last()
                && let Some(next) = sorted.range(last + 1..).next()
            {
                put(&[last - 1, next + 1]);
            }
            read.extend(some);
            match next {
                None => break,
                next => reached = next,
            }
        }
        let passed_over = before.iter().filter(|key| !read.contains(key)).count();
        assert_eq!(passed_over, 0, "{most} at once");
    }
}

/// Keys in no order.
fn scattered(many: u64) -> impl Iterator<Item = u64> {
    (0..many).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20)
}

#[test]
fn rows_settle_by_themselves_and_chunks_are_full() {
    let (place, mut map) = (Place::new(), BTreeMap::new());
    let keys: Vec<u64> = scattered(60_000).collect();
    for keys in keys.chunks(1000) {
        place.change(|table, txn| {
            for key in keys {
                let text = text(*key, 40);
                table.put(txn, key, &text).unwrap();
                map.insert(*key, text);
            }
            table.settle(txn).unwrap();
        });
    }
    place.assert_is(&map);
    let txn = place.env.read_txn().unwrap();
    let fresh = place.table.fresh.len(&txn).unwrap();
    assert!((100..5200).contains(&fresh), "{fresh}");
    assert!(place.level(0).len(&txn).unwrap() <= 10 + 32);
    let (mut chunks, mut bytes) = (0, 0);
    for chunk in place.level(1).iter(&txn).unwrap() {
        (chunks, bytes) = (chunks + 1, bytes + chunk.unwrap().1.len());
    }
    assert!(
        bytes > chunks * MOST * 3 / 4,
        "{chunks} chunks of {} bytes",
        bytes / chunks
    );
}

#[test]
fn rows_that_come_in_order_leave_full_chunks() {
    let place = Place::new();
    for group in 0..100 {
        place.change(|table, txn| {
            for key in group * 300..(group + 1) * 300 {
                table.put(txn, &key, &text(key, 40)).unwrap();
            }
            let fresh = table.fresh.len(txn).unwrap();
            table.sweep(txn, 0, fresh).unwrap();
        });
    }
    let txn = place.env.read_txn().unwrap();
    let chunks = place.level(0);
    let bytes: usize = chunks.iter(&txn).unwrap().map(|chunk| chunk.unwrap().1.len()).sum();
    let most = chunks.len(&txn).unwrap() as usize * MOST;
    assert!(bytes > most * 95 / 100, "{bytes} of {most}");
}

/// A table with rows in both levels and fresh ones.
fn of_three_levels() -> (Place, BTreeMap<u64, String>) {
    let (place, mut map) = (Place::new(), BTreeMap::new());
    let mut put = |keys: &mut dyn Iterator<Item = u64>, sweeps: &[usize]| {
        place.change(|table, txn| {
            for key in keys {
                table.put(txn, &key, &text(key, 100)).unwrap();
                map.insert(key, text(key, 100));
            }
            for from in sweeps {
                table.sweep(txn, *from, 10_000).unwrap();
            }
        });
    };
    put(&mut (0..1000).map(|n| 3 * n), &[0, 1]);
    put(&mut (0..1000).map(|n| 3 * n + 1), &[0]);
    put(&mut (0..1000).map(|n| 3 * n + 2), &[]);
    (place, map)
}

#[test]
fn rows_that_come_together_do_without_a_damaged_chunk() {
    let (place, map) = of_three_levels();
    place.change(|table, txn| table.sweep(txn, 0, 10_000).unwrap());
    let key = place.change_chunk(0, 3, |chunk| chunk[7] ^= 4);
    let new: Vec<Row> = map.keys().map(|key| (*key, text(*key, 50))).collect();
    place.change(|table, txn| table.put_together(txn, new.clone()).unwrap());
    let fresh = place.table.fresh.len(&place.env.read_txn().unwrap()).unwrap();
    assert!((1..200).contains(&fresh), "{fresh}");
    for (key, text) in &new {
        assert_eq!(place.get(*key).unwrap().as_ref(), Some(text));
    }
    // What comes later hides what waits for that chunk.
    place.change(|table, txn| table.put_together(txn, vec![(key, "later".into())]).unwrap());
    assert_eq!(place.get(key).unwrap().as_deref(), Some("later"));
}

#[test]
fn a_damaged_chunk_is_noticed_and_all_else_is_read() {
    for level in 0..2 {
        for damage in [
            (|chunk: &mut Vec<u8>| chunk[7] ^= 4) as fn(&mut Vec<u8>),
            |chunk| chunk.truncate(50),
            |chunk| chunk.clear(),
        ] {
            let (place, map) = of_three_levels();
            place.assert_is(&map);
            let key = place.change_chunk(level, 3, damage);
            assert!(place.get(key).is_err());
            assert!(place.get(key + 3).is_err(), "a row within");
            let txn = place.env.read_txn().unwrap();
            assert!(place.table.range(&txn, &(..)).unwrap().any(|row| row.is_err()));
            let mut checked = place.table.checked_range(&txn, &(..)).unwrap();
            let (mut read, mut damaged, mut before) = (0, Vec::new(), None);
            while let Some(found) = checked.next_found() {
                let (key, value) = found.unwrap();
                assert!(before < Some(key));
                before = Some(key);
                match value {
                    Ok(_) => read += 1,
                    Err(_) => damaged.push(key),
                }
            }
            assert_eq!(damaged, [key]);
            assert!((2950..3000).contains(&read), "{read}");
        }
    }
}

#[test]
fn a_chunk_under_another_key_or_over_another_is_noticed() {
    let (place, _) = of_three_levels();
    place.change(|_, txn| {
        let (_, chunk) = place.level(1).first(txn).unwrap().unwrap();
        let chunk = chunk.to_vec();
        // Other rows hide the one of this key.
        place.level(1).put(txn, &2u64.to_be_bytes(), &chunk).unwrap();
    });
    let damaged = |place: &Place| {
        let txn = place.env.read_txn().unwrap();
        let mut checked = place.table.checked_range(&txn, &(..)).unwrap();
        let found = std::iter::from_fn(|| checked.next_found());
        found
            .map(Result::unwrap)
            .filter_map(|(_, value)| Some(value.err()?.to_string()))
            .collect::<Vec<_>>()
    };
    let found = damaged(&place);
    assert!(
        found.iter().any(|detail| detail.contains("under another key")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|detail| detail.contains("beyond the next one")),
        "{found:?}"
    );
}

#[test]
fn rows_stay_fresh_where_their_chunk_is_damaged_and_nothing_is_lost() {
    let (place, map) = of_three_levels();
    let first = place.change_chunk(1, 3, |chunk| chunk[9] ^= 1);
    let end = place.change(|_, txn| {
        let (key, _) = place.level(1).iter(txn).unwrap().nth(4).unwrap().unwrap();
        u64::from_be_bytes(key.try_into().unwrap())
    });
    for _ in 0..3 {
        place.change(|table, txn| {
            table.sweep(txn, 0, 10_000).unwrap();
            table.sweep(txn, 1, 10_000).unwrap();
        });
    }
    for (key, text) in map {
        match key % 3 == 0 && (first..end).contains(&key) {
            true => assert!(place.get(key).is_err()),
            false => assert_eq!(place.get(key).unwrap(), Some(text), "{key}"),
        }
    }
}

#[test]
fn a_damaged_fresh_row_stays_and_stops_nothing() {
    let place = Place::new();
    place.change(|table, txn| {
        for key in 0..1000u64 {
            table.put(txn, &key, &text(key, 9)).unwrap();
        }
        table.fresh.put(txn, &5u64.to_be_bytes(), b"damaged").unwrap();
        table.sweep(txn, 0, 1000).unwrap();
    });
    let txn = place.env.read_txn().unwrap();
    assert_eq!(place.table.fresh.len(&txn).unwrap(), 1);
    assert!(place.get(5).is_err());
    assert_eq!(place.get(6).unwrap(), Some(text(6, 9)));
}

#[test]
fn taking_over_packs_all_rows_and_leaves_damaged_ones_fresh() {
    let (place, mut map) = (Place::new(), BTreeMap::new());
    place.change(|table, txn| {
        for key in scattered(5000) {
            table.put(txn, &key, &text(key, 40)).unwrap();
            map.insert(key, text(key, 40));
        }
    });
    let damaged = *map.keys().nth(1234).unwrap();
    let read = |key: &[u8], value: &[u8]| match fresh::take::<Texts>(key, value) {
        Ok(value) => Became::Row((u64::from_be_bytes(key.try_into().unwrap()), value)),
        Err(_) => Became::Damaged(key.to_vec()),
    };
    // What a first attempt packed is packed again.
    for is_last in [false, true] {
        place.change(|table, txn| {
            table.fresh.put(txn, &damaged.to_be_bytes(), b"damaged").unwrap();
            let mut taking_over = TakingOver::begin(table, txn).unwrap();
            while taking_over.go_on(table.fresh, txn, read).unwrap() {}
            if is_last {
                taking_over.end(table, txn).unwrap();
            }
        });
    }
    assert!(place.get(damaged).is_err());
    place.change(|table, txn| {
        assert_eq!(table.fresh.len(txn).unwrap(), 1);
        assert_eq!(table.levels[0].len(txn).unwrap(), 0);
        table.delete(txn, &damaged).unwrap();
    });
    map.remove(&damaged);
    place.assert_is(&map);
}

#[test]
fn a_fresh_row_under_a_key_that_was_damaged_is_noticed() {
    let place = Place::new();
    place.change(|table, txn| {
        table.put(txn, &5, &text(5, 9)).unwrap();
        let row = table.fresh.get(txn, &5u64.to_be_bytes()).unwrap().unwrap().to_vec();
        table.fresh.put(txn, &4u64.to_be_bytes(), &row).unwrap();
    });
    assert_eq!(place.get(5).unwrap(), Some(text(5, 9)));
    assert!(place.get(4).is_err());
}

#[test]
fn a_row_without_an_end_is_none() {
    let mut bytes = Vec::new();
    put_number(u64::MAX, &mut bytes);
    assert_eq!(take_number(&mut &bytes[..]), Some(u64::MAX));
    assert_eq!(take_number(&mut &bytes[..9]), None);
    assert_eq!(take_number(&mut &[0xff; 11][..]), None);
    assert!(unpack::<Texts>(&[0; 8], &super::chunk::seal(Vec::new())).is_err());
}
