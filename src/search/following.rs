//! Bringing the index up to date with the ledger: which messages groups are about, and when what was indexed is
//! committed.

use std::{
    collections::BTreeSet,
    sync::Arc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

use tantivy::{
    IndexWriter, TantivyError, Term,
    indexer::{IndexWriterOptions, LogMergePolicy, MergePolicy},
};

use super::{Entry, Index, Maker, Reach, SearchError};
use crate::{
    archive::{About, Follower, Group, Mark, MessageId, Store},
    config,
    extract::Extractor,
    held::Held,
};

/// Bytes of documents between the one who makes them and the library.
const ON_THEIR_WAY: u64 = 8 << 20;
/// Threads that write: each makes segments of its own, and they take about twice the time that making documents takes.
const WRITERS: usize = 2;
/// For how long what was indexed waits for more, and how long it waits at most.
pub(super) const QUIET: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);
/// So many do not wait.
const ENOUGH: u64 = 2_000;
/// Documents of a commit at most, but for the last group of it.
const BATCH: u64 = 50_000;
/// Messages of which is read at once what the catalog says.
const AT_ONCE: usize = 4096;
/// Groups of which each message is looked at, to say how many are behind.
const LOOKED_AT: usize = 16;
/// Segments of like size that are merged: each has its own dictionaries, which take room, and time with each search.
const TOGETHER: usize = 4;
/// Deleted documents of a segment, as a share, above which it is written anew.
const DELETED: f32 = 0.3;

/// Writes the index.
pub(super) struct Following<'s> {
    store: &'s Arc<Store>,
    index: Index,
    writer: IndexWriter<Entry>,
    follower: Follower,
    maker: Maker<'s>,
    on_their_way: Arc<Held>,
    archive: String,
    /// What was indexed since the last commit: documents, and since when.
    pending: Option<(u64, Instant)>,
    /// When a group came last.
    came: Instant,
    /// Where the last commit reaches.
    committed: Mark,
    /// Documents whose messages could not be read.
    unread: u64,
}

/// How it went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is more to do at once.
    More,
    /// All is indexed; it is committed once nothing new came for so long.
    Wait(Duration),
    /// All is indexed and committed.
    UpToDate,
}

impl<'s> Following<'s> {
    /// Opens the index, and makes it anew where it is not this archive's as it is; says why then. `anew`: in any case.
    /// `opened` hears of it before anything is written.
    ///
    /// # Errors
    /// The index or the store cannot be read, or the index not written.
    pub fn begin(
        store: &'s Arc<Store>,
        settings: &config::Search,
        anew: Option<&str>,
        opened: impl FnOnce(&Index),
    ) -> Result<(Self, Option<String>), SearchError> {
        let path = store.path().join(config::SEARCH);
        let archive = store.id();
        let (found, why) = match anew {
            Some(why) => (None, why.to_owned()),
            None => match Index::open(&path) {
                Ok(Some(index)) => {
                    let found = mark_of(&index, &archive).and_then(|mark| match mark {
                        Some(mark) => Ok(Follower::new(store.clone(), mark)?.map(|follower| (mark, follower))),
                        None => Ok(None),
                    });
                    match found {
                        Ok(Some((mark, follower))) => (Some((index, mark, follower)), String::new()),
                        Ok(None) => (
                            None,
                            "it is that of another archive, or of another version of dropkeep".into(),
                        ),
                        Err(error) if error.is_damage() => (None, error.to_string()),
                        Err(error) => return Err(error),
                    }
                }
                Ok(None) => (None, "there was none".into()),
                Err(error) if error.is_damage() => (None, error.to_string()),
                Err(error) => return Err(error),
            },
        };
        let (index, mark, follower) = match found {
            Some(found) => found,
            None => {
                let start = Follower::new(store.clone(), Mark::START)?;
                let follower = start.ok_or_else(|| SearchError::Damaged {
                    path: path.clone(),
                    detail: "the ledger cannot be followed from its beginning".into(),
                })?;
                (Index::make(&path)?, Mark::START, follower)
            }
        };
        opened(&index);
        let failed = || index.unwritten("writing the search index");
        let writer = writer(&index.inner, settings.memory()).map_err(failed())?;
        // What a crash or a full disk left of what was not committed.
        writer.garbage_collect_files().wait().map_err(failed())?;
        let following = Self {
            maker: Maker::new(store, *index.fields()),
            store,
            index,
            writer,
            follower,
            on_their_way: Arc::new(Held::new(ON_THEIR_WAY)),
            archive,
            pending: None,
            came: Instant::now(),
            committed: mark,
            unread: 0,
        };
        Ok((following, (!why.is_empty()).then_some(why)))
    }

    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Where the last commit reaches.
    pub fn committed(&self) -> Mark {
        self.committed
    }

