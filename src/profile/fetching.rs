//! Fetching the copies of a unit, each of which sets off on its way as it comes.

use std::{collections::HashMap, sync::atomic::Ordering};

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
        let mut expected = Expected::new(window);
        let (mut once_more, mut failed, mut same_again) = (HashMap::new(), Vec::new(), 0);
        let from_server = work.task.source.is_some();
        let archives_empty = work.task.profile.empty == Empty::Archive;
        let (task, folder) = (work.task, &current.unit.folder);
        let (judging, voyage) = (&mut work.judging, &work.voyage);
        let mut together = Together::new(folder.clone(), current.unit.told(), &task.stages.budget);
        let mut coming = InStage::enter(Stage::Fetch, window.len());
        let mut sink = |mut fetched: Fetched| {
            let announced = expected.came(&fetched.copy);
            let share = share.split(announced);
            coming.one_left();
            task.pulse.beat();
            // Sessions give out what was asked for, each once.
            let Some(place) = current.places.get(&fetched.copy).copied() else {
                return;
            };
            let judge = |before| shortfall::judge(&fetched.bytes, announced, before, folder.inexact);
            let verdict = match judge(current.before.get(&fetched.copy)) {
                Verdict::OnceMore(came) if folder.before.contains(&came) => judge(Some(&came)),
                verdict => verdict,
            };
            let stage = match &fetched.aside {
                _ if from_server => SIZE,
                Some(aside) if aside.is_altered => ALTERED,
                _ => "read",
            };
            let remark = match verdict {
                _ if !from_server => fetched.aside.as_mut().and_then(|aside| aside.remark.take()),
                Verdict::Message(remark) => remark,
                Verdict::OnceMore(came) => {
                    once_more.insert(fetched.copy, came);
                    return;
                }
                Verdict::None(_) if archives_empty && fetched.bytes.is_empty() => None,
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
        result.map_err(|error| (error, expected.lacking()))
    }
}

/// The copies of a window, of which the one that comes is nearly always the next.
struct Expected<'w> {
    window: &'w [Announced],
    came: Vec<bool>,
    next: usize,
    /// Where each is; made when one comes out of its turn.
    places: Option<HashMap<&'w CopyRef, usize>>,
}

impl<'w> Expected<'w> {
    fn new(window: &'w [Announced]) -> Self {
        Self {
            window,
            came: vec![false; window.len()],
            next: 0,
            places: None,
        }
    }

    /// Notes that a copy came; gives its announced size in bytes.
    fn came(&mut self, copy: &CopyRef) -> u64 {
        let at = match self.window.get(self.next) {
            Some(next) if next.copy == *copy => Some(self.next),
            _ => {
                let window = self.window.iter().enumerate();
                let places = self
                    .places
                    .get_or_insert_with(|| window.map(|(at, one)| (&one.copy, at)).collect());
                places.get(copy).copied()
            }
        };
        let Some(at) = at else { return 0 };
        self.came[at] = true;
        self.next = at + 1;
        self.window[at].size
    }

    /// Those that did not come.
    fn lacking(&self) -> Vec<Announced> {
        let lacking = self.window.iter().zip(&self.came).filter(|(_, came)| !**came);
        lacking.map(|(one, _)| one.clone()).collect()
    }
}

#[test]
fn copies_that_come_out_of_their_turn_are_known_and_those_that_do_not_come_are_lacking() {
    let copies = (1..6).map(|uid| Announced {
        copy: CopyRef::Uid(uid),
        size: 10 * u64::from(uid),
        facts: None,
    });
    let window: Vec<_> = copies.collect();
    let mut expected = Expected::new(&window);
    let sizes = [1, 4, 5, 9, 2].map(|uid| expected.came(&CopyRef::Uid(uid)));
    assert_eq!(sizes, [10, 40, 50, 0, 20]);
    let lacking: Vec<_> = expected.lacking().into_iter().map(|one| one.copy).collect();
    assert_eq!(lacking, [CopyRef::Uid(3)]);
}
