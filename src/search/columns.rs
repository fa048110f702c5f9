//! Values of many documents of a column: those of a whole word of [`Bits`](super::bits::Bits) are unpacked together, which
//! takes less time than a few of them one by one.

use std::ops::Range;

use tantivy::{
    DocId,
    columnar::{
        Column, ColumnIndex,
        column_index::{MultiValueIndex, Set},
    },
};

use super::bits::{OF_WORD, of_word};

/// Documents of a word from which on all are unpacked.
pub const MANY: u32 = 8;

/// What was unpacked of a word's documents last, to be used again.
pub struct Unpacked {
    /// Where the values of each document begin, and where the last ones end.
    starts: [u32; OF_WORD + 1],
    values: Vec<u64>,
}

impl Default for Unpacked {
    fn default() -> Self {
        Self {
            starts: [0; OF_WORD + 1],
            values: Vec::new(),
        }
    }
}

impl Unpacked {
    /// Gives each value of the documents whose bits the `nth` word has.
    pub fn each(&mut self, column: &Column<u64>, nth: usize, word: u64, mut each: impl FnMut(u64)) {
        let from = (nth * OF_WORD) as DocId;
        let to = column.num_docs().min(from + OF_WORD as DocId);
        if word.count_ones() < MANY || !self.unpack(column, from..to) {
            for document in of_word(nth, word) {
                column.values_for_doc(document).for_each(&mut each);
            }
            return;
        }
        for document in of_word(nth, word) {
            let at = (document - from) as usize;
            let values = self.starts[at] as usize..self.starts[at + 1] as usize;
            self.values[values].iter().copied().for_each(&mut each);
        }
    }

    /// Unpacks the values of these documents, at most a word's. Says whether it did: not where one has none.
    fn unpack(&mut self, column: &Column<u64>, documents: Range<DocId>) -> bool {
        let starts = &mut self.starts[..=documents.len()];
        let ranks = match &column.index {
            ColumnIndex::Empty { .. } => return false,
            ColumnIndex::Full | ColumnIndex::Multivalued(MultiValueIndex::MultiValueIndexV1(_)) => documents.clone(),
            ColumnIndex::Optional(index) => index.rank(documents.start)..index.rank(documents.end),
            ColumnIndex::Multivalued(MultiValueIndex::MultiValueIndexV2(index)) => {
                index.optional_index.rank(documents.start)..index.optional_index.rank(documents.end)
            }
        };
        if ranks.len() != documents.len() {
            return false;
        }
        match &column.index {
            ColumnIndex::Multivalued(index) => index.get_start_index_column().get_range(ranks.start.into(), starts),
            _ => starts
                .iter_mut()
                .zip(ranks.start..)
                .for_each(|(start, row)| *start = row),
        }
        let first = starts[0];
        starts.iter_mut().for_each(|start| *start -= first);
        self.values.resize(starts[documents.len()] as usize, 0);
        column.values.get_range(first.into(), &mut self.values);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tantivy::{
        Index, TantivyDocument,
        schema::{FAST, Schema},
    };

    use super::*;

    proptest! {
        #[test]
        fn unpacked_together_they_are_the_same(
            (documents, words) in (
                prop::collection::vec(prop::collection::vec(0..5_000_u64, 0..3), 1..200),
                any::<[u64; 4]>(),
            ),
            least in 0..3_usize,
            most in 1..3_usize,
        ) {
            let mut schema = Schema::builder();
            let field = schema.add_u64_field("number", FAST);
            let index = Index::create_in_ram(schema.build());
            let mut writer = index.writer_with_num_threads(1, 15_000_000).unwrap();
            for values in &documents {
                let mut document = TantivyDocument::new();
                // Of a column that has one of each, or some of none, too.
                let wanted = values.len().clamp(least.min(most), most);
                let values = values.iter().copied().chain([7, 8]).take(wanted);
                values.for_each(|value| document.add_u64(field, value));
                writer.add_document(document).unwrap();
            }
            writer.commit().unwrap();
            let reader = index.reader().unwrap().searcher();
            let column = reader.segment_reader(0).fast_fields().u64("number").unwrap();
            let mut unpacked = Unpacked::default();
            for (nth, word) in words.into_iter().enumerate().take(documents.len().div_ceil(OF_WORD)) {
                let behind = documents.len() - nth * OF_WORD;
                let word = if behind < OF_WORD { word & ((1 << behind) - 1) } else { word };
                for word in [word, word & 0x1001, if behind < OF_WORD { word } else { u64::MAX }] {
                    let mut found = Vec::new();
                    unpacked.each(&column, nth, word, |value| found.push(value));
                    let wanted: Vec<_> = of_word(nth, word).flat_map(|document| column.values_for_doc(document)).collect();
                    prop_assert_eq!(found, wanted);
                }
            }
        }
    }
}
