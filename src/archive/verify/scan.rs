//! Going through a table from one end to the other, past what cannot be read.
//!
//! No read transaction lasts longer than a page of rows. A row that is found in its place must be found by its key
//! too: a damaged branch page hides rows from those who look them up.

use std::{borrow::Cow, ops::Bound};

use heed::{Database, RoTxn, WithoutTls, types::Bytes};

use super::{
    context::Stop,
    damage::{Damage, Kind},
    plan::{Position, prefix},
    stretches::{Edge, Spans},
    words::Desk,
};
use crate::archive::{StoreError, resident};

/// Rows looked at under one transaction.
pub const ROWS: usize = 1000;
/// After how many rows it is said that pages are read: rows are near each other, and as a rule what they name is too.
const TOUCHED: usize = 16;

/// A row: its key, and its value or why that cannot be read.
pub type Found<'t> = (Cow<'t, [u8]>, heed::Result<Cow<'t, [u8]>>);
pub type Range<'t> = Box<dyn Iterator<Item = heed::Result<Found<'t>>> + 't>;

/// A table, its rows as bytes.
pub trait Table {
    /// Its rows from one key to before another, in the order of their keys. An error: nothing can be read behind it.
    ///
    /// # Errors
    /// LMDB cannot read.
    fn range<'t>(&self, txn: &'t RoTxn, from: &[u8], until: Option<&[u8]>) -> heed::Result<Range<'t>>;

    /// Looks up a row that was found in its place; in words, what is wrong, where it is not found by its key.
    fn look_up(&self, txn: &RoTxn, key: &[u8], value: &[u8]) -> Option<String>;
}

impl Table for Database<Bytes, Bytes> {
    fn range<'t>(&self, txn: &'t RoTxn, from: &[u8], until: Option<&[u8]>) -> heed::Result<Range<'t>> {
        // LMDB takes no empty key.
        let start = match from.is_empty() {
            true => Bound::Unbounded,
            false => Bound::Included(from),
        };
        let rows = Database::range(self, txn, &(start, until.map_or(Bound::Unbounded, Bound::Excluded)))?;
        Ok(Box::new(rows.map(|row| {
            row.map(|(key, value)| (Cow::Borrowed(key), Ok(Cow::Borrowed(value))))
        })))
    }

    fn look_up(&self, txn: &RoTxn, key: &[u8], value: &[u8]) -> Option<String> {
        match self.get(txn, key) {
            // As a rule it is the very same place, whose bytes need not be read.
            Ok(Some(same)) if std::ptr::eq(same, value) || same == value => None,
            Ok(Some(_)) => Some("its key leads to another row".into()),
            Ok(None) => Some("looking up its key finds nothing".into()),
            Err(error) => Some(format!("cannot look up its key: {error}")),
        }
    }
}

/// A table, and how its environment is read.
pub struct Source<'s> {
    pub table: &'s dyn Table,
    pub read: &'s dyn Fn() -> Result<RoTxn<'s, WithoutTls>, StoreError>,
    /// Its pages lead to all its rows, so none need be looked up by its key.
    pub is_sound: bool,
}

/// What is checked of each row.
pub trait Rows {
    /// What a row that is damaged is called.
    fn kind(&self) -> Kind;

    /// The row of this key, in words.
    fn words(&self, key: &[u8]) -> String;

    /// A damage at the row of this key, with what the key says of whom and what it concerns.
    fn at(&self, key: &[u8], damage: Damage) -> Damage;

    /// Rows looked at under one transaction.
    fn at_once(&self) -> usize {
        ROWS
    }

    /// A page begins: whatever is looked up for its rows is as old as they are.
    ///
    /// # Errors
    /// It cannot be looked up.
    fn begin(&mut self, txn: &RoTxn) -> heed::Result<()>;

    /// # Errors
    /// It is no such row, or what it is compared with cannot be looked up.
    fn row(&mut self, txn: &RoTxn, key: &[u8], value: &[u8], desk: &mut Desk) -> heed::Result<()>;

    /// There may be rows before the next one that were not seen.
    fn skipped(&mut self);

    /// Rows that were read, and are yet to be looked up with others. Until then it is not said that they are done.
    fn waiting(&self) -> Waits {
        Waits::No
    }

    /// Looks up what waits.
    ///
    /// # Errors
    /// Nobody listens any more.
    fn catch_up(&mut self, _: &RoTxn, _: &mut Desk) -> Result<(), Stop> {
        Ok(())
    }

    /// No row follows.
    ///
    /// # Errors
    /// What the rows are compared with cannot be looked up.
    fn end(&mut self, txn: &RoTxn, desk: &mut Desk) -> heed::Result<()>;
}

/// Whether rows wait, and as many as may.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    No,
    Some,
    Full,
}

/// How a page ended.
enum Page {
    /// Rows may follow.
    Full,
    Last,
    /// There is no way on, for this reason.
    Stuck(String),
}

