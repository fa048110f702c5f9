//! The first of what was found, in an order: by date, or by how well they fit.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader,
    collector::{Collector, SegmentCollector},
    columnar::ColumnValues,
};

use super::{
    bits::{Bits, of_word},
    numbers::Numbers,
};
use crate::archive::Seconds;

/// By what a message is ordered: the greater, the earlier it comes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Rank {
    /// The score's bits, which order as scores do, because those are positive; 0 where it does not count.
    pub score: u32,
    pub date: Seconds,
    pub id: u64,
}

pub fn bits(score: Score) -> u32 {
    score.max(0.0).to_bits()
}

/// The first behind a place: one more than are wanted, which says whether there are more.
pub struct First {
    pub by_score: bool,
    pub most: usize,
    pub after: Option<Rank>,
}

/// Those that are kept, the last one first.
struct Kept {
    most: usize,
    after: Option<Rank>,
    ranks: BinaryHeap<Reverse<Rank>>,
}

impl Kept {
    fn of(first: &First) -> Self {
        Self {
            most: first.most,
            after: first.after,
            ranks: BinaryHeap::with_capacity(first.most + 2),
        }
    }

    fn is_full(&self) -> bool {
        self.ranks.len() > self.most
    }

    /// Whether one of this score and date, or of less, can still be among them.
    fn may_have(&self, score: u32, date: Seconds) -> bool {
        let best = Rank {
            score,
            date,
            id: u64::MAX,
        };
        !self.is_full() || self.ranks.peek().is_none_or(|Reverse(last)| best > *last)
    }

    /// The date of the last one; `None` as long as there is room.
    fn last_date(&self) -> Option<Seconds> {
        self.ranks
            .peek()
            .filter(|_| self.is_full())
            .map(|Reverse(last)| last.date)
    }

    fn add(&mut self, rank: Rank) {
        if self.after.is_some_and(|after| rank >= after) {
            return;
        }
        self.ranks.push(Reverse(rank));
        if self.ranks.len() > self.most + 1 {
            self.ranks.pop();
        }
    }

    fn take(self) -> Vec<Rank> {
        self.ranks.into_iter().map(|Reverse(rank)| rank).collect()
    }
}

impl First {
    /// The newest of what was found in each part of the index. Of most documents no date is read: those that came last
    /// are looked at first, and are the newest in most archives; then those whose word has none that is new enough are
    /// passed over.
    pub fn by_date(&self, found: &[Bits], numbers: &[Arc<Numbers>]) -> Vec<Rank> {
        let mut kept = Kept::of(self);
        let mut parts: Vec<_> = found.iter().zip(numbers).collect();
        parts.sort_unstable_by_key(|(_, numbers)| Reverse(numbers.dates.greatest_of_all()));
        for (found, numbers) in parts {
            // The class of the last date that is kept: one of a lower class is older.
            let mut least = kept.last_date().map_or(0, |date| numbers.dates.class(date));
            for (nth, word) in found.words().iter().enumerate().rev() {
                if *word == 0 || !kept.may_have(0, numbers.dates.greatest(nth)) {
                    continue;
                }
                for document in of_word(nth, *word) {
                    // Neither its date nor its number is read unless it matters.
                    if numbers.dates.class_of(document) < least {
                        continue;
                    }
                    let date = numbers.dates.get(document);
                    if kept.may_have(0, date) {
                        let id = numbers.ids.get_val(document);
                        kept.add(Rank { score: 0, date, id });
                        least = kept.last_date().map_or(0, |date| numbers.dates.class(date));
                    }
                }
            }
        }
        self.in_order(kept.take())
    }

    fn in_order(&self, mut ranks: Vec<Rank>) -> Vec<Rank> {
        ranks.sort_unstable_by_key(|rank| Reverse(*rank));
        ranks.truncate(self.most + 1);
        ranks
    }
}

/// Keeps what the library finds and scores.
pub struct FirstOfPart {
    by_score: bool,
    kept: Kept,
    dates: Arc<dyn ColumnValues<i64>>,
    ids: Arc<dyn ColumnValues<u64>>,
}

impl Collector for First {
    type Fruit = Vec<Rank>;
    type Child = FirstOfPart;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<FirstOfPart> {
        Ok(FirstOfPart {
            by_score: self.by_score,
            kept: Kept::of(self),
            dates: segment.fast_fields().i64("date")?.first_or_default_col(0),
            ids: segment.fast_fields().u64("id")?.first_or_default_col(0),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.by_score
    }

    fn merge_fruits(&self, fruits: Vec<Vec<Rank>>) -> tantivy::Result<Vec<Rank>> {
        Ok(self.in_order(fruits.concat()))
    }
}

impl SegmentCollector for FirstOfPart {
    type Fruit = Vec<Rank>;

    fn collect(&mut self, document: DocId, score: Score) {
        let score = if self.by_score { bits(score) } else { 0 };
        let date = self.dates.get_val(document);
        if self.kept.may_have(score, date) {
            let id = self.ids.get_val(document);
            self.kept.add(Rank { score, date, id });
        }
    }

    fn harvest(self) -> Vec<Rank> {
        self.kept.take()
    }
}
