//! Which runs are worth a mail: the first that fails, then one when the reason changes or a day is over, and one when it
//! works again; after each run, where that is asked for, but not at any rate. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{digest::last_second, settings::Settings};
use crate::{
    config::When,
    report::{Run, RunState, SIZE},
};

/// How long one mail about a trouble holds. A little less than a day: a nightly run does not end at the same second.
const HOLDS: SignedDuration = SignedDuration::from_hours(23);
/// Mails about one profile's troubles within that time, however often the reason changes.
const MOST: usize = 5;
/// How far apart mails after each run of a profile are, where nothing is new in them. The mail may come into the mailbox
/// that is archived, and would make the next run, and that one the next mail.
const APART: SignedDuration = SignedDuration::from_mins(15);
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

/// What was reported about runs, as it is kept over restarts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Noted {
    /// Digests, by whom they are for.
    pub digests: BTreeMap<String, Digested>,
    /// Profiles whose last runs failed.
    pub troubles: BTreeMap<String, Trouble>,
    /// Profiles of which there were mails.
    told: BTreeMap<String, Told>,
}

/// What those of one list know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digested {
    /// Of what was before, they have a digest.
    pub until: Timestamp,
    /// The runs that went on at that moment.
    pub running: Vec<u64>,
    /// Until when one was that the server refused for good: the next one has it as well.
    pub refused: Option<Timestamp>,
}

/// The last mail about a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    at: Timestamp,
    /// Runs since then that have none, and were to have one.
    left_out: u64,
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
    /// Forgets those of whom nobody is told any more: when somebody is again, it begins anew.
    pub fn retain(&mut self, settings: &Settings) {
        let told = |profile: &String| {
            let when = settings.mail_for(profile).map(|(_, _, when)| when);
            settings.profiles.contains_key(profile) && when.is_some_and(|when| when.always || when.errors)
        };
        self.troubles.retain(|profile, _| told(profile));
        self.told.retain(|profile, _| told(profile));
    }

    /// Digests are for these lists from now on. A new one goes on where the others are, so that nothing is lost to whoever is
    /// added to a list.
    pub fn digests_for(&mut self, lists: impl Iterator<Item = String>, now: Timestamp) {
        // A clock that was set back must not put them off until it is there again.
        self.digests.retain(|_, digested| digested.until <= now);
        let newest = self.digests.values().max_by_key(|digested| digested.until);
        let newest = Digested {
            until: newest.map_or_else(|| last_second(now), |newest| newest.until),
            running: newest.map(|newest| newest.running.clone()).unwrap_or_default(),
            refused: None,
        };
        let mut known = std::mem::take(&mut self.digests);
        let digested = lists.map(|list| {
            let digested = known.remove(&list).unwrap_or_else(|| newest.clone());
            (list, digested)
        });
        self.digests = digested.collect();
    }

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
        match occasion {
            Some(occasion) if when.errors => Some(occasion),
            _ if !when.always => None,
            Some(_) => Some(Occasion::Always),
            None => {
                let told = self.told.get(&run.profile);
                // As with what holds: a clock that was set back makes nothing last.
                if told.is_some_and(|told| now.duration_since(told.at).abs() < APART) {
                    self.leave_out(run);
                    return None;
                }
                Some(Occasion::Always)
            }
        }
    }

    /// A run after which there was to be a mail has none.
    pub fn leave_out(&mut self, run: &Run) {
        if let Some(told) = self.told.get_mut(&run.profile) {
            told.left_out = told.left_out.saturating_add(1);
        }
    }

    /// How many runs have none since the last mail about this one's profile.
    pub fn left_out(&self, run: &Run) -> u64 {
        let told = self.told.get(&run.profile).filter(|_| run.import.is_empty());
        told.map_or(0, |told| told.left_out)
    }

    /// The mail about this run was sent.
    pub fn sent(&mut self, run: &Run, occasion: &Occasion, now: Timestamp) {
        if !run.import.is_empty() {
            return;
        }
        self.told.insert(run.profile.clone(), Told { at: now, left_out: 0 });
        let reason = reason(run);
        let is_new = match (occasion, self.troubles.get(&run.profile)) {
            (Occasion::Always, Some(trouble)) => fails(run) && trouble.worth(&reason, now).is_some(),
            (Occasion::Always, None) | (Occasion::Over { .. }, _) => false,
            _ => true,
        };
        if let Some(trouble) = self.troubles.get_mut(&run.profile).filter(|_| is_new) {
            trouble.reason = Some(reason);
            trouble.told.push(now);
            let too_many = trouble.told.len().saturating_sub(MOST);
            trouble.told.drain(..too_many);
        }
        if run.state == RunState::Completed {
            self.troubles.remove(&run.profile);
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
