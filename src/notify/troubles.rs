//! Which runs are worth a mail: the first that fails, one a day as long as it goes on failing, and one when it works
//! again. Where a mail is wanted after each run, all of them, but no more often than every quarter of an hour. Pure.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::settings::Settings;
use crate::{
    config::When,
    ids::RunId,
    report::{Run, RunState, timestamp},
};

/// How long one mail about a trouble holds. A little less than a day: a nightly run does not end at the same second.
const HOLDS: SignedDuration = SignedDuration::from_hours(23);
/// How far apart mails after each run of a profile are, where nothing is new in them. The mail may come into the
/// mailbox that is archived, and would make the next run, and that one the next mail.
const APART: SignedDuration = SignedDuration::from_mins(15);
/// Why a mail is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Occasion {
    /// It is asked for after each run.
    Always,
    /// The first run that failed.
    Begins,
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
    /// The last mail about each profile.
    told: BTreeMap<String, Told>,
}

/// What those of one list know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digested {
    /// Of what was before, they have a digest.
    pub until: Timestamp,
    /// The runs that went on at that moment.
    pub running: Vec<RunId>,
    /// Until when one was that the server refused for good: the next one has it as well.
    pub refused: Option<Timestamp>,
}

/// When the last mail about a profile was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// When the first of the runs ended.
    pub since: Timestamp,
    /// When the last mail about it was sent. A list, as it was on disk when several counted; empty where none was sent
    /// yet.
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

    /// Digests are for these lists from now on. A new one goes on where the others are, so that nothing is lost to
    /// whoever is added to a list.
    pub fn digests_for(&mut self, lists: impl Iterator<Item = String>, since: Timestamp, now: Timestamp) {
        // A clock that was set back must not put them off until it is there again.
        self.digests.retain(|_, digested| digested.until <= now);
        let newest = self.digests.values().max_by_key(|digested| digested.until);
        let newest = Digested {
            until: newest.map_or_else(|| last_second(since), |newest| newest.until),
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
                    told: Vec::new(),
                };
                self.troubles.insert(run.profile.clone(), trouble);
                Some(Occasion::Begins)
            }
            (true, Some(trouble)) => trouble.worth(now),
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
                let is_soon = told.is_some_and(|told| now.duration_since(told.at).abs() < APART);
                (!is_soon).then_some(Occasion::Always)
            }
        }
    }

    /// The mail about this run was sent.
    pub fn sent(&mut self, run: &Run, occasion: &Occasion, now: Timestamp) {
        if !run.import.is_empty() {
            return;
        }
        self.told.insert(run.profile.clone(), Told { at: now });
        if let Some(trouble) = self.troubles.get_mut(&run.profile)
            && match occasion {
                Occasion::Always => fails(run) && trouble.worth(now).is_some(),
                Occasion::Begins | Occasion::Lasts { .. } => true,
                Occasion::Over { .. } => false,
            }
        {
            trouble.told = vec![now];
        }
        if run.state == RunState::Completed {
            self.troubles.remove(&run.profile);
        }
    }
}

impl Trouble {
    fn worth(&self, now: Timestamp) -> Option<Occasion> {
        match self.told.last() {
            None => Some(Occasion::Begins),
            // A clock that was set back makes nothing hold for longer.
            Some(told) if now.duration_since(*told).abs() < HOLDS => None,
            Some(_) => Some(Occasion::Lasts { since: self.since }),
        }
    }
}

/// The last second that is over.
pub fn last_second(now: Timestamp) -> Timestamp {
    timestamp(now)
        .saturating_sub(SignedDuration::from_secs(1))
        .unwrap_or(now)
}

/// Whether somebody should look. What was interrupted was so by somebody, or by its hours.
pub fn fails(run: &Run) -> bool {
    matches!(run.state, RunState::Failed | RunState::CompletedWithErrors)
}

#[cfg(test)]
#[path = "troubles_tests.rs"]
mod tests;
