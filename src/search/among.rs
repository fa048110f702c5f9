//! How frequent words are among the messages that somebody may read. How well a message fits depends on it, and must not
//! say how frequent a word is in the mail of others.

use tantivy::{
    Searcher, Term,
    collector::Count,
    query::{Bm25StatisticsProvider, BooleanQuery, Query as Search, TermQuery},
    schema::{Field, IndexRecordOption},
};

/// Words of a field of a message, about: its length counts beside that.
const USUAL: u64 = 100;

/// The messages that count.
pub struct Among<'a> {
    pub searcher: &'a Searcher,
    /// Finds those that may be read.
    pub readable: Box<dyn Search>,
}

impl Among<'_> {
    fn count(&self, search: &dyn Search) -> tantivy::Result<u64> {
        Ok(self.searcher.search(search, &Count)? as u64)
    }
}

impl Bm25StatisticsProvider for Among<'_> {
    fn total_num_tokens(&self, _: Field) -> tantivy::Result<u64> {
        Ok(self.total_num_docs()?.saturating_mul(USUAL))
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        // None would be divided by.
        Ok(self.count(&*self.readable)?.max(1))
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let having: Box<dyn Search> = Box::new(TermQuery::new(term.clone(), IndexRecordOption::Basic));
        self.count(&BooleanQuery::intersection(vec![having, self.readable.box_clone()]))
    }
}
