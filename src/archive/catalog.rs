//! The catalog: an LMDB environment with everything small.
//!
//! Each table is a typed field of [`Catalog`]; its documentation gives key, value and writer. Those with many small rows
//! are [`Settled`] ones: each is several tables of LMDB, and looks like one. Only the committer's thread opens a write
//! transaction.

use crate::ids::GroupNumber;
use std::path::{Path, PathBuf};

use heed::{
    BytesDecode, Database, Env, RoTxn, RwTxn, WithoutTls,
    types::{Bytes, Str},
};
use serde::de::DeserializeOwned;

use super::{
    StoreError,
    codec::{Key, KeyPart, Row},
    copies::Copies,
    environment,
    filter::Filter,
    known::ArchiveId,
    ledger::{LedgerRow, Mark},
    lists::Packed,
    packings, resident,
    rows::{
        Counters, FolderNumber, Identities, IdentityNumber, Journal, Message, MessageId, Part, RunId, Sighting, Source,
        SourceNumber, Unclaimed, Usage, User, UserId, VolumeState,
    },
    settled::{Packing, Settled},
};
use crate::{
    access::{AccountName, AuditRow, Session, StoredAccount},
    identify::{first_identity_of, identity_of},
};

pub(super) const META: &str = "meta";
pub(super) const SCHEMA_KEY: &str = "schema";
pub(super) const NEXT_KEY: &str = "next";
pub(super) const ARCHIVE_KEY: &str = "archive";
pub(super) const IDENTITIES_KEY: &str = "identities";

pub type Table<K, V> = Database<Key<K>, Row<V>>;

pub struct Catalog {
    pub(super) env: Env<WithoutTls>,
    pub(super) path: PathBuf,
    pub(super) id: Option<ArchiveId>,
    /// The first message whose identity is not of version 1.
    pub(super) identified_since: MessageId,
    /// Of `identities`; filled where the catalog is written.
    pub(super) filter: Filter,
    /// Name → value: "schema" (u32, big-endian), "next" ([`Counters`]), "protocols" (the `KnownRuns` of `runs`, derived
    /// from it but for how many were removed), "notified", "verified", "verification", "ignored", "address lists", "sizes", "backed up" (each a
    /// [`Memo`](super::memo::Memo), as JSON), "archive" (the
    /// [`ArchiveId`]), "identities" ([`Identities`]), "lists" (how far `lists` is [filled](super::lists)), "group
    /// 000001" (the first block of the group that was written last into this volume), "follower NAME" (the [`Mark`] up
    /// to which somebody followed the ledger), "audit" (the [`AuditMark`](crate::access::AuditMark)), "profile NAME" (a
    /// [`StoredProfile`](super::profiles::StoredProfile)).
    pub(super) meta: Database<Str, Bytes>,
    /// Message id → message. Written when a message is first kept, never changed.
    pub messages: Table<MessageId, Message>,
    /// First 16 bytes of an identity digest → the number that stands for it.
    pub identities: Settled<packings::Identities>,
    /// (identity number, first 8 bytes of SHA-256) → message id: finds equal bytes.
    pub bytes: Settled<packings::Bytes>,
    /// (identity number, user) → message id: who has it, and in which bytes.
    pub held: Settled<packings::Held>,
    /// BLAKE3 digest of a part's stored bytes → where they are. Written with the first message that has it.
    pub parts: Table<[u8; 32], Part>,
    /// Message id / 16 → what lists say of these 16 messages; derived from them.
    pub(super) lists: Table<u64, Packed>,
    /// (user, date, message id) → filing: a user's archive in the order of dates.
    pub filings: Settled<packings::Filings>,
    /// (message id, message id of a journal report in which it came) → when. The report is kept like a message, and
    /// is in nobody's archive.
    pub journals: Table<(MessageId, MessageId), Journal>,
    /// (message id, digest of field and address) → an address that a copy of the message was for, of those copies whose
    /// own bytes are not kept. Who has it one day is found by this.
    pub unclaimed: Table<(MessageId, [u8; 16]), Unclaimed>,
    /// User id → user. Addresses are looked up in the router's directory, made from this.
    pub users: Table<UserId, User>,
    /// User id → what the archive holds; derived from `filings`.
    pub usage: Table<UserId, Usage>,
    /// Source number → source.
    pub sources: Table<SourceNumber, Source>,
    /// Folder number → name. Folders of one name share a number, whatever their source.
    pub folders: Table<FolderNumber, String>,
    /// A copy that is done → what it was found to be. The cursor of a source is its stretch of this.
    pub copies: Copies,
    /// (source, folder) → how the folder looked when it was last listed there. Written by each run that lists it.
    pub sightings: Table<(SourceNumber, FolderNumber), Sighting>,
    /// Volume number → what became of it, once it is not written to any more.
    pub volumes: Table<u32, VolumeState>,
    /// Run → protocol, as JSON. What is old is removed, the newest of each profile are not.
    pub runs: Table<RunId, String>,
    /// Group → what it changed. Written with the group, never changed.
    pub ledger: Table<GroupNumber, LedgerRow>,
    /// Name → somebody who logs in.
    pub accounts: Table<AccountName, StoredAccount>,
    /// Digest of a token → the session of whoever shows it.
    pub sessions: Table<[u8; 32], Session>,
    /// Number → an entry of the audit log. Never changed; the oldest are removed.
    pub audit: Table<u64, AuditRow>,
}

