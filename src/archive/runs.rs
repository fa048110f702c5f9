//! The table `runs`: the protocols, and what says which of them are the newest of each profile.

use std::{collections::BTreeMap, ops::Bound};

use heed::{RoTxn, RwTxn};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, catalog::Catalog, codec::Row, memo::Memo, rows::RunId};
use crate::report::{Run, RunFilter, RunState};

pub(super) const KNOWN_RUNS: &str = "protocols";
/// Protocols that are looked at in one read transaction, and about how many bytes of them are held at once.
const LOOKED_AT: usize = 1000;
const HELD: usize = 4 << 20;

/// `meta`, "protocols": what is known of the table `runs` without going through it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownRuns {
    /// Protocols that were removed because of their age.
    pub removed: u64,
    pub profiles: BTreeMap<String, Latest>,
}

/// The newest runs of a profile, which are kept whatever their age. 0 where there is none: numbers begin with 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latest {
    pub run: RunId,
    /// Of those that fetched from the server, and were no import.
    pub fetched: RunId,
    /// Of those the newest that ended as completed.
    pub completed: RunId,
}

impl KnownRuns {
    pub fn note(&mut self, run: &Run) {
        let latest = self.profiles.entry(run.profile.clone()).or_default();
        latest.run = latest.run.max(run.run);
        if run.import.is_empty() {
            latest.fetched = latest.fetched.max(run.run);
            if run.state == RunState::Completed {
                latest.completed = latest.completed.max(run.run);
            }
        }
    }

    pub fn keeps(&self, run: RunId) -> bool {
        let keeps = |latest: &Latest| [latest.run, latest.fetched, latest.completed].contains(&run);
        self.profiles.values().any(keeps)
    }
}

impl Catalog {
    pub(super) fn known_runs(&self, txn: &RoTxn) -> heed::Result<KnownRuns> {
        let meta = self.meta.remap_data_type::<Row<KnownRuns>>();
        Ok(meta.get(txn, KNOWN_RUNS)?.unwrap_or_default())
    }

    pub(super) fn put_known_runs(&self, txn: &mut RwTxn, known: &KnownRuns) -> heed::Result<()> {
        self.meta
            .remap_data_type::<Row<KnownRuns>>()
            .put(txn, KNOWN_RUNS, known)
    }

    /// Makes the note on the runs of a store that an earlier version wrote.
    pub(super) fn make_known_runs(&self, txn: &mut RwTxn) -> heed::Result<()> {
        if self.meta.get(txn, KNOWN_RUNS)?.is_some() {
            return Ok(());
        }
        let mut known = KnownRuns::default();
        for row in self.runs.iter(txn)? {
            let (_, json) = row?;
            if let Ok(run) = serde_json::from_str::<Run>(&json) {
                known.note(&run);
            }
        }
        self.put_known_runs(txn, &known)
    }
}

/// Some of the protocols that are wanted, and where the others begin.
pub struct RunPage {
    /// Number and JSON, newest first.
    pub runs: Vec<(RunId, String)>,
    /// Below which run to go on; `None` at the end.
    pub before: Option<RunId>,
}

impl Store {
    /// The protocols as JSON, newest first, from below run `before`.
    pub fn runs(&self, before: Option<RunId>, most: usize) -> Result<Vec<(RunId, String)>, StoreError> {
        self.reading(|txn| {
            let runs = self.catalog.runs.rev_range(txn, &(..before.unwrap_or(RunId::MAX)))?;
            runs.take(most).collect()
        })
    }

    /// At most `most` of the protocols that `filter` admits, newest first, from below run `before`. There may be none
    /// in it though there are more.
    pub fn runs_where(&self, filter: &RunFilter, before: Option<RunId>, most: usize) -> Result<RunPage, StoreError> {
        self.reading(|txn| {
            let mut page = RunPage {
                runs: Vec::new(),
                before: None,
            };
            let (mut looked_at, mut bytes) = (0, 0);
            for row in self.catalog.runs.rev_range(txn, &(..before.unwrap_or(RunId::MAX)))? {
                let (number, json) = row?;
                looked_at += 1;
                if filter.ends_at(&json) {
                    break;
                }
                if filter.admits(&json) {
                    bytes += json.len();
                    page.runs.push((number, json));
                }
                if looked_at == LOOKED_AT || page.runs.len() == most || bytes >= HELD {
                    page.before = Some(number);
                    break;
                }
            }
            Ok(page)
        })
    }

    /// Protocols as JSON, oldest first, from run `from` on: some of them.
    pub(super) fn runs_from(&self, from: RunId) -> Result<Vec<(RunId, String)>, StoreError> {
        self.reading(|txn| {
            let range = (Bound::Included(from), Bound::Unbounded);
            let (mut page, mut bytes) = (Vec::new(), 0);
            for row in self.catalog.runs.range(txn, &range)?.take(LOOKED_AT) {
                let (number, json) = row?;
                bytes += json.len();
                page.push((number, json));
                if bytes >= HELD {
                    break;
                }
            }
            Ok(page)
        })
    }

    pub fn run(&self, run: RunId) -> Result<Option<String>, StoreError> {
        self.reading(|txn| self.catalog.runs.get(txn, &run))
    }

    /// Whether a run of this number began once, though its protocol may be kept no longer.
    pub fn was_run(&self, run: RunId) -> Result<bool, StoreError> {
        let next = self.reading(|txn| self.catalog.counters(txn))?.run;
        Ok((RunId(1)..next).contains(&run))
    }

    /// The newest runs of a profile; `None` where it never ran.
    pub fn latest_runs(&self, profile: &str) -> Result<Option<Latest>, StoreError> {
        let known = self.reading(|txn| self.catalog.known_runs(txn))?;
        Ok(known.profiles.get(profile).copied())
    }

    /// What was noted by `Committer::put_notified`.
    pub fn notified(&self) -> Result<Option<String>, StoreError> {
        self.reading(|txn| self.catalog.memo(txn, Memo::Notified))
    }
}
