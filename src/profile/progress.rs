//! What connections tell their profile: which copies have which outcome.

use actix::Message;

use crate::{
    identify::Reported,
    report::{Afloat, CopyError, DeletedCopy, Outcome},
    route::{Passed, Previewed, Routed},
    said::Said,
    source::CopyRef,
};

/// To the profile: what became of copies. Answered when it is counted.
#[derive(Message, Default)]
#[rtype(result = "()")]
pub struct Progress {
    /// Copies that the run will look at, beyond those told before.
    pub expected: u64,
    pub judged: Vec<Judged>,
    pub deleted: Vec<DeletedCopy>,
    /// Copies that were done and are open again, as their names stand for other mail now.
    pub reopened: u64,
    /// Beside those of copies that have an outcome.
    pub errors: Vec<CopyError>,
    pub notices: Vec<Said>,
    /// Those of the copies that were fetched, which are settled when their outcomes are counted.
    pub afloat: Vec<Afloat>,
}

impl Progress {
    pub fn is_empty(&self) -> bool {
        self.expected == 0
            && self.judged.is_empty()
            && self.deleted.is_empty()
            && self.reopened == 0
            && self.errors.is_empty()
            && self.notices.is_empty()
    }
}

/// A copy that has its outcome.
pub struct Judged {
    pub copy: CopyRef,
    pub outcome: Outcome,
    /// Bytes fetched for it.
    pub bytes: u64,
    pub routed: Option<Routed>,
    pub reported: Reported,
    /// The header ends with an envelope field that does not count there.
    pub ends_with_envelope: bool,
    pub error: Option<CopyError>,
    /// It was fetched.
    pub fetched: bool,
}

impl Judged {
    /// Unknown by its header, and left alone.
    pub fn skipped(copy: CopyRef, previewed: Previewed, passed: Passed, reported: Reported) -> Self {
        let routed = Routed {
            unknown: true,
            skipped: true,
            local_unknown: previewed.unknown_addresses,
            unresolved: previewed.unresolved,
            strangers: previewed.strangers,
            passed,
            ..Default::default()
        };
        Self {
            routed: Some(routed),
            reported,
            ..Self::without_bytes(copy, Outcome::Skipped, None)
        }
    }

    /// Of a copy that was not fetched.
    pub fn without_bytes(copy: CopyRef, outcome: Outcome, error: Option<CopyError>) -> Self {
        Self {
            copy,
            outcome,
            bytes: 0,
            routed: None,
            reported: Reported::No,
            ends_with_envelope: false,
            error,
            fetched: false,
        }
    }
}
