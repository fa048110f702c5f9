//! Opening the catalog: its environment and its tables; made where there is none, and brought to the present schema.

use std::path::Path;

use heed::{Database, Env, EnvFlags, EnvOpenOptions, RoTxn, RwTxn, WithoutTls};

use super::{
    StoreError,
    catalog::{ARCHIVE_KEY, Catalog, IDENTITIES_KEY, META},
    codec::Row,
    copies::Copies,
    disk,
    environment::{self, MAX_READERS, MOST_TABLES},
    filter::Filter,
    known::{self, ArchiveId},
    lists_table, lock,
    rows::{CATCHALL_ID, Counters, Identities, MessageId, User},
    schema,
    settled::Settled,
};
use crate::{fault, identify::IDENTITY_VERSION, message::CATCHALL};

/// Address space set aside for the catalog; disk is used only as it fills.
const MAP_SIZE: usize = 1 << 40;

impl Catalog {
    /// Opens the catalog in `path`, makes it where the directory has none, and brings an older one to the
    /// present schema.
    ///
    /// # Errors
    /// It is not a catalog, or of a newer schema.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let env = environment(path, EnvFlags::empty())?;
        let found = schema::check(&env, path)?;
        if found.is_some_and(|found| found != schema::SCHEMA) {
            environment::refuse_to_upgrade(&path.join(disk::DATA_FILE))?;
        }
        Self::open_for_writing(env, path, found).map_err(StoreError::lmdb("opening the catalog", path))
    }

    /// Opens the catalog in `path` beside the process that writes it, if there is one; writes nothing.
    ///
    /// # Errors
    /// It is not a catalog, or not of the present schema.
    pub fn open_for_reading(path: &Path) -> Result<Self, StoreError> {
        Self::open_existing(path, EnvFlags::READ_ONLY)
    }

    /// Opens a catalog that nobody writes, as one in a backup; not even LMDB's lock file appears beside it.
    ///
    /// # Errors
    /// It is not a catalog, or not of the present schema.
    pub(super) fn open_at_rest(path: &Path) -> Result<Self, StoreError> {
        environment::refuse_unreadable(&path.join(disk::DATA_FILE))?;
        Self::open_existing(path, EnvFlags::READ_ONLY | EnvFlags::NO_LOCK)
    }

    fn open_existing(path: &Path, flags: EnvFlags) -> Result<Self, StoreError> {
        let env = environment(path, flags)?;
        match schema::check(&env, path)? {
            Some(schema::SCHEMA) => {}
            Some(found) => {
                return Err(StoreError::Older {
                    path: path.to_owned(),
                    found,
                    known: schema::SCHEMA,
                });
            }
            None => return Err(StoreError::NotOurs { path: path.to_owned() }),
        }
        let open = || {
            let txn = env.read_txn()?;
            let mut catalog = Self::tables(&env, path, &mut Existing(&txn))?;
            catalog.id = catalog.known_id(&txn)?;
            // Where it is not noted, no version after the first has written yet.
            let identities = catalog.identity_versions().get(&txn, IDENTITIES_KEY)?;
            catalog.identified_since = identities.map_or(MessageId::MAX, |noted| noted.since);
            txn.commit()?;
            Ok(catalog)
        };
        open().map_err(StoreError::lmdb("opening the catalog", path))
    }

    fn open_for_writing(env: Env<WithoutTls>, path: &Path, found: Option<u32>) -> Result<Self, heed::Error> {
        let mut txn = env.write_txn()?;
        let mut catalog = Self::tables(&env, path, &mut Made(&mut txn))?;
        match found {
            Some(schema::SCHEMA) => {}
            Some(found) => {
                tracing::info!(
                    from = found,
                    to = schema::SCHEMA,
                    "the archive is upgraded to the present schema"
                );
                fault::point("upgrade-begun")?;
                txn = schema::upgrade(&catalog, &env, txn, found)?;
                fault::point("upgrade-written")?;
            }
            None => {
                let t = &mut txn;
                schema::put(&catalog, t)?;
                let catchall = User {
                    name: CATCHALL.into(),
                    addresses: Vec::new(),
                    managed: false,
                    retired: false,
                };
                catalog.users.put(t, &CATCHALL_ID, &catchall)?;
                catalog.put_counters(t, &Counters::default())?;
                fault::point("open-catalog-making")?;
            }
        }
        let t = &mut txn;
        catalog.make_known_runs(t)?;
        lists_table::begin(&catalog, t)?;
        catalog.id = catalog.known_id(t)?;
        if catalog.id.is_none() {
            let id = known::new_id();
            catalog
                .meta
                .remap_data_type::<Row<ArchiveId>>()
                .put(t, ARCHIVE_KEY, &id)?;
            catalog.id = Some(id);
        }
        catalog.identified_since = match catalog.identity_versions().get(t, IDENTITIES_KEY)? {
            Some(noted) => noted.since,
            None => {
                let noted = Identities {
                    version: IDENTITY_VERSION,
                    since: catalog.counters(t)?.message,
                };
                catalog.identity_versions().put(t, IDENTITIES_KEY, &noted)?;
                noted.since
            }
        };
        txn.commit()?;
        if found.is_some_and(|found| found != schema::SCHEMA) {
            fault::point("upgrade-synced")?;
        }
        Ok(catalog)
    }

    fn tables(env: &Env<WithoutTls>, path: &Path, open: &mut impl OpenTable) -> Result<Self, heed::Error> {
        let meta = open.table(env, META)?;
        Ok(Self {
            path: path.to_owned(),
            id: None,
            identified_since: MessageId::MAX,
            filter: Filter::default(),
            meta,
            messages: open.table(env, "messages")?,
            identities: Settled::open(meta, |name| open.table(env, name))?,
            bytes: Settled::open(meta, |name| open.table(env, name))?,
            held: Settled::open(meta, |name| open.table(env, name))?,
            parts: open.table(env, "parts")?,
            lists: open.table(env, "lists")?,
            filings: Settled::open(meta, |name| open.table(env, name))?,
            journals: open.table(env, "journals")?,
            unclaimed: open.table(env, "unclaimed")?,
            users: open.table(env, "users")?,
            usage: open.table(env, "usage")?,
            sources: open.table(env, "sources")?,
            folders: open.table(env, "folders")?,
            copies: Copies::open(meta, |name| open.table(env, name))?,
            sightings: open.table(env, "sightings")?,
            volumes: open.table(env, "volumes")?,
            runs: open.table(env, "runs")?,
            ledger: open.table(env, "ledger")?,
            accounts: open.table(env, "accounts")?,
            sessions: open.table(env, "sessions")?,
            audit: open.table(env, "audit")?,
            env: env.clone(),
        })
    }
}

