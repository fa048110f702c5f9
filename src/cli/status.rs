//! `status`: how each profile stands, and the appliance.

mod check;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::check::{Checked, Health, judge};
use super::{
    ask,
    output::{Output, grouped, harmless},
};
use crate::{
    archive::Absent,
    clock,
    config::{ByteSize, Config},
    control::{
        Client,
        api::{ApplianceLine, Failure, ProfileLine, Reply, Request},
    },
    profile::Exit,
};

/// An appliance that takes longer to say how it stands does not answer.
const ANSWER: Duration = Duration::from_secs(10);

/// What `status` found.
#[derive(Default)]
struct Found {
    profiles: Vec<ProfileLine>,
    appliance: Option<ApplianceLine>,
}

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Only this profile.
    #[arg(long)]
    profile: Option<String>,
    /// One line, and the exit code that monitoring plugins have: 0 ok, 1 warning, 2 critical, 3 unknown.
    #[arg(long)]
    pub check: bool,
    /// Only whether an appliance answers: the exit code is 0, or 1. Nothing is opened where none does.
    #[arg(long, conflicts_with_all = ["check", "profile"])]
    alive: bool,
}

pub fn run(config: Config, arguments: &Arguments, json: bool) -> Result<u8, Failure> {
    let only = arguments.profile.as_deref();
    if arguments.check {
        return Ok(say_check(ask_appliance(&config, only), json));
    }
    let found = match arguments.alive {
        true => ask_appliance(&config, only)?.ok_or_else(|| Failure::new(Exit::Errors, none_answers(&config)))?,
        false => ask(config, only)?,
    };
    let mut output = Output::new();
    for profile in &found.profiles {
        match json {
            true => output.json(profile),
            false => print(&mut output, profile, clock::now()),
        }
    }
    if let Some(appliance) = found.appliance.filter(|_| arguments.profile.is_none()) {
        match json {
            true => output.json(&appliance),
            false => print_appliance(&mut output, &appliance),
        }
    }
    output.finish();
    Ok(0)
}

impl Found {
    fn take(&mut self, reply: Reply, only: Option<&str>) {
        match reply {
            Reply::Profile(profile) if only.is_none_or(|name| profile.profile == name) => self.profiles.push(*profile),
            Reply::Appliance(appliance) => self.appliance = Some(*appliance),
            _ => {}
        }
    }
}

fn ask(config: Config, only: Option<&str>) -> Result<Found, Failure> {
    if let Some(name) = only {
        config.profile(name)?;
    }
    let mut found = Found::default();
    ask::act(config, Absent::Refused, Request::Status, None, &mut |reply| {
        found.take(reply, only)
    })?;
    Ok(found)
}

/// The same of an appliance that is running; `None` where none is.
fn ask_appliance(config: &Config, only: Option<&str>) -> Result<Option<Found>, Failure> {
    if let Some(name) = only {
        config.profile(name)?;
    }
    ask::runtime()?.block_on(async {
        let asked = async {
            let Some(mut client) = Client::connect(&config.data_dir).await else {
                return Ok(None);
            };
            let mut found = Found::default();
            client
                .ask(&Request::Status, &mut |reply| found.take(reply, only))
                .await?;
            Ok(Some(found))
        };
        let late = format!("the appliance did not answer within {} s", ANSWER.as_secs());
        let asked = tokio::time::timeout(ANSWER, asked).await;
        asked.unwrap_or_else(|_| Err(Failure::new(Exit::Errors, late)))
    })
}

fn none_answers(config: &Config) -> String {
    format!("no appliance answers in {}", config.data_dir.display())
}

/// Says what cannot even be asked, as a monitoring plugin does.
pub fn say_unknown(error: &Failure) -> u8 {
    let mut output = Output::new();
    output.line(format!(
        "DROPKEEP UNKNOWN - {}",
        harmless(&error.error).replace('|', "/")
    ));
    output.finish();
    Health::Unknown as u8
}

fn say_check(found: Result<Option<Found>, Failure>, json: bool) -> u8 {
    let checked = match found {
        Ok(Some(found)) => judge(&found.profiles, found.appliance.as_ref(), clock::now()),
        Ok(None) => Checked::critical("no appliance is serving, so nothing is archived by its schedule".into()),
        Err(error) if error.exit == Exit::Usage as i32 => return say_unknown(&error),
        Err(error) => Checked::critical(error.error),
    };
    let mut output = Output::new();
    match json {
        true => output.json(&checked),
        false => output.line(checked.line()),
    }
    output.finish();
    checked.health as u8
}

