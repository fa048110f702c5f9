//! `status`: how each profile stands, and the appliance. An appliance that runs is asked, whatever the configuration's
//! file has become meanwhile.

mod check;
mod text;
mod words;

use std::path::{Path, PathBuf};

use self::check::{Checked, DiskBounds, Health, judge};
use super::{
    ask,
    output::{Output, say},
    remarks,
};
use crate::{
    api::{ApplianceLine, Exit, Failure, ProfileLine, Reply, Request},
    archive::{Absent, last_data_dir, require_reachable},
    clock,
    config::{Config, ConfigError, data_dir_of, nearest},
    control::Client,
    explain::directory,
};

/// What `status` found.
#[derive(Default)]
struct Found {
    profiles: Vec<ProfileLine>,
    appliance: Option<ApplianceLine>,
}

/// What came of asking the appliance.
enum Asked {
    Answered(Box<Found>),
    /// None is running there.
    Nobody,
    /// One may be running: this account may not look.
    Forbidden(String),
    /// It runs, and does not answer.
    Stuck(Failure),
}

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Show only this profile.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Print one line, as monitoring plugins do. The exit code is 0 ok, 1 warning, 2 critical, 3 unknown.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    disk: DiskBounds,
    /// Only ask whether an appliance is running: the exit code is 0 if one answers, 1 if none does.
    #[arg(long, conflicts_with_all = ["check", "profile"])]
    alive: bool,
}

pub fn run(config: Config, arguments: &Arguments, json: bool) -> Result<u8, Failure> {
    let refused = config.require_users().err().map(Failure::from);
    let data_dir = absolute(&config.data_dir);
    let asked = ask_running(std::slice::from_ref(&data_dir))?;
    // Who waits for nobody answers for the archive here.
    let alone = matches!(asked, Asked::Nobody | Asked::Forbidden(_)) && !arguments.check && !arguments.alive;
    if !alone {
        return told(asked, &data_dir, Some(&config), refused, arguments, json);
    }
    if let Some(name) = &arguments.profile {
        config.profile(name)?;
    }
    if let Some(error) = refused {
        return Err(none_would_start(&data_dir, &error));
    }
    let mut found = Found::default();
    ask::act(config, Absent::Refused, Request::Status, None, &mut |reply| {
        found.take(reply)
    })?;
    show(found, None, arguments, json);
    Ok(0)
}

/// The same with a configuration that is refused, for `why`: an appliance may run that was started with an earlier one.
pub fn run_refused(file: &Path, why: Failure, arguments: &Arguments, json: bool) -> Result<u8, Failure> {
    let places = places_of_refused(file);
    let Some(first) = places.first() else {
        if arguments.check {
            return Ok(say_unknown(&why, json));
        }
        return Err(why);
    };
    told(ask_running(&places)?, first, None, Some(why), arguments, json)
}

/// Where an appliance may be that started with an earlier state of a configuration that is refused now: in the data
/// directory that the file names, and in the one that it had last.
pub fn places_of_refused(file: &Path) -> Vec<PathBuf> {
    let places = data_dir_of(file).into_iter().chain(last_data_dir(file));
    let mut places: Vec<_> = places.map(|place| absolute(&place)).collect();
    places.dedup();
    places
}

/// As it is shown: the reader may be in another folder.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Says what the running appliance answered, or why none did. `refused`: why the current configuration is refused.
fn told(
    asked: Asked,
    data_dir: &Path,
    config: Option<&Config>,
    refused: Option<Failure>,
    arguments: &Arguments,
    json: bool,
) -> Result<u8, Failure> {
    if arguments.check {
        arguments.disk.require_order()?;
        return Ok(say_check(asked, config, refused, arguments, json));
    }
    let place = data_dir.display();
    match (asked, refused) {
        (Asked::Answered(found), refused) => {
            let found = found.only(arguments.profile.as_deref(), config)?;
            show(found, refused, arguments, json);
            Ok(0)
        }
        (Asked::Stuck(failure), _) => Err(failure),
        (Asked::Nobody, _) if arguments.alive => {
            Err(Failure::new(Exit::Errors, format!("no appliance answers in {place}")))
        }
        (Asked::Nobody, Some(error)) => Err(none_would_start(data_dir, &error)),
        (Asked::Nobody, None) => Err(Failure::new(
            Exit::Errors,
            format!("no appliance is running in {place}"),
        )),
        (Asked::Forbidden(why), Some(error)) if !arguments.alive => Err(Failure::usage(format!("{error}; and {why}"))),
        (Asked::Forbidden(why), _) => Err(Failure::usage(why)),
    }
}

fn none_would_start(data_dir: &Path, error: &Failure) -> Failure {
    Failure::usage(format!("{error}; no appliance is running in {}", data_dir.display()))
}

impl Found {
    fn take(&mut self, reply: Reply) {
        match reply {
            Reply::Profile(profile) => self.profiles.push(*profile),
            Reply::Appliance(appliance) => self.appliance = Some(*appliance),
            _ => {}
        }
    }

    /// With one profile of it, if one was asked for.
    fn only(mut self, name: Option<&str>, config: Option<&Config>) -> Result<Self, Failure> {
        let Some(name) = name else { return Ok(self) };
        if self.profiles.iter().any(|profile| profile.profile == name) {
            self.profiles.retain(|profile| profile.profile == name);
            return Ok(self);
        }
        if config.is_some_and(|config| config.profile(name).is_ok()) {
            return Err(Failure::usage(format!(
                "the running appliance does not know profile {name:?} yet; run `dropkeep reload`, which reads the \
                 configuration again"
            )));
        }
        let known = self.profiles.iter().map(|profile| profile.profile.as_str());
        let nearest = nearest(name, known);
        let name = name.to_owned();
        Err(ConfigError::UnknownProfile { name, nearest }.into())
    }
}

