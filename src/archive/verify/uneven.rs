//! Filings by three tables: `filings`, `held`, and the ledger. Where all of them are read, each is added up for
//! each user ([`Balance`](super::balance::Balance)), and nothing is looked up: keys of one are at random places of the
//! others. Only where sums differ, or something could not be read, the rows of those users are looked up after all, to say
//! which they are. Where only some rows are read, or pages of the catalog are damaged so that whoever looks something up
//! may not live, each row is looked up at once.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Bound,
};

use heed::RoTxn;
use roaring::RoaringTreemap;

use super::{
    context::{Context, Stop},
    damage::{Damage, Kind},
    near::Facts,
    plan::{Position, Table},
    usage::Sum,
    words::Desk,
};
use crate::{
    archive::{
        Seconds, StoreError,
        catalog::Catalog,
        resident,
        rows::{Counters, IdentityNumber, MessageId, UserId},
        settled::{Packing, Settled},
    },
    ids::GroupNumber,
};

/// Rows looked up under one transaction, and rows of the ledger, which have many filings each.
const ROWS: usize = 1000;
const LEDGER_ROWS: usize = 16;

/// Whether filings are compared by adding up, when all of their tables are read.
pub fn adds_up(context: &Context) -> bool {
    context.request.selection.has_all_tables() && context.is_sound()
}

/// Compares the sums, and says of which filings they differ. The tables were read before, perhaps by a process that did
/// not live to come here: then nothing is known of them.
///
/// # Errors
/// The catalog cannot be read.
pub fn compare(context: &Context, catalog: &Catalog, desk: &mut Desk) -> Result<(), Stop> {
    let here = context.plan.start(desk.item, context.extent);
    desk.at(&here, false)?;
    let balance = std::mem::take(&mut context.totals().balance);
    let is_whole = balance.is_whole();
    if is_whole {
        for (user, detail) in balance.damages() {
            desk.damage(Damage::new(Kind::Ledger, detail).user(context.name(user)));
        }
    }
    if adds_up(context) {
        let uneven = balance.uneven();
        if is_whole {
            let misfits = balance.misfits.iter().filter(|misfit| !uneven.contains(&misfit.user));
            misfits.for_each(|misfit| desk.damage(misfit.damage(context.name(misfit.user))));
        }
        if let (Some(began), false) = (&context.extent.counters, is_whole && uneven.is_empty()) {
            let mut look_up = LookUp {
                context,
                catalog,
                began,
                users: is_whole.then_some(&uneven),
                misdated: HashMap::new(),
                usage: Sum::new(true),
                here,
                desk: &mut *desk,
            };
            look_up.filings()?;
            look_up.ledger()?;
            look_up.held()?;
        }
    }
    desk.end()?;
    Ok(())
}

/// The filing of a row of `held` must be there.
///
/// # Errors
/// It cannot be read.
pub fn of_held(
    context: &Context,
    catalog: &Catalog,
    txn: &RoTxn,
    (identity, user): (IdentityNumber, UserId),
    (id, message): (MessageId, &Facts),
) -> heed::Result<Option<Damage>> {
    resident::touched();
    if catalog.filings.get(txn, &(user, message.date, id))?.is_some() {
        return Ok(None);
    }
    let detail = format!(
        "the row of user {user} and identity number {identity} refers to message {id}, which is not in the user's archive: \
         a filing is missing"
    );
    let damage = Damage::new(Kind::Held, detail).message(id);
    Ok(Some(damage.user(context.name(user))))
}

/// The message of a filing must be there, and have its date; and the row of `held` must be there, and mean the same one.
///
/// # Errors
/// It cannot be read.
pub fn of_filing(
    context: &Context,
    catalog: &Catalog,
    txn: &RoTxn,
    (user, date, id): (UserId, Seconds, MessageId),
    message: Option<&Facts>,
) -> heed::Result<Option<Damage>> {
    let what = match message {
        None => "refers to a message that is missing".into(),
        Some(Facts { date: dated, .. }) if *dated != date => {
            format!("has the date {date}, but the message has {dated}")
        }
        Some(message) => {
            resident::touched();
            match catalog.held.get(txn, &(message.identity, user))? {
                Some(held) if held == id => return Ok(None),
                Some(other) => format!("contradicts the table held, by which the user has message {other}"),
                None => "is missing from the table held".into(),
            }
        }
    };
    let damage = Damage::new(
        Kind::Filing,
        format!("the filing of message {id} for user {user} {what}"),
    );
    Ok(Some(damage.message(id).user(context.name(user))))
}

/// A filing of the ledger must be there.
///
/// # Errors
/// It cannot be read.
pub fn of_ledger(
    context: &Context,
    catalog: &Catalog,
    txn: &RoTxn,
    number: GroupNumber,
    (id, user): (MessageId, UserId),
) -> heed::Result<Option<Damage>> {
    resident::touched();
    // What is wrong with a message is said where messages are read.
    let Some(message) = catalog.messages.get(txn, &id).ok().flatten() else {
        return Ok(None);
    };
    if catalog.filings.get(txn, &(user, message.date, id))?.is_some() {
        return Ok(None);
    }
    let detail =
        format!("group {number} of the ledger has message {id} filed for user {user}, but that filing is missing");
    let damage = Damage::new(Kind::Ledger, detail).message(id);
    Ok(Some(damage.user(context.name(user))))
}

