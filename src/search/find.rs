//! Finds messages: how many there are, and a page of them, the newest first or those that fit best. Where a page ends is
//! said by a cursor, which stays right while mail comes in.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use tantivy::Score;

use super::{
    FindError, SearchError,
    among::Among,
    bits::Bits,
    compile::{Compiler, Spent},
    counted::Facets,
    facets::count,
    index::View,
    plan::Plan,
    query::Query,
    ranks::{self, First, Rank},
    shared_out::shared_out,
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
pub fn find(view: &View, wanted: &Wanted) -> Result<Found, FindError> {
    let by_score = wanted.order == SearchOrder::Relevance;
    if wanted.after.is_some_and(|after| after.score.is_some() != by_score) {
        return Err(FindError::NoPlace);
    }
    let mut compiler = compiler(view, wanted);
    let plan = compiler.compile(wanted.query, wanted.of)?;
    let readable = compiler.readable()?;
    let failed = || SearchError::of("searching", "the search index");
    let found = documents(view, &plan).map_err(failed())?;
    let facets = match wanted.facets {
        true => Some(count(view, &found, wanted.archives, wanted.users)?),
        false => None,
    };
    let most = wanted.most.min(PAGE);
    let page = First {
        by_score,
        most,
        after: wanted.after.map(Rank::from),
    };
    let mut ranks = match (most, by_score, readable) {
        (0, ..) => Vec::new(),
        (_, false, _) => page.by_date(&found, &view.numbers),
        (_, true, Some(readable)) => {
            let among = Among {
                searcher: &view.searcher,
                readable: readable.search(),
            };
            let found = view
                .searcher
                .search_with_statistics_provider(&plan.search(), &page, &among);
            found.map_err(failed())?
        }
        (_, true, None) => view.searcher.search(&plan.search(), &page).map_err(failed())?,
    };
    let has_more = ranks.len() > most;
    ranks.truncate(most);
    let page: Vec<Hit> = ranks.iter().map(|rank| Hit::of(rank, by_score)).collect();
    Ok(Found {
        total: found.iter().map(Bits::count).sum(),
        next: page.last().filter(|_| has_more).map(Hit::cursor),
        page,
        facets,
    })
}

/// The numbers of all messages that are found, in the order of their numbers.
///
/// # Errors
/// The query asks for too much, or the index cannot be read.
pub fn find_all(view: &View, wanted: &Wanted) -> Result<roaring::RoaringTreemap, FindError> {
    let plan = compiler(view, wanted).compile(wanted.query, wanted.of)?;
    let found = documents(view, &plan).map_err(SearchError::of("searching", "the search index"))?;
    let mut ids = roaring::RoaringTreemap::new();
    for (found, numbers) in found.iter().zip(&view.numbers) {
        ids.extend(found.iter().map(|document| numbers.ids.get_val(document)));
    }
    Ok(ids)
}

/// What is found in each part of the index.
fn documents(view: &View, plan: &Plan) -> tantivy::Result<Vec<Bits>> {
    let parts: Vec<_> = view.parts().collect();
    shared_out(&parts, |part| part.segment.max_doc(), |part| part.find(plan))
}

fn compiler<'c>(view: &'c View, wanted: &'c Wanted) -> Compiler<'c> {
    Compiler {
        searcher: &view.searcher,
        fields: &view.fields,
        archives: wanted.archives,
        users: wanted.users,
        now: wanted.now,
        by_score: wanted.order == SearchOrder::Relevance,
        spent: Spent::default(),
    }
}

impl Hit {
    fn of(rank: &Rank, by_score: bool) -> Self {
        Self {
            id: MessageId(rank.id),
            date: rank.date,
            score: by_score.then(|| Score::from_bits(rank.score)),
        }
    }

    /// Behind it.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            score: self.score,
            date: self.date,
            id: self.id,
        }
    }
}

impl From<Cursor> for Rank {
    fn from(cursor: Cursor) -> Self {
        Self {
            score: cursor.score.map_or(0, ranks::bits),
            date: cursor.date,
            id: cursor.id.0,
        }
    }
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "wild_tests.rs"]
mod wild_tests;
