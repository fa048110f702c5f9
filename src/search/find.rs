//! Finds messages: how many there are, and a page of them, the newest first or those that fit best. Where a page ends is
//! said by a cursor, which stays right while mail comes in.

use std::{cmp::Reverse, collections::BinaryHeap, fmt, str::FromStr, sync::Arc};

use jiff::Timestamp;
use tantivy::{
    DocId, Score, Searcher, SegmentOrdinal, SegmentReader,
    collector::{Collector, Count, SegmentCollector},
    columnar::ColumnValues,
};

use super::{
    Fields, FindError, SearchError,
    among::Among,
    compile::Compiler,
    facets::{Facets, count},
    query::Query,
};
use crate::{
    access::Archives,
    api::SearchOrder,
    archive::{FilingKey, MessageId, Seconds, User, UserId},
};

/// Messages of a page at most.
pub const PAGE: usize = 1000;

/// Behind which message a page begins. As text it is a word whose meaning is ours alone.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cursor {
    /// The score, where that orders.
    score: Option<Score>,
    date: Seconds,
    id: MessageId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { score, date, id } = *self;
        if let Some(score) = score {
            write!(f, "{:08x}", score.to_bits())?;
        }
        write!(f, "{}", FilingKey { date, id })
    }
}

/// Letters of a score in a cursor.
const SCORE: usize = 8;
/// Letters of a date and a number.
const PLACE: usize = 22;

impl FromStr for Cursor {
    type Err = FindError;

    fn from_str(text: &str) -> Result<Self, FindError> {
        let (score, place) = match text.len().checked_sub(PLACE) {
            Some(SCORE) if text.is_ascii() => {
                let bits = u32::from_str_radix(&text[..SCORE], 16).map_err(|_| FindError::NoPlace)?;
                (Some(Score::from_bits(bits)), &text[SCORE..])
            }
            _ => (None, text),
        };
        let FilingKey { date, id } = place.parse().map_err(|_| FindError::NoPlace)?;
        match score.is_none_or(Score::is_finite) {
            true => Ok(Self { score, date, id }),
            false => Err(FindError::NoPlace),
        }
    }
}

/// What is looked for, and how much is wanted.
pub struct Wanted<'w> {
    pub query: &'w Query,
    /// What may be found.
    pub archives: &'w Archives,
    /// The users whose archives these are, by which names in the query are understood.
    pub users: &'w [(UserId, User)],
    /// Only what this user has.
    pub of: Option<UserId>,
    /// What comes first; messages of one rank go by date and number.
    pub order: SearchOrder,
    /// Messages of this page, which [`PAGE`] bounds; with none, only their number is wanted.
    pub most: usize,
    pub after: Option<Cursor>,
    pub facets: bool,
    pub now: Timestamp,
}

impl<'w> Wanted<'w> {
    /// How many messages a query finds, whoever has them.
    pub fn all(query: &'w Query, archives: &'w Archives, now: Timestamp) -> Self {
        Self {
            query,
            archives,
            users: &[],
            of: None,
            order: SearchOrder::default(),
            most: 0,
            after: None,
            facets: false,
            now,
        }
    }
}

/// What was found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// How many there are, on all pages.
    pub total: u64,
    pub page: Vec<Hit>,
    /// Where the next page begins; `None` behind the last one.
    pub next: Option<Cursor>,
    pub facets: Option<Facets>,
}

/// A message that was found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hit {
    pub id: MessageId,
    pub date: Seconds,
    /// How well it fits, where that was asked for: the greater the better.
    pub score: Option<Score>,
}

/// Searches the index.
///
/// # Errors
/// The query asks for too much, the cursor is another order's, or the index cannot be read.
pub fn find(searcher: &Searcher, fields: &Fields, wanted: &Wanted) -> Result<Found, FindError> {
    let by_score = wanted.order == SearchOrder::Relevance;
    if wanted.after.is_some_and(|after| after.score.is_some() != by_score) {
        return Err(FindError::NoPlace);
    }
    let mut compiler = compiler(searcher, fields, wanted);
    let search = compiler.compile(wanted.query, wanted.of)?;
    let failed = || SearchError::of("searching", "the search index");
    let facets = match wanted.facets {
        true => Some(count(searcher, &search, wanted.archives, wanted.users)?),
        false => None,
    };
    let most = wanted.most.min(PAGE);
    if most == 0 {
        let total = searcher.search(&search, &Count).map_err(failed())? as u64;
        return Ok(Found {
            total,
            page: Vec::new(),
            next: None,
            facets,
        });
    }
    let page = First {
        by_score,
        most,
        after: wanted.after.map(Rank::from),
    };
    let found = match compiler.readable() {
        Some(readable) => searcher.search_with_statistics_provider(&search, &page, &Among { searcher, readable }),
        None => searcher.search(&search, &page),
    };
    let (total, mut ranks) = found.map_err(failed())?;
    let has_more = ranks.len() > most;
    ranks.truncate(most);
    let page: Vec<Hit> = ranks.iter().map(|rank| rank.hit(by_score)).collect();
    Ok(Found {
        total,
        next: page.last().filter(|_| has_more).map(Hit::cursor),
        page,
        facets,
    })
}

