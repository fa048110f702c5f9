//! Which identities the catalog cannot have: nearly every message that comes is new, and for each of its users one asks
//! whether it is known. A filter in memory answers most of that without reading a chunk from wherever it lies.
//!
//! It is a Bloom filter in blocks of 64 bytes, so that asking reads memory at one place. Digests are as good as any
//! hashes of them would be. It is made from the table, by a thread of its own (`filter_filling`), once so much was asked
//! that it will pay: half a second for ten million identities. Until then nothing is ruled out. When it is full, a layer twice as
//! large is laid over it, as long as all of them together take no more than they may. Beyond that it rules out less and
//! less.

use std::sync::atomic::{AtomicU64, Ordering};

use heed::RoTxn;
use parking_lot::RwLock;

use super::{
    packings::{Digest, Identities},
    settled::{Reached, Settled},
};

/// Bytes that it takes at most: enough for 26 million identities.
const MOST: usize = 32 << 20;
/// Bits for each identity: about one in fifty that are new is looked up all the same.
const BITS: usize = 10;
/// Of these, bits that are set.
const SET: u32 = 6;
/// Identities of the first layer at least.
const LEAST: usize = 1 << 16;
/// Identities that are read at a time: a millisecond's worth, for which whoever asks may have to wait.
const TOGETHER: usize = 10_000;
/// It is made once one identity was looked for in vain for so many that there are. To look for one takes as long as to take
/// 1,350 in: a chunk of each level is read and hashed, on pages that nobody looked at lately. (Of ten million: 62 and 0.046 µs
/// of processor time.) But who has asked a third of that goes on in most cases, and it is another thread that makes it.
const PAYS: u64 = 4096;

type Block = [u64; 8];

#[derive(Default)]
pub struct Filter {
    state: RwLock<State>,
    /// How often nothing could be ruled out because the filter was not there yet.
    missed: AtomicU64,
}

#[derive(Default)]
struct State {
    layers: Vec<Layer>,
    /// Up to where the table was taken in.
    reached: Option<Reached>,
    /// All of the table was.
    is_complete: bool,
}

struct Layer {
    blocks: Vec<Block>,
    /// Identities that still have room.
    room: usize,
}

impl Filter {
    /// Whether the table has no row of this digest, as far as was committed or is about to be. `false` says nothing.
    pub fn rules_out(&self, digest: &Digest) -> bool {
        let state = self.state.read();
        if !state.is_complete {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
        state.is_complete && !state.layers.iter().any(|layer| layer.may_have(digest))
    }

    /// Whether it would soon have spared more than it costs, and is to be made. `known`: about how many identities there are.
    pub fn pays(&self, known: u64) -> bool {
        self.missed.load(Ordering::Relaxed).saturating_mul(PAYS) >= known
    }

    /// Makes room. From now on what is written is taken in: so nobody may be writing at this moment.
    pub fn begin(&self, known: u64) {
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let layer = Layer::new(known.saturating_add(known / 4).max(LEAST), MOST);
        self.state.write().layers.push(layer);
    }

    /// Takes in identities that are about to be written.
    pub fn add(&self, digests: impl Iterator<Item = Digest>) {
        let mut state = self.state.write();
        // Without a layer, nothing of the table was taken in yet, and this will be.
        if !state.layers.is_empty() {
            digests.for_each(|digest| state.add(&digest));
        }
    }

    /// Takes in some more of what the table has; whether there may be more.
    pub fn go_on(&self, table: &Settled<Identities>, txn: &RoTxn) -> bool {
        let reached = self.state.read().reached.clone();
        let read = table.keys(txn, reached, TOGETHER);
        let mut state = self.state.write();
        // Some of it cannot be read, which `verify` finds: then nothing can be ruled out.
        let Ok((digests, reached)) = read else {
            *state = State::default();
            return false;
        };
        digests.iter().for_each(|digest| state.add(digest));
        state.is_complete = reached.is_none();
        state.reached = reached;
        !state.is_complete
    }
}

impl State {
    fn add(&mut self, digest: &Digest) {
        let taken: usize = self.layers.iter().map(Layer::bytes).sum();
        if let Some(last) = self.layers.last().filter(|last| last.room == 0)
            && taken < MOST
        {
            let next = Layer::new(2 * last.capacity(), MOST - taken);
            self.layers.push(next);
        }
        if let Some(last) = self.layers.last_mut() {
            last.add(digest);
        }
    }
}

impl Layer {
    /// With room for this number of identities, of at most `most` bytes.
    fn new(identities: usize, most: usize) -> Self {
        let blocks = (identities.saturating_mul(BITS) / 512 + 1)
            .min(most / size_of::<Block>())
            .max(1);
        Self {
            blocks: vec![Block::default(); blocks],
            room: blocks * 512 / BITS,
        }
    }

