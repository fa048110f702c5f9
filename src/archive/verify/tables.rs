//! What must hold for the rows of each of the catalog's tables. What a row is compared with is read under the same
//! transaction as the row, so an appliance may write meanwhile.

use heed::{BytesDecode, RoTxn, types::Bytes};
use roaring::RoaringBitmap;
use serde::de::DeserializeOwned;

use super::{
    balance::Late,
    context::{Context, Stop},
    damage::{Damage, Kind},
    near::Neighbours,
    plan::{Position, Table},
    scan::{self, ROWS, Rows, Source, Waits, scan},
    totals::{self, Totals},
    uneven,
    usage::{Sum, Sums},
    waiting::Waiting,
    words::Desk,
};
use crate::{
    access::{AuditMark, Session},
    archive::{
        catalog::Catalog,
        codec::{Key, KeyPart, Row},
        copies::{UidKey, UidlKey},
        lists::Packed,
        roster::Roster,
        rows::{
            Counters, FolderNumber, IdentityNumber, MessageId, Part, RunId, Seconds, Sighting, Source as Server,
            SourceNumber, UserId, VolumeState,
        },
    },
    ids::GroupNumber,
    report::Run,
};

/// Rows of the ledger looked at under one transaction.
const LEDGER_ROWS: usize = 16;

/// Goes through a table.
pub fn table(
    context: &Context,
    catalog: &Catalog,
    table: Table,
    desk: &mut Desk,
    position: Position,
) -> Result<Option<Position>, Stop> {
    let raw = raw(catalog, table);
    let source = Source {
        table: &*raw,
        read: &|| catalog.read(),
        is_sound: context.is_sound(),
    };
    let begins = position == context.plan.start(desk.item, context.extent);
    let mut check = Check {
        context,
        catalog,
        table,
        counters: Counters::default(),
        next: begins.then(|| first(table)),
        removed: 0,
        without_protocol: 0,
        known: Known::default(),
        roster: Roster::default(),
        usage: Sum::new(begins),
        sums: Sums::default(),
        late: Late::default(),
        near: Neighbours::default(),
        waiting: Waiting::default(),
        audit: AuditMark::START,
        seen: Totals {
            incomplete: !begins,
            ..Totals::default()
        },
    };
    let behind = scan(&source, &mut check, desk, position, &context.spans(table))?;
    // Alone, only a page of it was seen.
    check.seen.incomplete |= behind.is_some();
    if !check.seen.incomplete {
        check.seen.balance.read(table);
    }
    context.totals().merge(check.seen);
    Ok(behind)
}

/// The table as bytes.
fn raw(catalog: &Catalog, table: Table) -> Box<dyn scan::Table + '_> {
    Box::new(match table {
        Table::Identities => return Box::new(&catalog.identities),
        Table::Bytes => return Box::new(&catalog.bytes),
        Table::Held => return Box::new(&catalog.held),
        Table::Filings => return Box::new(&catalog.filings),
        Table::Uids => return Box::new(&catalog.copies.uids),
        Table::Uidls => return Box::new(&catalog.copies.uidls),
        Table::Users => catalog.users.remap_types::<Bytes, Bytes>(),
        Table::Usage => catalog.usage.remap_types(),
        Table::Sources => catalog.sources.remap_types(),
        Table::Folders => catalog.folders.remap_types(),
        Table::Volumes => catalog.volumes.remap_types(),
        Table::Runs => catalog.runs.remap_types(),
        Table::Journals => catalog.journals.remap_types(),
        Table::Unclaimed => catalog.unclaimed.remap_types(),
        Table::Sightings => catalog.sightings.remap_types(),
        Table::Ledger => catalog.ledger.remap_types(),
        Table::Lists => catalog.lists.remap_types(),
        Table::Parts => catalog.parts.remap_types(),
        Table::Accounts => catalog.accounts.remap_types(),
        Table::Sessions => catalog.sessions.remap_types(),
        Table::Audit => catalog.audit.remap_types(),
    })
}

/// The number with which a table that is numbered begins.
fn first(table: Table) -> u64 {
    u64::from(table != Table::Users)
}

