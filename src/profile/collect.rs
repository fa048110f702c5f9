//! What one connection does of a run's work: lists folders, and fetches in windows what is open in them.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use super::{
    collect_error::{CollectError, is_refusal, unless_cancelled},
    collecting::{Collecting, Current},
    fetcher::Fetcher,
    fetching::UnitFetcher,
    jobs::{FolderError, Job, Jobs, Unit},
    task::Task,
    windows::{SIZES, WINDOW_BYTES, WINDOW_COPIES, fill_a_window, window},
};
use crate::{
    report::Outcome,
    said::{Said, said},
    source::{CopyRef, Listing, Session, SourceError},
};

/// By how much windows grow again, after a lost connection made them one copy.
const GROWTH: usize = 8;

/// Works on what is left of a run until nothing is. What was fetched has its outcome when this returns, also when it
/// returns an error; what the connection held is not given back.
pub async fn work(
    task: &Arc<Task>,
    session: &mut Session,
    number: u64,
    jobs: &Jobs,
    lane: usize,
) -> Result<(), CollectError> {
    let mut work = Collecting::new(task, number, jobs);
    let worked = work.through_jobs(session, lane).await;
    // Whatever happened to the source: what is on its way is committed and counted.
    let judged = work.judge_all().await;
    let flushed = work.flush().await;
    worked.and(judged).and(flushed)?;
    work.voyage.land();
    Ok(())
}