    fn bytes(&self) -> usize {
        size_of_val(&self.blocks[..])
    }

    fn capacity(&self) -> usize {
        self.blocks.len() * 512 / BITS
    }

    /// The block of a digest, and the bits of it.
    fn place(&self, digest: &Digest) -> (usize, Block) {
        let [high, low] = [0, 8].map(|at| {
            let mut half = [0; 8];
            half.copy_from_slice(&digest[at..at + 8]);
            u64::from_be_bytes(half)
        });
        let block = (u128::from(high) * self.blocks.len() as u128) >> 64;
        let mut bits = Block::default();
        for nth in 0..SET {
            let bit = (low >> (9 * nth)) as usize % 512;
            bits[bit / 64] |= 1 << (bit % 64);
        }
        (block as usize, bits)
    }

    fn may_have(&self, digest: &Digest) -> bool {
        let (block, bits) = self.place(digest);
        self.blocks[block]
            .iter()
            .zip(bits)
            .all(|(there, bits)| there & bits == bits)
    }

    fn add(&mut self, digest: &Digest) {
        let (block, bits) = self.place(digest);
        self.blocks[block]
            .iter_mut()
            .zip(bits)
            .for_each(|(there, bits)| *there |= bits);
        self.room = self.room.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u32) -> Digest {
        let mut digest = Digest::default();
        digest.copy_from_slice(&blake3::hash(&number.to_le_bytes()).as_bytes()[..16]);
        digest
    }

    #[test]
    fn what_was_added_is_never_ruled_out_and_most_else_is() {
        let mut state = State::default();
        state.layers.push(Layer::new(1000, MOST));
        (0..20_000).for_each(|number| state.add(&digest(number)));
        assert!(state.layers.len() > 3, "{} layers", state.layers.len());
        state.is_complete = true;
        let filter = Filter {
            state: RwLock::new(state),
            missed: AtomicU64::new(0),
        };
        assert!((0..20_000).all(|number| !filter.rules_out(&digest(number))));
        let others = (20_000..40_000)
            .filter(|number| !filter.rules_out(&digest(*number)))
            .count();
        assert!(others < 2000, "{others} of 20000 that are new are looked up");
    }

    #[test]
    fn it_stays_within_its_bytes() {
        let mut state = State::default();
        state.layers.push(Layer::new(usize::MAX, 64 * 10));
        assert_eq!(state.layers[0].bytes(), 640);
        let most: usize = Layer::new(usize::MAX, MOST).bytes();
        assert_eq!(most, MOST);
        let full = Layer {
            blocks: vec![Block::default(); MOST / 64],
            room: 0,
        };
        let mut state = State {
            layers: vec![full],
            ..State::default()
        };
        state.add(&digest(1));
        assert_eq!(state.layers.len(), 1);
    }

    #[test]
    fn nothing_is_ruled_out_before_all_of_the_table_was_read() {
        let filter = Filter::default();
        assert!(!filter.rules_out(&digest(1)));
        filter.add([digest(2)].into_iter());
        assert!(!filter.rules_out(&digest(1)));
    }
}
