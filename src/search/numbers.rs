//! The numbers of the documents of a part of the index: dates, sizes, the numbers of their messages. Of each 64 documents
//! the least and the greatest are at hand, and of each document the class in which its number is: so who looks for some of
//! them, or for the newest, reads few of the rest.

use std::{cmp::Ordering, collections::HashMap, fmt::Debug, ops::RangeInclusive, sync::Arc};

use parking_lot::Mutex;
use tantivy::{
    DocId, Searcher, SegmentReader,
    columnar::{Cardinality, Column, ColumnValues},
    index::SegmentId,
};

use super::{
    bits::{Bits, OF_WORD, of_word},
    columns::MANY,
};
use crate::archive::Seconds;

/// Classes of numbers, about as many documents in each.
const CLASSES: usize = 256;
/// Documents of whose numbers the limits of the classes are made.
const SAMPLED: usize = 64 * CLASSES;

/// A number of each document.
pub struct Numbered<T> {
    values: Arc<dyn ColumnValues<T>>,
    /// The least number of each class but the first, ascending.
    limits: Vec<T>,
    /// The class of each document: a byte, where its number takes up to eight and some unpacking.
    classes: Vec<u8>,
    /// The least and the greatest of the documents of each word of [`Bits`].
    bounds: Vec<(T, T)>,
    /// Whether each document has one; what has none has the default.
    is_full: bool,
}

impl<T> Numbered<T>
where
    T: PartialOrd + Copy + Default + Debug + Send + Sync + 'static,
{
    fn of(column: Column<T>, documents: u32) -> Self {
        match column.get_cardinality() {
            Cardinality::Full => Self::over(column.values, true, documents),
            _ => Self::over(column.first_or_default_col(T::default()), false, documents),
        }
    }

    fn over(values: Arc<dyn ColumnValues<T>>, is_full: bool, documents: u32) -> Self {
        let mut numbered = Self {
            limits: limits(&*values, documents),
            values,
            classes: Vec::with_capacity(documents as usize),
            bounds: Vec::with_capacity((documents as usize).div_ceil(OF_WORD)),
            is_full,
        };
        let mut values = [T::default(); OF_WORD];
        for from in (0..documents as usize).step_by(OF_WORD) {
            let values = &mut values[..OF_WORD.min(documents as usize - from)];
            numbered.values.get_range(from as u64, values);
            let first = (values[0], values[0]);
            let bounds = values.iter().fold(first, |(least, greatest), value| {
                (
                    if *value < least { *value } else { least },
                    if *value > greatest { *value } else { greatest },
                )
            });
            numbered.bounds.push(bounds);
            let class = |value: &T| class(&numbered.limits, value);
            numbered.classes.extend(values.iter().map(class));
        }
        numbered
    }

    pub fn get(&self, document: DocId) -> T {
        self.values.get_val(document)
    }

    /// Gives the number of each document whose bit the `nth` word of [`Bits`] has.
    pub fn each(&self, nth: usize, word: u64, mut each: impl FnMut(T)) {
        if word.count_ones() < MANY {
            return of_word(nth, word).for_each(|document| each(self.get(document)));
        }
        let from = nth * OF_WORD;
        let mut values = [T::default(); OF_WORD];
        let values = &mut values[..OF_WORD.min(self.classes.len() - from)];
        self.values.get_range(from as u64, values);
        of_word(nth, word).for_each(|document| each(values[document as usize - from]));
    }

    /// The class in which the number of a document is: of a lower class are only lower numbers.
    pub fn class_of(&self, document: DocId) -> u8 {
        self.classes[document as usize]
    }

    /// The class of a number.
    pub fn class(&self, number: T) -> u8 {
        class(&self.limits, &number)
    }

    /// The greatest of the documents of a word of [`Bits`].
    pub fn greatest(&self, word: usize) -> T {
        self.bounds[word].1
    }

    /// As great as the greatest, at least.
    pub fn greatest_of_all(&self) -> T {
        self.values.max_value()
    }

    /// Adds the documents whose number is in `range`; says whether that can be told here, as each document has one.
    pub fn add_within(&self, range: &RangeInclusive<T>, bits: &mut Bits) -> bool {
        if !self.is_full {
            return false;
        }
        let (first, last) = (self.class(*range.start()), self.class(*range.end()));
        for ((nth, (least, greatest)), classes) in self.bounds.iter().enumerate().zip(self.classes.chunks(OF_WORD)) {
            if range.contains(least) && range.contains(greatest) {
                bits.add_word(nth, u64::MAX);
            } else if greatest >= range.start() && least <= range.end() {
                bits.add_word(nth, which(classes, |class| first < class && class < last));
                // Only of those on the edge is the number read.
                for document in of_word(nth, which(classes, |class| class == first || class == last)) {
                    if range.contains(&self.get(document)) {
                        bits.add(document);
                    }
                }
            }
        }
        true
    }
}

