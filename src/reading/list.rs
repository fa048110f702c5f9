//! The messages of users, as `list` shows them, page by page.

use std::ops::RangeInclusive;

use icu_normalizer::ComposingNormalizerBorrowed;

use super::{
    rows::Rows,
    tell::{End, Tell},
    users::{find_user, readable},
    view,
};
use crate::{
    access::Archives,
    api::{Code, EntryLine, Failure, ListFilter, Reply, Wrong},
    archive::{Direction, Entry, FilingKey, NoPlace, PAGE, Page, Seconds, Store, UserId},
    identify::Summary,
};

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
        rows: Rows::new(store),
        wanted: Wanted::new(filter),
        left: filter.limit.unwrap_or(usize::MAX),
    };
    for (id, name) in users {
        if listing.left == 0 {
            break;
        }
        listing.of_user(id, &name, newest, tell)?;
    }
    Ok(listing.rows.said()?)
}

/// A page of a user's messages, newest first. It takes as long wherever it is, and stays right while mail comes in.
pub fn page(
    store: &Store,
    archives: &Archives,
    user: &str,
    after: Option<&str>,
    limit: usize,
    tell: &mut Tell,
) -> Result<(), End> {
    let (id, name, _) = find_user(store, archives, user)?;
    let from = after
        .map(str::parse)
        .transpose()
        .map_err(|error: NoPlace| Failure::usage(error).for_that(Wrong::from(Code::NoPlace)))?;
    let page = Page {
        from,
        most: limit.clamp(1, PAGE),
        ..Page::first(Direction::Down)
    };
    let (entries, next) = store.filings(id, &page)?;
    let rows = store.listed(entries.iter().map(|entry| entry.id))?;
    let mut said = Rows::new(store);
    for (entry, row) in entries.into_iter().zip(rows) {
        if let Some(summary) = said.said_of(entry.id, &entry.message, row, false)? {
            tell(Reply::Entry(line(entry, &name, summary)))?;
        }
    }
    tell(Reply::Next(next.map(|next| next.to_string())))?;
    Ok(said.said()?)
}

struct Listing<'s> {
    store: &'s Store,
    rows: Rows<'s>,
    wanted: Wanted,
    /// Lines that may still come.
    left: usize,
}

impl Listing<'_> {
    fn of_user(&mut self, id: UserId, name: &str, newest: Option<usize>, tell: &mut Tell) -> Result<(), End> {
        let mut page = self.page(Direction::Up);
        if let Some(newest) = newest {
            let Some(oldest) = self.oldest_of_newest(id, newest)? else {
                return Ok(());
            };
            // Behind the place before it.
            page.from = Some(FilingKey {
                id: oldest.id.previous(),
                ..oldest
            });
        }
        self.each_wanted(id, page, |listing, entry, summary| {
            tell(Reply::Entry(line(entry, name, summary)))?;
            listing.left -= 1;
            Ok(listing.left > 0)
        })
    }

    /// The oldest of so many that match, the newest.
    fn oldest_of_newest(&mut self, id: UserId, newest: usize) -> Result<Option<FilingKey>, End> {
        if !self.wanted.by_text || newest == 0 {
            return Ok(self.store.oldest_of_newest(id, self.wanted.sent.clone(), newest)?);
        }
        let (mut oldest, mut left) = (None, newest);
        self.each_wanted(id, self.page(Direction::Down), |_, entry, _| {
            oldest = Some(entry.key());
            left -= 1;
            Ok(left > 0)
        })?;
        Ok(oldest)
    }

    /// The first page of what was sent within the time that is asked for.
    fn page(&self, direction: Direction) -> Page {
        Page {
            dates: self.wanted.sent.clone(),
            ..Page::first(direction)
        }
    }

    /// Hands out the messages that are wanted, from a page on, as long as `each` says to go on.
    fn each_wanted(
        &mut self,
        id: UserId,
        mut page: Page,
        mut each: impl FnMut(&mut Self, Entry, Summary) -> Result<bool, End>,
    ) -> Result<(), End> {
        loop {
            let (entries, next) = self.store.filings(id, &page)?;
            let rows = self.store.listed(entries.iter().map(|entry| entry.id))?;
            for (entry, row) in entries.into_iter().zip(rows) {
                let in_addressees = self.wanted.to.is_some();
                let said = self.rows.said_of(entry.id, &entry.message, row, in_addressees)?;
                let Some(summary) = said.filter(|summary| self.wanted.has(summary)) else {
                    continue;
                };
                if !each(self, entry, summary)? {
                    return Ok(());
                }
            }
            match next {
                Some(next) => page.from = Some(next),
                None => return Ok(()),
            }
        }
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

    fn has(&self, summary: &Summary) -> bool {
        let is_in = |wanted: &Option<String>, text: &str| match wanted {
            Some(wanted) => fold(text).contains(wanted),
            None => true,
        };
        is_in(&self.from, &summary.from)
            && is_in(&self.subject, &summary.subject)
            && is_in(&self.to, &summary.addressees)
    }
}

/// Text as it is compared: without case, ß as ss, and in the one form that Unicode has for what looks and means the
/// same (NFKC), so that `é` is found as one character and as a letter with an accent.
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
        sha256: view::hex(message.sha256),
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

#[cfg(test)]
mod tests {
    use std::{ops::ControlFlow, sync::Arc};

    use super::*;
    use crate::{
        access::{Caller, Owner, grant},
        api::Request,
        archive::test_bench::{Bench, config},
        reading::answer,
        search::Search,
    };

    fn listed(store: &Arc<Store>, newest: Option<usize>, filter: ListFilter) -> Vec<String> {
        let mut subjects = Vec::new();
        let request = Request::List {
            user: Some("@catchall".into()),
            newest,
            filter,
        };
        let mut emit = |reply| {
            if let Reply::Entry(line) = reply {
                subjects.push(line.subject);
            }
            ControlFlow::Continue(())
        };
        #[expect(clippy::disallowed_methods, reason = "a test is the owner")]
        let owner = Caller::Owner(Owner::of(&**store));
        let index = Search::new(store.clone(), Default::default());
        answer(store, &index, &grant(&owner, request).unwrap(), &mut emit).unwrap();
        subjects
    }

    #[actix::test]
    async fn a_list_opened_the_blocks_of_all_that_it_named() {
        let folder = tempfile::tempdir().unwrap();
        let bench = Bench::open(&config(&folder));
        for number in 1..=9 {
            let mail =
                format!("X{number:03}: x\nFrom: jane@example.com\nCc: bob@example.com\nSubject: s{number}\n\nbody\n");
            bench.file(&mail, number, &[UserId(0)]).await;
        }
        let filter = ListFilter {
            from: Some("JANE".into()),
            to: Some("bob@".into()),
            ..ListFilter::default()
        };
        assert_eq!(listed(&bench.store, None, ListFilter::default()).len(), 9);
        assert_eq!(listed(&bench.store, Some(2), ListFilter::default()), ["s8", "s9"]);
        assert_eq!(listed(&bench.store, Some(3), filter), ["s7", "s8", "s9"]);
        assert_eq!(bench.store.blocks_unpacked(), 0);
        // All of a text that is longer than a row keeps is shown and searched.
        let long = "ä".repeat(1_000);
        bench
            .file(&format!("X100: x\nSubject: {long} end\n\nbody\n"), 10, &[UserId(0)])
            .await;
        let filter = ListFilter {
            subject: Some("end".into()),
            ..ListFilter::default()
        };
        assert_eq!(listed(&bench.store, None, filter), [format!("{long} end")]);
        assert_eq!(bench.store.blocks_unpacked(), 1);
        bench.close();
    }
}
