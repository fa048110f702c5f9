//! `protocols [RUN]`: the runs, newest first, all or some of them; one in full.

use std::cmp::Reverse;

use jiff::{SignedDuration, Timestamp};

use super::{
    ask,
    below_counts::{AddressLine, addresses, notices_and_errors},
    numbers,
    output::{Output, grouped},
    protocols_csv,
};
use crate::{
    api::{Failure, Reply, Request},
    clock,
    config::{ByteSize, Config},
    explain::has_no_rules,
    export::{first_second, last_second},
    ids::RunId,
    report::{REROUTE, Run, RunFilter, RunState},
    said::Said,
};

/// Runs that are listed on a terminal unless asked for more.
const NEWEST: usize = 20;

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The number of a run.
    #[arg(value_parser = numbers::run)]
    run: Option<RunId>,
    /// Only runs of this profile; @import: imports with --user alone, @reroute: reroutings.
    #[arg(long, value_name = "PROFILE", conflicts_with = "run")]
    profile: Option<String>,
    /// Only runs in this state: completed, completed_with_errors, failed, interrupted, or running.
    #[arg(long, value_name = "STATE", value_parser = state, conflicts_with = "run")]
    state: Option<RunState>,
    /// Only runs that began then or later: 2026-01-31 (UTC), 2026-01-31T12:00:00Z, or 7d for seven days ago.
    #[arg(long, value_name = "TIME", value_parser = since, conflicts_with = "run")]
    since: Option<Timestamp>,
    /// Only runs that began then or before; of a day, all of it.
    #[arg(long, value_name = "TIME", value_parser = until, conflicts_with = "run")]
    until: Option<Timestamp>,
    /// Only the newest N.
    #[arg(long, value_name = "N", value_parser = numbers::number::<usize>, conflicts_with = "run")]
    newest: Option<usize>,
    /// Print CSV: a line a run, below a header.
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Those that a run can be in.
pub(super) const STATES: [RunState; 5] = [
    RunState::Running,
    RunState::Completed,
    RunState::CompletedWithErrors,
    RunState::Failed,
    RunState::Interrupted,
];

fn state(text: &str) -> Result<RunState, String> {
    let found = STATES.into_iter().find(|state| state.as_str() == text);
    found.ok_or_else(|| format!("{text:?} is none of {}", STATES.map(RunState::as_str).join(", ")))
}

pub(super) fn since(text: &str) -> Result<Timestamp, String> {
    moment(text, first_second)
}

pub(super) fn until(text: &str) -> Result<Timestamp, String> {
    moment(text, last_second)
}

/// A date, as `export` reads it, or how long ago.
fn moment(text: &str, date: fn(&str) -> Result<i64, String>) -> Result<Timestamp, String> {
    if let Ok(back) = humantime::parse_duration(text) {
        let back = SignedDuration::try_from(back).ok();
        let then = back.and_then(|back| clock::now().checked_sub(back).ok());
        return then.ok_or_else(|| "that is too long ago; for everything, leave the option out".into());
    }
    let date = date(text).map_err(|error| format!("{error}, or how long ago (7d, 12h)"))?;
    Ok(Timestamp::from_second(date).unwrap_or(if date < 0 { Timestamp::MIN } else { Timestamp::MAX }))
}

pub fn run(config: Config, arguments: Arguments, json: bool) -> Result<u8, Failure> {
    let Arguments {
        run,
        profile,
        state,
        since,
        until,
        newest,
        csv,
    } = arguments;
    // Who names a time wants all of it.
    let all = json || csv || since.is_some() || until.is_some();
    let request = match run {
        Some(run) => Request::Protocol { run },
        None => Request::Protocols {
            newest: newest.or((!all).then_some(NEWEST)),
            filter: RunFilter {
                profile: profile.clone(),
                state,
                since,
                until,
                troubled: false,
                unknown: false,
            },
            before: None,
        },
    };
    let mut output = Output::new();
    if csv {
        protocols_csv::header(&mut output);
    } else if run.is_none() && !json {
        output.line(format!(
            "{:>6}  {:<20}  {:<20}  {:<21}  {:>9}  {:>9}  {:>10}  {:>6}",
            "run", "started", "profile", "state", "seen", "archived", "duplicates", "failed"
        ));
    }
    let mut found_any = false;
    let answered = ask::read(&config, &request, &mut |reply| {
        let Reply::Run(found) = reply else { return };
        found_any = true;
        match run {
            _ if csv => protocols_csv::line(&mut output, &found),
            _ if json => output.json(&found),
            Some(_) => print_full(&mut output, &found),
            None => print_line(&mut output, &found),
        }
    });
    output.finish();
    answered?;
    // Of a profile that was taken out there may still be some; where there are none, its name is wrong.
    if let (false, Some(profile)) = (found_any, profile.filter(|name| !has_no_rules(name))) {
        config.profile(&profile)?;
    }
    Ok(0)
}

