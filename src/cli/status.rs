//! `status`: how each profile stands.

use super::{
    ask,
    output::{Output, grouped, harmless},
};
use crate::{
    config::Config,
    control::api::{Failure, ProfileLine, Reply, Request},
};

pub fn run(config: Config, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    ask::act(config, Request::Status, None, &mut |reply| {
        let Reply::Profile(profile) = reply else { return };
        match json {
            true => output.json(&profile),
            false => print(&mut output, &profile),
        }
    })?;
    output.finish();
    Ok(0)
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
