//! `notify --test`: a test mail, and a call of the webhook.

use super::{interruptible::unless_interrupted, output::Output};
use crate::{
    api::{Exit, Failure},
    config::Config,
    notify::trial,
};

#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Send a test mail to everyone who gets mail, and call the webhook with a made-up run.
    #[arg(long, required = true)]
    test: bool,
}

pub fn run(config: &Config, _: Arguments, json: bool) -> Result<u8, Failure> {
    if config.mail.is_none() && config.webhook.is_none() {
        return Err(Failure::usage(
            "the configuration has neither [mail] nor [webhook], so nothing can be sent",
        ));
    }
    let trials = unless_interrupted(trial(config))?;
    let mut output = Output::new();
    for trial in &trials {
        match json {
            true => output.json(trial),
            false => {
                let mark = if trial.ok { "ok  " } else { "FAIL" };
                let (kind, to) = (trial.kind, &trial.to);
                output.line(format!("{mark}  {kind:<7}  {to} {:>6} ms  {}", trial.ms, trial.detail));
            }
        }
    }
    output.finish();
    let exit = match trials.iter().find(|trial| !trial.ok) {
        None => Exit::Done,
        Some(_) if trials.iter().any(|trial| trial.misconfigured) => Exit::Usage,
        Some(_) => Exit::Source,
    };
    Ok(exit as u8)
}
