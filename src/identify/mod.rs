//! What a copy is: its digests, its date, its recipients. All of it pure, on bytes.

mod added;
mod address;
mod around;
mod charset;
mod date_names;
mod dates;
mod digests;
mod envelope;
mod found;
mod header;
mod html;
mod identity;
mod iso2022;
mod journal;
mod layout;
mod leaves;
mod mailboxes;
mod mentions;
mod mime;
mod overview;
mod parameters;
mod plain_date;
mod pool;
mod received;
mod recipients;
mod rules;
mod step;
pub mod summary;
mod tokens;
mod values;
mod words;
mod zone;

use std::ops::Range;

use bytes::Bytes;
use dates::{Date, date};
use journal::Enclosed;

use crate::report::ReportCounts;

pub use address::{addresses, first_addresses, received_for};
pub use charset::{Charset, undeclared};
pub use dates::moment;
pub use digests::{Digests, HeaderDigest, header_digest, header_digests};
pub use found::{Found, Named, Role, Wanted};
pub use header::{Field, Header, is_from_line};
pub use identity::{VERSION as IDENTITY_VERSION, former as former_identity};
pub use journal::JournalReport;
pub use layout::{Decoding, Layout, Part, text_of};
pub use leaves::{LARGE, large_leaves};
pub use mailboxes::mailboxes;
pub use overview::{Considered, Overview};
pub use plain_date::plain_date;
pub use pool::{Panicked, Pool};
pub use received::Client;
pub use recipients::notices_of_reports;
pub use rules::{Mail, Rules};
pub use step::Step;
pub use summary::{Listed, Summary};
pub use words::text;
pub use zone::at_end;

/// What could not be understood of a message; kept with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Notes(pub u32);

impl Notes {
    /// The message has no bytes.
    pub const EMPTY: u32 = 1;
    /// No header field could be read.
    pub const NO_HEADER: u32 = 1 << 1;
    /// A line in the header, or before it, is no field.
    pub const BROKEN_HEADER: u32 = 1 << 2;
    /// It has no date that could be read.
    pub const NO_DATE: u32 = 1 << 3;
    /// Reading it went wrong by a fault of ours; it is kept without recipients.
    pub const UNREAD: u32 = 1 << 4;

    /// The notes in words.
    pub fn words(self) -> Vec<&'static str> {
        let all = [
            (Self::EMPTY, "the message is empty"),
            (Self::NO_HEADER, "it has no header"),
            (Self::BROKEN_HEADER, "its header is broken: some lines are no fields"),
            (Self::NO_DATE, "it has no date that can be read"),
            (
                Self::UNREAD,
                "it could not be read, by a fault of dropkeep, and is kept as it came",
            ),
        ];
        all.into_iter()
            .filter(|(bit, _)| self.0 & bit != 0)
            .map(|(_, words)| words)
            .collect()
    }
}

/// A copy, identified.
#[derive(Clone, Debug)]
pub struct Identified {
    /// The message that is archived: all that was fetched, or what it encloses where it is a journal report.
    pub bytes: Bytes,
    pub sha256: [u8; 32],
    pub identity: [u8; 32],
    /// Of the header of what was fetched.
    pub header: HeaderDigest,
    /// Seconds since 1970 UTC: the Date field; else INTERNALDATE; else the topmost Received; else a Date field that
    /// leaves the hour open.
    pub date: Option<i64>,
    pub found: Found,
    pub notes: Notes,
    pub journal: Journaled,
    /// Where in `bytes` the first To and Cc stand, their values; none where the recipients are those that these name.
    pub addressed: Vec<Range<usize>>,
    /// What lists say of it; `None` where that is read from the message.
    pub listed: Option<Listed>,
}

/// How many of them, and in how many bytes of the message.
const ADDRESSED: usize = 8;
const ADDRESSED_WITHIN: usize = 64 << 10;

