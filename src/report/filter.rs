//! Which protocols are wanted. Pure.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::RunState;

/// Which protocols are wanted; one that says nothing wants all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunFilter {
    pub profile: Option<String>,
    pub state: Option<RunState>,
    /// Runs that began at this moment or later.
    pub since: Option<Timestamp>,
    /// Runs that began at this moment or before.
    pub until: Option<Timestamp>,
}

/// What a filter looks at of a protocol. The rest of it, which may be much, is skipped.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    profile: Cow<'a, str>,
    state: RunState,
    started_at: Timestamp,
}

impl RunFilter {
    /// Whether a protocol, as the store has it, is wanted. One that cannot be read is: whoever reads it says why.
    pub fn admits(&self, json: &str) -> bool {
        if *self == Self::default() {
            return true;
        }
        let Ok(head) = serde_json::from_str::<Head>(json) else {
            return true;
        };
        self.profile.as_ref().is_none_or(|profile| *profile == head.profile)
            && self.state.is_none_or(|state| state == head.state)
            && self.since.is_none_or(|since| head.started_at >= since)
            && self.until.is_none_or(|until| head.started_at <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Run;

    #[test]
    fn each_condition_alone_and_all_together() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut run = Run::begin("com\"pany", at(1000));
        run.state = RunState::Failed;
        let json = serde_json::to_string(&run).unwrap();
        let all = RunFilter {
            profile: Some("com\"pany".into()),
            state: Some(RunState::Failed),
            since: Some(at(1000)),
            until: Some(at(1000)),
        };
        assert!(all.admits(&json) && RunFilter::default().admits(&json));
        for (what, other) in [
            (
                "profile",
                RunFilter {
                    profile: Some("company".into()),
                    ..all.clone()
                },
            ),
            (
                "state",
                RunFilter {
                    state: Some(RunState::Completed),
                    ..all.clone()
                },
            ),
            (
                "since",
                RunFilter {
                    since: Some(at(1001)),
                    ..all.clone()
                },
            ),
            (
                "until",
                RunFilter {
                    until: Some(at(999)),
                    ..all.clone()
                },
            ),
        ] {
            assert!(!other.admits(&json), "{what}");
        }
        assert!(all.admits("{}"), "what is damaged is not passed over");
    }
}
