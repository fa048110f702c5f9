//! A run as it looks from outside while it goes on, and where its profile writes that.

use std::{collections::HashSet, sync::Arc};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    frequent::Frequent,
    not_made::NotMade,
    own::Own,
    progress::Judged,
    pulse::Pulse,
    strangers::{MissingDomain, local_parts_of},
};
use crate::{
    config,
    identify::Reported,
    ids::RunId,
    report::{CopyError, Run},
    route::{Directory, Routing},
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
    /// The addresses that its messages name and nobody has.
    pub(super) unresolved: Frequent,
    /// Users that it may not make any more.
    pub(super) not_made: NotMade,
    /// Messages whose header ends with an envelope field that does not count.
    pub(super) ends_with_envelope: u64,
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
        run.count(outcome);
        run.bytes += bytes;
        if let Some(error) = error {
            log_first(run, &error);
            run.error(&error.folder, error.copy, &error.stage, error.error);
        }
        match reported {
            Reported::Believed => run.journal_reports += 1,
            Reported::Untrusted => run.untrusted_reports += 1,
            Reported::Unreadable => run.unreadable_reports += 1,
            Reported::No => {}
        }
        self.ends_with_envelope += u64::from(ends_with_envelope);
        let Some(routed) = routed else { return };
        if routed.more > 0 && run.notices.len() < MOST_NOTICES {
            run.notice(names_very_many(&copy, routed.more));
        }
        self.unresolved.message(
            routed.unresolved,
            &routed.strangers,
            &routed.passed,
            routed.unknown,
            &profile.server.username,
        );
        run.unknown += u64::from(routed.unknown);
        run.filings += routed.archived.len() as u64;
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
        over.for_each(|address| self.not_made.count(address, limit));
    }
}

/// The notice about a copy that names so many addresses that most of them are only counted.
fn names_very_many(copy: &CopyRef, more: u64) -> String {
    format!(
        "{copy} names so many addresses that {more} of them are not listed anywhere; each of them was looked up, and \
         whoever is known among them has the message"
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
        what_to_do: _,
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

    /// The addresses that look like the mailbox's own, by what its messages name.
    pub(super) fn own_addresses(&self, username: &str) -> Own {
        self.0.borrow().unresolved.own(username)
    }

    /// A domain of its messages that is none of the profile's.
    pub(super) fn missing_domain(
        &self,
        profile: &config::Profile,
        directory: Option<&Directory>,
    ) -> Option<MissingDomain> {
        let local_parts = directory.map_or_else(HashSet::new, local_parts_of);
        let routing = Routing::new(&profile.recipients);
        let unresolved = &self.0.borrow().unresolved;
        let username = &profile.server.username;
        let own = unresolved.own(username);
        let is_local = |address: &_| routing.is_local(address);
        unresolved
            .strangers
            .missing_domain(username, &own, is_local, &local_parts)
    }

    pub(super) fn not_made(&self) -> NotMade {
        self.0.borrow().not_made.clone()
    }

    pub(super) fn ends_with_envelope(&self) -> u64 {
        self.0.borrow().ends_with_envelope
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
