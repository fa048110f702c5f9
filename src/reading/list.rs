//! The messages of users, as `list` shows them. Rows are read page by page; what stands in a message is read from its first
//! bytes, which is what a filter by text costs: one read of each message sent within the time that is asked for.

use std::{collections::BTreeSet, ops::RangeInclusive};

use icu_normalizer::ComposingNormalizerBorrowed;

use super::{
    tell::{End, Tell},
    users::{find_user, readable},
    view::{self, Summary},
};
use crate::{
    access::Archives,
    api::{EntryLine, Failure, ListFilter, Reply},
    archive::{Entry, First, Retrieval, Seconds, Store, StoreError, UserId},
};

/// Bytes of a message in which its header is looked for; where it is longer, so many times as many.
const BEGINNING: usize = 64 << 10;
const MORE: usize = 8;

/// Lists the messages of a user, or of all, one after the other.
pub fn list(
    store: &Store,
    archives: &Archives,
    user: Option<&str>,
    newest: Option<usize>,
    filter: &ListFilter,
    tell: &mut Tell,
) -> Result<(), End> {
    let users = match user {
        Some(name) => {
            let (user, name, _) = find_user(store, archives, name)?;
            vec![(user, name)]
        }
        None => {
            let users = readable(store, archives)?.into_iter();
            let mut all: Vec<_> = users.map(|(id, user, _)| (id, user.name)).collect();
            all.sort_by(|(_, one), (_, other)| one.cmp(other));
            all
        }
    };
    let mut listing = Listing {
        store,
        retrieval: Retrieval::new(store),
        wanted: Wanted::new(filter),
        left: filter.limit.unwrap_or(usize::MAX),
        damaged: Damaged::default(),
    };
    for (id, name) in users {
        if listing.left == 0 {
            break;
        }
        listing.of_user(id, &name, newest, tell)?;
    }
    Ok(listing.damaged.said()?)
}

struct Listing<'s> {
    store: &'s Store,
    retrieval: Retrieval<'s>,
    wanted: Wanted,
    /// Lines that may still come.
    left: usize,
    damaged: Damaged,
}

/// Messages that cannot be read, and so cannot be listed.
#[derive(Default)]
struct Damaged {
    ids: BTreeSet<u64>,
    omitted: bool,
    why: Option<StoreError>,
}

/// Of them so many are named.
const NAMED: usize = 20;

impl Damaged {
    fn note(&mut self, id: u64, why: StoreError) {
        match self.ids.len() < NAMED {
            true => drop(self.ids.insert(id)),
            false => self.omitted |= !self.ids.contains(&id),
        }
        self.why.get_or_insert(why);
    }

    fn said(self) -> Result<(), Failure> {
        let Some(why) = self.why else { return Ok(()) };
        let ids: Vec<_> = self.ids.iter().map(u64::to_string).collect();
        let more = if self.omitted { " and more" } else { "" };
        let mut failure = Failure::from(why);
        failure.error = format!("not listed: {}{more}: {}", ids.join(", "), failure.error);
        Err(failure)
    }
}

/// Why no more of a user's messages are looked at.
enum Stop {
    /// There are as many as are wanted.
    Enough,
    End(End),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::End(error.into().into())
    }
}

impl Stop {
    fn ended(stopped: Result<(), Self>) -> Result<(), End> {
        match stopped {
            Ok(()) | Err(Self::Enough) => Ok(()),
            Err(Self::End(end)) => Err(end),
        }
    }
}

