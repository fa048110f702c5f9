//! `profiles`: how profiles are set up, and changes to those that the catalog keeps.

use std::{
    fs::OpenOptions,
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use unicode_width::UnicodeWidthStr;

use super::{
    ask,
    columns::whole,
    given::New,
    note,
    output::{Output, harmless},
};
use crate::{
    account::why_unreadable,
    api::{ChangedLine, Exit, Failure, Form, Origin, ProfileSetup, ProfileWish, Reply, Request, Spoken, Written},
    archive::{Absent, Store},
    config::{Config, profiles_of},
    control::Client,
    kept,
    token::new_key,
};

/// Columns of a name that others are aligned with.
const LONGEST_NAME: usize = 40;
/// Bytes of a text with profiles at most.
const LONGEST_TEXT: u64 = 1 << 20;
const STANDARD_INPUT: &str = "-";

#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Show how a profile is set up, without its secrets.
    Show {
        /// The profile's name.
        profile: String,
    },
    /// Print profiles as a configuration file has them.
    Export {
        /// The profile's name; all profiles if there is none.
        profile: Option<String>,
        /// With their secrets.
        #[arg(long)]
        secrets: bool,
    },
    /// Keep the profiles of a file in the catalog: all of them, or none.
    Import {
        /// A file with [[profile]] sections and nothing else; - is standard input. Paths in it are relative to the
        /// configuration file.
        #[arg(value_name = "FILE")]
        from: PathBuf,
        /// Change those that are kept already.
        #[arg(long)]
        replace: bool,
        /// Only say what would become of them.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        new: New,
    },
    /// Keep a profile in the catalog.
    Add {
        /// A file with one [[profile]]; standard input if there is none.
        #[arg(value_name = "FILE", default_value = STANDARD_INPUT, hide_default_value = true)]
        from: PathBuf,
        #[command(flatten)]
        new: New,
    },
    /// Change a profile that the catalog keeps. A secret that is left out stays as it is, as long as the server does.
    Change {
        /// A file with the whole [[profile]]; standard input if there is none.
        #[arg(value_name = "FILE", default_value = STANDARD_INPUT, hide_default_value = true)]
        from: PathBuf,
    },
    /// Remove a profile that the catalog keeps. What it archived stays.
    Remove {
        /// The profile's name.
        profile: String,
    },
    /// Make a key, with which the secrets of profiles are encrypted.
    Key {
        /// The file to be made [default: what key_file says].
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

pub fn run(config: Config, arguments: Arguments, json: bool) -> Result<u8, Failure> {
    let (request, absent) = match arguments.command {
        None => return list(config, json),
        Some(Command::Show { profile }) => return show(config, &profile, json),
        Some(Command::Export { profile, secrets }) => return export(config, profile, secrets),
        Some(Command::Key { file }) => return make_key(&config, file),
        Some(Command::Import {
            from,
            replace,
            dry_run,
            new,
        }) => {
            let toml = Spoken::new(text_of(&from)?);
            let request = Request::ImportProfiles { toml, replace, dry_run };
            (request, Absent::made(new.new))
        }
        Some(Command::Add { from, new }) => (wish(&from, ProfileWish::Add)?, Absent::made(new.new)),
        Some(Command::Change { from }) => (wish(&from, ProfileWish::Change)?, Absent::Refused),
        Some(Command::Remove { profile }) => {
            let wish = ProfileWish::Remove;
            (Request::ChangeProfile { name: profile, wish }, Absent::Refused)
        }
    };
    let would = matches!(request, Request::ImportProfiles { dry_run: true, .. });
    let mut changed = Vec::new();
    ask::act(config, absent, request, None, &mut |reply| {
        if let Reply::Changed(line) = reply {
            changed.push(line);
        }
    })?;
    let mut output = Output::new();
    for line in &changed {
        match json {
            true => output.json(line),
            false => output.line(said(line, would)),
        }
    }
    output.finish();
    Ok(0)
}

fn said(line: &ChangedLine, would: bool) -> String {
    let would = if would { "would be" } else { "was" };
    format!("profile {:?} {would} {}", line.name, line.change.as_str())
}

/// The change that a text asks for; its name says of which profile.
fn wish(from: &Path, wish: fn(Written) -> ProfileWish) -> Result<Request, Failure> {
    let text = text_of(from)?;
    let first = profiles_of(&text).and_then(|profiles| profiles.into_iter().next());
    let name = first.and_then(|profile| profile["name"].as_str().map(str::to_owned));
    let written = Written {
        text: Spoken::new(text),
        form: Form::Toml,
    };
    Ok(Request::ChangeProfile {
        // What is wrong with a text that has none is said where it is checked.
        name: name.unwrap_or_default(),
        wish: wish(written),
    })
}

fn text_of(from: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let is_stdin = from == Path::new(STANDARD_INPUT);
    let place = match is_stdin {
        true => "standard input".to_owned(),
        false => from.display().to_string(),
    };
    let read = match is_stdin {
        true => io::stdin().lock().take(LONGEST_TEXT + 1).read_to_end(&mut bytes),
        false => std::fs::File::open(from).and_then(|file| file.take(LONGEST_TEXT + 1).read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::usage(format!("{place} {}", why_unreadable(from, &error))))?;
    if bytes.len() as u64 > LONGEST_TEXT {
        return Err(Failure::usage(format!(
            "{place} is longer than 1 MiB, which no profiles are"
        )));
    }
    String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{place} is not UTF-8")))
}

/// As the appliance has them, if one runs; otherwise as they would run.
fn setups(mut config: Config, name: Option<String>, secrets: bool) -> Result<Vec<ProfileSetup>, Failure> {
    let mut setups = Vec::new();
    let asked = name.clone();
    let answered = ask::runtime()?.block_on(async {
        let Some(mut client) = Client::connect(&config.data_dir).await else {
            return Ok(false);
        };
        let request = Request::Profiles { name: asked, secrets };
        let mut take = |reply| {
            if let Reply::Setup(setup) = reply {
                setups.push(*setup);
            }
        };
        client
            .ask(&request, &mut take)
            .await
            .map(|()| true)
            .map_err(Failure::from)
    })?;
    if answered {
        return Ok(setups);
    }
    if !Store::is_there(&config) {
        return kept::setups(&config, &[], Vec::new(), name.as_deref(), secrets);
    }
    if secrets {
        let what = name.as_ref().map_or("all".to_owned(), |name| format!("profile {name}"));
        if let Some(failure) = note::note(&config, "profiles", &format!("{what}, with secrets"))? {
            return Err(failure);
        }
    }
    let store = Store::open_for_reading(&config)?;
    let left_out = kept::merge(&mut config, &store)?;
    let setups = kept::setups(&config, &left_out, store.profiles()?, name.as_deref(), secrets)?;
    match name {
        Some(name) if setups.is_empty() => Err(config.profile(&name).err().map_or_else(
            || Failure::unknown(format!("no profile is named {name:?}")),
            Failure::unknown,
        )),
        _ => Ok(setups),
    }
}

fn list(config: Config, json: bool) -> Result<u8, Failure> {
    let setups = setups(config, None, false)?;
    let mut output = Output::new();
    if json {
        for setup in setups {
            output.json(&ProfileSetup { toml: None, ..setup });
        }
    } else {
        table(&setups).into_iter().for_each(|line| output.line(line));
    }
    output.finish();
    Ok(0)
}

fn table(setups: &[ProfileSetup]) -> Vec<String> {
    let widest = setups.iter().map(|setup| harmless(&setup.name).width()).max();
    let columns = widest.unwrap_or(0).clamp("NAME".len(), LONGEST_NAME);
    let row = |name: &str, origin: &str, schedule: &str, source: &str| {
        format!("{}  {origin:<7}  {schedule:<12}  {source}", whole(name, columns))
    };
    let mut lines = Vec::new();
    if !setups.is_empty() {
        lines.push(row("NAME", "FROM", "SCHEDULE", "SOURCE"));
    }
    for setup in setups {
        let origin = match setup.origin {
            Origin::File => "file",
            Origin::Catalog => "catalog",
        };
        let server = &setup.profile["server"];
        let text = |key: &str| harmless(server[key].as_str().unwrap_or_default()).into_owned();
        let source = format!("{} of {} ({})", text("username"), text("host"), text("access"));
        let schedule = harmless(setup.profile["schedule"].as_str().unwrap_or("manual")).into_owned();
        lines.push(row(&setup.name, origin, &schedule, &source));
        if let Some(fault) = &setup.fault {
            let what = if setup.in_force { "" } else { "not in force: " };
            lines.push(format!("  {what}{}", harmless(fault)));
        }
    }
    lines
}

fn show(config: Config, name: &str, json: bool) -> Result<u8, Failure> {
    let setups = setups(config, Some(name.to_owned()), false)?;
    let mut output = Output::new();
    for setup in setups {
        if json {
            output.json(&ProfileSetup { toml: None, ..setup });
            continue;
        }
        let place = match setup.origin {
            Origin::File => "in the configuration file",
            Origin::Catalog => "kept in the catalog",
        };
        output.line(format!("profile {:?}, {place}", setup.name));
        if let Some(fault) = &setup.fault {
            let what = if setup.in_force { "" } else { "not in force: " };
            output.line(format!("{what}{fault}"));
        }
        output.text(setup.toml.as_ref().map_or("", |toml| toml.reveal()));
    }
    output.finish();
    Ok(0)
}

fn export(config: Config, name: Option<String>, secrets: bool) -> Result<u8, Failure> {
    let setups = setups(config, name, secrets)?;
    let texts = setups.iter().filter_map(|setup| Some(setup.toml.as_ref()?.reveal()));
    let mut output = Output::new();
    output.text(&texts.collect::<Vec<_>>().join("\n"));
    output.finish();
    Ok(0)
}

/// Writes a new key into a file that only its owner can read.
fn make_key(config: &Config, file: Option<PathBuf>) -> Result<u8, Failure> {
    let configured = config.secrets.key_file.as_ref();
    let file = file.as_ref().or(configured).ok_or_else(|| {
        Failure::usage("say which file is to be made: dropkeep profiles key FILE; key_file under [secrets] names none")
    })?;
    let shown = std::path::absolute(file).unwrap_or_else(|_| file.clone());
    let shown = shown.display();
    let key = new_key().ok_or_else(|| Failure::new(Exit::Errors, "the machine has no random numbers"))?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let written = made.and_then(|mut made| {
        made.write_all(key.reveal().as_bytes())?;
        made.sync_all()
    });
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::conflict(format!(
            "{shown} is there already: without the key that it holds, what was encrypted with it cannot be read any more"
        )),
        io::ErrorKind::PermissionDenied => {
            let group = crate::account::own_group();
            Failure::usage(format!(
                "{shown} cannot be made by account {}; as root: openssl rand -base64 32 | install -m 640 -g {group} /dev/stdin \
                 {shown}",
                crate::account::own()
            ))
        }
        _ => Failure::new(Exit::Errors, format!("cannot write {shown}: {error}")),
    })?;
    let mut output = Output::new();
    output.line(format!(
        "a new key is in {shown}; keep a copy of it where no backup of the archive is"
    ));
    if configured != Some(file) {
        output.line(format!(
            "write under [secrets]: key_file = \"{shown}\", and run `dropkeep reload`"
        ));
    }
    output.finish();
    Ok(0)
}
