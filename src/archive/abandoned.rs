//! What a process that was killed left unfinished in the catalog.

use super::{Store, StoreError};
use crate::{
    fault,
    report::{Run, RunState},
};

/// More runs than can have been going on when a crash came: every start closes earlier ones.
const RUNS_AT_ONCE: usize = 10_000;

/// Runs that a crash cut off are so marked.
///
/// # Errors
/// The catalog cannot be written.
pub fn close_abandoned_runs(store: &Store) -> Result<(), StoreError> {
    let catalog = &store.catalog;
    let close = || {
        let mut txn = catalog.write()?;
        let mut abandoned = Vec::new();
        for row in catalog.runs.rev_iter(&txn)?.take(RUNS_AT_ONCE) {
            let (number, json) = row?;
            if let Ok(run) = serde_json::from_str::<Run>(&json)
                && run.state == RunState::Running
            {
                abandoned.push((number, run));
            }
        }
        for (number, run) in abandoned {
            let json = serde_json::to_string(&run.abandoned()).map_err(|error| heed::Error::Encoding(error.into()))?;
            catalog.runs.put(&mut txn, &number, &json)?;
        }
        fault::point("abandoned-closing")?;
        txn.commit()
    };
    close().map_err(StoreError::lmdb("closing abandoned runs", catalog.path()))
}
