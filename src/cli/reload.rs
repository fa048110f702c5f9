//! `reload`: the running appliance reads its configuration anew.

use serde::Serialize;

use super::{archive::bar, ask, output::Output};
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
    let bar = bar("messages");
    let mut answer = Line::default();
    let asked = ask::runtime()?.block_on(async {
        let Some(mut client) = Client::connect(&config.data_dir).await else {
            let error = format!("no appliance is running on {}", config.data_dir.display());
            return Err(Failure::new(Exit::Errors, error));
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
        Ok(client.ask(&Request::Reload, &mut each).await?)
    });
    bar.finish_and_clear();
    asked?;
    let mut output = Output::new();
    if json {
        output.json(&answer);
    } else if let Some(backlog) = answer.backlog.filter(|backlog| backlog.read > 0) {
        backlog.lines().into_iter().for_each(|line| output.line(line));
    }
    output.finish();
    Ok(0)
}

fn print(reloaded: &Reloaded) {
    let mut output = Output::new();
    let said = [
        ("profiles added", &reloaded.added),
        ("profiles changed, from their next run on", &reloaded.changed),
        ("profiles ended", &reloaded.removed),
        ("in force only after a restart", &reloaded.needs_restart),
    ];
    let said: Vec<_> = said.into_iter().filter(|(_, names)| !names.is_empty()).collect();
    if said.is_empty() {
        output.line("taken; no profile changed");
    }
    for (what, names) in said {
        output.line(format!("{what}: {}", names.join(", ")));
    }
    output.finish();
}
