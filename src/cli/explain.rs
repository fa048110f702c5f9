//! `explain`: for whom a message would be, or is, and why. Files nothing.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use clap::Args;

use super::{
    ask, note,
    output::{Output, grouped},
};
use crate::{
    api::Failure,
    archive::{MessageId, Store},
    config::{Config, Profile},
    explain::{self, Explained, ExplainedAddress, ExplainedUser, Explainer, Stored, directory, has_no_rules},
    report::IMPORT,
};

#[derive(Args, Debug)]
pub struct Arguments {
    /// By the rules of this profile. Otherwise a stored message goes by each profile that archived it or saw it in its
    /// mailbox, and files by the only one.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// A file with one message (`-` is standard input), or the id of a stored message, as `list` shows it.
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
    let messages: Vec<_> = arguments.inputs.iter().filter_map(|input| id(input)).collect();
    if !messages.is_empty() {
        let object: Vec<_> = messages.iter().map(|id| format!("message {id}")).collect();
        if let Some(damage) = note::note(config, "explain", &object.join(", "))? {
            note::say_not_noted("this", &damage);
        }
    }
    let directory = directory(config)?;
    let mut store = None;
    let mut output = Output::new();
    for (number, input) in arguments.inputs.iter().enumerate() {
        let explained = match (id(input), of_files) {
            (Some(id), _) => {
                let store = match &mut store {
                    Some(store) => store,
                    none => none.insert(Store::open_for_reading(config)?),
                };
                let stored = Stored::read(store, &ask::owner(store).archives(), id)?;
                let profiles = match given {
                    Some(profile) => vec![profile],
                    None => profiles_of(config, store, &stored)?,
                };
                let by = |profile: &&Profile| Explainer::new(&directory, profile).of_message(store, &stored);
                match profiles.is_empty() {
                    true => vec![stored.without_rules(store)?],
                    false => profiles.iter().map(by).collect::<Result<_, _>>()?,
                }
            }
            (None, Some(profile)) => {
                let bytes = read(input, config.limits.max_message_size.0)?;
                vec![Explainer::new(&directory, profile).of_file(input.display().to_string(), &bytes)]
            }
            (None, None) => {
                return Err(Failure::usage(no_rules(config, input)));
            }
        };
        for (each, explained) in explained.iter().enumerate() {
            match json {
                true => output.json(explained),
                false => {
                    if number > 0 || each > 0 {
                        output.line("");
                    }
                    print(&mut output, explained, given.is_none());
                }
            }
        }
    }
    output.finish();
    Ok(0)
}

/// The id that an input is, unless there is a file of that name.
fn id(input: &Path) -> Option<MessageId> {
    let id = input.to_str()?.parse().ok()?;
    (!input.exists()).then_some(id)
}

/// The profiles that archived a message or saw it in their mailboxes, the first first; none where it was imported for
/// one user, and no profile saw it.
fn profiles_of<'c>(config: &'c Config, store: &Store, stored: &Stored) -> Result<Vec<&'c Profile>, Failure> {
    let id = stored.id;
    let (mut is_imported, mut names) = (false, Vec::new());
    let mut is_lost = false;
    for run in stored.runs() {
        match explain::profile_of(store, run)? {
            Some(own) if has_no_rules(&own) => is_imported |= own == IMPORT,
            Some(name) => names.push(name),
            None => is_lost = true,
        }
    }
    let gone = names.first().cloned();
    let seen = explain::seen(config, store)?;
    names.extend(
        seen.into_iter()
            .filter(|seen| seen.includes(id))
            .map(|seen| seen.profile),
    );
    let mut profiles: Vec<&Profile> = Vec::new();
    for name in names {
        let known = config.profile.iter().find(|profile| profile.name == name);
        profiles.extend(known.filter(|known| profiles.iter().all(|other| other.name != known.name)));
    }
    match gone {
        _ if !profiles.is_empty() => Ok(profiles),
        Some(name) => Err(Failure::usage(format!(
            "message {id} was archived by profile {name:?}, which is not in the configuration any more; give --profile"
        ))),
        None if is_imported && !is_lost => Ok(profiles),
        None if stored.filings.is_empty() => Err(Failure::usage(format!(
            "message {id} is in nobody's archive, so no profile is known for it; give --profile"
        ))),
        None => Err(Failure::usage(format!(
            "the protocol of the run that archived message {id} is not kept any more; give --profile"
        ))),
    }
}

