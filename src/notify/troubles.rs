//! Which runs are worth a mail: the first that fails, then one when the reason changes or a day is over, and one when it
//! works again. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    config::When,
    report::{Run, RunState, SIZE},
};

/// How long one mail about a trouble holds. A little less than a day: a nightly run does not end at the same second.
const HOLDS: SignedDuration = SignedDuration::from_hours(23);
/// Mails about one profile's troubles within that time, however often the reason changes.
const MOST: usize = 5;
/// Characters of a reason that are compared.
const REASON: usize = 1000;

/// Why a mail is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Occasion {
    /// It is asked for after each run.
    Always,
    /// The first run that failed.
    Begins,
    /// It fails for another reason.
    Changed { since: Timestamp },
    /// It still fails.
    Lasts { since: Timestamp },
    /// It works again.
    Over { since: Timestamp },
}

/// What was told of runs, as it is kept over restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Noted {
    /// Of what was before, a digest was sent.
    pub digest_until: Option<Timestamp>,
    /// The runs that went on at that moment.
    pub digest_running: Vec<u64>,
    /// Profiles whose last runs failed.
    pub troubles: BTreeMap<String, Trouble>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// When the first of the runs ended.
    pub since: Timestamp,
    /// The reason that was told last; `None` where none could be yet.
    reason: Option<String>,
    /// When mails were sent, the last few.
    told: Vec<Timestamp>,
}

impl Noted {
    /// Whether this run is worth a mail, and why.
    pub fn judge(&mut self, run: &Run, when: When, now: Timestamp) -> Option<Occasion> {
        let fails = fails(run);
        // An import is somebody's doing, who sees how it ended, and says nothing of the profile's server.
        if !run.import.is_empty() {
            return (when.always || (when.errors && fails)).then_some(Occasion::Always);
        }
        let occasion = match (fails, self.troubles.get_mut(&run.profile)) {
            (true, None) => {
                let trouble = Trouble {
                    since: run.finished_at.unwrap_or(now),
                    reason: None,
                    told: Vec::new(),
                };
                self.troubles.insert(run.profile.clone(), trouble);
                Some(Occasion::Begins)
            }
            (true, Some(trouble)) => trouble.worth(&reason(run), now),
            (false, Some(trouble)) if run.state == RunState::Completed => {
                let since = trouble.since;
                match trouble.told.is_empty() {
                    // Nobody heard of it.
                    true => self.troubles.remove(&run.profile).and(None),
                    false => Some(Occasion::Over { since }),
                }
            }
            (false, _) => None,
        };
        let occasion = occasion.filter(|_| when.errors);
        occasion.or(when.always.then_some(Occasion::Always))
    }

    /// The mail about this run was sent.
    pub fn sent(&mut self, run: &Run, occasion: &Occasion, now: Timestamp) {
        match occasion {
            Occasion::Over { .. } => drop(self.troubles.remove(&run.profile)),
            Occasion::Begins | Occasion::Changed { .. } | Occasion::Lasts { .. } => {
                if let Some(trouble) = self.troubles.get_mut(&run.profile).filter(|_| run.import.is_empty()) {
                    trouble.reason = Some(reason(run));
                    trouble.told.push(now);
                    let too_many = trouble.told.len().saturating_sub(MOST);
                    trouble.told.drain(..too_many);
                }
            }
            Occasion::Always => {}
        }
    }
}

impl Trouble {
    fn worth(&self, reason: &str, now: Timestamp) -> Option<Occasion> {
        // A clock that was set back makes nothing hold for longer.
        let holds = |told: &Timestamp| now.duration_since(*told).abs() < HOLDS;
        let since = self.since;
        let recent = self.told.iter().filter(|told| holds(told)).count();
        match &self.reason {
            None => Some(Occasion::Begins),
            Some(told) if told != reason && recent < MOST => Some(Occasion::Changed { since }),
            Some(_) if recent == 0 => Some(Occasion::Lasts { since }),
            Some(_) => None,
        }
    }
}

/// Whether somebody should look. What was interrupted was so by somebody, or by its hours.
pub fn fails(run: &Run) -> bool {
    matches!(run.state, RunState::Failed | RunState::CompletedWithErrors)
}

/// What a run failed over, the same for two that failed alike: where copies failed, at which stage; else in the words of
/// the error, but for numbers, which change from one time to the next.
fn reason(run: &Run) -> String {
    let mut parts = BTreeSet::new();
    for error in run.errors.iter().filter(|error| error.stage != SIZE) {
        parts.insert(match error.copy.is_empty() {
            true => format!("{} {} {}", error.stage, error.folder, without_numbers(&error.error)),
            false => error.stage.clone(),
        });
    }
    let parts: Vec<_> = parts.into_iter().collect();
    let reason = format!("{}: {}", run.state.as_str(), parts.join("; "));
    reason.chars().take(REASON).collect()
}

/// A text with each number in it as `#`.
pub fn without_numbers(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii_digit() {
            true if clean.ends_with('#') => {}
            true => clean.push('#'),
            false => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
#[path = "troubles_tests.rs"]
mod tests;
