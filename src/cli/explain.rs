//! `explain`: for whom a message would be, or is, and why. Files nothing.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use clap::Args;

use super::output::Output;
use crate::{
    archive::Store,
    config::Config,
    control::api::Failure,
    explain::{self, Explained, ExplainedAddress, ExplainedUser, Explainer, Stored, directory},
};

#[derive(Args, Debug)]
pub struct Arguments {
    /// The profile whose rules are applied. Without it, that of the run that archived a stored message, and for files the
    /// only one.
    #[arg(long)]
    profile: Option<String>,
    /// Files of a message each (`-`: standard input), or ids of stored messages, as `list` gives them.
    #[arg(required = true, value_name = "FILE|ID")]
    inputs: Vec<PathBuf>,
}

pub fn run(config: &Config, arguments: &Arguments, json: bool) -> Result<u8, Failure> {
    let given = arguments
        .profile
        .as_deref()
        .map(|name| config.profile(name))
        .transpose()?;
    // Files have no profile of their own.
    let of_files = match (given, config.profile.as_slice()) {
        (None, [only]) => Some(only),
        _ => given,
    };
    let directory = directory(config)?;
    let mut store = None;
    let mut output = Output::new();
    for input in &arguments.inputs {
        let explained = match (id(input), of_files) {
            (Some(id), _) => {
                let store = match &mut store {
                    Some(store) => store,
                    none => none.insert(Store::open_for_reading(config)?),
                };
                let stored = Stored::read(store, id)?;
                let profile = match given {
                    Some(profile) => profile,
                    None => profile_of(config, store, &stored)?,
                };
                Explainer::new(&directory, profile).of_message(store, &stored)?
            }
            (None, Some(profile)) => {
                let bytes = read(input, config.limits.max_message_size.0)?;
                Explainer::new(&directory, profile).of_file(input.display().to_string(), &bytes)
            }
            (None, None) => {
                let text = format!("{} is no message's id; for a file, give --profile", input.display());
                return Err(Failure::usage(text));
            }
        };
        if json {
            output.json(&explained);
        } else {
            print(&mut output, &explained);
        }
    }
    output.finish();
    Ok(0)
}

/// The id that an input is, unless there is a file of that name.
fn id(input: &Path) -> Option<u64> {
    let id = input.to_str()?.parse().ok()?;
    (!input.exists()).then_some(id)
}

fn profile_of<'c>(config: &'c Config, store: &Store, stored: &Stored) -> Result<&'c crate::config::Profile, Failure> {
    let id = stored.id;
    let name = stored
        .first_run()
        .map_or(Ok(None), |run| explain::profile_of(store, run))?;
    let name = name.ok_or_else(|| {
        Failure::usage(format!(
            "message {id} is in nobody's archive, so no profile is known for it; give --profile"
        ))
    })?;
    config.profile(&name).map_err(|_| {
        Failure::usage(format!(
            "message {id} was archived by profile {name:?}, which the configuration does not have; give --profile"
        ))
    })
}

fn read(input: &Path, most: u64) -> Result<Bytes, Failure> {
    let refused = |error: std::io::Error| Failure::usage(format!("{}: {error}", input.display()));
    let source: Box<dyn Read> = match input.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(File::open(input).map_err(refused)?),
    };
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() as u64 > most {
        let text = format!("{} is larger than max_message_size ({most} bytes)", input.display());
        return Err(Failure::usage(text));
    }
    Ok(bytes.into())
}

fn print(output: &mut Output, explained: &Explained) {
    output.line(format!(
        "{}, by the rules of profile {}",
        explained.input, explained.profile
    ));
    match explained.journal {
        "report" => output.line("  a journal report, which the profile believes: its envelope decides"),
        "unreadable" => output.line(
            "  a journal report, which the profile believes, and in which not all for whom it is can be read: for @catchall too",
        ),
        "untrusted" => output.line("  a journal report, which the profile does not believe: taken as it came"),
        _ => {}
    }
    for address in &explained.addresses {
        output.line(format!("  {}", address_line(address)));
    }
    if explained.addresses_omitted > 0 {
        output.line(format!(
            "  and others, {} times; each of them was looked up, and whoever is known stands above",
            explained.addresses_omitted
        ));
    }
    if explained.addresses.is_empty() {
        output.line("  no address stands in it");
    }
    for user in &explained.users {
        output.line(user_line(user));
    }
    if explained.users.is_empty() {
        output.line("for nobody: it stays on the server");
    }
    for user in &explained.would_add {
        output.line(format!("by today's rules also {}", user_line(user)));
    }
    for address in &explained.unknown_addresses {
        output.line(format!("of ours, and nobody's: {address}"));
    }
    output.line("");
}

fn address_line(one: &ExplainedAddress) -> String {
    let place = match (one.line, one.step) {
        (Some(line), _) => format!("line {line}"),
        (None, "copy") => "in another copy".to_owned(),
        (None, _) => "in the envelope".to_owned(),
    };
    let leads = match (one.users.as_slice(), one.rule) {
        ([], _) | (_, None) => "nobody's".to_owned(),
        (users, Some(rule)) => format!("{} ({rule})", users.join(", ")),
    };
    let counts = one
        .why
        .map_or("counts".to_owned(), |why| format!("does not count: {why}"));
    format!("{:<16} {:<16} {}: {leads}; {counts}", place, one.field, one.address)
}

fn user_line(user: &ExplainedUser) -> String {
    let by = match (&user.address, user.rule) {
        (Some(address), Some(rule)) => format!("{} {address}, {rule}", user.field),
        (Some(address), None) => format!("{} {address}", user.field),
        (None, Some(rule)) if user.field == "unknown" => format!("no known address, {rule}"),
        (None, _) => user.field.clone(),
    };
    let filed = user
        .filed
        .as_ref()
        .map(|filed| format!(", since {} (run {})", filed.archived_at, filed.run));
    format!("for {} by {by}{}", user.user, filed.unwrap_or_default())
}
