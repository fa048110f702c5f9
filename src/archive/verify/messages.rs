//! Messages: their rows, and their bytes, read back and hashed.

use heed::{BytesDecode, RoTxn, types::Bytes};

use super::{
    context::{Context, Reader, Stop},
    damage::{Damage, Kind},
    plan::{Position, at, id_of},
    protocol::Desk,
    totals::{self, Totals},
};
use crate::archive::{
    StoreError,
    catalog::Catalog,
    codec::{Key, Row},
    packings, resident,
    rows::{Counters, IdentityNumber, Message, MessageId, Place},
};

/// Rows read under one transaction.
const ROWS: u64 = 256;
/// Of messages of more bytes only one is read at a time, so that memory does not grow with the workers.
const LARGE: u64 = 16 << 20;

/// Verifies the messages from `position` to before `to`. Where the desk is alone it takes a page of them, one by
/// one, and answers where to go on.
pub fn messages(
    context: &Context,
    reader: &mut Reader,
    desk: &mut Desk,
    position: Position,
    to: MessageId,
) -> Result<Option<Position>, Stop> {
    let Some(store) = context.store else { return Ok(None) };
    let mut from = id_of(&position);
    let most = from.plus(ROWS).min(to);
    let step = if desk.alone { 1 } else { ROWS };
    while from < to {
        if desk.alone && from >= most {
            return Ok(Some(at(from)));
        }
        desk.at(&at(from), desk.alone)?;
        reader.at(desk, from);
        let end = to.min(from.plus(step));
        let mut work = Page {
            context,
            catalog: &store.catalog,
            desk: &mut *desk,
            seen: Totals::default(),
            wanted: Vec::new(),
        };
        work.rows(from, end).map_err(Stop::Store)?;
        let Page { seen, wanted, .. } = work;
        context.totals().merge(seen);
        read_back(context, reader, desk, &wanted)?;
        from = end;
    }
    if to
        == context
            .extent
            .counters
            .as_ref()
            .map_or(MessageId(0), |counters| counters.message)
    {
        beyond(context, &store.catalog, desk)?;
    }
    desk.end()?;
    Ok(None)
}

/// The rows of some messages.
struct Page<'p, 'c, 'l> {
    context: &'p Context<'c>,
    catalog: &'p Catalog,
    desk: &'p mut Desk<'l>,
    seen: Totals,
    /// The messages whose bytes are to be read.
    wanted: Vec<(MessageId, Message)>,
}

