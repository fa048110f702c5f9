//! Which of very many things are named most often, counted in so much memory whatever comes: the space-saving method
//! (Metwally, Agrawal, El Abbadi 2005). One that is not counted takes the place of the rarest, and keeps in mind how
//! much of the count is not its own. How many things there were in all is estimated from the smallest of their hashes.
//! Pure.

use std::{
    borrow::Borrow,
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

/// Hashes that are kept: the estimate is right to about two in a hundred.
const HASHES: usize = 4096;

/// Exact as long as no more things came than are counted at a time.
#[derive(Clone, Debug)]
pub struct Heavy<K> {
    most: usize,
    counts: HashMap<K, Count>,
    /// The same, rarest first; of those that are as rare, the last by the alphabet. A count in it may be an old one,
    /// and so too small: it is put right when it comes to the front.
    rarest: BTreeSet<(u64, Reverse<K>)>,
    /// How often anything was named.
    named: u64,
    /// The smallest hashes of all things, once some are forgotten.
    hashes: Option<BTreeSet<u64>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    count: u64,
    /// How much of it may be that of things that were there before.
    inherited: u64,
}

impl<K: Hash + Ord + Clone> Heavy<K> {
    /// Counts so many at a time.
    pub fn new(most: usize) -> Self {
        Self {
            most: most.max(1),
            counts: HashMap::new(),
            rarest: BTreeSet::new(),
            named: 0,
            hashes: None,
        }
    }

    /// It was named so many times more.
    pub fn add(&mut self, key: K, times: u64) {
        if !self.add_known(&key, times) {
            self.add_new(key, times);
        }
    }

    /// The same of a borrowed key, of which `owned` makes one to keep where it is not counted yet.
    pub fn add_as<Q>(&mut self, key: &Q, owned: impl FnOnce(&Q) -> K, times: u64)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if !self.add_known(key, times) {
            self.add_new(owned(key), times);
        }
    }

    /// Adds to the count of what is counted; false where it is not. Nearly all that is named was named before, so this
    /// must cost next to nothing.
    fn add_known<Q>(&mut self, key: &Q, times: u64) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let Some(count) = self.counts.get_mut(key) else {
            return false;
        };
        count.count = count.count.saturating_add(times);
        self.named = self.named.saturating_add(times);
        true
    }

    fn add_new(&mut self, key: K, times: u64) {
        self.named = self.named.saturating_add(times);
        let mut count = match self.counts.len() < self.most {
            true => Count::default(),
            false => self.forget_rarest(),
        };
        if let Some(hashes) = &mut self.hashes {
            keep_hash(hashes, &key);
        }
        count.count = count.count.saturating_add(times);
        self.rarest.insert((count.count, Reverse(key.clone())));
        self.counts.insert(key, count);
    }

    /// Forgets the rarest; gives the count with which another takes its place.
    fn forget_rarest(&mut self) -> Count {
        if self.hashes.is_none() {
            let mut hashes = BTreeSet::new();
            self.counts.keys().for_each(|key| keep_hash(&mut hashes, key));
            self.hashes = Some(hashes);
        }
        while let Some((noted, Reverse(key))) = self.rarest.pop_first() {
            let now = self.counts.get(&key).map_or(noted, |count| count.count);
            if now > noted {
                // Each time that something is named pays for this once at most.
                self.rarest.insert((now, Reverse(key)));
                continue;
            }
            self.counts.remove(&key);
            return Count {
                count: now,
                inherited: now,
            };
        }
        Count::default()
    }

    /// The things that are counted, most frequent first, then by the alphabet; and how often each was named, at the
    /// least.
    pub fn most_frequent(&self) -> Vec<(&K, u64)> {
        let certain = |(key, count): (_, &Count)| (key, count.count - count.inherited);
        let mut all: Vec<_> = self.counts.iter().map(certain).collect();
        all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
        all
    }

    /// How many things there were; once some are forgotten, about.
    pub fn things(&self) -> u64 {
        let counted = self.counts.len() as u64;
        match self.hashes.as_ref().map(|hashes| (hashes.len(), hashes.last())) {
            None | Some((_, None)) => counted,
            Some((kept, Some(largest))) if kept == HASHES => {
                let spread = *largest as f64 / u64::MAX as f64;
                counted.max(((HASHES - 1) as f64 / spread) as u64)
            }
            Some((kept, _)) => counted.max(kept as u64),
        }
    }

    /// How often anything was named.
    pub fn named(&self) -> u64 {
        self.named
    }

    pub fn is_exact(&self) -> bool {
        self.hashes.is_none()
    }
}

fn keep_hash<K: Hash>(hashes: &mut BTreeSet<u64>, key: &K) {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let hash = hasher.finish();
    if hashes.len() == HASHES && hashes.last().is_some_and(|largest| hash > *largest) {
        return;
    }
    hashes.insert(hash);
    if hashes.len() > HASHES {
        hashes.pop_last();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_things_are_counted_exactly_and_most_frequent_first() {
        let mut heavy = Heavy::new(10);
        for (name, times) in [("b", 1), ("z", 5), ("a", 1), ("b", 1), ("c", 1)] {
            heavy.add(name, times);
        }
        assert_eq!(heavy.most_frequent(), [(&"z", 5), (&"b", 2), (&"a", 1), (&"c", 1)]);
        assert_eq!((heavy.things(), heavy.named(), heavy.is_exact()), (4, 9, true));
    }

    /// By its count when it was last put right, `a` would have gone.
    #[test]
    fn what_was_named_since_it_was_the_rarest_was_forgotten() {
        let mut heavy = Heavy::new(3);
        for (name, times) in [("a", 1), ("b", 2), ("c", 3), ("a", 5), ("b", 1)] {
            heavy.add(name, times);
        }
        heavy.add("d", 1);
        assert_eq!(heavy.most_frequent(), [(&"a", 6), (&"b", 3), (&"d", 1)]);
        heavy.add_as("b", |_| unreachable!("it is counted"), 1);
        heavy.add("e", 1);
        assert_eq!(heavy.most_frequent()[..2], [(&"a", 6), (&"b", 4)]);
    }

    #[test]
    fn a_million_guesses_hid_the_addresses_that_were_named_often() {
        let mut heavy = Heavy::new(100);
        for guess in 0..1_000_000_u32 {
            heavy.add(guess + 10, 1);
            if guess % 10 == 0 {
                heavy.add(guess % 3, 1);
            }
        }
        assert!(heavy.counts.len() == 100 && heavy.rarest.len() == 100);
        let first: BTreeSet<_> = heavy.most_frequent()[..3].iter().map(|(key, _)| **key).collect();
        assert_eq!(first, BTreeSet::from([0, 1, 2]));
        let things = heavy.things();
        assert!((940_000..1_060_000).contains(&things), "{things}");
        assert_eq!((heavy.named(), heavy.is_exact()), (1_100_000, false));
    }
}
