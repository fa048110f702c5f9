//! Which protocols are wanted. Pure.

use std::{borrow::Cow, fmt};

use jiff::{SignedDuration, Timestamp};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IgnoredAny},
};

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
    /// Runs that ended otherwise than completed.
    pub troubled: bool,
    /// Runs that met addresses that nobody has.
    pub unknown: bool,
}

/// By how much a clock may be put back so that no run is missed.
const SLACK: SignedDuration = SignedDuration::from_hours(24);

/// What a filter looks at of a protocol. The rest of it, which may be much, is skipped.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    profile: Cow<'a, str>,
    state: RunState,
    started_at: Timestamp,
    #[serde(default)]
    unknown_addresses: Any,
}

/// Whether a map has anything in it.
#[derive(Default)]
struct Any(bool);

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Any;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Any, A::Error> {
                let mut any = Any(false);
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    any = Any(true);
                }
                Ok(any)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
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
            && (!self.unknown || head.unknown_addresses.0)
            && (!self.troubled || !matches!(head.state, RunState::Completed | RunState::Running))
    }

    /// Whether runs that began before this one, as the store has it, are not wanted either: they are numbered as they begin,
    /// but for a clock that was put back by less than a day.
    pub fn ends_at(&self, json: &str) -> bool {
        let Some(since) = self.since else { return false };
        let head = serde_json::from_str::<Head>(json);
        head.is_ok_and(|head| since.checked_sub(SLACK).is_ok_and(|since| head.started_at < since))
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
            troubled: true,
            unknown: false,
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
        for (state, is_one) in [
            (RunState::Running, false),
            (RunState::Completed, false),
            (RunState::CompletedWithErrors, true),
            (RunState::Interrupted, true),
        ] {
            run.state = state;
            let troubled = RunFilter {
                troubled: true,
                ..RunFilter::default()
            };
            assert_eq!(
                troubled.admits(&serde_json::to_string(&run).unwrap()),
                is_one,
                "{state:?}"
            );
        }
        let unknown = RunFilter {
            unknown: true,
            ..RunFilter::default()
        };
        assert!(!unknown.admits(&json));
        run.unknown_addresses.count("a@example.com");
        assert!(unknown.admits(&serde_json::to_string(&run).unwrap()));
        let since = |second| RunFilter {
            since: Some(at(second)),
            ..RunFilter::default()
        };
        assert!(since(1000 + 25 * 3600).ends_at(&json) && !since(1000 + 23 * 3600).ends_at(&json));
        assert!(!RunFilter::default().ends_at(&json) && !since(i64::from(u32::MAX)).ends_at("{}"));
        assert!(all.admits("{}"), "what is damaged is not passed over");
    }
}
