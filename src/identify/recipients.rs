//! For whom a message is: which addresses, from which field, by which step.
//!
//! The steps in their order, of which the first that yields an address decides unless the profile says otherwise:
//! a journal report, envelope fields in the trusted zone, Received, the header's own addressees. What a step looks at
//! are [`Mention`]s, in groups: of a step's groups the first that yields an address counts. `mentions` lists them
//! and says which are barred (`zone`: by their place). The decision and the explanation both ask it.

use std::ops::ControlFlow;

use super::{
    address::{Each, first_addresses},
    found::{Found, Gathering, Keep, Role, Wanted},
    header::{Field, Header},
    journal::MARKS,
    mentions::{BESIDE, Mention, mentions},
    rules::{Mail, Rules},
    step::{Barred, Step},
    zone::at_end,
};
use crate::{
    config::Use,
    report::ReportCounts,
    said::{Said, said},
};

/// Addresses of the last field of a header that are looked at where it does not count.
const MOST_LAST: usize = 100;

/// A group of mentions whose addresses count.
pub(super) type Counting = (Step, usize);

impl Rules {
    /// The addresses that count; where they are very many, the first ones.
    pub fn find(&self, mail: &Mail) -> Found {
        self.decide(mail, Keep::First).0
    }

    /// The addresses that count and that are `wanted`, however many there are.
    pub fn find_wanted(&self, mail: &Mail, wanted: &mut Wanted) -> Found {
        self.decide(mail, Keep::Wanted(wanted)).0
    }

    /// The addresses that count, and the groups of mentions that they are from.
    pub(super) fn decide(&self, mail: &Mail, keep: Keep) -> (Found, Vec<Counting>) {
        let mut gathering = Gathering::new(keep);
        let mut counting = Vec::new();
        let mut is_below = false;
        for step in Step::RECIPIENTS {
            let decided = !counting.is_empty() && self.steps != Use::All;
            if !decided && self.takes(step) {
                is_below |= self.take(step, mail, &mut gathering, &mut counting);
            }
        }
        let told = counting.iter().any(|(step, _)| *step != Step::Addressees);
        if is_below && !told && self.ends_with_envelope(mail.outer) {
            gathering.ends_with_envelope();
        }
        if self.senders {
            self.take(Step::Senders, mail, &mut gathering, &mut counting);
        }
        (gathering.found(), counting)
    }

    /// The addresses of a step's first group that has one, and of what counts beside it; of all groups where they are
    /// to be united. Whether envelope fields stand below the trusted zone.
    fn take(&self, step: Step, mail: &Mail, gathering: &mut Gathering, counting: &mut Vec<Counting>) -> bool {
        let role = match step {
            Step::Senders => Role::Sender,
            _ => Role::Recipient,
        };
        let all = step == Step::Envelope && self.steps == Use::All;
        // The group that was the last to yield an address.
        let mut yielded = None;
        let mut is_below = false;
        let _all_or_enough = mentions(self, step, mail, &mut |mention| {
            let beside = mention.group == BESIDE;
            if yielded.is_some_and(|group| group != mention.group) && !all && !beside {
                return match step {
                    Step::Envelope => ControlFlow::Break(()),
                    _ => ControlFlow::Continue(()),
                };
            }
            if let Some(barred) = mention.barred {
                is_below |= step == Step::Envelope && barred == Barred::Below;
                return ControlFlow::Continue(());
            }
            self.each_address(&mention, &mut |address| {
                if self.is_own(&address) {
                    return ControlFlow::Continue(());
                }
                if !beside {
                    yielded = Some(mention.group);
                }
                if counting.last() != Some(&(step, mention.group)) {
                    counting.push((step, mention.group));
                }
                gathering.take(role, address, &mention.name)
            })
        });
        is_below
    }

    /// Whether the last field of a header is an envelope field that names others than the mailbox.
    fn ends_with_envelope(&self, header: &Header) -> bool {
        let envelope = |field: &Field| self.envelope_headers.iter().any(|name| field.is(name));
        let last = at_end(header).map(|(_, last)| last).filter(envelope);
        let named = last.map_or(Vec::new(), |last| first_addresses(last.value, MOST_LAST));
        named
            .into_iter()
            .any(|address| !self.is_own(&self.meant(Step::Envelope, address)))
    }

    /// Hands on the addresses of a mention, in their order.
    pub(super) fn each_address(&self, mention: &Mention, found: &mut Each) -> ControlFlow<()> {
        let ours = matches!(mention.step, Step::Envelope | Step::Received);
        match ours && !(self.strip_prefix.is_empty() && self.unwrap.is_empty()) {
            true => mention.each_address(&mut |address| found(self.meant(mention.step, address))),
            false => mention.each_address(found),
        }
    }
}

/// What to do about journal reports: how a profile that met some and does not believe them is made to, and where to look
/// for those that it believes and cannot read.
pub fn notices_of_reports(
    &ReportCounts {
        untrusted, unreadable, ..
    }: &ReportCounts,
) -> Vec<Said> {
    let mut notices = Vec::new();
    if untrusted > 0 {
        notices.push(said!(
            ReportsNotBelieved,
            "{0} messages are journal reports ({1}) and are archived as ordinary messages. If they come from your own \
             server, set journal = \"from\" with journal_from (docs/recipients.md says which names and networks count with \
             which server), or journal = \"always\" if nobody else can write to this mailbox",
            untrusted,
            MARKS[0]
        ));
    }
    if unreadable > 0 {
        notices.push(said!(
            ReportsUnreadable,
            "{0} messages are journal reports that are believed, but not all of their recipients can be read: they \
             are filed for @catchall too (list --user @catchall shows them, explain ID says why). dropkeep reads reports in \
             plain text of any charset, and in HTML; it does not open those that came back to an alternate journal mailbox",
            unreadable
        ));
    }
    notices
}

#[cfg(test)]
#[path = "recipients_tests.rs"]
mod tests;
