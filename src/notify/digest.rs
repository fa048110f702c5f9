//! The digest of a day: what all runs since the last one came to, a stretch for each profile.

use std::{collections::BTreeMap, fmt::Write};

use jiff::{Timestamp, ToSpan, Zoned, civil::Time, tz::TimeZone};
use serde::Deserialize;

use super::{
    text::{self, LINE, Words, of_error, one_line},
    troubles::last_second,
};
use crate::{
    archive::{RunId, Store, StoreError},
    report::{CopyError, Counts, Run, RunFilter, RunState, UnknownAddresses},
};

/// Errors of a profile that are shown, alike ones as one, and notices that are kept.
const ERRORS: usize = 5;
const LISTED: usize = 100;
/// Protocols read at once.
const PAGE: usize = 100;

/// The last moment at which a digest was due.
fn due_at(now: &Zoned, time: Time) -> Timestamp {
    let on = |day: jiff::civil::Date| day.to_datetime(time).to_zoned(now.time_zone().clone()).ok();
    let today = on(now.date()).filter(|due| due <= now);
    let yesterday = || on(now.date().checked_sub(1.day()).ok()?);
    today.or_else(yesterday).map_or(Timestamp::MIN, |due| due.timestamp())
}

/// Whether a digest is due, the last having gone until `last`. The second that is over must have come to when it is
/// due: a digest goes until one that is over, and else the same would be due again.
pub fn is_due(now: Timestamp, zone: &TimeZone, time: Time, last: Timestamp) -> bool {
    last < due_at(&last_second(now).to_zoned(zone.clone()), time)
}

/// Of which runs a digest is.
#[derive(Clone, Debug)]
pub struct Window {
    /// Those that ended later than this, and until then.
    pub since: Timestamp,
    pub until: Timestamp,
    /// Runs that went on when the last one was made: whenever they ended, they were in none yet.
    pub running: Vec<RunId>,
}

/// What runs came to.
#[derive(Debug, Default)]
pub struct Gathered {
    pub profiles: BTreeMap<String, Sums>,
    /// The runs that go on at its end.
    pub running: Vec<RunId>,
}

/// The runs of one profile.
#[derive(Debug, Default)]
pub struct Sums {
    pub runs: u64,
    pub completed: u64,
    pub with_errors: u64,
    pub failed_runs: u64,
    pub interrupted: u64,
    pub counts: Counts,
    /// The newest first: an error, of which run, and how many are like it.
    errors: Vec<(CopyError, RunId, u64)>,
    more_errors: u64,
    notices: Vec<String>,
    addresses: UnknownAddresses,
}

#[derive(Deserialize)]
struct Head {
    state: RunState,
    started_at: Timestamp,
    finished_at: Option<Timestamp>,
}

impl Window {
    fn has(&self, number: RunId, head: &Head) -> bool {
        // One that was killed says not when it ended.
        let ended = head.finished_at.unwrap_or(head.started_at);
        ended <= self.until && (ended > self.since || self.running.contains(&number))
    }
}

/// Goes through the protocols. Blocking.
///
/// # Errors
/// The store cannot be read.
pub fn gather(store: &Store, window: &Window) -> Result<Gathered, StoreError> {
    let mut gathered = Gathered::default();
    let mut before = None;
    loop {
        // All of them: a run that began long ago may have ended just now.
        let page = store.runs_where(&RunFilter::default(), before, PAGE)?;
        for (number, json) in &page.runs {
            let Ok(head) = serde_json::from_str::<Head>(json) else {
                continue;
            };
            if head.state == RunState::Running {
                gathered.running.push(*number);
            } else if window.has(*number, &head)
                && let Ok(run) = serde_json::from_str::<Run>(json)
            {
                let name = run.profile.clone();
                gathered.profiles.entry(name).or_default().add(run);
            }
        }
        if page.before.is_none() {
            return Ok(gathered);
        }
        before = page.before;
    }
}

impl Sums {
    fn add(&mut self, run: Run) {
        self.runs += 1;
        *match run.state {
            RunState::Completed => &mut self.completed,
            RunState::CompletedWithErrors => &mut self.with_errors,
            RunState::Failed => &mut self.failed_runs,
            RunState::Interrupted | RunState::Running => &mut self.interrupted,
        } += 1;
        self.counts.add(&run.counts);
        self.more_errors = self.more_errors.saturating_add(run.errors_omitted);
        for error in run.errors {
            self.error(error, run.run);
        }
        for notice in run.notices {
            if self.notices.len() < LISTED && !self.notices.contains(&notice) {
                self.notices.push(notice);
            }
        }
        self.addresses.add_all(&run.unknown_addresses);
    }

