//! The numbers of the documents of a part of the index: dates, sizes, the numbers of their messages. Of each 64 documents
//! the least and the greatest are at hand, so that who looks for some of them, or for the newest, reads few of the rest.

use std::{collections::HashMap, fmt::Debug, ops::RangeInclusive, sync::Arc};

use parking_lot::Mutex;
use tantivy::{
    DocId, Searcher, SegmentReader,
    columnar::{Cardinality, Column, ColumnValues},
    index::SegmentId,
};

use super::bits::{Bits, OF_WORD};
use crate::archive::Seconds;

/// A number of each document.
pub struct Numbered<T> {
    values: Arc<dyn ColumnValues<T>>,
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
        let is_full = column.get_cardinality() == Cardinality::Full;
        let mut numbered = Self {
            values: match is_full {
                true => column.values,
                false => column.first_or_default_col(T::default()),
            },
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
        }
        numbered
    }

    pub fn get(&self, document: DocId) -> T {
        self.values.get_val(document)
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
        let mut values = [T::default(); OF_WORD];
        let documents = self.values.num_vals() as usize;
        for (nth, (least, greatest)) in self.bounds.iter().enumerate() {
            if range.contains(least) && range.contains(greatest) {
                bits.add_word(nth, u64::MAX);
            } else if greatest >= range.start() && least <= range.end() {
                let from = nth * OF_WORD;
                let values = &mut values[..OF_WORD.min(documents - from)];
                self.values.get_range(from as u64, values);
                let within = |(bit, value): (usize, &T)| u64::from(range.contains(value)) << bit;
                bits.add_word(nth, values.iter().enumerate().map(within).fold(0, |all, bit| all | bit));
            }
        }
        true
    }
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