/// Goes through the rows of `source` in `spans`, from `position` on. Where the desk is alone it takes one page, row by
/// row, and answers where to go on.
pub fn scan(
    source: &Source,
    rows: &mut dyn Rows,
    desk: &mut Desk,
    mut position: Position,
    spans: &Spans,
) -> Result<Option<Position>, Stop> {
    let mut stuck = false;
    let mut left = ROWS;
    while let Some(stretch) = spans.at(&position.from) {
        if position.from < stretch.from.0 {
            position.from.clone_from(&stretch.from.0);
            rows.skipped();
        }
        let until = stretch.to.as_ref().map(|Edge(key)| &key[..]);
        match rows.waiting() {
            Waits::No => desk.at(&position, false)?,
            Waits::Some | Waits::Full => desk.alive()?,
        }
        let txn = (source.read)()?;
        if let Err(error) = rows.begin(&txn) {
            desk.damage(damage(rows, format!("cannot compare anything: {error}")));
            rows.skipped();
            break;
        }
        let before = position.from.clone();
        let ended = page(source, rows, desk, &txn, &mut position, until)?;
        if rows.waiting() == Waits::Full {
            rows.catch_up(&txn, desk)?;
        }
        match ended {
            Page::Full => {}
            Page::Last
                if let Some(until) = until
                    && spans.at(until).is_some() =>
            {
                position.from = until.to_vec();
            }
            Page::Last => {
                if spans.is_part && until.is_some() {
                    rows.skipped();
                }
                if rows.waiting() != Waits::No {
                    rows.catch_up(&txn, desk)?;
                }
                if let Err(error) = rows.end(&txn, desk) {
                    desk.damage(damage(rows, format!("cannot compare the last rows: {error}")));
                }
                break;
            }
            Page::Stuck(error) => {
                stuck &= position.from == before;
                if !stuck {
                    let from = rows.words(&position.from);
                    desk.damage(damage(rows, format!("cannot read the rows at {from}: {error}")));
                }
                stuck = true;
                rows.skipped();
                match position.skip() {
                    Some(behind) => position = behind,
                    None => break,
                }
                continue;
            }
        }
        stuck = false;
        if desk.alone {
            left -= 1;
            if left == 0 {
                return Ok(Some(position));
            }
        }
    }
    if rows.waiting() != Waits::No {
        let txn = (source.read)()?;
        rows.catch_up(&txn, desk)?;
    }
    desk.end()?;
    Ok(None)
}

fn damage(rows: &dyn Rows, detail: String) -> Damage {
    rows.at(&[], Damage::new(rows.kind(), detail))
}

/// Checks the rows of a page, or of a single one where the desk is alone, and moves `position` behind them.
fn page(
    source: &Source,
    rows: &mut dyn Rows,
    desk: &mut Desk,
    txn: &RoTxn,
    position: &mut Position,
    until: Option<&[u8]>,
) -> Result<Page, Stop> {
    let most = if desk.alone { 1 } else { rows.at_once() };
    let from = position.from.clone();
    let mut found = match source.table.range(txn, &from, until) {
        Ok(found) => found,
        Err(error) => return Ok(Page::Stuck(error.to_string())),
    };
    let (mut first, mut last, mut count) = (None, None::<Vec<u8>>, 0);
    let ended = loop {
        if count == most {
            break Page::Full;
        }
        let (key, value) = match found.next() {
            Some(Ok(row)) => row,
            Some(Err(error)) => break Page::Stuck(error.to_string()),
            None => break Page::Last,
        };
        let key = &*key;
        if key < &from[..] || last.as_deref().is_some_and(|last| key <= last) {
            break Page::Stuck("its keys are out of order".into());
        }
        if desk.alone {
            let here = Position {
                from: key.to_vec(),
                gap: position.gap,
            };
            desk.at(&here, true)?;
        }
        if count % TOUCHED == 0 {
            resident::touched();
        }
        match value {
            Ok(value) => {
                let wrong = match source.is_sound {
                    true => None,
                    false => source.table.look_up(txn, key, &value),
                };
                if let Some(wrong) = wrong {
                    desk.damage(row_damage(rows, key, &wrong));
                }
                if let Err(error) = rows.row(txn, key, &value, desk) {
                    desk.damage(row_damage(rows, key, &format!("{error}")));
                }
            }
            Err(error) => {
                rows.skipped();
                desk.damage(row_damage(rows, key, &format!("{error}")));
            }
        }
        first.get_or_insert_with(|| prefix(key));
        last.get_or_insert_default().clear();
        last.get_or_insert_default().extend_from_slice(key);
        count += 1;
    };
    if let (Some(first), Some(last)) = (first, last) {
        if count > 1 {
            position.gap = ((prefix(&last) - first) / (count as u128 - 1)).max(1);
        }
        *position = position.behind(&last);
    }
    Ok(ended)
}

fn row_damage(rows: &dyn Rows, key: &[u8], what: &str) -> Damage {
    let detail = format!("{}: {what}", rows.words(key));
    rows.at(key, Damage::new(rows.kind(), detail))
}
