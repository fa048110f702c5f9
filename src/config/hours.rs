//! Hours of the day: those in which the appliance may tidy up, and those in which a profile pauses.

use std::time::Duration;

use jiff::{ToSpan, Zoned, civil::Time};
use serde::{Deserialize, Deserializer};

use super::values::from_text;
/// A daily stretch of local time such as `02:00-05:00`, past midnight where the end comes first; or `never`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DailyHours {
    #[default]
    Never,
    Daily {
        from: Time,
        to: Time,
    },
}

impl DailyHours {
    /// From `from` to `to` o'clock.
    pub const fn daily(from: i8, to: i8) -> Self {
        Self::Daily {
            from: Time::constant(from, 0, 0, 0),
            to: Time::constant(to, 0, 0, 0),
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        if text.trim() == "never" {
            return Some(Self::Never);
        }
        let (from, to) = text.split_once('-')?;
        let time = |text: &str| Time::strptime("%H:%M", text.trim()).ok();
        let (from, to) = (time(from)?, time(to)?);
        (from != to).then_some(Self::Daily { from, to })
    }

    /// When those end that `now` is in; `now` itself where it is in none.
    pub fn end(&self, now: Zoned) -> Zoned {
        let Self::Daily { to, .. } = *self else { return now };
        if !self.include(&now) {
            return now;
        }
        let day = if now.time() < to {
            now.date()
        } else {
            now.date().saturating_add(1.day())
        };
        day.to_datetime(to).to_zoned(now.time_zone().clone()).unwrap_or(now)
    }

    /// How long they are.
    pub fn length(&self) -> Duration {
        const DAY: i64 = 24 * 60 * 60;
        match *self {
            Self::Never => Duration::ZERO,
            Self::Daily { from, to } => {
                let seconds = from.duration_until(to).as_secs().rem_euclid(DAY);
                Duration::from_secs(seconds.unsigned_abs())
            }
        }
    }

    /// Whether `now` is in them.
    pub fn include(&self, now: &Zoned) -> bool {
        let now = now.time();
        match *self {
            Self::Never => false,
            Self::Daily { from, to } if from < to => (from..to).contains(&now),
            Self::Daily { from, to } => now >= from || now < to,
        }
    }
}

impl<'de> Deserialize<'de> for DailyHours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "\"never\" or hours such as \"02:00-05:00\"", Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_pass_midnight() {
        let at = |hours: &str, time: &str| {
            let now: Zoned = format!("2026-01-01T{time}:00[UTC]").parse().unwrap();
            DailyHours::parse(hours).unwrap().include(&now)
        };
        assert!(at("02:00-05:00", "02:00") && at("02:00-05:00", "04:59") && !at("02:00-05:00", "05:00"));
        assert!(at("22:00 - 01:30", "23:00") && at("22:00 - 01:30", "01:29") && !at("22:00 - 01:30", "12:00"));
        assert!(!at("never", "03:00"));
        let end = |hours: &str, time: &str| {
            let now: Zoned = format!("2026-01-01T{time}:00[UTC]").parse().unwrap();
            DailyHours::parse(hours)
                .unwrap()
                .end(now)
                .strftime("%dT%H:%M")
                .to_string()
        };
        assert_eq!(
            (end("02:00-05:00", "03:00"), end("02:00-05:00", "05:00")),
            ("01T05:00".into(), "01T05:00".into())
        );
        assert_eq!(
            (end("22:00-01:30", "23:00"), end("22:00-01:30", "01:00")),
            ("02T01:30".into(), "01T01:30".into())
        );
        let length = |hours: &str| DailyHours::parse(hours).unwrap().length().as_secs();
        assert_eq!(
            (length("02:00-05:00"), length("22:00-01:30"), length("never")),
            (3 * 3600, 7 * 1800, 0)
        );
        for bad in ["", "02:00", "02:00-02:00", "2-5", "25:00-26:00", "always"] {
            assert_eq!(DailyHours::parse(bad), None, "{bad}");
        }
    }
}