/// Where To and Cc stand that named none of the recipients.
fn addressed(header: &Header, found: &Found) -> Vec<Range<usize>> {
    let is_one = |name: &[u8]| name.eq_ignore_ascii_case(b"To") || name.eq_ignore_ascii_case(b"Cc");
    let mut recipients = found.recipients.iter().map(|named| named.field.as_bytes());
    if found.recipients.is_empty() || recipients.any(is_one) {
        return Vec::new();
    }
    let fields = header.at_hand().take_while(|field| field.end <= ADDRESSED_WITHIN);
    let fields = fields.filter(|field| is_one(field.name)).take(ADDRESSED);
    fields.map(|field| field.end - field.value.len()..field.end).collect()
}

/// What a copy has to do with journal reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Journaled {
    /// It is none.
    No,
    /// It is one that the profile does not believe, and is archived like any other message.
    Untrusted,
    /// It is one that the profile believes, and that cannot be read; it is archived like any other message, and for
    /// `@catchall` too.
    Unreadable,
    /// It is one that encloses nothing, and so is the message itself.
    Alone,
    /// It is this one, around the message that is archived.
    Around(Box<Outer>),
}

/// Whether a copy is a journal report, and the profile believes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    No,
    /// It is archived as it came.
    Untrusted,
    /// It is believed, and not all for whom it is can be read in it: it, or what it encloses, is for `@catchall` too.
    Unreadable,
    /// What it encloses is archived for whom it names.
    Believed,
}

impl Reported {
    /// What the header of a copy alone says, where that is enough ([`Rules::need_body`]).
    pub fn by_header(header: &Header) -> Self {
        match JournalReport::is_marked(header) {
            true => Self::Untrusted,
            false => Self::No,
        }
    }

    /// Counts a copy of which this is so.
    pub fn count(self, counts: &mut ReportCounts) {
        match self {
            Self::No => {}
            Self::Untrusted => counts.untrusted += 1,
            Self::Unreadable => counts.unreadable += 1,
            Self::Believed => counts.believed += 1,
        }
    }

    /// The word for it in an explanation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::No => "none",
            Self::Untrusted => "untrusted",
            Self::Unreadable => "unreadable",
            Self::Believed => "report",
        }
    }
}

impl Journaled {
    pub fn reported(&self) -> Reported {
        match self {
            Self::No => Reported::No,
            Self::Untrusted => Reported::Untrusted,
            Self::Unreadable => Reported::Unreadable,
            Self::Around(outer) if !outer.is_understood => Reported::Unreadable,
            Self::Alone | Self::Around(_) => Reported::Believed,
        }
    }
}

/// A journal report as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outer {
    pub bytes: Bytes,
    pub sha256: [u8; 32],
    pub identity: [u8; 32],
    pub listed: Option<Listed>,
    /// All whom its envelope names as recipients can be read.
    pub is_understood: bool,
}

/// A copy taken apart: the report that it is, with the digest of its header, and the message that is archived.
struct Opened<'m> {
    report: Option<JournalReport<'m>>,
    journaled: Journaled,
    outer_header: Option<HeaderDigest>,
    message: Bytes,
}

impl<'m> Opened<'m> {
    fn new(
        fetched: &'m Bytes,
        header: &Header,
        rules: &Rules,
        digests: impl Fn(&[u8], &Header) -> (Digests, HeaderDigest),
    ) -> Self {
        let whole = |report, journaled| Self {
            report,
            journaled,
            outer_header: None,
            message: fetched.clone(),
        };
        if !JournalReport::may_be(header) {
            return whole(None, Journaled::No);
        }
        let is_marked = JournalReport::is_marked(header);
        if !rules.trusts(header) {
            let journaled = if is_marked { Journaled::Untrusted } else { Journaled::No };
            return whole(None, journaled);
        }
        let Some(report) = JournalReport::read(fetched, header) else {
            return match is_marked || JournalReport::is_returned(fetched, header) {
                true => whole(None, Journaled::Unreadable),
                false => whole(None, Journaled::No),
            };
        };
        let is_understood = report.is_understood;
        let message = match &report.enclosed {
            None if is_understood => return whole(Some(report), Journaled::Alone),
            None => return whole(Some(report), Journaled::Unreadable),
            Some(Enclosed::At(range)) => fetched.slice(range.clone()),
            Some(Enclosed::Decoded(bytes)) => bytes.clone(),
        };
        let (Digests { sha256, identity }, outer_header) = digests(fetched, header);
        let outer = Outer {
            bytes: fetched.clone(),
            sha256,
            identity,
            listed: Listed::with(fetched, header),
            is_understood,
        };
        Self {
            report: Some(report),
            journaled: Journaled::Around(outer.into()),
            outer_header: Some(outer_header),
            message,
        }
    }

