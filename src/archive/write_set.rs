//! What a group changes: a plain value, decided before anything is written.

use crate::ids::GroupNumber;
use std::collections::BTreeMap;

use super::{
    UsersNews,
    layout::Layout,
    ledger::{LedgerRow, Mark},
    lists,
    memo::Memo,
    profiles::StoredProfile,
    rows::{
        Copy, CopyKey, Counters, Filing, FolderNumber, IdentityNumber, Journal, Message, MessageId, Part, RunId,
        Seconds, Sighting, Source, SourceNumber, Unclaimed, Usage, User, UserId, VolumeState,
    },
    runs::KnownRuns,
};
use crate::{
    access::{AccountName, AuditMark, AuditRow, Session, StoredAccount, words::Digest},
    identify::Listed,
};

/// The rows of one table that a group writes, and those that it deletes (`None`).
pub(super) type Rows<K, V> = BTreeMap<K, Option<V>>;

/// The rows of each table of the catalog, and the bytes of the blocks.
#[derive(Debug)]
pub(super) struct WriteSet {
    /// As they are after the group.
    pub counters: Counters,
    /// The blocks that go into the volume.
    pub layout: Layout,
    pub messages: Rows<MessageId, Message>,
    pub identities: Rows<[u8; 32], IdentityNumber>,
    pub bytes: Rows<(IdentityNumber, [u8; 8]), MessageId>,
    pub held: Rows<(IdentityNumber, UserId), MessageId>,
    pub parts: Rows<[u8; 32], Part>,
    pub filings: Rows<(UserId, Seconds, MessageId), Filing>,
    pub journals: Rows<(MessageId, MessageId), Journal>,
    pub unclaimed: Rows<(MessageId, [u8; 16]), Unclaimed>,
    pub users: Rows<UserId, User>,
    pub usage: Rows<UserId, Usage>,
    pub sources: Rows<SourceNumber, Source>,
    pub folders: Rows<FolderNumber, String>,
    pub copies: Rows<CopyKey, Copy>,
    pub sightings: Rows<(SourceNumber, FolderNumber), Sighting>,
    pub volumes: Rows<u32, VolumeState>,
    /// As JSON.
    pub runs: Rows<RunId, String>,
    /// Rows of `meta`, where they change.
    pub known_runs: Option<KnownRuns>,
    pub memos: BTreeMap<Memo, String>,
    pub news: Option<UsersNews>,
    pub marks: BTreeMap<String, Mark>,
    pub accounts: Rows<AccountName, StoredAccount>,
    pub sessions: Rows<Digest, Session>,
    pub profiles: Rows<String, StoredProfile>,
    pub audit: Rows<u64, AuditRow>,
    pub audit_mark: Option<AuditMark>,
    /// The group's row of the ledger, if it has one.
    pub ledger: Option<(GroupNumber, LedgerRow)>,
    /// Rows of lists, by their messages, and how far those that were lacking are made.
    pub listed: Vec<(MessageId, Listed)>,
    pub lists_filled: Option<lists::Filled>,
    /// Blocks to be deleted from volumes, after all else is on disk.
    pub drop_blocks: Vec<(u32, Vec<u64>)>,
}

impl WriteSet {
    pub fn new(counters: Counters) -> Self {
        Self {
            layout: Layout::new(counters.volume, counters.block),
            counters,
            messages: Rows::new(),
            identities: Rows::new(),
            bytes: Rows::new(),
            held: Rows::new(),
            parts: Rows::new(),
            filings: Rows::new(),
            journals: Rows::new(),
            unclaimed: Rows::new(),
            users: Rows::new(),
            usage: Rows::new(),
            sources: Rows::new(),
            folders: Rows::new(),
            copies: Rows::new(),
            sightings: Rows::new(),
            volumes: Rows::new(),
            runs: Rows::new(),
            known_runs: None,
            memos: BTreeMap::new(),
            news: None,
            marks: BTreeMap::new(),
            accounts: Rows::new(),
            sessions: Rows::new(),
            profiles: Rows::new(),
            audit: Rows::new(),
            audit_mark: None,
            listed: Vec::new(),
            lists_filled: None,
            ledger: None,
            drop_blocks: Vec::new(),
        }
    }
}
