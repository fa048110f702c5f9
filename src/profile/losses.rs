//! How often a job of a run failed, and when that is enough.

use crate::said::{Said, said};

/// How often in a row a job failed with nothing to show for it.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    /// Connections that were lost over it.
    pub count: u32,
    /// How often the server asked us to come back later.
    waits: u32,
    /// The reason given the last time.
    pub why: Said,
}

impl Losses {
    /// If so many connections were lost, the copy or the folder must be the cause.
    const MOST: u32 = 3;
    /// If we waited so often, the server will never send it: some ask us to come back later for ever.
    pub const MOST_WAITS: u32 = 4;

    pub fn are_too_many(&self) -> bool {
        self.count >= Self::MOST || self.waits >= Self::MOST_WAITS
    }

    /// The error of a copy that is given up.
    pub fn of_a_copy(&self) -> Said {
        match self.count {
            0 => said!(
                KeepsAskingToWait,
                "the server keeps asking to come later: {0}",
                self.why
            ),
            _ => said!(
                BreaksEachTime,
                "each time it is fetched, the connection breaks: {0}",
                self.why
            ),
        }
    }

    pub fn are_any(&self) -> bool {
        self.count > 0 || self.waits > 0
    }

    pub fn more(&self, why: &Said, waits: bool) -> Self {
        Self {
            count: self.count + u32::from(!waits),
            waits: self.waits + u32::from(waits),
            why: why.clone(),
        }
    }
}
