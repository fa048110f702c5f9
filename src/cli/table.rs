//! Messages in columns, as `list` and `search` show them.

use jiff::Timestamp;

use super::columns::{cut, whole};
use crate::{api::EntryLine, config::ByteSize, ids::MessageId};

/// What is shown of a message.
pub struct Row<'r> {
    pub id: MessageId,
    pub date: Timestamp,
    /// Whose it is, where that is a column.
    pub users: &'r str,
    /// Bytes.
    pub size: u64,
    pub from: &'r str,
    pub to: &'r str,
    pub subject: &'r str,
}

impl<'r> From<&'r EntryLine> for Row<'r> {
    fn from(entry: &'r EntryLine) -> Self {
        Self {
            id: entry.id,
            date: entry.date,
            users: &entry.user,
            size: entry.size,
            from: &entry.from,
            to: &entry.to,
            subject: &entry.subject,
        }
    }
}

/// How the lines are laid out.
pub struct Table {
    /// Columns for the user, for From and To each, and for the subject.
    user: Option<usize>,
    people: usize,
    subject: usize,
    /// What is too long for this many columns is cut.
    width: Option<usize>,
    /// There is no room for the time of day, the size and To.
    is_narrow: bool,
}

impl Table {
    const ID: usize = 7;
    const SIZE: usize = 9;
    /// Dates, cut to the minute and whole.
    const DAY: usize = 10;
    const MINUTE: usize = 16;
    const SECOND: usize = 20;
    const USER: usize = 12;
    const GAP: usize = 2;
    /// From, To and the subject need as much.
    const LEAST: usize = 26;

    pub fn new(width: Option<usize>, of_all: bool) -> Self {
        let user = of_all.then_some(Self::USER);
        let Some(width) = width else {
            return Self {
                user,
                people: 30,
                subject: 0,
                width: None,
                is_narrow: false,
            };
        };
        let columns = |fixed: &[usize]| -> usize { fixed.iter().chain(&user).map(|columns| columns + Self::GAP).sum() };
        let left = width.saturating_sub(columns(&[Self::ID, Self::MINUTE, Self::SIZE]) + 2 * Self::GAP);
        let (people, subject) = match left >= Self::LEAST {
            true => {
                let people = (left * 3 / 10).clamp(8, 30);
                (people, left - 2 * people)
            }
            false => {
                let left = width.saturating_sub(columns(&[Self::ID, Self::DAY]) + Self::GAP);
                (left * 4 / 10, left - left * 4 / 10)
            }
        };
        Self {
            user,
            people,
            subject,
            width: Some(width),
            is_narrow: left < Self::LEAST,
        }
    }

    pub fn header(&self) -> String {
        let date = if self.width.is_some() { "date (UTC)" } else { "date" };
        self.row("id", date, "user", "size", ["from", "to", "subject"])
    }

    pub fn line(&self, row: &Row) -> String {
        let date = row.date.to_string();
        let date = match self.width.is_some() {
            true => date.get(..self.date()).unwrap_or(&date).replace('T', " "),
            false => date,
        };
        let (id, size) = (row.id.to_string(), ByteSize(row.size).to_string());
        self.row(&id, &date, row.users, &size, [row.from, row.to, row.subject])
    }

    /// Columns for the date.
    fn date(&self) -> usize {
        match (self.width, self.is_narrow) {
            (None, _) => Self::SECOND,
            (Some(_), false) => Self::MINUTE,
            (Some(_), true) => Self::DAY,
        }
    }

    fn row(&self, id: &str, date: &str, user: &str, size: &str, [from, to, subject]: [&str; 3]) -> String {
        let fit = if self.width.is_some() { cut } else { whole };
        let date = whole(date, self.date());
        let user = self.user.map(|columns| fit(user, columns) + "  ").unwrap_or_default();
        let (from, to, subject) = (fit(from, self.people), fit(to, self.people), fit(subject, self.subject));
        let (id_columns, size_columns) = (Self::ID, Self::SIZE);
        let mut row = match self.is_narrow {
            true => format!("{id:>id_columns$}  {date}  {user}{from}  {subject}"),
            false => format!("{id:>id_columns$}  {date}  {user}{size:>size_columns$}  {from}  {to}  {subject}"),
        };
        if let Some(width) = self.width {
            row = cut(&row, width);
        }
        row.trim_end().to_owned()
    }
}