    /// Documents indexed since then.
    pub fn pending(&self) -> u64 {
        self.pending.map_or(0, |(documents, _)| documents)
    }

    /// Documents that were made of what the catalog says alone, since this began.
    pub fn unread(&self) -> u64 {
        self.unread
    }

    /// The follower, to wait for the next group.
    pub fn follower(&mut self) -> &mut Follower {
        &mut self.follower
    }

    /// Indexes the next group, or commits. `go_on` is asked before each message: where it says no, what is not committed
    /// is left to the next time.
    ///
    /// # Errors
    /// The store cannot be read, or the index not written: nothing of this can be used any more.
    pub fn step(&mut self, extractor: &mut Extractor, go_on: &dyn Fn() -> bool) -> Result<Step, SearchError> {
        if let Some(damage) = self.index.damage() {
            return Err(damage);
        }
        match self.follower.next(1)? {
            Some(page) => {
                self.came = Instant::now();
                for (_, group) in page {
                    if !self.index_group(&group, extractor, go_on)? {
                        return Ok(Step::More);
                    }
                }
                if let Some((documents, since)) = self.pending
                    && (documents >= BATCH || since.elapsed() >= LONGEST)
                {
                    self.commit()?;
                }
                Ok(Step::More)
            }
            None if self.committed == self.follower.mark() => Ok(Step::UpToDate),
            None => {
                let quiet = self.came.elapsed();
                let is_late = self.pending.is_some_and(|(_, since)| since.elapsed() >= LONGEST);
                let is_little = self.pending.is_some_and(|(documents, _)| documents < ENOUGH);
                if quiet < QUIET && !is_late && is_little {
                    return Ok(Step::Wait(QUIET - quiet));
                }
                self.commit()?;
                Ok(Step::More)
            }
        }
    }

    /// Indexes the messages that a group is about. Gives whether it came to the end.
    fn index_group(
        &mut self,
        group: &Group,
        extractor: &mut Extractor,
        go_on: &dyn Fn() -> bool,
    ) -> Result<bool, SearchError> {
        let ids: Vec<MessageId> = group.about()?.into_iter().collect();
        let mut left = ids.as_slice();
        while !left.is_empty() {
            let all = self.store.about(&left[..left.len().min(AT_ONCE)])?;
            left = &left[all.len()..];
            for about in all {
                if !go_on() {
                    return Ok(false);
                }
                // What it kept itself cannot be there yet.
                self.index_message(about.id < group.first, about, extractor)?;
            }
        }
        Ok(true)
    }

    /// Indexes a message, in place of what the index may have of it.
    fn index_message(&mut self, is_older: bool, about: About, extractor: &mut Extractor) -> Result<(), SearchError> {
        let id = about.id;
        if is_older {
            self.writer
                .delete_term(Term::from_field_u64(self.index.fields().id, id.0));
        }
        let Some(made) = self.maker.make(about, extractor)? else {
            return Ok(());
        };
        if let Some(error) = made.unread {
            self.unread += 1;
            tracing::warn!(%id, %error, "the message is found by its date, size and users only");
        }
        let mut entry = made.entry;
        entry.weight = Some(Held::take(self.on_their_way.clone(), entry.bytes() as u64));
        if let Err(error) = self.writer.add_document(entry) {
            return Err(self.why_it_ended(error));
        }
        let (documents, _) = self.pending.get_or_insert_with(|| (0, Instant::now()));
        *documents += 1;
        Ok(())
    }

    /// The library's thread that writes has ended: its own error says why.
    fn why_it_ended(&mut self, error: TantivyError) -> SearchError {
        let error = self.writer.prepare_commit().err().unwrap_or(error);
        self.index.unwritten("writing the search index")(error)
    }

    /// Commits what was indexed, and has it found.
    ///
    /// # Errors
    /// The index cannot be written.
    fn commit(&mut self) -> Result<(), SearchError> {
        // What is lost is not taken for what it was.
        if let Some(damage) = self.index.look() {
            return Err(damage);
        }
        let mark = self.follower.mark();
        let reach = Reach::new(self.archive.clone(), mark).to_json();
        let failed = || self.index.unwritten("committing to the search index");
        let mut prepared = self.writer.prepare_commit().map_err(failed())?;
        prepared.set_payload(&reach);
        prepared.commit().map_err(failed())?;
        self.index.reload()?;
        (self.committed, self.pending) = (mark, None);
        Ok(())
    }