/// Numbers that were found to be there.
#[derive(Default)]
pub(super) struct Known {
    users: RoaringBitmap,
    pub(super) sources: RoaringBitmap,
    pub(super) folders: RoaringBitmap,
}

pub(super) struct Check<'c> {
    pub(super) context: &'c Context<'c>,
    pub(super) catalog: &'c Catalog,
    pub(super) table: Table,
    /// As they are where the page is read.
    pub(super) counters: Counters,
    /// The number that the next row should have; `None` where rows before it were not seen.
    pub(super) next: Option<u64>,
    /// Protocols that were removed because of their age, and numbers of runs that were found to have none.
    removed: u64,
    without_protocol: u64,
    pub(super) known: Known,
    pub(super) roster: Roster,
    /// Of filings on their way, and of rows of `held` where filings are added up.
    pub(super) usage: Sum,
    pub(super) sums: Sums,
    pub(super) late: Late,
    /// Messages that rows refer to.
    pub(super) near: Neighbours,
    /// Of `filings` and `held`, where a part of them is looked at.
    pub(super) waiting: Waiting,
    /// Where the audit log begins and ends where the page is read.
    pub(super) audit: AuditMark,
    pub(super) seen: Totals,
}

/// A key or value as what it stands for.
///
/// # Errors
/// It is none.
fn key<T: KeyPart>(bytes: &[u8]) -> heed::Result<T> {
    <Key<T> as BytesDecode>::bytes_decode(bytes).map_err(heed::Error::Decoding)
}

fn value<T: DeserializeOwned>(bytes: &[u8]) -> heed::Result<T> {
    <Row<T> as BytesDecode>::bytes_decode(bytes).map_err(heed::Error::Decoding)
}

/// A value of a settled table.
fn packed<T: DeserializeOwned>(bytes: &[u8]) -> heed::Result<T> {
    postcard::from_bytes(bytes).map_err(|error| heed::Error::Decoding(error.into()))
}

impl Rows for Check<'_> {
    fn kind(&self) -> Kind {
        match self.table {
            Table::Users => Kind::User,
            Table::Usage => Kind::Usage,
            Table::Sources => Kind::Source,
            Table::Folders => Kind::Folder,
            Table::Volumes => Kind::Volume,
            Table::Runs => Kind::Run,
            Table::Identities => Kind::Identity,
            Table::Bytes => Kind::Bytes,
            Table::Held => Kind::Held,
            Table::Filings => Kind::Filing,
            Table::Journals => Kind::Journal,
            Table::Unclaimed => Kind::Unclaimed,
            Table::Uids | Table::Uidls => Kind::Copy,
            Table::Sightings => Kind::Sighting,
            Table::Ledger => Kind::Ledger,
            Table::Lists => Kind::List,
            Table::Parts => Kind::Part,
            Table::Accounts | Table::Sessions => Kind::Account,
            Table::Audit => Kind::Audit,
        }
    }

    fn at_once(&self) -> usize {
        match self.table {
            // Each has some thousand messages and filings that are looked up.
            Table::Ledger => LEDGER_ROWS,
            _ => ROWS,
        }
    }

    fn words(&self, key: &[u8]) -> String {
        format!("{}: {}", self.table.name(), self.table.key(key))
    }

    fn at(&self, k: &[u8], damage: Damage) -> Damage {
        let user = |user: heed::Result<UserId>| user.ok().and_then(|user| self.context.name(user));
        match self.table {
            Table::Users | Table::Usage => damage.user(user(key(k))),
            Table::Held => damage.user(user(key(k).map(|(_, user): (IdentityNumber, UserId)| user))),
            Table::Journals => match key(k) {
                Ok::<(MessageId, MessageId), _>((id, _)) => damage.message(id),
                Err(_) => damage,
            },
            Table::Filings => match key(k) {
                Ok::<(UserId, Seconds, MessageId), _>((of, _, id)) => damage.message(id).user(user(Ok(of))),
                Err(_) => damage,
            },
            _ => damage,
        }
    }

    fn begin(&mut self, txn: &RoTxn) -> heed::Result<()> {
        self.counters = self.catalog.counters(txn)?;
        self.near.forget();
        if self.table == Table::Audit {
            self.begin_audit(txn)?;
        }
        if self.table == Table::Runs {
            self.removed = self.catalog.known_runs(txn)?.removed;
        }
        if let (Table::Filings | Table::Held, Some(began), true) = (
            self.table,
            &self.context.extent.counters,
            self.context.request.selection.has_all_tables(),
        ) {
            self.late.look(self.catalog, txn, began)?;
        }
        if self.table == Table::Held && self.adds_up() {
            self.sums.begin(self.catalog, txn)?;
        }
        Ok(())
    }

    fn row(&mut self, txn: &RoTxn, k: &[u8], v: &[u8], desk: &mut Desk) -> heed::Result<()> {
        let checked = self.check(txn, k, v, desk);
        if checked.is_err() {
            self.skipped();
        }
        checked
    }

    fn skipped(&mut self) {
        self.next = None;
        self.seen.incomplete = true;
        self.not_summed();
    }

    fn waiting(&self) -> Waits {
        self.waiting.waits()
    }

    fn catch_up(&mut self, txn: &RoTxn, desk: &mut Desk) -> Result<(), Stop> {
        self.look_up_waiting(txn, desk)
    }

    fn end(&mut self, txn: &RoTxn, desk: &mut Desk) -> heed::Result<()> {
        let behind = match self.table {
            Table::Sources => self.counters.source.0.into(),
            Table::Folders => self.counters.folder.0.into(),
            Table::Runs => self.counters.run.0,
            Table::Ledger => {
                self.last_group(txn, desk)?;
                self.counters.group.0
            }
            Table::Audit => return self.end_audit(txn, desk),
            Table::Filings if self.adds_up() => return Ok(()),
            Table::Filings => return self.usage.end(self.catalog, txn, self.context.extent.user, desk),
            Table::Held => {
                self.seen.balance.misfits = self.sums.end(self.catalog, txn);
                return Ok(());
            }
            _ => return Ok(()),
        };
        if let Some(next) = self.next.filter(|next| *next < behind) {
            self.missing(next, behind, desk);
        }
        if self.next.is_some() && self.removed > 0 && self.without_protocol > self.removed {
            let (gone, removed) = (self.without_protocol, self.removed);
            let detail = format!("{gone} protocols are missing, but only {removed} were removed because of their age");
            desk.damage(self.found(detail));
        }
        Ok(())
    }
}

