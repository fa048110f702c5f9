//! The versions of the store's form, and how an older one becomes the present one.

use std::{ops::Bound, path::Path};

use heed::{
    BytesDecode, Database, Env, RoTxn, RwTxn, WithoutTls,
    types::{Bytes, Str},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    StoreError,
    catalog::{Catalog, IDENTITIES_KEY, META, NEXT_KEY, SCHEMA_KEY},
    codec::{Key, KeyPart, Row, checksum},
    copies::{UidKey, Uidls, Uids},
    rows::{
        Copy, Counters, FolderNumber, Identities, IdentityNumber, MessageId, RunId, Seconds, Sha256, SourceNumber,
        Traits, UserId,
    },
    settled::{Became, Packing, Settled, TakingOver, key_bytes},
    taken_over,
};
use crate::{clock, fault, identify::IDENTITY_VERSION};

/// The form in which this version writes a store.
///
/// 1: the first. 2: large bodies are parts, a place may go on in the next block, `copies` notes its keys, and there are
/// tables `volumes`, `journals` and `unclaimed`. 3: `copies` keeps what proves that a server still means the same
/// message by a name, and there is a table `sightings`. 4: there is the ledger, and `next` counts its rows; there is a
/// table `lists`, which is filled later. 5: `identities`, `bytes`, `held` and `filings` are packed, and an identity is
/// known by the first 16 bytes of its digest. 6: there are tables `accounts`, `sessions` and `audit`. 7: in place of
/// `copies` there are `uids` and `uidls`, which are packed, and a UIDL is known by the first 16 bytes of its digest.
pub const SCHEMA: u32 = 7;

/// The last schema whose rows are all by themselves.
const UNPACKED: u32 = 4;

/// What makes schema n+1 of schema n, from schema 1 up to there.
const STEPS: [fn(&Catalog, &mut RwTxn) -> heed::Result<()>; UNPACKED as usize - 1] =
    [copies_note_their_keys, copies_have_room_for_traits, the_ledger_begins];

/// The schema of the catalog in an environment; `None` where the environment is empty. Writes nothing.
///
/// # Errors
/// It is not a catalog, or of a newer schema.
pub(super) fn check(env: &Env<WithoutTls>, path: &Path) -> Result<Option<u32>, StoreError> {
    let mut newer = None;
    let mut read = || {
        let txn = env.read_txn()?;
        let Some(meta) = env.open_database::<Str, Bytes>(&txn, Some(META))? else {
            let root = env.open_database::<Bytes, Bytes>(&txn, None)?;
            let empty = root.map_or(Ok(true), |root| root.is_empty(&txn))?;
            return Ok((empty, None));
        };
        let schema = meta
            .get(&txn, SCHEMA_KEY)?
            .and_then(|bytes| bytes.try_into().ok().map(u32::from_be_bytes));
        if schema.is_some_and(|schema| schema <= SCHEMA) {
            let identities = meta.remap_data_type::<Row<Identities>>().get(&txn, IDENTITIES_KEY)?;
            newer = identities
                .map(|noted| noted.version)
                .filter(|version| *version > IDENTITY_VERSION);
        }
        // The handles of a read transaction last only where it is committed.
        txn.commit()?;
        Ok((false, schema))
    };
    let found = read().map_err(StoreError::lmdb("reading the schema", path))?;
    if let Some(version) = newer {
        return Err(StoreError::Refused {
            path: path.to_owned(),
            detail: format!(
                "knows messages by identities of version {version}, and this dropkeep has those up to {IDENTITY_VERSION}; use a \
                 newer dropkeep"
            ),
        });
    }
    match found {
        (_, Some(found)) if found > SCHEMA => Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: SCHEMA,
        }),
        (_, Some(found)) if found > 0 => Ok(Some(found)),
        (true, None) => Ok(None),
        _ => Err(StoreError::NotOurs { path: path.to_owned() }),
    }
}

/// Brings a catalog of schema `found` to the present one; the last of it, which makes it so, is in the transaction that
/// it gives. Those before leave a catalog of schema 4 or a later one with something beside it that nobody reads: all
/// rows are written anew, and LMDB keeps in memory what a transaction writes.
pub(super) fn upgrade<'e>(
    catalog: &Catalog,
    env: &'e Env<WithoutTls>,
    mut txn: RwTxn<'e>,
    found: u32,
) -> heed::Result<RwTxn<'e>> {
    if found < UNPACKED {
        for step in &STEPS[found as usize - 1..] {
            step(catalog, &mut txn)?;
            fault::point("upgrade-stepped")?;
        }
        put_number(catalog, &mut txn, UNPACKED)?;
    }
    // Other tables that came later are empty at first.
    txn = pack(catalog, env, txn, found)?;
    put(catalog, &mut txn)?;
    Ok(txn)
}

