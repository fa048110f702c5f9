//! Counts what was found by user, year and sender.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use jiff::Timestamp;
use tantivy::columnar::{Column, StrColumn};

use super::{
    FindError, SearchError,
    bits::{Bits, OF_WORD},
    columns::Unpacked,
    counted::{Digest, Facets},
    evaluate::Part,
    index::View,
    shared_out::shared_out,
};
use crate::{
    access::Archives,
    archive::{User, UserId},
};

/// How many of each kind are named.
pub const NAMED: usize = 10;
const DAY: i64 = 86_400;

/// The digest of all that is counted: of what was found in which parts, and of the users that may be named.
fn digest_of(view: &View, found: &[Bits], archives: &Archives, users: &[(UserId, User)]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    for (part, found) in view.parts().zip(found) {
        hasher.update(part.segment.segment_id().uuid_string().as_bytes());
        for words in found.words().chunks(OF_WORD) {
            let mut bytes = [0; OF_WORD * 8];
            let each = bytes.chunks_exact_mut(8).zip(words);
            each.for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_le_bytes()));
            hasher.update(&bytes);
        }
    }
    for (id, user) in users.iter().filter(|(id, _)| archives.has(*id)) {
        hasher.update(&id.0.to_le_bytes());
        hasher.update(&user.name.len().to_le_bytes());
        hasher.update(user.name.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Counts what was found in each part of the index; of the users those whose archives may be read.
///
/// # Errors
/// The index cannot be read.
pub fn count(view: &View, found: &[Bits], archives: &Archives, users: &[(UserId, User)]) -> Result<Facets, FindError> {
    let digest = digest_of(view, found, archives, users);
    if let Some(facets) = view.counted.of(&digest) {
        return Ok(facets);
    }
    let facets = counted(view, found, archives, users)?;
    view.counted.keep(digest, &facets);
    Ok(facets)
}

fn counted(view: &View, found: &[Bits], archives: &Archives, users: &[(UserId, User)]) -> Result<Facets, FindError> {
    let failed = || SearchError::of("counting", "the search index");
    let parts: Vec<_> = view.parts().zip(found).collect();
    let counted = shared_out(
        &parts,
        |(part, _)| part.segment.max_doc(),
        |(part, found)| Counts::of(part, found),
    );
    let mut counts = Counts::default();
    counted.map_err(failed())?.into_iter().for_each(|more| counts.add(more));
    let mut years = HashMap::<i16, u64>::new();
    for (day, number) in counts.days.all() {
        let first = Timestamp::from_second(day.saturating_mul(DAY));
        let first = first.unwrap_or(if day < 0 { Timestamp::MIN } else { Timestamp::MAX });
        *years.entry(first.to_zoned(jiff::tz::TimeZone::UTC).year()).or_default() += number;
    }
    let names: BTreeMap<i64, &str> = users
        .iter()
        .map(|(id, user)| (id.0.into(), user.name.as_str()))
        .collect();
    let readable = counts.users.all().filter(|(user, _)| {
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

/// Numbers from 0 on that are counted without looking for them: the days of a century and more, and most users.
const SMALL: usize = 1 << 16;

/// How often there is each number.
#[derive(Default)]
struct Counter {
    small: Vec<u64>,
    others: HashMap<i64, u64>,
}

impl Counter {
    fn add(&mut self, number: i64, times: u64) {
        match usize::try_from(number) {
            Ok(small) if small < SMALL => {
                if self.small.len() <= small {
                    self.small.resize(small + 1, 0);
                }
                self.small[small] += times;
            }
            _ => *self.others.entry(number).or_default() += times,
        }
    }

    /// Each number that there is, and how often.
    fn all(self) -> impl Iterator<Item = (i64, u64)> {
        let small = (0_i64..).zip(self.small).filter(|(_, times)| *times > 0);
        small.chain(self.others)
    }
}

#[derive(Default)]
struct Counts {
    /// By days since 1970.
    days: Counter,
    users: Counter,
    senders: Vec<Senders>,
}

impl Counts {
    /// Of what was found in a part of the index.
    fn of(part: &Part, found: &Bits) -> tantivy::Result<Self> {
        let users: Column<u64> = part.segment.fast_fields().u64("users")?;
        let mut senders = part.segment.fast_fields().str("sender")?.map(|column| {
            let numbers = vec![0; column.num_terms()];
            (column, numbers)
        });
        let mut counts = Self::default();
        let mut unpacked = Unpacked::default();
        for (nth, word) in found.words().iter().enumerate() {
            part.numbers
                .dates
                .each(nth, *word, |date| counts.days.add(date.div_euclid(DAY), 1));
            unpacked.each(&users, nth, *word, |user| counts.users.add(user.cast_signed(), 1));
            if let Some((column, numbers)) = &mut senders {
                unpacked.each(column.ords(), nth, *word, |ord| {
                    if let Some(number) = numbers.get_mut(ord as usize) {
                        *number += 1;
                    }
                });
            }
        }
        counts.senders.extend(senders);
        Ok(counts)
    }

    fn add(&mut self, more: Self) {
        more.days.all().for_each(|(day, times)| self.days.add(day, times));
        more.users.all().for_each(|(user, times)| self.users.add(user, times));
        self.senders.extend(more.senders);
    }
}
