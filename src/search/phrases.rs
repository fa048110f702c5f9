//! Where phrases were found last.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use tantivy::{Term, index::SegmentId};

use super::bits::{Bits, OF_WORD};

/// Bytes of all that is kept, about.
const BYTES: usize = 16 << 20;

/// The documents of a part of the index that have a phrase. Whether two frequent words stand side by side takes longest to
/// find of all there is, and whoever goes through pages, or narrows down what was found, asks for it each time. A part of
/// the index never changes, but for what is deleted, which is left out where all else is known.
#[derive(Clone, Default)]
pub struct PhrasesLast(Arc<Mutex<VecDeque<Phrase>>>);

struct Phrase {
    part: SegmentId,
    words: Vec<Term>,
    found: Arc<Bits>,
}

impl Phrase {
    fn is(&self, part: SegmentId, words: &[Term]) -> bool {
        self.part == part && self.words == words
    }

    fn bytes(&self) -> usize {
        size_of_val(self.found.words())
    }
}

impl PhrasesLast {
    pub fn of(&self, part: SegmentId, words: &[Term]) -> Option<Arc<Bits>> {
        let mut phrases = self.0.lock();
        let at = phrases.iter().position(|phrase| phrase.is(part, words))?;
        let phrase = phrases.remove(at)?;
        let found = phrase.found.clone();
        phrases.push_front(phrase);
        Some(found)
    }

    /// Keeps what was found, in place of what nobody asked for longest.
    pub fn keep(&self, part: SegmentId, words: &[Term], found: Arc<Bits>) {
        let mut phrases = self.0.lock();
        phrases.retain(|phrase| !phrase.is(part, words));
        phrases.push_front(Phrase {
            part,
            words: words.to_vec(),
            found,
        });
        let mut bytes = 0;
        phrases.retain(|phrase| {
            bytes += phrase.bytes();
            bytes <= BYTES
        });
    }
}

/// Whether to keep it is worth its bytes: where a word is rarer, the row of its documents is as short.
pub fn is_worth_keeping(rarest: u32, documents: u32) -> bool {
    rarest as usize * OF_WORD >= documents as usize
}

#[test]
fn what_was_asked_for_last_is_kept_as_far_as_there_is_room() {
    let kept = PhrasesLast::default();
    let part = SegmentId::generate_random();
    let words = |nth: u32| {
        vec![Term::from_field_u64(
            tantivy::schema::Field::from_field_id(0),
            nth.into(),
        )]
    };
    let quarter = u32::try_from(BYTES * 8 / 4).unwrap();
    for nth in 0..4 {
        kept.keep(part, &words(nth), Arc::new(Bits::none(quarter)));
    }
    assert!(kept.of(part, &words(0)).is_some());
    assert!(kept.of(SegmentId::generate_random(), &words(0)).is_none());
    kept.keep(part, &words(4), Arc::new(Bits::none(quarter)));
    let there: Vec<u32> = (0..5).filter(|nth| kept.of(part, &words(*nth)).is_some()).collect();
    assert_eq!(there, [0, 2, 3, 4], "the one that nobody asked for longest goes");
}
