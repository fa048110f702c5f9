//! Users' archives in pages: from a place on, up or down, within a time, so many messages. No read transaction outlives
//! a page. A place is the key of a message in the archive, so it stays right while mail comes in.

use std::{
    fmt,
    ops::{Bound, RangeInclusive},
    str::FromStr,
    vec,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub use super::settled::Direction;
use super::{
    Store, StoreError,
    codec::KeyPart,
    rows::{Filing, Message, MessageId, Seconds, UserId},
};

/// Messages of a page at most.
pub const PAGE: usize = 1000;
/// Keys that are counted under one transaction.
const COUNTED: usize = 10_000;

/// Where a message stands in a user's archive: by when it was sent, those of one second by their numbers. As text it is
/// a word whose meaning is ours alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct FilingKey {
    pub date: Seconds,
    pub id: MessageId,
}

/// A text that is no [`FilingKey`].
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
#[error("this is no place in a list: pass on what the page before said comes next, or begin without a place")]
pub struct NoPlace;

impl fmt::Display for FilingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = Vec::with_capacity(16);
        (self.date, self.id).put(&mut key);
        f.write_str(&URL_SAFE_NO_PAD.encode(key))
    }
}

impl FromStr for FilingKey {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let key = URL_SAFE_NO_PAD.decode(text).map_err(|_| NoPlace)?;
        let mut rest = &key[..];
        match KeyPart::take(&mut rest) {
            Some((date, id)) if rest.is_empty() => Ok(Self { date, id }),
            _ => Err(NoPlace),
        }
    }
}

/// Which messages of an archive are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Those behind this place, in the direction; all where there is none.
    pub from: Option<FilingKey>,
    pub direction: Direction,
    /// Sent within these seconds.
    pub dates: RangeInclusive<Seconds>,
    /// The number of filings wanted, which [`PAGE`] bounds.
    pub most: usize,
}

impl Page {
    /// The first page of all of an archive.
    pub fn first(direction: Direction) -> Self {
        Self {
            from: None,
            direction,
            dates: Seconds::MIN..=Seconds::MAX,
            most: PAGE,
        }
    }

    fn bounds(&self, user: UserId) -> (Bound<Key>, Bound<Key>) {
        let key = |key: FilingKey| (user, key.date, key.id);
        let (first, last) = (*self.dates.start(), *self.dates.end());
        let mut low = Bound::Included((user, first, MessageId::MIN));
        let mut high = Bound::Included((user, last, MessageId::MAX));
        match (self.from, self.direction) {
            (Some(from), Direction::Up) if from.date >= first => low = Bound::Excluded(key(from)),
            (Some(from), Direction::Down) if from.date <= last => high = Bound::Excluded(key(from)),
            _ => {}
        }
        (low, high)
    }
}

/// A key of the table.
type Key = (UserId, Seconds, MessageId);

/// One message in a user's archive.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: MessageId,
    pub date: Seconds,
    pub filing: Filing,
    pub folder: String,
    pub message: Message,
}

impl Entry {
    /// Where it stands in the archive.
    pub fn key(&self) -> FilingKey {
        FilingKey {
            date: self.date,
            id: self.id,
        }
    }
}

impl Store {
    /// A page of a user's archive, and behind which message the next one begins; `None` where nothing is left.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn filings(&self, user: UserId, page: &Page) -> Result<(Vec<Entry>, Option<FilingKey>), StoreError> {
        let most = page.most.min(PAGE);
        let bounds = page.bounds(user);
        let filings = &self.catalog.filings;
        self.reading(|txn| {
            // One more says whether there is more.
            let rows = filings.rows(txn, &bounds, page.direction)?.take(most + 1);
            let mut rows: Vec<(Key, Filing)> = rows.collect::<heed::Result<_>>()?;
            let has_more = rows.len() > most;
            rows.truncate(most);
            let mut entries = Vec::with_capacity(rows.len());
            for ((_, date, id), filing) in rows {
                let folder = self.catalog.folders.get(txn, &filing.folder)?.unwrap_or_default();
                let message = self.catalog.messages.get(txn, &id)?;
                let message =
                    message.ok_or_else(|| heed::Error::Decoding(format!("message {id} is missing").into()))?;
                entries.push(Entry {
                    id,
                    date,
                    filing,
                    folder,
                    message,
                });
            }
            let next = if has_more {
                entries.last().map(Entry::key).or(page.from)
            } else {
                None
            };
            Ok((entries, next))
        })
    }

    /// All of a user's messages that are wanted from `first` on, page by page.
    pub fn all_filings(&self, user: UserId, first: Page) -> AllFilings<'_> {
        AllFilings {
            store: self,
            user,
            next: Some(first),
            read: Vec::new().into_iter(),
        }
    }

    /// The oldest of the `most` newest messages of a user that were sent within these seconds; `None` where there is
    /// none.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn oldest_of_newest(
        &self,
        user: UserId,
        dates: RangeInclusive<Seconds>,
        most: usize,
    ) -> Result<Option<FilingKey>, StoreError> {
        let filings = &self.catalog.filings;
        let mut page = Page {
            dates,
            ..Page::first(Direction::Down)
        };
        let mut left = most;
        loop {
            let now = left.min(COUNTED);
            let (count, last) = self.reading(|txn| {
                let (mut count, mut last) = (0, None);
                let rows = filings.rows(txn, &page.bounds(user), page.direction)?;
                for row in rows.take(now) {
                    let ((_, date, id), _) = row?;
                    (count, last) = (count + 1, Some(FilingKey { date, id }));
                }
                Ok((count, last))
            })?;
            page.from = last.or(page.from);
            left -= count;
            if count < now || left == 0 {
                return Ok(page.from);
            }
        }
    }
}

/// A user's messages, one after the other; they are read in pages. Ends with the first error.
pub struct AllFilings<'s> {
    store: &'s Store,
    user: UserId,
    /// The page that is read next.
    next: Option<Page>,
    read: vec::IntoIter<Entry>,
}

impl Iterator for AllFilings<'_> {
    type Item = Result<Entry, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.read.next() {
                return Some(Ok(entry));
            }
            let page = self.next.take()?;
            match self.store.filings(self.user, &page) {
                Ok((read, next)) => {
                    self.read = read.into_iter();
                    self.next = next.map(|from| Page {
                        from: Some(from),
                        ..page
                    });
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
