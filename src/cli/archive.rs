//! `archive [PROFILE]`: one run now, with a progress bar on a terminal. An import is shown so too.

use indicatif::HumanBytes;
use rustix::fs::fstat;

use super::{
    ask,
    given::only_profile,
    output::{Output, say},
    progress::bar_of,
    protocols,
};
use crate::{
    api::{Exit, Failure, Reply, Request},
    archive::Absent,
    config::Config,
    report::{Run, RunState},
};

pub fn run(config: Config, profile: Option<&str>, new: bool, json: bool) -> Result<u8, Failure> {
    let profile = only_profile(&config, profile)?.name.clone();
    let request = Request::Archive {
        profile: profile.clone(),
    };
    let absent = Absent::made(new);
    one_run(
        config,
        absent,
        request,
        Request::Interrupt { profile },
        json,
        &mut |_| {},
    )
}

/// Asks for a run, shows how far it is, prints its protocol. What else is answered goes to `each`.
pub fn one_run(
    config: Config,
    absent: Absent,
    request: Request,
    interrupt: Request,
    json: bool,
    each: &mut dyn FnMut(Reply),
) -> Result<u8, Failure> {
    let interrupted = Some(interrupt);
    let bar = bar_of(match request {
        Request::Reroute { .. } => "messages",
        _ => "copies",
    });
    let mut ended = None;
    let answered = ask::act(config, absent, request, interrupted, &mut |reply| match reply {
        Reply::Progress {
            done, expected, bytes, ..
        } => {
            // Until the server has said what stands there, nothing is known of how much it is.
            if expected > 0 {
                bar.set_length(expected);
            }
            bar.set_position(done);
            bar.set_message(format!("{},", HumanBytes(bytes)));
        }
        Reply::Finished { run, exit } => {
            bar.finish_and_clear();
            print(&run, json);
            ended = Some(exit);
        }
        other => bar.suspend(|| each(other)),
    });
    bar.finish_and_clear();
    answered?;
    let Some(exit) = ended else {
        let error = "the run ended without a protocol; this is a bug in dropkeep";
        return Err(Failure::new(Exit::Errors, error));
    };
    Ok(exit as u8)
}

fn print(run: &Run, json: bool) {
    let mut output = Output::new();
    if json {
        output.json(run);
    } else {
        protocols::print_full(&mut output, run);
    }
    output.finish();
    // A run that came to nothing says so where cron and people look, whatever standard output is for: once, where that
    // is the same place.
    if run.state == RunState::Failed
        && (json || !is_one_place())
        && let Some(error) = run.errors.last()
    {
        say(&error.error);
    }
}

/// Whether standard output and standard error lead to the same terminal, file or pipe.
fn is_one_place() -> bool {
    let place = |found: rustix::fs::Stat| (found.st_dev, found.st_ino);
    let (out, err) = (fstat(std::io::stdout()), fstat(std::io::stderr()));
    matches!((out, err), (Ok(out), Ok(err)) if place(out) == place(err))
}
