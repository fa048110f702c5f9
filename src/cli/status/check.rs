//! What a monitoring plugin says of a status: one line, and how bad it is. Pure.

use jiff::Timestamp;
use serde::Serialize;

use super::words::span;
use crate::{
    api::{ApplianceLine, Failure, ProfileLine, VerifiedLine},
    cli::output::{grouped, times},
    config::ByteSize,
    report::RunState,
};

/// So much longer than its schedule a profile may take for a success.
const OVERDUE: u64 = 2;
/// And so many seconds more, in which a run may end that began in time.
const GRACE: u64 = 60;

/// How much of the disk must be free.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct DiskBounds {
    /// With --check: a warning if less than this much of the disk is free, in percent; 0 never warns.
    #[arg(
        long = "disk-warning",
        value_name = "PERCENT",
        default_value_t = 10,
        value_parser = clap::value_parser!(u8).range(0..=100),
        requires = "check"
    )]
    warning: u8,
    /// With --check: critical if less than this much of the disk is free, in percent; 0 never is.
    #[arg(
        long = "disk-critical",
        value_name = "PERCENT",
        default_value_t = 2,
        value_parser = clap::value_parser!(u8).range(0..=100),
        requires = "check"
    )]
    critical: u8,
}

impl DiskBounds {
    /// # Errors
    /// The disk would be critical before there is a warning.
    pub fn require_order(self) -> Result<(), Failure> {
        let Self { warning, critical } = self;
        if warning == 0 || critical <= warning {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "--disk-critical {critical} is more than --disk-warning {warning}, so there would be no warning before it is \
             critical; give a higher --disk-warning, or 0 for none"
        )))
    }

    /// What it means that so much of a disk is free.
    fn judge(self, free: u64, size: u64) -> Health {
        let is_below = |percent: u8| u128::from(free) * 100 < u128::from(size) * u128::from(percent);
        match () {
            () if is_below(self.critical) => Health::Critical,
            () if is_below(self.warning) => Health::Warning,
            () => Health::Ok,
        }
    }
}

/// By the exit codes of monitoring plugins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

/// The worst that there is, and all that is to be said.
#[derive(Debug, Serialize)]
pub struct Checked {
    pub health: Health,
    pub problems: Vec<String>,
    /// The figures: `null` where nobody says them.
    profiles: Option<usize>,
    messages: Option<u64>,
    free_bytes: Option<u64>,
    open: Option<u64>,
}

impl Checked {
    /// Nothing else is known.
    pub fn only(health: Health, what: String) -> Self {
        Self {
            health,
            problems: vec![what],
            profiles: None,
            messages: None,
            free_bytes: None,
            open: None,
        }
    }

    /// The configuration is refused as it is now.
    pub fn refused(&mut self, why: &str) {
        self.problem(Health::Warning, format!("the configuration is refused: {why}"));
    }

    pub fn problem(&mut self, health: Health, what: impl Into<String>) {
        let what = what.into();
        if health > self.health {
            self.health = health;
            self.problems.insert(0, what);
        } else {
            self.problems.push(what);
        }
    }

    /// As plugins print it: what is wrong, the worst first, and behind `|` the figures.
    pub fn line(&self) -> String {
        let word = format!("{:?}", self.health).to_uppercase();
        let said = match self.problems.is_empty() {
            true => {
                let (number, messages) = (self.profiles.unwrap_or_default(), self.messages.unwrap_or_default());
                let profiles = if number == 1 { "profile" } else { "profiles" };
                format!("{number} {profiles}, {} messages", grouped(messages))
            }
            // A bar would begin the figures.
            false => self.problems.join("; ").replace('|', "/"),
        };
        let figures = [
            self.messages.map(|messages| format!(" messages={messages}")),
            self.open.map(|open| format!(" open={open}")),
            self.free_bytes.map(|free| format!(" free={free}B")),
        ];
        let figures: String = figures.into_iter().flatten().collect();
        let bar = if figures.is_empty() { "" } else { " |" };
        format!("DROPKEEP {word} - {said}{bar}{figures}")
    }
}

/// What is to be said of these profiles and this appliance.
pub fn judge(profiles: &[ProfileLine], appliance: Option<&ApplianceLine>, disk: DiskBounds, now: Timestamp) -> Checked {
    let mut checked = Checked {
        health: Health::Ok,
        problems: Vec::new(),
        profiles: Some(profiles.len()),
        messages: appliance.map(|appliance| appliance.messages),
        free_bytes: appliance.and_then(|appliance| appliance.free_bytes),
        open: Some(profiles.iter().filter_map(|profile| profile.open).sum()),
    };
    match appliance {
        Some(appliance) => of_the_appliance(&mut checked, appliance, now, disk),
        None => checked.problem(Health::Unknown, "the appliance said nothing of itself"),
    }
    profiles
        .iter()
        .for_each(|profile| of_a_profile(&mut checked, profile, now));
    checked
}

