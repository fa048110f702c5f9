//! Writing one group: what is new of it goes into blocks and the volume, then everything into
//! the catalog, in one transaction each.

mod filing;
mod users;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use heed::{RwTxn, types::Bytes};

use super::{
    Store, StoreError, UsersNews, block,
    catalog::Catalog,
    committer::Order,
    compact::{Moved, Row},
    deposit::{Content, Filed},
    layout::{self, Layout},
    lists,
    roster::Roster,
    rows::{
        CopyKey, Counters, MessageId, Named, Part, RunId, Seal, Sighting, Source, UidlDigest, Usage, User, UserId,
        VolumeState, uidl_digest,
    },
    seal,
};
use crate::{fault, identify::Listed, report::Run};

/// A change to the small tables.
#[derive(Debug)]
pub enum Change {
    /// Answers the source's number.
    Source(Source),
    /// Answers the folder's number.
    Folder(String),
    /// A run begins; answers its number.
    Begin(Box<Run>),
    /// The protocol of a run, by its number.
    Protocol(Arc<Run>),
    /// Protocols that are kept no longer; those that are kept whatever their age stay. Answers how many were removed.
    Forget(Vec<RunId>),
    /// Which runs were reported, in the words of the notifier.
    Notified(String),
    /// A user as it is to be; a new one where there is no id. Answers the id.
    User(Option<UserId>, User),
    /// The same for many at once: all of them or none. What counts is how the users are in the end, so
    /// a name or an address may move from one to another. The news are what protocols are to say of it. Answers how many.
    Users(Vec<(Option<UserId>, User)>, UsersNews),
    /// More that protocols are to say of users.
    News(UsersNews),
    /// Somebody was told this news.
    Said(UsersNews),
    /// A source's UIDLs that are still there, ascending; all others are forgotten. Answers how many were.
    Uidls { source: u32, standing: Vec<UidlDigest> },
    /// Copies that are no longer done, as their names mean other mail now. Answers how many were.
    Reopen(Vec<CopyKey>),
    /// What was seen of copies that are done and were found to be what they were, where it was not noted before.
    Traits(Vec<Named>),
    /// How a source's folder looked.
    Sighting { source: u32, folder: u32, seen: Sighting },
    /// Bytes to be stored elsewhere than where they were read. Answers how many rows name the new place.
    Move(Vec<Moved>),
    /// Rows of lists that were made of stored messages. Answers how many were written.
    Lists(lists::Made),
    /// Nothing more is to be written into the present volume. Answers the number of the next one.
    Rotate,
    /// A volume is sealed. Answers its number.
    Sealed(u32, Seal),
    /// Nothing is left in a volume. Answers its number.
    Emptied(u32),
    /// Blocks of a volume that nothing refers to any more. Answers how many.
    Drop(u32, Vec<u64>),
}

/// What one order is answered with.
pub(super) enum Answer {
    Filed(Filed),
    Number(u64),
    /// This order alone was refused; nothing of it was written.
    Refused(StoreError),
}

impl Answer {
    pub(super) fn give(self, order: Order) {
        match (self, order) {
            (Self::Filed(filed), Order::File(shared)) => shared.answer(Ok(filed)),
            (Self::Number(number), Order::Change(_, reply)) => drop(reply.send(Ok(number))),
            (Self::Refused(error), Order::Change(_, reply)) => drop(reply.send(Err(error))),
            (Self::Refused(error), Order::File(shared)) => shared.answer(Err(error)),
            (Self::Number(_), Order::File(_)) | (Self::Filed(_), Order::Change(..)) => {
                tracing::error!("an answer does not match its order; this is a bug in dropkeep");
            }
        }
    }
}

/// A group that is on disk.
pub(super) struct Written {
    pub counters: Counters,
    pub answers: Vec<Answer>,
    pub filings: u64,
    pub took: Duration,
}