impl Catalog {
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What tells this archive from others; `None` in one that was not written to since there are ids.
    pub(super) fn id(&self) -> Option<ArchiveId> {
        self.id
    }

    pub(super) fn identity_versions(&self) -> Database<Str, Row<Identities>> {
        self.meta.remap_data_type()
    }

    /// The first message whose identity is not of version 1. There is no message 0: 1 means that there never were any.
    pub(super) fn identified_since(&self) -> MessageId {
        self.identified_since
    }

    /// The digest that stands for message `id`, whose bytes are `raw`: of the version in which it was archived.
    pub(super) fn identity_of(&self, id: MessageId, raw: &[u8]) -> [u8; 32] {
        match id < self.identified_since {
            true => first_identity_of(raw),
            false => identity_of(raw),
        }
    }

    /// The number of an identity; for whoever asks of mail that comes.
    pub(super) fn number_of_identity(&self, txn: &RoTxn, identity: &[u8; 32]) -> heed::Result<Option<IdentityNumber>> {
        match self.lacks_identity(identity) {
            true => Ok(None),
            false => self.identities.get(txn, &packings::digest(identity)),
        }
    }

    /// Whether it is known, without a look into the catalog, that no number stands for an identity.
    pub(super) fn lacks_identity(&self, identity: &[u8; 32]) -> bool {
        self.filter.rules_out(&packings::digest(identity))
    }

    pub(super) fn known_id(&self, txn: &RoTxn) -> heed::Result<Option<ArchiveId>> {
        self.meta.remap_data_type::<Row<ArchiveId>>().get(txn, ARCHIVE_KEY)
    }

    /// The first block of the group that was written last into a volume, where that is noted.
    pub(super) fn last_group(&self, txn: &RoTxn, volume: u32) -> heed::Result<Option<u64>> {
        self.meta.remap_data_type::<Row<u64>>().get(txn, &group_key(volume))
    }

    pub(super) fn put_last_group(&self, txn: &mut RwTxn, volume: u32, first: u64) -> heed::Result<()> {
        self.meta
            .remap_data_type::<Row<u64>>()
            .put(txn, &group_key(volume), &first)
    }

    pub(super) fn put_mark(&self, txn: &mut RwTxn, name: &str, mark: &Mark) -> heed::Result<()> {
        self.meta
            .remap_data_type::<Row<Mark>>()
            .put(txn, &Mark::key(name), mark)
    }

    pub(super) fn source_number(&self, txn: &RoTxn, source: &Source) -> heed::Result<Option<SourceNumber>> {
        number_of(txn, &self.sources, |known| known == source)
    }

    pub(super) fn folder_number(&self, txn: &RoTxn, name: &str) -> heed::Result<Option<FolderNumber>> {
        number_of(txn, &self.folders, |known| known == name)
    }