/// Why an input without --profile is refused.
fn no_rules(config: &Config, input: &Path) -> String {
    let shown = input.display();
    let names: Vec<_> = config.profile.iter().map(|profile| profile.name.as_str()).collect();
    match input.exists() || input.as_os_str() == "-" {
        true => format!(
            "{shown} is a file: say by whose rules, with --profile NAME (the profiles: {})",
            names.join(", ")
        ),
        false => format!("{shown} is neither a file nor a message's id (`list` shows those)"),
    }
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

/// `by_default`: by the rules by which it was archived, which are those of `reroute` too.
fn print(output: &mut Output, explained: &Explained, by_default: bool) {
    let what = match explained.input.parse::<u64>() {
        Ok(id) => format!("message {id}"),
        Err(_) => explained.input.clone(),
    };
    match &explained.profile {
        Some(profile) => output.line(format!("{what}, by the rules of profile {profile}:")),
        None => output.line(format!(
            "{what}, imported with --user: no rules were applied (--profile NAME shows what those of a profile say)"
        )),
    }
    match explained.journal {
        "report" => output.line("  a journal report that the profile believes: its envelope decides"),
        "unreadable" => output.line(
            "  a journal report that the profile believes, but its envelope cannot be read whole: filed for @catchall too",
        ),
        "untrusted" => output.line("  a journal report that the profile does not believe: treated as ordinary mail"),
        _ => {}
    }
    for address in &explained.addresses {
        output.line(format!("  {}", address_line(address)));
    }
    if explained.addresses_omitted > 0 {
        output.line(format!(
            "  and {} more addresses that belong to nobody",
            grouped(explained.addresses_omitted)
        ));
    }
    if explained.addresses.is_empty() && explained.profile.is_some() {
        output.line("  it names no address");
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
    if by_default && !explained.would_add.is_empty() {
        output.line("(`dropkeep reroute` files it so)");
    }
    for address in &explained.unknown_addresses {
        output.line(format!("in one of your domains, but no user has it: {address}"));
    }
}

fn address_line(one: &ExplainedAddress) -> String {
    let place = match (one.line, one.step) {
        (Some(line), _) => format!("line {line}"),
        (None, "copy") => "another copy".to_owned(),
        (None, _) => "the envelope".to_owned(),
    };
    let users = one.users.join(", ");
    let says = match (one.why, one.rule) {
        (None, Some(rule)) => format!("counts for {users} ({rule})"),
        (None, None) => "counts, but nobody has it".to_owned(),
        (Some(why), Some(rule)) => format!("does not count: {why}; it is the address of {users} ({rule})"),
        (Some(why), None) => format!("does not count: {why}"),
    };
    format!("{place:<13} {:<16} {}: {says}", one.field, one.address)
}

fn user_line(user: &ExplainedUser) -> String {
    let by = match (&user.address, user.rule) {
        (Some(address), Some(rule)) => format!("{} {address} ({rule})", user.field),
        (Some(address), None) => format!("{} {address}", user.field),
        (None, Some(rule)) if user.field == "unknown" => format!("`unknown` ({rule}): no address in it is known"),
        (None, _) => user.field.clone(),
    };
    let filed = user.filed.as_ref();
    let filed = filed.map(|filed| format!(", archived {} in run {}", filed.archived_at, filed.run));
    format!("for {}, by {by}{}", user.user, filed.unwrap_or_default())
}
