//! Finds what a [plan](super::plan) looks for in a part of the index, all of it, as [`Bits`]. Postings are read by blocks,
//! and sets are combined by words; where few documents are left, only those are looked at.

use std::sync::Arc;

use tantivy::{
    DocId, DocSet, InvertedIndexReader, SeekDangerResult, SegmentReader, TERMINATED, Term, postings::TermInfo,
    query::Weight, schema::IndexRecordOption,
};

use super::{
    bits::Bits,
    numbers::Numbers,
    phrases::{PhrasesLast, is_worth_keeping},
    plan::Plan,
};

/// Looking at a document by itself takes as long as reading so many of a row.
const BY_ITSELF: u64 = 16;
/// What the library finds by itself takes, for each document of the part, as long as so many of a row.
const BY_LIBRARY: u64 = 8;

/// A part of the index.
pub struct Part<'p> {
    pub segment: &'p SegmentReader,
    pub numbers: &'p Numbers,
    pub phrases: &'p PhrasesLast,
}

/// A plan in a part of the index.
enum Here<'p> {
    Everything,
    Term(Arc<InvertedIndexReader>, TermInfo),
    /// Numbers within a range, and what finds them where a document may have none.
    Within(&'p Plan),
    Phrase(&'p [Term], &'p dyn Weight),
    /// What was found before.
    Known(Arc<Bits>),
    Library(&'p dyn Weight),
    Any(Vec<Here<'p>>),
    All(Vec<Here<'p>>, Vec<Here<'p>>),
}

impl Part<'_> {
    /// The documents that a plan looks for, without those that were deleted.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn find(&self, plan: &Plan) -> tantivy::Result<Bits> {
        let mut found = self.none();
        self.add(&self.here(plan)?, &mut found)?;
        if let Some(alive) = self.segment.alive_bitset() {
            found.retain(|document| alive.is_alive(document));
        }
        Ok(found)
    }

    fn none(&self) -> Bits {
        Bits::none(self.segment.max_doc())
    }

    fn here<'p>(&self, plan: &'p Plan) -> tantivy::Result<Here<'p>> {
        let each = |plans: &'p [Plan]| {
            plans
                .iter()
                .map(|plan| self.here(plan))
                .collect::<tantivy::Result<Vec<_>>>()
        };
        Ok(match plan {
            Plan::Everything => Here::Everything,
            Plan::Nothing => Here::Any(Vec::new()),
            Plan::Term(term) => self.term(term)?,
            Plan::OneOf(terms) => Here::Any(terms.iter().map(|term| self.term(term)).collect::<Result<_, _>>()?),
            Plan::Sent(..) | Plan::OfSize(..) => Here::Within(plan),
            Plan::Phrase(terms, weight) => match self.phrases.of(self.segment.segment_id(), terms) {
                Some(known) => Here::Known(known),
                None => Here::Phrase(terms, &**weight),
            },
            Plan::Search(_, weight) => Here::Library(&**weight),
            Plan::Boosted(plan, _) => self.here(plan)?,
            Plan::Any(plans) => Here::Any(each(plans)?),
            Plan::All(all, none) => Here::All(each(all)?, each(none)?),
        })
    }

    fn term<'p>(&self, term: &Term) -> tantivy::Result<Here<'p>> {
        let index = self.segment.inverted_index(term.field())?;
        Ok(match index.get_term_info(term)? {
            // One that each has is not read.
            Some(info) if info.doc_freq == self.segment.max_doc() => Here::Everything,
            Some(info) => Here::Term(index, info),
            None => Here::Any(Vec::new()),
        })
    }

    /// How long it takes to find these, as reading a row of so many does.
    fn cost(&self, here: &Here) -> u64 {
        let most = u64::from(self.segment.max_doc());
        match here {
            Here::Everything | Here::Known(_) => most / BY_ITSELF,
            Here::Term(_, info) => info.doc_freq.into(),
            Here::Within(_) => most,
            Here::Phrase(..) | Here::Library(_) => most * BY_LIBRARY,
            Here::Any(any) => any.iter().map(|here| self.cost(here)).sum(),
            Here::All(all, none) => {
                let first = all.iter().map(|here| self.cost(here)).min().unwrap_or_default();
                let (all, none) = (all.len() as u64, none.len() as u64);
                first.saturating_mul(all + none)
            }
        }
    }

    /// Adds what is found.
    fn add(&self, here: &Here, found: &mut Bits) -> tantivy::Result<()> {
        match here {
            Here::Everything => found.fill(),
            Here::Term(index, info) => {
                let mut blocks = index.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
                while !blocks.docs().is_empty() {
                    found.add_all(blocks.docs());
                    blocks.advance();
                }
            }
            Here::Within(plan) => self.add_within(plan, found)?,
            Here::Known(known) => found.join(known),
            Here::Phrase(terms, weight) => self.add_phrase(terms, *weight, found)?,
            Here::Library(weight) => add_all(&mut *weight.scorer(self.segment, 1.0)?, found),
            Here::Any(any) => {
                for here in any {
                    self.add(here, found)?;
                }
            }
            Here::All(all, none) => {
                let mut all: Vec<_> = all.iter().collect();
                all.sort_by_cached_key(|here| self.cost(here));
                let Some((first, rest)) = all.split_first() else {
                    return Ok(());
                };
                let mut these = self.none();
                self.add(first, &mut these)?;
                for here in rest {
                    self.narrow(&mut these, here, true)?;
                }
                for here in none {
                    self.narrow(&mut these, here, false)?;
                }
                found.join(&these);
            }
        }
        Ok(())
    }

    /// Adds those that have a phrase, and keeps which these are.
    fn add_phrase(&self, terms: &[Term], weight: &dyn Weight, found: &mut Bits) -> tantivy::Result<()> {
        let mut these = self.none();
        add_all(&mut *weight.scorer(self.segment, 1.0)?, &mut these);
        found.join(&these);
        let mut rarest = self.segment.max_doc();
        for term in terms {
            rarest = rarest.min(self.segment.inverted_index(term.field())?.doc_freq(term)?);
        }
        if is_worth_keeping(rarest, self.segment.max_doc()) {
            self.phrases.keep(self.segment.segment_id(), terms, Arc::new(these));
        }
        Ok(())
    }

    /// Keeps of `these` those that are found, or those that are not.
    fn narrow(&self, these: &mut Bits, here: &Here, keep: bool) -> tantivy::Result<()> {
        let count = these.count();
        if count == 0 {
            return Ok(());
        }
        let mut found = self.none();
        if count.saturating_mul(BY_ITSELF) < self.cost(here) {
            let few: Vec<DocId> = these.iter().collect();
            self.add_of(here, &few, &mut found)?;
        } else {
            self.add(here, &mut found)?;
        }
        these.keep(&found, keep);
        Ok(())
    }

    /// Adds those of some documents, in their order, that are found.
    fn add_of(&self, here: &Here, few: &[DocId], found: &mut Bits) -> tantivy::Result<()> {
        match here {
            Here::Everything => found.add_all(few),
            Here::Term(index, info) => {
                let mut postings = index.read_postings_from_terminfo(info, IndexRecordOption::Basic)?;
                let mut at = postings.doc();
                for document in few {
                    if at < *document {
                        at = postings.seek(*document);
                    }
                    match at {
                        TERMINATED => break,
                        at if at == *document => found.add(at),
                        _ => {}
                    }
                }
            }
            Here::Within(plan) => {
                let mut within = self.none();
                self.add_within(plan, &mut within)?;
                found.add_those(few, &within);
            }
            Here::Known(known) => found.add_those(few, known),
            Here::Phrase(_, weight) | Here::Library(weight) => add_of_library(*weight, self.segment, few, found)?,
            Here::Any(any) => {
                for here in any {
                    self.add_of(here, few, found)?;
                }
            }
            Here::All(all, none) => {
                let mut left = few.to_vec();
                let clauses = all
                    .iter()
                    .map(|here| (here, true))
                    .chain(none.iter().map(|here| (here, false)));
                for (here, keep) in clauses {
                    let mut these = self.none();
                    self.add_of(here, &left, &mut these)?;
                    left.retain(|document| these.has(*document) == keep);
                }
                found.add_all(&left);
            }
        }
        Ok(())
    }

    fn add_within(&self, plan: &Plan, found: &mut Bits) -> tantivy::Result<()> {
        let told = match plan {
            Plan::Sent(_, range) => self.numbers.dates.add_within(range, found),
            Plan::OfSize(_, range) => self.numbers.sizes.add_within(range, found),
            _ => false,
        };
        if !told {
            // Without scores, it needs nothing of the whole index.
            let search = plan.search();
            let schema = self.segment.schema();
            let weight = search.weight(tantivy::query::EnableScoring::disabled_from_schema(schema))?;
            add_all(&mut *weight.scorer(self.segment, 1.0)?, found);
        }
        Ok(())
    }
}