impl Page<'_, '_, '_> {
    fn rows(&mut self, from: MessageId, to: MessageId) -> Result<(), StoreError> {
        let txn = self.catalog.read()?;
        let counters = match self.catalog.counters(&txn) {
            Ok(counters) => counters,
            Err(error) => {
                self.seen.incomplete = true;
                self.wrong(
                    from,
                    format!("cannot compare messages {from} to {}: {error}", to.previous()),
                );
                return Ok(());
            }
        };
        let passed = self.go_through(&txn, from, to);
        for id in from.until(to) {
            let passed = passed.as_ref().map(|passed| passed[id.since(from) as usize]);
            self.row(&txn, id, passed, &counters);
        }
        Ok(())
    }

    fn wrong(&mut self, id: MessageId, detail: String) {
        self.desk.damage(Damage::new(Kind::Message, detail).message(id));
    }

    /// Where in memory the row of each id is found by going through the table; `None` where that is not possible.
    fn go_through(&mut self, txn: &RoTxn, from: MessageId, to: MessageId) -> Option<Vec<Option<*const u8>>> {
        let table = self.catalog.messages.remap_data_type::<Bytes>();
        let mut passed = vec![None; to.since(from) as usize];
        let go = || {
            for row in table.range(txn, &(from..to))?.take(passed.len() + 1) {
                let (id, row) = row?;
                let place = id.0.checked_sub(from.0).and_then(|at| passed.get_mut(at as usize));
                *place.ok_or_else(|| heed::Error::Decoding("its keys are out of order".into()))? = Some(row.as_ptr());
            }
            heed::Result::Ok(passed)
        };
        match go() {
            Ok(passed) => Some(passed),
            Err(error) => {
                self.seen.incomplete = true;
                let detail = format!(
                    "cannot read through the rows of messages {from} to {}: {error}",
                    to.previous()
                );
                self.wrong(from, detail);
                None
            }
        }
    }

    fn row(&mut self, txn: &RoTxn, id: MessageId, passed: Option<Option<*const u8>>, counters: &Counters) {
        resident::touched();
        let row = self
            .catalog
            .messages
            .remap_types::<Bytes, Bytes>()
            .get(txn, &id.0.to_be_bytes());
        let row = match row {
            Ok(Some(row)) => row,
            Ok(None) => return self.wrong(id, "its row is missing from the catalog".into()),
            Err(error) => {
                self.seen.incomplete = true;
                return self.wrong(id, format!("cannot look up its row: {error}"));
            }
        };
        match passed {
            Some(None) => self.wrong(
                id,
                "its row is found by its key, but not when the table is read through".into(),
            ),
            Some(Some(place)) if place != row.as_ptr() => {
                self.wrong(
                    id,
                    "its key leads to another row than the one found when the table is read through".into(),
                );
            }
            _ => {}
        }
        let message = match <Row<Message> as BytesDecode>::bytes_decode(row) {
            Ok(message) => message,
            Err(error) => {
                self.seen.incomplete = true;
                return self.wrong(id, format!("its row in the catalog is damaged: {error}"));
            }
        };
        self.seen.messages.insert(id.0);
        self.seen.raw_bytes += message.size;
        self.seen.used_identities.insert(message.identity.0);
        self.seen
            .parts
            .extend(message.parts.iter().map(|part| totals::beginning(&part.digest)));
        match self.compare(txn, id, &message, counters) {
            Ok(true) => self.wanted.push((id, message)),
            Ok(false) => {}
            Err(error) => self.wrong(id, format!("cannot compare its row: {error}")),
        }
    }

    /// Compares a row with others; whether the bytes are to be read.
    fn compare(&mut self, txn: &RoTxn, id: MessageId, message: &Message, counters: &Counters) -> heed::Result<bool> {
        if message.identity == IdentityNumber(0) || message.identity >= counters.identity {
            let number = message.identity;
            let detail = format!("message {id} has identity number {number}, which was never assigned");
            self.desk.damage(Damage::new(Kind::Counter, detail).message(id));
        }
        let never = |place: &Place| place.volume > counters.volume || place.block >= counters.block;
        if never(&message.inline) {
            let Place { volume, block, .. } = message.inline;
            let detail = format!("it is in block {block} of volume {volume:06}, which never existed");
            let damage = Damage::new(Kind::Message, detail).message(id).volume(volume);
            self.desk
                .damage(damage.user(self.context.users_of(id, message.identity)));
        }
        if !self.context.totals().by_bytes.contains(id.0) {
            self.compare_bytes(txn, id, message)?;
        }
        let selection = &self.context.request.selection;
        let mut volumes = vec![message.inline.volume];
        for part in &message.parts {
            match self.catalog.parts.get(txn, &part.digest)? {
                Some(part) => volumes.push(part.place.volume),
                None => {
                    let users = self.context.users_of(id, message.identity);
                    let detail = format!("a part of message {id} is missing from the catalog");
                    self.desk
                        .damage(Damage::new(Kind::Part, detail).message(id).user(users));
                }
            }
        }
        let of_user = match self.context.extent.user {
            Some(user) => self.catalog.held.get(txn, &(message.identity, user))? == Some(id),
            None => true,
        };
        let of_volume = volumes.into_iter().any(|volume| selection.has_volume(volume));
        Ok(of_user && of_volume && selection.sample.is_none_or(|sample| sample.has(id)))
    }

    /// By its bytes the message is found, or another whose SHA-256 begins alike.
    fn compare_bytes(&mut self, txn: &RoTxn, id: MessageId, message: &Message) -> heed::Result<()> {
        let mut head = [0; 8];
        head.copy_from_slice(&message.sha256[..8]);
        let found = self.catalog.bytes.get(txn, &(message.identity, head))?;
        let detail = match found {
            Some(found) if found == id => return Ok(()),
            Some(other) => {
                let alike = |other: Message| other.identity == message.identity && other.sha256[..8] == head;
                if self.catalog.messages.get(txn, &other)?.is_some_and(alike) {
                    return Ok(());
                }
                format!("looking up the bytes of message {id} finds message {other}")
            }
            None => format!("looking up the bytes of message {id} finds nothing"),
        };
        self.desk.damage(Damage::new(Kind::Bytes, detail).message(id));
        Ok(())
    }
}