fn print(output: &mut Output, profile: &ProfileLine, now: Timestamp) {
    let mut line = format!("{:<24}  {:<8}", profile.profile, profile.state);
    if let Some(run) = profile.run {
        let (seen, expected) = (grouped(profile.seen), grouped(profile.expected));
        line.push_str(&format!("  run {run}: {seen} of {expected} copies"));
    }
    output.line(line);
    // A run that gets anywhere is silent for moments only.
    if profile.run.is_some() && profile.silent_seconds * 4 > profile.stall_timeout_seconds {
        output.line(format!(
            "    no progress for {}; given up after {}",
            span(profile.silent_seconds),
            span(profile.stall_timeout_seconds)
        ));
    }
    if let Some(failing) = &profile.failing {
        let times = if failing.times == 1 {
            "once"
        } else {
            &format!("{} times", failing.times)
        };
        output.line(format!(
            "    failed {times} since {}: {}",
            failing.since,
            harmless(&failing.why)
        ));
        if !failing.what_to_do.is_empty() {
            output.line(format!("    what to do: {}", harmless(&failing.what_to_do)));
        }
    }
    match &profile.last {
        Some(last) => {
            let ended = last.finished_at.unwrap_or(last.started_at);
            let state = last.state.as_str().replace('_', " ");
            let (archived, errors) = (grouped(last.archived), grouped(last.errors));
            output.line(format!(
                "    last run {}: {state} {}, {archived} archived, {errors} errors",
                last.run,
                ago(now, ended)
            ));
        }
        None => output.line("    no run yet"),
    }
    if let Some(last) = profile
        .last
        .as_ref()
        .filter(|last| last.errors > 0 && profile.failing.is_none())
    {
        output.line(format!(
            "    what to do: dropkeep protocols {} has the errors",
            last.run
        ));
    }
    if let Some(success) = profile.last_success.filter(|_| profile.failing.is_some()) {
        output.line(format!("    last completed {}", ago(now, success)));
    }
    if let Some(open) = profile.open.filter(|open| *open > 0) {
        output.line(format!("    {} copies behind its source", grouped(open)));
    }
    match profile.next_run {
        Some(next) if profile.run.is_none() => output.line(format!("    next run {}", within(now, next))),
        _ => {}
    }
}

fn print_appliance(output: &mut Output, appliance: &ApplianceLine) {
    let serving = match appliance.serving {
        true => format!("serving since {}", appliance.since),
        false => "not serving: no run begins by its schedule".to_owned(),
    };
    output.line(format!("dropkeep {}, {serving}", appliance.version));
    output.line(format!(
        "    {} messages of {} users, {} as they came, {} on disk",
        grouped(appliance.messages),
        grouped(appliance.users),
        ByteSize(appliance.raw_bytes),
        ByteSize(appliance.stored_bytes)
    ));
    if let (Some(free), Some(size)) = (appliance.free_bytes, appliance.disk_bytes) {
        output.line(format!("    {} of {} free", ByteSize(free), ByteSize(size)));
    }
    if let Some(why) = &appliance.not_ready {
        output.line(format!("    NOT READY: {why}"));
    }
    if let Some(why) = &appliance.configuration_refused {
        output.line(format!(
            "    the configuration as it is now is refused: {}",
            harmless(why)
        ));
    }
    if appliance.unaccounted_copies != 0 {
        let copies = appliance.unaccounted_copies;
        output.line(format!(
            "    {copies} copies unaccounted for; this is a fault of dropkeep"
        ));
    }
}

/// So many seconds, for people: the two largest units of them.
fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let first = units.iter().position(|(unit, _)| seconds >= *unit).unwrap_or(3);
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, name) in units.into_iter().skip(first).take(2) {
        if left >= unit || parts.is_empty() {
            parts.push(format!("{}{name}", left / unit));
        }
        left %= unit;
    }
    parts.join(" ")
}

fn seconds(span: SignedDuration) -> u64 {
    span.as_secs().unsigned_abs()
}

fn ago(now: Timestamp, then: Timestamp) -> String {
    format!("{} ago", span(seconds(now.duration_since(then.min(now)))))
}

fn within(now: Timestamp, then: Timestamp) -> String {
    match then <= now {
        true => "now".into(),
        false => format!("in {}", span(seconds(then.duration_since(now)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_by_their_two_largest_units() {
        assert_eq!(span(0), "0s");
        assert_eq!(span(59), "59s");
        assert_eq!(span(60), "1m");
        assert_eq!(span(3_725), "1h 2m");
        assert_eq!(span(2 * 86_400 + 59), "2d");
    }
}
