//! Fetching a window of copies, and finding out what became of those that did not come.

use std::{
    collections::{HashMap, HashSet},
    sync::atomic::Ordering,
};

use super::{
    collect_error::{CollectError, unless_cancelled},
    shortfall::{self, Verdict},
    windows::{Arrived, Together},
    work::{Current, Work, set_off},
};
use crate::{
    config::Empty,
    report::{ALTERED, CopyError, InStage, Outcome, SIZE, Stage},
    source::{Announced, CopyRef, Fetched, Session, Unfetched, UnfetchedWhy, Want},
};

impl Work<'_> {
    /// Fetches a window. Where the server refuses it, each copy by itself: one bad message must not
    /// stop the others.
    pub(super) async fn fetch(
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
                tracing::warn!(%error, profile = self.task.profile.name, run = self.task.run.0, folder, "the server \
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
        let mut came = HashSet::with_capacity(window.len());
        let (mut once_more, mut failed, mut same_again) = (HashMap::new(), Vec::new(), 0);
        let from_server = self.task.source.is_some();
        let archives_empty = self.task.profile.empty == Empty::Archive;
        let (task, folder) = (self.task, &current.unit.folder);
        let (judging, voyage) = (&mut self.judging, &self.voyage);
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
    pub(super) async fn find_missing(
        &mut self,
        session: &mut Session,
        current: &Current<'_>,
    ) -> Result<(), CollectError> {
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
