//! `users`: the directory, and changes to it.

use super::{
    UsersCommand, ask,
    output::{Output, grouped},
};
use crate::{
    archive::Absent,
    config::{ByteSize, Config},
    control::api::{Failure, Reply, Request},
};

pub fn run(config: Config, change: Option<UsersCommand>, json: bool) -> Result<u8, Failure> {
    let (request, absent) = match change {
        None => return print(&config, json),
        Some(UsersCommand::Add { name, addresses, new }) => {
            (Request::AddUser { name, addresses }, Absent::made(new.new))
        }
        Some(UsersCommand::Rename { name, to }) => (Request::RenameUser { name, to }, Absent::Refused),
        Some(UsersCommand::Retire { name }) => (Request::RetireUser { name }, Absent::Refused),
    };
    ask::act(config, absent, request, None, &mut |_| {})?;
    Ok(0)
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
