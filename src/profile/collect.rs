//! What one connection does of a run's work: lists folders, and fetches in windows what is open in them.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, atomic::Ordering},
};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    connection::{Judged, Progress, Task},
    jobs::{Came, Job, Jobs, Told, Unit},
    judge::{copy_error, judge},
    outcomes::surviving,
    run::FolderError,
    shortfall::{self, Verdict},
    windows::{SIZES, WINDOW_BYTES, WINDOW_COPIES, window},
};
use crate::{
    archive::StoreError,
    config::Empty,
    report::{ALTERED, InStage, Outcome, SIZE, Stage, Voyage},
    source::{Announced, CopyRef, Disposition, Fetched, Session, SourceError, Unfetched, UnfetchedWhy, Want},
};

/// By how much windows grow again, after a lost connection made them one copy.
const GROWTH: usize = 8;

#[derive(thiserror::Error, Debug)]
pub enum CollectError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("interrupted")]
    Cancelled,
    #[error("the profile stopped; this is a bug in dropkeep")]
    Profile,
}

impl CollectError {
    /// Whether the session can go on with another folder.
    pub fn session_is_usable(&self) -> bool {
        matches!(self, Self::Source(error) if error.disposition() == Disposition::Report)
    }

    /// What to do about it, where more is known than its stage says.
    pub fn what_to_do(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.what_to_do(),
            Self::Store(_) | Self::Cancelled | Self::Profile => None,
        }
    }

    /// Whether the server asks to come again later.
    pub fn asks_to_wait(&self) -> bool {
        matches!(self, Self::Source(error) if error.wait().is_some())
    }
}

/// Whether the server will not do it; one that asks to come again later may yet.
pub(super) fn is_refusal(error: &SourceError) -> bool {
    error.disposition() == Disposition::Report && error.wait().is_none()
}

/// Gives up waiting for a server when the run is interrupted.
pub async fn unless_cancelled<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, CollectError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(CollectError::Cancelled),
        result = work => result.map_err(CollectError::from),
    }
}

/// Works on what is left of a run until nothing is. What was fetched has its outcome when this returns, also when it
/// returns an error; what the connection held is not given back.
pub async fn work(
    task: &Arc<Task>,
    session: &mut Session,
    number: u64,
    jobs: &Jobs,
    lane: usize,
) -> Result<(), CollectError> {
    let mut work = Work {
        voyage: Voyage::default(),
        task,
        jobs,
        session: number,
        open: None,
        judging: JoinSet::new(),
        telling: Vec::new(),
        progress: Progress::default(),
        looks_at_headers: true,
        same_again: 0,
        missing: Vec::new(),
        strangers: HashSet::new(),
    };
    let worked = work.through_jobs(session, lane).await;
    // Whatever happened to the source: what is on its way is committed and counted.
    let judged = work.judge_all().await;
    let flushed = work.flush().await;
    worked.and(judged).and(flushed)?;
    work.voyage.land();
    Ok(())
}

pub(super) struct Work<'t> {
    /// First, as it is to be dropped before what it fetched.
    pub(super) voyage: Voyage,
    pub(super) task: &'t Arc<Task>,
    pub(super) jobs: &'t Jobs,
    /// The session's number.
    pub(super) session: u64,
    /// The folder that is open, and its UIDVALIDITY.
    pub(super) open: Option<(String, Option<u32>)>,
    /// Copies on their way, as many as the budget lets in.
    pub(super) judging: JoinSet<(Place, Result<Judged, StoreError>)>,
    pub(super) progress: Progress,
    /// Whose outcomes are in `progress`.
    pub(super) telling: Vec<Place>,
    /// Headers of what is done are compared. Not where a connection was lost over that, perhaps: some servers say that they
    /// give headers (TOP) and do not.
    pub(super) looks_at_headers: bool,
    /// Copies of which less came than announced, the same again.
    pub(super) same_again: u32,
    /// Asked for, and not answered.
    pub(super) missing: Vec<(CopyRef, &'static str)>,
    /// Users whom an export names and nobody knows, of whom it was told.
    pub(super) strangers: HashSet<Arc<str>>,
}

/// Where it is noted that a copy has its outcome.
pub(super) type Place = (Told, usize);

