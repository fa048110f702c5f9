//! What a compaction is to do with each volume, found in one look at their blocks and one through the rows.

use std::collections::BTreeMap;

use roaring::RoaringTreemap;

use super::{
    Store, StoreError, block,
    hooks::Hooks,
    places::{PAGE, Places},
    rows::{Place, VolumeState},
};

/// Blocks with fewer raw bytes are small.
pub(super) const SMALL: u64 = block::BLOCK_SIZE as u64 / 4;
/// What goes on in the next block fills its own but for what a group of three bytes does not.
const FULL: u64 = block::BLOCK_SIZE as u64 - 2;

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

/// What is to be done.
pub(super) struct Plans {
    pub volumes: BTreeMap<u32, Plan>,
    /// What was wrong first with a volume; it has no plan.
    pub error: Option<StoreError>,
}

/// A volume whose small blocks may be worth the work.
struct Candidate {
    small: RoaringTreemap,
    /// From so many on they are.
    least: u64,
    is_sealed: bool,
}

/// Plans for all volumes.
///
/// # Errors
/// The catalog cannot be read, or it was interrupted.
pub(super) fn plans(store: &Store, worth: Worth, hooks: Hooks) -> Result<Plans, StoreError> {
    let (mut plans, mut candidates) = (
        Plans {
            volumes: BTreeMap::new(),
            error: None,
        },
        BTreeMap::new(),
    );
    for number in store.volumes.numbers()? {
        hooks.check()?;
        match look(store, number, worth, hooks) {
            Ok(Looked::Plan(plan)) => drop(plans.volumes.insert(number, plan)),
            Ok(Looked::Candidate(candidate)) => drop(candidates.insert(number, candidate)),
            Err(StoreError::Interrupted) => return Err(StoreError::Interrupted),
            Err(error) => drop(plans.error.get_or_insert(error)),
        }
    }
    candidates.retain(|_, candidate| candidate.small.len() >= candidate.least);
    if !candidates.is_empty()
        && let Err(error) = leave_ends(store, &mut candidates, hooks)?
    {
        plans.error.get_or_insert(error);
    }
    for (number, candidate) in candidates {
        if candidate.small.len() >= candidate.least {
            let plan = match candidate.is_sealed {
                true => Plan::Empty { rotate: false },
                false => Plan::Merge(candidate.small),
            };
            plans.volumes.insert(number, plan);
        }
    }
    Ok(plans)
}

enum Looked {
    Plan(Plan),
    Candidate(Candidate),
}

fn look(store: &Store, number: u32, worth: Worth, hooks: Hooks) -> Result<Looked, StoreError> {
    let (counters, state) =
        store.reading(|txn| Ok((store.catalog.counters(txn)?, store.catalog.volumes.get(txn, &number)?)))?;
    Ok(match state {
        Some(VolumeState::Emptied) => Looked::Plan(Plan::Remove),
        // Begun by a group that did not reach the catalog.
        _ if number > counters.volume => Looked::Plan(Plan::Nothing),
        _ if is_mostly_free(store, number, worth)? => Looked::Plan(Plan::Empty {
            rotate: number == counters.volume,
        }),
        state => Looked::Candidate(Candidate {
            // What is being written at this moment is not looked at.
            small: small_blocks(store, number, counters.block, hooks)?,
            least: match &state {
                None => worth.blocks,
                Some(_) => worth.blocks.max(store.volumes.get(number)?.count()? / 2 + 1),
            },
            is_sealed: state.is_some(),
        }),
    })
}

fn is_mostly_free(store: &Store, number: u32, worth: Worth) -> Result<bool, StoreError> {
    let volume = store.volumes.get(number)?;
    let free = volume.free()?;
    Ok(free > worth.bytes && free > volume.used()?)
}

/// The small blocks of a volume below number `before`.
fn small_blocks(store: &Store, number: u32, before: u64, hooks: Hooks) -> Result<RoaringTreemap, StoreError> {
    let volume = store.volumes.get(number)?;
    let (mut small, mut from) = (RoaringTreemap::new(), 0);
    loop {
        hooks.check()?;
        let page = volume.lengths(from, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(small) };
        from = last + 1;
        let is_small = |(number, length): &(u64, u64)| (*number < before && *length < SMALL).then_some(*number);
        small.extend(page.iter().filter_map(is_small));
    }
}

/// Leaves out the blocks in which something large ends: to move them is to move all of it, and it would end in a small
/// block again. Gives what was wrong first with a volume, which then is no candidate.
fn leave_ends(
    store: &Store,
    candidates: &mut BTreeMap<u32, Candidate>,
    hooks: Hooks,
) -> Result<Result<(), StoreError>, StoreError> {
    (hooks.expect)(store.reading(|txn| Places::count(&store.catalog, txn))?);
    let (mut places, mut wrong) = (Places::default(), Ok(()));
    loop {
        hooks.check()?;
        let Some(page) = store.reading(|txn| places.next(&store.catalog, txn))? else {
            return Ok(wrong);
        };
        (hooks.passed)(page.len() as u64);
        for (_, place) in &page {
            let Some(candidate) = candidates.get_mut(&place.volume) else {
                continue;
            };
            match blocks_of(store, place) {
                Ok(blocks) if blocks.len() > 1 => candidate.small -= blocks.into_iter().collect::<RoaringTreemap>(),
                Ok(_) => {}
                Err(error) => {
                    candidates.remove(&place.volume);
                    wrong = wrong.and(Err(error));
                }
            }
        }
    }
}

/// The blocks that a place reaches into.
pub(super) fn blocks_of(store: &Store, place: &Place) -> Result<Vec<u64>, StoreError> {
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
