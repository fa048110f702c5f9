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

/// The digest of each message must belong to its identity number.
pub fn look_up(
    context: &Context,
    catalog: &Catalog,
    txn: &RoTxn,
    mut messages: Vec<(MessageId, IdentityNumber, Digest)>,
    desk: &mut Desk,
) {
    messages.sort_unstable_by_key(|(_, _, digest)| *digest);
    let digests: Vec<_> = messages.iter().map(|(_, _, digest)| *digest).collect();
    // Where one of them cannot be read, it is found by itself.
    let known = catalog.identities.get_all(txn, &digests).unwrap_or_default();
    for (at, (id, number, digest)) in messages.into_iter().enumerate() {
        let known = match known.get(at) {
            Some(known) => Ok(*known),
            None => catalog.identities.get(txn, &digest),
        };
        let found = match known {
            Ok(Some(known)) if known == number => continue,
            Ok(Some(other)) => format!("identity number {other}"),
            Ok(None) => "no known number".into(),
            Err(error) => format!("a number that cannot be looked up: {error}"),
        };
        let detail = format!("message {id} has identity number {number}, but its digest belongs to {found}");
        let damage = Damage::new(Kind::Identity, detail).message(id);
        desk.damage(damage.user(context.users_of(id, number)));
    }
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
            let mut digests = Vec::new();
            for (id, message) in rows(store, from, next, &uneven)? {
                // What cannot be read was said before.
                if let Ok(raw) = reader.retrieval.raw(id, &message) {
                    let digest = packings::digest(&store.catalog.identity_of(id, &raw));
                    digests.push((id, message.identity, digest));
                }
            }
            let txn = store.catalog.read()?;
            look_up(context, &store.catalog, &txn, digests, desk);
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
        rows.extend(
            message
                .filter(|message| uneven.has(message.identity))
                .map(|message| (id, message)),
        );
    }
    Ok(rows)
}
