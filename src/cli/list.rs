//! `list`: the messages of a user, or of all users, oldest first.

use std::{io::Write, ops::ControlFlow};

use clap::{ArgGroup, Args};
use jiff::Timestamp;

use super::{
    ask,
    columns::{cut, whole, width},
    numbers::number,
    output::{Output, harmless},
    protocols::{since, until},
};
use crate::{
    config::{ByteSize, Config},
    control::api::{EntryLine, Failure, ListFilter, Reply, Request},
};

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("whose").required(true).args(["user", "all"])))]
pub struct Arguments {
    /// The messages of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Those of all users, one user after the other, with a column that names the user. A message that several users
    /// have is listed for each of them, under the same id.
    #[arg(long)]
    all: bool,
    /// Only messages with this text in From, in the name or the address; upper and lower case are the same.
    #[arg(long, value_name = "TEXT")]
    from: Option<String>,
    /// Only messages with this text in To, Cc or Bcc.
    #[arg(long, value_name = "TEXT")]
    to: Option<String>,
    /// Only messages with this text in the subject.
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// Only messages sent then or later: 2026-01-31 (UTC), 2026-01-31T12:00:00Z, or 7d for seven days ago.
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Only messages sent then or before; of a day, all of it.
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Timestamp>,
    /// Only the newest N of those that match; with --all, of each user.
    #[arg(long, value_name = "N", value_parser = number::<usize>)]
    newest: Option<usize>,
    /// Print at most N lines.
    #[arg(long, value_name = "N", value_parser = number::<usize>)]
    limit: Option<usize>,
}

impl Arguments {
    fn are_any_filters(&self) -> bool {
        let texts = [&self.from, &self.to, &self.subject];
        texts.iter().any(|text| text.is_some()) || self.since.is_some() || self.until.is_some()
    }
}

pub fn run(config: Config, arguments: Arguments, json: bool) -> Result<u8, Failure> {
    if let (Some(since), Some(until)) = (arguments.since, arguments.until)
        && since > until
    {
        return Err(Failure::usage("--since is later than --until"));
    }
    let request = Request::List {
        user: arguments.user.clone(),
        newest: arguments.newest,
        filter: ListFilter {
            from: arguments.from.clone(),
            to: arguments.to.clone(),
            subject: arguments.subject.clone(),
            since: arguments.since,
            until: arguments.until,
            limit: arguments.limit,
        },
    };
    let table = Table::new(width(), arguments.all);
    let mut output = Output::new();
    let mut found_any = false;
    let answered = ask::read_until(&config, &request, &mut |reply| {
        let Reply::Entry(entry) = reply else {
            return ControlFlow::Continue(());
        };
        if !json && !found_any {
            output.line(table.header());
        }
        found_any = true;
        match json {
            true => output.json(&entry),
            false => output.line(table.line(&entry)),
        }
        // Whoever reads may have seen enough (`| head`), and there may be a million more.
        output.is_read()
    });
    output.finish();
    answered?;
    if !found_any {
        say_none(&arguments);
    }
    Ok(0)
}

/// Says that nothing is listed, where it does not get into what is read by programs.
fn say_none(arguments: &Arguments) {
    let whose = match &arguments.user {
        Some(name) => format!("of user {name:?}"),
        None => "of any user".to_owned(),
    };
    let said = match arguments.are_any_filters() {
        true => format!("no message {whose} matches; texts are found anywhere in a field, times are those of sending"),
        false => format!("no message {whose} is in the archive"),
    };
    // Standard error may be closed.
    let _ = writeln!(std::io::stderr(), "dropkeep: {}", harmless(&said));
}

/// How the lines are laid out.
struct Table {
    /// Columns for the user, for From and To each, and for the subject.
    user: Option<usize>,
    people: usize,
    subject: usize,
    /// Values that are too long are cut.
    cuts: bool,
}

impl Table {
    const ID: usize = 7;
    const SIZE: usize = 9;
    /// Dates, cut to the minute and whole.
    const MINUTE: usize = 16;
    const SECOND: usize = 20;
    const USER: usize = 12;
    const GAP: usize = 2;

    fn new(width: Option<usize>, of_all: bool) -> Self {
        let user = of_all.then_some(Self::USER);
        let Some(width) = width else {
            return Self {
                user,
                people: 30,
                subject: 0,
                cuts: false,
            };
        };
        let taken = [Self::ID, Self::MINUTE, Self::SIZE].into_iter().chain(user);
        let taken: usize = taken.map(|columns| columns + Self::GAP).sum();
        let left = width.saturating_sub(taken + 2 * Self::GAP);
        let people = (left * 3 / 10).clamp(8, 30);
        Self {
            user,
            people,
            subject: left.saturating_sub(2 * people).max(10),
            cuts: true,
        }
    }

    fn header(&self) -> String {
        let date = if self.cuts { "date (UTC)" } else { "date" };
        self.row("id", date, "user", "size", ["from", "to", "subject"])
    }

    fn line(&self, entry: &EntryLine) -> String {
        let date = entry.date.to_string();
        let date = match self.cuts {
            true => date.get(..Self::MINUTE).unwrap_or(&date).replace('T', " "),
            false => date,
        };
        let (id, size) = (entry.id.to_string(), ByteSize(entry.size).to_string());
        let texts = [&entry.from, &entry.to, &entry.subject].map(String::as_str);
        self.row(&id, &date, &entry.user, &size, texts)
    }

    fn row(&self, id: &str, date: &str, user: &str, size: &str, [from, to, subject]: [&str; 3]) -> String {
        let fit = if self.cuts { cut } else { whole };
        let date = whole(date, if self.cuts { Self::MINUTE } else { Self::SECOND });
        let user = self.user.map(|columns| fit(user, columns) + "  ").unwrap_or_default();
        let (from, to, subject) = (fit(from, self.people), fit(to, self.people), fit(subject, self.subject));
        let (id_columns, size_columns) = (Self::ID, Self::SIZE);
        let row = format!("{id:>id_columns$}  {date}  {user}{size:>size_columns$}  {from}  {to}  {subject}");
        row.trim_end().to_owned()
    }
}