impl Check<'_> {
    fn check(&mut self, txn: &RoTxn, k: &[u8], v: &[u8], desk: &mut Desk) -> heed::Result<()> {
        match self.table {
            Table::Users => self.user(txn, key(k)?, value(v)?, desk)?,
            Table::Usage => self.usage(txn, key(k)?, value(v)?, desk)?,
            Table::Sources => {
                let _: Server = value(v)?;
                self.number(key::<u32>(k)?.into(), self.counters.source.0.into(), desk);
            }
            Table::Folders => {
                let _: String = value(v)?;
                self.number(key::<u32>(k)?.into(), self.counters.folder.0.into(), desk);
            }
            Table::Volumes => {
                let _: VolumeState = value(v)?;
                self.below(key::<u32>(k)?.into(), self.counters.volume.into(), desk);
            }
            Table::Runs => self.run(key(k)?, &value::<String>(v)?, desk),
            Table::Ledger => {
                let number: GroupNumber = key(k)?;
                self.number(number.0, self.counters.group.0, desk);
                self.group(txn, number, &value(v)?, desk)?;
            }
            Table::Accounts => self.account(txn, &key(k)?, &value(v)?, desk)?,
            Table::Sessions => {
                let _: ([u8; 32], Session) = (key(k)?, value(v)?);
            }
            Table::Audit => self.entry(txn, key(k)?, &value(v)?, desk)?,
            Table::Identities => self.identity(&key(k)?, packed(v)?, desk),
            Table::Bytes => self.bytes(txn, key(k)?, packed(v)?, desk)?,
            Table::Held => self.held(txn, key(k)?, packed(v)?, desk)?,
            Table::Filings => self.filing(txn, key(k)?, &packed(v)?, desk)?,
            Table::Journals => self.journal(txn, key(k)?, &value(v)?, desk)?,
            Table::Unclaimed => self.unclaimed(txn, key(k)?, &value(v)?, desk)?,
            Table::Uids => self.copy(txn, key::<UidKey>(k)?.into(), &packed(v)?, desk)?,
            Table::Uidls => self.copy(txn, key::<UidlKey>(k)?.into(), &packed(v)?, desk)?,
            Table::Sightings => {
                let (of, _): ((SourceNumber, FolderNumber), Sighting) = (key(k)?, value(v)?);
                self.sighting(txn, of, desk)?;
            }
            Table::Lists => self.list(key(k)?, &value(v)?, desk)?,
            Table::Parts => self.part(key(k)?, &value(v)?, desk),
        }
        Ok(())
    }

    /// The rows of lists can be read, and are of messages that there are.
    fn list(&self, key: u64, rows: &Packed, desk: &mut Desk) -> heed::Result<()> {
        for id in rows.messages(key)? {
            self.below(id.0, self.counters.message.0, desk);
        }
        Ok(())
    }

    /// A filing is not counted among those of its user.
    pub(super) fn not_summed(&mut self) {
        if !self.waiting.skipped() {
            self.usage.skipped();
        }
    }

    /// All of `filings`, `held` and the ledger is read, and compared by adding up.
    pub(super) fn adds_up(&self) -> bool {
        uneven::adds_up(self.context)
    }

    pub(super) fn found(&self, detail: String) -> Damage {
        Damage::new(self.kind(), detail)
    }

    /// A row that should have `number` as its key, all of them following each other.
    fn number(&mut self, number: u64, behind: u64, desk: &mut Desk) {
        if let Some(next) = self.next.filter(|next| *next < number) {
            self.missing(next, number, desk);
        }
        self.next = Some(number + 1);
        self.below(number, behind, desk);
    }

    pub(super) fn missing(&mut self, from: u64, to: u64, desk: &mut Desk) {
        if self.table == Table::Runs && self.removed > 0 {
            self.without_protocol += to - from;
            return;
        }
        let rows = match to - from {
            1 => format!("number {from} is missing"),
            _ => format!("the numbers {from} to {} are missing", to - 1),
        };
        desk.damage(self.found(format!("{}: {rows}", self.table.name())));
    }

    /// A number that the counter has given out.
    pub(super) fn below(&self, number: u64, behind: u64, desk: &mut Desk) {
        if number >= behind {
            let name = self.table.name();
            let detail = format!(
                "{name} has number {number}, but only numbers up to {} were assigned",
                behind.max(1) - 1
            );
            desk.damage(Damage::new(Kind::Counter, detail));
        }
    }

    fn run(&mut self, number: RunId, json: &str, desk: &mut Desk) {
        self.number(number.0, self.counters.run.0, desk);
        match serde_json::from_str::<Run>(json) {
            Ok(run) if run.run == number => {}
            Ok(run) => desk.damage(self.found(format!(
                "the protocol of run {number} says that it belongs to run {}",
                run.run
            ))),
            Err(error) => desk.damage(self.found(format!("the protocol of run {number} cannot be read: {error}"))),
        }
    }

    fn part(&mut self, digest: [u8; 32], part: &Part, desk: &mut Desk) {
        let place = part.place;
        if place.volume > self.counters.volume || place.block >= self.counters.block {
            let detail = format!(
                "a part is in block {} of volume {:06}, which never existed",
                place.block, place.volume
            );
            desk.damage(self.found(detail).volume(place.volume));
        }
        if !self.context.totals().parts.contains(totals::beginning(&digest)) {
            self.seen.unnamed_part(&digest);
        }
    }

    pub(super) fn knows_user(&mut self, txn: &RoTxn, user: UserId) -> heed::Result<bool> {
        let users = self.catalog.users.remap_data_type::<Bytes>();
        knows(&mut self.known.users, user.0, || Ok(users.get(txn, &user)?.is_some()))
    }
}

/// Whether a number is there, which is looked up until it was.
pub(super) fn knows(
    known: &mut RoaringBitmap,
    number: u32,
    look: impl FnOnce() -> heed::Result<bool>,
) -> heed::Result<bool> {
    if known.contains(number) {
        return Ok(true);
    }
    let there = look()?;
    if there {
        known.insert(number);
    }
    Ok(there)
}
