//! What earlier runs say of each profile: read once, at the start.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::{
    archive::Store,
    config::Config,
    control::api::Failure,
    profile::{LastRun, Standing},
    report::{Run, RunState},
};

/// Of each profile, its last run that asked the server, and when one last ended as completed.
pub struct History(HashMap<String, (LastRun, Option<Timestamp>)>);

/// Protocols looked back on, and read at once.
const LOOK_BACK: usize = 10_000;
const PAGE: usize = 100;

impl History {
    /// # Errors
    /// The protocols cannot be read.
    pub fn read(config: &Config, store: &Store) -> Result<Self, Failure> {
        let mut history = HashMap::<String, (LastRun, Option<Timestamp>)>::new();
        let (mut before, mut looked_at) = (None, 0);
        while looked_at < LOOK_BACK {
            let complete = |profile: &crate::config::Profile| {
                let known = history.get(&profile.name);
                known.is_some_and(|(_, success)| success.is_some())
            };
            let page = store.runs(before, PAGE)?;
            let Some((last, _)) = page.last() else { break };
            if config.profile.iter().all(complete) {
                break;
            }
            before = Some(*last);
            looked_at += page.len();
            for (_, json) in page {
                let Ok(run) = serde_json::from_str::<Run>(&json) else {
                    continue;
                };
                // An import says nothing of when the server was last asked.
                if !run.import.is_empty() {
                    continue;
                }
                let last = LastRun::from(&run);
                let (_, success) = history.entry(run.profile).or_insert((last, None));
                if run.state == RunState::Completed && success.is_none() {
                    *success = run.finished_at;
                }
            }
        }
        Ok(Self(history))
    }

    /// How a profile stands after them.
    pub fn standing(&self, profile: &str) -> Standing {
        match self.0.get(profile) {
            Some((last, success)) => Standing::after(Some(last.clone()), *success),
            None => Standing::default(),
        }
    }
}
