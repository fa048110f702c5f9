//! Compaction: what slow sources wrote in small blocks is merged into full ones, and what nothing refers to goes.
//!
//! Bytes move through the committer as mail does: new blocks first, then the rows that name them, and only then
//! are the old blocks deleted, or an emptied volume's folder removed. So it can be cut off anywhere: some bytes have
//! moved and some have not, and what was left unreferenced is found again the next time. A sealed volume is
//! never changed; all of it moves, or nothing.

use std::ops::ControlFlow;

use bytes::Bytes;
use roaring::RoaringTreemap;
use serde::{Deserialize, Serialize};

use super::{
    Change, Committer, Retrieval, Store, StoreError, block,
    rows::{MessageId, Place, VolumeState},
};

/// Blocks with fewer raw bytes are small.
const SMALL: u64 = block::BLOCK_SIZE as u64 / 4;
/// So many small blocks are worth the work.
const WORTH_BLOCKS: u64 = 64;
/// So many free bytes in a file, and more than are used, are worth moving all of it.
const WORTH_BYTES: u64 = 64 << 20;
/// Raw bytes moved with one commit.
const BATCH: usize = 8 << 20;
/// Rows and blocks read under one transaction.
const PAGE: usize = 1000;

/// The row that names a place.
#[derive(Clone, Debug)]
pub enum Row {
    Message(MessageId),
    Part([u8; 32]),
}

/// Bytes on their way to another place.
#[derive(Clone, Debug)]
pub struct Moved {
    pub row: Row,
    pub from: Place,
    pub bytes: Bytes,
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compacted {
    /// Rows whose bytes lie elsewhere now.
    pub moved: u64,
    /// Their raw bytes.
    pub bytes: u64,
    /// Blocks deleted from the volume that is written to.
    pub blocks: u64,
    /// Volumes removed.
    pub volumes: u64,
    /// Whether something had to be left for the next time, because somebody read beside us or it was interrupted.
    pub left: bool,
}

/// What of a volume is to move.
enum Which {
    All,
    Blocks(RoaringTreemap),
}

impl Which {
    fn has(&self, block: u64) -> bool {
        match self {
            Self::All => true,
            Self::Blocks(blocks) => blocks.contains(block),
        }
    }
}

/// Goes through all volumes. Blocking: for a thread of its own. `go_on` is asked from time to time.
///
/// # Errors
/// The store cannot be read or written. What was moved until then stays moved.
pub fn compact(store: &Store, committer: &Committer, go_on: &dyn Fn() -> bool) -> Result<Compacted, StoreError> {
    let mut work = Work {
        store,
        committer,
        go_on,
        done: Compacted::default(),
    };
    for volume in store.volumes.numbers()? {
        if !go_on() {
            work.done.left = true;
            break;
        }
        work.volume(volume)?;
    }
    Ok(work.done)
}

struct Work<'w> {
    store: &'w Store,
    committer: &'w Committer,
    go_on: &'w dyn Fn() -> bool,
    done: Compacted,
}

