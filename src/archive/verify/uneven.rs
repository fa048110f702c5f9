//! Filings by three tables: `filings`, `held`, and the ledger. Where all of them are read, each is added up for
//! each user ([`Balance`](super::balance::Balance)), and nothing is looked up: keys of one are at random places of the
//! others. Only where sums differ, or something could not be read, the rows of those users are looked up after all, to say
//! which they are. Where only some rows are read, each is looked up at once.

use std::{collections::BTreeSet, ops::Bound};

use heed::RoTxn;

use super::{
    context::{Context, Stop},
    damage::{Damage, Kind},
    words::Desk,
};
use crate::{
    archive::{
        StoreError,
        catalog::Catalog,
        resident,
        rows::{IdentityNumber, Message, MessageId, UserId},
        settled::{Packing, Settled},
    },
    ids::GroupNumber,
};

/// Rows looked up under one transaction, and rows of the ledger, which have many filings each.
const ROWS: usize = 1000;
const LEDGER_ROWS: usize = 16;

/// Whether filings are compared by adding up: in a process that reads all of them.
pub fn adds_up(context: &Context) -> bool {
    context.request.whole && context.request.selection.has_all_tables() && context.request.selection.part().is_none()
}

/// Says of which filings the sums differ.
///
/// # Errors
/// The catalog cannot be read.
pub fn name(context: &Context, catalog: &Catalog, desk: &mut Desk) -> Result<(), Stop> {
    let (users, is_incomplete) = {
        let totals = context.totals();
        (totals.balance.uneven(), totals.incomplete)
    };
    match (adds_up(context), is_incomplete, users.is_empty()) {
        (true, true, _) => look_up(context, catalog, None, desk),
        (true, false, false) => look_up(context, catalog, Some(&users), desk),
        _ => Ok(()),
    }
}

/// The filing of a row of `held` must be there.
pub fn of_held(
    context: &Context,
    catalog: &Catalog,
    txn: &RoTxn,
    (identity, user): (IdentityNumber, UserId),
    (id, message): (MessageId, &Message),
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

/// The row of `held` of a filing must be there, and mean the same message.
pub fn of_filing(
    context: &Context,
    catalog: &Catalog,
    txn: &RoTxn,
    user: UserId,
    (id, message): (MessageId, &Message),
) -> heed::Result<Option<Damage>> {
    resident::touched();
    let what = match catalog.held.get(txn, &(message.identity, user))? {
        Some(held) if held == id => return Ok(None),
        Some(other) => format!("contradicts the table held, by which the user has message {other}"),
        None => "is missing from the table held".into(),
    };
    let detail = format!("the filing of message {id} for user {user} {what}");
    let damage = Damage::new(Kind::Filing, detail).message(id);
    Ok(Some(damage.user(context.name(user))))
}

/// A filing of the ledger must be there.
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

/// Looks up what the three tables say of `users`, or of all where there are none given, as far as it was there at the
/// beginning. What cannot be read was said before.
///
/// # Errors
/// The catalog cannot be read at all.
fn look_up(
    context: &Context,
    catalog: &Catalog,
    users: Option<&BTreeSet<UserId>>,
    desk: &mut Desk,
) -> Result<(), Stop> {
    let Some(began) = &context.extent.counters else {
        return Ok(());
    };
    let is_meant = |user: UserId| users.is_none_or(|users| users.contains(&user));
    let mut note = |found: heed::Result<Option<Damage>>| {
        if let Ok(Some(damage)) = found {
            desk.damage(damage);
        }
    };
    let mut from = GroupNumber(1);
    while from < began.group {
        let txn = catalog.read().map_err(Stop::Store)?;
        let to = GroupNumber(began.group.0.min(from.0 + LEDGER_ROWS as u64));
        let rows = catalog.ledger.range(&txn, &(from..to)).map_err(failed(catalog))?;
        for row in rows.take(LEDGER_ROWS) {
            let Ok((number, row)) = row else { continue };
            for (id, user) in row.group.filings.pairs().unwrap_or_default() {
                if is_meant(user) {
                    note(of_ledger(context, catalog, &txn, number, (id, user)));
                }
            }
        }
        from = to;
    }
    each(catalog, &catalog.held, |txn, key, value| {
        if let Ok(id) = value
            && is_meant(key.1)
            && id < began.message
            && let Ok(Some(message)) = catalog.messages.get(txn, &id)
            && message.identity == key.0
        {
            note(of_held(context, catalog, txn, key, (id, &message)));
        }
    })?;
    each(catalog, &catalog.filings, |txn, (user, date, id), value| {
        if value.is_ok()
            && is_meant(user)
            && id < began.message
            && let Ok(Some(message)) = catalog.messages.get(txn, &id)
            && message.date == date
        {
            note(of_filing(context, catalog, txn, user, (id, &message)));
        }
    })
}

/// Hands on each row of a table whose key can be read, some under one transaction.
fn each<P: Packing>(
    catalog: &Catalog,
    table: &Settled<P>,
    mut look: impl FnMut(&RoTxn, P::Key, heed::Result<P::Value>),
) -> Result<(), Stop> {
    let mut from = Bound::Unbounded;
    loop {
        let txn = catalog.read().map_err(Stop::Store)?;
        let bounds = (from.clone(), Bound::Unbounded);
        let mut rows = table.checked_range(&txn, &bounds).map_err(failed(catalog))?;
        let mut last = None;
        for _ in 0..ROWS {
            let Some(Ok((key, value))) = rows.next_found() else {
                break;
            };
            last = Some(key.clone());
            look(&txn, key, value);
        }
        match last {
            // A damaged tree may lead back to where one was.
            Some(last) if is_beyond(&from, &last) => from = Bound::Excluded(last),
            _ => return Ok(()),
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
