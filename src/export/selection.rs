//! Which messages are exported: of whom, and of which time.

use std::fmt;

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use super::{ExportError, Format};
use crate::{
    archive::{Seconds, Store, Usage, User, UserId},
    config::{Config, nearest},
    message::CATCHALL,
    reading::view,
};

/// What an export is of. Two with the same words are the same export.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Selection {
    pub format: Format,
    /// Names, sorted, each once; none means all users, also those to come.
    pub users: Vec<String>,
    /// The first and the last second whose messages are wanted.
    pub from: Option<Seconds>,
    pub to: Option<Seconds>,
    /// Only what this query finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

/// A user who is selected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selected {
    pub id: UserId,
    pub name: String,
    /// How many messages the archive holds, of whatever date.
    pub messages: u64,
}

impl Selection {
    pub fn new(format: Format, mut users: Vec<String>, from: Option<Seconds>, to: Option<Seconds>) -> Self {
        users.sort();
        users.dedup();
        Self {
            format,
            users,
            from,
            to,
            query: None,
        }
    }

    /// Only what a query finds of it.
    pub fn found_by(self, query: Option<String>) -> Self {
        Self { query, ..self }
    }

    /// The users selected, in the order of their ids. Who stands in the configuration, and was never there when
    /// the store was written, has no messages and no id yet.
    ///
    /// # Errors
    /// A user is not known, or the store cannot be read.
    pub fn users(&self, store: &Store, config: &Config) -> Result<Vec<Selected>, ExportError> {
        let known = store.users()?;
        let selected = |(id, user, usage): &(UserId, User, Usage)| Selected {
            id: *id,
            name: user.name.clone(),
            messages: usage.messages,
        };
        if self.users.is_empty() {
            return Ok(known.iter().map(selected).collect());
        }
        let mut chosen = Vec::new();
        for name in &self.users {
            // Of several users of one name the one who is not retired.
            let named = known.iter().filter(|(_, user, _)| user.name == *name);
            match named.min_by_key(|(_, user, _)| user.retired) {
                Some(user) => chosen.push(selected(user)),
                None if config.users().any(|user| user.name == *name) => {}
                None => {
                    let names = known.iter().map(|(_, user, _)| user.name.as_str());
                    return Err(ExportError::NoUser {
                        name: name.clone(),
                        nearest: nearest(name, names.filter(|known| *known != CATCHALL)),
                    });
                }
            }
        }
        chosen.sort_by_key(|user| user.id);
        Ok(chosen)
    }
}

/// For a person: `all users as eml, from 2026-01-01T00:00:00Z`.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.users[..] {
            [] => f.write_str("all users")?,
            users => write!(f, "{}", users.join(", "))?,
        }
        write!(f, " as {}", self.format.as_str())?;
        for (word, date) in [("from", self.from), ("to", self.to)] {
            if let Some(date) = date {
                write!(f, ", {word} {}", view::time(date))?;
            }
        }
        match &self.query {
            Some(query) => write!(f, ", found by {query:?}"),
            None => Ok(()),
        }
    }
}

/// The first second of a date, `2026-01-31` (UTC) or `2026-01-31T12:00:00+01:00`.
///
/// # Errors
/// It is neither.
pub fn first_second(text: &str) -> Result<Seconds, String> {
    match text.parse::<Date>() {
        Ok(day) if is_day(text) => start_of(day),
        _ => moment(text),
    }
}

/// The last second of a date: that of a day, where it is one.
///
/// # Errors
/// It is not a date.
pub fn last_second(text: &str) -> Result<Seconds, String> {
    match text.parse::<Date>() {
        Ok(day) if is_day(text) => match day.tomorrow() {
            Ok(next) => start_of(next).map(|second| second - 1),
            Err(_) => Ok(Seconds::MAX),
        },
        _ => moment(text),
    }
}

/// A date with a time would be read as the day, its time left out.
fn is_day(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

fn start_of(day: Date) -> Result<Seconds, String> {
    let start = day.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
    Ok(start.timestamp().as_second())
}

fn moment(text: &str) -> Result<Seconds, String> {
    let moment: Result<Timestamp, _> = text.parse();
    // Without a zone, in UTC, as days are.
    let moment = moment.or_else(|_| Ok(text.parse::<DateTime>()?.to_zoned(TimeZone::UTC)?.timestamp()));
    moment.map(Timestamp::as_second).map_err(|_: jiff::Error| {
        "write a day (2026-01-31) or a time (2026-01-31T12:00), both in UTC, or a time with a zone \
         (2026-01-31T12:00+01:00)"
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_or_moments() {
        assert_eq!(first_second("2026-01-31"), Ok(1_769_817_600));
        assert_eq!(last_second("2026-01-31"), Ok(1_769_817_600 + 86_399));
        for of in [first_second, last_second] {
            assert_eq!(of("2026-01-31T01:00:00+01:00"), Ok(1_769_817_600));
            // Those without a zone are in UTC, as days are.
            for time in [
                "2026-01-31T00:00",
                "2026-01-31T00:00:00",
                "2026-01-31 00:00",
                "2026-01-31T01:00+01:00",
            ] {
                assert_eq!(of(time), Ok(1_769_817_600), "{time}");
            }
            for none in [
                "",
                "today",
                "2026-02-30",
                "31.1.2026",
                "2026-01-31T",
                "2026-01-31T25:00",
            ] {
                assert!(of(none).is_err(), "{none}");
            }
        }
        assert!(last_second("9999-12-31").is_ok());
    }

    #[test]
    fn the_order_of_users_makes_no_other_export() {
        let of = |users: &[&str]| {
            let users = users.iter().map(|user| (*user).to_owned()).collect();
            Selection::new(Format::Eml, users, Some(0), None)
        };
        assert_eq!(of(&["jane", "bob"]), of(&["bob", "jane", "bob"]));
        assert_eq!(
            of(&["jane", "bob"]).to_string(),
            "bob, jane as eml, from 1970-01-01T00:00:00Z"
        );
        assert_eq!(of(&[]).to_string(), "all users as eml, from 1970-01-01T00:00:00Z");
    }
}
