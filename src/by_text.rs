//! What is found by a text that lies elsewhere. A map would have each text once more, and a hundred thousand users have
//! many megabytes of names and addresses.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

/// Small values, each under a text: a few bytes for each, however long the texts are. Their hashes have a key of their own,
/// as texts come from outside.
#[derive(Clone, Debug)]
pub struct ByText<T> {
    key: RandomState,
    table: HashTable<(u32, T)>,
}

impl<T> Default for ByText<T> {
    fn default() -> Self {
        Self {
            key: RandomState::new(),
            table: HashTable::new(),
        }
    }
}

impl<T: Copy + Ord> ByText<T> {
    pub fn insert(&mut self, text: &str, value: T) {
        let hash = self.hash(text);
        self.table
            .insert_unique(spread(hash), (hash, value), |(hash, _)| spread(*hash));
    }

    /// Takes a value out, as it was put in.
    pub fn remove(&mut self, text: &str, value: T) {
        let hash = self.hash(text);
        if let Ok(found) = self.table.find_entry(spread(hash), |there| *there == (hash, value)) {
            found.remove();
        }
    }

    /// All that was put in under this text, and now and then something of another text: whoever asks compares them.
    pub fn of(&self, text: &str) -> impl Iterator<Item = T> + use<'_, T> {
        self.like(self.hash(text))
    }

    /// Pairs whose texts may be the same, the lesser value first.
    pub fn doubled(&self) -> impl Iterator<Item = (T, T)> {
        self.table.iter().flat_map(|(hash, value)| {
            let others = self.like(*hash).filter(move |other| other > value);
            others.map(move |other| (*value, other))
        })
    }

    fn like(&self, hash: u32) -> impl Iterator<Item = T> + use<'_, T> {
        let there = self.table.iter_hash(spread(hash));
        there.filter(move |there| there.0 == hash).map(|there| there.1)
    }

    fn hash(&self, text: &str) -> u32 {
        self.key.hash_one(text) as u32
    }
}

/// The table looks at the upper bits of a hash and at the lower ones.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

#[test]
fn what_was_put_in_under_a_text_is_found_until_it_is_taken_out() {
    let text = |number: u32| format!("text {}", number / 2);
    let mut numbers = ByText::default();
    let found = |numbers: &ByText<u32>, wanted: u32| {
        let same = |number: &u32| text(*number) == text(wanted);
        let mut found: Vec<u32> = numbers.of(&text(wanted)).filter(same).collect();
        found.sort_unstable();
        found
    };
    (0..10_000).for_each(|number| numbers.insert(&text(number), number));
    assert_eq!(found(&numbers, 6), [6, 7]);
    let is_double = |(one, other): &(u32, u32)| text(*one) == text(*other);
    assert_eq!(numbers.doubled().filter(is_double).count(), 5000);
    (0..10_000)
        .step_by(2)
        .for_each(|number| numbers.remove(&text(number), number));
    assert_eq!(found(&numbers, 6), [7]);
    assert_eq!(found(&numbers, 10_000), [0_u32; 0]);
}
