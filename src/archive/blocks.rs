//! Uncompressed blocks at hand: one cache for all readers of a store, bounded in bytes.
//!
//! The cache is locked only to look something up. Who unpacks a block locks that block's slot alone, so that a second
//! reader of the same block waits for the bytes instead of unpacking it again, and readers of others do not wait.

use std::sync::Arc;

use lru::LruCache;
use parking_lot::{Mutex, MutexGuard};

use super::block;

/// Uncompressed bytes kept at hand for all readers, and for one that reads by itself: messages filed together are often
/// read together.
pub(super) const AT_HAND: usize = 16 * block::BLOCK_SIZE;
pub(super) const AT_HAND_ALONE: usize = 8 * block::BLOCK_SIZE;

/// Volume and number of a block.
pub(super) type BlockKey = (u32, u64);
type Bytes = Arc<Vec<u8>>;
/// Empty until its block is unpacked.
type Slot = Arc<Mutex<Option<Bytes>>>;

/// Blocks, those used longest ago forgotten first.
pub(super) struct Blocks {
    most: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    slots: LruCache<BlockKey, (Slot, usize)>,
    /// Bytes of the blocks in them.
    bytes: usize,
    /// Blocks that were unpacked since the cache was made.
    unpacked: u64,
}

/// What was unpacked: the bytes, and whether they are worth keeping at hand.
pub(super) struct Unpacked {
    pub bytes: Bytes,
    pub keep: bool,
}

impl Blocks {
    /// For this many bytes of blocks at most, besides the one that is being read.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            kept: Mutex::new(Kept {
                slots: LruCache::unbounded(),
                bytes: 0,
                unpacked: 0,
            }),
        }
    }

    /// The block, unpacked by `unpack` where it is not at hand.
    ///
    /// # Errors
    /// Those of `unpack`; the next reader tries again.
    pub fn get<E>(&self, key: BlockKey, unpack: impl FnOnce() -> Result<Unpacked, E>) -> Result<Bytes, E> {
        let slot = self.lock().slots.get_or_insert(key, Default::default).0.clone();
        let mut filled = slot.lock();
        if let Some(bytes) = &*filled {
            return Ok(bytes.clone());
        }
        let unpacked = unpack();
        let mut kept = self.lock();
        kept.unpacked += 1;
        match unpacked {
            Ok(Unpacked { bytes, keep: true }) => {
                *filled = Some(bytes.clone());
                kept.weigh(key, &slot, bytes.len(), self.most);
                Ok(bytes)
            }
            other => {
                kept.forget(&key);
                other.map(|unpacked| unpacked.bytes)
            }
        }
    }

    /// How many blocks were unpacked so far.
    #[cfg(test)]
    pub fn unpacked(&self) -> u64 {
        self.lock().unpacked
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock()
    }
}

impl Kept {
    fn forget(&mut self, key: &BlockKey) {
        if let Some((_, weight)) = self.slots.pop(key) {
            self.bytes -= weight;
        }
    }

    /// Counts the bytes of a slot that was filled, and forgets what is too much.
    fn weigh(&mut self, key: BlockKey, slot: &Slot, bytes: usize, most: usize) {
        // While it was unpacked, its slot may have been forgotten.
        let ours = self.slots.get_mut(&key).filter(|(kept, _)| Arc::ptr_eq(kept, slot));
        let Some((_, weight)) = ours else { return };
        *weight = bytes;
        self.bytes += bytes;
        while self.bytes > most {
            let Some((_, (_, weight))) = self.slots.pop_lru() else {
                return;
            };
            self.bytes -= weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    fn read(blocks: &Blocks, number: u64, length: usize) -> Bytes {
        let unpack = || {
            Ok::<_, Infallible>(Unpacked {
                bytes: Arc::new(vec![number as u8; length]),
                keep: true,
            })
        };
        blocks.get((1, number), unpack).unwrap()
    }

    #[test]
    fn those_used_longest_ago_are_forgotten_when_there_are_too_many_bytes() {
        let blocks = Blocks::new(100);
        for number in [1, 2, 1, 3, 1, 2] {
            assert_eq!(read(&blocks, number, 40)[0], number as u8);
        }
        // 1, 2 and 3, and 2 again, which had to go for 3.
        assert_eq!(blocks.unpacked(), 4);
        assert_eq!(read(&blocks, 9, 1_000).len(), 1_000);
        let kept = blocks.lock();
        assert_eq!(
            (kept.bytes, kept.slots.len()),
            (0, 0),
            "larger than the bound, it is not kept"
        );
    }

    #[test]
    fn a_block_that_cannot_be_read_is_tried_again() {
        let blocks = Blocks::new(100);
        assert_eq!(blocks.get((1, 1), || Err("damaged")).unwrap_err(), "damaged");
        assert_eq!(read(&blocks, 1, 10).len(), 10);
    }

    #[test]
    fn readers_of_one_block_unpack_it_once() {
        let blocks = Blocks::new(100);
        let times = AtomicUsize::new(0);
        let barrier = std::sync::Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    barrier.wait();
                    let unpack = || {
                        times.fetch_add(1, Ordering::Relaxed);
                        let bytes = Arc::new(vec![7; 10]);
                        Ok::<_, Infallible>(Unpacked { bytes, keep: true })
                    };
                    assert_eq!(blocks.get((1, 1), unpack).unwrap().len(), 10);
                });
            }
        });
        assert_eq!(times.into_inner(), 1);
    }
}