pub(super) fn read_counters(store: &Store) -> Result<Counters, StoreError> {
    let txn = store.catalog.read()?;
    store
        .catalog
        .counters(&txn)
        .map_err(StoreError::lmdb("reading", store.catalog.path()))
}

/// Writes and syncs `orders`.
///
/// # Errors
/// Nothing of the group counts as written.
pub(super) fn write(store: &Store, counters: &Counters, orders: &[Order]) -> Result<Written, StoreError> {
    let started = Instant::now();
    StoreError::point("group-begun")?;
    store.look_before_writing(counters.volume)?;
    store.sweep_before_writing(counters)?;
    let catalog = &store.catalog;
    let failed = || StoreError::lmdb("writing the catalog", catalog.path());
    let mut counters = counters.clone();
    let begun = store.reading(|txn| catalog.has_blocks(txn, counters.volume))?;
    let volume = store.volumes.to_write(counters.volume, begun)?;
    let volume = if store.volumes.is_full(volume.used()?) {
        counters.volume += 1;
        let next = store.volumes.to_write(counters.volume, false)?;
        StoreError::point("volume-full")?;
        next
    } else {
        volume
    };
    let txn = catalog.write().map_err(failed())?;
    let mut group = Group {
        catalog,
        txn,
        layout: Layout::new(counters.volume, counters.block),
        parts: Vec::new(),
        laid: HashSet::new(),
        listed: Vec::new(),
        rotate: false,
        drop: Vec::new(),
        counters,
        usage: HashMap::new(),
        filings: 0,
        roster: None,
    };
    let mut answers = Vec::with_capacity(orders.len());
    for order in orders {
        answers.push(group.carry_out(order).map_err(failed())?);
    }
    group.put_parts().map_err(failed())?;
    group.put_usage().map_err(failed())?;
    lists::put(catalog, &mut group.txn, &group.listed).map_err(failed())?;
    StoreError::point("group-filed")?;
    let Group {
        mut txn,
        mut counters,
        layout,
        filings,
        rotate,
        drop,
        ..
    } = group;
    if !layout.is_empty() {
        let moves = |order: &Order| matches!(order, Order::Change(Change::Move(_), _));
        let level = if orders.iter().all(moves) {
            block::THOROUGH
        } else {
            block::LEVEL
        };
        volume.put(&layout, level)?;
        let noted = catalog.put_last_group(&mut txn, counters.volume, layout.first());
        noted.map_err(failed())?;
        counters.block += layout.len();
    }
    counters.volume += u32::from(rotate);
    catalog.put_counters(&mut txn, &counters).map_err(failed())?;
    StoreError::point("catalog-written")?;
    txn.commit().map_err(failed())?;
    store.grew();
    StoreError::point("catalog-synced")?;
    // What a crash leaves here is found unreferenced the next time.
    for (volume, blocks) in drop {
        if seal::is_sealed(&store.volumes.folder(volume)) {
            continue;
        }
        match store.removing(|| store.volumes.get(volume)?.delete(&blocks)) {
            Err(StoreError::Full { .. }) => tracing::warn!(volume, "no space to merge small blocks in the volume"),
            deleted => deleted?,
        }
        StoreError::point("blocks-dropped")?;
    }
    Ok(Written {
        counters,
        answers,
        filings,
        took: started.elapsed(),
    })
}

struct Group<'c> {
    catalog: &'c Catalog,
    txn: RwTxn<'c>,
    counters: Counters,
    layout: Layout,
    /// Parts that are new with this group, in their order: they are laid down behind the messages.
    parts: Vec<(Arc<Content>, usize)>,
    /// Their digests.
    laid: HashSet<[u8; 32]>,
    /// The rows of lists of the messages that are new with this group.
    listed: Vec<(MessageId, Listed)>,
    rotate: bool,
    drop: Vec<(u32, Vec<u64>)>,
    usage: HashMap<UserId, Usage>,
    filings: u64,
    /// The users there are; read when the first order changes them.
    roster: Option<Roster>,
}