/// Asks whoever answers first in these data directories.
fn ask_running(places: &[PathBuf]) -> Result<Asked, Failure> {
    ask::runtime()?.block_on(async {
        let mut closed = None;
        for data_dir in places {
            match Client::reach(data_dir).await {
                Ok(Some(client)) => return Ok(ask_client(client).await),
                Ok(None) => {}
                Err(_) => closed = Some(data_dir),
            }
        }
        Ok(match closed {
            None => Asked::Nobody,
            Some(data_dir) => Asked::Forbidden(forbidden(data_dir)),
        })
    })
}

/// Why it is not known whether an appliance is running.
pub fn forbidden(data_dir: &Path) -> String {
    match require_reachable(data_dir) {
        Err(error) => error.to_string(),
        Ok(()) => format!(
            "the socket in {} is closed to this account; run this as root",
            data_dir.display()
        ),
    }
}

async fn ask_client(mut client: Client) -> Asked {
    let mut found = Found::default();
    let mut each = |reply| found.take(reply);
    match client.ask_quickly(&Request::Status, &mut each).await {
        Ok(()) => Asked::Answered(Box::new(found)),
        Err(error) => Asked::Stuck(error.into()),
    }
}

/// Says what cannot be asked, as a monitoring plugin does.
fn say_unknown(error: &Failure, json: bool) -> u8 {
    print_check(&Checked::only(Health::Unknown, error.error.clone()), json)
}

fn print_check(checked: &Checked, json: bool) -> u8 {
    let mut output = Output::new();
    match json {
        true => output.json(checked),
        false => output.line(checked.line()),
    }
    output.finish();
    checked.health as u8
}

/// Where an archive was, and its folder is not there any more.
fn missing(config: Option<&Config>) -> Option<String> {
    let config = config?;
    let data_dir = absolute(&config.data_dir);
    let was = last_data_dir(&config.file).is_some_and(|last| absolute(&last) == data_dir);
    (was && !data_dir.exists()).then(|| {
        format!(
            "{} is missing, so the appliance cannot be asked; mount its disk, or put it back",
            data_dir.display()
        )
    })
}

fn say_check(asked: Asked, config: Option<&Config>, refused: Option<Failure>, arguments: &Arguments, json: bool) -> u8 {
    const NOBODY: &str = "no appliance is running, so nothing is archived on schedule";
    let only = arguments.profile.as_deref();
    let mut checked = match (asked, &refused) {
        (Asked::Answered(found), _) => match found.only(only, config) {
            Ok(mut found) => {
                if let Some(appliance) = found.appliance.as_mut().filter(|_| refused.is_some()) {
                    // It is said below, as the file is now.
                    appliance.configuration_refused = None;
                }
                judge(&found.profiles, found.appliance.as_ref(), arguments.disk, clock::now())
            }
            Err(error) => return say_unknown(&error, json),
        },
        (Asked::Stuck(error), _) => Checked::only(Health::Critical, error.error),
        (Asked::Forbidden(why), Some(error)) => return say_unknown(&Failure::usage(format!("{error}; {why}")), json),
        (Asked::Forbidden(why), None) => return say_unknown(&Failure::usage(why), json),
        // With only the users file refused it is known where the appliance should be.
        (Asked::Nobody, Some(error)) if config.is_none() => {
            let why = format!("no appliance is running, and none would start: {error}");
            return say_unknown(&Failure::usage(why), json);
        }
        (Asked::Nobody, _) => match only.map(|name| config.map(|config| config.profile(name))) {
            Some(Some(Err(error))) => return say_unknown(&error.into(), json),
            _ => Checked::only(Health::Critical, missing(config).unwrap_or_else(|| NOBODY.into())),
        },
    };
    if let Some(error) = refused {
        checked.refused(&error.error);
    }
    if let Some(config) = config {
        let exposed = config.exposed().into_iter().map(|exposed| exposed.to_string());
        let lists = directory(config).map(|directory| remarks::of_lists(&directory));
        let others = lists.unwrap_or_default().into_iter().chain(remarks::of_key(config));
        for said in exposed.chain(config.remarks(true)).chain(others) {
            checked.problem(Health::Warning, said);
        }
    }
    print_check(&checked, json)
}

fn show(found: Found, refused: Option<Failure>, arguments: &Arguments, json: bool) {
    let now = clock::now();
    let mut output = Output::new();
    for profile in &found.profiles {
        match json {
            true => output.json(profile),
            false => text::profile(profile, now).iter().for_each(|line| output.line(line)),
        }
    }
    let refused = refused.map(|refused| refused.error);
    match found.appliance.filter(|_| arguments.profile.is_none()) {
        Some(mut appliance) => {
            let lines = text::appliance(&appliance, refused.as_deref(), now);
            if refused.is_some() {
                appliance.configuration_refused = refused;
            }
            match json {
                true => output.json(&appliance),
                false => lines.iter().for_each(|line| output.line(line)),
            }
        }
        None => {
            if let Some(why) = refused {
                // Standard output has the profile alone.
                say(format!("warning: {}", text::refused(&why)));
            }
        }
    }
    output.finish();
}
