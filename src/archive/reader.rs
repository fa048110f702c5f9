//! Reading the store. No read transaction lasts longer than one page of results, and none is held while a caller works on
//! what was read; all users are read in one, so that no change is between them.

use std::ops::Bound;

use heed::RoTxn;
use roaring::RoaringBitmap;

use super::{
    Store, StoreError, packings,
    rows::{
        Copy, CopyKey, Filing, FolderNumber, IdentityNumber, Journal, Message, MessageId, Part, Sighting, Source,
        SourceNumber, UidlDigest, Unclaimed, Usage, User, UserId,
    },
};

/// Rows read under one transaction.
const PAGE: usize = 1000;
/// Unclaimed addresses of one message that are looked up.
const MOST_UNCLAIMED: usize = 10_000;

impl Store {
    pub(super) fn reading<T>(&self, read: impl FnOnce(&RoTxn) -> heed::Result<T>) -> Result<T, StoreError> {
        let txn = self.catalog.read()?;
        read(&txn).map_err(StoreError::lmdb("reading the catalog", self.catalog.path()))
    }

    /// All users, by id.
    pub fn users(&self) -> Result<Vec<(UserId, User, Usage)>, StoreError> {
        self.reading(|txn| {
            let rows = self.catalog.users.iter(txn)?;
            rows.map(|row| {
                let (id, user) = row?;
                let usage = self.catalog.usage.get(txn, &id)?.unwrap_or_default();
                Ok((id, user, usage))
            })
            .collect()
        })
    }

    /// All users, by id, one after the other: as a list, very many take much.
    pub fn each_user(&self, mut each: impl FnMut(UserId, User)) -> Result<(), StoreError> {
        self.reading(|txn| {
            let mut users = self.catalog.users.iter(txn)?;
            users.try_for_each(|row| row.map(|(id, user)| each(id, user)))
        })
    }

    /// The number of a source, where it was met before.
    pub fn source_number(&self, source: &Source) -> Result<Option<SourceNumber>, StoreError> {
        self.reading(|txn| self.catalog.source_number(txn, source))
    }

    /// The UIDs of a folder that are done.
    pub fn done_uids(
        &self,
        source: SourceNumber,
        folder: FolderNumber,
        uidvalidity: u32,
    ) -> Result<RoaringBitmap, StoreError> {
        let mut done = RoaringBitmap::new();
        let mut from = 0;
        // The bounds are inclusive: UIDs are below 2^32 (RFC 9051, 2.3.1.1).
        let key = |uid| ((source, folder), (uidvalidity, uid));
        loop {
            let page: Vec<u32> = self.reading(|txn| {
                let rows = self.catalog.copies.uids.range(txn, &(key(from)..=key(u32::MAX)))?;
                rows.take(PAGE * 100)
                    .map(|row| row.map(|((_, (_, uid)), _)| uid))
                    .collect()
            })?;
            let last = page.last().copied();
            done.extend(page);
            match last {
                Some(last) if last < u32::MAX => from = last + 1,
                _ => return Ok(done),
            }
        }
    }

    /// The UIDLs of a source that are done, by the beginnings of their digests, ascending; and the sizes that the
    /// server announced for them, where they were noted.
    pub fn done_uidls(&self, source: SourceNumber) -> Result<Vec<(UidlDigest, Option<u64>)>, StoreError> {
        let last = Bound::Included((source, UidlDigest::MAX));
        let (mut done, mut from) = (Vec::new(), Bound::Included((source, UidlDigest::MIN)));
        loop {
            let page: Vec<(UidlDigest, Option<u64>)> = self.reading(|txn| {
                let rows = self.catalog.copies.uidls.range(txn, &(from, last))?;
                rows.take(PAGE * 100)
                    .map(|row| row.map(|((_, uidl), copy)| (uidl, copy.traits.map(|traits| traits.size))))
                    .collect()
            })?;
            let Some((uidl, _)) = page.last() else { return Ok(done) };
            from = Bound::Excluded((source, *uidl));
            done.extend(page);
        }
    }

    /// How a source's folder looked when it was last listed; `None` where it was not yet.
    pub fn sighting(&self, source: SourceNumber, folder: FolderNumber) -> Result<Option<Sighting>, StoreError> {
        self.reading(|txn| self.catalog.sightings.get(txn, &(source, folder)))
    }