/// A unit, as this session knows it.
pub(super) struct Current<'u> {
    pub unit: &'u Unit,
    /// The places of its copies, by how they are named here.
    pub places: HashMap<CopyRef, usize>,
    /// What came of those that are fetched once more, by how they are named here.
    pub before: HashMap<CopyRef, Came>,
}

impl Work<'_> {
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
                Some(Job::Survey(folder, losses)) if losses.are_too_many() => {
                    let error = SourceError::Unreadable {
                        path: folder.clone(),
                        why: format!("given up after several attempts: {}", losses.why),
                    };
                    self.jobs.refused(FolderError { folder, error });
                    continue;
                }
                Some(Job::Survey(folder, losses)) => {
                    self.looks_at_headers = !losses.are_any();
                    let surveyed = self.survey(session, &folder).await;
                    (folder, surveyed)
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
                run = self.task.run,
                folder = name,
                "the folder was replaced during the run; it is listed again"
            );
            return match self.jobs.survey_again(name) {
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
        while !copies.is_empty() {
            // After a loss it may be a size that the server cannot tell.
            let many = if most_copies < WINDOW_COPIES {
                most_copies
            } else {
                SIZES
            };
            let (chunk, rest) = copies.split_at(many.min(copies.len()));
            copies = rest;
            let announced = self.sizes_of(session, &current, chunk).await?;
            let mut fitting = VecDeque::from(self.put_aside(&current, announced));
            let most_bytes = WINDOW_BYTES.min(self.task.stages.budget.bytes() / 4);
            while !fitting.is_empty() {
                let window = window(&mut fitting, most_bytes, most_copies, |one| one.size);
                let window = self.put_aside_by_header(session, &current, window).await?;
                self.fetch(session, &current, window).await?;
                self.progress.notices.extend(session.take_notices());
                self.flush().await?;
            }
            most_copies = most_copies.saturating_mul(GROWTH).min(WINDOW_COPIES);
        }
        self.find_missing(session, &current).await?;
        self.note_inexact(&current).await
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
                    None => self.judged(&current, Outcome::Vanished, copy, None),
                },
                _ => {
                    let error = "the connection was lost; without UIDL this message cannot be found again on a new \
                        one; the next run fetches it";
                    self.judged(&current, Outcome::Failed, copy, Some(("fetch", error.into())));
                }
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

    /// Fetches a window. Where the server refuses it, each copy by itself: one bad message must not
    /// stop the others.
    async fn fetch(
        &mut self,
        session: &mut Session,
        current: &Current<'_>,
        window: Vec<Announced>,
    ) -> Result<(), CollectError> {
        if window.is_empty() {
            return Ok(());
        }
        let unfetched = match self.fetch_once(session, current, &window).await {
            Ok(unfetched) => unfetched,
            Err((error, _)) if error.asks_to_wait() => return Err(error),
            Err((error, left)) if error.session_is_usable() && window.len() > 1 => {
                let folder = &current.unit.folder.name;
                tracing::warn!(%error, profile = self.task.profile.name, run = self.task.run, folder, "the server \
                    refused a batch; fetching its copies one by one");
                let mut unfetched = Vec::new();
                for one in left {
                    match self.fetch_once(session, current, std::slice::from_ref(&one)).await {
                        Ok(more) => unfetched.extend(more),
                        Err((error, _)) if error.session_is_usable() && !error.asks_to_wait() => {
                            let error = Some(("fetch", error.to_string()));
                            self.judged(current, Outcome::Failed, &one.copy, error);
                        }
                        Err((error, _)) => return Err(error),
                    }
                }
                unfetched
            }
            Err((error, left)) if error.session_is_usable() => {
                for one in left {
                    let error = Some(("fetch", error.to_string()));
                    self.judged(current, Outcome::Failed, &one.copy, error);
                }
                Vec::new()
            }
            Err((error, _)) => return Err(error),
        };
        for Unfetched { copy, why } in unfetched {
            let error = match why {
                UnfetchedWhy::NotAnswered => {
                    self.missing.push((copy, "the server did not send it"));
                    continue;
                }
                UnfetchedWhy::NoBody => {
                    self.missing.push((copy, "the server sent no body (NIL)"));
                    continue;
                }
                UnfetchedWhy::NotUnderstood(line) => ("fetch", format!("the server's answer cannot be read: {line}")),
                UnfetchedWhy::Refused(words) => ("fetch", format!("the server refused it: {words}")),
                UnfetchedWhy::Unreadable(words) => ("read", words),
                UnfetchedWhy::NoMail(words) => ("format", format!("no mail: {words}")),
            };
            self.judged(current, Outcome::Failed, &copy, Some(error));
        }
        Ok(())
    }

    /// One fetch. On error also gives what of the window did not come.
    async fn fetch_once(
        &mut self,
        session: &mut Session,
        current: &Current<'_>,
        window: &[Announced],
    ) -> Result<Vec<Unfetched>, (CollectError, Vec<Announced>)> {
        let share = self.task.share(window.iter().map(|one| one.size)).await;
        let mut share = share.map_err(|error| (error, window.to_vec()))?;
        let sizes: HashMap<&CopyRef, u64> = window.iter().map(|one| (&one.copy, one.size)).collect();
        let mut came = HashSet::new();
        let (mut once_more, mut failed, mut same_again) = (HashMap::new(), Vec::new(), 0);
        let from_server = self.task.source.is_some();
        let archives_empty = self.task.profile.empty == Empty::Archive;
        let (task, folder, told) = (self.task, &current.unit.folder, current.unit.told());
        let (judging, voyage) = (&mut self.judging, &self.voyage);
        let mut coming = InStage::enter(Stage::Fetch, window.len());
        let mut sink = |mut fetched: Fetched| {
            let announced = sizes.get(&fetched.copy).copied().unwrap_or_default();
            let share = share.split(announced);
            came.insert(fetched.copy.clone());
            coming.one_left();
            task.pulse.beat();
            // Sessions give out what was asked for, each once.
            let Some(place) = current.places.get(&fetched.copy).copied() else {
                return;
            };
            let copy = fetched.copy.clone();
            let before = current.before.get(&copy);
            let stage = match &fetched.aside {
                _ if from_server => SIZE,
                Some(aside) if aside.is_altered => ALTERED,
                _ => "read",
            };
            let remark = match shortfall::judge(&fetched.bytes, announced, before, folder.inexact) {
                _ if !from_server => fetched.aside.as_mut().and_then(|aside| aside.remark.take()),
                Verdict::Message(remark) => remark,
                Verdict::OnceMore(came) => {
                    once_more.insert(copy, came);
                    return;
                }
                Verdict::None(_) if archives_empty => None,
                Verdict::None(why) => {
                    failed.push((copy, why));
                    return;
                }
            };
            let place = (told.clone(), place);
            same_again += u32::from(remark.is_some());
            let remark = remark.map(|remark| copy_error(&folder.name, &copy, stage, remark));
            let judge = judge(task.clone(), folder.clone(), fetched, announced, remark, share);
            judging.spawn(surviving(place, folder.name.clone(), copy, voyage.fetched(), judge));
        };
        task.fetching.fetch_add(1, Ordering::Relaxed);
        let result = unless_cancelled(&task.cancel, session.fetch(window, Want::Whole, &mut sink)).await;
        task.fetching.fetch_sub(1, Ordering::Relaxed);
        if result.is_ok() {
            coming.done();
        }
        for (copy, why) in failed {
            self.judged(current, Outcome::Failed, &copy, Some(("fetch", why)));
        }
        self.postpone(current, once_more);
        self.same_again += same_again;
        result.map_err(|error| {
            (
                error,
                window.iter().filter(|one| !came.contains(&one.copy)).cloned().collect(),
            )
        })
    }

    /// A copy is gone only when a later listing that succeeds lacks it; otherwise it stays open.
    async fn find_missing(&mut self, session: &mut Session, current: &Current<'_>) -> Result<(), CollectError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        // A POP3 session shows the mailbox as it was when it began, so there nothing vanishes.
        let listing = unless_cancelled(&self.task.cancel, session.listing()).await?;
        let missing = std::mem::take(&mut self.missing);
        let standing = listing.among(&missing.iter().map(|(copy, _)| copy.clone()).collect());
        for (copy, why) in missing {
            if standing.contains(&copy) {
                self.judged(current, Outcome::Failed, &copy, Some(("fetch", why.into())));
            } else {
                self.judged(current, Outcome::Vanished, &copy, None);
            }
        }
        Ok(())
    }
}