    /// Whether there are blocks in the volume that is written to. An archive that was last written to before that was
    /// noted shows it by its last message, where that is not elsewhere.
    pub(super) fn has_blocks(&self, txn: &RoTxn, volume: u32) -> heed::Result<bool> {
        if self.last_group(txn, volume)?.is_some() {
            return Ok(true);
        }
        let last = self.messages.last(txn)?;
        Ok(last.is_some_and(|(_, message)| message.inline.volume == volume))
    }

    /// Whether anything lies in a volume: goes through all messages and parts.
    pub(super) fn names(&self, txn: &RoTxn, volume: u32) -> heed::Result<bool> {
        for message in self.messages.iter(txn)? {
            if message?.1.inline.volume == volume {
                return Ok(true);
            }
        }
        for part in self.parts.iter(txn)? {
            if part?.1.place.volume == volume {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Bytes of free pages in its file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn free(&self) -> Result<u64, StoreError> {
        environment::free(&self.env).map_err(StoreError::lmdb("measuring", &self.path))
    }

    /// Rows of each table, and of what else LMDB keeps in the environment.
    pub(super) fn row_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        environment::row_counts(&self.env).map_err(StoreError::lmdb("counting", &self.path))
    }

    /// Whether a row of any table does not match its checksum.
    pub(super) fn has_damaged_rows(&self) -> Result<bool, StoreError> {
        fn any<'t, K: 't, V: 't>(txn: &'t RoTxn, table: &Table<K, V>) -> heed::Result<bool>
        where
            Key<K>: BytesDecode<'t>,
            Row<V>: BytesDecode<'t>,
        {
            Ok(table.iter(txn)?.any(|row| row.is_err()))
        }
        fn any_packed<P: Packing>(txn: &RoTxn, table: &Settled<P>) -> heed::Result<bool> {
            Ok(table.range(txn, &(..))?.any(|row| row.is_err()))
        }
        let txn = self.read()?;
        let find = || {
            Ok(any(&txn, &self.messages)?
                || any_packed(&txn, &self.identities)?
                || any_packed(&txn, &self.bytes)?
                || any_packed(&txn, &self.held)?
                || any(&txn, &self.parts)?
                || any(&txn, &self.lists)?
                || any_packed(&txn, &self.filings)?
                || any(&txn, &self.journals)?
                || any(&txn, &self.unclaimed)?
                || any(&txn, &self.users)?
                || any(&txn, &self.usage)?
                || any(&txn, &self.sources)?
                || any(&txn, &self.folders)?
                || any_packed(&txn, &self.copies.uids)?
                || any_packed(&txn, &self.copies.uidls)?
                || any(&txn, &self.sightings)?
                || any(&txn, &self.volumes)?
                || any(&txn, &self.runs)?
                || any(&txn, &self.ledger)?
                || any(&txn, &self.accounts)?
                || any(&txn, &self.sessions)?
                || any(&txn, &self.audit)?)
        };
        find().map_err(StoreError::lmdb("reading", &self.path))
    }

    pub(super) fn forget_dead_readers(&self) -> Result<(), StoreError> {
        let forgotten = self.env.clear_stale_readers();
        forgotten
            .map(drop)
            .map_err(StoreError::lmdb("looking for readers of", &self.path))
    }

    /// A read transaction: hold it for as short as can be, never across an await.
    pub fn read(&self) -> Result<RoTxn<'_, WithoutTls>, StoreError> {
        resident::touched();
        self.env.read_txn().map_err(StoreError::lmdb("reading", &self.path))
    }

    /// The write transaction. For the committer's thread, and before it runs.
    pub(super) fn write(&self) -> Result<RwTxn<'_>, heed::Error> {
        resident::touched();
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

/// Under which number a small table has a row.
fn number_of<K: KeyPart + 'static, V: DeserializeOwned + 'static>(
    txn: &RoTxn,
    table: &Table<K, V>,
    is: impl Fn(&V) -> bool,
) -> heed::Result<Option<K>> {
    for row in table.iter(txn)? {
        let (number, known) = row?;
        if is(&known) {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

pub(super) fn group_key(volume: u32) -> String {
    format!("group {volume:06}")
}