impl Group<'_> {
    fn carry_out(&mut self, order: &Order) -> heed::Result<Answer> {
        match order {
            Order::File(shared) => match self.new_users(&shared.deposit.new_users)? {
                Some(refusal) => Ok(Answer::Refused(refusal)),
                None => self.file(shared).map(Answer::Filed),
            },
            Order::Change(change, _) => self.change(change),
        }
    }

    /// Bytes are laid down anew, where the row still names the place they were read from.
    fn move_bytes(&mut self, moved: &[Moved]) -> heed::Result<u64> {
        let mut count = 0;
        for Moved { row, from, bytes } in moved {
            let sources = || vec![layout::Source::Bytes(bytes.clone())];
            match row {
                Row::Message(id) => {
                    let Some(mut message) = self
                        .catalog
                        .messages
                        .get(&self.txn, id)?
                        .filter(|it| it.inline == *from)
                    else {
                        continue;
                    };
                    message.inline = self.layout.add(sources());
                    self.catalog.messages.put(&mut self.txn, id, &message)?;
                }
                Row::Part(digest) => {
                    if self
                        .catalog
                        .parts
                        .get(&self.txn, digest)?
                        .is_none_or(|part| part.place != *from)
                    {
                        continue;
                    }
                    let place = self.layout.add(sources());
                    self.catalog.parts.put(&mut self.txn, digest, &Part { place })?;
                }
            }
            count += 1;
        }
        Ok(count)
    }

    fn put_usage(&mut self) -> heed::Result<()> {
        for (user, more) in std::mem::take(&mut self.usage) {
            let mut usage = self.catalog.usage.get(&self.txn, &user)?.unwrap_or_default();
            usage.messages += more.messages;
            usage.bytes += more.bytes;
            self.catalog.usage.put(&mut self.txn, &user, &usage)?;
        }
        Ok(())
    }

    fn change(&mut self, change: &Change) -> heed::Result<Answer> {
        let number = match change {
            Change::Source(source) => self.source(source)?.into(),
            Change::Folder(name) => self.folder(name)?.into(),
            Change::Begin(run) => {
                fault::point("run-beginning")?;
                let number = self.counters.run;
                self.counters.run += 1;
                let run = Run {
                    run: number,
                    ..(**run).clone()
                };
                self.catalog.put_run(&mut self.txn, &run)?;
                number
            }
            Change::Protocol(run) => {
                fault::point("protocol-storing")?;
                self.catalog.put_run(&mut self.txn, run)?;
                fault::point("protocol-stored")?;
                run.run
            }
            Change::Forget(runs) => self.catalog.forget_runs(&mut self.txn, runs)?,
            Change::Notified(note) => {
                self.catalog.put_notified(&mut self.txn, note)?;
                0
            }
            Change::User(id, user) => {
                let id = id.unwrap_or(self.counters.user);
                if let Some(refusal) = self.put_users(&BTreeMap::from([(id, user)]))? {
                    return Ok(Answer::Refused(refusal));
                }
                id.into()
            }
            Change::Users(users, news) => {
                let mut next = self.counters.user;
                let mut number = |id: &Option<UserId>| {
                    id.unwrap_or_else(|| {
                        next += 1;
                        next - 1
                    })
                };
                let users: BTreeMap<_, _> = users.iter().map(|(id, user)| (number(id), user)).collect();
                if let Some(refusal) = self.put_users(&users)? {
                    return Ok(Answer::Refused(refusal));
                }
                self.add_news(news)?;
                users.len() as u64
            }
            Change::News(news) => {
                self.add_news(news)?;
                0
            }
            Change::Said(said) => {
                self.catalog.change_news(&mut self.txn, |news| news.remove(said))?;
                0
            }
            Change::Uidls { source, standing } => self.forget_uidls(*source, standing)?,
            Change::Reopen(keys) => self.reopen(keys)?,
            Change::Traits(seen) => self.put_traits(seen)?,
            Change::Sighting { source, folder, seen } => {
                self.catalog.sightings.put(&mut self.txn, &(*source, *folder), seen)?;
                0
            }
            Change::Move(moved) => self.move_bytes(moved)?,
            Change::Lists(made) => lists::put_made(self.catalog, &mut self.txn, made)?,
            Change::Rotate => {
                self.rotate = true;
                u64::from(self.counters.volume) + 1
            }
            Change::Sealed(volume, seal) => self.sealed(*volume, seal)?,
            Change::Drop(volume, blocks) => {
                self.drop.push((*volume, blocks.clone()));
                blocks.len() as u64
            }
            Change::Emptied(volume) => self.volume(*volume, &VolumeState::Emptied)?,
        };
        Ok(Answer::Number(number))
    }

    fn add_news(&mut self, news: &UsersNews) -> heed::Result<()> {
        // In an empty archive there is no mail for anybody.
        let news = match self.counters.messages {
            0 => news.only_retired(),
            _ => news.clone(),
        };
        self.catalog.change_news(&mut self.txn, |before| before.add(&news))
    }

    /// A volume that was emptied meanwhile stays so.
    fn sealed(&mut self, number: u32, seal: &Seal) -> heed::Result<u64> {
        match self.catalog.volumes.get(&self.txn, &number)? {
            Some(VolumeState::Emptied) => Ok(number.into()),
            _ => self.volume(number, &VolumeState::Sealed(seal.clone())),
        }
    }

    fn volume(&mut self, number: u32, state: &VolumeState) -> heed::Result<u64> {
        self.catalog.volumes.put(&mut self.txn, &number, state)?;
        Ok(number.into())
    }

    fn source(&mut self, source: &Source) -> heed::Result<u32> {
        for row in self.catalog.sources.iter(&self.txn)? {
            let (number, known) = row?;
            if known == *source {
                return Ok(number);
            }
        }
        let number = self.counters.source;
        self.counters.source += 1;
        self.catalog.sources.put(&mut self.txn, &number, source)?;
        Ok(number)
    }

    fn folder(&mut self, name: &String) -> heed::Result<u32> {
        for row in self.catalog.folders.iter(&self.txn)? {
            let (number, known) = row?;
            if known == *name {
                return Ok(number);
            }
        }
        let number = self.counters.folder;
        self.counters.folder += 1;
        self.catalog.folders.put(&mut self.txn, &number, name)?;
        Ok(number)
    }

    fn reopen(&mut self, keys: &[CopyKey]) -> heed::Result<u64> {
        let mut count = 0;
        for key in keys {
            count += u64::from(self.catalog.copies.delete(&mut self.txn, key)?);
        }
        Ok(count)
    }

    fn put_traits(&mut self, seen: &[Named]) -> heed::Result<u64> {
        for Named { key, traits } in seen {
            if let Some(mut row) = self.catalog.copies.get(&self.txn, key)? {
                row.traits = Some(*traits);
                self.catalog.copies.put(&mut self.txn, key, &row)?;
            }
        }
        Ok(seen.len() as u64)
    }

    fn forget_uidls(&mut self, source: u32, standing: &[UidlDigest]) -> heed::Result<u64> {
        let copies = self.catalog.copies.remap_types::<Bytes, Bytes>();
        let prefix = source.to_be_bytes();
        let mut gone = Vec::new();
        for row in copies.prefix_iter(&self.txn, &prefix)? {
            let (key, _) = row?;
            let uidl = key
                .get(prefix.len()..)
                .and_then(|uidl| <&[u8; 32]>::try_from(uidl).ok());
            if uidl.is_some_and(|uidl| standing.binary_search(&uidl_digest(uidl)).is_err()) {
                gone.push(key.to_vec());
            }
        }
        for key in &gone {
            copies.delete(&mut self.txn, key)?;
        }
        Ok(gone.len() as u64)
    }
}
