//! From which day to which: the two fields of a form that asks for a time.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use maud::{Markup, html};

use super::{filled::Mistake, form::Form, visitor::Visitor};

/// What is asked for; an end that is not named is open.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Days {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// What is wrong with the days.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum NoDays {
    NoDay(&'static str),
    /// The end comes before the beginning.
    Backwards,
}

/// A day as a form has it, from its first moment or to its last.
fn day(text: &str, is_end: bool) -> Option<Timestamp> {
    let day: Date = text.parse().ok()?;
    let first = |day: Date| day.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp());
    match is_end {
        false => first(day),
        true => Some(first(day.tomorrow().ok()?)? - 1.second()),
    }
}

fn read(since: &str, until: &str) -> Result<Days, NoDays> {
    let end = |name, text: &str, is_end| match text.is_empty() {
        true => Ok(None),
        false => day(text, is_end).map(Some).ok_or(NoDays::NoDay(name)),
    };
    let days = Days {
        since: end("since", since, false)?,
        until: end("until", until, true)?,
    };
    match days.since.zip(days.until).is_some_and(|(since, until)| until < since) {
        true => Err(NoDays::Backwards),
        false => Ok(days),
    }
}

impl Visitor {
    /// The days for which the form of a list asks, which is sent to `action`; nothing where they are none, which its page
    /// then says. `since` is the first, where the address does not say it.
    pub fn days(&mut self, action: &str, since: &str) -> Option<Days> {
        let t = self.t();
        let since = if self.query.is_empty() {
            since
        } else {
            self.query.get("since")
        };
        let (field, why) = match read(since, self.query.get("until")) {
            Ok(days) => return Some(days),
            Err(NoDays::NoDay(field)) => (field, t.no_day),
            Err(NoDays::Backwards) => ("until", t.backwards),
        };
        self.mistake = Some(Mistake::new(action, field, why));
        None
    }

    /// The fields for them.
    pub fn days_fields(&self, action: &str, since: &str) -> Markup {
        let t = self.t();
        let filled = self.filled(action);
        let given = |query: &Form, name: &str, otherwise: &str| match query.is_empty() {
            true => otherwise.to_owned(),
            false => query.get(name).to_owned(),
        };
        html! {
            (filled.field("since", t.since, "date", &given(&self.query, "since", since), "off"))
            (filled.field("until", t.until, "date", &given(&self.query, "until", ""), "off"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_a_form_is_all_of_it() {
        let (first, last) = (day("2025-01-31", false).unwrap(), day("2025-01-31", true).unwrap());
        assert_eq!(last.as_second() - first.as_second(), 24 * 3600 - 1);
        assert_eq!((day("", false), day("2025-02-30", true)), (None, None));
    }

    #[test]
    fn days_that_are_none_were_taken_for_no_days_at_all() {
        assert_eq!(read("", ""), Ok(Days::default()));
        assert_eq!(read("2025-02-30", ""), Err(NoDays::NoDay("since")));
        assert_eq!(read("2025-01-01", "x"), Err(NoDays::NoDay("until")));
        assert_eq!(read("2025-01-02", "2025-01-01"), Err(NoDays::Backwards));
        assert!(read("2025-01-01", "2025-01-01").is_ok());
    }
}