    /// What was found in the mail by itself, which is for more people than it names where a report cannot be read.
    fn complete(journaled: &Journaled, found: Found) -> Found {
        Found {
            for_catchall: journaled.reported() == Reported::Unreadable,
            ..found
        }
    }
}

impl Identified {
    /// What can be said of `bytes` without reading them as mail: for a message over which [`Self::new`] panicked.
    /// It has no recipients, so it goes where unknown mail goes.
    pub fn unread(bytes: Bytes, internal_date: Option<i64>) -> Self {
        let (Digests { sha256, identity }, header) = Digests::with_header(&bytes);
        Self {
            sha256,
            identity,
            header,
            date: internal_date,
            found: Found::default(),
            notes: Notes(Notes::UNREAD),
            journal: Journaled::No,
            addressed: Vec::new(),
            listed: Listed::of(&bytes),
            bytes,
        }
    }

    /// Identifies what was `fetched`. Never fails.
    pub fn new(fetched: Bytes, internal_date: Option<i64>, rules: &Rules) -> Self {
        Self::read(fetched, internal_date, rules, |message, _| {
            Digests::with_header(message)
        })
    }

    /// The same where the header of what was fetched is read already.
    pub fn of(fetched: &Bytes, header: &Header, internal_date: Option<i64>, rules: &Rules) -> Self {
        Self::taken_apart(fetched, header, internal_date, rules, |message, _| {
            Digests::with_header(message)
        })
    }

    /// The same with `digests` to compute the digests, which take longer than all the rest: a benchmark of the rest
    /// leaves them out.
    pub fn read(
        fetched: Bytes,
        internal_date: Option<i64>,
        rules: &Rules,
        digests: impl Fn(&[u8], &Header) -> (Digests, HeaderDigest),
    ) -> Self {
        Self::taken_apart(&fetched, &Header::scan(&fetched), internal_date, rules, digests)
    }

    fn taken_apart(
        fetched: &Bytes,
        outer: &Header,
        internal_date: Option<i64>,
        rules: &Rules,
        digests: impl Fn(&[u8], &Header) -> (Digests, HeaderDigest),
    ) -> Self {
        let Opened {
            report,
            journaled,
            outer_header,
            message,
        } = Opened::new(fetched, outer, rules, &digests);
        let enclosed = matches!(journaled, Journaled::Around(_)).then(|| Header::scan(&message));
        let inner = enclosed.as_ref().unwrap_or(outer);
        let written = written(inner);
        let received = || received(inner).or_else(|| received(outer));
        let mut notes = 0;
        let mut note = |holds: bool, bit: u32| notes |= if holds { bit } else { 0 };
        note(message.is_empty(), Notes::EMPTY);
        note(inner.is_empty(), Notes::NO_HEADER);
        note(!inner.well_ended, Notes::BROKEN_HEADER);
        note(written.is_none(), Notes::NO_DATE);
        let mail = Mail {
            outer,
            inner,
            report: report.as_ref(),
        };
        let (Digests { sha256, identity }, header) = digests(&message, inner);
        let found = Opened::complete(&journaled, rules.find(&mail));
        Self {
            addressed: addressed(inner, &found),
            listed: Listed::with(&message, inner),
            sha256,
            identity,
            header: outer_header.unwrap_or(header),
            date: exact(written)
                .or(internal_date)
                .or_else(received)
                .or(written.map(|date| date.seconds)),
            found,
            notes: Notes(notes),
            journal: journaled,
            bytes: message,
        }
    }
}