fn add_all(documents: &mut dyn DocSet, found: &mut Bits) {
    let mut buffer = [0; tantivy::COLLECT_BLOCK_BUFFER_LEN];
    loop {
        let read = documents.fill_buffer(&mut buffer);
        found.add_all(&buffer[..read]);
        if read < buffer.len() {
            return;
        }
    }
}

/// Asks the library of each document by itself, which is then not on its way to the next one that it finds.
fn add_of_library(
    weight: &dyn Weight,
    segment: &SegmentReader,
    few: &[DocId],
    found: &mut Bits,
) -> tantivy::Result<()> {
    let Some((first, rest)) = few.split_first() else {
        return Ok(());
    };
    let (mut is_there, mut scorer) = weight.scorer_danger(segment, *first, 1.0)?;
    let mut document = first;
    let mut rest = rest.iter();
    loop {
        let next = match is_there {
            SeekDangerResult::Found => {
                found.add(*document);
                rest.next()
            }
            // Before that there is none.
            SeekDangerResult::SeekLowerBound(bound) => rest.find(|document| **document >= bound),
        };
        let Some(next) = next else { return Ok(()) };
        document = next;
        is_there = scorer.seek_danger(*document);
    }
}

#[cfg(test)]
#[path = "evaluate_tests.rs"]
mod tests;
