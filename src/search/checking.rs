//! Whether index and archive agree: each message that somebody has is found, once, with exactly its users, and nothing
//! else is.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use serde::Serialize;
use tantivy::Searcher;

use super::{Index, SearchError, following::mark_of};
use crate::archive::{Hooks, Mark, MessageId, Store};

/// Messages that are compared at a time: what is held of each is two numbers.
const WINDOW: u64 = 1 << 20;
/// Differences that are told.
const MOST: usize = 10_000;
/// Filings behind the index's last group that are looked at: with more, it is too far behind to be compared.
const MOST_BEHIND: usize = 5_000_000;

/// What came of comparing.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Agreement {
    pub ok: bool,
    /// Messages that somebody has, and documents of the index.
    pub messages: u64,
    pub documents: u64,
    /// Groups of changes that came after what the index has; what they are about was not compared.
    pub behind: u64,
    /// At most ten thousand.
    pub damages: Vec<Difference>,
    pub damages_omitted: u64,
}

/// A message of which index and archive do not say the same.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// `null` where it is about a file of the index.
    pub id: Option<MessageId>,
    pub detail: String,
}

impl Agreement {
    fn add(&mut self, id: Option<MessageId>, detail: impl Into<String>) {
        match self.damages.len() < MOST {
            true => self.damages.push(Difference {
                id,
                detail: detail.into(),
            }),
            false => self.damages_omitted += 1,
        }
    }
}

/// Reads all files of the index, and compares it with the archive.
///
/// # Errors
/// Either cannot be read, it was interrupted, or the index is too far behind.
pub fn check(store: &Store, index: &Index, hooks: Hooks) -> Result<Agreement, SearchError> {
    let mut agreement = Agreement::default();
    for damage in index.damaged_files(hooks.go_on)? {
        agreement.add(None, damage);
    }
    let mark = mark_of(index, &store.id())?.unwrap_or(Mark::START);
    let searcher = index.searcher();
    agreement.documents = searcher.num_docs();
    (hooks.expect)(store.totals()?.0);
    let mut differing = Vec::new();
    let mut behind = MessageId::MIN;
    loop {
        let mut window = Vec::new();
        // A window of the archive, page by page.
        let end = loop {
            if !(hooks.go_on)() {
                return Err(SearchError::Interrupted);
            }
            let page = store.messages_behind(behind)?;
            let Some((last, _)) = page.last() else { break None };
            behind = *last;
            (hooks.passed)(page.len() as u64);
            for (id, message) in page {
                let holders = store.holders_of(id, &message)?.here;
                if !holders.is_empty() {
                    window.push((id, digest(holders.iter().map(|(user, _)| u64::from(user.0)))));
                }
            }
            if window.len() as u64 >= WINDOW {
                break Some(behind);
            }
        };
        agreement.messages += window.len() as u64;
        let from = window.first().map_or(behind, |(id, _)| *id);
        let beginning = if agreement.messages == window.len() as u64 {
            MessageId::MIN
        } else {
            from
        };
        compare(&searcher, index, beginning, end, window, &mut differing)?;
        if end.is_none() {
            break;
        }
    }
    let (came_since, groups) = came_since(store, mark)?;
    agreement.behind = groups;
    for (id, detail) in differing {
        if !came_since.contains(&id) {
            agreement.add(Some(id), detail);
        }
    }
    agreement.ok = agreement.damages.is_empty();
    Ok(agreement)
}

/// Compares the messages from one to another (to the end where there is none) with the documents of those.
fn compare(
    searcher: &Searcher,
    index: &Index,
    from: MessageId,
    to: Option<MessageId>,
    window: Vec<(MessageId, u64)>,
    differing: &mut Vec<(MessageId, &'static str)>,
) -> Result<(), SearchError> {
    let failed = || SearchError::of("reading the search index", index.path());
    let mut found = HashMap::with_capacity(window.len());
    for segment in searcher.segment_readers() {
        let ids = segment.fast_fields().u64("id").map_err(failed())?;
        let users = segment.fast_fields().u64("users").map_err(failed())?;
        for document in segment.doc_ids_alive() {
            let Some(id) = ids.first(document).map(MessageId) else {
                continue;
            };
            if id < from || to.is_some_and(|to| id > to) {
                continue;
            }
            if found.insert(id, digest(users.values_for_doc(document))).is_some() {
                differing.push((id, "it is in the index twice"));
            }
        }
    }
    for (id, users) in window {
        match found.remove(&id) {
            Some(found) if found == users => {}
            Some(_) => differing.push((id, "the index has it for other users than the archive")),
            None => differing.push((id, "it is not in the index")),
        }
    }
    differing.extend(
        found
            .into_keys()
            .map(|id| (id, "the index has it, and nobody's archive does")),
    );
    Ok(())
}

/// The messages that groups behind a mark are about, and how many groups there are.
fn came_since(store: &Store, mark: Mark) -> Result<(BTreeSet<MessageId>, u64), SearchError> {
    let (mut messages, mut groups, mut group) = (BTreeSet::new(), 0, mark.group);
    loop {
        let page = store.ledger_from(group.next(), 1000)?;
        let Some((last, _)) = page.last() else {
            return Ok((messages, groups));
        };
        group = *last;
        for (_, row) in page {
            groups += 1;
            messages.extend(row.group.about()?);
        }
        if messages.len() > MOST_BEHIND {
            return Err(SearchError::Failing {
                path: store.path().join(crate::config::SEARCH),
                why: "it is too far behind to be compared with the archive; run `dropkeep index`".into(),
            });
        }
    }
}

/// What stands for a set of users.
fn digest(users: impl Iterator<Item = u64>) -> u64 {
    let users: BTreeSet<u64> = users.collect();
    let mut hasher = DefaultHasher::new();
    users.hash(&mut hasher);
    hasher.finish()
}
