//! What a connection keeps in mind while it works: the windows of copies on their way, and the outcomes that the profile
//! does not know yet.

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use futures_util::FutureExt;
use tokio::task::{JoinError, JoinSet};

use super::{
    collect_error::CollectError,
    fetcher::Missing,
    jobs::{Came, Jobs, Told, Unit},
    judge::{Outcomes, judge},
    progress::{Judged, Progress},
    task::Task,
    windows::Together,
};
use crate::{
    archive::StoreError,
    report::{Afloat, CopyError, Outcome, Voyage},
    said::{Said, said},
    source::CopyRef,
};

/// So many outcomes go to the profile at once.
const TOLD: usize = 500;
/// An export may name users whom nobody knows here. The protocol names so many of them.
const STRANGERS: usize = 100;

/// A connection at work.
pub(super) struct Collecting<'t> {
    /// First, because it must be dropped before what it fetched.
    pub(super) voyage: Voyage,
    pub(super) task: &'t Arc<Task>,
    pub(super) jobs: &'t Jobs,
    /// The session's number.
    pub(super) session: u64,
    /// The folder that is open, and its UIDVALIDITY.
    pub(super) open: Option<(String, Option<u32>)>,
    /// Windows on their way, as many as the budget lets in.
    pub(super) judging: JoinSet<Arrival>,
    pub(super) progress: Progress,
    /// The copies whose outcomes are in `progress`.
    telling: Vec<Place>,
    /// Compare the headers of copies that are done. Not after a connection was lost, perhaps over that: some servers offer
    /// headers alone (TOP) and cannot send them.
    pub(super) looks_at_headers: bool,
    /// Copies that were shorter than announced, and the same when they were fetched again.
    pub(super) same_again: u32,
    /// Copies that the server did not answer about.
    pub(super) missing: Missing,
    /// Unknown users of an export that the protocol names already.
    strangers: HashSet<Arc<str>>,
}

/// Which copy: the record of its unit, and its place there.
type Place = (Told, usize);

/// A window at the end of its way.
pub(super) struct Arrival {
    told: Told,
    afloat: Afloat,
    outcomes: Outcomes,
}

/// A unit, as this session knows it.
pub(super) struct Current<'u> {
    pub unit: &'u Unit,
    /// The places of its copies, by how they are named here.
    pub places: HashMap<CopyRef, usize>,
    /// What came of those that are fetched once more, by how they are named here.
    pub before: HashMap<CopyRef, Came>,
}

impl<'t> Collecting<'t> {
    pub(super) fn new(task: &'t Arc<Task>, session: u64, jobs: &'t Jobs) -> Self {
        Self {
            voyage: Voyage::default(),
            task,
            jobs,
            session,
            open: None,
            judging: JoinSet::new(),
            telling: Vec::new(),
            progress: Progress::default(),
            looks_at_headers: true,
            same_again: 0,
            missing: Vec::new(),
            strangers: HashSet::new(),
        }
    }

    pub(super) fn judged(
        &mut self,
        current: &Current<'_>,
        outcome: Outcome,
        copy: &CopyRef,
        error: Option<(&str, Said)>,
    ) {
        let error = error.map(|(stage, error)| CopyError::new(&current.unit.folder.name, copy, stage, error));
        let judged = Judged::without_bytes(copy.clone(), outcome, error);
        self.put(current, judged);
    }

    pub(super) fn put(&mut self, current: &Current<'_>, judged: Judged) {
        if let Some(place) = current.places.get(&judged.copy) {
            self.telling.push((current.unit.told(), *place));
            self.progress.judged.push(judged);
        }
    }

    /// Waits for all copies on their way.
    pub(super) async fn judge_all(&mut self) -> Result<(), CollectError> {
        let mut first_error = None;
        while let Some(judged) = self.judging.join_next().await {
            self.take(judged, &mut first_error);
            if self.progress.judged.len() >= TOLD {
                self.tell().await?;
            }
        }
        first_error.map_or(Ok(()), |error| Err(CollectError::Store(error)))
    }