    fn error(&mut self, error: CopyError, run: RunId) {
        let words = without_numbers(&error.error);
        let like = |(known, _, _): &(CopyError, RunId, u64)| {
            known.stage == error.stage && known.folder == error.folder && without_numbers(&known.error) == words
        };
        match self.errors.iter().position(like) {
            Some(known) => self.errors[known].2 += 1,
            None if self.errors.len() < ERRORS => self.errors.push((error, run, 1)),
            None => self.more_errors += 1,
        }
    }

    fn is_good(&self) -> bool {
        self.with_errors + self.failed_runs == 0
    }
}

/// A profile of a digest.
pub struct ProfileDay<'a> {
    pub profile: &'a str,
    pub sums: Option<&'a Sums>,
    /// When a run of it last completed, if any did; `None` where that is not known.
    pub last_success: Option<Option<Timestamp>>,
    /// A schedule runs it.
    pub due: bool,
}

/// The mail about these profiles.
pub fn of_day(lines: &[ProfileDay], window: &Window, host: &str) -> Words {
    let sum = |of: fn(&Sums) -> u64| lines.iter().filter_map(|line| line.sums).map(of).sum::<u64>();
    let due = || lines.iter().filter(|line| line.due);
    let silent = due().filter(|line| line.sums.is_none()).count();
    let states = [
        (sum(|sums| sums.completed), "completed"),
        (sum(|sums| sums.with_errors), "with errors"),
        (sum(|sums| sums.failed_runs), "failed"),
        (sum(|sums| sums.interrupted), "interrupted"),
    ];
    let archived = sum(|sums| sums.counts.archived);
    let mut subject = format!("dropkeep: {}; {archived} archived", runs(&states));
    if silent > 0 {
        subject.push_str(&format!("; {silent} of {} profiles did not run", due().count()));
    }
    let mut body = format!(
        "Runs on {} that ended from {} to {}.\n",
        one_line(host, LINE),
        window.since,
        window.until
    );
    // What needs somebody stands first.
    let mut sorted: Vec<&ProfileDay> = lines.iter().collect();
    sorted.sort_by_key(|line| (line.sums.is_some_and(Sums::is_good), line.profile));
    for line in sorted {
        // Writing to a String does not fail.
        let _ = write_line(&mut body, line);
    }
    Words { subject, body }
}

/// How many runs there were, and how they ended.
fn runs(states: &[(u64, &str)]) -> String {
    let all: u64 = states.iter().map(|(count, _)| count).sum();
    let ended: Vec<_> = states.iter().filter(|(count, _)| *count > 0).collect();
    match (all, ended.as_slice()) {
        (0, _) => "no run".to_owned(),
        (1, [(_, how)]) => format!("1 run, {how}"),
        (_, [(_, how)]) => format!("{all} runs, all {how}"),
        _ => {
            let ended: Vec<_> = ended.iter().map(|(count, how)| format!("{count} {how}")).collect();
            format!("{all} runs: {}", ended.join(", "))
        }
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn write_line(body: &mut String, line: &ProfileDay) -> std::fmt::Result {
    writeln!(body, "\n== Profile {}", one_line(line.profile, LINE))?;
    let completed = line.sums.is_some_and(|sums| sums.completed > 0);
    let last = match line.last_success {
        Some(Some(at)) => format!(" The last run that completed ended at {at}."),
        Some(None) if !completed => " No run has completed so far.".to_owned(),
        Some(None) | None => String::new(),
    };
    let Some(sums) = line.sums else {
        return writeln!(body, "\nNo run ended in this time.{last}");
    };
    let states = [
        (sums.completed, "completed"),
        (sums.with_errors, "with errors"),
        (sums.failed_runs, "failed"),
        (sums.interrupted, "interrupted"),
    ];
    writeln!(body, "\n{}.{last}\n", capital(&runs(&states)))?;
    text::write_counts(body, &sums.counts, true)?;
    write_errors(body, sums)?;
    text::write_addresses(body, &sums.addresses)?;
    text::write_list(body, "Notices", &sums.notices)
}

fn write_errors(body: &mut String, sums: &Sums) -> std::fmt::Result {
    if sums.errors.is_empty() {
        return Ok(());
    }
    writeln!(body, "\nWhat went wrong, the newest first:")?;
    for (error, run, count) in &sums.errors {
        let like = match count {
            1 => String::new(),
            count => format!(", and {} like it", count - 1),
        };
        writeln!(body, "- run {run}{like}: {}", of_error(error))?;
    }
    if sums.more_errors > 0 {
        writeln!(body, "- and {} more", sums.more_errors)?;
    }
    let errors: Vec<&CopyError> = sums.errors.iter().map(|(error, _, _)| error).collect();
    text::write_advice(body, &errors)
}

/// A text with each number in it as `#`.
fn without_numbers(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_ascii_digit() {
            true if clean.ends_with('#') => {}
            true => clean.push('#'),
            false => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