fn print_line(output: &mut Output, run: &Run) {
    output.line(format!(
        "{:>6}  {:<20}  {:<20}  {:<21}  {:>9}  {:>9}  {:>10}  {:>6}",
        run.run,
        run.started_at.to_string(),
        run.profile,
        run.state.as_str(),
        run.counts.seen,
        run.counts.archived,
        run.counts.duplicates,
        run.counts.failed
    ));
}

/// The protocol of a rerouting, which fetches nothing and reads what is there.
fn print_reroute(output: &mut Output, run: &Run) {
    let read = format!(
        "{} messages read ({})",
        grouped(run.counts.seen),
        ByteSize(run.counts.bytes)
    );
    let state = run.state.as_str().replace('_', " ");
    match run.dry_run {
        true => output.line(format!("dry run: {read}; {state}, nothing was filed")),
        false => {
            let finished = run.finished_at.map(|time| time.to_string());
            let finished = finished.unwrap_or_else(|| "not finished".into());
            output.line(format!("run {}, reroute: {state}", run.run));
            output.line(format!("  {} to {finished}", run.started_at));
            output.line(format!("  {read}"));
        }
    }
    let would = |words: &'static str, dry: &'static str| if run.dry_run { dry } else { words };
    let explained = run.not_judged.messages() + run.kept_by.values().sum::<u64>();
    let counts = [
        (
            run.counts.archived,
            would(
                "filed for users who did not have them",
                "would be filed for users who do not have them",
            ),
        ),
        (run.counts.duplicates, "already filed for everyone they are for"),
        (
            run.counts.skipped.saturating_sub(explained),
            "without a known address, left as they are",
        ),
    ];
    let counts = counts.map(|(count, words)| (count, Said::from(words))).into_iter();
    let kept = run.kept_by.iter().map(|(name, count)| {
        let stay = if *count == 1 { "stays" } else { "stay" };
        (
            *count,
            Said::from(format!("{stay} with {name}, who is retired or disabled")),
        )
    });
    let counts = counts.chain(kept);
    let failed = (run.counts.failed, Said::from("failed, left as they are"));
    for (count, words) in counts.chain(run.not_judged.lines()).chain([failed]) {
        if count > 0 || words.contains("be filed") || words.starts_with("filed") {
            output.line(format!("  {:>10}  {words}", grouped(count)));
        }
    }
    let mut users: Vec<_> = run.users.iter().filter(|(_, counts)| counts.archived > 0).collect();
    users.sort_by_key(|(_, counts)| Reverse(counts.archived));
    for (user, counts) in users {
        let archived = grouped(counts.archived);
        output.line(format!("    {user}: {archived} {}", would("filed", "would be filed")));
    }
    if !run.created_users.is_empty() {
        let created = would("users created", "users that would be created");
        output.line(format!("  {created}: {}", run.created_users.join(", ")));
    }
    print_rest(output, run);
}

/// A protocol as a person reads it.
pub fn print_full(output: &mut Output, run: &Run) {
    if run.profile == REROUTE {
        return print_reroute(output, run);
    }
    output.line(format!(
        "run {} of profile {}: {}",
        run.run,
        run.profile,
        run.state.as_str().replace('_', " ")
    ));
    let owner = run.import_user.as_ref().map(|user| format!(", for {user}"));
    let owner = owner.unwrap_or_default();
    for path in &run.import {
        output.line(format!("  import of {path}{owner}"));
    }
    let finished = run
        .finished_at
        .map(|time| time.to_string())
        .unwrap_or_else(|| "not finished".into());
    output.line(format!("  {} to {finished}", run.started_at));
    let counts = &run.counts;
    let (seen, fetched) = (grouped(counts.seen), ByteSize(counts.bytes));
    output.line(format!("  {seen:>10}  copies seen ({fetched} fetched)"));
    let failed = match run.import.is_empty() {
        true => "failed (tried again in the next run)",
        false => "failed (not imported)",
    };
    let lines = [
        (counts.archived, "archived", true),
        (counts.duplicates, "duplicates (every user had them)", false),
        (counts.skipped, "skipped (no known address; left on the server)", false),
        (counts.excluded, "excluded", false),
        (counts.too_large, "too large (left on the server)", false),
        (counts.vanished, "gone from the server meanwhile", false),
        (counts.failed, failed, false),
        (counts.filings, "filings in users' archives", true),
        (counts.unknown, "without a known address", false),
        (
            counts.reopened,
            "fetched anew: the server gave their UIDs or UIDLs to other mail",
            false,
        ),
        (counts.deleted, "deleted on the server", false),
    ];
    for (count, words, always) in lines {
        if count > 0 || always {
            output.line(format!("  {:>10}  {words}", grouped(count)));
        }
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
    print_rest(output, run);
}

/// What stands below the counts of whatever run.
fn print_rest(output: &mut Output, run: &Run) {
    let (listed, omitted) = run.unknown_addresses.most_frequent(usize::MAX);
    let line = |(address, messages)| AddressLine {
        address,
        messages,
        remark: "",
        retired_user: run.unknown_addresses.retired_user(address),
    };
    let listed: Vec<_> = listed.into_iter().map(line).collect();
    addresses(output, &listed, omitted);
    notices_and_errors(output, &run.notices, &run.errors, run.errors_omitted);
}
