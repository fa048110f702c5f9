//! `list`: the messages of a user, or of all users, oldest first.

use std::ops::ControlFlow;

use clap::{ArgGroup, Args};
use jiff::Timestamp;

use super::{
    ask,
    columns::width,
    numbers::number,
    output::{Output, say},
    protocols::{since, until},
    table::{Row, Table},
};
use crate::{
    api::{Failure, ListFilter, Reply, Request},
    config::Config,
    export::first_second,
};

#[derive(Args, Debug)]
#[command(group(ArgGroup::new("whose").required(true).args(["user", "all"])))]
pub struct Arguments {
    /// The messages of this user.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The messages of all users, one user after the other, with a column for the user. A message that several users
    /// have is listed for each of them, with the same id.
    #[arg(long)]
    all: bool,
    /// Only messages with this text in From, in the name or the address; case does not matter. For dates use --since.
    #[arg(long, value_name = "TEXT")]
    from: Option<String>,
    /// Only messages with this text in To, Cc or Bcc.
    #[arg(long, value_name = "TEXT")]
    to: Option<String>,
    /// Only messages with this text in the subject.
    #[arg(long, value_name = "TEXT")]
    subject: Option<String>,
    /// Only messages sent then or later: 2026-01-31, 2026-01-31T12:00 (both UTC), 2026-01-31T12:00+01:00, or 7d for
    /// seven days ago.
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Only messages sent then or before; of a day, all of it.
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Timestamp>,
    /// Only the newest N of those that match; with --all, of each user.
    #[arg(long, value_name = "N", value_parser = number::<usize>)]
    newest: Option<usize>,
    /// Print at most N messages.
    #[arg(long, value_name = "N", value_parser = number::<usize>)]
    limit: Option<usize>,
    /// Fit the lines into this many columns, as on a terminal of this width.
    #[arg(long, value_name = "COLUMNS", value_parser = number::<usize>, conflicts_with = "json")]
    width: Option<usize>,
}

impl Arguments {
    fn texts(&self) -> [&Option<String>; 3] {
        [&self.from, &self.to, &self.subject]
    }

    fn are_any_filters(&self) -> bool {
        self.texts().iter().any(|text| text.is_some()) || self.since.is_some() || self.until.is_some()
    }
}

pub fn run(config: Config, arguments: Arguments, json: bool) -> Result<u8, Failure> {
    if let (Some(since), Some(until)) = (arguments.since, arguments.until)
        && since > until
    {
        return Err(Failure::usage("--since is later than --until"));
    }
    hint_at_dates(&arguments);
    // Where no header is read for it, it is known whether there is one more.
    let looks_further = arguments.texts().iter().all(|text| text.is_none());
    let request = Request::List {
        user: arguments.user.clone(),
        newest: arguments.newest,
        filter: ListFilter {
            from: arguments.from.clone(),
            to: arguments.to.clone(),
            subject: arguments.subject.clone(),
            since: arguments.since,
            until: arguments.until,
            limit: arguments
                .limit
                .map(|limit| limit.saturating_add(usize::from(looks_further))),
        },
    };
    let table = Table::new(arguments.width.or_else(width), arguments.all);
    let mut output = Output::new();
    let (mut count, mut more) = (0, false);
    let answered = ask::read_until(&config, &request, &mut |reply| {
        let Reply::Entry(entry) = reply else {
            return ControlFlow::Continue(());
        };
        if arguments.limit == Some(count) {
            more = true;
            return ControlFlow::Break(());
        }
        if !json && count == 0 {
            output.line(table.header());
        }
        count += 1;
        match json {
            true => output.json(&entry),
            false => output.line(table.line(&Row::from(&entry))),
        }
        // Whoever reads may have seen enough (`| head`), and there may be a million more.
        output.is_read()
    });
    output.finish();
    answered?;
    if count == 0 {
        say_none(&arguments);
    } else if arguments.limit == Some(count) && (more || !looks_further) {
        let whether = if more {
            "more messages match"
        } else {
            "more messages may match"
        };
        say(format!("{whether}: --limit {count} ends the list here"));
    }
    Ok(0)
}

/// Of other commands, or by habit, somebody may take these for dates.
fn hint_at_dates(arguments: &Arguments) {
    let is_date = |text: &Option<String>| text.as_ref().is_some_and(|text| first_second(text).is_ok());
    for (option, value, of) in [
        ("--from", &arguments.from, "sender"),
        ("--to", &arguments.to, "recipient"),
    ] {
        if is_date(value) {
            say(format!("{option} is the {of}; for dates use --since and --until"));
        }
    }
}

/// Says that nothing is listed.
fn say_none(arguments: &Arguments) {
    let whose = match &arguments.user {
        Some(name) => format!("of user {name:?}"),
        None => "of any user".to_owned(),
    };
    let said = match arguments.are_any_filters() {
        true => format!("no message {whose} matches; texts are found anywhere in a field, times are those of sending"),
        false => format!("no message {whose} is in the archive"),
    };
    say(said);
}
