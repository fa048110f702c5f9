//! Counts what was found by user, year and sender.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use jiff::Timestamp;
use tantivy::{
    SegmentReader,
    columnar::{Column, StrColumn},
};

use super::{FindError, SearchError, bits::Bits, index::View, numbers::Numbers};
use crate::{
    access::Archives,
    archive::{User, UserId},
};

/// How many of each kind are named.
pub const NAMED: usize = 10;
const DAY: i64 = 86_400;

/// The most frequent users, years and senders, with how many messages each has.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facets {
    pub users: Vec<(String, u64)>,
    pub years: Vec<(i16, u64)>,
    pub senders: Vec<(String, u64)>,
}

/// Counts what was found in each part of the index; of the users those whose archives may be read.
///
/// # Errors
/// The index cannot be read.
pub fn count(view: &View, found: &[Bits], archives: &Archives, users: &[(UserId, User)]) -> Result<Facets, FindError> {
    let failed = || SearchError::of("counting", "the search index");
    let mut counts = Counts::default();
    let parts = view.searcher.segment_readers().iter().zip(&view.numbers);
    for ((segment, numbers), found) in parts.zip(found) {
        counts.add(segment, numbers, found).map_err(failed())?;
    }
    let mut years = HashMap::<i16, u64>::new();
    for (day, number) in counts.days {
        let first = Timestamp::from_second(day.saturating_mul(DAY));
        let first = first.unwrap_or(if day < 0 { Timestamp::MIN } else { Timestamp::MAX });
        *years.entry(first.to_zoned(jiff::tz::TimeZone::UTC).year()).or_default() += number;
    }
    let names: BTreeMap<u64, &str> = users
        .iter()
        .map(|(id, user)| (id.0.into(), user.name.as_str()))
        .collect();
    let readable = counts.users.into_iter().filter(|(user, _)| {
        let id = u32::try_from(*user).map(UserId);
        id.is_ok_and(|id| archives.has(id))
    });
    let named = readable.filter_map(|(user, number)| Some(((*names.get(&user)?).to_owned(), number)));
    Ok(Facets {
        users: most(named),
        years: most(years),
        senders: senders(counts.senders).map_err(failed())?,
    })
}

/// The most frequent ones; of equal ones the first by name.
fn most<T: Ord>(counts: impl IntoIterator<Item = (T, u64)>) -> Vec<(T, u64)> {
    let mut first = BTreeSet::new();
    for (name, number) in counts {
        first.insert((Reverse(number), name));
        if first.len() > NAMED {
            first.pop_last();
        }
    }
    first
        .into_iter()
        .map(|(Reverse(number), name)| (name, number))
        .collect()
}

/// Adds up what the parts of the index have of each sender. Each part has its senders in order, so that they are gone
/// through side by side, and no more than one of each is in memory.
fn senders(parts: Vec<Senders>) -> tantivy::Result<Vec<(String, u64)>> {
    let mut streams = Vec::with_capacity(parts.len());
    for (column, numbers) in &parts {
        streams.push((column.dictionary().stream()?, numbers.iter()));
    }
    let mut next = BTreeMap::<String, Vec<(usize, u64)>>::new();
    let mut first = BTreeSet::new();
    let mut waiting: Vec<usize> = (0..streams.len()).collect();
    loop {
        for nth in std::mem::take(&mut waiting) {
            let (stream, numbers) = &mut streams[nth];
            while stream.advance() {
                let number = numbers.next().copied().unwrap_or_default();
                if number > 0 {
                    let sender = String::from_utf8_lossy(stream.key()).into_owned();
                    next.entry(sender).or_default().push((nth, number.into()));
                    break;
                }
            }
        }
        let Some((sender, having)) = next.pop_first() else {
            break;
        };
        waiting.extend(having.iter().map(|(nth, _)| nth));
        first.insert((Reverse(having.iter().map(|(_, number)| number).sum::<u64>()), sender));
        if first.len() > NAMED {
            first.pop_last();
        }
    }
    Ok(first
        .into_iter()
        .map(|(Reverse(number), sender)| (sender, number))
        .collect())
}

/// A part's senders, and how many messages each of them has.
type Senders = (StrColumn, Vec<u32>);

#[derive(Default)]
struct Counts {
    /// By days since 1970.
    days: HashMap<i64, u64>,
    users: HashMap<u64, u64>,
    senders: Vec<Senders>,
}

impl Counts {
    /// Adds what was found in a part of the index.
    fn add(&mut self, segment: &SegmentReader, numbers: &Numbers, found: &Bits) -> tantivy::Result<()> {
        let users: Column<u64> = segment.fast_fields().u64("users")?;
        let mut senders = segment.fast_fields().str("sender")?.map(|column| {
            let numbers = vec![0; column.num_terms()];
            (column, numbers)
        });
        for document in found.iter() {
            let day = numbers.dates.get(document).div_euclid(DAY);
            *self.days.entry(day).or_default() += 1;
            for user in users.values_for_doc(document) {
                *self.users.entry(user).or_default() += 1;
            }
            if let Some((column, numbers)) = &mut senders {
                for ord in column.ords().values_for_doc(document) {
                    if let Some(number) = numbers.get_mut(ord as usize) {
                        *number += 1;
                    }
                }
            }
        }
        self.senders.extend(senders);
        Ok(())
    }
}
