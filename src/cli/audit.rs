//! `audit`: the audit log, oldest first. Whatever is asked for, the chain of all of it is checked.

use clap::Args;
use jiff::Timestamp;

use super::{
    ask,
    numbers::number,
    output::{Output, counted, say},
    protocols::{since, until},
    protocols_csv::record,
};
use crate::{
    api::{AuditEnd, AuditFilter, AuditLine, Failure, Reply, Request},
    config::Config,
};

#[derive(Args, Debug)]
pub struct Arguments {
    /// Only entries from then on: 2026-01-31, 2026-01-31T12:00 (both UTC), or 7d for seven days ago.
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Timestamp>,
    /// Only entries until then; of a day, all of it.
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Timestamp>,
    /// Only what this account did, or `owner` or `dropkeep`.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only entries of this action: log-in, list, search, show, raw, export …; docs/access.md has all of them.
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only entries behind the one of this number.
    #[arg(long, value_name = "NUMBER", value_parser = number::<u64>)]
    after: Option<u64>,
    /// Print at most N entries.
    #[arg(long, value_name = "N", value_parser = number::<usize>)]
    limit: Option<usize>,
    /// Print CSV.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

pub fn run(config: &Config, arguments: Arguments, json: bool) -> Result<u8, Failure> {
    let Arguments {
        since,
        until,
        account,
        action,
        after,
        limit,
        csv,
    } = arguments;
    if let (Some(since), Some(until)) = (since, until)
        && since > until
    {
        return Err(Failure::usage("--since is later than --until"));
    }
    let filter = AuditFilter {
        since,
        until,
        account,
        action,
        after,
        limit,
        newest_first: false,
        check: true,
    };
    let mut output = Output::new();
    if csv {
        record(&mut output, AuditLine::COLUMNS);
    }
    let mut end = AuditEnd::default();
    let answered = ask::read(config, &Request::Audit(filter), &mut |reply| match reply {
        Reply::Audited(line) if json => output.json(&line),
        Reply::Audited(line) if csv => record(&mut output, fields(&line).each_ref().map(String::as_str)),
        Reply::Audited(line) => output.line(text(&line)),
        Reply::AuditEnd(found) => end = found,
        _ => {}
    });
    output.finish();
    // All but the first stands in the failure.
    for damage in end.damages.iter().skip(1) {
        say(damage);
    }
    if let Some(next) = end.next {
        say(format!("there may be more: --after {next} goes on"));
    }
    if !json && !csv && answered.is_ok() {
        say(format!(
            "the chain of {} is whole",
            counted(end.checked, "entry").replace("entrys", "entries")
        ));
    }
    answered.map(|()| 0)
}

fn fields(line: &AuditLine) -> [String; AuditLine::COLUMNS.len()] {
    let AuditLine {
        number,
        at,
        account,
        address,
        action,
        object,
        outcome,
        detail,
        reason,
    } = line.clone();
    [
        number.to_string(),
        at.to_string(),
        account,
        address,
        action,
        object,
        outcome,
        detail,
        reason,
    ]
}

fn text(line: &AuditLine) -> String {
    let who = match line.account.as_str() {
        "" => "somebody",
        account => account,
    };
    let part = |before: &str, text: &str, after: &str| match text.is_empty() {
        true => String::new(),
        false => format!("{before}{text}{after}"),
    };
    format!(
        "{}  {}  {who}{}  {}{}  {}{}{}",
        line.number,
        line.at,
        part(" (", &line.address, ")"),
        line.action,
        part(" ", &line.object, ""),
        line.outcome,
        part(": ", &line.detail, ""),
        part("  [", &line.reason, "]"),
    )
}
