//! What was counted beside the runs, for the next run to say.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::{Mutex, MutexGuard};

use crate::{archive::UsersNews, said::Said};

/// Notices for the protocol of the next run, whichever profile's it is, and of which news they speak. Cloned, they are
/// the same.
#[derive(Clone, Default)]
pub struct NextNotices(Arc<Mutex<VecDeque<Count>>>);

/// The notices of a count, and of which news they speak.
type Count = (Vec<Said>, UsersNews);

/// Counts that wait for a run to say them.
const MOST_COUNTS: usize = 20;

impl NextNotices {
    fn counts(&self) -> MutexGuard<'_, VecDeque<Count>> {
        self.0.lock()
    }

    /// Behind those that no run has taken.
    pub fn put(&self, notices: Vec<Said>, news: UsersNews) {
        let mut counts = self.counts();
        counts.push_back((notices, news));
        if counts.len() > MOST_COUNTS {
            counts.pop_front();
        }
    }

    pub fn lines(&self) -> Vec<Said> {
        self.counts()
            .iter()
            .flat_map(|(lines, _)| lines.iter().cloned())
            .collect()
    }

    pub fn take(&self) -> (Vec<Said>, UsersNews) {
        let mut all = (Vec::new(), UsersNews::default());
        for (lines, news) in std::mem::take(&mut *self.counts()) {
            all.0.extend(lines);
            all.1.add(&news);
        }
        all
    }

    /// Takes those that say this; gives of which news.
    pub fn take_said(&self, said: &[Said]) -> Option<UsersNews> {
        let mut counts = self.counts();
        let at = counts.iter().position(|(lines, _)| lines == said)?;
        counts.remove(at).map(|(_, news)| news)
    }
}
