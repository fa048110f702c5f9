//! What `status` prints for people. Pure.

use jiff::{SignedDuration, Timestamp};

use super::{
    check::{damaged, is_late, overdue, unverified},
    words::span,
};
use crate::{
    api::{ApplianceLine, LastRun, ProfileLine, VerifiedLine},
    cli::{
        index,
        output::{grouped, times},
    },
    config::ByteSize,
    report::RunState,
};

/// How a profile stands: its name and state, and the details below.
pub fn profile(profile: &ProfileLine, now: Timestamp) -> Vec<String> {
    let schedule = match profile.schedule.as_str() {
        "" => String::new(),
        "manual" => ", runs by hand only".into(),
        schedule => format!(", {schedule}"),
    };
    let mut lines = vec![format!("{}: {}{schedule}", profile.profile, profile.state)];
    let mut add = |line: String| lines.push(format!("    {line}"));
    if let Some(run) = profile.run {
        let of = match profile.expected {
            0 => String::new(),
            expected => format!(" of {}", grouped(expected)),
        };
        add(format!("run {run} is going on: {}{of} copies", grouped(profile.seen)));
    }
    // A run that gets anywhere is silent for moments only.
    if profile.run.is_some() && profile.silent_seconds * 4 > profile.stall_timeout_seconds {
        add(format!(
            "no progress for {}; the run is given up after {}",
            span(profile.silent_seconds),
            span(profile.stall_timeout_seconds)
        ));
    }
    if let Some(failing) = &profile.failing {
        add(format!(
            "failed {} since {}: {}",
            times(failing.times.into()),
            at(failing.since, now),
            failing.why
        ));
        if !failing.what_to_do.is_empty() {
            add(format!("what to do: {}", failing.what_to_do));
        }
    } else if profile.state == "failing" {
        add("it ended unexpectedly and is being started again; the log says why".into());
    }
    match &profile.last {
        Some(last) => {
            add(last_run(last, now));
            let first = last.first_error.as_ref().filter(|_| profile.failing.is_none());
            if let Some(error) = first {
                add(format!("first error: {}", error.why));
                if !error.what_to_do.is_empty() {
                    add(format!("what to do: {}", error.what_to_do));
                }
            }
        }
        None => add("no run yet".into()),
    }
    if let Some(success) = profile.last_success.filter(|_| {
        let completed = |last: &LastRun| last.state == RunState::Completed;
        !profile.last.as_ref().is_some_and(completed)
    }) {
        add(format!("last completed {}", ago(now, success)));
    }
    if is_late(profile, now) {
        add(format!("LATE: {}", overdue(profile, now)));
    }
    if let Some(open) = profile.open.filter(|open| *open > 0) {
        add(format!(
            "{} on the server not archived yet",
            count(open, "copy", "copies")
        ));
    }
    lines.extend(next(profile, now).map(|line| format!("    {line}")));
    lines
}

/// When it runs again.
fn next(profile: &ProfileLine, now: Timestamp) -> Option<String> {
    let next = profile.next_run.filter(|_| profile.run.is_none())?;
    let due = within(now, next);
    Some(match (profile.failing.is_some(), profile.schedule.as_str()) {
        (true, _) => format!("next try {due}"),
        (false, "continuous") if profile.watching => "waiting for new mail".into(),
        (false, "continuous") => format!("looks for new mail {due}"),
        _ => format!("next run {due}"),
    })
}

fn last_run(last: &LastRun, now: Timestamp) -> String {
    let ended = ago(now, last.finished_at.unwrap_or(last.started_at));
    let state = last.state.as_str().replace('_', " ");
    let errors = match last.errors {
        0 => "no errors".into(),
        errors => count(errors, "error", "errors"),
    };
    let protocol = match last.errors {
        0 => String::new(),
        _ => format!(" (dropkeep protocols {})", last.run),
    };
    let archived = grouped(last.archived);
    format!(
        "last run {}: {state} {ended}, {archived} archived, {errors}{protocol}",
        last.run
    )
}

