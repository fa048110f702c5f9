//! Messages that are read once more, to look up their identities one by one: those of the stretches of numbers that do not
//! come out even ([`digests`](super::digests)), or all where the process that added up did not live to compare.

use heed::RoTxn;

use super::{
    context::{Context, Reader, Stop},
    damage::{Damage, Kind},
    digests::Uneven,
    plan::{Position, at, id_of},
    uneven,
    words::Desk,
};
use crate::archive::{
    Store,
    catalog::Catalog,
    packings::{self, Digest},
    resident,
    rows::{IdentityNumber, Message, MessageId},
};

/// Messages whose rows are read under one transaction.
const ROWS: u64 = 256;

/// The digest of a message must belong to its identity number.
pub fn of_message(
    context: &Context,
    catalog: &Catalog,
    txn: &RoTxn,
    (id, number): (MessageId, IdentityNumber),
    digest: &Digest,
) -> Option<Damage> {
    resident::touched();
    let found = match catalog.identities.get(txn, digest) {
        Ok(Some(found)) if found == number => return None,
        Ok(Some(other)) => format!("identity number {other}"),
        Ok(None) => "no known number".into(),
        Err(error) => format!("a number that cannot be looked up: {error}"),
    };
    let detail = format!("message {id} has identity number {number}, but its digest belongs to {found}");
    let damage = Damage::new(Kind::Identity, detail).message(id);
    Some(damage.user(context.users_of(id, number)))
}

/// Looks up the identities that do not come out even. What else is wrong with their messages was said before.
pub fn compare(
    context: &Context,
    reader: &mut Reader,
    desk: &mut Desk,
    position: Position,
) -> Result<Option<Position>, Stop> {
    let uneven = match context.request.whole {
        true => context.totals().digests.uneven(),
        false => Uneven::All,
    };
    if let (Some(store), true, false) = (context.store, uneven::adds_up(context), uneven.is_empty()) {
        let end = context.extent.messages.end;
        let (mut from, step) = (id_of(&position), if desk.alone { 1 } else { ROWS });
        let most = from.plus(ROWS).min(end);
        while from < end {
            if desk.alone && from >= most {
                return Ok(Some(at(from)));
            }
            desk.at(&at(from), desk.alone)?;
            reader.at(desk, from);
            let next = from.plus(step).min(end);
            for (id, message) in rows(store, from, next, &uneven)? {
                look_up(context, store, reader, desk, id, &message)?;
            }
            from = next;
        }
    }
    desk.end()?;
    Ok(None)
}

/// The messages whose identities do not come out even. That a row cannot be read was said before.
fn rows(store: &Store, from: MessageId, to: MessageId, uneven: &Uneven) -> Result<Vec<(MessageId, Message)>, Stop> {
    let txn = store.catalog.read()?;
    let mut rows = Vec::new();
    for id in from.until(to) {
        resident::touched();
        let message = store.catalog.messages.get(&txn, &id).ok().flatten();
        rows.extend(message.filter(|message| uneven.has(message.identity)).map(|message| (id, message)));
    }
    Ok(rows)
}

fn look_up(
    context: &Context,
    store: &Store,
    reader: &mut Reader,
    desk: &mut Desk,
    id: MessageId,
    message: &Message,
) -> Result<(), Stop> {
    let Ok(raw) = reader.retrieval.raw(id, message) else {
        return Ok(());
    };
    let digest = packings::digest(&store.catalog.identity_of(id, &raw));
    let txn = store.catalog.read()?;
    let wrong = of_message(context, &store.catalog, &txn, (id, message.identity), &digest);
    wrong.into_iter().for_each(|damage| desk.damage(damage));
    Ok(())
}
