//! `protocols [RUN]`: the runs, newest first; one in full.

use super::{
    ask,
    output::{Output, grouped},
};
use crate::{
    config::{ByteSize, Config},
    control::api::{Failure, Reply, Request},
    report::Run,
};

/// Runs that are listed on a terminal unless asked for more.
const NEWEST: usize = 20;

pub fn run(config: Config, run: Option<u64>, newest: Option<usize>, json: bool) -> Result<u8, Failure> {
    let request = match run {
        Some(run) => Request::Protocol { run },
        None if json => Request::Protocols { newest },
        None => Request::Protocols {
            newest: newest.or(Some(NEWEST)),
        },
    };
    let mut output = Output::new();
    if run.is_none() && !json {
        output.line(format!(
            "{:>6}  {:<20}  {:<20}  {:<21}  {:>9}  {:>9}  {:>10}  {:>6}",
            "run", "started", "profile", "state", "seen", "archived", "duplicates", "failed"
        ));
    }
    ask::read(&config, &request, &mut |reply| {
        let Reply::Run(found) = reply else { return };
        match (json, run) {
            (true, _) => output.json(&found),
            (false, Some(_)) => print_full(&mut output, &found),
            (false, None) => print_line(&mut output, &found),
        }
    })?;
    output.finish();
    Ok(0)
}

fn print_line(output: &mut Output, run: &Run) {
    output.line(format!(
        "{:>6}  {:<20}  {:<20}  {:<21}  {:>9}  {:>9}  {:>10}  {:>6}",
        run.run,
        run.started_at.to_string(),
        run.profile,
        run.state.as_str(),
        run.seen,
        run.archived,
        run.duplicates,
        run.failed
    ));
}

/// A protocol as a person reads it.
pub fn print_full(output: &mut Output, run: &Run) {
    output.line(format!(
        "run {} of profile {}: {}",
        run.run,
        run.profile,
        run.state.as_str().replace('_', " ")
    ));
    for path in &run.import {
        output.line(format!("  import of {path}"));
    }
    let finished = run
        .finished_at
        .map(|time| time.to_string())
        .unwrap_or_else(|| "not finished".into());
    output.line(format!("  {} to {finished}", run.started_at));
    output.line(format!(
        "  {:>10}  copies seen ({} fetched)",
        grouped(run.seen),
        ByteSize(run.bytes)
    ));
    let failed = match run.import.is_empty() {
        true => "failed (tried again in the next run)",
        false => "failed (not imported)",
    };
    let outcomes = [
        (run.archived, "archived"),
        (run.duplicates, "duplicates (every user had them)"),
        (run.skipped, "skipped (unknown, left where they are)"),
        (run.excluded, "excluded"),
        (run.too_large, "too large (left where they are)"),
        (run.vanished, "vanished from the source meanwhile"),
        (run.failed, failed),
    ];
    for (count, words) in outcomes {
        if count > 0 || words == "archived" {
            output.line(format!("  {:>10}  {words}", grouped(count)));
        }
    }
    output.line(format!("  {:>10}  filings in users' archives", grouped(run.filings)));
    if run.unknown > 0 {
        output.line(format!("  {:>10}  without a known address", grouped(run.unknown)));
    }
    if run.deleted > 0 {
        output.line(format!("  {:>10}  deleted on the server", grouped(run.deleted)));
    }
    for (user, counts) in &run.users {
        output.line(format!(
            "    {user}: {} archived, {} duplicates",
            grouped(counts.archived),
            grouped(counts.duplicates)
        ));
    }
    if !run.created_users.is_empty() {
        output.line(format!("  users created: {}", run.created_users.join(", ")));
    }
    for (address, count) in &run.unknown_addresses {
        output.line(format!("  no user has {address} ({count} messages)"));
    }
    for notice in &run.notices {
        output.line(format!("  note: {notice}"));
    }
    for error in &run.errors {
        let place = [error.folder.as_str(), error.copy.as_str()].map(str::trim);
        let place = place
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        let place = if place.is_empty() {
            String::new()
        } else {
            format!("{place}: ")
        };
        output.line(format!("  error ({}): {place}{}", error.stage, error.error));
    }
    if run.errors_omitted > 0 {
        output.line(format!("  and {} more errors", run.errors_omitted));
    }
}
