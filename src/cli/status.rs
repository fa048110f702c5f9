//! `status`: how each profile stands; with `--check`, whether an appliance answers.

use std::time::Duration;

use super::{
    ask,
    output::{Output, grouped, harmless},
};
use crate::{
    config::Config,
    control::{
        Client,
        api::{Failure, ProfileLine, Reply, Request},
    },
    profile::Exit,
};

/// An appliance that takes longer to say how it stands does not answer.
const ANSWER: Duration = Duration::from_secs(10);

pub fn run(config: Config, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    ask::act(config, Request::Status, None, &mut |reply| {
        show(&mut output, &reply, json)
    })?;
    output.finish();
    Ok(0)
}

/// The same of an appliance that is running; nothing is opened where none is.
pub fn check(config: &Config, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    ask::runtime()?.block_on(async {
        let asked = async {
            let none = || format!("no appliance answers in {}", config.data_dir.display());
            let client = Client::connect(&config.data_dir).await;
            let mut client = client.ok_or_else(|| Failure::new(Exit::Errors, none()))?;
            let each = &mut |reply| show(&mut output, &reply, json);
            Ok(client.ask(&Request::Status, each).await?)
        };
        let late = format!("the appliance did not answer within {} s", ANSWER.as_secs());
        let asked = tokio::time::timeout(ANSWER, asked).await;
        asked.unwrap_or_else(|_| Err(Failure::new(Exit::Errors, late)))
    })?;
    output.finish();
    Ok(0)
}

fn show(output: &mut Output, reply: &Reply, json: bool) {
    let Reply::Profile(profile) = reply else { return };
    match json {
        true => output.json(&profile),
        false => print(output, profile),
    }
}

fn print(output: &mut Output, profile: &ProfileLine) {
    let mut line = format!("{:<24}  {:<8}", profile.profile, profile.state);
    if let Some(run) = profile.run {
        let (seen, expected) = (grouped(profile.seen), grouped(profile.expected));
        line.push_str(&format!("  run {run}: {seen} of {expected} copies"));
    }
    output.line(line);
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
    }
}
