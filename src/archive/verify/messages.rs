//! Messages: their rows, and their bytes, read back and hashed, in the order in which they lie on the disk.

use std::ops::Range;

use heed::{BytesDecode, RoTxn, types::Bytes};

use super::{
    again::{self, Identified},
    context::{Context, Reader, Stop},
    damage::{Damage, Kind},
    plan::{Position, at, id_of},
    selected::selected,
    totals::{self, Totals},
    uneven,
    words::Desk,
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
/// Messages whose bytes are read together, at most, and what they may come to: each block that they lie in is unpacked
/// once. A part of a message weighs as much as a small message.
const TOGETHER: u64 = 4096;
const BYTES_TOGETHER: u64 = 64 << 20;
const WEIGHT_TOGETHER: usize = 16 << 10;
/// Messages of a part whose identities wait to be looked up together, at most: some megabytes of all workers.
pub const WAITING: usize = 1 << 16;
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
    let first = id_of(&position);
    let most = first.plus(ROWS).min(to);
    // Of a sample, messages of several ranges are read together, and their identities looked up.
    let (mut wanted, mut identities) = (Vec::new(), Vec::new());
    let most_waiting = match context.request.selection.part() {
        Some(_) if !desk.alone => WAITING,
        _ => 1,
    };
    for Range { start, end } in selected(context, &store.catalog, desk, first..to)? {
        let mut from = start;
        while from < end {
            if desk.alone && from >= most {
                return Ok(Some(at(from)));
            }
            if wanted.is_empty() && identities.is_empty() {
                desk.at(&at(from), desk.alone)?;
                reader.at(desk, from);
            }
            let mut page = Page {
                context,
                catalog: &store.catalog,
                desk: &mut *desk,
                seen: Totals::default(),
                wanted,
            };
            from = page.fill(from, end).map_err(Stop::Store)?;
            let is_full = page.is_full();
            let seen;
            Page { seen, wanted, .. } = page;
            context.totals().merge(seen);
            if is_full || desk.alone {
                read_back(context, reader, desk, std::mem::take(&mut wanted), &mut identities)?;
            }
            if identities.len() >= most_waiting {
                again::look_up(context, store, desk, &mut identities)?;
            }
        }
    }
    read_back(context, reader, desk, wanted, &mut identities)?;
    again::look_up(context, store, desk, &mut identities)?;
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
    /// Reads the rows from `from` to before `to`, or so many that their bytes can be read together; gives behind which.
    fn fill(&mut self, from: MessageId, to: MessageId) -> Result<MessageId, StoreError> {
        let step = if self.desk.alone { 1 } else { ROWS };
        let mut next = from;
        loop {
            let end = to.min(next.plus(step));
            self.rows(next, end)?;
            next = end;
            if self.desk.alone || next.since(from) >= TOGETHER || self.is_full() || next >= to {
                return Ok(next);
            }
        }
    }

    /// Whether there are as many messages as can be read together.
    fn is_full(&self) -> bool {
        let bytes: u64 = self.wanted.iter().map(|(_, message)| message.size).sum();
        let weight: usize = self.wanted.iter().map(|(_, message)| 1 + message.parts.len()).sum();
        self.wanted.len() as u64 >= TOGETHER || bytes >= BYTES_TOGETHER || weight >= WEIGHT_TOGETHER
    }

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
        resident::touched();
        let by_bytes: Vec<bool> = {
            let totals = self.context.totals();
            from.until(to).map(|id| totals.by_bytes.contains(id.0)).collect()
        };
        let mut by_their_bytes = Vec::new();
        for (id, by_bytes) in from.until(to).zip(by_bytes) {
            let passed = passed.as_ref().map(|passed| passed[id.since(from) as usize]);
            if let Some(row) = self.find(&txn, id, passed)
                && let Some(message) = self.row(&txn, id, row, &counters)
            {
                by_their_bytes.extend((!by_bytes).then_some((message, id)));
            }
        }
        self.compare_bytes(&txn, by_their_bytes);
        Ok(())
    }

    fn wrong(&mut self, id: MessageId, detail: String) {
        self.desk.damage(Damage::new(Kind::Message, detail).message(id));
    }

    /// The row of each id as it is found by going through the table; `None` where that is not possible.
    fn go_through<'t>(&mut self, txn: &'t RoTxn, from: MessageId, to: MessageId) -> Option<Vec<Option<&'t [u8]>>> {
        let table = self.catalog.messages.remap_data_type::<Bytes>();
        let mut passed = vec![None; to.since(from) as usize];
        let go = || {
            for row in table.range(txn, &(from..to))?.take(passed.len() + 1) {
                let (id, row) = row?;
                let place = id.0.checked_sub(from.0).and_then(|at| passed.get_mut(at as usize));
                *place.ok_or_else(|| heed::Error::Decoding("its keys are out of order".into()))? = Some(row);
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

    /// The row of `id` by its key, which must be the one that was passed by.
    fn find<'t>(&mut self, txn: &'t RoTxn, id: MessageId, passed: Option<Option<&'t [u8]>>) -> Option<&'t [u8]> {
        if let (Some(Some(row)), true) = (passed, self.context.is_sound()) {
            return Some(row);
        }
        let row = self
            .catalog
            .messages
            .remap_types::<Bytes, Bytes>()
            .get(txn, &id.0.to_be_bytes());
        let row = match row {
            Ok(Some(row)) => row,
            Ok(None) => {
                self.wrong(id, "its row is missing from the catalog".into());
                return None;
            }
            Err(error) => {
                self.seen.incomplete = true;
                self.wrong(id, format!("cannot look up its row: {error}"));
                return None;
            }
        };
        match passed {
            Some(None) => self.wrong(
                id,
                "its row is found by its key, but not when the table is read through".into(),
            ),
            Some(Some(passed)) if !std::ptr::eq(passed, row) => {
                self.wrong(
                    id,
                    "its key leads to another row than the one found when the table is read through".into(),
                );
            }
            _ => {}
        }
        Some(row)
    }

    /// Compares a row; gives by which key its bytes are found.
    fn row(&mut self, txn: &RoTxn, id: MessageId, row: &[u8], counters: &Counters) -> Option<BytesKey> {
        let message = match <Row<Message> as BytesDecode>::bytes_decode(row) {
            Ok(message) => message,
            Err(error) => {
                self.seen.incomplete = true;
                self.wrong(id, format!("its row in the catalog is damaged: {error}"));
                return None;
            }
        };
        self.seen.messages.insert(id.0);
        self.seen.raw_bytes += message.size;
        self.seen.used_identities.insert(message.identity.0);
        self.seen
            .parts
            .extend(message.parts.iter().map(|part| totals::beginning(&part.digest)));
        let key = bytes_key(&message);
        match self.compare(txn, id, &message, counters) {
            Ok(true) => self.wanted.push((id, message)),
            Ok(false) => {}
            Err(error) => self.wrong(id, format!("cannot compare its row: {error}")),
        }
        Some(key)
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
        Ok(of_user && of_volume)
    }

    /// By its bytes each message is found, or another whose SHA-256 begins alike.
    fn compare_bytes(&mut self, txn: &RoTxn, mut messages: Vec<(BytesKey, MessageId)>) {
        messages.sort_unstable();
        let table = &self.catalog.bytes;
        let keys: Vec<_> = messages.iter().map(|(key, _)| *key).collect();
        // Where one of them cannot be read, it is found by itself.
        let found = table.get_all(txn, &keys).unwrap_or_default();
        for (at, (key, id)) in messages.into_iter().enumerate() {
            let found = match found.get(at) {
                Some(found) => Ok(*found),
                None => table.get(txn, &key),
            };
            let compared = found.and_then(|found| self.by_bytes(txn, key, id, found));
            if let Err(error) = compared {
                self.wrong(id, format!("cannot compare its row: {error}"));
            }
        }
    }

    fn by_bytes(&mut self, txn: &RoTxn, key: BytesKey, id: MessageId, found: Option<MessageId>) -> heed::Result<()> {
        let detail = match found {
            Some(found) if found == id => return Ok(()),
            Some(other) => {
                if self.catalog.messages.get(txn, &other)?.as_ref().map(bytes_key) == Some(key) {
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

/// By what the bytes of a message are found.
type BytesKey = (IdentityNumber, [u8; 8]);

fn bytes_key(message: &Message) -> BytesKey {
    let mut head = [0; 8];
    head.copy_from_slice(&message.sha256[..8]);
    (message.identity, head)
}

/// Reads messages back in the order in which they lie in the volumes, and recomputes what was noted of them. Gives the
/// identities that are yet to be looked up.
fn read_back(
    context: &Context,
    reader: &mut Reader,
    desk: &mut Desk,
    mut wanted: Vec<(MessageId, Message)>,
    identities: &mut Vec<Identified>,
) -> Result<(), Stop> {
    let Some(store) = context.store else { return Ok(()) };
    let place = |message: &Message| (message.inline.volume, message.inline.block, message.inline.offset);
    wanted.sort_unstable_by_key(|(id, message)| (place(message), *id));
    if !desk.alone {
        let mut blocks: Vec<_> = wanted
            .iter()
            .map(|(_, message)| (message.inline.volume, message.inline.block))
            .collect();
        blocks.dedup();
        reader.announce(&blocks);
    }
    let waiting = identities.len();
    for (id, message) in &wanted {
        let _alone = (message.size > LARGE).then(|| context.large());
        if message.size > LARGE {
            desk.alive()?;
        }
        let wrong = match reader.retrieval.raw(*id, message) {
            Ok(raw) if raw.len() as u64 != message.size => Some(format!(
                "it has {} bytes, but had {} when it was archived",
                raw.len(),
                message.size
            )),
            Ok(raw) => {
                let digest = packings::digest(&store.catalog.identity_of(*id, &raw));
                if context.follows(*id) {
                    identities.push((*id, message.identity, digest));
                }
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
    let mut totals = context.totals();
    totals.blocks |= reader.retrieval.take_read();
    if uneven::adds_up(context) {
        // Behind a process that ended, all are read once more.
        let counts = |(id, number, digest): &mut Identified| {
            !context.request.whole || totals.digests.of_message(*id, *number, digest)
        };
        identities.extract_if(waiting.., counts).for_each(drop);
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
