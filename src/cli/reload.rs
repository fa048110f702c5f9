//! `reload`: the running appliance reads its configuration anew.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{archive::bar, ask, output::Output, status};
use crate::{
    config::Config,
    control::{
        Client,
        api::{Failure, Reloaded, Reply, Request},
    },
    profile::Exit,
    report::Backlog,
};

/// What `reload --json` prints.
#[derive(Serialize, Default)]
struct Line {
    #[serde(flatten)]
    reloaded: Reloaded,
    /// How much of the mail in the archive is for users with new addresses; `null` where nobody has any.
    backlog: Option<Box<Backlog>>,
}

pub fn run(config: &Config, json: bool) -> Result<u8, Failure> {
    let data_dir = &status::absolute(&config.data_dir);
    let nobody = || {
        Failure::new(
            Exit::Errors,
            format!("no appliance is running in {}", data_dir.display()),
        )
    };
    ask_one_of(std::slice::from_ref(data_dir), json)?.ok_or_else(nobody)
}

/// The same with a configuration that is refused, for `why`. The appliance is asked all the same: its log, its metrics and
/// `status` say then that it is.
pub fn run_refused(file: &Path, why: Failure, json: bool) -> Result<u8, Failure> {
    ask_one_of(&status::places_of_refused(file), json)?.ok_or(why)
}

/// `None` where no appliance is running in any of these data directories.
fn ask_one_of(places: &[PathBuf], json: bool) -> Result<Option<u8>, Failure> {
    let bar = bar("messages");
    let mut answer = Line::default();
    let asked = ask::runtime()?.block_on(async {
        for data_dir in places {
            let forbidden = |_| Failure::new(Exit::Errors, status::forbidden(data_dir));
            let Some(mut client) = Client::reach(data_dir).await.map_err(forbidden)? else {
                continue;
            };
            let mut each = |reply| match reply {
                Reply::Reloaded(reloaded) if json => answer.reloaded = reloaded,
                Reply::Reloaded(reloaded) => bar.suspend(|| print(&reloaded)),
                Reply::Progress { done, expected, .. } => {
                    bar.set_length(expected);
                    bar.set_position(done);
                }
                Reply::Backlog(backlog) => answer.backlog = Some(backlog),
                _ => {}
            };
            client.ask(&Request::Reload, &mut each).await.map_err(refused)?;
            return Ok(Some(0));
        }
        Ok(None)
    });
    bar.finish_and_clear();
    if asked.as_ref().is_ok_and(Option::is_none) {
        return asked;
    }
    let mut output = Output::new();
    if json && asked.is_ok() {
        output.json(&answer);
    } else if let Some(backlog) = answer.backlog.filter(|backlog| backlog.read > 0) {
        backlog.lines().into_iter().for_each(|line| output.line(line));
    }
    output.finish();
    asked
}

/// A refusal does no harm.
fn refused(error: impl Into<Failure>) -> Failure {
    let mut failure = error.into();
    if failure.exit == Exit::Usage as i32 {
        failure
            .error
            .push_str("; the appliance goes on with the configuration it has");
    }
    failure
}

fn print(reloaded: &Reloaded) {
    let mut output = Output::new();
    let said = [
        ("profiles added", &reloaded.added),
        ("profiles changed, from their next run on", &reloaded.changed),
        ("profiles removed", &reloaded.removed),
        ("changed, but in force only after a restart", &reloaded.needs_restart),
    ];
    let said: Vec<_> = said.into_iter().filter(|(_, names)| !names.is_empty()).collect();
    if said.is_empty() {
        output.line("the configuration was read again; no profile changed");
    }
    for (what, names) in said {
        output.line(format!("{what}: {}", names.join(", ")));
    }
    output.finish();
}
