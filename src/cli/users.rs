//! `users`: the directory, and changes to it.

use serde::Serialize;

use super::{
    UsersCommand,
    archive::bar,
    ask,
    output::{Output, grouped},
};
use crate::{
    archive::Absent,
    config::{ByteSize, Config},
    control::api::{Failure, Reply, Request},
    profile::Exit,
    report::Backlog,
};

pub fn run(config: Config, change: Option<UsersCommand>, json: bool) -> Result<u8, Failure> {
    let (request, absent) = match change {
        None => return print(&config, json),
        Some(UsersCommand::Add {
            name,
            addresses,
            no_count,
            new,
        }) => return add(config, name, addresses, no_count, new.new, json),
        Some(UsersCommand::Rename { name, to }) => (Request::RenameUser { name, to }, Absent::Refused),
        Some(UsersCommand::Retire { name }) => (Request::RetireUser { name }, Absent::Refused),
    };
    ask::act(config, absent, request, None, &mut |_| {})?;
    Ok(0)
}

/// What `users add --json` prints.
#[derive(Serialize)]
struct Added {
    user: String,
    /// How much of the mail in the archive is for them; `null` where it was not counted.
    backlog: Option<Box<Backlog>>,
}

fn add(
    config: Config,
    name: String,
    addresses: Vec<String>,
    no_count: bool,
    new: bool,
    json: bool,
) -> Result<u8, Failure> {
    let request = Request::AddUser {
        name: name.clone(),
        addresses,
        no_count,
    };
    let bar = bar("messages");
    let (mut added, mut backlog) = (false, None);
    let asked = ask::act(config, Absent::made(new), request, None, &mut |reply| match reply {
        Reply::Added(user) => {
            added = true;
            if !json {
                bar.suspend(|| line(format!("user {user} was added")));
            }
        }
        Reply::Progress { done, expected, .. } => {
            bar.set_length(expected);
            bar.set_position(done);
        }
        Reply::Backlog(counted) => backlog = Some(counted),
        _ => {}
    });
    bar.finish_and_clear();
    if json && added {
        let mut output = Output::new();
        output.json(&Added { user: name, backlog });
        output.finish();
    } else if let Some(backlog) = backlog.filter(|backlog| backlog.read > 0) {
        backlog.lines().into_iter().for_each(line);
    }
    match asked {
        // It is done; only the count was given up.
        Err(failure) if added && failure.exit == Exit::Interrupted as i32 => Ok(0),
        asked => asked.map(|()| 0),
    }
}

fn line(line: String) {
    let mut output = Output::new();
    output.line(line);
    output.finish();
}

fn print(config: &Config, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    let answered = ask::read(config, &Request::Users, &mut |reply| {
        let Reply::User(user) = reply else { return };
        if json {
            return output.json(&user);
        }
        let addresses = user
            .addresses
            .iter()
            .map(|address| address.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let kind = match (user.retired, user.managed) {
            (true, _) => "retired",
            (false, true) => "managed",
            (false, false) => "",
        };
        output.line(format!(
            "{:<24}  {:>10} messages  {:>10}  {kind:<8}{addresses}",
            user.name,
            grouped(user.messages),
            ByteSize(user.bytes).to_string()
        ));
    });
    output.finish();
    answered.map(|()| 0)
}
