//! Copies of which not all may have come, and what comes of fetching them once more.

use std::collections::HashMap;

use super::{
    collect_error::CollectError,
    collecting::{Collecting, Current},
    jobs::Came,
};
use crate::{archive::Sighting, report::Outcome, said::said, source::CopyRef};

/// So many copies that came short the same way twice show that it is the sizes that are wrong.
const SURELY_INEXACT: u32 = 20;

impl Collecting<'_> {
    /// Notes of a folder that its server announces sizes that are off, where nearly all that was fetched once more came
    /// the same again: not to fetch such copies twice in every run.
    pub(super) async fn note_inexact(&mut self, current: &Current<'_>) -> Result<(), CollectError> {
        let same_again = std::mem::take(&mut self.same_again);
        let fetched = current.before.len() as u32;
        let (Some(source), folder) = (self.task.source, &current.unit.folder) else {
            return Ok(());
        };
        if fetched < SURELY_INEXACT || same_again < fetched - fetched / 10 {
            return Ok(());
        }
        let seen = self
            .task
            .stages
            .store
            .sighting(source, folder.number)?
            .unwrap_or_default();
        let seen = Sighting { inexact: true, ..seen };
        let folder = folder.number;
        self.task.stages.committer.put_sighting(source, folder, seen).await?;
        Ok(())
    }

    /// Leaves copies of which not all may have come to the end of the run.
    pub(super) fn postpone(&mut self, current: &Current<'_>, copies: HashMap<CopyRef, Came>) {
        if copies.is_empty() {
            return;
        }
        // In another session, a message without UIDL is nobody knows which.
        let (lasting, others): (HashMap<_, _>, HashMap<_, _>) = copies
            .into_iter()
            .partition(|(copy, _)| !matches!(copy, CopyRef::Number(_)));
        let places = lasting.keys().filter_map(|copy| current.places.get(copy).copied());
        let places: Vec<usize> = places.collect();
        let mut left = others;
        match self.jobs.once_more(&current.unit.folder, &lasting) {
            // They have their outcome later, whatever becomes of this unit.
            true => places.into_iter().for_each(|place| current.unit.told().add(place)),
            false => left.extend(lasting),
        }
        for (copy, came) in left {
            let why = said!(
                CameAndMoreAnnounced,
                "{0} bytes came, and more were announced",
                came.size
            );
            self.judged(current, Outcome::Failed, &copy, Some(("fetch", why)));
        }
    }
}
