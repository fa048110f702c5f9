//! The catalog: an LMDB environment with everything small.
//!
//! Each table is a typed field of [`Catalog`]; its documentation gives key, value and writer. Only
//! the committer's thread opens a write transaction.

use std::path::{Path, PathBuf};

use heed::{
    Database, Env, EnvOpenOptions, RoTxn, RwTxn, WithoutTls,
    types::{Bytes, Str},
};

use super::{
    StoreError,
    codec::{Key, Row},
    rows::{
        CATCHALL_ID, Copy, CopyKey, Counters, Filing, IdentityNumber, Message, MessageId, Part, RunId, Seconds, Source,
        Usage, User, UserId,
    },
};
use crate::message::CATCHALL;

/// The form in which this version writes a store.
pub const SCHEMA: u32 = 1;

/// Address space set aside for the catalog; disk is used only as it fills.
const MAP_SIZE: usize = 1 << 40;
/// Slots for read transactions: more than there are threads that read.
pub const MAX_READERS: u32 = 512;

const META: &str = "meta";
const SCHEMA_KEY: &str = "schema";
const NEXT_KEY: &str = "next";

pub type Table<K, V> = Database<Key<K>, Row<V>>;

pub struct Catalog {
    env: Env<WithoutTls>,
    path: PathBuf,
    /// Name → value: "schema" (u32, big-endian), "next" ([`Counters`]).
    meta: Database<Str, Bytes>,
    /// Message id → message. Written when a message is first kept, never changed.
    pub messages: Table<MessageId, Message>,
    /// Identity digest → the number that stands for it.
    pub identities: Table<[u8; 32], IdentityNumber>,
    /// (identity number, first 8 bytes of SHA-256) → message id: finds equal bytes.
    pub bytes: Table<(IdentityNumber, [u8; 8]), MessageId>,
    /// (identity number, user) → message id: who has it, and in which bytes.
    pub held: Table<(IdentityNumber, UserId), MessageId>,
    /// BLAKE3 digest of a part's stored bytes → where they are.
    pub parts: Table<[u8; 32], Part>,
    /// (user, date, message id) → filing: a user's archive in the order of dates.
    pub filings: Table<(UserId, Seconds, MessageId), Filing>,
    /// User id → user. Addresses are looked up in the router's directory, made from this.
    pub users: Table<UserId, User>,
    /// User id → what the archive holds; derived from `filings`.
    pub usage: Table<UserId, Usage>,
    /// Source number → source.
    pub sources: Table<u32, Source>,
    /// Folder number → name. Folders of one name share a number, whatever their source.
    pub folders: Table<u32, String>,
    /// A copy that is done → what it was found to be. The cursor of a source is its stretch of this.
    pub copies: Table<CopyKey, Copy>,
    /// Run → protocol, as JSON.
    pub runs: Database<Key<RunId>, Row<String>>,
}

/// Whether there is a catalog in the environment already. Writes nothing.
fn check_schema(env: &Env<WithoutTls>, path: &Path) -> Result<bool, StoreError> {
    let read = || {
        let txn = env.read_txn()?;
        let Some(meta) = env.open_database::<Str, Bytes>(&txn, Some(META))? else {
            let root = env.open_database::<Bytes, Bytes>(&txn, None)?;
            let empty = root.map_or(Ok(true), |root| root.is_empty(&txn))?;
            return Ok((empty, None));
        };
        let schema = meta
            .get(&txn, SCHEMA_KEY)?
            .and_then(|bytes| bytes.try_into().ok().map(u32::from_be_bytes));
        // The handles of a read transaction last only where it is committed.
        txn.commit()?;
        Ok((false, schema))
    };
    match read().map_err(StoreError::lmdb("reading the schema", path))? {
        (_, Some(found)) if found > SCHEMA => Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: SCHEMA,
        }),
        (_, Some(_)) => Ok(true),
        (false, None) => Err(StoreError::NotOurs { path: path.to_owned() }),
        (true, None) => Ok(false),
    }
}

impl Catalog {
    /// Opens the catalog in `path`, and makes it where the directory has none.
    ///
    /// # Errors
    /// It is not a catalog, or of a newer schema.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // SAFETY: the data directory is locked by this process, which opens each environment
        // once, and lies on a local file system.
        let env = unsafe {
            EnvOpenOptions::new()
                .read_txn_without_tls()
                .map_size(MAP_SIZE)
                .max_readers(MAX_READERS)
                .max_dbs(16)
                .open(path)
        };
        let env = env.map_err(StoreError::lmdb("opening the catalog", path))?;
        let exists = check_schema(&env, path)?;
        Self::open_tables(env, path, !exists).map_err(StoreError::lmdb("opening the catalog", path))
    }

    fn open_tables(env: Env<WithoutTls>, path: &Path, new: bool) -> Result<Self, heed::Error> {
        let mut txn = env.write_txn()?;
        let t = &mut txn;
        let catalog = Self {
            path: path.to_owned(),
            meta: env.create_database(t, Some(META))?,
            messages: env.create_database(t, Some("messages"))?,
            identities: env.create_database(t, Some("identities"))?,
            bytes: env.create_database(t, Some("bytes"))?,
            held: env.create_database(t, Some("held"))?,
            parts: env.create_database(t, Some("parts"))?,
            filings: env.create_database(t, Some("filings"))?,
            users: env.create_database(t, Some("users"))?,
            usage: env.create_database(t, Some("usage"))?,
            sources: env.create_database(t, Some("sources"))?,
            folders: env.create_database(t, Some("folders"))?,
            copies: env.create_database(t, Some("copies"))?,
            runs: env.create_database(t, Some("runs"))?,
            env: env.clone(),
        };
        if new {
            catalog.meta.put(t, SCHEMA_KEY, &SCHEMA.to_be_bytes())?;
            let catchall = User {
                name: CATCHALL.into(),
                addresses: Vec::new(),
                managed: false,
                retired: false,
            };
            catalog.users.put(t, &CATCHALL_ID, &catchall)?;
            catalog.put_counters(t, &Counters::default())?;
        }
        txn.commit()?;
        Ok(catalog)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A read transaction: hold it for as short as can be, never across an await.
    pub fn read(&self) -> Result<RoTxn<'_, WithoutTls>, StoreError> {
        self.env.read_txn().map_err(StoreError::lmdb("reading", &self.path))
    }

    /// The write transaction. For the committer's thread, and before it runs.
    pub(super) fn write(&self) -> Result<RwTxn<'_>, heed::Error> {
        self.env.write_txn()
    }

    pub fn counters(&self, txn: &RoTxn) -> Result<Counters, heed::Error> {
        let meta = self.meta.remap_data_type::<Row<Counters>>();
        meta.get(txn, NEXT_KEY)?
            .ok_or_else(|| heed::Error::Decoding("the catalog's counters are missing".into()))
    }

    pub(super) fn put_counters(&self, txn: &mut RwTxn, counters: &Counters) -> Result<(), heed::Error> {
        self.meta
            .remap_data_type::<Row<Counters>>()
            .put(txn, NEXT_KEY, counters)
    }
}
