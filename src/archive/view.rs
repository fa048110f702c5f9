//! What the committer looks up to decide what a group changes. The catalog answers it; in tests, maps do.

use crate::ids::GroupNumber;
use std::collections::BTreeSet;

use heed::{RoTxn, types::Bytes};

use super::{
    StoreError, UsersNews,
    catalog::Catalog,
    ledger::{Chain, NO_CHAIN},
    lists::Filled,
    lists_table, packings, resident,
    rows::{
        Copy, CopyKey, FolderNumber, IdentityNumber, Message, MessageId, Part, RunId, Source, SourceNumber, UidlDigest,
        Usage, User, UserId, VolumeState,
    },
    runs::KnownRuns,
};
use crate::access::{AccountName, AuditMark, Session, StoredAccount, words::Digest};

pub(super) type Read<T> = Result<T, StoreError>;

/// The catalog as it was before the group.
pub(super) trait View {
    fn identity(&self, digest: &[u8; 32]) -> Read<Option<IdentityNumber>>;
    /// By an identity's number and the first bytes of a SHA-256.
    fn bytes(&self, key: &(IdentityNumber, [u8; 8])) -> Read<Option<MessageId>>;
    fn held(&self, key: &(IdentityNumber, UserId)) -> Read<Option<MessageId>>;
    fn message(&self, id: MessageId) -> Read<Option<Message>>;
    fn part(&self, digest: &[u8; 32]) -> Read<Option<Part>>;
    /// By a message and the journal report in which it came.
    fn has_journal(&self, key: &(MessageId, MessageId)) -> Read<bool>;
    fn user(&self, id: UserId) -> Read<Option<User>>;
    /// All users, by id: there may be too many for a list.
    fn each_user(&self, each: &mut dyn FnMut(UserId, User)) -> Read<()>;
    fn usage(&self, user: UserId) -> Read<Usage>;
    fn source_number(&self, source: &Source) -> Read<Option<SourceNumber>>;
    fn folder_number(&self, name: &str) -> Read<Option<FolderNumber>>;
    fn copy(&self, key: &CopyKey) -> Read<Option<Copy>>;
    /// The done copies of a POP3 source whose UIDLs are not among `standing`, which is ascending.
    fn gone_uidls(&self, source: SourceNumber, standing: &[UidlDigest]) -> Read<BTreeSet<CopyKey>>;
    fn volume(&self, number: u32) -> Read<Option<VolumeState>>;
    fn has_run(&self, run: RunId) -> Read<bool>;
    fn known_runs(&self) -> Read<KnownRuns>;
    fn news(&self) -> Read<UsersNews>;
    /// How far rows of lists are made.
    fn lists_filled(&self) -> Read<Filled>;
    fn account(&self, name: &AccountName) -> Read<Option<StoredAccount>>;
    fn accounts(&self) -> Read<Vec<(AccountName, StoredAccount)>>;
    fn sessions(&self) -> Read<Vec<(Digest, Session)>>;
    fn audit_mark(&self) -> Read<AuditMark>;
    /// The digest of an entry of the audit log; `None` where that is not there.
    fn audit_chain(&self, number: u64) -> Read<Option<Chain>>;
    /// The digest of the last row of the ledger, which has this number.
    fn chain(&self, last: GroupNumber) -> Read<Chain>;
}

/// The catalog in a transaction.
pub(super) struct Snapshot<'t> {
    pub catalog: &'t Catalog,
    pub txn: &'t RoTxn<'t, heed::WithoutTls>,
}

impl Snapshot<'_> {
    fn read<T>(&self, read: impl FnOnce(&Catalog, &RoTxn) -> heed::Result<T>) -> Read<T> {
        resident::touched();
        read(self.catalog, self.txn).map_err(StoreError::lmdb("reading the catalog", self.catalog.path()))
    }
}