/// Limits that make classes of about as many documents, by a sample of them.
fn limits<T: PartialOrd + Copy + 'static>(values: &dyn ColumnValues<T>, documents: u32) -> Vec<T> {
    let step = (documents as usize).div_ceil(SAMPLED).max(1);
    let mut sample: Vec<T> = (0..documents)
        .step_by(step)
        .map(|document| values.get_val(document))
        .collect();
    sample.sort_unstable_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
    let mut limits: Vec<T> = (1..CLASSES)
        .filter_map(|class| sample.get(class * sample.len() / CLASSES).copied())
        .collect();
    limits.dedup();
    limits
}

/// The class of a number; limits are fewer than there are classes.
fn class<T: PartialOrd>(limits: &[T], value: &T) -> u8 {
    limits.partition_point(|limit| limit <= value) as u8
}

/// The documents of a word, by their classes.
fn which(classes: &[u8], is: impl Fn(u8) -> bool) -> u64 {
    let bits = classes.iter().enumerate();
    bits.fold(0, |word, (bit, class)| word | u64::from(is(*class)) << bit)
}

/// The numbers of a part's documents.
pub struct Numbers {
    pub dates: Numbered<Seconds>,
    pub sizes: Numbered<u64>,
    pub ids: Arc<dyn ColumnValues<u64>>,
}

impl Numbers {
    fn of(segment: &SegmentReader) -> tantivy::Result<Self> {
        let (fast, documents) = (segment.fast_fields(), segment.max_doc());
        Ok(Self {
            dates: Numbered::of(fast.i64("date")?, documents),
            sizes: Numbered::of(fast.u64("size")?, documents),
            ids: fast.u64("id")?.first_or_default_col(0),
        })
    }
}

/// The numbers of all parts that are searched, at hand: a part never changes.
#[derive(Clone, Default)]
pub struct AtHand(Arc<Mutex<HashMap<SegmentId, Arc<Numbers>>>>);

impl AtHand {
    /// Those of each part, in the order of the parts; of parts that are no more, none stay.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn of(&self, searcher: &Searcher) -> tantivy::Result<Vec<Arc<Numbers>>> {
        let mut numbers = Vec::with_capacity(searcher.segment_readers().len());
        for segment in searcher.segment_readers() {
            let id = segment.segment_id();
            let known = self.0.lock().get(&id).cloned();
            // Another may read the same at this moment, and nobody waits.
            numbers.push(match known {
                Some(known) => known,
                None => Arc::new(Numbers::of(segment)?),
            });
        }
        let ids = searcher.segment_readers().iter().map(SegmentReader::segment_id);
        *self.0.lock() = ids.zip(numbers.iter().cloned()).collect();
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tantivy::columnar::column_values::VecColumn;

    use super::*;

    proptest! {
        #[test]
        fn what_is_in_a_range_is_found_whatever_the_numbers_are(
            values in proptest::collection::vec(prop_oneof![-5..5_i64, -1000..100_000_i64, any::<i64>()], 1..700),
            one in prop_oneof![-6..6_i64, -1000..100_000_i64, any::<i64>()],
            other in prop_oneof![-6..6_i64, -1000..100_000_i64, any::<i64>()],
        ) {
            let documents = values.len() as u32;
            let numbered = Numbered::over(Arc::new(VecColumn::from(values.clone())), true, documents);
            let range = one.min(other)..=one.max(other);
            let mut found = Bits::none(documents);
            prop_assert!(numbered.add_within(&range, &mut found));
            let within = (0..documents).filter(|document| range.contains(&values[*document as usize]));
            prop_assert!(found.iter().eq(within));
        }
    }
}