/// The appliance and its archive. `refused`: why its configuration's file is refused, as it is now.
pub fn appliance(appliance: &ApplianceLine, refused: Option<&str>, now: Timestamp) -> Vec<String> {
    let serving = match appliance.serving {
        true => format!("serving since {}", at(appliance.since, now)),
        false => "not serving: no run begins on schedule until `dropkeep serve` is started".to_owned(),
    };
    let mut lines = vec![format!("dropkeep {}, {serving}", appliance.version)];
    let mut add = |line: String| lines.push(format!("    {line}"));
    if let Some(why) = &appliance.not_ready {
        add(format!("NOT READY, nothing is archived: {why}"));
    }
    match (refused, &appliance.configuration_refused) {
        (Some(why), _) => add(self::refused(why)),
        (None, Some(why)) => add(format!(
            "the last reload was refused, and the earlier configuration stays in force: {why}; correct it, then run \
             `dropkeep reload`"
        )),
        (None, None) => {}
    }
    if appliance.unaccounted_copies != 0 {
        let copies = appliance.unaccounted_copies;
        add(format!(
            "{copies} copies are unaccounted for; this is a bug in dropkeep"
        ));
    }
    appliance
        .users_retired
        .iter()
        .map(ToString::to_string)
        .for_each(&mut add);
    appliance.not_filed.iter().map(ToString::to_string).for_each(&mut add);
    let retired = match appliance.retired_users {
        0 => String::new(),
        retired => format!(
            " ({} more {} retired)",
            grouped(retired),
            if retired == 1 { "is" } else { "are" }
        ),
    };
    add(format!(
        "{} of {}{retired}: {} as received, {} on disk",
        count(appliance.messages, "message", "messages"),
        count(appliance.users, "user", "users"),
        ByteSize(appliance.raw_bytes),
        ByteSize(appliance.stored_bytes)
    ));
    appliance
        .verified
        .iter()
        .flat_map(|verified| self::verified(verified, now))
        .for_each(&mut add);
    appliance.index.iter().flat_map(index::lines).for_each(&mut add);
    if let (Some(free), Some(size)) = (appliance.free_bytes, appliance.disk_bytes) {
        add(format!("{} of {} free on that disk", ByteSize(free), ByteSize(size)));
    }
    lines
}

/// How far it was verified.
fn verified(verified: &VerifiedLine, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    if verified.damages > 0 {
        lines.push(format!("DAMAGED: {}", damaged(verified)));
    }
    if verified.late {
        lines.push(format!("LATE: {}", unverified(verified, now)));
    }
    let every = span(verified.every_seconds);
    lines.push(match (verified.last, verified.all) {
        (None, _) => format!("not verified yet; all of it is within {every}, a part each night"),
        (Some(last), None) => format!("a part of it verified {}; all of it is within {every}", ago(now, last)),
        (Some(last), Some(all)) => format!("a part of it verified {}, all of it {}", ago(now, last), ago(now, all)),
    });
    lines
}

/// What a refused configuration means while an appliance runs.
pub fn refused(why: &str) -> String {
    format!(
        "CONFIGURATION REFUSED: {why}; the appliance goes on with the earlier one, but would not start again. \
         Correct it, \
         then run `dropkeep reload`"
    )
}

fn count(number: u64, one: &str, more: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { more })
}

fn seconds(span: SignedDuration) -> u64 {
    span.as_secs().unsigned_abs()
}

fn ago(now: Timestamp, then: Timestamp) -> String {
    format!("{} ago", span(seconds(now.duration_since(then.min(now)))))
}

fn at(then: Timestamp, now: Timestamp) -> String {
    format!("{then:.0} ({})", ago(now, then))
}

fn within(now: Timestamp, then: Timestamp) -> String {
    match then <= now {
        true => "now".into(),
        false => format!("in {}", span(seconds(then.duration_since(now)))),
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
