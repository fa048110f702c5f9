//! Which documents of a part of the index were found: a bit for each. Counting and combining go by 64 at a time, so that
//! words that most messages have are found as fast as rare ones. Pure.

use tantivy::DocId;

/// Documents of which a word has the bits, as [`Bits::words`] are.
pub const OF_WORD: usize = 64;

/// A set of documents, of so many.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bits {
    words: Vec<u64>,
    documents: u32,
}

impl Bits {
    /// None of so many.
    pub fn none(documents: u32) -> Self {
        Self {
            words: vec![0; (documents as usize).div_ceil(OF_WORD)],
            documents,
        }
    }

    pub fn add(&mut self, document: DocId) {
        self.words[document as usize / OF_WORD] |= 1 << (document as usize % OF_WORD);
    }

    /// Adds some, given in their order.
    pub fn add_all(&mut self, documents: &[DocId]) {
        for document in documents {
            self.add(*document);
        }
    }

    /// Adds those of some that `other` has.
    pub fn add_those(&mut self, some: &[DocId], other: &Self) {
        for document in some.iter().filter(|document| other.has(**document)) {
            self.add(*document);
        }
    }

    /// Adds each there is.
    pub fn fill(&mut self) {
        for nth in 0..self.words.len() {
            self.add_word(nth, u64::MAX);
        }
    }

    /// Adds those of the `nth` word whose bits are set; what is behind the last document does not count.
    pub fn add_word(&mut self, nth: usize, bits: u64) {
        let behind = self.documents as usize - nth * OF_WORD;
        let there = match behind {
            0..OF_WORD => (1 << behind) - 1,
            _ => u64::MAX,
        };
        self.words[nth] |= bits & there;
    }

    pub fn has(&self, document: DocId) -> bool {
        self.words[document as usize / OF_WORD] & (1 << (document as usize % OF_WORD)) != 0
    }

    pub fn join(&mut self, other: &Self) {
        let both = self.words.iter_mut().zip(&other.words);
        both.for_each(|(word, other)| *word |= other);
    }

    /// Keeps those that `other` has (`has`), or those that it does not have.
    pub fn keep(&mut self, other: &Self, has: bool) {
        let turn = if has { 0 } else { u64::MAX };
        let both = self.words.iter_mut().zip(&other.words);
        both.for_each(|(word, other)| *word &= other ^ turn);
    }

    pub fn retain(&mut self, keep: impl Fn(DocId) -> bool) {
        for (nth, word) in self.words.iter_mut().enumerate() {
            for document in of_word(nth, *word) {
                if !keep(document) {
                    *word &= !(1 << (document as usize % OF_WORD));
                }
            }
        }
    }

    pub fn count(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = DocId> {
        self.words
            .iter()
            .enumerate()
            .flat_map(|(nth, word)| of_word(nth, *word))
    }
}

/// The documents whose bits the `nth` word has, in their order.
pub fn of_word(nth: usize, mut word: u64) -> impl Iterator<Item = DocId> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros())?;
        word &= word - 1;
        Some((nth * OF_WORD) as DocId + bit)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn bits(documents: u32, some: &BTreeSet<u32>) -> Bits {
        let mut bits = Bits::none(documents);
        bits.add_all(&some.iter().copied().collect::<Vec<_>>());
        bits
    }

    proptest! {
        #[test]
        fn they_are_sets(documents in 1..300_u32, one: BTreeSet<u8>, other: BTreeSet<u8>) {
            let there = |some: BTreeSet<u8>| -> BTreeSet<u32> {
                some.into_iter().map(u32::from).filter(|document| *document < documents).collect()
            };
            let (one, other) = (there(one), there(other));
            let (these, those) = (bits(documents, &one), bits(documents, &other));
            prop_assert_eq!(these.count(), one.len() as u64);
            prop_assert!(these.iter().eq(one.iter().copied()));
            let changed = |change: &dyn Fn(&mut Bits)| {
                let mut bits = these.clone();
                change(&mut bits);
                bits.iter().collect::<BTreeSet<_>>()
            };
            prop_assert_eq!(changed(&|bits| bits.join(&those)), &one | &other);
            prop_assert_eq!(changed(&|bits| bits.keep(&those, true)), &one & &other);
            prop_assert_eq!(changed(&|bits| bits.keep(&those, false)), &one - &other);
            prop_assert_eq!(changed(&|bits| bits.retain(|document| those.has(document))), &one & &other);
            prop_assert_eq!(changed(&Bits::fill), (0..documents).collect::<BTreeSet<_>>());
        }
    }
}
