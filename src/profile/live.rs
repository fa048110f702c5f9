//! A run as it looks from outside while it goes on, and where its profile writes that.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{heard::Heard, progress::Judged, pulse::Pulse};
use crate::{
    config,
    ids::RunId,
    report::{CopyError, Run},
    said::{Said, said},
    source::CopyRef,
};

/// Errors of a run that the log has, too; all that the protocol has of more would hide what else happens.
const LOGGED: usize = 20;
/// Notices of a protocol up to which copies are named that are out of the ordinary.
const MOST_NOTICES: usize = 20;

/// What a run looks like from outside while it goes on.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// Which of the profiles that its supervisor made one after the other it speaks of.
    pub(super) generation: u64,
    /// A run is going on, or about to begin, or its protocol is being stored.
    pub busy: bool,
    /// The run as counted so far; `None` when none is going on.
    pub run: Option<Run>,
    /// Copies that it expects to look at.
    pub expected: u64,
    /// What its messages say.
    pub(super) heard: Heard,
    /// Ends it in good order.
    pub cancel: CancellationToken,
    /// Whether it gets anywhere.
    pub pulse: Pulse,
}

impl Live {
    /// Counts a copy that has its outcome.
    pub(super) fn count(&mut self, profile: &config::Profile, judged: Judged) {
        let Judged {
            outcome,
            bytes,
            routed,
            reported,
            ends_with_envelope,
            error,
            fetched: _,
            copy,
        } = judged;
        let Some(run) = self.run.as_mut() else { return };
        run.counts.count(outcome);
        run.counts.bytes += bytes;
        if let Some(error) = error {
            log_first(run, &error);
            run.add_error(error);
        }
        reported.count(&mut run.reports);
        self.heard.ends_with_envelope += u64::from(ends_with_envelope);
        let Some(routed) = routed else { return };
        if routed.more > 0 && run.notices.len() < MOST_NOTICES {
            run.notice(names_very_many(&copy, routed.more));
        }
        self.heard.unresolved.message(
            routed.unresolved,
            &routed.strangers,
            &routed.passed,
            routed.unknown,
            &profile.server.username,
        );
        run.counts.unknown += u64::from(routed.unknown);
        run.counts.filings += routed.archived.len() as u64;
        for user in routed.archived {
            run.users.entry(user).or_default().archived += 1;
        }
        // A copy that is new to one of its users is no duplicate of the others'.
        for user in routed.duplicate {
            run.users.entry(user).or_default().duplicates += 1;
        }
        run.created_users.extend(routed.created);
        let unknown = routed.local_unknown.iter();
        unknown.for_each(|address| run.unknown_addresses.count(address.as_str()));
        let limit = profile.recipients.create_limit;
        let over = routed.over_limit.iter();
        over.for_each(|address| self.heard.not_made.count(address, limit));
    }
}

/// The notice about a copy that names so many addresses that most of them are only counted.
fn names_very_many(copy: &CopyRef, more: u64) -> Said {
    said!(
        NamesVeryMany,
        "{0} names so many addresses that {1} of them are not listed anywhere; each of them was looked up, and whoever is \
         known among them has the message",
        copy.to_string(),
        more
    )
}

/// Logs an error that is about to be added to a run, if it is among the first.
pub(super) fn log_first(run: &Run, error: &CopyError) {
    if run.errors.len() < LOGGED {
        log_error(run, error);
    }
}

/// An error of one copy, or of a folder.
pub(super) fn log_error(run: &Run, error: &CopyError) {
    let CopyError {
        folder,
        copy,
        stage,
        error,
        ..
    } = error;
    let (profile, run) = (&run.profile, run.run.0);
    tracing::warn!(profile, run, folder, copy, stage, error, "not done");
}

/// Where a profile writes what its run looks like. One that was replaced writes nothing any more.
#[derive(Clone)]
pub struct Board(Arc<watch::Sender<Live>>, u64);

impl Board {
    /// The board of the profile of this generation.
    pub fn new(live: Arc<watch::Sender<Live>>, generation: u64) -> Self {
        Self(live, generation)
    }

    pub(super) fn modify(&self, change: impl FnOnce(&mut Live)) {
        self.0.send_if_modified(|live| {
            let mine = live.generation == self.1;
            if mine {
                change(live);
                live.generation = self.1;
            }
            mine
        });
    }

    /// What the messages of the run say.
    pub(super) fn heard(&self) -> Heard {
        self.0.borrow().heard.clone()
    }

    pub(super) fn expected(&self) -> u64 {
        self.0.borrow().expected
    }

    /// The run of this number, as counted so far; `None` where it was given up.
    pub(super) fn run(&self, number: RunId) -> Option<Run> {
        let live = self.0.borrow();
        let run = live.run.clone().filter(|run| run.run == number);
        run.filter(|_| live.generation == self.1)
    }
}
