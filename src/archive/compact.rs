//! Compaction: what slow sources wrote in small blocks is merged into full ones, and what nothing refers to goes.
//!
//! Bytes move through the committer as mail does: new blocks first, then the rows that name them, and only when they
//! were read back from there are the old blocks deleted, or an emptied volume's folder removed. So it can be cut off
//! anywhere: some bytes have moved and some have not, and what was left unreferenced is found again the next time. A
//! sealed volume is never changed; all of it moves, or nothing.
//!
//! A row only ever comes to name a new block. So what was seen unreferenced stays so, and the rows can be read
//! page by page while mail is filed.

use std::ops::ControlFlow;

use bytes::Bytes;
use roaring::RoaringTreemap;

use super::{
    Committer, Retrieval, Store, StoreError, block, lists_filling,
    order::{Moved, Row, Tidying},
    resident,
    rows::{MessageId, Place, VolumeState},
    sealing::seal_full_volumes,
};

/// Blocks with fewer raw bytes are small.
pub(super) const SMALL: u64 = block::BLOCK_SIZE as u64 / 4;
/// What goes on in the next block fills its own but for what a group of three bytes does not.
const FULL: u64 = block::BLOCK_SIZE as u64 - 2;
/// Raw bytes, and rows, moved with one commit.
const BATCH: usize = 8 << 20;
const BATCH_ROWS: usize = 4096;
/// Rows put into the order of their places before they are moved.
const WINDOW: usize = 100_000;
/// Rows and blocks read under one transaction.
const PAGE: usize = 1000;
/// Pages of rows after which what is mapped of them is let go.
const RELEASE: usize = 100;

/// What is worth the work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Worth {
    /// So many small blocks.
    pub blocks: u64,
    /// So many free bytes in a volume's file, when they are more than what is used.
    pub bytes: u64,
}

impl Default for Worth {
    fn default() -> Self {
        Self {
            blocks: 64,
            bytes: 64 << 20,
        }
    }
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Rows whose bytes lie elsewhere now.
    pub moved: u64,
    /// Their raw bytes.
    pub bytes: u64,
    /// Blocks deleted from the volume that is written to.
    pub blocks: u64,
    /// Volumes removed.
    pub volumes: u64,
    /// Whether something had to be left for the next time: somebody read beside us, it was interrupted, or something is
    /// damaged.
    pub left: bool,
    /// Whether something was met that is damaged, and stays where it is.
    pub damaged: bool,
}

/// Goes through all volumes. Blocking: for a thread of its own. `go_on` is asked from time to time.
///
/// # Errors
/// The store cannot be read or written. What was moved until then stays moved.
pub fn compact(store: &Store, committer: &Committer, go_on: &dyn Fn() -> bool) -> Result<Compacted, StoreError> {
    lists_filling::fill(store, committer, go_on)?;
    // What is full and was never sealed, since no command lived long enough, is sealed first.
    seal_full_volumes(store, committer, go_on)?;
    compact_what_is_worth(store, committer, Worth::default(), go_on)
}

pub(super) fn compact_what_is_worth(
    store: &Store,
    committer: &Committer,
    worth: Worth,
    go_on: &dyn Fn() -> bool,
) -> Result<Compacted, StoreError> {
    let mut work = Work {
        store,
        committer,
        worth,
        go_on,
        done: Compacted::default(),
    };
    let Some(_turn) = store.tidying.take(go_on) else {
        work.done.left = true;
        return Ok(work.done);
    };
    StoreError::point("compact-begun")?;
    let mut first_error = None;
    for volume in store.volumes.numbers()? {
        if !go_on() {
            work.done.left = true;
            break;
        }
        // What is wrong with one volume is no reason to leave the others.
        if let Err(error) = work.volume(volume) {
            first_error.get_or_insert(error);
        }
    }
    first_error.map_or(Ok(work.done), Err)
}

/// What is to be done with a volume.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Nothing,
    /// Its folder goes.
    Remove,
    /// All of it moves, and then it goes. `rotate`: it is written to, and must not be any more.
    Empty {
        rotate: bool,
    },
    /// These blocks are merged.
    Merge(RoaringTreemap),
}

pub(super) fn plan(store: &Store, number: u32, worth: Worth) -> Result<Plan, StoreError> {
    let (current, state) = store.reading(|txn| {
        Ok((
            store.catalog.counters(txn)?.volume,
            store.catalog.volumes.get(txn, &number)?,
        ))
    })?;
    Ok(match state {
        Some(VolumeState::Emptied) => Plan::Remove,
        // Begun by a group that did not reach the catalog.
        _ if number > current => Plan::Nothing,
        _ if is_mostly_free(store, number, worth)? => Plan::Empty {
            rotate: number == current,
        },
        None if number == current => match small_blocks(store, number, worth.blocks)? {
            blocks if blocks.len() >= worth.blocks => Plan::Merge(blocks),
            _ => Plan::Nothing,
        },
        // About to be sealed.
        None => Plan::Nothing,
        Some(VolumeState::Sealed(_)) => {
            let most = worth.blocks.max(store.volumes.get(number)?.count()? / 2 + 1);
            match small_blocks(store, number, most)? {
                blocks if blocks.len() >= most => Plan::Empty { rotate: false },
                _ => Plan::Nothing,
            }
        }
    })
}

