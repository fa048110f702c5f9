//! What becomes of the copies that a connection fetches: waiting for it, and telling the profile.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use tokio::task::JoinError;

use super::{
    collect::{CollectError, Current, Place, Work},
    connection::Judged,
    judge::copy_error,
};
use crate::{
    archive::StoreError,
    report::{Afloat, Outcome},
    source::CopyRef,
};

/// Outcomes told at once.
const TOLD: usize = 500;
/// Users unknown here whom an export names, of whom it is told.
const STRANGERS: usize = 100;

impl Work<'_> {
    pub(super) fn judged(
        &mut self,
        current: &Current<'_>,
        outcome: Outcome,
        copy: &CopyRef,
        error: Option<(&str, String)>,
    ) {
        let error = error.map(|(stage, error)| copy_error(&current.unit.folder.name, copy, stage, error));
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

    pub(super) fn take(
        &mut self,
        judged: Result<(Place, Result<Judged, StoreError>), JoinError>,
        first_error: &mut Option<StoreError>,
    ) {
        match judged {
            Ok((place, Ok(judged))) => {
                if let Some(stranger) = judged.routed.as_ref().and_then(|routed| routed.stranger.as_ref()) {
                    self.tell_of_stranger(stranger);
                }
                self.telling.push(place);
                self.progress.judged.push(judged);
            }
            Ok((_, Err(error))) => drop(first_error.get_or_insert(error)),
            // Its panic is caught within, so it was aborted, with the arbiter.
            Err(error) => {
                tracing::error!(%error, profile = self.task.profile.name, run = self.task.run, "a copy was given up \
                    on its way; it stays open")
            }
        }
    }

    /// An export names a user whom nobody knows here.
    fn tell_of_stranger(&mut self, name: &Arc<str>) {
        if self.strangers.len() >= STRANGERS || !self.strangers.insert(name.clone()) {
            return;
        }
        self.progress.notices.push(format!(
            "the export has mail of user {:?}, and there is no such user: it was filed by the profile's rules; to \
             file it for \
             that user, add one of this name and import again",
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

/// The way of a copy, at the end of which it has an outcome even where that way panics.
pub(super) async fn surviving(
    place: Place,
    folder: String,
    copy: CopyRef,
    afloat: Afloat,
    judge: impl Future<Output = Result<Judged, StoreError>>,
) -> (Place, Result<Judged, StoreError>) {
    let judged = AssertUnwindSafe(judge).catch_unwind().await;
    let judged = judged.unwrap_or_else(|_| {
        let error = "reading or filing it panicked; this is a bug in dropkeep";
        let error = copy_error(&folder, &copy, "identify", error.into());
        Ok(Judged::without_bytes(copy, Outcome::Failed, Some(error)))
    });
    let judged = judged.map(|judged| Judged {
        afloat: Some(afloat),
        ..judged
    });
    (place, judged)
}
