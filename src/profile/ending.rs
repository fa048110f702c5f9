//! How a run ends: its protocol is completed, its metrics are counted, and its end is logged.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use super::{
    appended::notice_of_appended,
    exclude::notice_of_all,
    finished::{Finished, StartError},
    frequent::notice_of_unknown,
    jobs::FolderError,
    live::{Board, log_error},
    run,
    run_error::RunError,
    standing::Trouble,
};
use crate::{
    archive::{RunId, StoreError},
    clock, config,
    identify::{how_to_believe_reports, reports_not_understood},
    notify::Notifier,
    report::{CopyError, Run, RunState, by_hand, metrics, timestamp},
    route::Directory,
};

/// Copies that a run left to be archived: those it did not come to, and those that failed.
pub(super) fn left_open(run: &Run, expected: u64) -> u64 {
    expected.saturating_sub(run.seen) + run.failed
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
                false => by_hand(&error.what_to_do()),
            };
            note(
                &mut run,
                CopyError::new("", "", error.stage(), error).with_advice(Some(advice.clone())),
            );
            Some(Trouble {
                why: error.to_string(),
                what_to_do: advice,
            })
        }
    };
    let expected = live.expected();
    let left_open = (expected > 0 || result.is_ok()).then(|| left_open(&run, expected));
    let own = live.own_addresses(&config.server.username);
    if let Some(notice) = notice_of_unknown(run.seen, run.unknown, &own, config) {
        run.notice(notice);
    }
    if run.import.is_empty()
        && let Some(notice) = notice_of_all(&config.exclude, run.seen, run.excluded)
    {
        run.notice(notice);
    }
    if let Some(missing) = live.missing_domain(config, directory) {
        run.notice(missing.notice(config));
    }
    let not_made = live.not_made();
    run.users_not_created = not_made.addresses();
    if let Some(notice) = not_made.notice(&config.name) {
        run.notice(notice);
    }
    if let Some(notice) = notice_of_appended(run.seen, live.ends_with_envelope(), config) {
        run.notice(notice);
    }
    if run.untrusted_reports > 0 {
        run.notice(how_to_believe_reports(run.untrusted_reports));
    }
    if run.unreadable_reports > 0 {
        run.notice(reports_not_understood(run.unreadable_reports));
    }
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
        seen,
        archived,
        duplicates,
        failed,
        errors,
        ..
    } = &*finished.run;
    let state = state.as_str();
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