fn is_mostly_free(store: &Store, number: u32, worth: Worth) -> Result<bool, StoreError> {
    let volume = store.volumes.get(number)?;
    let free = volume.free()?;
    Ok(free > worth.bytes && free > volume.used()?)
}

/// The small blocks of a volume, if there are enough of them, without those in which something large ends: to move
/// them is to move all of it, and it would end in a small block again.
fn small_blocks(store: &Store, number: u32, least: u64) -> Result<RoaringTreemap, StoreError> {
    let volume = store.volumes.get(number)?;
    // What is being written at this moment is not looked at.
    let before = store.reading(|txn| store.catalog.counters(txn))?.block;
    let (mut small, mut from) = (RoaringTreemap::new(), 0);
    loop {
        let page = volume.lengths(from, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        from = last + 1;
        let is_small = |(number, length): &(u64, u64)| (*number < before && *length < SMALL).then_some(*number);
        small.extend(page.iter().filter_map(is_small));
    }
    if small.len() < least {
        return Ok(small);
    }
    let mut places = Places::default();
    while let Some(page) = places.next(store)? {
        for (_, place) in page.iter().filter(|(_, place)| place.volume == number) {
            let blocks = blocks_of(store, place)?;
            if blocks.len() > 1 {
                small -= blocks.into_iter().collect::<RoaringTreemap>();
            }
        }
    }
    Ok(small)
}

/// The blocks that a place reaches into.
fn blocks_of(store: &Store, place: &Place) -> Result<Vec<u64>, StoreError> {
    let mut blocks = vec![place.block];
    let (mut last, mut end) = (place.block, place.offset.saturating_add(place.length));
    while end > FULL {
        let volume = store.volumes.get(place.volume)?;
        let length = volume.with_block(last, |block| {
            let block = block.filter(|block| block::check(last, block).is_ok());
            block.map(block::raw_length)
        })?;
        match length {
            Some(length) if end > length => {
                end -= length;
                last += 1;
                blocks.push(last);
            }
            Some(_) => break,
            // A damaged block does not say where the place goes on: every block that it may reach into counts.
            None => {
                blocks.extend(last + 1..=last + end / FULL + 1);
                break;
            }
        }
    }
    Ok(blocks)
}

struct Work<'w> {
    store: &'w Store,
    committer: &'w Committer,
    worth: Worth,
    go_on: &'w dyn Fn() -> bool,
    done: Compacted,
}