/// The numbers of all messages that are found, in the order of their numbers.
///
/// # Errors
/// The query asks for too much, or the index cannot be read.
pub fn find_all(searcher: &Searcher, fields: &Fields, wanted: &Wanted) -> Result<roaring::RoaringTreemap, FindError> {
    let search = compiler(searcher, fields, wanted).compile(wanted.query, wanted.of)?;
    Ok(searcher
        .search(&search, &Numbers)
        .map_err(SearchError::of("searching", "the search index"))?)
}

fn compiler<'c>(searcher: &'c Searcher, fields: &'c Fields, wanted: &'c Wanted) -> Compiler<'c> {
    Compiler {
        searcher,
        fields,
        archives: wanted.archives,
        users: wanted.users,
        now: wanted.now,
        compared: 0,
    }
}

impl Hit {
    /// Behind it.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            score: self.score,
            date: self.date,
            id: self.id,
        }
    }
}

/// By what a message is ordered: the greater, the earlier it comes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Rank {
    /// The score's bits, which order as scores do, because those are positive; 0 where it does not count.
    score: u32,
    date: Seconds,
    id: u64,
}

impl Rank {
    fn hit(&self, by_score: bool) -> Hit {
        Hit {
            id: MessageId(self.id),
            date: self.date,
            score: by_score.then(|| Score::from_bits(self.score)),
        }
    }
}

impl From<Cursor> for Rank {
    fn from(cursor: Cursor) -> Self {
        Self {
            score: cursor.score.map_or(0, bits),
            date: cursor.date,
            id: cursor.id.0,
        }
    }
}

fn bits(score: Score) -> u32 {
    score.max(0.0).to_bits()
}

/// Counts all, and keeps the first behind a place: one more than are wanted, which says whether there are more.
struct First {
    by_score: bool,
    most: usize,
    after: Option<Rank>,
}

struct FirstOfSegment {
    by_score: bool,
    most: usize,
    after: Option<Rank>,
    total: u64,
    kept: BinaryHeap<Reverse<Rank>>,
    dates: Arc<dyn ColumnValues<i64>>,
    ids: Arc<dyn ColumnValues<u64>>,
}

impl Collector for First {
    type Fruit = (u64, Vec<Rank>);
    type Child = FirstOfSegment;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<FirstOfSegment> {
        Ok(FirstOfSegment {
            by_score: self.by_score,
            most: self.most,
            after: self.after,
            total: 0,
            kept: BinaryHeap::with_capacity(self.most + 2),
            dates: segment.fast_fields().i64("date")?.first_or_default_col(0),
            ids: segment.fast_fields().u64("id")?.first_or_default_col(0),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.by_score
    }

    fn merge_fruits(&self, fruits: Vec<(u64, Vec<Rank>)>) -> tantivy::Result<(u64, Vec<Rank>)> {
        let total = fruits.iter().map(|(total, _)| total).sum();
        let mut ranks: Vec<Rank> = fruits.into_iter().flat_map(|(_, ranks)| ranks).collect();
        ranks.sort_unstable_by_key(|rank| Reverse(*rank));
        ranks.truncate(self.most + 1);
        Ok((total, ranks))
    }
}

impl FirstOfSegment {
    fn consider(&mut self, doc: DocId, score: Score, date: Seconds) {
        let mut rank = Rank {
            score: if self.by_score { bits(score) } else { 0 },
            date,
            id: u64::MAX,
        };
        // Its number is read only if it matters.
        let is_full = self.kept.len() > self.most;
        if is_full && self.kept.peek().is_some_and(|Reverse(last)| rank < *last) {
            return;
        }
        rank.id = self.ids.get_val(doc);
        if self.after.is_some_and(|after| rank >= after) {
            return;
        }
        self.kept.push(Reverse(rank));
        if self.kept.len() > self.most + 1 {
            self.kept.pop();
        }
    }
}

impl SegmentCollector for FirstOfSegment {
    type Fruit = (u64, Vec<Rank>);

    fn collect(&mut self, doc: DocId, score: Score) {
        self.total += 1;
        let date = self.dates.get_val(doc);
        self.consider(doc, score, date);
    }

    fn collect_block(&mut self, docs: &[DocId]) {
        let mut dates = [0; 64];
        for docs in docs.chunks(dates.len()) {
            self.total += docs.len() as u64;
            self.dates.get_vals(docs, &mut dates[..docs.len()]);
            for (doc, date) in docs.iter().zip(dates) {
                self.consider(*doc, 0.0, date);
            }
        }
    }

    fn harvest(self) -> (u64, Vec<Rank>) {
        (self.total, self.kept.into_iter().map(|Reverse(rank)| rank).collect())
    }
}

/// The numbers of messages.
struct Numbers;

struct NumbersOfSegment {
    ids: Arc<dyn ColumnValues<u64>>,
    found: roaring::RoaringTreemap,
}

impl Collector for Numbers {
    type Fruit = roaring::RoaringTreemap;
    type Child = NumbersOfSegment;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<NumbersOfSegment> {
        Ok(NumbersOfSegment {
            ids: segment.fast_fields().u64("id")?.first_or_default_col(0),
            found: roaring::RoaringTreemap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<roaring::RoaringTreemap>) -> tantivy::Result<roaring::RoaringTreemap> {
        Ok(fruits
            .into_iter()
            .fold(roaring::RoaringTreemap::new(), |all, found| all | found))
    }
}

impl SegmentCollector for NumbersOfSegment {
    type Fruit = roaring::RoaringTreemap;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.found.insert(self.ids.get_val(doc));
    }

    fn harvest(self) -> roaring::RoaringTreemap {
        self.found
    }
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
