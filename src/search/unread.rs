//! The attachments whose text is not in the index, or not all of it: each is found by its kind and by how reading it ended,
//! and the index keeps what a result says about it.

use std::collections::HashMap;

use tantivy::{DocSet, TERMINATED, Term, schema::IndexRecordOption};

use super::{SearchError, index::View};
use crate::{
    api::UnreadLine,
    archive::MessageId,
    extract::{Extracted, Kind, Outcome},
};

/// Attachments of a message that are noted.
pub(super) const MOST: usize = 100;
/// Bytes of a name.
const NAME: usize = 1 << 10;
/// What is asked for to find all of them.
pub const ANY: &str = "*";

/// What one can be asked for by: kinds, and how reading ended.
pub fn words() -> impl Iterator<Item = &'static str> {
    let ended = Outcome::WORDS
        .into_iter()
        .filter(|word| !Outcome::SAYS_NOTHING.contains(word));
    Kind::ALL.map(Kind::as_str).into_iter().chain(ended)
}

/// What a result says about an attachment; `None` where it was read.
pub(super) fn told(name: Option<&str>, extracted: &Extracted) -> Option<UnreadLine> {
    let Extracted { kind, outcome, .. } = extracted;
    let name = name.map(|name| name[..name.floor_char_boundary(NAME)].to_owned());
    (!outcome.is_whole()).then(|| UnreadLine {
        name,
        kind: kind.as_str().to_owned(),
        outcome: outcome.as_str().to_owned(),
        why: outcome.why().map(str::to_owned),
    })
}

/// The attachments of these messages that were not read whole, of each that has one.
///
/// # Errors
/// The index cannot be read.
pub fn unread(
    view: &View,
    messages: impl Iterator<Item = MessageId> + Clone,
) -> Result<HashMap<MessageId, Vec<UnreadLine>>, SearchError> {
    let failed = || SearchError::of("reading", "the search index");
    let mut found = HashMap::<_, Vec<_>>::new();
    for segment in view.searcher.segment_readers() {
        let Some(column) = segment.fast_fields().str("unread_told").map_err(failed())? else {
            continue;
        };
        let ids = segment.inverted_index(view.fields.id).map_err(failed())?;
        for id in messages.clone() {
            let term = Term::from_field_u64(view.fields.id, id.0);
            let documents = ids.read_postings(&term, IndexRecordOption::Basic);
            let Some(mut documents) = documents.map_err(|error| failed()(error.into()))? else {
                continue;
            };
            while documents.doc() != TERMINATED {
                let document = documents.doc();
                documents.advance();
                if segment.alive_bitset().is_some_and(|alive| alive.is_deleted(document)) {
                    continue;
                }
                for ord in column.term_ords(document) {
                    let mut text = String::new();
                    let is_there = column.ord_to_str(ord, &mut text);
                    if is_there.map_err(|error| failed()(error.into()))? {
                        found
                            .entry(id)
                            .or_default()
                            .extend(serde_json::from_str::<UnreadLine>(&text).ok());
                    }
                }
            }
        }
    }
    Ok(found)
}