/// Opens the environment in `path`.
fn environment(path: &Path, flags: EnvFlags) -> Result<Env<WithoutTls>, StoreError> {
    lock::refuse_linked_lock(path)?;
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(MAP_SIZE).max_readers(MAX_READERS).max_dbs(MOST_TABLES);
    // Rows are looked up all over the file: what lies beside one is not read from the disk for it.
    let flags = flags | EnvFlags::NO_READ_AHEAD;
    // SAFETY: this process opens each environment once, only the one that has locked the data directory writes to
    // it, and it lies on a local file system.
    let env = unsafe { options.flags(flags).open(path) };
    env.map_err(StoreError::lmdb("opening the catalog", path))
}

/// How a table is had.
trait OpenTable {
    fn table<K: 'static, V: 'static>(&mut self, env: &Env<WithoutTls>, name: &str) -> heed::Result<Database<K, V>>;
}

struct Made<'a, 'e>(&'a mut RwTxn<'e>);

impl OpenTable for Made<'_, '_> {
    fn table<K: 'static, V: 'static>(&mut self, env: &Env<WithoutTls>, name: &str) -> heed::Result<Database<K, V>> {
        env.create_database(self.0, Some(name))
    }
}

struct Existing<'a, 'e>(&'a RoTxn<'e, WithoutTls>);

impl OpenTable for Existing<'_, '_> {
    fn table<K: 'static, V: 'static>(&mut self, env: &Env<WithoutTls>, name: &str) -> heed::Result<Database<K, V>> {
        let table = env.open_database(self.0, Some(name))?;
        table.ok_or_else(|| heed::Error::Decoding(format!("the table {name} is missing").into()))
    }
}
