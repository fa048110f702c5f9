//! Adding up digests, to see without order and in little memory whether two sides are the same. Pure.

/// Rows, less others: how many, and the sum of their digests.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference(i64, u64);

impl Difference {
    pub fn add(&mut self, digest: u64) {
        *self = self.and(Self(1, digest));
    }

    pub fn take(&mut self, digest: u64) {
        *self = self.and(Self(-1, digest.wrapping_neg()));
    }

    /// How many rows more there are.
    pub fn rows(self) -> i64 {
        self.0
    }

    pub fn and(self, more: Self) -> Self {
        Self(self.0 + more.0, self.1.wrapping_add(more.1))
    }
}

/// Another number for each, all of whose bits depend on each bit of the other (the end of splitmix64). It is to tell
/// damage, and nobody chooses what is damaged.
pub fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}
