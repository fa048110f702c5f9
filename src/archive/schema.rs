//! The versions of the store's form, and how an older one becomes the present one.

use std::{ops::Bound, path::Path};

use heed::{
    Env, RoTxn, RwTxn, WithoutTls,
    types::{Bytes, Str},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    StoreError,
    catalog::{Catalog, IDENTITIES_KEY, META, NEXT_KEY, SCHEMA_KEY},
    codec::{Key, Row},
    packings,
    rows::{
        Copy, CopyKey, Counters, FolderNumber, Identities, IdentityNumber, MessageId, RunId, Seconds, Sha256,
        SourceNumber, UserId,
    },
    settled::{Packing, Settled, TakingOver},
    taken_over,
};
use crate::{clock, fault, identify::IDENTITY_VERSION};

/// The form in which this version writes a store.
///
/// 1: the first. 2: large bodies are parts, a place may go on in the next block, `copies` notes its keys, and there are
/// tables `volumes`, `journals` and `unclaimed`. 3: `copies` keeps what proves that a server still means the same
/// message by a name, and there is a table `sightings`. 4: there is the ledger, and `next` counts its rows; there is a
/// table `lists`, which is filled later. 5: `identities`, `bytes`, `held` and `filings` are packed, and an identity is
/// known by the first 16 bytes of its digest. 6: there are tables `accounts`, `sessions` and `audit`.
pub const SCHEMA: u32 = 6;

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
/// it gives. Those before leave a catalog of schema 4 with something beside it that nobody reads: all rows are written
/// anew, and LMDB keeps in memory what a transaction writes.
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
    // From there on, tables were added that are empty at first.
    if found <= UNPACKED {
        txn = pack(catalog, env, txn)?;
    }
    put(catalog, &mut txn)?;
    Ok(txn)
}

/// Packs the tables of many small rows, a part in each transaction.
fn pack<'e>(catalog: &Catalog, env: &'e Env<WithoutTls>, mut txn: RwTxn<'e>) -> heed::Result<RwTxn<'e>> {
    let identities = |key: &[u8]| key.first_chunk().copied();
    let mut identities = Pack::begin(&catalog.identities, &mut txn, identities)?;
    let mut bytes = Pack::begin(&catalog.bytes, &mut txn, own_key::<packings::Bytes>)?;
    let mut held = Pack::begin(&catalog.held, &mut txn, own_key::<packings::Held>)?;
    let mut filings = Pack::begin(&catalog.filings, &mut txn, own_key::<packings::Filings>)?;
    let tables: [&mut dyn Packs; 4] = [&mut identities, &mut bytes, &mut held, &mut filings];
    for table in tables {
        while table.go_on(&mut txn)? {
            txn.commit()?;
            fault::point("upgrade-packing")?;
            txn = env.write_txn()?;
        }
    }
    identities.end(&mut txn)?;
    bytes.end(&mut txn)?;
    held.end(&mut txn)?;
    filings.end(&mut txn)?;
    Ok(txn)
}

/// A table on its way to being packed.
struct Pack<'c, P: Packing, K> {
    table: &'c Settled<P>,
    taking_over: TakingOver<P>,
    /// Reads its keys as they were.
    key: K,
}

trait Packs {
    /// Packs some of its rows; whether more may follow.
    fn go_on(&mut self, txn: &mut RwTxn) -> heed::Result<bool>;
}

impl<P: Packing, K: Fn(&[u8]) -> Option<P::Key>> Packs for Pack<'_, P, K> {
    fn go_on(&mut self, txn: &mut RwTxn) -> heed::Result<bool> {
        self.taking_over.go_on(self.table, txn, &self.key)
    }
}

impl<'c, P: Packing, K> Pack<'c, P, K> {
    fn begin(table: &'c Settled<P>, txn: &mut RwTxn, key: K) -> heed::Result<Self> {
        Ok(Self {
            table,
            taking_over: TakingOver::begin(table, txn)?,
            key,
        })
    }

    fn end(self, txn: &mut RwTxn) -> heed::Result<()> {
        self.taking_over.end(self.table, txn)
    }
}

fn own_key<P: Packing>(key: &[u8]) -> Option<P::Key> {
    <Key<P::Key> as heed::BytesDecode>::bytes_decode(key).ok()
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

fn copies_note_their_keys(catalog: &Catalog, txn: &mut RwTxn) -> heed::Result<()> {
    each_copy(catalog, txn, |key, row: CopyOf1| CopyOf2 {
        key: key.check(),
        message: row.message,
        fetched: row.fetched,
        archived_at: row.archived_at,
    })
}

fn copies_have_room_for_traits(catalog: &Catalog, txn: &mut RwTxn) -> heed::Result<()> {
    each_copy(catalog, txn, |_, row: CopyOf2| Copy {
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
    renew: impl Fn(&CopyKey, Before) -> After,
) -> heed::Result<()> {
    let before = catalog.copies.remap_types::<Bytes, Row<Before>>();
    let after = catalog.copies.remap_data_type::<Row<After>>();
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
            let key = <Key<CopyKey> as heed::BytesDecode>::bytes_decode(&key).map_err(heed::Error::Decoding)?;
            after.put(txn, &key, &renew(&key, row))?;
        }
    }
}
