//! A run as it looks from outside while it goes on, and where its profile writes that.

use std::{collections::HashSet, sync::Arc};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    frequent::{Frequent, Own},
    not_made::NotMade,
    pulse::Pulse,
    strangers::{MissingDomain, local_parts_of},
};
use crate::{
    config,
    report::Run,
    route::{Directory, Routing},
};

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
    pub(super) fn run(&self, number: u64) -> Option<Run> {
        let live = self.0.borrow();
        let run = live.run.clone().filter(|run| run.run == number);
        run.filter(|_| live.generation == self.1)
    }
}
