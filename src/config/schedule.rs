//! When a profile runs by itself.

use std::time::Duration;

use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde::{Deserialize, Deserializer, de};

/// How long after the beginning of one run the next begins under `continuous`.
const CONTINUOUS: Duration = Duration::from_secs(60);

/// `schedule` of a profile: `manual`, `continuous`, `every 15m`, or a cron line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// Only when asked.
    #[default]
    Manual,
    /// Once a minute.
    Continuous,
    /// This long after the last run began.
    Every(Duration),
    /// At the times of a cron line (already found to be one), in the machine's time zone.
    Cron(String),
}

impl Schedule {
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text {
            "manual" => return Some(Self::Manual),
            "continuous" => return Some(Self::Continuous),
            _ => {}
        }
        if let Some(span) = text.strip_prefix("every ") {
            let span = humantime::parse_duration(span.trim()).ok()?;
            return (span >= Duration::from_secs(1)).then_some(Self::Every(span));
        }
        crontab(text).map(|_| Self::Cron(text.to_owned()))
    }

    /// When the next run is due, where the last one began at `last` (`None`: there was none), and the schedule
    /// has been looked at since `since`. `None` for a profile that does not run by itself.
    pub fn next(&self, last: Option<Timestamp>, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let after = |span: Duration| match last.and_then(|last| last.checked_add(span).ok()) {
            Some(due) => due.max(now),
            None => now,
        };
        match self {
            Self::Manual => None,
            Self::Continuous => Some(after(CONTINUOUS)),
            Self::Every(span) => Some(after(*span)),
            // A time missed while the appliance was down is made up for once, at once.
            Self::Cron(line) => {
                let due: Zoned = crontab(line)?.find_next(last.unwrap_or(since)).ok()?;
                Some(due.timestamp().max(now))
            }
        }
    }
}

fn crontab(line: &str) -> Option<cronexpr::Crontab> {
    let zone = TimeZone::system();
    cronexpr::parse_crontab(&format!("{line} {}", zone.iana_name().unwrap_or("UTC"))).ok()
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::invalid_value(
                de::Unexpected::Str(&text),
                &"\"manual\", \"continuous\", \"every 15m\" or a cron line such as \"30 2 * * *\"",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_read() {
        assert_eq!(Schedule::parse("manual"), Some(Schedule::Manual));
        assert_eq!(
            Schedule::parse("every 15m"),
            Some(Schedule::Every(Duration::from_secs(900)))
        );
        assert!(matches!(Schedule::parse("30 2 * * *"), Some(Schedule::Cron(_))));
        for bad in ["", "every", "every 0s", "sometimes", "99 * * * *"] {
            assert_eq!(Schedule::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_missed_time_is_made_up_for_at_once() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let start = at("2026-01-01T00:00:00Z");
        let every = Schedule::parse("every 15m").unwrap();
        assert_eq!(
            every.next(None, start, at("2026-01-01T00:00:00Z")),
            Some(at("2026-01-01T00:00:00Z"))
        );
        let due = every.next(Some(at("2026-01-01T00:00:00Z")), start, at("2026-01-01T00:05:00Z"));
        assert_eq!(due, Some(at("2026-01-01T00:15:00Z")));
        let late = every.next(Some(at("2026-01-01T00:00:00Z")), start, at("2026-01-02T00:00:00Z"));
        assert_eq!(late, Some(at("2026-01-02T00:00:00Z")));
        let cron = Schedule::parse("30 * * * *").unwrap();
        assert_eq!(
            cron.next(Some(at("2026-01-01T00:00:00Z")), start, at("2026-01-01T05:00:00Z")),
            Some(at("2026-01-01T05:00:00Z"))
        );
        assert_eq!(Schedule::Manual.next(None, start, at("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn a_cron_profile_that_never_ran_runs_at_its_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let cron = Schedule::parse("* * * * *").unwrap();
        let since = at("2026-01-01T00:00:30Z");
        assert_eq!(cron.next(None, since, since), Some(at("2026-01-01T00:01:00Z")));
        let later = at("2026-01-01T00:01:01Z");
        assert_eq!(cron.next(None, since, later), Some(later), "due, and not put off again");
    }
}