/// Packs the tables of many small rows that schema `found` has by themselves, a part in each transaction.
fn pack<'e>(catalog: &Catalog, env: &'e Env<WithoutTls>, mut txn: RwTxn<'e>, found: u32) -> heed::Result<RwTxn<'e>> {
    let copies = copies_of_6(env, &txn)?;
    let mut tables: Vec<Box<dyn Packs + '_>> = vec![
        Pack::begin(&catalog.copies.uids, copies, &mut txn, of_a_uid)?,
        Pack::begin(&catalog.copies.uidls, copies, &mut txn, of_a_uidl)?,
    ];
    if found <= UNPACKED {
        let Catalog {
            identities,
            bytes,
            held,
            filings,
            ..
        } = catalog;
        let halved = |key: &[u8]| key.first_chunk().copied();
        tables.extend([
            Pack::begin(identities, identities.fresh, &mut txn, move |key, value| {
                fresh(key, value, halved(key))
            })?,
            Pack::begin(bytes, bytes.fresh, &mut txn, as_it_is)?,
            Pack::begin(held, held.fresh, &mut txn, as_it_is)?,
            Pack::begin(filings, filings.fresh, &mut txn, as_it_is)?,
        ]);
    }
    for table in &mut tables {
        while table.go_on(&mut txn)? {
            txn.commit()?;
            fault::point("upgrade-packing")?;
            txn = env.write_txn()?;
        }
    }
    for table in tables {
        table.end(&mut txn)?;
    }
    // SAFETY: the handle was opened here, and nobody else has one.
    unsafe { copies.remove(&mut txn) }?;
    Ok(txn)
}

/// A table on its way to being packed.
struct Pack<'c, P: Packing, R> {
    table: &'c Settled<P>,
    /// Where its rows are.
    from: Database<Bytes, Bytes>,
    taking_over: TakingOver<P>,
    /// Reads them as they were.
    read: R,
}

trait Packs {
    /// Packs some of its rows; whether more may follow.
    fn go_on(&mut self, txn: &mut RwTxn) -> heed::Result<bool>;

    fn end(self: Box<Self>, txn: &mut RwTxn) -> heed::Result<()>;
}

impl<P: Packing, R: Fn(&[u8], &[u8]) -> Became<P>> Packs for Pack<'_, P, R> {
    fn go_on(&mut self, txn: &mut RwTxn) -> heed::Result<bool> {
        self.taking_over.go_on(self.from, txn, &self.read)
    }

    fn end(self: Box<Self>, txn: &mut RwTxn) -> heed::Result<()> {
        self.taking_over.end(self.table, txn)
    }
}

impl<'c, P: Packing, R: Fn(&[u8], &[u8]) -> Became<P> + 'c> Pack<'c, P, R> {
    fn begin(
        table: &'c Settled<P>,
        from: Database<Bytes, Bytes>,
        txn: &mut RwTxn,
        read: R,
    ) -> heed::Result<Box<dyn Packs + 'c>> {
        Ok(Box::new(Self {
            table,
            from,
            taking_over: TakingOver::begin(table, txn)?,
            read,
        }))
    }
}

/// A row whose value is as it was.
fn fresh<P: Packing>(was: &[u8], value: &[u8], key: Option<P::Key>) -> Became<P> {
    match (key, decoded::<P::Value>(value)) {
        (Some(key), Some(value)) => Became::Row((key, value)),
        (Some(key), None) => Became::Damaged(key_bytes(&key)),
        (None, _) => Became::Damaged(was.to_vec()),
    }
}

fn as_it_is<P: Packing>(key: &[u8], value: &[u8]) -> Became<P> {
    fresh(key, value, <Key<P::Key> as BytesDecode>::bytes_decode(key).ok())
}

fn decoded<T: DeserializeOwned + 'static>(value: &[u8]) -> Option<T> {
    <Row<T> as BytesDecode>::bytes_decode(value).ok()
}

/// Notes the present schema.
pub(super) fn put(catalog: &Catalog, txn: &mut RwTxn) -> heed::Result<()> {
    put_number(catalog, txn, SCHEMA)
}

fn put_number(catalog: &Catalog, txn: &mut RwTxn, schema: u32) -> heed::Result<()> {
    catalog.meta.put(txn, SCHEMA_KEY, &schema.to_be_bytes())
}

/// Rows of a table moved on in one step of an upgrade.
const AT_ONCE: usize = 10_000;

/// A row of `copies` as schema 1 has it.
#[derive(Deserialize)]
struct CopyOf1 {
    message: MessageId,
    fetched: Option<Sha256>,
    archived_at: Seconds,
}

/// A row of `copies` as schema 2 has it.
#[derive(Serialize, Deserialize)]
struct CopyOf2 {
    key: [u8; 4],
    message: MessageId,
    fetched: Option<Sha256>,
    archived_at: Seconds,
}

/// A row of `copies` as schemas 3 to 6 have it.
#[derive(Serialize, Deserialize)]
pub(super) struct CopyOf6 {
    /// The beginning of the key's digest: a key that is not the one this was written under is noticed.
    pub key: [u8; 4],
    pub message: MessageId,
    pub fetched: Option<Sha256>,
    pub archived_at: Seconds,
    pub traits: Option<Traits>,
}

