//! `[protocols]`: how long the protocols of runs are kept.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};

use super::{Span, values::from_text};

/// Five years, as `5y` says it.
const KEEP: Keep = Keep::For(Span(Duration::from_secs(5 * 31_557_600)));
const DAY: Duration = Duration::from_secs(86_400);

/// How long something is kept: `7d`, `5y`, or `forever`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    Forever,
    For(Span),
}

impl Keep {
    const fn days(days: u64) -> Self {
        Self::For(Span(Duration::from_secs(days * 86_400)))
    }

    /// What ended before this moment is kept no longer; `None` where all is kept.
    pub fn ends_at(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Forever => None,
            Self::For(Span(span)) => now.checked_sub(SignedDuration::try_from(span).ok()?).ok(),
        }
    }
}

impl<'de> Deserialize<'de> for Keep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(
            deserializer,
            "\"forever\", or a day or longer, such as \"7d\" or \"5y\"",
            |text| match text.trim() {
                "forever" => Some(Self::Forever),
                _ => Span::parse(text).filter(|span| span.0 >= DAY).map(Self::For),
            },
        )
    }
}

/// `[protocols]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Protocols {
    /// How long a protocol is kept after its run ended.
    pub keep: Keep,
    /// The same for runs that found nothing to do and have nothing to say.
    pub keep_idle: Keep,
}

impl Default for Protocols {
    fn default() -> Self {
        Self {
            keep: KEEP,
            keep_idle: Keep::days(7),
        }
    }
}
