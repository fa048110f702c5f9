//! Looking up rows of a part of `filings` and `held` in the other one: many at once, and in the order of that one. Keys of
//! one lie at random places of the other, where opening a chunk costs as much as going on through a hundred rows of it.

use heed::RoTxn;

use super::{
    context::Stop, damage::Damage, near::Facts, scan::Rows, tables::Check, uneven, waiting::Waiting, words::Desk,
};
use crate::archive::{
    codec::KeyPart,
    resident,
    rows::MessageId,
    settled::{Packing, Settled},
};

/// Rows looked up between two signs of life.
const TOGETHER: usize = 1000;
/// After how many it is said that pages are read.
const TOUCHED: usize = 16;

/// Which of these keys, in order, have no value in a table, or one that is not right, or cannot be read.
fn wrong<P: Packing>(
    table: &Settled<P>,
    txn: &RoTxn,
    keys: &[P::Key],
    desk: &Desk,
    is_right: impl Fn(usize, &P::Value) -> bool,
) -> Result<Vec<usize>, Stop> {
    let mut wrong = Vec::new();
    for (at, keys) in keys.chunks(TOGETHER).enumerate() {
        desk.alive()?;
        let these = at * TOGETHER..at * TOGETHER + keys.len();
        match table.get_all(txn, keys) {
            Ok(found) => wrong.extend(
                these
                    .zip(found)
                    .filter(|(at, value)| !value.as_ref().is_some_and(|value| is_right(*at, value)))
                    .map(|(at, _)| at),
            ),
            Err(_) => wrong.extend(these),
        }
    }
    Ok(wrong)
}

impl Check<'_> {
    /// Whether rows of `filings` and `held` are looked up together later: of a part, unless each step is said.
    pub(super) fn waits(&self, desk: &Desk) -> bool {
        !desk.alone && self.context.spans(self.table).is_part
    }

    /// What is known of a message that a row refers to.
    pub(super) fn message(&mut self, txn: &RoTxn, id: MessageId) -> heed::Result<Option<Facts>> {
        self.near.get(self.catalog, txn, id)
    }

    /// Looks up the rows that wait. Where something is wrong, that row is looked up by itself, to say what.
    pub(super) fn look_up_waiting(&mut self, txn: &RoTxn, desk: &mut Desk) -> Result<(), Stop> {
        let (context, catalog) = (self.context, self.catalog);
        let Waiting { filings, mut held } = std::mem::take(&mut self.waiting);
        held.sort_unstable_by_key(|(filing, ..)| *filing);
        let keys: Vec<_> = held.iter().map(|(filing, ..)| *filing).collect();
        for at in wrong(&catalog.filings, txn, &keys, desk, |_, _| true)? {
            let ((.., id), key, message) = &held[at];
            let found = uneven::of_held(context, catalog, txn, *key, (*id, message));
            self.say(*key, found, desk);
        }
        let mut by_message: Vec<_> = filings
            .iter()
            .enumerate()
            .filter_map(|(at, key)| Some(((*key)?, at)))
            .collect();
        by_message.sort_unstable_by_key(|((_, _, id), _)| *id);
        let mut sizes = vec![None; filings.len()];
        let mut named = Vec::with_capacity(by_message.len());
        for (nth, (key, at)) in by_message.into_iter().enumerate() {
            if nth % TOGETHER == 0 {
                desk.alive()?;
            }
            let (user, date, id) = key;
            if nth % TOUCHED == 0 {
                resident::touched();
            }
            // They are in order, and not near enough to each other to be read with their neighbours.
            let found = catalog.messages.get(txn, &id);
            let found = found.map(|message| message.as_ref().map(Facts::from));
            sizes[at] = found.as_ref().ok().and_then(|found| Some(found.as_ref()?.size));
            match found {
                Ok(Some(message)) if message.date == date => named.push(((message.identity, user), id, message)),
                found => {
                    let found = found.and_then(|it| uneven::of_filing(context, catalog, txn, key, it.as_ref()));
                    self.say(key, found, desk);
                }
            }
        }
        for (key, size) in filings.into_iter().zip(sizes) {
            let is_added = match (key, size) {
                // What cannot be read of `usage` is said where that is looked at.
                (Some((user, ..)), Some(size)) => self.usage.add(catalog, txn, user, size, desk).is_ok(),
                _ => false,
            };
            if !is_added {
                self.usage.skipped();
            }
        }
        named.sort_unstable_by_key(|(key, id, _)| (*key, *id));
        let keys: Vec<_> = named.iter().map(|(key, ..)| *key).collect();
        for at in wrong(&catalog.held, txn, &keys, desk, |at, held| *held == named[at].1)? {
            let ((_, user), id, message) = &named[at];
            let key = (*user, message.date, *id);
            let found = uneven::of_filing(context, catalog, txn, key, Some(message));
            self.say(key, found, desk);
        }
        Ok(())
    }

    /// Says what was found of the row of a key.
    fn say(&self, key: impl KeyPart, found: heed::Result<Option<Damage>>, desk: &mut Desk) {
        match found {
            Ok(damage) => damage.into_iter().for_each(|damage| desk.damage(damage)),
            Err(error) => {
                let mut bytes = Vec::new();
                key.put(&mut bytes);
                let detail = format!("{}: {error}", self.words(&bytes));
                desk.damage(self.at(&bytes, Damage::new(self.kind(), detail)));
            }
        }
    }
}
