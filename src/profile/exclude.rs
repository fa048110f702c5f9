//! Which copies a profile leaves alone. Pure.

use crate::{
    config,
    identify::{Header, date_of, text},
    said::{Said, said},
    source::{Announced, Facts},
};

/// Fields of one name that are looked at in a message.
const MOST_FIELDS: usize = 100;

/// So many copies, all of them excluded, are no accident; by a size that no message stays below, one is enough.
const TELLING: u64 = 10;
/// Bytes. A message has a header, so it is hardly smaller.
const TINY: u64 = 1 << 10;

/// The notice that `[profile.exclude]` leaves nothing to archive.
pub fn notice_of_all(rules: &config::Exclude, seen: u64, excluded: u64) -> Option<Said> {
    let tiny = rules.larger_than.filter(|most| most.0 < TINY);
    if excluded < seen || excluded == 0 || (tiny.is_none() && excluded < TELLING) {
        return None;
    }
    if let Some(most) = tiny {
        let bytes = most.0;
        return Some(said!(
            ExcludedByTinySize,
            "every copy is excluded by larger_than = {0} (bytes); did you mean \"{0} MiB\"?",
            bytes.to_string()
        ));
    }
    let keys = [
        ("older_than", rules.older_than.is_some()),
        ("newer_than", rules.newer_than.is_some()),
        ("larger_than", rules.larger_than.is_some()),
        ("flags", !rules.flags.is_empty()),
        ("headers", !rules.headers.is_empty()),
    ];
    let keys: Vec<&str> = keys.iter().filter(|(_, given)| *given).map(|(key, _)| *key).collect();
    let (last, first) = keys.split_last()?;
    let keys = match first.is_empty() {
        true => Said::quoted(*last),
        false => said!(Or, "{0} or {1}", first.join(" or "), last),
    };
    Some(said!(
        AllExcluded,
        "every copy is excluded by {0} in [profile.exclude]; see whether that is meant",
        keys
    ))
}

/// `[profile.exclude]`, at one moment: a run judges all its copies by the time at which it began.
#[derive(Clone, Debug)]
pub struct Exclude {
    rules: config::Exclude,
    /// Seconds since 1970 UTC. Older copies, and newer ones, are excluded.
    oldest: Option<i64>,
    newest: Option<i64>,
}

