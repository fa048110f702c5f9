//! `reload`: the running appliance reads its configuration anew.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{
    ask,
    output::{Output, grouped},
    progress::bar_of,
    status,
};
use crate::{
    api::{Exit, Failure, Reloaded, Reply, Request},
    config::Config,
    control::Client,
    report::Backlog,
};

/// Users who are named.
const NAMED: usize = 10;

/// What `reload --json` prints.
#[derive(Serialize, Default)]
struct ReloadLine {
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

/// The same with a configuration that is refused, for `why`. The appliance is asked all the same: its log, its metrics
/// and `status` say then that it is.
pub fn run_refused(file: &Path, why: Failure, json: bool) -> Result<u8, Failure> {
    ask_one_of(&status::places_of_refused(file), json)?.ok_or(why)
}

/// `None` where no appliance is running in any of these data directories.
fn ask_one_of(places: &[PathBuf], json: bool) -> Result<Option<u8>, Failure> {
    let bar = bar_of("messages");
    let mut answer = ReloadLine::default();
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
    if failure.exit == Exit::Usage {
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
    let said = said.into_iter().filter(|(_, names)| !names.is_empty());
    let mut lines: Vec<_> = said
        .map(|(what, names)| format!("{what}: {}", names.join(", ")))
        .collect();
    let users = &reloaded.users;
    lines.extend(users_line("added", &users.added, users.added_omitted));
    lines.extend(users_line("changed", &users.changed, users.changed_omitted));
    lines.extend(users_line("retired", &users.retired, users.retired_omitted));
    if lines.is_empty() {
        lines.push("the configuration was read again; no profile and no user changed".into());
    }
    if !reloaded.rules_changed.is_empty() {
        lines.push(format!(
            "the changed rules of {} are for mail to come; dropkeep reroute --dry-run shows what they would file of the mail \
             already in the archive",
            reloaded.rules_changed.join(", ")
        ));
    }
    lines.into_iter().for_each(|line| output.line(line));
    output.finish();
}

/// How many users, and who.
fn users_line(what: &str, names: &[String], omitted: u64) -> Option<String> {
    let shown = &names[..names.len().min(NAMED)];
    let more = (names.len() - shown.len()) as u64 + omitted;
    let count = names.len() as u64 + omitted;
    let users = if count == 1 { "user" } else { "users" };
    let more = match more {
        0 => String::new(),
        more => format!(" and {} more", grouped(more)),
    };
    (count > 0).then(|| format!("{} {users} {what}: {}{more}", grouped(count), shown.join(", ")))
}
