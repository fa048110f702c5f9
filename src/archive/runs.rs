//! The table `runs`: the protocols, and the ledger that says which of them are the newest of each profile.

use std::{collections::BTreeMap, ops::Bound};

use heed::{RoTxn, RwTxn};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError, catalog::Catalog, codec::Row, rows::RunId};
use crate::report::{Run, RunFilter, RunState};

const LEDGER: &str = "protocols";
/// The key of the note on which runs were reported.
const NOTIFIED: &str = "notified";
/// Protocols that are looked at in one read transaction, and about how many bytes of them are held at once.
const LOOKED_AT: usize = 1000;
const HELD: usize = 4 << 20;

/// `meta`, "protocols": what is known of the table `runs` without going through it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ledger {
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

impl Ledger {
    fn note(&mut self, run: &Run) {
        let latest = self.profiles.entry(run.profile.clone()).or_default();
        latest.run = latest.run.max(run.run);
        if run.import.is_empty() {
            latest.fetched = latest.fetched.max(run.run);
            if run.state == RunState::Completed {
                latest.completed = latest.completed.max(run.run);
            }
        }
    }

    fn keeps(&self, run: RunId) -> bool {
        let keeps = |latest: &Latest| [latest.run, latest.fetched, latest.completed].contains(&run);
        self.profiles.values().any(keeps)
    }
}

impl Catalog {
    pub(super) fn ledger(&self, txn: &RoTxn) -> heed::Result<Ledger> {
        let meta = self.meta.remap_data_type::<Row<Ledger>>();
        Ok(meta.get(txn, LEDGER)?.unwrap_or_default())
    }

    fn put_ledger(&self, txn: &mut RwTxn, ledger: &Ledger) -> heed::Result<()> {
        self.meta.remap_data_type::<Row<Ledger>>().put(txn, LEDGER, ledger)
    }

    /// Makes the ledger of a store that an earlier version wrote.
    pub(super) fn make_ledger(&self, txn: &mut RwTxn) -> heed::Result<()> {
        if self.meta.get(txn, LEDGER)?.is_some() {
            return Ok(());
        }
        let mut ledger = Ledger::default();
        for row in self.runs.iter(txn)? {
            let (_, json) = row?;
            if let Ok(run) = serde_json::from_str::<Run>(&json) {
                ledger.note(&run);
            }
        }
        self.put_ledger(txn, &ledger)
    }

    /// Stores a protocol under its number.
    pub(super) fn put_run(&self, txn: &mut RwTxn, run: &Run) -> heed::Result<()> {
        let json = serde_json::to_string(run).map_err(|error| heed::Error::Encoding(error.into()))?;
        self.runs.put(txn, &run.run, &json)?;
        let before = self.ledger(txn)?;
        let mut ledger = before.clone();
        ledger.note(run);
        match ledger == before {
            true => Ok(()),
            false => self.put_ledger(txn, &ledger),
        }
    }

    /// Removes protocols but those that are always kept; gives how many.
    pub(super) fn forget_runs(&self, txn: &mut RwTxn, runs: &[RunId]) -> heed::Result<u64> {
        let mut ledger = self.ledger(txn)?;
        let mut removed = 0;
        for run in runs.iter().filter(|run| !ledger.keeps(**run)) {
            removed += u64::from(self.runs.delete(txn, run)?);
        }
        if removed > 0 {
            ledger.removed += removed;
            self.put_ledger(txn, &ledger)?;
        }
        Ok(removed)
    }

    pub(super) fn put_notified(&self, txn: &mut RwTxn, note: &String) -> heed::Result<()> {
        self.meta.remap_data_type::<Row<String>>().put(txn, NOTIFIED, note)
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

    /// At most `most` of the protocols that `filter` admits, newest first, from below run `before`. There may be none in
    /// it though there are more.
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
        Ok((1..next).contains(&run))
    }

    /// The newest runs of a profile; `None` where it never ran.
    pub fn latest_runs(&self, profile: &str) -> Result<Option<Latest>, StoreError> {
        let ledger = self.reading(|txn| self.catalog.ledger(txn))?;
        Ok(ledger.profiles.get(profile).copied())
    }

    /// What was noted by [`Change::Notified`](super::Change::Notified).
    pub fn notified(&self) -> Result<Option<String>, StoreError> {
        self.reading(|txn| self.catalog.meta.remap_data_type::<Row<String>>().get(txn, NOTIFIED))
    }
}