    /// What is not committed yet.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn behind(&self) -> Result<Behind, SearchError> {
        Behind::of(self.store, self.committed)
    }
}

/// What an index does not have yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behind {
    /// Messages that were kept since, and those that were filed for more people by the first groups since.
    pub messages: u64,
    /// When the first of these groups was written, in seconds since 1970.
    pub since: Option<i64>,
}

impl Behind {
    /// What came after a mark.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn of(store: &Store, mark: Mark) -> Result<Self, SearchError> {
        let first = store.ledger_from(mark.group.next(), LOOKED_AT)?;
        let (Some((_, next)), Some((_, last))) = (first.first(), store.last_group()?) else {
            return Ok(Self::default());
        };
        let new = next.group.first;
        let mut older = BTreeSet::new();
        for (_, row) in &first {
            older.extend(
                row.group
                    .filings
                    .pairs()?
                    .into_iter()
                    .filter(|(id, _)| *id < new)
                    .map(|(id, _)| id),
            );
        }
        Ok(Self {
            messages: last.group.next().0.saturating_sub(new.0) + older.len() as u64,
            since: Some(next.group.at),
        })
    }
}

/// Where an index reaches in this archive.
pub(super) fn mark_of(index: &Index, archive: &str) -> Result<Option<Mark>, SearchError> {
    Ok(index.reach()?.and_then(|reach| reach.mark(archive)))
}

/// What writes to an index, with so many bytes of memory.
fn writer(index: &tantivy::Index, memory: usize) -> tantivy::Result<IndexWriter<Entry>> {
    let threads = (memory / config::Search::LEAST)
        .min(WRITERS)
        .min(available_parallelism().map_or(1, usize::from))
        .max(1);
    let options = IndexWriterOptions::builder()
        .num_worker_threads(threads)
        .num_merge_threads(1)
        .memory_budget_per_thread(memory / threads)
        .build();
    let writer = index.writer_with_options(options)?;
    writer.set_merge_policy(Box::new(policy()));
    // The library numbers what is done from the number of the last commit on, and that number is taken already: a
    // deletion with it passes over segments from which that commit deleted something, where a merge begins before the
    // next commit. Doing nothing takes a number.
    writer.run([])?;
    Ok(writer)
}

/// Segments of like size are merged, and those of which much was deleted.
fn policy() -> impl MergePolicy {
    let mut policy = LogMergePolicy::default();
    policy.set_del_docs_ratio_before_merge(DELETED);
    policy.set_min_num_segments(TOGETHER);
    policy
}

/// Documents of an index, those that are not deleted.
pub(super) fn documents(index: &Index) -> u64 {
    index.searcher().num_docs()
}

/// Files of an index's segments take so many bytes.
pub(super) fn bytes(index: &Index) -> u64 {
    let files = std::fs::read_dir(index.path()).into_iter().flatten().flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use tantivy::{collector::Count, indexer::NoMergePolicy, query::TermQuery, schema::IndexRecordOption};

    use super::*;

    /// With the number that the last commit had, the deletion passed over the second segment.
    #[test]
    fn what_is_deleted_first_after_a_start_is_gone_from_segments_that_are_merged_meanwhile() {
        const MEMORY: usize = 16 << 20;
        let index = Index::in_memory().unwrap();
        let id = |id| Term::from_field_u64(index.fields().id, id);
        let add = |writer: &IndexWriter<Entry>, number| {
            let mut entry = Entry::default();
            entry.number(index.fields().id, number);
            writer.add_document(entry).unwrap();
        };
        // Of itself it would merge them, sooner or later.
        let writer = || {
            let writer = writer(&index.inner, MEMORY).unwrap();
            writer.set_merge_policy(Box::new(NoMergePolicy));
            writer
        };
        let mut before = writer();
        add(&before, 1);
        before.commit().unwrap();
        let first = index.inner.searchable_segment_ids().unwrap();
        add(&before, 2);
        add(&before, 3);
        before.commit().unwrap();
        before.delete_term(id(3));
        before.commit().unwrap();
        drop(before);
        let mut after = writer();
        after.delete_term(id(2));
        let mut segments = index.inner.searchable_segment_ids().unwrap();
        segments.sort_by_key(|segment| !first.contains(segment));
        assert_eq!(segments.len(), 2);
        after.merge(&segments).wait().unwrap();
        after.commit().unwrap();
        index.reload().unwrap();
        let count = |number| {
            let query = TermQuery::new(id(number), IndexRecordOption::Basic);
            index.searcher().search(&query, &Count).unwrap()
        };
        assert_eq!([1, 2, 3].map(count), [1, 0, 0]);
    }
}