impl<'t> Collecting<'t> {
    async fn through_jobs(&mut self, session: &mut Session, lane: usize) -> Result<(), CollectError> {
        let committer = self.task.stages.committer.clone();
        let cancel = self.task.cancel.clone();
        loop {
            let next = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(CollectError::Cancelled),
                next = self.jobs.next(lane) => next,
            };
            // While more is fetched the committer may wait for it, to make larger blocks.
            let _more = committer.more_coming();
            let (folder, done) = match next {
                None => return Ok(()),
                Some(Job::List(folder, losses)) if losses.are_too_many() => {
                    let error = SourceError::Unreadable {
                        path: folder.clone(),
                        why: said!(GivenUp, "given up after several attempts: {0}", losses.why),
                    };
                    self.jobs.refused(FolderError { folder, error });
                    continue;
                }
                Some(Job::List(folder, losses)) => {
                    self.looks_at_headers = !losses.are_any();
                    let listed = self.list(session, &folder).await;
                    (folder, listed)
                }
                Some(Job::Fetch(unit)) => {
                    let fetched = self.unit(session, &unit).await;
                    (unit.folder.name.clone(), fetched)
                }
            };
            self.missing.clear();
            self.flush().await?;
            match done {
                Err(CollectError::Source(error)) if is_refusal(&error) => {
                    self.open = None;
                    self.folder_refused(session, folder, error).await?;
                }
                done => done?,
            }
        }
    }

    /// Opens the unit's folder unless it is; false where it is not the one that was listed.
    async fn is_as_listed(&mut self, session: &mut Session, unit: &Unit) -> Result<bool, CollectError> {
        let name = &unit.folder.name;
        if let Some((open, uidvalidity)) = &self.open
            && open == name
        {
            return Ok(*uidvalidity == unit.folder.uidvalidity);
        }
        self.open = None;
        let opened = unless_cancelled(&self.task.cancel, session.open(name)).await?;
        self.open = Some((name.clone(), opened.uidvalidity));
        Ok(opened.uidvalidity == unit.folder.uidvalidity)
    }

    async fn unit(&mut self, session: &mut Session, unit: &Unit) -> Result<(), CollectError> {
        if !self.is_as_listed(session, unit).await? {
            let name = &unit.folder.name;
            tracing::warn!(
                profile = self.task.profile.name,
                run = self.task.run.0,
                folder = name,
                "the folder was replaced during the run; it is listed again"
            );
            return match self.jobs.list_again(unit) {
                true => Ok(()),
                false => Err(SourceError::Refused {
                    command: "a folder that stays the same".into(),
                    words: "its UIDVALIDITY changes again and again".into(),
                }
                .into()),
            };
        }
        let (mut copies, current) = self.of_this_session(session, unit).await?;
        let mut most_copies = WINDOW_COPIES;
        if unit.losses.are_any() {
            most_copies = 1;
            // The one that is at fault may be gone meanwhile.
            let stands = copies.first().is_some_and(|copy| current.places.get(copy) == Some(&0));
            if unit.losses.are_too_many() && stands {
                let copy = copies.remove(0);
                let error = unit.losses.of_a_copy();
                self.judged(&current, Outcome::Failed, &copy, Some(("fetch", error)));
                unit.told().give_up();
                self.flush().await?;
            }
        }
        let mut copies = &copies[..];
        let mut fitting = VecDeque::new();
        while !copies.is_empty() {
            // After a loss it may be a size that the server cannot tell.
            let many = if most_copies < WINDOW_COPIES {
                most_copies
            } else {
                SIZES
            };
            let (chunk, rest) = copies.split_at(many.min(copies.len()));
            copies = rest;
            let announced = self.fetcher(&current).sizes_of(session, chunk).await?;
            fitting.extend(self.put_aside(&current, announced));
            let most_bytes = WINDOW_BYTES.min(self.task.stages.budget.bytes() / 4);
            // What is left over goes with the next ones.
            while !fitting.is_empty() && (copies.is_empty() || fill_a_window(&fitting, most_bytes, most_copies)) {
                let window = window(&mut fitting, most_bytes, most_copies, |one| one.size);
                let window = self.put_aside_by_header(session, &current, window).await?;
                if !window.is_empty() {
                    self.fetcher(&current).fetch(session, &window).await?;
                }
                self.progress.notices.extend(session.take_notices());
                self.flush().await?;
            }
            most_copies = most_copies.saturating_mul(GROWTH).min(WINDOW_COPIES);
        }
        self.fetcher(&current).find_missing(session).await?;
        self.note_inexact(&current).await
    }

    fn fetcher<'w, 'u>(&'w mut self, current: &'w Current<'u>) -> UnitFetcher<'w, 't, 'u> {
        UnitFetcher { work: self, current }
    }

    /// The unit's copies as this session names them.
    async fn of_this_session<'u>(
        &mut self,
        session: &mut Session,
        unit: &'u Unit,
    ) -> Result<(Vec<CopyRef>, Current<'u>), CollectError> {
        let places = unit.copies.iter().cloned().zip(0..).collect();
        let before = unit.before.as_ref().clone();
        let mut current = Current { unit, places, before };
        if unit.folder.session == self.session || unit.folder.uidvalidity.is_some() {
            return Ok((unit.copies.clone(), current));
        }
        let listing = unless_cancelled(&self.task.cancel, session.listing()).await?;
        let names_all = matches!(&listing, Listing::Pop3(mailbox) if mailbox.are_all_named());
        let uidl = |copy: &'u CopyRef| match copy {
            CopyRef::Uidl { uidl, .. } => Some(&**uidl),
            _ => None,
        };
        let asked = unit.copies.iter().filter_map(uidl);
        let mut standing: HashMap<&str, VecDeque<u32>> = asked.map(|uidl| (uidl, VecDeque::new())).collect();
        for copy in listing.copies() {
            if let CopyRef::Uidl { number, uidl } = copy
                && let Some(numbers) = standing.get_mut(&*uidl)
            {
                numbers.push_back(number);
            }
        }
        let mut copies = Vec::with_capacity(unit.copies.len());
        let mut places = HashMap::with_capacity(unit.copies.len());
        for (place, copy) in unit.copies.iter().enumerate() {
            match copy {
                CopyRef::Uidl { uidl, .. } => match standing.get_mut(&**uidl).and_then(VecDeque::pop_front) {
                    Some(number) => {
                        let uidl = uidl.clone();
                        let copy = CopyRef::Uidl { number, uidl };
                        copies.push(copy.clone());
                        places.insert(copy, place);
                    }
                    None if names_all => self.judged(&current, Outcome::Vanished, copy, None),
                    None => self.judged(&current, Outcome::Failed, copy, Some(("fetch", not_found_again()))),
                },
                _ => self.judged(&current, Outcome::Failed, copy, Some(("fetch", not_found_again()))),
            }
        }
        current.before = copies
            .iter()
            .filter_map(|copy| {
                let before = unit.before.get(&unit.copies[*places.get(copy)?])?;
                Some((copy.clone(), *before))
            })
            .collect();
        current.places = places;
        Ok((copies, current))
    }
}

fn not_found_again() -> Said {
    said!(
        NotFoundAgain,
        "the connection was lost; without UIDL this message cannot be found again on a new one; the next run fetches it"
    )
}
