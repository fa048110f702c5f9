//! `reload`: the running appliance reads its configuration anew.

use super::{ask, output::Output};
use crate::{
    config::Config,
    control::{
        Client,
        api::{Failure, Reloaded, Reply, Request},
    },
    profile::Exit,
};

pub fn run(config: &Config, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    ask::runtime()?.block_on(async {
        let Some(mut client) = Client::connect(&config.data_dir).await else {
            let error = format!("no appliance is running on {}", config.data_dir.display());
            return Err(Failure::new(Exit::Errors, error));
        };
        let mut each = |reply| match reply {
            Reply::Reloaded(reloaded) if json => output.json(&reloaded),
            Reply::Reloaded(reloaded) => print(&mut output, &reloaded),
            _ => {}
        };
        Ok(client.ask(&Request::Reload, &mut each).await?)
    })?;
    output.finish();
    Ok(0)
}

fn print(output: &mut Output, reloaded: &Reloaded) {
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
}
