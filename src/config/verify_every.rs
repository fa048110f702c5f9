//! `archive.verify`: within which time an appliance verifies all of its archive.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

use super::Span;

const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// A time such as `30d`, or `never`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VerifyEvery {
    Never,
    Within(Span),
}

impl VerifyEvery {
    /// All of it in this many days.
    pub const fn days(days: u64) -> Self {
        Self::Within(Span(Duration::from_secs(days * 86_400)))
    }

    /// The time, where there is one.
    pub fn within(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::Within(Span(span)) => Some(span),
        }
    }
}

impl<'de> Deserialize<'de> for VerifyEvery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim() == "never" {
            return Ok(Self::Never);
        }
        match humantime::parse_duration(&text) {
            Ok(span) if (DAY..=YEAR).contains(&span) => Ok(Self::Within(Span(span))),
            _ => Err(de::Error::invalid_value(
                de::Unexpected::Str(&text),
                &"\"never\", or a time from a day to a year, such as \"30d\"",
            )),
        }
    }
}
