//! `users`: the directory, and changes to it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::{
    ask,
    columns::whole,
    given::New,
    output::{Output, counted, grouped, harmless},
    progress::bar_of,
};
use crate::{
    account::why_unreadable,
    api::{ChangeKind, Exit, Failure, Reply, Request, UserLine},
    archive::Absent,
    config::{ByteSize, Config},
    report::Backlog,
};

/// Columns of a name that others are aligned with.
const LONGEST_NAME: usize = 40;

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Add a user with addresses.
    Add {
        /// The user's name, which nobody else has.
        name: String,
        /// Addresses, or patterns such as *@sub.example.com, which are nobody's yet.
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<String>,
        /// Do not count the messages in the archive that are for the user. For scripts that add many users to a large
        /// archive.
        #[arg(long)]
        no_count: bool,
        #[command(flatten)]
        new: New,
    },
    /// Give a user other addresses, in place of those so far. Who was retired gets mail again.
    Change {
        /// The user's name.
        name: String,
        /// Addresses, or patterns such as *@sub.example.com, which are nobody else's.
        #[arg(required = true, value_name = "ADDRESS")]
        addresses: Vec<String>,
    },
    /// Add and change users as a table says, all of it or nothing: a line each, with a name and addresses, as in a users
    /// file. Users whom it does not name stay as they are.
    Import {
        /// The CSV file.
        #[arg(value_name = "FILE")]
        table: PathBuf,
        /// Only say what would become of them.
        #[arg(long)]
        dry_run: bool,
    },
    /// Give a user another name; the archive stays.
    Rename {
        /// The name so far.
        name: String,
        /// The new one.
        to: String,
    },
    /// File nothing more for a user; the archive stays.
    Retire {
        /// The user's name.
        name: String,
    },
}

pub fn run(config: Config, change: Option<Command>, json: bool) -> Result<u8, Failure> {
    let request = match change {
        None => return print(&config, json),
        Some(Command::Add {
            name,
            addresses,
            no_count,
            new,
        }) => return add(config, name, addresses, no_count, new.new, json),
        Some(Command::Import { table, dry_run }) => return import(config, &table, dry_run, json),
        Some(Command::Change { name, addresses }) => Request::ChangeUser { name, addresses },
        Some(Command::Rename { name, to }) => Request::RenameUser { name, to },
        Some(Command::Retire { name }) => Request::RetireUser { name },
    };
    ask::act(config, Absent::Refused, request.clone(), None, &mut |_| {})?;
    let done = match request {
        Request::RenameUser { name, to } => Changed {
            words: format!("user {name:?} is now named {to:?}; the archive is the same"),
            user: to,
            renamed_from: Some(name),
            retired: false,
        },
        Request::ChangeUser { name, .. } => Changed {
            words: format!("user {name:?} has these addresses now; `dropkeep reroute` files mail for new ones"),
            user: name,
            renamed_from: None,
            retired: false,
        },
        Request::RetireUser { name } => Changed {
            words: format!("user {name:?} was retired: nothing more is filed for this user, and the archive stays"),
            user: name,
            renamed_from: None,
            retired: true,
        },
        _ => return Ok(0),
    };
    match json {
        true => {
            let mut output = Output::new();
            output.json(&done);
            output.finish();
        }
        false => line(done.words),
    }
    Ok(0)
}