impl Work<'_> {
    fn volume(&mut self, number: u32) -> Result<(), StoreError> {
        let (current, state) = self.store.reading(|txn| {
            let catalog = &self.store.catalog;
            Ok((catalog.counters(txn)?.volume, catalog.volumes.get(txn, &number)?))
        })?;
        match state {
            Some(VolumeState::Emptied) => self.remove(number),
            Some(VolumeState::Sealed(_)) if number < current => {
                let blocks = self.small_blocks(number)?;
                let all = self.store.volumes.get(number)?.count()?;
                if blocks.len() >= WORTH_BLOCKS && blocks.len() > all / 2 {
                    self.empty(number)?;
                }
                Ok(())
            }
            None if number == current => {
                if self.is_mostly_free(number)? {
                    self.committer.change_blocking(Change::Rotate)?;
                    return self.empty(number);
                }
                let blocks = self.small_blocks(number)?;
                if blocks.len() >= WORTH_BLOCKS {
                    self.merge(number, blocks)?;
                }
                Ok(())
            }
            // Begun by a group that did not reach the catalog, or about to be sealed.
            _ => Ok(()),
        }
    }

    fn is_mostly_free(&self, number: u32) -> Result<bool, StoreError> {
        let used = self.store.volumes.get(number)?.used()?;
        let free = self.store.volumes.file_size(number)?.saturating_sub(used);
        Ok(free > WORTH_BYTES && free > used)
    }

    fn small_blocks(&self, number: u32) -> Result<RoaringTreemap, StoreError> {
        let volume = self.store.volumes.get(number)?;
        // What is being written at this moment is not looked at.
        let before = self.store.reading(|txn| self.store.catalog.counters(txn))?.block;
        let (mut small, mut from) = (RoaringTreemap::new(), 0);
        loop {
            let page = volume.lengths(from, PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(small) };
            from = last + 1;
            small.extend(
                page.iter()
                    .filter(|(number, length)| *number < before && *length < SMALL)
                    .map(|(n, _)| *n),
            );
        }
    }

    /// Moves what lies in small blocks behind the others, and deletes them.
    fn merge(&mut self, number: u32, blocks: RoaringTreemap) -> Result<(), StoreError> {
        let which = Which::Blocks(blocks);
        if self.move_bytes(number, &which)?.is_break() {
            return Ok(());
        }
        let Which::Blocks(mut free) = which else { return Ok(()) };
        free -= self.referenced(number)?;
        let store = self.store;
        let blocks: Vec<u64> = free.iter().collect();
        for some in blocks.chunks(PAGE) {
            let drop = Change::Drop(number, some.to_vec());
            if !store.unless_read(|| self.committer.change_blocking(drop).map(|_| ()))? {
                self.done.left = true;
                return Ok(());
            }
            self.done.blocks += some.len() as u64;
        }
        Ok(())
    }

    /// Moves all that a volume holds, and removes it.
    fn empty(&mut self, number: u32) -> Result<(), StoreError> {
        if self.move_bytes(number, &Which::All)?.is_break() || !self.referenced(number)?.is_empty() {
            self.done.left = true;
            return Ok(());
        }
        self.committer.change_blocking(Change::Emptied(number))?;
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

    /// Moves every row's bytes that lie in `which` blocks of a volume; `Break` when it was interrupted.
    fn move_bytes(&mut self, volume: u32, which: &Which) -> Result<ControlFlow<()>, StoreError> {
        let mut retrieval = Retrieval::new(self.store);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut places = Places::default();
        while let Some(page) = places.next(self.store)? {
            if !(self.go_on)() {
                self.done.left = true;
                return Ok(ControlFlow::Break(()));
            }
            for (row, from) in page {
                if from.volume != volume || !self.blocks_of(&from)?.iter().any(|block| which.has(*block)) {
                    continue;
                }
                let id = match &row {
                    Row::Message(id) => *id,
                    Row::Part(_) => 0,
                };
                let stored = Bytes::from(retrieval.stored(id, &from)?);
                bytes += stored.len();
                let moved = Moved {
                    row,
                    from,
                    bytes: stored,
                };
                batch.push(moved);
                if bytes >= BATCH {
                    self.commit(std::mem::take(&mut batch), std::mem::take(&mut bytes))?;
                }
            }
        }
        self.commit(batch, bytes)?;
        Ok(ControlFlow::Continue(()))
    }

    fn commit(&mut self, batch: Vec<Moved>, bytes: usize) -> Result<(), StoreError> {
        if !batch.is_empty() {
            self.done.moved += self.committer.change_blocking(Change::Move(batch))?;
            self.done.bytes += bytes as u64;
        }
        Ok(())
    }

    /// The blocks of a volume that some row needs.
    fn referenced(&self, volume: u32) -> Result<RoaringTreemap, StoreError> {
        let mut needed = RoaringTreemap::new();
        let mut places = Places::default();
        while let Some(page) = places.next(self.store)? {
            for (_, place) in page.iter().filter(|(_, place)| place.volume == volume) {
                needed.extend(self.blocks_of(place)?);
            }
        }
        Ok(needed)
    }

    /// The blocks that a place reaches into.
    fn blocks_of(&self, place: &Place) -> Result<Vec<u64>, StoreError> {
        let mut blocks = vec![place.block];
        let mut end = place.offset.saturating_add(place.length);
        if end > SMALL {
            let volume = self.store.volumes.get(place.volume)?;
            while let Some(last) = blocks.last().copied() {
                let length = volume.with_block(last, |block| block.map(block::raw_length))?;
                match length {
                    Some(length) if end > length => {
                        end -= length;
                        blocks.push(last + 1);
                    }
                    _ => break,
                }
            }
        }
        Ok(blocks)
    }
}

/// Every place that a row names, page by page: first the messages', then the parts'.
#[derive(Default)]
struct Places {
    message: MessageId,
    part: Option<[u8; 32]>,
    messages_are_done: bool,
}

impl Places {
    fn next(&mut self, store: &Store) -> Result<Option<Vec<(Row, Place)>>, StoreError> {
        if !self.messages_are_done {
            let page = store.reading(|txn| {
                let rows = store.catalog.messages.range(txn, &(self.message..))?.take(PAGE);
                rows.collect::<heed::Result<Vec<_>>>()
            })?;
            match page.last() {
                Some((last, _)) => {
                    self.message = last + 1;
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
