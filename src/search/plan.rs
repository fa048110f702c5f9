//! What of the index is looked for, as [`compile`](super::compile) makes it of a query. Where the newest are wanted,
//! [`evaluate`](super::evaluate) finds it; where those that fit best are, the library does, which scores.

use std::ops::{Bound, RangeInclusive};

use tantivy::{
    Searcher, Term,
    query::{
        AllQuery, BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, EnableScoring, Occur, PhraseQuery,
        Query as Search, RangeQuery, TermQuery, TermSetQuery, Weight,
    },
    schema::{Field, IndexRecordOption},
};

use crate::archive::Seconds;

/// So many terms are looked up each by itself. With more, the library reads all terms there are.
const FEW: usize = 64;

/// Which documents are looked for.
pub enum Plan {
    Everything,
    Nothing,
    /// Those with a term, by which a document fits.
    Term(Term),
    /// Those with one of these terms, which says nothing of how well they fit.
    OneOf(Vec<Term>),
    Sent(Field, RangeInclusive<Seconds>),
    OfSize(Field, RangeInclusive<u64>),
    /// Those in which these terms stand one behind the other.
    Phrase(Vec<Term>, Box<dyn Weight>),
    /// What the library finds by itself.
    Search(Box<dyn Search>, Box<dyn Weight>),
    /// What fits so much better.
    Boosted(Box<Plan>, f32),
    Any(Vec<Plan>),
    /// All of the first, which are some, and none of the second.
    All(Vec<Plan>, Vec<Plan>),
}

impl Plan {
    /// What a search of the library finds.
    ///
    /// # Errors
    /// The library refuses it.
    pub fn of(search: Box<dyn Search>, searcher: &Searcher) -> tantivy::Result<Self> {
        let weight = weight(&*search, searcher)?;
        Ok(Self::Search(search, weight))
    }

    /// Two terms or more, one behind the other.
    ///
    /// # Errors
    /// See [`Self::of`].
    pub fn phrase(terms: Vec<Term>, searcher: &Searcher) -> tantivy::Result<Self> {
        let weight = weight(&PhraseQuery::new(terms.clone()), searcher)?;
        Ok(Self::Phrase(terms, weight))
    }

    /// Documents with one of these terms.
    ///
    /// # Errors
    /// See [`Self::of`].
    pub fn one_of(terms: Vec<Term>, searcher: &Searcher) -> tantivy::Result<Self> {
        match terms.len() {
            0 => Ok(Self::Nothing),
            1..=FEW => Ok(Self::OneOf(terms)),
            _ => Self::of(unscored(Box::new(TermSetQuery::new(terms))), searcher),
        }
    }

    pub fn any(mut plans: Vec<Self>) -> Self {
        match plans.len() {
            0 => Self::Nothing,
            1 => plans.remove(0),
            _ => Self::Any(plans),
        }
    }

    /// As a search of the library, whose score says how well a document fits.
    pub fn search(&self) -> Box<dyn Search> {
        let searches = |plans: &[Self]| plans.iter().map(Self::search).collect::<Vec<_>>();
        match self {
            Self::Everything => Box::new(AllQuery),
            Self::Nothing => Box::new(EmptyQuery),
            Self::Term(term) => Box::new(TermQuery::new(term.clone(), IndexRecordOption::WithFreqs)),
            // Of several, the library makes a set of documents.
            Self::OneOf(terms) if terms.len() == 1 => {
                unscored(Box::new(TermQuery::new(terms[0].clone(), IndexRecordOption::Basic)))
            }
            Self::OneOf(terms) => unscored(Box::new(TermSetQuery::new(terms.clone()))),
            Self::Sent(field, range) => between(range, |second| Term::from_field_i64(*field, second)),
            Self::OfSize(field, range) => between(range, |bytes| Term::from_field_u64(*field, bytes)),
            Self::Phrase(terms, _) => Box::new(PhraseQuery::new(terms.clone())),
            Self::Search(search, _) => search.box_clone(),
            Self::Boosted(plan, by) => Box::new(BoostQuery::new(plan.search(), *by)),
            Self::Any(plans) => Box::new(BooleanQuery::union(searches(plans))),
            Self::All(all, none) => {
                let all = searches(all).into_iter().map(|search| (Occur::Must, search));
                let none = searches(none).into_iter().map(|search| (Occur::MustNot, search));
                Box::new(BooleanQuery::new(all.chain(none).collect()))
            }
        }
    }
}

fn weight(search: &dyn Search, searcher: &Searcher) -> tantivy::Result<Box<dyn Weight>> {
    search.weight(EnableScoring::disabled_from_searcher(searcher))
}

/// A search of which the score says nothing.
pub fn unscored(search: Box<dyn Search>) -> Box<dyn Search> {
    Box::new(ConstScoreQuery::new(search, 0.0))
}

fn between<T: Copy>(range: &RangeInclusive<T>, term: impl Fn(T) -> Term) -> Box<dyn Search> {
    let (from, to) = (term(*range.start()), term(*range.end()));
    unscored(Box::new(RangeQuery::new(Bound::Included(from), Bound::Included(to))))
}