/// What the lines of a table come to.
fn import(config: Config, table: &Path, dry_run: bool, json: bool) -> Result<u8, Failure> {
    let csv = fs::read(table)
        .map_err(|error| Failure::usage(format!("{} {}", table.display(), why_unreadable(table, &error))))?;
    let csv = String::from_utf8(csv)
        .map_err(|_| Failure::usage(format!("{} is not UTF-8: save the file as UTF-8", table.display())))?;
    let request = Request::ImportUsers { csv, dry_run };
    let mut output = Output::new();
    let mut unchanged = 0_u64;
    let asked = ask::act(config, Absent::Refused, request, None, &mut |reply| match reply {
        Reply::Changed(line) if json => output.json(&line),
        Reply::Changed(line) if line.change == ChangeKind::Unchanged => unchanged += 1,
        Reply::Changed(line) => {
            let would = if dry_run { "would be" } else { "was" };
            output.line(format!("user {:?} {would} {}", line.name, line.change.as_str()));
        }
        _ => {}
    });
    if unchanged > 0 {
        output.line(format!("as the table says already: {}", counted(unchanged, "user")));
    }
    output.finish();
    let place = |failure: Failure| Failure {
        error: format!("{}: {}", table.display(), failure.error),
        ..failure
    };
    asked.map(|()| 0).map_err(place)
}

/// What `users rename --json` and `users retire --json` print.
#[derive(Serialize)]
struct Changed {
    user: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_from: Option<String>,
    retired: bool,
    #[serde(skip)]
    words: String,
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
    let bar = bar_of("messages");
    let (mut added, mut backlog) = (false, None);
    let asked = ask::act(config, Absent::made(new), request, None, &mut |reply| match reply {
        Reply::Added(user) => {
            added = true;
            if !json {
                bar.suspend(|| line(format!("user {user:?} was added")));
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
        Err(failure) if added && failure.exit == Exit::Interrupted => Ok(0),
        asked => asked.map(|()| 0),
    }
}

fn line(line: impl AsRef<str>) {
    let mut output = Output::new();
    output.line(line);
    output.finish();
}

fn print(config: &Config, json: bool) -> Result<u8, Failure> {
    let mut output = Output::new();
    let mut users = Vec::new();
    let answered = ask::read(config, &Request::Users, &mut |reply| match reply {
        Reply::User(user) if json => output.json(&user),
        Reply::User(user) => users.push(user),
        _ => {}
    });
    if !users.is_empty() {
        table(&users).into_iter().for_each(|line| output.line(line));
    }
    output.finish();
    answered.map(|()| 0)
}

/// The users, a line each, below a heading.
fn table(users: &[UserLine]) -> Vec<String> {
    let name_columns = users.iter().map(|user| harmless(&user.name).width()).max().unwrap_or(0);
    let name_columns = name_columns.clamp("NAME".len(), LONGEST_NAME);
    let row = |name: &str, messages: &str, size: &str, kind: &str, addresses: &str| {
        let name = whole(name, name_columns);
        format!("{name}  {messages:>10}  {size:>10}  {kind:<8}  {addresses}")
    };
    let heading = row("NAME", "MESSAGES", "SIZE", "KIND", "ADDRESSES");
    let rows = users.iter().map(|user| {
        let addresses: Vec<_> = user.addresses.iter().map(|address| address.as_str()).collect();
        let kind = match (user.retired, user.managed) {
            (true, _) => "retired",
            (false, true) => "managed",
            (false, false) => "",
        };
        let (messages, size) = (grouped(user.messages), ByteSize(user.bytes).to_string());
        row(&user.name, &messages, &size, kind, &addresses.join(", "))
            .trim_end()
            .to_owned()
    });
    std::iter::once(heading).chain(rows).collect()
}

#[test]
fn wide_names_moved_the_columns_behind_them() {
    let user = |name: &str, messages| UserLine {
        name: name.into(),
        addresses: crate::message::Address::parse("a@example.com").into_iter().collect(),
        managed: true,
        retired: false,
        messages,
        bytes: 2048,
    };
    let lines = table(&[user("山田太郎", 1), user("A very long name of somebody", 12_345)]);
    let at = |line: &String| line[..line.find("a@example").unwrap()].width();
    assert_eq!(at(&lines[1]), at(&lines[2]), "{lines:#?}");
    assert!(
        lines[0].starts_with("NAME ") && lines[0].contains("  MESSAGES  "),
        "{lines:#?}"
    );
}
