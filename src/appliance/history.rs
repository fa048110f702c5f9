//! What earlier runs say of a profile: read once, at the start. An import says nothing of when its server was last
//! asked.

use crate::{
    archive::{Store, StoreError},
    profile::Standing,
    report::Run,
};

/// How a profile stands after its earlier runs.
///
/// # Errors
/// The protocols cannot be read.
pub fn standing(profile: &str, store: &Store) -> Result<Standing, StoreError> {
    let Some(latest) = store.latest_runs(profile)? else {
        return Ok(Standing::default());
    };
    let run = |number| -> Result<Option<Run>, StoreError> {
        let json = store.run(number)?;
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    };
    let completed = run(latest.completed)?.and_then(|run| run.finished_at);
    Ok(Standing::after(run(latest.fetched)?.as_ref(), completed))
}
