//! Compaction: what slow sources wrote in small blocks is merged into full ones, and what nothing refers to goes.
//!
//! Bytes move through the committer as mail does: new blocks first, then the rows that name them, and only when they
//! were read back from there are the old blocks deleted, or an emptied volume's folder removed. So it can be cut off
//! anywhere: some bytes have moved and some have not, and what was left unreferenced is found again the next time. A
//! sealed volume is never changed; all of it moves, or nothing.
//!
//! A row only ever comes to name a new block. So what was seen unreferenced stays so, and the rows can be read
//! page by page while mail is filed. All volumes are done together, as far as there is room for what moves: the rows are
//! read three times, however many volumes there are.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use roaring::RoaringTreemap;

use super::{
    Committer, Retrieval, Store, StoreError,
    compaction_plan::{Plan, Plans, Worth, blocks_of, plans},
    hooks::Hooks,
    lists_filling,
    order::{Moved, Row, Tidying},
    places::{Blocks, PAGE, Places},
    resident,
    rows::Place,
    sealing::seal_full_volumes,
};

/// Raw bytes, and rows, moved with one commit.
const BATCH: usize = 8 << 20;
const BATCH_ROWS: usize = 4096;
/// Rows put into the order of their places before they are moved.
const WINDOW: usize = 100_000;

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

/// Goes through all volumes. Blocking: for a thread of its own. What `hooks` are told counts rows looked at.
///
/// # Errors
/// The store cannot be read or written. What was moved until then stays moved.
pub fn compact(store: &Store, committer: &Committer, hooks: Hooks) -> Result<Compacted, StoreError> {
    lists_filling::fill(store, committer, hooks.go_on)?;
    // What is full and was never sealed, since no command lived long enough, is sealed first.
    seal_full_volumes(store, committer, hooks.go_on)?;
    compact_what_is_worth(store, committer, Worth::default(), hooks)
}

pub(super) fn compact_what_is_worth(
    store: &Store,
    committer: &Committer,
    worth: Worth,
    hooks: Hooks,
) -> Result<Compacted, StoreError> {
    let mut work = Work {
        store,
        committer,
        hooks,
        done: Compacted::default(),
        failed: BTreeSet::new(),
        error: None,
    };
    let Some(_turn) = store.tidying.take(hooks.go_on) else {
        work.done.left = true;
        return Ok(work.done);
    };
    StoreError::point("compact-begun")?;
    let done = plans(store, worth, hooks).and_then(|plans| {
        StoreError::point("compact-planned")?;
        work.all(plans)
    });
    match done {
        Err(StoreError::Interrupted) => work.done.left = true,
        done => done?,
    }
    work.error.map_or(Ok(work.done), Err)
}

struct Work<'w> {
    store: &'w Store,
    committer: &'w Committer,
    hooks: Hooks<'w>,
    done: Compacted,
    /// The volumes with which something was wrong, which is no reason to leave the others; and what was, first.
    failed: BTreeSet<u32>,
    error: Option<StoreError>,
}

