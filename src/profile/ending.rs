//! How a run ends: its protocol is completed, its metrics are counted, and its end is logged.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    exclude::notice_of_all,
    finished::{Finished, StartError},
    jobs::FolderError,
    live::{Board, log_error},
    run,
    run_error::RunError,
    standing::Trouble,
};
use crate::{
    archive::{RunId, StoreError},
    clock, config,
    notify::Notifier,
    report::{CopyError, Counts, Run, RunState, metrics, timestamp},
    route::Directory,
    said::Say,
};

/// Copies that a run left to be archived: those it did not come to, and those that failed.
pub(super) fn left_open(run: &Run, expected: u64) -> u64 {
    expected.saturating_sub(run.counts.seen) + run.counts.failed
}

/// A run that the store does not let begin has no protocol, and counts as failed all the same.
pub(super) fn not_begun(notifier: &Notifier, profile: &str, started: Timestamp, error: StoreError) -> StartError {
    let now = clock::now();
    let mut run = Run::begin(profile, started);
    run.state = RunState::Failed;
    run.finished_at = Some(timestamp(now));
    metrics::error("store");
    run.error("", "", "store", &error);
    notifier.ended(&run);
    let took = Duration::try_from(now.duration_since(started)).unwrap_or_default();
    metrics::run_ended(profile, RunState::Failed, took, None);
    error.into()
}

/// Completes the protocol of run `number`; `None` where that run is no longer the one in `live`. `by_itself`: a
/// schedule runs the profile again.
pub(super) fn finish(
    live: &Board,
    config: &config::Profile,
    directory: Option<&Directory>,
    number: RunId,
    started: Timestamp,
    (refused, result): (Vec<FolderError>, Result<(), RunError>),
    by_itself: bool,
) -> Option<Finished> {
    let mut run = live.run(number)?;
    let some_refused = !refused.is_empty();
    for FolderError { folder, error } in refused {
        let advice = error.what_to_do();
        note(
            &mut run,
            CopyError::new(folder, "", "folder", error).with_advice(advice),
        );
    }
    let trouble = match &result {
        Ok(()) | Err(RunError::Interrupted) => None,
        Err(error) => {
            let advice = match by_itself {
                true => error.what_to_do(),
                false => error.what_to_do().by_hand(),
            };
            note(
                &mut run,
                CopyError::new("", "", error.stage(), error).with_advice(Some(advice.clone())),
            );
            Some(Trouble {
                why: error.said(),
                what_to_do: advice,
            })
        }
    };
    let expected = live.expected();
    let left_open = (expected > 0 || result.is_ok()).then(|| left_open(&run, expected));
    let heard = live.heard();
    run.users_not_created = heard.not_made.addresses();
    let (messages, unknown) = (run.counts.seen, run.counts.unknown);
    let notices = heard
        .notices(messages, unknown, &run.reports, config, directory)
        .into_iter();
    let all_excluded = notice_of_all(&config.exclude, messages, run.counts.excluded).filter(|_| run.import.is_empty());
    notices.chain(all_excluded).for_each(|notice| run.notice(notice));
    run.state = run::final_state(&run, some_refused, &result);
    let now = clock::now();
    run.finished_at = Some(timestamp(now));
    let took = Duration::try_from(now.duration_since(started)).unwrap_or_default();
    let fetched_at = run.import.is_empty().then(|| now.as_second());
    metrics::run_ended(&run.profile, run.state, took, fetched_at);
    let exit = run::exit(run.state, &result);
    if let Some(left) = left_open.filter(|_| run.import.is_empty()) {
        metrics::open_copies(&run.profile, left);
    }
    Some(Finished {
        run: Arc::new(run),
        exit,
        trouble,
        left_open,
    })
}

/// An error of no copy: in the protocol, in the log, and counted.
fn note(run: &mut Run, error: CopyError) {
    metrics::error(&error.stage);
    log_error(run, &error);
    run.add_error(error);
}

pub(super) fn log(finished: &Finished) {
    let Run {
        profile,
        run,
        state,
        errors,
        counts,
        ..
    } = &*finished.run;
    let state = state.as_str();
    let Counts {
        seen,
        archived,
        duplicates,
        failed,
        ..
    } = counts;
    tracing::info!(
        profile,
        run = run.0,
        state,
        seen,
        archived,
        duplicates,
        failed,
        errors = errors.len(),
        "run ends"
    );
}
