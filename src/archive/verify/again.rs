//! Messages that are read once more, to look up their identities one by one: those of the stretches of numbers that do not
//! come out even ([`digests`](super::digests)), or all where the process that added up did not live to compare.

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
    packings::{self, Digest},
    resident,
    rows::{IdentityNumber, Message, MessageId},
};

/// Messages whose rows are read under one transaction, and identities looked up under one.
const ROWS: u64 = 256;
const TOGETHER: usize = 4096;

/// A message, its identity number, and the digest computed of it.
pub type Identified = (MessageId, IdentityNumber, Digest);

/// The digest of each message must belong to its identity number.
pub fn look_up(context: &Context, store: &Store, desk: &mut Desk, messages: &mut Vec<Identified>) -> Result<(), Stop> {
    messages.sort_unstable_by_key(|(_, _, digest)| *digest);
    let table = &store.catalog.identities;
    for messages in messages.chunks(TOGETHER) {
        desk.alive()?;
        let txn = store.catalog.read()?;
        let digests: Vec<_> = messages.iter().map(|(_, _, digest)| *digest).collect();
        match table.get_all(&txn, &digests) {
            Ok(known) => {
                let known = messages.iter().zip(known);
                known.for_each(|(message, known)| compare_with(context, message, Ok(known), desk));
            }
            // Where one of them cannot be read, it is found by itself.
            Err(_) => {
                let each = messages.iter().map(|message| (message, table.get(&txn, &message.2)));
                each.for_each(|(message, known)| compare_with(context, message, known, desk));
            }
        }
    }
    messages.clear();
    Ok(())
}

fn compare_with(
    context: &Context,
    (id, number, _): &Identified,
    known: heed::Result<Option<IdentityNumber>>,
    desk: &mut Desk,
) {
    let found = match known {
        Ok(Some(known)) if known == *number => return,
        Ok(Some(other)) => format!("identity number {other}"),
        Ok(None) => "no known number".into(),
        Err(error) => format!("a number that cannot be looked up: {error}"),
    };
    let detail = format!("message {id} has identity number {number}, but its digest belongs to {found}");
    let damage = Damage::new(Kind::Identity, detail).message(*id);
    desk.damage(damage.user(context.users_of(*id, *number)));
}

/// Looks up the identities that do not come out even. What else is wrong with their messages was said before.
pub fn compare(
    context: &Context,
    reader: &mut Reader,
    desk: &mut Desk,
    position: Position,
) -> Result<Option<Position>, Stop> {
    let digests = std::mem::take(&mut context.totals().digests);
    let uneven = match context.request.whole {
        true => digests.uneven(),
        false => Uneven::All,
    };
    let is_meant =
        |id, message: &Message| uneven.has(message.identity) && !(context.request.whole && digests.was_looked_up(id));
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
            for (id, message) in rows(store, from, next, &is_meant)? {
                // What cannot be read was said before.
                if let Ok(raw) = reader.retrieval.raw(id, &message) {
                    let digest = packings::digest(&store.catalog.identity_of(id, &raw));
                    digests.push((id, message.identity, digest));
                }
            }
            look_up(context, store, desk, &mut digests)?;
            from = next;
        }
    }
    desk.end()?;
    Ok(None)
}

/// The messages whose identities do not come out even. That a row cannot be read was said before.
fn rows(
    store: &Store,
    from: MessageId,
    to: MessageId,
    is_meant: &dyn Fn(MessageId, &Message) -> bool,
) -> Result<Vec<(MessageId, Message)>, Stop> {
    let txn = store.catalog.read()?;
    let mut rows = Vec::new();
    for id in from.until(to) {
        resident::touched();
        let message = store.catalog.messages.get(&txn, &id).ok().flatten();
        rows.extend(
            message
                .filter(|message| is_meant(id, message))
                .map(|message| (id, message)),
        );
    }
    Ok(rows)
}