impl Work<'_> {
    fn all(&mut self, plans: Plans) -> Result<(), StoreError> {
        self.error = plans.error;
        let (mut together, mut used) = (BTreeMap::new(), 0);
        for (number, plan) in plans.volumes {
            match plan {
                Plan::Nothing => {}
                Plan::Remove => self.remove(number),
                plan => {
                    let needs = self.store.volumes.file_size(number)?;
                    // What moves is there twice until the old places go.
                    let room = self.store.disk().map_or(0, |(free, _)| free / 2);
                    if !together.is_empty() && used + needs > room {
                        self.volumes(std::mem::take(&mut together))?;
                        used = 0;
                    }
                    used += needs;
                    together.insert(number, plan);
                }
            }
        }
        match together.is_empty() {
            true => Ok(()),
            false => self.volumes(together),
        }
    }

    /// Carries out what is planned for these volumes.
    fn volumes(&mut self, plans: BTreeMap<u32, Plan>) -> Result<(), StoreError> {
        if plans.values().any(|plan| *plan == (Plan::Empty { rotate: true })) {
            self.committer.tidy(Tidying::CloseVolume)?;
        }
        self.move_bytes(&plans)?;
        let mut needed = self.referenced(&plans)?;
        for (number, plan) in plans {
            self.hooks.check()?;
            let needed = needed.remove(&number).unwrap_or_default();
            match plan {
                _ if self.failed.contains(&number) => self.done.left = true,
                Plan::Merge(blocks) => self.drop_blocks(number, blocks - needed)?,
                _ if needed.is_empty() => {
                    self.committer.tidy(Tidying::Emptied(number))?;
                    StoreError::point("volume-emptied")?;
                    self.remove(number);
                }
                _ => self.done.left = true,
            }
        }
        Ok(())
    }

    fn fail(&mut self, volume: u32, error: StoreError) {
        self.failed.insert(volume);
        self.error.get_or_insert(error);
    }

    fn drop_blocks(&mut self, number: u32, blocks: RoaringTreemap) -> Result<(), StoreError> {
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

    fn remove(&mut self, number: u32) {
        match self.store.remove_volume(number) {
            Ok(true) => self.done.volumes += 1,
            Ok(false) => self.done.left = true,
            Err(error) => self.fail(number, error),
        }
    }

    /// The next rows; none at the end.
    fn next(&self, places: &mut Places) -> Result<Option<Vec<(Row, Place)>>, StoreError> {
        self.hooks.check()?;
        let page = self.store.reading(|txn| places.next(&self.store.catalog, txn))?;
        (self.hooks.passed)(page.as_ref().map_or(0, |page| page.len() as u64));
        Ok(page)
    }

    /// Moves every row's bytes that lie where it is planned.
    fn move_bytes(&mut self, plans: &BTreeMap<u32, Plan>) -> Result<(), StoreError> {
        (self.hooks.expect)(self.store.reading(|txn| Places::count(&self.store.catalog, txn))?);
        let (mut places, mut is_last) = (Places::default(), false);
        while !is_last {
            let mut window = Vec::new();
            while window.len() < WINDOW && !is_last {
                match self.next(&mut places)? {
                    Some(page) => window.extend(page.into_iter().filter(|(_, place)| moves(plans, place))),
                    None => is_last = true,
                }
            }
            // What was filed together stays together, and a block is unpacked once.
            window.sort_by_key(|(_, place)| (place.volume, place.block, place.offset));
            self.move_rows(window)?;
        }
        Ok(())
    }

    fn move_rows(&mut self, rows: Vec<(Row, Place)>) -> Result<(), StoreError> {
        let mut retrieval = Retrieval::anew(self.store);
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for (row, from) in rows {
            if self.failed.contains(&from.volume) {
                continue;
            }
            let stored = match retrieval.stored(row.message(), &from) {
                Ok(stored) => Bytes::from(stored),
                // It stays where it is, and its block with it; all else can move.
                Err(error @ StoreError::Damaged { .. }) => {
                    tracing::error!(%error, ?row, "damaged mail was left where it is; run `dropkeep verify`");
                    self.done.damaged = true;
                    self.done.left = true;
                    continue;
                }
                Err(error) => {
                    self.fail(from.volume, error);
                    continue;
                }
            };
            bytes += stored.len();
            batch.push(Moved {
                row,
                from,
                bytes: stored,
            });
            if bytes >= BATCH || batch.len() >= BATCH_ROWS {
                self.commit(std::mem::take(&mut batch), std::mem::take(&mut bytes))?;
                self.hooks.check()?;
            }
        }
        self.commit(batch, bytes)
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

    /// The blocks of these volumes that some row needs.
    fn referenced(&mut self, plans: &BTreeMap<u32, Plan>) -> Result<Blocks, StoreError> {
        (self.hooks.expect)(self.store.reading(|txn| Places::count(&self.store.catalog, txn))?);
        let (mut needed, mut places) = (Blocks::new(), Places::default());
        while let Some(page) = self.next(&mut places)? {
            for (_, place) in page.iter().filter(|(_, place)| plans.contains_key(&place.volume)) {
                match blocks_of(self.store, place) {
                    Ok(blocks) => needed.entry(place.volume).or_default().extend(blocks),
                    Err(error) => self.fail(place.volume, error),
                }
            }
        }
        Ok(needed)
    }
}

/// Whether what lies in a place is to move.
fn moves(plans: &BTreeMap<u32, Plan>, place: &Place) -> bool {
    match plans.get(&place.volume) {
        Some(Plan::Merge(blocks)) => blocks.contains(place.block),
        Some(Plan::Empty { .. }) => true,
        _ => false,
    }
}