impl Exclude {
    /// `now` in seconds since 1970 UTC.
    pub fn new(rules: &config::Exclude, now: i64) -> Self {
        let before = |span: Option<config::Span>| {
            let seconds = span.map(|span| i64::try_from(span.0.as_secs()).unwrap_or(i64::MAX));
            seconds.map(|seconds| now.saturating_sub(seconds))
        };
        Self {
            oldest: before(rules.older_than),
            newest: before(rules.newer_than),
            rules: rules.clone(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether the server is to be asked for more than sizes.
    pub fn needs_facts(&self) -> bool {
        self.has_dates() || !self.rules.flags.is_empty()
    }

    fn has_dates(&self) -> bool {
        self.oldest.is_some() || self.newest.is_some()
    }

    /// Whether what the server says of a copy excludes it.
    pub fn applies(&self, one: &Announced) -> bool {
        if self.rules.larger_than.is_some_and(|most| one.size > most.0) {
            return true;
        }
        let Some(Facts { date, flags }) = one.facts.as_deref() else {
            return false;
        };
        let flagged = |flag: &String| flags.iter().any(|set| set.eq_ignore_ascii_case(flag));
        self.rules.flags.iter().any(flagged) || date.is_some_and(|date| self.is_out_of_time(date))
    }

    /// Whether the header of such a copy has a say yet.
    pub fn needs_header(&self, one: &Announced) -> bool {
        let dated = one.facts.as_deref().is_some_and(|facts| facts.date.is_some());
        !self.rules.headers.is_empty() || (self.has_dates() && !dated)
    }

    /// Whether a message is excluded by its header. `date`: when the server got it, in seconds since 1970 UTC.
    pub fn applies_to(&self, header: &Header, date: Option<i64>) -> bool {
        let matches = |pattern: &config::HeaderPattern| {
            let mut values = header.all(&pattern.name).take(MOST_FIELDS);
            values.any(|field| pattern.matches(&text(field.value)))
        };
        if self.rules.headers.iter().any(matches) {
            return true;
        }
        let date = || date.or_else(|| date_of(header));
        self.has_dates() && date().is_some_and(|date| self.is_out_of_time(date))
    }

    fn is_out_of_time(&self, date: i64) -> bool {
        self.oldest.is_some_and(|oldest| date < oldest) || self.newest.is_some_and(|newest| date > newest)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        config::{ByteSize, HeaderPattern, Span},
        source::CopyRef,
    };

    const NOW: i64 = 1_700_000_000;
    const DAY: i64 = 86_400;

    fn days(days: i64) -> Option<Span> {
        Some(Span(Duration::from_secs((days * DAY) as u64)))
    }

    fn announced(size: u64, date: Option<i64>, flags: &[&str]) -> Announced {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Announced {
            copy: CopyRef::Uid(1),
            size,
            facts: Some(Box::new(Facts { date, flags })),
        }
    }

    #[test]
    fn a_limit_in_bytes_that_was_meant_in_mebibytes_left_all_mail_on_the_server() {
        let rules = |bytes| config::Exclude {
            larger_than: Some(config::ByteSize(bytes)),
            ..config::Exclude::default()
        };
        let said = notice_of_all(&rules(50), 3, 3).unwrap();
        assert_eq!(
            said,
            "every copy is excluded by larger_than = 50 (bytes); did you mean \"50 MiB\"?"
        );
        assert_eq!(notice_of_all(&rules(50), 3, 2), None);
        assert_eq!(notice_of_all(&rules(50 << 20), 3, 3), None, "a few may be large");
        assert!(
            notice_of_all(&rules(5000), 30, 30)
                .unwrap()
                .contains("by larger_than in")
        );
    }

    #[test]
    fn age_size_and_flags_exclude_what_the_server_tells_of() {
        let rules = config::Exclude {
            older_than: days(365),
            newer_than: days(1),
            larger_than: Some(ByteSize(1000)),
            flags: vec!["\\Deleted".into()],
            headers: Vec::new(),
        };
        let exclude = Exclude::new(&rules, NOW);
        let in_time = Some(NOW - 10 * DAY);
        for (one, applies) in [
            (announced(1000, in_time, &["\\Seen"]), false),
            (announced(1001, in_time, &[]), true),
            (announced(10, in_time, &["\\DELETED"]), true),
            (announced(10, Some(NOW - 366 * DAY), &[]), true),
            (announced(10, Some(NOW - DAY / 2), &[]), true),
            (announced(10, None, &[]), false),
        ] {
            assert_eq!(exclude.applies(&one), applies, "{one:?}");
        }
        assert!(!exclude.needs_header(&announced(1, in_time, &[])));
        assert!(
            exclude.needs_header(&announced(1, None, &[])),
            "its Date field says when it is of"
        );
    }

    #[test]
    fn headers_and_the_date_in_them_exclude_the_rest() {
        let rules = config::Exclude {
            older_than: days(365),
            headers: vec![HeaderPattern::parse("X-Spam-Flag: yes").unwrap()],
            ..config::Exclude::default()
        };
        let exclude = Exclude::new(&rules, NOW);
        let applies = |text: &str, date| exclude.applies_to(&Header::scan(text.as_bytes()), date);
        assert!(applies("X-Spam-Flag: YES\r\n\r\n", Some(NOW)));
        assert!(!applies("X-Spam-Flag: no\r\n\r\nX-Spam-Flag: YES\r\n", Some(NOW)));
        let coded = "Subject: =?utf-8?Q?Neue_=C3=9Cberweisung?=\r\n von heute\r\n\r\n";
        let words = config::Exclude {
            headers: vec![HeaderPattern::parse("Subject: *überweisung*heute").unwrap()],
            ..config::Exclude::default()
        };
        assert!(Exclude::new(&words, NOW).applies_to(&Header::scan(coded.as_bytes()), None));
        let old = "Date: Mon, 1 Jan 2001 00:00:00 +0000\r\n\r\n";
        assert!(applies(old, None));
        assert!(!applies(old, Some(NOW)), "when the server got it goes before");
        assert!(Exclude::new(&config::Exclude::default(), NOW).is_empty());
    }
}