impl Rules {
    /// The addresses that count in what was `fetched` and that are `wanted`, however many there are. Never fails.
    pub fn look_through(&self, fetched: &Bytes, wanted: &mut Wanted) -> Found {
        let outer = Header::scan(fetched);
        let Opened {
            report,
            journaled,
            message,
            ..
        } = Opened::new(fetched, &outer, self, |_, _| Default::default());
        let enclosed = matches!(journaled, Journaled::Around(_)).then(|| Header::scan(&message));
        let mail = Mail {
            outer: &outer,
            inner: enclosed.as_ref().unwrap_or(&outer),
            report: report.as_ref(),
        };
        Opened::complete(&journaled, self.find_wanted(&mail, wanted))
    }
}

/// The identity of a message, by which copies of it count as the same.
pub(crate) fn identity_of(message: &[u8]) -> [u8; 32] {
    identity::identity(message, identity::VERSION)
}

/// What the identity of a message was in version 1.
pub(crate) fn first_identity_of(message: &[u8]) -> [u8; 32] {
    identity::identity(message, 1)
}

/// When a message is of, by its header: the Date field, else the topmost Received, else a Date field that leaves the
/// hour open; in seconds since 1970 UTC.
pub fn date_of(header: &Header) -> Option<i64> {
    let written = written(header);
    exact(written)
        .or_else(|| received(header))
        .or(written.map(|date| date.seconds))
}

/// The first Date field that can be read.
fn written(header: &Header) -> Option<Date> {
    header.all("Date").find_map(|field| date(field.value))
}

fn exact(date: Option<Date>) -> Option<i64> {
    date.filter(|date| date.is_exact).map(|date| date.seconds)
}

fn received(header: &Header) -> Option<i64> {
    let topmost = header.all("Received").next();
    exact(topmost.and_then(|field| date(behind_semicolon(field.value))))
}

fn behind_semicolon(value: &[u8]) -> &[u8] {
    memchr::memrchr(b';', value).map_or(&[], |at| &value[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identified(message: &str, internal_date: Option<i64>) -> Identified {
        let rules = Rules::new(&crate::config::Recipients::default(), "all@example.com");
        Identified::new(Bytes::copy_from_slice(message.as_bytes()), internal_date, &rules)
    }

    #[test]
    fn the_date_comes_from_the_first_that_has_one() {
        let date = "Date: Thu, 1 Jan 2026 01:00:00 +0100\n";
        let received = "Received: by x; Fri, 2 Jan 2026 00:00:00 +0000\n";
        assert_eq!(
            identified(&format!("{received}{date}\n"), Some(5)).date,
            Some(1_767_225_600)
        );
        assert_eq!(identified(&format!("{received}Date: soon\n\n"), Some(5)).date, Some(5));
        assert_eq!(identified(received, None).date, Some(1_767_312_000));
        assert_eq!(identified("", None).date, None);
        // The hour is not known.
        let day = "Date: Thu, 1 Jan 2026\n";
        assert_eq!(identified(&format!("{day}\n"), Some(5)).date, Some(5));
        assert_eq!(
            identified(&format!("{received}{day}\n"), None).date,
            Some(1_767_312_000)
        );
        assert_eq!(identified(&format!("{day}\n"), None).date, Some(1_767_225_600));
    }

    #[test]
    fn what_was_not_understood_is_noted() {
        assert_eq!(
            identified("", None).notes.words(),
            [
                "the message is empty",
                "it has no header",
                "it has no date that can be read"
            ]
        );
        assert_eq!(
            identified("To: x\nbroken\n", None).notes.words(),
            [
                "its header is broken: some lines are no fields",
                "it has no date that can be read"
            ]
        );
    }
}
