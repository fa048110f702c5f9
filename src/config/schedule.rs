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
    /// As soon as the server says that there is new mail, and once a minute.
    Continuous,
    /// This long after the last run began.
    Every(Duration),
    /// At the times of a cron line (already found to be one), in the profile's time zone.
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
        crontab(text, &Zone::default()).map(|_| Self::Cron(text.to_owned()))
    }

    /// When the next run is due, where the last one began at `last` (`None`: there was none), and the schedule
    /// has been looked at since `since`. `None` for a profile that does not run by itself.
    pub fn next(&self, zone: &Zone, last: Option<Timestamp>, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        // A clock that was set back must not put the next run off until it is there again.
        let (last, since) = (last.map(|last| last.min(now)), since.min(now));
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
                let due: Zoned = crontab(line, zone)?.find_next(last.unwrap_or(since)).ok()?;
                Some(due.timestamp().max(now))
            }
        }
    }
}

fn crontab(line: &str, zone: &Zone) -> Option<cronexpr::Crontab> {
    let zone = zone.get();
    cronexpr::parse_crontab(&format!("{line} {}", zone.iana_name().unwrap_or("UTC"))).ok()
}

/// A time zone by its name, such as `Europe/Berlin`; the machine's own where none was given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Zone(Option<TimeZone>);

impl Zone {
    pub fn get(&self) -> TimeZone {
        self.0.clone().unwrap_or_else(TimeZone::system)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match TimeZone::get(&text) {
            Ok(zone) => Ok(Self(Some(zone))),
            Err(_) => Err(de::Error::invalid_value(
                de::Unexpected::Str(&text),
                &"the name of a time zone, such as \"Europe/Berlin\"",
            )),
        }
    }
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
            every.next(&Zone::default(), None, start, at("2026-01-01T00:00:00Z")),
            Some(at("2026-01-01T00:00:00Z"))
        );
        let due = every.next(
            &Zone::default(),
            Some(at("2026-01-01T00:00:00Z")),
            start,
            at("2026-01-01T00:05:00Z"),
        );
        assert_eq!(due, Some(at("2026-01-01T00:15:00Z")));
        let late = every.next(
            &Zone::default(),
            Some(at("2026-01-01T00:00:00Z")),
            start,
            at("2026-01-02T00:00:00Z"),
        );
        assert_eq!(late, Some(at("2026-01-02T00:00:00Z")));
        let cron = Schedule::parse("30 * * * *").unwrap();
        assert_eq!(
            cron.next(
                &Zone::default(),
                Some(at("2026-01-01T00:00:00Z")),
                start,
                at("2026-01-01T05:00:00Z")
            ),
            Some(at("2026-01-01T05:00:00Z"))
        );
        assert_eq!(
            Schedule::Manual.next(&Zone::default(), None, start, at("2026-01-01T00:00:00Z")),
            None
        );
    }

    #[test]
    fn a_cron_profile_that_never_ran_runs_at_its_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let cron = Schedule::parse("* * * * *").unwrap();
        let since = at("2026-01-01T00:00:30Z");
        assert_eq!(
            cron.next(&Zone::default(), None, since, since),
            Some(at("2026-01-01T00:01:00Z"))
        );
        let later = at("2026-01-01T00:01:01Z");
        assert_eq!(
            cron.next(&Zone::default(), None, since, later),
            Some(later),
            "due, and not put off again"
        );
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_put_the_next_run_off() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (last, now) = (at("2026-01-09T00:00:00Z"), at("2026-01-01T00:00:00Z"));
        for (schedule, due) in [
            ("every 15m", "2026-01-01T00:15:00Z"),
            ("30 * * * *", "2026-01-01T00:30:00Z"),
        ] {
            let schedule = Schedule::parse(schedule).unwrap();
            assert_eq!(schedule.next(&Zone::default(), Some(last), last, now), Some(at(due)));
        }
    }

    #[test]
    fn a_cron_line_is_read_in_the_zone_of_its_profile() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let zone = Zone(Some(TimeZone::get("America/New_York").unwrap()));
        let cron = Schedule::parse("30 2 * * *").unwrap();
        let midnight = at("2026-01-01T00:00:00Z");
        assert_eq!(
            cron.next(&zone, None, midnight, midnight),
            Some(at("2026-01-01T07:30:00Z"))
        );
    }
}
