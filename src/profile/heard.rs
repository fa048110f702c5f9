//! What the messages of a run, or of a rehearsal, say of the profile's rules and users besides for whom they are; and the
//! notices about that. Pure.

use std::collections::HashSet;

use super::{
    appended::notice_of_appended,
    frequent::{Frequent, notice_of_unknown},
    not_made::NotMade,
    strangers::{MissingDomain, local_parts_of},
};
use crate::{
    config,
    identify::notices_of_reports,
    message::Address,
    report::ReportCounts,
    route::{Directory, Routing},
    said::Said,
};

#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The addresses that the messages name and nobody has.
    pub unresolved: Frequent,
    /// Users that may not be made any more.
    pub not_made: NotMade,
    /// Messages whose header ends with an envelope field that does not count.
    pub ends_with_envelope: u64,
}

impl Heard {
    /// A domain of the messages that is none of ours.
    pub fn missing_domain(
        &self,
        username: &str,
        routing: &Routing,
        directory: Option<&Directory>,
    ) -> Option<MissingDomain> {
        let local_parts = directory.map_or_else(HashSet::new, local_parts_of);
        let is_local = |address: &Address| routing.is_local(address);
        let own = self.unresolved.own(username);
        let strangers = &self.unresolved.strangers;
        strangers.missing_domain(username, &own, is_local, &local_parts)
    }

    /// What is to be said of so many messages, of which so many are nobody's.
    pub fn notices(
        &self,
        messages: u64,
        unknown: u64,
        reports: &ReportCounts,
        profile: &config::Profile,
        directory: Option<&Directory>,
    ) -> Vec<Said> {
        let username = &profile.server.username;
        let own = self.unresolved.own(username);
        let missing = self.missing_domain(username, &Routing::new(&profile.recipients), directory);
        let notices = [
            notice_of_unknown(messages, unknown, &own, profile),
            missing.map(|missing| missing.notice(profile)),
            self.not_made.notice(&profile.name),
            notice_of_appended(messages, self.ends_with_envelope, profile),
        ];
        notices
            .into_iter()
            .flatten()
            .chain(notices_of_reports(reports))
            .collect()
    }
}