impl Work<'_> {
    fn volume(&mut self, number: u32) -> Result<(), StoreError> {
        let plan = plan(self.store, number, self.worth)?;
        StoreError::point("compact-planned")?;
        match plan {
            Plan::Nothing => Ok(()),
            Plan::Remove => self.remove(number),
            Plan::Empty { rotate } => {
                if rotate {
                    self.committer.tidy(Tidying::CloseVolume)?;
                }
                self.empty(number)
            }
            Plan::Merge(blocks) => self.merge(number, blocks),
        }
    }

    /// Moves what lies in small blocks behind the others, and deletes them.
    fn merge(&mut self, number: u32, mut blocks: RoaringTreemap) -> Result<(), StoreError> {
        if self.move_bytes(number, Some(&blocks))?.is_break() {
            return Ok(());
        }
        blocks -= self.referenced(number)?;
        let store = self.store;
        let blocks: Vec<u64> = blocks.iter().collect();
        for some in blocks.chunks(PAGE) {
            StoreError::point("blocks-dropping")?;
            let drop = Tidying::DropBlocks(number, some.to_vec());
            if !store.unless_read(|| self.committer.tidy(drop).map(|_| ()))? {
                self.done.left = true;
                return Ok(());
            }
            self.done.blocks += some.len() as u64;
        }
        Ok(())
    }

    /// Moves all that a volume holds, and removes it.
    fn empty(&mut self, number: u32) -> Result<(), StoreError> {
        if self.move_bytes(number, None)?.is_break() || !self.referenced(number)?.is_empty() {
            self.done.left = true;
            return Ok(());
        }
        self.committer.tidy(Tidying::Emptied(number))?;
        StoreError::point("volume-emptied")?;
        self.remove(number)
    }

    fn remove(&mut self, number: u32) -> Result<(), StoreError> {
        if self.store.remove_volume(number)? {
            self.done.volumes += 1;
        } else {
            self.done.left = true;
        }
        Ok(())
    }

    /// Moves every row's bytes that lie in these blocks of a volume, or in any; `Break` when it was interrupted.
    fn move_bytes(&mut self, volume: u32, blocks: Option<&RoaringTreemap>) -> Result<ControlFlow<()>, StoreError> {
        let mut places = Places::default();
        loop {
            let (mut window, mut is_last) = (Vec::new(), false);
            while window.len() < WINDOW && !is_last {
                match places.next(self.store)? {
                    Some(page) => window.extend(page.into_iter().filter(|(_, place)| {
                        place.volume == volume && blocks.is_none_or(|blocks| blocks.contains(place.block))
                    })),
                    None => is_last = true,
                }
                if !(self.go_on)() {
                    self.done.left = true;
                    return Ok(ControlFlow::Break(()));
                }
            }
            // What was filed together stays together, and a block is unpacked once.
            window.sort_by_key(|(_, place)| (place.block, place.offset));
            let moved = self.move_rows(window)?;
            if moved.is_break() || is_last {
                return Ok(moved);
            }
        }
    }

    fn move_rows(&mut self, rows: Vec<(Row, Place)>) -> Result<ControlFlow<()>, StoreError> {
        let mut retrieval = Retrieval::anew(self.store);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for (row, from) in rows {
            let stored = match retrieval.stored(row.message(), &from) {
                Ok(stored) => Bytes::from(stored),
                // It stays where it is, and its block with it; all else can move.
                Err(error @ StoreError::Damaged { .. }) => {
                    tracing::error!(%error, ?row, "damaged mail was left where it is; run `dropkeep verify`");
                    self.done.damaged = true;
                    self.done.left = true;
                    continue;
                }
                Err(error) => return Err(error),
            };
            bytes += stored.len();
            batch.push(Moved {
                row,
                from,
                bytes: stored,
            });
            if bytes >= BATCH || batch.len() >= BATCH_ROWS {
                self.commit(std::mem::take(&mut batch), std::mem::take(&mut bytes))?;
                if !(self.go_on)() {
                    self.done.left = true;
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        self.commit(batch, bytes)?;
        Ok(ControlFlow::Continue(()))
    }

    fn commit(&mut self, batch: Vec<Moved>, bytes: usize) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let moved = batch.clone();
        StoreError::point("compact-moving")?;
        self.done.moved += self.committer.tidy(Tidying::Move(batch))?;
        self.done.bytes += bytes as u64;
        StoreError::point("compact-moved")?;
        self.read_back(&moved)?;
        StoreError::point("compact-compared")?;
        resident::release(self.store.path());
        Ok(())
    }

    /// What was moved is what was read, before the place that it came from goes.
    fn read_back(&self, moved: &[Moved]) -> Result<(), StoreError> {
        let mut retrieval = Retrieval::anew(self.store);
        for Moved { row, bytes, .. } in moved {
            let place = match row {
                Row::Message(id) => self.store.message(*id)?.map(|message| message.inline),
                Row::Part(digest) => self.store.part(digest)?.map(|part| part.place),
            };
            let stored = place.map(|place| retrieval.stored(row.message(), &place)).transpose()?;
            if stored.as_deref() != Some(bytes) {
                let detail = format!("{row:?} reads differently after it was moved, so its old place is kept");
                return Err(StoreError::Damaged { detail });
            }
        }
        Ok(())
    }

    /// The blocks of a volume that some row needs.
    fn referenced(&self, volume: u32) -> Result<RoaringTreemap, StoreError> {
        let mut needed = RoaringTreemap::new();
        let mut places = Places::default();
        while let Some(page) = places.next(self.store)? {
            for (_, place) in page.iter().filter(|(_, place)| place.volume == volume) {
                needed.extend(blocks_of(self.store, place)?);
            }
        }
        Ok(needed)
    }
}

/// Every place that a row names, page by page: first the messages', then the parts'.
#[derive(Default)]
struct Places {
    pages: usize,
    message: MessageId,
    part: Option<[u8; 32]>,
    messages_are_done: bool,
}

impl Places {
    fn next(&mut self, store: &Store) -> Result<Option<Vec<(Row, Place)>>, StoreError> {
        self.pages += 1;
        if self.pages.is_multiple_of(RELEASE) {
            resident::release(store.path());
        }
        if !self.messages_are_done {
            let page = store.reading(|txn| {
                let rows = store.catalog.messages.range(txn, &(self.message..))?.take(PAGE);
                rows.collect::<heed::Result<Vec<_>>>()
            })?;
            match page.last() {
                Some((last, _)) => {
                    self.message = last.next();
                    let places = page.into_iter().map(|(id, message)| (Row::Message(id), message.inline));
                    return Ok(Some(places.collect()));
                }
                None => self.messages_are_done = true,
            }
        }
        let page = store.reading(|txn| {
            use std::ops::Bound::{Excluded, Unbounded};
            let from = self.part.map_or(Unbounded, Excluded);
            let rows = store.catalog.parts.range(txn, &(from, Unbounded))?.take(PAGE);
            rows.collect::<heed::Result<Vec<_>>>()
        })?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        self.part = Some(*last);
        Ok(Some(
            page.into_iter()
                .map(|(digest, part)| (Row::Part(digest), part.place))
                .collect(),
        ))
    }
}