/// What the appliance found when it verified its archive.
pub fn damaged(verified: &VerifiedLine) -> String {
    let damages = match verified.damages {
        1 => "1 damage".to_owned(),
        damages => format!("{} damages", grouped(damages)),
    };
    format!("the archive has {damages}: `dropkeep verify` says which, and what to do")
}

/// How long it should have been verified.
pub fn unverified(verified: &VerifiedLine, now: Timestamp) -> String {
    let since = verified.oldest.map_or(0, |oldest| now.duration_since(oldest).as_secs());
    format!(
        "a part of the archive was not verified for {}, all of it should be within {}",
        span(since.unsigned_abs()),
        span(verified.every_seconds)
    )
}

fn of_the_appliance(checked: &mut Checked, appliance: &ApplianceLine, now: Timestamp, disk: DiskBounds) {
    if !appliance.serving {
        checked.problem(
            Health::Critical,
            "no appliance is running, so nothing is archived on schedule",
        );
    }
    if let Some(why) = &appliance.not_ready {
        checked.problem(Health::Critical, format!("not ready: {why}"));
    }
    if appliance.unaccounted_copies != 0 {
        let copies = appliance.unaccounted_copies;
        checked.problem(Health::Critical, format!("{copies} copies are unaccounted for"));
    }
    if let (Some(free), Some(size)) = (appliance.free_bytes, appliance.disk_bytes) {
        match disk.judge(free, size) {
            Health::Ok => {}
            health => {
                let said = format!("only {} of {} free on the disk", ByteSize(free), ByteSize(size));
                checked.problem(health, said);
            }
        }
    }
    if let Some(verified) = &appliance.verified {
        if verified.damages > 0 {
            checked.problem(Health::Critical, damaged(verified));
        }
        if verified.late {
            checked.problem(Health::Warning, unverified(verified, now));
        }
    }
    if let Some(words) = &appliance.users_retired {
        checked.problem(Health::Warning, words.clone());
    }
    if let Some(why) = &appliance.configuration_refused {
        let said = format!("the configuration is refused, and the earlier one stays in force: {why}");
        checked.problem(Health::Warning, said);
    }
}

fn of_a_profile(checked: &mut Checked, profile: &ProfileLine, now: Timestamp) {
    let name = &profile.profile;
    if let Some(failing) = &profile.failing {
        let health = match profile.state.as_str() {
            "failing" => Health::Critical,
            _ => Health::Warning,
        };
        let (times, why) = (times(failing.times.into()), &failing.why);
        checked.problem(health, format!("{name} failed {times} since {}: {why}", failing.since));
    } else if profile.state == "failing" {
        checked.problem(
            Health::Critical,
            format!("{name} ended unexpectedly and is being started again"),
        );
    } else if let Some(last) = &profile.last
        && last.state == RunState::CompletedWithErrors
    {
        let (run, errors) = (last.run, last.errors);
        let errors = if errors == 1 {
            "1 error".into()
        } else {
            format!("{errors} errors")
        };
        let first = last.first_error.as_ref().map(|error| format!(": {}", error.why));
        let first = first.unwrap_or_default();
        checked.problem(Health::Warning, format!("run {run} of {name} had {errors}{first}"));
    }
    if profile.run.is_some() && profile.silent_seconds * 2 > profile.stall_timeout_seconds {
        checked.problem(
            Health::Warning,
            format!(
                "the run of {name} has made no progress for {}",
                span(profile.silent_seconds)
            ),
        );
    }
    if is_late(profile, now) {
        checked.problem(Health::Critical, format!("{name}: {}", overdue(profile, now)));
    }
}

/// Whether a profile should have completed a run by now.
pub fn is_late(profile: &ProfileLine, now: Timestamp) -> bool {
    // A long run is late for nothing as long as it gets somewhere.
    let gets_on = profile.run.is_some() && profile.silent_seconds * 2 <= profile.stall_timeout_seconds;
    let limit = profile.interval_seconds.filter(|_| !gets_on);
    limit.is_some_and(|interval| without(profile, now) > interval.saturating_mul(OVERDUE) + GRACE)
}

/// For how many seconds no run was completed. What was never completed, or not while nothing was up, counts from when
/// the appliance knows it.
fn without(profile: &ProfileLine, now: Timestamp) -> u64 {
    let from = profile
        .last_success
        .map_or(profile.since, |success| success.max(profile.since));
    now.duration_since(from.min(now)).as_secs().unsigned_abs()
}

/// How late it is, in words.
pub fn overdue(profile: &ProfileLine, now: Timestamp) -> String {
    let every = profile.interval_seconds.unwrap_or_default();
    format!(
        "no run completed for {}, one is due every {}",
        span(without(profile, now)),
        span(every)
    )
}

#[cfg(test)]
#[path = "check_samples.rs"]
pub mod samples;
#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
