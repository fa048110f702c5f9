//! Fetching the copies of a unit, each of which sets off on its way as it comes.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::Ordering,
};

use tokio_util::sync::CancellationToken;

use super::{
    collect_error::{CollectError, unless_cancelled},
    collecting::{Collecting, Current, set_off},
    fetcher::{Fetcher, Missing},
    jobs::FolderError,
    shortfall::{self, Verdict},
    windows::{Arrived, Together},
};
use crate::{
    config::Empty,
    report::{ALTERED, CopyError, InStage, Outcome, SIZE, Stage},
    said::Said,
    source::{Announced, CopyRef, Fetched, Session, SourceError, Unfetched, Want},
};

/// Fetches the copies of a unit.
pub(super) struct UnitFetcher<'w, 't, 'u> {
    pub work: &'w mut Collecting<'t>,
    pub current: &'w Current<'u>,
}

impl Fetcher for UnitFetcher<'_, '_, '_> {
    fn cancel(&self) -> CancellationToken {
        self.work.task.cancel.clone()
    }

    async fn ask_sizes(&mut self, session: &mut Session, copies: &[CopyRef]) -> Result<Vec<Announced>, CollectError> {
        let task = self.work.task;
        let facts = task.exclude.as_ref().is_some_and(|exclude| exclude.needs_facts());
        let sizes = unless_cancelled(&task.cancel, session.sizes(copies, facts)).await;
        task.pulse.beat();
        sizes
    }

    fn failed(&mut self, copy: CopyRef, stage: &'static str, error: Said) {
        self.work
            .judged(self.current, Outcome::Failed, &copy, Some((stage, error)));
    }

    fn refused(&mut self, copy: CopyRef, error: Said) {
        self.failed(copy, "fetch", error);
    }

    fn gone(&mut self, copy: CopyRef) {
        self.work.judged(self.current, Outcome::Vanished, &copy, None);
    }

    fn unclear(&mut self, error: SourceError) {
        let folder = self.current.unit.folder.name.clone();
        self.work.jobs.refused(FolderError { folder, error });
    }

    fn log(&self, words: &str) {
        let task = self.work.task;
        let (profile, run, folder) = (&task.profile.name, task.run.0, &self.current.unit.folder.name);
        tracing::warn!(profile, run, folder, "{words}");
    }

    fn missing(&mut self) -> &mut Missing {
        &mut self.work.missing
    }

    async fn fetch_once(
        &mut self,
        session: &mut Session,
        window: &[Announced],
    ) -> Result<Vec<Unfetched>, (CollectError, Vec<Announced>)> {
        let Self { work, current } = self;
        let share = work.task.share(window.iter().map(|one| one.size)).await;
        let mut share = share.map_err(|error| (error, window.to_vec()))?;
        let sizes: HashMap<&CopyRef, u64> = window.iter().map(|one| (&one.copy, one.size)).collect();
        let mut came = HashSet::with_capacity(window.len());
        let (mut once_more, mut failed, mut same_again) = (HashMap::new(), Vec::new(), 0);
        let from_server = work.task.source.is_some();
        let archives_empty = work.task.profile.empty == Empty::Archive;
        let (task, folder) = (work.task, &current.unit.folder);
        let (judging, voyage) = (&mut work.judging, &work.voyage);
        let mut together = Together::new(folder.clone(), current.unit.told(), &task.stages.budget);
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
            let before = current.before.get(&fetched.copy);
            let stage = match &fetched.aside {
                _ if from_server => SIZE,
                Some(aside) if aside.is_altered => ALTERED,
                _ => "read",
            };
            let remark = match shortfall::judge(&fetched.bytes, announced, before, folder.inexact) {
                _ if !from_server => fetched.aside.as_mut().and_then(|aside| aside.remark.take()),
                Verdict::Message(remark) => remark,
                Verdict::OnceMore(came) => {
                    once_more.insert(fetched.copy, came);
                    return;
                }
                Verdict::None(_) if archives_empty => None,
                Verdict::None(why) => {
                    failed.push((fetched.copy, why));
                    return;
                }
            };
            same_again += u32::from(remark.is_some());
            let remark = remark.map(|remark| CopyError::new(&folder.name, &fetched.copy, stage, remark));
            let arrived = Arrived {
                place,
                fetched,
                announced,
                remark,
            };
            if let Some(window) = together.add(arrived, share) {
                set_off(task, judging, voyage, window);
            }
        };
        task.fetching.fetch_add(1, Ordering::Relaxed);
        let result = unless_cancelled(&task.cancel, session.fetch(window, Want::Whole, &mut sink)).await;
        task.fetching.fetch_sub(1, Ordering::Relaxed);
        // Whatever happened to the others: what came gets its outcome.
        set_off(task, judging, voyage, together);
        if result.is_ok() {
            coming.done();
        }
        for (copy, why) in failed {
            work.judged(current, Outcome::Failed, &copy, Some(("fetch", why)));
        }
        work.postpone(current, once_more);
        work.same_again += same_again;
        result.map_err(|error| {
            (
                error,
                window.iter().filter(|one| !came.contains(&one.copy)).cloned().collect(),
            )
        })
    }
}