/// Reads messages back, and recomputes what was noted of them.
fn read_back(
    context: &Context,
    reader: &mut Reader,
    desk: &mut Desk,
    wanted: &[(MessageId, Message)],
) -> Result<(), Stop> {
    let Some(store) = context.store else { return Ok(()) };
    let mut identities = Vec::with_capacity(wanted.len());
    for (id, message) in wanted {
        let _alone = (message.size > LARGE).then(|| context.large());
        let wrong = match reader.retrieval.raw(*id, message) {
            Ok(raw) if raw.len() as u64 != message.size => Some(format!(
                "it has {} bytes, but had {} when it was archived",
                raw.len(),
                message.size
            )),
            Ok(raw) => {
                identities.push((*id, message.identity, store.catalog.identity_of(*id, &raw)));
                desk.checked.messages += 1;
                desk.checked.bytes += raw.len() as u64;
                None
            }
            Err(StoreError::Damaged { detail }) => Some(without_name(*id, detail)),
            Err(error) => Some(error.to_string()),
        };
        if let Some(detail) = wrong {
            let volume = reader.retrieval.take_failed().unwrap_or(message.inline.volume);
            let damage = Damage::new(Kind::Message, detail).message(*id).volume(volume);
            desk.damage(damage.user(context.users_of(*id, message.identity)));
        }
        if desk.alone {
            // No block is being read any more.
            desk.at(&at(*id), true)?;
        }
    }
    context.totals().blocks |= reader.retrieval.take_read();
    let txn = store.catalog.read().map_err(Stop::Store)?;
    for (id, number, digest) in identities {
        resident::touched();
        let found = match store.catalog.identities.get(&txn, &packings::digest(&digest)) {
            Ok(Some(found)) if found == number => continue,
            Ok(Some(other)) => format!("identity number {other}"),
            Ok(None) => "no known number".into(),
            Err(error) => format!("a number that cannot be looked up: {error}"),
        };
        let detail = format!("message {id} has identity number {number}, but its digest belongs to {found}");
        let damage = Damage::new(Kind::Identity, detail).message(id);
        desk.damage(damage.user(context.users_of(id, number)));
    }
    Ok(())
}

/// A detail that need not say again of which message it is.
fn without_name(id: MessageId, detail: String) -> String {
    match detail.strip_prefix(&format!("message {id}: ")) {
        Some(rest) => rest.to_owned(),
        None => detail,
    }
}

/// No message may have an id that was not given out.
fn beyond(context: &Context, catalog: &Catalog, desk: &mut Desk) -> Result<(), Stop> {
    if !context.request.selection.has_all_tables() {
        return Ok(());
    }
    let txn = catalog.read().map_err(Stop::Store)?;
    let ends = || {
        let keys = catalog.messages.remap_types::<Key<MessageId>, Bytes>();
        let first = keys.first(&txn)?.map(|(id, _)| id);
        let last = keys.last(&txn)?.map(|(id, _)| id);
        heed::Result::Ok((first, last, catalog.counters(&txn)?.message))
    };
    match ends() {
        Ok((first, last, next)) => {
            for id in [first, last]
                .into_iter()
                .flatten()
                .filter(|id| *id == MessageId(0) || *id >= next)
            {
                let detail = format!(
                    "there is a message {id}, but only ids up to {} were assigned",
                    next.previous()
                );
                desk.damage(Damage::new(Kind::Counter, detail).message(id));
            }
        }
        Err(error) => {
            let detail = format!("cannot read the first and the last row of the catalog's table messages: {error}");
            desk.damage(Damage::new(Kind::Message, detail));
        }
    }
    Ok(())
}
