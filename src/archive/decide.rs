//! Deciding what a group changes: from its orders, and from the catalog as it is, to a write set. Nothing is written
//! here, and nothing known of LMDB, so that it can be tried with maps.

mod changes;
mod deeds;
mod filing;
mod users;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use super::{
    deposit::Content,
    ledger::{Changed, Filings, Group, LedgerRow},
    order::{Answer, Order},
    roster::Roster,
    rows::{Counters, MessageId, Part, Seconds, UserId},
    view::{Read, View},
    write_set::{Rows, WriteSet},
};

/// What a group changes, and what its orders are answered once that is on disk.
#[derive(Debug)]
pub(super) struct Decided {
    pub set: WriteSet,
    pub answers: Vec<Answer>,
    /// Filings that are new.
    pub filings: u64,
}

/// Decides what `orders` change in a catalog that is as `view` says, at the time `now`.
///
/// # Errors
/// The catalog cannot be read.
pub(super) fn decide(view: &dyn View, counters: &Counters, orders: &[Order], now: Seconds) -> Read<Decided> {
    let mut deciding = Deciding {
        view,
        first: counters.message,
        set: WriteSet::new(counters.clone()),
        parts: Vec::new(),
        laid: HashSet::new(),
        filings: Vec::new(),
        changes: Vec::new(),
        users: BTreeSet::new(),
        journaled: BTreeSet::new(),
        moved: 0,
        copies_forgotten: 0,
        closes_volume: false,
        roster: None,
        now,
    };
    let answers = orders.iter().map(|order| deciding.order(order)).collect::<Read<_>>()?;
    let filings = deciding.filings.len() as u64;
    let set = deciding.finish()?;
    Ok(Decided { set, answers, filings })
}

/// A write set that grows order by order. What an order reads is what those before it left.
struct Deciding<'v> {
    view: &'v dyn View,
    /// The first message that the group may keep.
    first: MessageId,
    set: WriteSet,
    /// Parts that are new with this group, in their order: they are laid down behind the messages.
    parts: Vec<(Arc<Content>, usize)>,
    /// Their digests.
    laid: HashSet<[u8; 32]>,
    /// For the ledger.
    filings: Vec<(MessageId, UserId)>,
    changes: Vec<Changed>,
    users: BTreeSet<UserId>,
    /// Messages from before that came in a report which is new.
    journaled: BTreeSet<MessageId>,
    moved: u64,
    copies_forgotten: u64,
    closes_volume: bool,
    /// The users there are; read when the first order changes them.
    roster: Option<Roster>,
    now: Seconds,
}

impl Deciding<'_> {
    fn order(&mut self, order: &Order) -> Read<Answer> {
        match order {
            Order::File(window, _) => {
                let mut filed = Vec::with_capacity(window.len());
                for shared in window {
                    filed.push(match self.new_users(&shared.deposit.new_users)? {
                        Some(refusal) => Err(refusal),
                        None => Ok(self.file(shared)?),
                    });
                }
                Ok(Answer::Filed(filed))
            }
            Order::Change(change, _) => self.change(change),
            Order::Tidy(tidying, _) => self.tidy(tidying).map(Answer::Number),
        }
    }

    /// What comes last: the places of new parts, the row of the ledger, and the counters.
    fn finish(mut self) -> Read<WriteSet> {
        for (content, number) in std::mem::take(&mut self.parts) {
            let place = self.set.layout.add_part(&content, number);
            self.set
                .parts
                .insert(content.parts[number].digest, Some(Part { place }));
        }
        self.put_ledger()?;
        self.set.counters.block += self.set.layout.len();
        self.set.counters.volume += u32::from(self.closes_volume);
        Ok(self.set)
    }

    fn put_ledger(&mut self) -> Read<()> {
        let mut changes = std::mem::take(&mut self.changes);
        if !self.users.is_empty() {
            changes.push(Changed::Users(std::mem::take(&mut self.users).into_iter().collect()));
        }
        if !self.journaled.is_empty() {
            changes.push(Changed::Journaled(
                std::mem::take(&mut self.journaled).into_iter().collect(),
            ));
        }
        changes.extend((self.moved > 0).then_some(Changed::Moved(self.moved)));
        changes.extend((self.copies_forgotten > 0).then_some(Changed::CopiesForgotten(self.copies_forgotten)));
        changes.extend(self.closes_volume.then_some(Changed::Closed(self.set.counters.volume)));
        let group = Group {
            at: self.now,
            first: self.first,
            kept: self.set.counters.message.since(self.first),
            filings: Filings::of(std::mem::take(&mut self.filings)),
            changes,
        };
        if group.is_empty() {
            return Ok(());
        }
        let number = self.set.counters.group;
        let before = self.view.chain(number.previous())?;
        let kept = self
            .set
            .messages
            .range(self.first..)
            .filter_map(|(_, row)| row.as_ref());
        let chain = group.chain(&before, number, kept.map(|message| message.sha256))?;
        self.set.ledger = Some((number, LedgerRow { group, chain }));
        self.set.counters.group = number.next();
        Ok(())
    }
}

/// A row as the orders before left it, or as it was before the group.
fn row<K: Ord, V: Clone>(rows: &Rows<K, V>, key: &K, before: impl FnOnce() -> Read<Option<V>>) -> Read<Option<V>> {
    match rows.get(key) {
        Some(row) => Ok(row.clone()),
        None => before(),
    }
}
