//! `reroute`: what is in the archive is filed for whom it is by the current users and rules.

use clap::Args;

use super::{archive::one_run, output::Output, search};
use crate::{
    api::{Failure, Reply, Request},
    archive::Absent,
    config::Config,
};

#[derive(Args, Debug)]
pub struct Arguments {
    /// Read the archive of this user alone: of @catchall, say, or of somebody who is retired, whose mail stays theirs
    /// otherwise.
    #[arg(long, value_name = "USER")]
    from: Option<String>,
    /// Go by the rules of this profile; otherwise each message goes by those of the profiles that archived it or saw
    /// it.
    #[arg(long)]
    profile: Option<String>,
    /// Only the messages that this query finds; docs/search.md has the language.
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// Only say what would be filed.
    #[arg(long)]
    dry_run: bool,
    /// Also print a line for each message that is filed, as --json does.
    #[arg(long)]
    verbose: bool,
}

pub fn run(config: Config, arguments: Arguments, json: bool) -> Result<u8, Failure> {
    let Arguments {
        from,
        profile,
        query,
        dry_run,
        verbose,
    } = arguments;
    if let Some(name) = &profile {
        config.profile(name)?;
    }
    if let Some(query) = &query {
        search::understood(query)?;
    }
    let request = Request::Reroute {
        from,
        profile,
        dry_run,
        query,
    };
    let interrupt = Request::InterruptReroute;
    one_run(config, Absent::Refused, request, interrupt, json, &mut |reply| {
        let Reply::Rerouted(line) = reply else { return };
        if !json && !verbose {
            return;
        }
        let mut output = Output::new();
        if json {
            output.json(&line);
        } else {
            let verb = if dry_run { "would be filed" } else { "filed" };
            output.line(format!("message {} {verb} for {}", line.id, line.users.join(", ")));
        }
        output.finish();
    })
}