/// Bytes of a key of `copies` over POP3: a source, and the digest of a UIDL.
const UIDL_KEY: usize = 36;

/// The copies that are done, as schemas 1 to 6 have them.
fn copies_of_6(env: &Env<WithoutTls>, txn: &RoTxn) -> heed::Result<Database<Bytes, Bytes>> {
    let copies = env.open_database(txn, Some("copies"))?;
    copies.ok_or_else(|| heed::Error::Decoding("the table copies is missing".into()))
}

fn of_a_uid(key: &[u8], value: &[u8]) -> Became<Uids> {
    match key.len() {
        UIDL_KEY => Became::Another,
        // Here it is as wrong as it was.
        _ => of_6(key, value, <Key<UidKey> as BytesDecode>::bytes_decode(key).ok()),
    }
}

fn of_a_uidl(key: &[u8], value: &[u8]) -> Became<Uidls> {
    let read = |mut key: &[u8]| KeyPart::take(&mut key);
    match key.len() {
        UIDL_KEY => of_6(key, value, read(key)),
        _ => Became::Another,
    }
}

/// A row of `copies` that has this key now.
fn of_6<P: Packing<Value = Copy>>(was: &[u8], value: &[u8], key: Option<P::Key>) -> Became<P> {
    let Some(key) = key else {
        return Became::Damaged(was.to_vec());
    };
    match decoded::<CopyOf6>(value).filter(|copy| copy.key == checksum(was)) {
        Some(copy) => Became::Row((
            key,
            Copy {
                message: copy.message,
                fetched: copy.fetched,
                archived_at: copy.archived_at,
                traits: copy.traits,
            },
        )),
        None => Became::Damaged(key_bytes(&key)),
    }
}

fn copies_note_their_keys(catalog: &Catalog, txn: &mut RwTxn) -> heed::Result<()> {
    each_copy(catalog, txn, |key, row: CopyOf1| CopyOf2 {
        key: checksum(key),
        message: row.message,
        fetched: row.fetched,
        archived_at: row.archived_at,
    })
}

fn copies_have_room_for_traits(catalog: &Catalog, txn: &mut RwTxn) -> heed::Result<()> {
    each_copy(catalog, txn, |_, row: CopyOf2| CopyOf6 {
        key: row.key,
        message: row.message,
        fetched: row.fetched,
        archived_at: row.archived_at,
        traits: None,
    })
}

/// `meta`, "next", as schemas 1 to 3 have it.
#[derive(Deserialize)]
struct CountersOf3 {
    message: MessageId,
    identity: IdentityNumber,
    user: UserId,
    source: SourceNumber,
    folder: FolderNumber,
    run: RunId,
    block: u64,
    volume: u32,
    messages: u64,
    raw_bytes: u64,
}

fn the_ledger_begins(catalog: &Catalog, txn: &mut RwTxn) -> heed::Result<()> {
    let before = catalog.meta.remap_data_type::<Row<CountersOf3>>().get(txn, NEXT_KEY)?;
    let before = before.ok_or_else(|| heed::Error::Decoding("the catalog's counters are missing".into()))?;
    let group = taken_over::take_over(catalog, txn, before.message, clock::now().as_second())?;
    let counters = Counters {
        message: before.message,
        identity: before.identity,
        user: before.user,
        source: before.source,
        folder: before.folder,
        run: before.run,
        block: before.block,
        volume: before.volume,
        messages: before.messages,
        raw_bytes: before.raw_bytes,
        group,
    };
    catalog.put_counters(txn, &counters)
}

/// Writes each row of `copies` anew.
fn each_copy<Before: DeserializeOwned + 'static, After: Serialize + 'static>(
    catalog: &Catalog,
    txn: &mut RwTxn,
    renew: impl Fn(&[u8], Before) -> After,
) -> heed::Result<()> {
    let copies = copies_of_6(&catalog.env, txn)?;
    let before = copies.remap_data_type::<Row<Before>>();
    let after = copies.remap_data_type::<Row<After>>();
    let page = |txn: &RoTxn, behind: Option<&Vec<u8>>| -> heed::Result<Vec<(Vec<u8>, Before)>> {
        let from = behind.map_or(Bound::Unbounded, |key| Bound::Excluded(key.as_slice()));
        let rows = before.range(txn, &(from, Bound::Unbounded))?.take(AT_ONCE);
        rows.map(|row| row.map(|(key, before)| (key.to_vec(), before)))
            .collect()
    };
    let mut last = None;
    loop {
        let rows = page(txn, last.as_ref())?;
        last = rows.last().map(|(key, _)| key.clone());
        if last.is_none() {
            return Ok(());
        }
        for (key, row) in rows {
            after.put(txn, &key, &renew(&key, row))?;
        }
    }
}