    /// What a copy was found to be, where it is done.
    pub fn copy(&self, key: &CopyKey) -> Result<Option<Copy>, StoreError> {
        self.reading(|txn| self.catalog.copies.get(txn, key))
    }

    /// The number of an identity that is known.
    pub fn identity_number(&self, identity: &[u8; 32]) -> Result<Option<IdentityNumber>, StoreError> {
        self.reading(|txn| self.catalog.identities.get(txn, &packings::digest(identity)))
    }

    /// Whether anybody has a message of this identity.
    pub fn is_held(&self, identity: IdentityNumber) -> Result<bool, StoreError> {
        self.reading(|txn| {
            let held = (identity, UserId::MIN)..=(identity, UserId::MAX);
            Ok(self.catalog.held.range(txn, &held)?.next().transpose()?.is_some())
        })
    }

    /// As which message `user` has the identity.
    pub fn held(&self, identity: &[u8; 32], user: UserId) -> Result<Option<MessageId>, StoreError> {
        let txn = self.catalog.read()?;
        self.held_in(&txn, identity, user)
    }

    /// The same in a transaction that is open already.
    pub(super) fn held_in(
        &self,
        txn: &RoTxn,
        identity: &[u8; 32],
        user: UserId,
    ) -> Result<Option<MessageId>, StoreError> {
        let held = |number| self.catalog.held.get(txn, &(number, user));
        let number = self.catalog.number_of_identity(txn, identity);
        let found = number.and_then(|number| number.map_or(Ok(None), held));
        found.map_err(StoreError::lmdb("reading the catalog", self.catalog.path()))
    }

    /// The name of a source's folder, by its number.
    pub fn folder(&self, number: FolderNumber) -> Result<Option<String>, StoreError> {
        self.reading(|txn| self.catalog.folders.get(txn, &number))
    }

    /// The number of a source's folder, where it was met before.
    pub fn folder_number(&self, name: &str) -> Result<Option<FolderNumber>, StoreError> {
        self.reading(|txn| self.catalog.folder_number(txn, name))
    }

    pub fn message(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.reading(|txn| self.catalog.messages.get(txn, &id))
    }

    /// Where a part's bytes are.
    pub(super) fn part(&self, digest: &[u8; 32]) -> Result<Option<Part>, StoreError> {
        self.reading(|txn| self.catalog.parts.get(txn, digest))
    }

    /// Who has message `id`, and why.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn filings_of(&self, id: MessageId, message: &Message) -> Result<Vec<(User, Filing)>, StoreError> {
        let holders = self.holders_of(id, message)?.here.into_iter();
        self.reading(|txn| {
            let named =
                holders.map(|(user, filing)| Ok(self.catalog.users.get(txn, &user)?.map(|user| (user, filing))));
            named.filter_map(Result::transpose).collect()
        })
    }

    /// The journal reports in which message `id` came, at most `most` of those behind report `behind`: under which id
    /// each is kept, when it came, and its row.
    pub fn journals(
        &self,
        id: MessageId,
        behind: MessageId,
        most: usize,
    ) -> Result<Vec<(MessageId, Journal, Message)>, StoreError> {
        self.reading(|txn| {
            let mut found = Vec::new();
            let all = (id, behind.next())..=(id, MessageId::MAX);
            for row in self.catalog.journals.range(txn, &all)?.take(most) {
                let ((_, report), journal) = row?;
                if let Some(message) = self.catalog.messages.get(txn, &report)? {
                    found.push((report, journal, message));
                }
            }
            Ok(found)
        })
    }

    /// The addresses that copies of message `id` were for, and that nobody had; in the form in which they are compared.
    pub fn unclaimed(&self, id: MessageId) -> Result<Vec<Unclaimed>, StoreError> {
        self.reading(|txn| {
            let all = (id, [0; 16])..=(id, [0xff; 16]);
            let rows = self.catalog.unclaimed.range(txn, &all)?.take(MOST_UNCLAIMED);
            let as_of_now = |unclaimed: Unclaimed| Unclaimed {
                address: unclaimed.address.renewed(),
                ..unclaimed
            };
            rows.map(|row| row.map(|(_, unclaimed)| as_of_now(unclaimed))).collect()
        })
    }

    /// Messages kept and their bytes as they came.
    pub fn totals(&self) -> Result<(u64, u64), StoreError> {
        self.reading(|txn| self.catalog.counters(txn))
            .map(|counters| (counters.messages, counters.raw_bytes))
    }
}
