//! The copies of a catalog of schema 6, after its upgrade.

use std::fs;

use heed::{Database, RwTxn, types::Bytes};

use super::{
    catalog::{Catalog, SCHEMA_KEY},
    codec::{Row, checksum},
    disk::DATA_FILE,
    rows::{Copy, CopyKey, FolderNumber, MessageId, SourceNumber, Traits},
    schema::CopyOf6,
    settled::key_bytes,
};

/// More than are packed in one transaction.
const ROWS: u32 = 60_000;
const OF_IMAP: SourceNumber = SourceNumber(1);
const OF_POP3: SourceNumber = SourceNumber(2);

fn uid(number: u32) -> CopyKey {
    CopyKey::Imap {
        source: OF_IMAP,
        folder: FolderNumber(1 + number % 3),
        uidvalidity: 1_700_000_000,
        uid: 1 + number,
    }
}

fn uidl(number: u32) -> CopyKey {
    CopyKey::uidl(OF_POP3, &number.to_string())
}

fn copy(number: u32) -> Copy {
    Copy {
        message: MessageId(u64::from(number) + 1),
        fetched: (number % 100 == 7).then_some([number as u8; 32]),
        archived_at: 1_750_000_000 + i64::from(number / 10),
        traits: (number % 50 != 9).then(|| Traits {
            size: u64::from(number) * 7,
            date: number.is_multiple_of(2).then_some(i64::from(number) - 500),
            header: [number as u8; 16],
            short: number % 30 == 1,
        }),
    }
}

/// A key as schema 6 has it.
fn key_of_6(key: &CopyKey, number: u32) -> Vec<u8> {
    match *key {
        CopyKey::Imap {
            source,
            folder,
            uidvalidity,
            uid,
        } => key_bytes(&((source, folder), (uidvalidity, uid))),
        CopyKey::Pop3 { source, .. } => {
            let uidl = *blake3::hash(number.to_string().as_bytes()).as_bytes();
            key_bytes(&(source, uidl))
        }
    }
}

/// Makes what schema 6 had of it.
fn put_of_6(table: Database<Bytes, Bytes>, txn: &mut RwTxn, key: &[u8], written_under: &[u8], copy: Copy) {
    let row = CopyOf6 {
        key: checksum(written_under),
        message: copy.message,
        fetched: copy.fetched,
        archived_at: copy.archived_at,
        traits: copy.traits,
    };
    let table = table.remap_data_type::<Row<CopyOf6>>();
    table.put(txn, key, &row).unwrap();
}

#[test]
fn copies_of_schema_6_are_packed_and_those_that_were_damaged_stay_so() {
    let folder = tempfile::tempdir().unwrap();
    {
        let catalog = Catalog::open(folder.path()).unwrap();
        let mut txn = catalog.write().unwrap();
        let table = catalog.env.create_database(&mut txn, Some("copies")).unwrap();
        for number in 0..ROWS {
            for key in [uid(number), uidl(number)].map(|key| key_of_6(&key, number)) {
                put_of_6(table, &mut txn, &key, &key, copy(number));
            }
        }
        // A flipped bit of a value, and of a key.
        let key = key_of_6(&uid(77), 77);
        let mut value = table.get(&txn, &key).unwrap().unwrap().to_vec();
        value[2] ^= 1;
        table.put(&mut txn, &key, &value).unwrap();
        put_of_6(table, &mut txn, &key_of_6(&uidl(88), 88), b"another key", copy(88));
        // What an upgrade left that was broken off.
        for (key, number) in [(uid(5), 1), (uidl(5), 1)] {
            put_now(&catalog, &mut txn, &key, &copy(number));
        }
        catalog.copies.uids.sweep(&mut txn, 0, 1).unwrap();
        catalog.copies.uidls.sweep(&mut txn, 0, 1).unwrap();
        put_now(&catalog, &mut txn, &uid(ROWS), &copy(1));
        catalog.meta.put(&mut txn, SCHEMA_KEY, &6u32.to_be_bytes()).unwrap();
        txn.commit().unwrap();
    }
    let catalog = Catalog::open(folder.path()).unwrap();
    let txn = catalog.read().unwrap();
    for number in (0..ROWS).filter(|number| ![77, 88].contains(number)) {
        let found = catalog.copies.get_all(&txn, &[uidl(number), uid(number)]).unwrap();
        assert_eq!(found, [Some(copy(number)), Some(copy(number))], "{number}");
    }
    assert!(catalog.copies.get(&txn, &uid(77)).is_err());
    assert!(catalog.copies.get(&txn, &uidl(77)).is_ok());
    assert!(catalog.copies.get(&txn, &uidl(88)).is_err());
    assert_eq!(catalog.copies.get(&txn, &uid(ROWS)).unwrap(), None);
    assert_eq!(catalog.copies.uids.fresh.len(&txn).unwrap(), 1);
    assert_eq!(catalog.copies.uidls.fresh.len(&txn).unwrap(), 1);
    let before: Option<Database<Bytes, Bytes>> = catalog.env.open_database(&txn, Some("copies")).unwrap();
    assert!(before.is_none(), "the table of schema 6 is gone");
}

/// The process died of it, without a word.
#[test]
fn a_damaged_page_crashed_the_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_of_6(&uid(1000), 1000);
    {
        let catalog = Catalog::open(folder.path()).unwrap();
        let mut txn = catalog.write().unwrap();
        let table = catalog.env.create_database(&mut txn, Some("copies")).unwrap();
        for number in 0..2000 {
            let key = key_of_6(&uid(number), number);
            put_of_6(table, &mut txn, &key, &key, copy(number));
        }
        catalog.meta.put(&mut txn, SCHEMA_KEY, &6u32.to_be_bytes()).unwrap();
        txn.commit().unwrap();
    }
    let file = folder.path().join(DATA_FILE);
    let mut bytes = fs::read(&file).unwrap();
    let found: Vec<usize> = memchr::memmem::find_iter(&bytes, &key).collect();
    assert!(!found.is_empty());
    for at in found {
        // The upper half of the value's size.
        bytes[at - 6..at - 4].copy_from_slice(&0x7fff_u16.to_le_bytes());
    }
    fs::write(&file, &bytes).unwrap();
    let refused = Catalog::open(folder.path()).err().expect("it is refused").to_string();
    assert!(
        refused.contains("is not upgraded") && !refused.contains("  "),
        "{refused}"
    );
    assert!(fs::read(&file).unwrap() == bytes, "nothing was written");
}

fn put_now(catalog: &Catalog, txn: &mut RwTxn, key: &CopyKey, copy: &Copy) {
    match key.tabled() {
        super::copies::Tabled::Uid(key) => catalog.copies.uids.put(txn, &key, copy).unwrap(),
        super::copies::Tabled::Uidl(key) => catalog.copies.uidls.put(txn, &key, copy).unwrap(),
    }
}