impl Listing<'_> {
    fn of_user(&mut self, id: UserId, name: &str, newest: Option<usize>, tell: &mut Tell) -> Result<(), End> {
        let mut sent = self.wanted.sent.clone();
        let mut behind = 0;
        if let Some(newest) = newest {
            let Some((date, first)) = self.first_of_newest(id, newest)? else {
                return Ok(());
            };
            (sent, behind) = (date..=*sent.end(), first);
        }
        let store = self.store;
        let first = *sent.start();
        Stop::ended(store.list_sent(id, sent, First::Oldest, |entry| {
            // Of one second there may be others, which are older by their numbers.
            if entry.date == first && entry.id < behind {
                return Ok(());
            }
            let Some(summary) = self.matching(&entry)? else {
                return Ok(());
            };
            tell(Reply::Entry(line(entry, name, summary))).map_err(Stop::End)?;
            self.left -= 1;
            match self.left {
                0 => Err(Stop::Enough),
                _ => Ok(()),
            }
        }))
    }

    /// The oldest of so many that match, the newest.
    fn first_of_newest(&mut self, id: UserId, newest: usize) -> Result<Option<(Seconds, u64)>, End> {
        let (mut first, mut left) = (None, newest);
        if left == 0 {
            return Ok(None);
        }
        let (store, sent) = (self.store, self.wanted.sent.clone());
        Stop::ended(store.list_sent(id, sent, First::Newest, |entry| {
            if self.wanted.by_text && self.matching(&entry)?.is_none() {
                return Ok(());
            }
            first = Some((entry.date, entry.id));
            left -= 1;
            match left {
                0 => Err(Stop::Enough),
                _ => Ok(()),
            }
        }))?;
        Ok(first)
    }

    /// What is said of a message; `None` where it is not wanted, or damaged, which is noted.
    fn matching(&mut self, entry: &Entry) -> Result<Option<Summary>, StoreError> {
        match self.summary(entry) {
            Err(why @ StoreError::Damaged { .. }) => {
                self.damaged.note(entry.id, why);
                Ok(None)
            }
            summary => summary,
        }
    }

    fn summary(&mut self, entry: &Entry) -> Result<Option<Summary>, StoreError> {
        let mut most = BEGINNING;
        let mut beginning = self.retrieval.beginning(entry.id, &entry.message, most)?;
        while beginning.len() == most && !view::suffices(&beginning, self.wanted.to.is_some()) {
            most = most.saturating_mul(MORE);
            beginning = self.retrieval.beginning(entry.id, &entry.message, most)?;
        }
        let summary = view::summary(&beginning);
        Ok(self.wanted.has(&summary, &beginning).then_some(summary))
    }
}

/// A filter, made ready.
struct Wanted {
    sent: RangeInclusive<Seconds>,
    /// [Folded](fold).
    from: Option<String>,
    to: Option<String>,
    subject: Option<String>,
    by_text: bool,
}

impl Wanted {
    fn new(filter: &ListFilter) -> Self {
        let folded = |text: &Option<String>| text.as_ref().map(|text| fold(text));
        let second = |time: Option<jiff::Timestamp>, or| time.map_or(or, jiff::Timestamp::as_second);
        let (from, to, subject) = (folded(&filter.from), folded(&filter.to), folded(&filter.subject));
        Self {
            sent: second(filter.since, Seconds::MIN)..=second(filter.until, Seconds::MAX),
            by_text: from.is_some() || to.is_some() || subject.is_some(),
            from,
            to,
            subject,
        }
    }

    fn has(&self, summary: &Summary, beginning: &[u8]) -> bool {
        let is_in = |wanted: &Option<String>, text: &dyn Fn() -> String| match wanted {
            Some(wanted) => fold(&text()).contains(wanted),
            None => true,
        };
        is_in(&self.from, &|| summary.from.clone())
            && is_in(&self.subject, &|| summary.subject.clone())
            && is_in(&self.to, &|| view::addressees(beginning))
    }
}

/// Text as it is compared: without case, ß as ss, and in the one form that Unicode has for what looks and means the same
/// (NFKC), so that `é` is found as one character and as a letter with an accent.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let normalizer = ComposingNormalizerBorrowed::new_nfkc();
    let normal = normalizer.normalize(text);
    // Letter by letter, as otherwise a sigma depends on what follows.
    let caseless: String = normal
        .chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect();
    normalizer.normalize(&caseless).into_owned()
}

fn line(entry: Entry, user: &str, summary: Summary) -> EntryLine {
    let Entry {
        id,
        date,
        filing,
        folder,
        message,
    } = entry;
    EntryLine {
        id,
        user: user.to_owned(),
        date: view::time(date),
        archived_at: view::time(message.archived_at),
        from: summary.from,
        to: summary.to,
        subject: summary.subject,
        size: message.size,
        folder,
        sha256: view::hex(&message.sha256),
        why: filing.why.as_str().to_owned(),
    }
}

#[test]
fn texts_were_found_only_in_the_form_in_which_they_were_written() {
    for (field, wanted) in [
        ("Grüße", "GRÜSSE"),
        ("Grüsse", "grüße"),
        ("straße", "STRASSE"),
        ("Cafe\u{301}", "café"),
        ("CAFÉ", "cafe\u{301}"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("ﬁnanzen", "Finanzen"),
        ("Ｒｅｃｈｎｕｎｇ", "rechnung"),
        ("Jane", "JANE"),
    ] {
        assert!(fold(field).contains(&fold(wanted)), "{field}: {wanted}");
    }
    assert!(!fold("Grüße").contains(&fold("Grusse")));
}
