//! The protocols of runs.

use super::tell::{End, Tell};
use crate::{
    api::{Code, Failure, Reply, Wrong},
    archive::{RunId, Store, StoreError},
    report::{Run, RunFilter},
};

/// Protocols read at once.
const RUNS: usize = 100;

pub fn protocols(
    store: &Store,
    newest: Option<usize>,
    filter: &RunFilter,
    mut before: Option<RunId>,
    tell: &mut Tell,
) -> Result<(), End> {
    let mut left = newest.unwrap_or(usize::MAX);
    while left > 0 {
        let page = store.runs_where(filter, before, left.min(RUNS))?;
        left -= page.runs.len();
        for (number, json) in page.runs {
            tell(Reply::Run(Box::new(parse_run(number, &json)?)))?;
        }
        if page.before.is_none() {
            break;
        }
        before = page.before;
    }
    Ok(())
}

pub fn protocol(store: &Store, run: RunId, tell: &mut Tell) -> Result<(), End> {
    tell(Reply::Run(Box::new(protocol_of(store, run)?)))
}

/// The protocol of a run.
///
/// # Errors
/// There is none, or none any more; or it cannot be read.
pub fn protocol_of(store: &Store, run: RunId) -> Result<Run, Failure> {
    let Some(json) = store.run(run)? else {
        let (why, code) = match store.was_run(run)? {
            true => (
                format!(
                    "the protocol of run {run} was removed: it is older than [protocols] keeps them (keep, keep_idle)"
                ),
                Code::RunForgotten,
            ),
            false => (format!("there is no run {run}"), Code::NoRun),
        };
        return Err(Failure::unknown(why).for_that(Wrong::new(code, &[&run])));
    };
    parse_run(run, &json)
}

fn parse_run(run: RunId, json: &str) -> Result<Run, Failure> {
    let damaged = |error| StoreError::Damaged {
        detail: format!("the protocol of run {run}: {error}"),
    };
    serde_json::from_str(json).map_err(damaged).map_err(Failure::from)
}