/// Looks up what the three tables say of some users, as far as it was there at the beginning. That a row cannot be read
/// was said before.
struct LookUp<'l, 'd> {
    context: &'l Context<'l>,
    catalog: &'l Catalog,
    began: &'l Counters,
    /// `None`: of all.
    users: Option<&'l BTreeSet<UserId>>,
    /// Messages that users have under a wrong date: there they are not looked for.
    misdated: HashMap<UserId, RoaringTreemap>,
    usage: Sum,
    here: Position,
    desk: &'l mut Desk<'d>,
}

impl LookUp<'_, '_> {
    fn is_meant(&self, user: UserId) -> bool {
        self.users.is_none_or(|users| users.contains(&user))
    }

    fn is_misdated(&self, user: UserId, id: MessageId) -> bool {
        self.misdated.get(&user).is_some_and(|ids| ids.contains(id.0))
    }

    fn note(&mut self, found: heed::Result<Option<Damage>>) {
        if let Ok(Some(damage)) = found {
            self.desk.damage(damage);
        }
    }

    fn filings(&mut self) -> Result<(), Stop> {
        let catalog = self.catalog;
        self.each(&catalog.filings, |here, txn, key, value| {
            if here.is_meant(key.0) {
                match value {
                    Ok(_) => here.filing(txn, key),
                    Err(_) => here.usage.skipped(),
                }
            }
        })?;
        let txn = catalog.read().map_err(Stop::Store)?;
        // What cannot be read of `usage` is said where that is looked at.
        let _ = self.usage.end(catalog, &txn, None, self.desk);
        Ok(())
    }

    fn filing(&mut self, txn: &RoTxn, key: (UserId, Seconds, MessageId)) {
        let (user, date, id) = key;
        resident::touched();
        let message = self.catalog.messages.get(txn, &id);
        let counted = match &message {
            Ok(Some(message)) => self.usage.add(self.catalog, txn, user, message.size, self.desk),
            // Nobody knows how large it was.
            _ => Err(heed::Error::Decoding("its size is unknown".into())),
        };
        if counted.is_err() {
            self.usage.skipped();
        }
        match message {
            _ if id >= self.began.message => {}
            Ok(message) => {
                if message.as_ref().is_some_and(|message| message.date != date) {
                    self.misdated.entry(user).or_default().insert(id.0);
                }
                let facts = message.as_ref().map(Facts::from);
                self.note(of_filing(self.context, self.catalog, txn, key, facts.as_ref()));
            }
            Err(error) => {
                let detail = format!(
                    "{}: user {user}, date {date}, message {id}: {error}",
                    Table::Filings.name()
                );
                let damage = Damage::new(Kind::Filing, detail).message(id);
                self.desk.damage(damage.user(self.context.name(user)));
            }
        }
    }

    fn ledger(&mut self) -> Result<(), Stop> {
        let (context, catalog) = (self.context, self.catalog);
        let mut from = GroupNumber(1);
        while from < self.began.group {
            self.desk.at(&self.here, false)?;
            let txn = catalog.read().map_err(Stop::Store)?;
            let to = GroupNumber(self.began.group.0.min(from.0 + LEDGER_ROWS as u64));
            let rows = catalog.ledger.range(&txn, &(from..to)).map_err(failed(catalog))?;
            for row in rows.take(LEDGER_ROWS) {
                let Ok((number, row)) = row else { continue };
                for (id, user) in row.group.filings.pairs().unwrap_or_default() {
                    if self.is_meant(user) && !self.is_misdated(user, id) {
                        self.note(of_ledger(context, catalog, &txn, number, (id, user)));
                    }
                }
            }
            from = to;
        }
        Ok(())
    }

    fn held(&mut self) -> Result<(), Stop> {
        let (context, catalog) = (self.context, self.catalog);
        self.each(&catalog.held, |here, txn, key, value| {
            if let Ok(id) = value
                && here.is_meant(key.1)
                && id < here.began.message
                && !here.is_misdated(key.1, id)
                && let Ok(Some(message)) = catalog.messages.get(txn, &id)
                && message.identity == key.0
            {
                here.note(of_held(context, catalog, txn, key, (id, &Facts::from(&message))));
            }
        })
    }

    /// Hands on each row of a table whose key can be read, some under one transaction.
    fn each<P: Packing>(
        &mut self,
        table: &Settled<P>,
        mut look: impl FnMut(&mut Self, &RoTxn, P::Key, heed::Result<P::Value>),
    ) -> Result<(), Stop> {
        let mut from = Bound::Unbounded;
        loop {
            self.desk.at(&self.here, false)?;
            let txn = self.catalog.read().map_err(Stop::Store)?;
            let bounds = (from.clone(), Bound::Unbounded);
            let mut rows = table.checked_range(&txn, &bounds).map_err(failed(self.catalog))?;
            let mut last = None;
            for _ in 0..ROWS {
                let Some(Ok((key, value))) = rows.next_found() else {
                    break;
                };
                last = Some(key.clone());
                look(self, &txn, key, value);
            }
            match last {
                // A damaged tree may lead back to where one was.
                Some(last) if is_beyond(&from, &last) => from = Bound::Excluded(last),
                _ => return Ok(()),
            }
        }
    }
}

fn is_beyond<K: Ord>(from: &Bound<K>, key: &K) -> bool {
    match from {
        Bound::Excluded(from) | Bound::Included(from) => key > from,
        Bound::Unbounded => true,
    }
}

fn failed(catalog: &Catalog) -> impl FnOnce(heed::Error) -> Stop {
    let failed = StoreError::lmdb("reading the catalog", catalog.path());
    |error| Stop::Store(failed(error))
}