impl View for Snapshot<'_> {
    fn identity(&self, digest: &[u8; 32]) -> Read<Option<IdentityNumber>> {
        // Nearly always nothing is read for it.
        match self.catalog.lacks_identity(digest) {
            true => Ok(None),
            false => self.read(|catalog, txn| catalog.identities.get(txn, &packings::digest(digest))),
        }
    }

    fn bytes(&self, key: &(IdentityNumber, [u8; 8])) -> Read<Option<MessageId>> {
        self.read(|catalog, txn| catalog.bytes.get(txn, key))
    }

    fn held(&self, key: &(IdentityNumber, UserId)) -> Read<Option<MessageId>> {
        self.read(|catalog, txn| catalog.held.get(txn, key))
    }

    fn message(&self, id: MessageId) -> Read<Option<Message>> {
        self.read(|catalog, txn| catalog.messages.get(txn, &id))
    }

    fn part(&self, digest: &[u8; 32]) -> Read<Option<Part>> {
        self.read(|catalog, txn| catalog.parts.get(txn, digest))
    }

    fn has_journal(&self, key: &(MessageId, MessageId)) -> Read<bool> {
        self.read(|catalog, txn| Ok(catalog.journals.get(txn, key)?.is_some()))
    }

    fn user(&self, id: UserId) -> Read<Option<User>> {
        self.read(|catalog, txn| catalog.users.get(txn, &id))
    }

    fn each_user(&self, each: &mut dyn FnMut(UserId, User)) -> Read<()> {
        self.read(|catalog, txn| {
            let mut users = catalog.users.iter(txn)?;
            users.try_for_each(|row| row.map(|(id, user)| each(id, user)))
        })
    }

    fn usage(&self, user: UserId) -> Read<Usage> {
        self.read(|catalog, txn| Ok(catalog.usage.get(txn, &user)?.unwrap_or_default()))
    }

    fn source_number(&self, source: &Source) -> Read<Option<SourceNumber>> {
        self.read(|catalog, txn| catalog.source_number(txn, source))
    }

    fn folder_number(&self, name: &str) -> Read<Option<FolderNumber>> {
        self.read(|catalog, txn| catalog.folder_number(txn, name))
    }

    fn copy(&self, key: &CopyKey) -> Read<Option<Copy>> {
        self.read(|catalog, txn| catalog.copies.get(txn, key))
    }

    fn gone_uidls(&self, source: SourceNumber, standing: &[UidlDigest]) -> Read<BTreeSet<CopyKey>> {
        self.read(|catalog, txn| {
            let all = (source, UidlDigest::MIN)..=(source, UidlDigest::MAX);
            let mut gone = BTreeSet::new();
            for row in catalog.copies.uidls.range(txn, &all)? {
                resident::touched();
                let (key, _) = row?;
                if standing.binary_search(&key.1).is_err() {
                    gone.insert(key.into());
                }
            }
            Ok(gone)
        })
    }

    fn volume(&self, number: u32) -> Read<Option<VolumeState>> {
        self.read(|catalog, txn| catalog.volumes.get(txn, &number))
    }

    fn has_run(&self, run: RunId) -> Read<bool> {
        self.read(|catalog, txn| Ok(catalog.runs.remap_data_type::<Bytes>().get(txn, &run)?.is_some()))
    }

    fn known_runs(&self) -> Read<KnownRuns> {
        self.read(|catalog, txn| catalog.known_runs(txn))
    }

    fn news(&self) -> Read<UsersNews> {
        self.read(|catalog, txn| catalog.news(txn))
    }

    fn lists_filled(&self) -> Read<Filled> {
        Ok(self.read(lists_table::filled)?.unwrap_or_default())
    }

    fn account(&self, name: &AccountName) -> Read<Option<StoredAccount>> {
        self.read(|catalog, txn| catalog.accounts.get(txn, name))
    }

    fn accounts(&self) -> Read<Vec<(AccountName, StoredAccount)>> {
        self.read(|catalog, txn| catalog.accounts.iter(txn)?.collect())
    }

    fn sessions(&self) -> Read<Vec<(Digest, Session)>> {
        self.read(|catalog, txn| catalog.sessions.iter(txn)?.collect())
    }

    fn audit_mark(&self) -> Read<AuditMark> {
        self.read(|catalog, txn| catalog.audit_mark(txn))
    }

    fn audit_chain(&self, number: u64) -> Read<Option<Chain>> {
        self.read(|catalog, txn| Ok(catalog.audit.get(txn, &number)?.map(|row| row.chain)))
    }

    fn chain(&self, last: GroupNumber) -> Read<Chain> {
        if last == GroupNumber(0) {
            return Ok(NO_CHAIN);
        }
        let row = self.read(|catalog, txn| catalog.ledger.get(txn, &last))?;
        let row = row.ok_or_else(|| StoreError::Damaged {
            detail: format!("group {last} is missing from the ledger; run `dropkeep verify`"),
        })?;
        Ok(row.chain)
    }
}