    /// Tells the profile what has been judged so far.
    pub(super) async fn flush(&mut self) -> Result<(), CollectError> {
        let mut first_error = None;
        while let Some(judged) = self.judging.try_join_next() {
            self.take(judged, &mut first_error);
        }
        self.tell().await?;
        first_error.map_or(Ok(()), |error| Err(CollectError::Store(error)))
    }

    fn take(&mut self, arrived: Result<Arrival, JoinError>, first_error: &mut Option<StoreError>) {
        let Arrival {
            told,
            mut afloat,
            outcomes,
        } = match arrived {
            Ok(arrival) => arrival,
            // Its panic is caught within, so it was aborted, with the arbiter.
            Err(error) => {
                let (profile, run) = (&self.task.profile.name, self.task.run.0);
                tracing::error!(%error, profile, run, "a window of copies was given up on its way; they stay open");
                return;
            }
        };
        let before = self.progress.judged.len();
        for (place, judged) in outcomes {
            match judged {
                Ok(judged) => {
                    if let Some(stranger) = judged.routed.as_ref().and_then(|routed| routed.stranger.as_ref()) {
                        self.tell_of_stranger(stranger);
                    }
                    self.telling.push((told.clone(), place));
                    self.progress.judged.push(judged);
                }
                Err(error) => drop(first_error.get_or_insert(error)),
            }
        }
        let judged = self.progress.judged.len() - before;
        self.progress.afloat.push(afloat.split(judged));
    }

    /// An export names a user whom nobody knows here.
    fn tell_of_stranger(&mut self, name: &Arc<str>) {
        if self.strangers.len() >= STRANGERS || !self.strangers.insert(name.clone()) {
            return;
        }
        self.progress.notices.push(said!(
            ExportOfStranger,
            "the export has mail of user {0:?}, and there is no such user: it was filed by the profile's rules; to file it \
             for that user, add one of this name and import again",
            &**name
        ));
    }

    pub(super) async fn tell(&mut self) -> Result<(), CollectError> {
        let progress = std::mem::take(&mut self.progress);
        if progress.is_empty() {
            return Ok(());
        }
        let told = self.task.progress.send(progress).await;
        told.map_err(|_| CollectError::Profile)?;
        self.telling.drain(..).for_each(|(told, place)| told.add(place));
        self.task.pulse.beat();
        Ok(())
    }
}

/// Sends a window on its way.
pub(super) fn set_off(task: &Arc<Task>, judging: &mut JoinSet<Arrival>, voyage: &Voyage, window: Together) {
    if !window.copies.is_empty() {
        let afloat = voyage.fetched(window.copies.len());
        judging.spawn(surviving(task.clone(), window, afloat));
    }
}

/// The way of a window, at the end of which each of its copies has an outcome even where that way panics.
async fn surviving(task: Arc<Task>, window: Together, afloat: Afloat) -> Arrival {
    let (told, folder) = (window.told.clone(), window.folder.clone());
    let copies = window.copies.iter();
    let copies: Vec<_> = copies.map(|one| (one.place, one.fetched.copy.clone())).collect();
    let judged = AssertUnwindSafe(judge(task, window)).catch_unwind().await;
    let mut outcomes = judged.unwrap_or_default();
    if outcomes.len() < copies.len() {
        let have: HashSet<usize> = outcomes.iter().map(|(place, _)| *place).collect();
        for (place, copy) in copies.into_iter().filter(|(place, _)| !have.contains(place)) {
            let error = said!(
                ReadingPanicked,
                "reading or filing it panicked; this is a bug in dropkeep"
            );
            let error = CopyError::new(&folder.name, &copy, "identify", error);
            let failed = Judged {
                fetched: true,
                ..Judged::without_bytes(copy, Outcome::Failed, Some(error))
            };
            outcomes.push((place, Ok(failed)));
        }
    }
    Arrival { told, afloat, outcomes }
}
